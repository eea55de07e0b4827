// Random grammars against a recogniser that is written from the definition: which parts of the text a rule derives, as
// a least fixpoint.
#include <functional>
#include <map>

#include "runtime/constraint/grammar.h"
#include "runtime/constraint/machine.h"
#include "tests/unit/constraint/support.h"

namespace {

struct Expr {
  enum class Kind { kText, kRule, kSequence, kChoice, kRepeat } kind = Kind::kText;
  std::string text;
  std::size_t rule = 0;
  int min = 0, max = -1;
  std::vector<Expr> children;
};

class RandomGrammar {
 public:
  RandomGrammar(std::mt19937& random, bool lark) : random_(random), lark_(lark) {
    rules_.resize(1 + pick(4));
    ignore_ = lark && pick(2) == 0;
    for (Expr& rule : rules_) rule = expr(3);
  }

  std::string text() const {
    std::string out;
    for (std::size_t i = 0; i < rules_.size(); ++i) {
      out += name(i) + (lark_ ? ": " : " ::= ") + print(rules_[i]) + "\n";
    }
    return out + (ignore_ ? "%ignore \" \"\n" : "");
  }

  // Whether the grammar derives the text (at most 31 bytes).
  bool derives(const std::string& text) const {
    // ends[rule][i]: the places where a text of the rule that begins at i may end, a bit each.
    std::vector<std::vector<std::uint32_t>> ends(rules_.size(), std::vector<std::uint32_t>(text.size() + 1));
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t r = 0; r < rules_.size(); ++r) {
        for (std::size_t i = 0; i <= text.size(); ++i) {
          const std::uint32_t now = ends[r][i] | eval(rules_[r], std::uint32_t{1} << i, text, ends);
          changed = changed || now != ends[r][i];
          ends[r][i] = now;
        }
      }
    }
    std::uint32_t out = 0;
    const std::uint32_t begin = ignored(1, text);
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if ((begin >> i & 1) != 0) out |= ends[0][i];
    }
    return (out >> text.size() & 1) != 0;
  }

 private:
  using Ends = std::vector<std::vector<std::uint32_t>>;

  std::size_t pick(std::size_t n) { return random_() % n; }
  std::string name(std::size_t rule) const {
    return rule == 0 ? lark_ ? "start" : "root" : std::string(1, static_cast<char>('p' + rule));
  }

  Expr expr(int depth) {
    Expr out;
    const std::size_t kind = pick(depth == 0 ? 4 : 9);
    if (kind < 2) {
      static const char* const kTexts[] = {"a", "b", "ab", "", "a", "b", "ba"};
      out.text = kTexts[pick(std::size(kTexts))];
    } else if (kind < 4) {
      out.kind = Expr::Kind::kRule;
      out.rule = pick(rules_.size());
    } else if (kind < 8) {
      out.kind = kind < 6 ? Expr::Kind::kSequence : Expr::Kind::kChoice;
      for (std::size_t n = 1 + pick(3); n > 0; --n) out.children.push_back(expr(depth - 1));
    } else {
      out.kind = Expr::Kind::kRepeat;
      out.min = static_cast<int>(pick(3));
      out.max = pick(2) == 0 ? -1 : out.min + static_cast<int>(pick(3));
      out.children.push_back(expr(depth - 1));
    }
    return out;
  }

  std::string print(const Expr& e) const {
    std::string out;
    switch (e.kind) {
      case Expr::Kind::kText:
        return "\"" + e.text + "\"";
      case Expr::Kind::kRule:
        return name(e.rule);
      case Expr::Kind::kSequence:
      case Expr::Kind::kChoice:
        for (const Expr& child : e.children) {
          out += (out.empty() ? "" : e.kind == Expr::Kind::kChoice ? " | " : " ") + print(child);
        }
        return "(" + out + ")";
      case Expr::Kind::kRepeat:
        break;
    }
    out = "(" + print(e.children[0]) + ")";
    if (e.max < 0 && e.min < 2) return out + (e.min == 0 ? "*" : "+");
    const std::string min = std::to_string(e.min), max = std::to_string(e.max);
    if (!lark_) return out + "{" + min + "," + (e.max < 0 ? "" : max) + "}";
    if (e.max < 0) return out + " ~ " + min + " " + out + "*";
    return out + " ~ " + min + ".." + max;
  }

  std::uint32_t ignored(std::uint32_t from, const std::string& text) const {
    for (std::size_t i = 0; ignore_ && i < text.size(); ++i) {
      if ((from >> i & 1) != 0 && text[i] == ' ') from |= std::uint32_t{1} << (i + 1);
    }
    return from;
  }

  // Where a text of `e` may end that begins at one of `from`.
  std::uint32_t eval(const Expr& e, std::uint32_t from, const std::string& text, const Ends& ends) const {
    std::uint32_t out = 0;
    switch (e.kind) {
      case Expr::Kind::kText:
        for (std::size_t i = 0; i <= text.size(); ++i) {
          if ((from >> i & 1) != 0 && text.compare(i, e.text.size(), e.text) == 0) {
            out |= ignored(std::uint32_t{1} << (i + e.text.size()), text);
          }
        }
        return out;
      case Expr::Kind::kRule:
        for (std::size_t i = 0; i <= text.size(); ++i) {
          if ((from >> i & 1) != 0) out |= ends[e.rule][i];
        }
        return out;
      case Expr::Kind::kSequence:
        for (const Expr& child : e.children) from = eval(child, from, text, ends);
        return from;
      case Expr::Kind::kChoice:
        for (const Expr& child : e.children) out |= eval(child, from, text, ends);
        return out;
      case Expr::Kind::kRepeat:
        break;
    }
    for (int i = 0; i < e.min; ++i) from = eval(e.children[0], from, text, ends);
    out = from;
    for (int i = e.min; e.max < 0 || i < e.max; ++i) {
      from = eval(e.children[0], from, text, ends);
      if ((from | out) == out && e.max < 0) break;
      out |= from;
    }
    return out;
  }

  std::mt19937& random_;
  bool lark_, ignore_ = false;
  std::vector<Expr> rules_;
};

// All texts of up to `length` of the letters.
std::vector<std::string> all_texts(std::string_view letters, std::size_t length) {
  std::vector<std::string> out{""};
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i].size() == length) continue;
    for (char c : letters) out.push_back(out[i] + c);
  }
  return out;
}

// From every place that the text leads to, the shortest completion is one, and as long as the machine says.
void check_completions(const RandomGrammar& grammar, const Machine& machine, const std::string& text) {
  StateId state = Machine::kStart;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    std::string whole = text.substr(0, i);
    StateId s = state;
    for (std::uint64_t rest = machine.rest(s); rest > 0; --rest) {
      REQUIRE(machine.rest(s) == rest);
      const int byte = machine.shortest_byte(s);
      REQUIRE(byte >= 0);
      whole.push_back(static_cast<char>(byte));
      s = machine.step(s, static_cast<unsigned char>(byte));
      REQUIRE(s >= 0);
    }
    CHECK(machine.accepting(s));
    if (whole.size() < 24) CHECK(grammar.derives(whole));
    if (i == text.size()) return;
    state = machine.step(state, static_cast<unsigned char>(text[i]));
    if (state < 0) return;
  }
}

void compare(std::mt19937& random, bool lark, std::size_t& satisfiable) {
  const RandomGrammar grammar(random, lark);
  CAPTURE(grammar.text());
  GrammarOptions options;
  options.syntax = lark ? GrammarSyntax::kLark : GrammarSyntax::kGbnf;
  const GrammarResult made = compile_grammar(grammar.text(), options);
  const std::vector<std::string> texts = all_texts(lark ? "ab " : "ab", lark ? 5 : 8);
  if (!made.ok()) {
    CHECK_MESSAGE(made.status == GrammarStatus::kUnsatisfiable, made.message);
    for (const std::string& text : texts) CHECK_FALSE(grammar.derives(text));
    return;
  }
  ++satisfiable;
  std::optional<std::size_t> shortest;
  for (const std::string& text : texts) {
    CAPTURE(text);
    const bool derived = grammar.derives(text);
    if (derived && !shortest) shortest = text.size();
    REQUIRE(accepts(*made.constraint, text) == derived);
    if (derived) REQUIRE(accepts_prefix(*made.constraint, text));
  }
  if (shortest) CHECK(min_length(*made.constraint) == *shortest);
  if (!shortest) CHECK(min_length(*made.constraint) > texts.back().size());
  const auto machine = made.constraint->impl().machine();
  for (std::size_t i = 0; i < 5; ++i)
    check_completions(grammar, *machine, texts[texts.size() - 1 - random() % (texts.size() / 2)]);
}

}  // namespace

TEST_CASE("random GBNF grammars accept what they derive") {
  std::mt19937 random(1);
  std::size_t satisfiable = 0;
  for (int i = 0; i < 4000; ++i) compare(random, false, satisfiable);
  CHECK(satisfiable > 2500);
}

TEST_CASE("random Lark grammars accept what they derive, with ignored text between terminals") {
  std::mt19937 random(2);
  std::size_t satisfiable = 0;
  for (int i = 0; i < 2500; ++i) compare(random, true, satisfiable);
  CHECK(satisfiable > 1500);
}
