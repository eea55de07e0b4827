#include "tests/diff/random_source.h"

#include <iterator>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "tests/diff/random_expressions.h"

namespace sgl::diff {
namespace {

constexpr std::string_view kHeader =
    "type Rec = { a: int, b: string, c: bool, d?: int }\n"
    "fn down(n: int) -> int {\n  if n <= 0 { return 1 }\n  return (down(n - 1) * 3 + n) % 997\n}\n"
    "prompt asked(question: string, times: int) -> string {\n  \"{question}?\"\n"
    "  gen reply: string with max_tokens = 8\n  if times > 900 { fail \"too many: {times}\" }\n  return reply\n}\n"
    "program sub(n: int, s: string) -> string {\n  \"Sub {n}:\"\n  gen reply: string with max_tokens = 6\n"
    "  return reply + s\n}\n";

constexpr std::string_view kParams =
    "i0: int, i1: int, s0: string, x0: float, b0: bool, l0: list<int>, t0: list<string>, r0: Rec, o0: int?";

class Writer : private Expressions {
 public:
  explicit Writer(std::uint64_t seed) : Expressions(seed) {}

  std::string take() { return std::move(out_); }

  void function(int index) {
    begin(fmt::format("fn f{}({}) -> int {{", index, kParams));
    model_ = false;
    callee_.clear();
    block(5, 2);
    line("return (" + integer(2) + ") % 1000");
    end();
  }

  void program(int index) {
    begin(fmt::format("program p{}({}) -> list<string> {{", index, kParams));
    model_ = true;
    callee_ = fmt::format("f{}", index);
    line("\"Start {s0}.\"");
    line("var out: list<string> = []");
    block(6, 2);
    for (const Kind kind : {Kind::kInt, Kind::kText, Kind::kInts, Kind::kTexts, Kind::kRecord, Kind::kMaybe, Kind::kFloat}) {
      line("out = out.append(\"{" + variable(kind) + "}\")");
    }
    line(fmt::format("return out.append(\"{{{}({})}}\")", callee_, arguments()));
    end();
  }

 private:
  void begin(const std::string& head) {
    out_ += head + "\n";
    indent_ = 1;
    loops_ = 0;
    vars_ = {{"i0", Kind::kInt, false},   {"i1", Kind::kInt, false},    {"s0", Kind::kText, false},
             {"x0", Kind::kFloat, false}, {"b0", Kind::kBool, false},   {"l0", Kind::kInts, false},
             {"t0", Kind::kTexts, false}, {"r0", Kind::kRecord, false}, {"o0", Kind::kMaybe, false}};
  }
  void end() { out_ += "}\n"; }

  void line(std::string_view text) {
    out_.append(static_cast<std::size_t>(indent_) * 2, ' ');
    out_ += text;
    out_ += '\n';
  }
  void open(std::string_view head) {
    line(head);
    ++indent_;
  }
  void close(std::string_view tail = "}") {
    --indent_;
    line(tail);
  }

  // ---- statements ----

  void block(int most, int depth) {
    const std::size_t scope = vars_.size();
    for (std::uint64_t n = 2 + below(static_cast<std::uint64_t>(most)); n > 0; --n) statement(depth);
    // At the end of the outermost block its variables are still of use.
    if (indent_ > 1) vars_.resize(scope);
  }

  void statement(int depth) {
    const std::uint64_t kind = below(model_ ? 20 : 12);
    if (kind < 4) return declare();
    if (kind < 7) return assign();
    if (kind < 8 && depth > 0) return conditional(depth - 1);
    if (kind < 9 && depth > 0 && loops_ < 2) return each(depth - 1);
    if (kind < 10 && depth > 0 && loops_ < 2) return counted(depth - 1);
    if (kind < 11 && chance(4)) return line(fmt::format("if {} {{ fail {} }}", rare(), text(1)));
    if (kind < 12) return declare();
    if (kind < 13) return line(interpolated());
    if (kind < 17) return generate();
    if (kind < 18) return pick();
    if (depth <= 0) return generate();
    return kind < 19 ? forks(depth - 1) : other(depth);
  }

  std::string rare() { return fmt::format("({} == {})", variable(Kind::kInt), 100 + below(20)); }

  void declare() {
    const auto kind = static_cast<Kind>(below(kKinds));
    const bool assignable = chance(2);
    const std::string value = stored(kind, 2);
    const std::string name = fresh('v');
    line(fmt::format("{} {}: {} = {}", assignable ? "var" : "let", name, kTypes[static_cast<std::size_t>(kind)], value));
    vars_.push_back({name, kind, assignable});
  }

  void assign() {
    std::vector<Var> fitting;
    for (const Var& var : vars_) {
      if (var.assignable) fitting.push_back(var);
    }
    if (fitting.empty()) return declare();
    const Var var = fitting[below(fitting.size())];
    if (var.kind == Kind::kRecord && chance(2)) return line(fmt::format("{}.a = {}", var.name, stored(Kind::kInt, 2)));
    if (var.kind == Kind::kInts && chance(2)) {
      return line(fmt::format("if len({0}) > 1 {{ {0}[{1}] = {2} }}", var.name, chance(2) ? "1" : "-2", stored(Kind::kInt, 1)));
    }
    line(fmt::format("{} = {}", var.name, stored(var.kind, 2)));
  }

  void conditional(int depth) {
    open(fmt::format("if {} {{", boolean(2)));
    block(2, depth);
    if (chance(2)) {
      close("} else {");
      ++indent_;
      block(2, depth);
    }
    close();
  }

  void loop_body(int depth) {
    ++loops_;
    if (chance(3)) line(fmt::format("if {} {{ {} }}", boolean(1), chance(2) ? "break" : "continue"));
    block(2, depth);
    --loops_;
  }

  void each(int depth) {
    const bool ranged = chance(3), numbers = ranged || chance(2), with_index = chance(3);
    const std::string list = ranged ? range(1) : variable(numbers ? Kind::kInts : Kind::kTexts);
    const std::string item = fresh('w'), index = fresh('w');
    open(with_index ? fmt::format("for {}, {} in {} {{", index, item, list) : fmt::format("for {} in {} {{", item, list));
    const std::size_t scope = vars_.size();
    vars_.push_back({item, numbers ? Kind::kInt : Kind::kText, false});
    if (with_index) vars_.push_back({index, Kind::kInt, false});
    loop_body(depth);
    vars_.resize(scope);
    close();
  }

  void counted(int depth) {
    const std::string name = fresh('n');
    line(fmt::format("var {}: int = 0", name));
    open(fmt::format("while ({} < {}) {{", name, 1 + below(4)));
    line(name + " += 1");
    loop_body(depth);
    close();
  }

  // ---- the model ----

  void generate() {
    struct Form {
      std::string_view text;
      Kind kind;
    };
    static constexpr Form kForms[] = {
        {"int(0..50)", Kind::kInt},
        {"int(-5..5) with temperature = 0", Kind::kInt},
        {"bool", Kind::kBool},
        {"float(0..1)", Kind::kFloat},
        {"string with max_tokens = 6", Kind::kText},
        {"string with max_tokens = 9, stop = [\"e\", \"\\n\"]", Kind::kText},
        {"string(max_chars: 5)", Kind::kText},
        {"regex(/[a-c]{1,4}/)", Kind::kText},
        {"\"red\" | \"green\" | \"blue\"", Kind::kText},
        {"list<int(0..9)>(1..3)", Kind::kInts},
        {"list<string(max_chars: 3)>(0..2)", Kind::kTexts},
        {"string with n = 2, max_tokens = 3", Kind::kTexts},
        {"Rec", Kind::kRecord},
        {"int(0..9)?", Kind::kMaybe},
    };
    const Form& form = kForms[below(std::size(kForms))];
    const std::string name = fresh('g');
    if (chance(5)) {
      // The block's scope is the one around it.
      line(fmt::format("assistant {{ gen {}: {} }}", name, form.text));
    } else {
      line(fmt::format("gen {}: {}", name, form.text));
    }
    // Literals and refined lists are not exactly of the plain type, so they are stored as one.
    const std::string copy = fresh('v');
    line(fmt::format("let {}: {} = {}", copy, kTypes[static_cast<std::size_t>(form.kind)], name));
    vars_.push_back({copy, form.kind, false});
  }

  void pick() {
    static constexpr std::string_view kMethods[] = {"", " by greedy_token_selection", " by unconditional_likelihood_normalized",
                                                    " by token_length_normalized"};
    const std::string name = fresh('g');
    line(fmt::format("select {} from {}{}", name, chance(8) ? variable(Kind::kTexts) : "[\"yes\", \"no\", \"yesterday\"]",
                     any(kMethods)));
    const std::string copy = fresh('v');
    line(fmt::format("let {}: string = {}", copy, name));
    vars_.push_back({copy, Kind::kText, false});
  }

  // The body of a fork; its last line yields a value of this kind. What is outside can be read, not assigned.
  void fork_body(Kind kind, int depth) {
    std::vector<Var> before = vars_;
    for (Var& var : vars_) var.assignable = false;
    const int loops = std::exchange(loops_, 0);
    line(interpolated());
    block(2, depth);
    line("yield " + stored(kind, 1));
    loops_ = loops;
    vars_ = std::move(before);
  }

  void forks(int depth) {
    const std::string name = fresh('v');
    if (chance(2)) {
      const bool numbers = chance(2);
      const Kind kind = numbers ? Kind::kInt : Kind::kText;
      const std::string item = fresh('w'), index = fresh('w');
      open(fmt::format("let {}: {} = parallel for {}, {} in {}[0:4]{} {{", name, numbers ? "list<int>" : "list<string>", index,
                       item, variable(numbers ? Kind::kTexts : Kind::kInts), chance(2) ? " up to 2" : ""));
      const std::size_t scope = vars_.size();
      vars_.push_back({index, Kind::kInt, false});
      vars_.push_back({item, numbers ? Kind::kText : Kind::kInt, false});
      fork_body(kind, depth);
      vars_.resize(scope);
      close();
      vars_.push_back({name, numbers ? Kind::kInts : Kind::kTexts, false});
      return;
    }
    open(fmt::format("let {} = branch {{", name));
    open("one: {");
    fork_body(Kind::kInt, depth);
    close();
    open("two: {");
    fork_body(Kind::kText, depth);
    close();
    close();
    const std::string one = fresh('v'), two = fresh('v');
    line(fmt::format("let {}: int = {}.one", one, name));
    line(fmt::format("let {}: string = {}.two", two, name));
    vars_.push_back({one, Kind::kInt, false});
    vars_.push_back({two, Kind::kText, false});
  }

  // Prompts, programs (two in a row, which may run side by side) and roles.
  void other(int depth) {
    const std::string first = fresh('v'), second = fresh('v');
    switch (below(3)) {
      case 0:
        line(fmt::format("let {}: string = asked({}, {})", first, variable(Kind::kText), variable(Kind::kInt)));
        vars_.push_back({first, Kind::kText, false});
        return;
      case 1:
        line(fmt::format("let {}: string = sub({}, {})", first, variable(Kind::kInt), variable(Kind::kText)));
        line(fmt::format("let {}: string = sub({}, {})", second, variable(Kind::kInt), variable(Kind::kText)));
        vars_.push_back({first, Kind::kText, false});
        vars_.push_back({second, Kind::kText, false});
        return;
      default:
        line(fmt::format("{} {}", chance(2) ? "user" : "system", interpolated()));
        if (depth > 0) generate();
        return;
    }
  }

  std::string out_;
  int indent_ = 0, loops_ = 0;
  bool model_ = false;
};

}  // namespace

std::string random_source(std::uint64_t seed, int count) {
  Writer writer(seed);
  for (int i = 0; i < count; ++i) {
    writer.function(i);
    writer.program(i);
  }
  return std::string(kHeader) + writer.take();
}

nlohmann::ordered_json random_arguments(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto number = [&](int from, int to) {
    return from + static_cast<int>(random() % static_cast<std::uint64_t>(to - from + 1));
  };
  static constexpr std::string_view kTexts[] = {"", "a", "ab,c", "12", " h\u00e9 ", "x\ny", "{b}"};
  const auto text = [&] { return std::string(kTexts[random() % std::size(kTexts)]); };
  nlohmann::ordered_json args;
  args["i0"] = number(-20, 120);
  args["i1"] = number(-3, 3);
  args["s0"] = text();
  args["x0"] = static_cast<double>(number(-40, 40)) / 8;
  args["b0"] = number(0, 1) == 1;
  args["l0"] = nlohmann::ordered_json::array();
  for (int n = number(0, 5); n > 0; --n) args["l0"].push_back(number(-9, 9));
  args["t0"] = nlohmann::ordered_json::array();
  for (int n = number(0, 4); n > 0; --n) args["t0"].push_back(text());
  args["r0"] = {{"a", number(0, 9)}, {"b", text()}, {"c", number(0, 1) == 1}};
  if (number(0, 1) == 1) args["r0"]["d"] = number(0, 9);
  if (number(0, 1) == 1) {
    args["o0"] = number(0, 9);
  } else {
    args["o0"] = nullptr;
  }
  return args;
}

}  // namespace sgl::diff
