// Random expressions of SGL over the variables in scope. Internal to the generator of programs.
#pragma once

#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace sgl::diff {

enum class Kind { kInt, kFloat, kBool, kText, kInts, kTexts, kRecord, kMaybe };
constexpr int kKinds = 8;

inline constexpr std::string_view kTypes[kKinds] = {"int", "float", "bool", "string", "list<int>", "list<string>", "Rec", "int?"};

struct Var {
  std::string name;
  Kind kind;
  bool assignable;
};

class Expressions {
 public:
  explicit Expressions(std::uint64_t seed) : random_(seed) {}

 protected:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  bool chance(std::uint64_t one_in) { return below(one_in) == 0; }
  template <std::size_t N>
  std::string_view any(const std::string_view (&list)[N]) {
    return list[below(N)];
  }
  std::string fresh(char letter) { return fmt::format("{}{}", letter, 10 + counter_++); }

  // A variable of this kind; there always is one, a parameter.
  std::string variable(Kind kind) {
    std::vector<const Var*> fitting;
    for (const Var& var : vars_) {
      if (var.kind == kind) fitting.push_back(&var);
    }
    return fitting[below(fitting.size())]->name;
  }

  std::string arguments() {
    std::string out;
    for (const Kind kind : {Kind::kInt, Kind::kInt, Kind::kText, Kind::kFloat, Kind::kBool, Kind::kInts, Kind::kTexts,
                            Kind::kRecord, Kind::kMaybe}) {
      out += (out.empty() ? "" : ", ") + variable(kind);
    }
    return out;
  }

  // ---- expressions: a whole operand each, in brackets where need be ----

  std::string expression(Kind kind, int depth) {
    switch (kind) {
      case Kind::kInt: return integer(depth);
      case Kind::kFloat: return real(depth);
      case Kind::kBool: return boolean(depth);
      case Kind::kText: return text(depth);
      case Kind::kInts: return ints(depth);
      case Kind::kTexts: return texts(depth);
      case Kind::kRecord: return record(depth);
      case Kind::kMaybe: return maybe();
    }
    return "null";
  }

  std::string choice(Kind kind, int depth) {
    return fmt::format("({} if {} else {})", expression(kind, depth), boolean(depth), expression(kind, depth));
  }

  std::string integer(int depth) {
    if (depth <= 0) return chance(2) ? variable(Kind::kInt) : fmt::format("({})", static_cast<int>(below(40)) - 20);
    const int next = depth - 1;
    switch (below(16)) {
      case 0: return fmt::format("({} + {})", integer(next), integer(next));
      case 1: return fmt::format("({} - {})", integer(next), integer(next));
      case 2: return fmt::format("(({} % 1000) * ({} % 1000))", integer(next), integer(next));
      case 3: return fmt::format("({} / (abs({}) + 1))", integer(next), integer(next));
      case 4: return fmt::format("({} % {})", integer(next), chance(6) ? integer(next) : "7");
      case 5: return fmt::format("len({})", chance(2) ? text(next) : ints(next));
      case 6: return fmt::format("sum({})", ints(next));
      case 7: return fmt::format("{}({}, {})", chance(2) ? "min" : "max", integer(next), integer(next));
      case 8: return fmt::format("({} ?? {})", maybe(), integer(next));
      case 9: return fmt::format("({}.d ?? {})", variable(Kind::kRecord), integer(next));
      case 10: return variable(Kind::kRecord) + ".a";
      case 11: return fmt::format("{}.find({})", variable(Kind::kText), text(next));
      case 12: return fmt::format("down((abs({}) % 12))", integer(next));
      case 13: return indexed(Kind::kInts, "0");
      case 14:
        if (!callee_.empty()) return fmt::format("{}({})", callee_, arguments());
        return fmt::format("(-{})", variable(Kind::kInt));
      default: return choice(Kind::kInt, next);
    }
  }

  // An item that mostly is there.
  std::string indexed(Kind list, std::string_view otherwise) {
    const std::string name = variable(list);
    if (chance(12)) return fmt::format("{}[{}]", name, static_cast<int>(below(6)) - 3);
    return fmt::format("({}[{}] if (len({}) > 0) else {})", name, chance(2) ? "0" : "-1", name, otherwise);
  }

  std::string real(int depth) {
    static constexpr std::string_view kLiterals[] = {"0.5", "(-1.25)", "3.0", "0.001", "100.0"};
    if (depth <= 0) return chance(2) ? variable(Kind::kFloat) : std::string(any(kLiterals));
    const int next = depth - 1;
    switch (below(6)) {
      case 0: return fmt::format("({} + {})", real(next), real(next));
      case 1: return fmt::format("({} - {})", real(next), real(next));
      case 2: return fmt::format("({} * {})", real(next), real(next));
      case 3: return fmt::format("({} / {})", real(next), real(next));
      case 4: return fmt::format("float({})", integer(next));
      default: return choice(Kind::kFloat, next);
    }
  }

  std::string boolean(int depth) {
    if (depth <= 0) return variable(Kind::kBool);
    const int next = depth - 1;
    static constexpr std::string_view kOrders[] = {"<", "<=", ">", ">=", "==", "!="};
    // A variable on the left: two literals may be known never to be equal, which is an error.
    switch (below(11)) {
      case 0: return fmt::format("({} {} {})", variable(Kind::kInt), any(kOrders), integer(next));
      case 1: return fmt::format("({} {} {})", variable(Kind::kFloat), any(kOrders), real(next));
      case 2: return fmt::format("({} {} {})", variable(Kind::kText), any(kOrders), text(next));
      case 3: return fmt::format("({} and {})", boolean(next), boolean(next));
      case 4: return fmt::format("({} or {})", boolean(next), boolean(next));
      case 5: return fmt::format("(not {})", boolean(next));
      case 6: return fmt::format("({} {} {})", integer(next), chance(2) ? "in" : "not in", variable(Kind::kInts));
      case 7: return fmt::format("{}.contains({})", variable(Kind::kTexts), text(next));
      case 8: return fmt::format("({} == {})", variable(Kind::kInts), ints(next));
      case 9: return fmt::format("({} == {})", variable(Kind::kRecord), variable(Kind::kRecord));
      default: return variable(Kind::kRecord) + ".c";
    }
  }

  std::string text(int depth) {
    static constexpr std::string_view kLiterals[] = {"\"a\"", "\"b c\"", "\"\\u{e9}\"", "\"\"", "\"x\\ny\"", "\"\\{1\"", "\"7\""};
    if (depth <= 0) return chance(2) ? variable(Kind::kText) : std::string(any(kLiterals));
    const int next = depth - 1;
    switch (below(12)) {
      case 0: return fmt::format("({} + {})", text(next), text(next));
      case 1: return fmt::format("{}.{}()", variable(Kind::kText), chance(2) ? "upper" : "trim");
      case 2: return fmt::format("{}.replace(\"a\", {})", variable(Kind::kText), text(next));
      case 3: return fmt::format("{}.repeat(({} % 4))", variable(Kind::kText), integer(next));
      case 4: return fmt::format("{}[{}:{}]", variable(Kind::kText), static_cast<int>(below(5)) - 2, below(6));
      case 5: return fmt::format("str({})", expression(static_cast<Kind>(below(6)), next));
      case 6: return fmt::format("json({})", expression(static_cast<Kind>(below(6)), next));
      case 7: return variable(Kind::kRecord) + ".b";
      case 8: return fmt::format("{}.join({})", variable(Kind::kTexts), text(next));
      case 9: return interpolated();
      case 10: return indexed(Kind::kTexts, "\"none\"");
      default: return choice(Kind::kText, next);
    }
  }

  std::string interpolated() {
    static constexpr std::string_view kIntFormats[] = {"", ":>4", ":04d", ":x", ":+d"};
    static constexpr std::string_view kRealFormats[] = {"", ":.2f", ":>9.1f", ":.1e"};
    std::string out = "\"";
    for (std::uint64_t parts = 1 + below(3); parts > 0; --parts) {
      switch (below(4)) {
        case 0: out += fmt::format("i{{{}{}}}", variable(Kind::kInt), any(kIntFormats)); break;
        case 1: out += fmt::format("x{{{}{}}}", variable(Kind::kFloat), any(kRealFormats)); break;
        case 2: out += fmt::format("s{{{}:>3}}", variable(Kind::kText)); break;
        default: out += fmt::format(" {{{}}}", variable(static_cast<Kind>(below(kKinds)))); break;
      }
    }
    return out + "\"";
  }

  // A range: often short, sometimes empty, from a variable end or between two.
  std::string range(int depth) {
    static constexpr std::string_view kFixed[] = {"range(0)", "range(3)", "range(-2)", "range(-2, 2)", "range(3, 1)"};
    switch (below(3)) {
      case 0: return std::string(any(kFixed));
      case 1: return fmt::format("range(({} % 5))", integer(depth));
      default: return fmt::format("range(({} % 4), ({} % 6))", integer(depth), integer(depth));
    }
  }

  // One over a range, with and without the position.
  template <typename Make>
  std::string counted_comprehension(int depth, Make make) {
    const std::string source = range(depth);
    const std::string item = fresh('w'), index = fresh('w');
    const bool with_index = chance(3);
    vars_.push_back({item, Kind::kInt, false});
    if (with_index) vars_.push_back({index, Kind::kInt, false});
    const std::string value = make();
    const std::string condition = chance(2) ? " if " + boolean(1) : "";
    vars_.pop_back();
    if (with_index) vars_.pop_back();
    return fmt::format("[{} for {}{} in {}{}]", value, with_index ? index + ", " : "", item, source, condition);
  }

  template <typename Make>
  std::string comprehension(Kind from, Kind item, Make make) {
    const std::string list = variable(from);
    vars_.push_back({fresh('w'), item, false});
    const std::string name = vars_.back().name;
    const std::string value = make();
    const std::string condition = chance(2) ? " if " + boolean(1) : "";
    vars_.pop_back();
    return fmt::format("[{} for {} in {}{}]", value, name, list, condition);
  }

  std::string ints(int depth) {
    if (depth <= 0) return variable(Kind::kInts);
    const int next = depth - 1;
    switch (below(10)) {
      case 0: return fmt::format("({} + [{}, {}])", variable(Kind::kInts), integer(next), integer(next));
      case 1: return fmt::format("sorted({})", ints(next));
      case 2: return fmt::format("reversed({})", ints(next));
      case 3: return fmt::format("{}[{}:{}]", variable(Kind::kInts), static_cast<int>(below(4)) - 2, below(5));
      case 4: return range(next);
      case 5: return fmt::format("{}.append({})", variable(Kind::kInts), integer(next));
      case 6: return comprehension(Kind::kTexts, Kind::kText, [&] { return integer(next); });
      case 7:
      case 8: return counted_comprehension(next, [&] { return integer(next); });
      default: return comprehension(Kind::kInts, Kind::kInt, [&] { return integer(next); });
    }
  }

  std::string texts(int depth) {
    if (depth <= 0) return variable(Kind::kTexts);
    const int next = depth - 1;
    switch (below(7)) {
      case 0: return fmt::format("({} + [{}])", variable(Kind::kTexts), text(next));
      case 1: return fmt::format("{}.split(\",\")", variable(Kind::kText));
      case 2: return fmt::format("{}.chars()", variable(Kind::kText));
      case 3: return fmt::format("sorted({})", texts(next));
      case 4: return fmt::format("{}.append({})", variable(Kind::kTexts), text(next));
      case 5: return counted_comprehension(next, [&] { return text(next); });
      default: return comprehension(Kind::kInts, Kind::kInt, [&] { return text(next); });
    }
  }

  std::string record(int depth) {
    if (depth <= 0 || chance(3)) return variable(Kind::kRecord);
    if (chance(2)) return fmt::format("{{ ...{}, a: {} }}", variable(Kind::kRecord), integer(depth - 1));
    return fmt::format("{{ a: {}, b: {}, c: {} }}", integer(depth - 1), text(depth - 1), boolean(depth - 1));
  }

  std::string maybe() {
    switch (below(4)) {
      case 0: return fmt::format("int({})", variable(Kind::kText));
      case 1: return fmt::format("{}.{}()", variable(Kind::kInts), chance(2) ? "first" : "last");
      case 2: return fmt::format("(null if {} else {})", variable(Kind::kBool), variable(Kind::kInt));
      default: return variable(Kind::kMaybe);
    }
  }

  // What is stored stays small, however often a loop runs.
  std::string stored(Kind kind, int depth) {
    const std::string value = expression(kind, depth);
    if (kind == Kind::kInt) return fmt::format("({}) % 1000", value);
    if (kind == Kind::kText || kind == Kind::kInts || kind == Kind::kTexts) return fmt::format("({})[0:8]", value);
    return value;
  }

  std::mt19937_64 random_;
  std::vector<Var> vars_;
  std::string callee_;  // a function that may be called, ""
  int counter_ = 0;
};

}  // namespace sgl::diff
