#include <functional>
#include <regex>
#include <set>

#include "runtime/base/utf8.h"
#include "runtime/constraint/char_dfa.h"
#include "runtime/constraint/pattern.h"
#include "tests/unit/constraint/support.h"

namespace {

using Dfa = std::shared_ptr<const CharDfa>;

Dfa pattern(std::string_view source, bool search = false) {
  auto made = CharDfa::pattern(source, search, {});
  REQUIRE_MESSAGE(made.ok(), source << ": " << made.error().message);
  return *made;
}

// Matches by trying: where a match of `node` from `at` may end. What the automata are compared with.
class Trial {
 public:
  explicit Trial(std::string text) : text_(std::move(text)) {}

  std::set<std::size_t> ends(const PatternNode& node, std::size_t at) const {
    using Kind = PatternNode::Kind;
    switch (node.kind) {
      case Kind::kEmpty:
        return {at};
      case Kind::kSet:
        if (at < text_.size() && node.set.contains(static_cast<unsigned char>(text_[at]))) return {at + 1};
        return {};
      case Kind::kSequence: {
        std::set<std::size_t> now{at};
        for (const PatternNode& child : node.children) now = after(now, child);
        return now;
      }
      case Kind::kChoice: {
        std::set<std::size_t> out;
        for (const PatternNode& child : node.children) out.merge(ends(child, at));
        return out;
      }
      case Kind::kBegin:
        return at == 0 ? std::set{at} : std::set<std::size_t>{};
      case Kind::kEnd:
        return at == text_.size() ? std::set{at} : std::set<std::size_t>{};
      case Kind::kLook:
        return looks(node, at) != node.negated ? std::set{at} : std::set<std::size_t>{};
      case Kind::kRepeat:
        return repeated(node, at);
    }
    return {};
  }
  bool found(const PatternNode& node, bool search) const {
    for (std::size_t at = 0; at <= (search ? text_.size() : 0); ++at) {
      const auto to = ends(node, at);
      if (search ? !to.empty() : to.contains(text_.size())) return true;
    }
    return false;
  }

 private:
  std::set<std::size_t> after(const std::set<std::size_t>& from, const PatternNode& node) const {
    std::set<std::size_t> out;
    for (std::size_t at : from) out.merge(ends(node, at));
    return out;
  }
  bool looks(const PatternNode& node, std::size_t at) const {
    if (!node.behind) return !ends(node.children[0], at).empty();
    for (std::size_t from = 0; from <= at; ++from) {
      if (ends(node.children[0], from).contains(at)) return true;
    }
    return false;
  }
  std::set<std::size_t> repeated(const PatternNode& node, std::size_t at) const {
    std::set<std::size_t> now{at}, out;
    for (std::uint32_t i = 0; i < node.min; ++i) now = after(now, node.children[0]);
    for (std::uint32_t i = node.min; !now.empty(); ++i) {
      const std::size_t before = out.size();
      out.insert(now.begin(), now.end());
      if (i >= node.max || (i > node.min && out.size() == before)) break;
      now = after(now, node.children[0]);
    }
    return out;
  }
  std::string text_;
};

std::vector<std::string> texts_up_to(std::size_t size, std::string_view alphabet) {
  std::vector<std::string> out{""};
  for (std::size_t begin = 0, length = 0; length < size; ++length) {
    const std::size_t end = out.size();
    for (std::size_t i = begin; i < end; ++i) {
      for (char c : alphabet) out.push_back(out[i] + c);
    }
    begin = end;
  }
  return out;
}

struct Random {
  std::mt19937 rng;
  bool behind;  // with look-behinds and \b (which std::regex gets wrong inside look-aheads)

  unsigned pick(unsigned n) { return static_cast<unsigned>(rng() % n); }
  std::string item(int depth, bool in_behind) {
    const char* atoms[] = {"a", "b", "-", ".", "[ab]", "[^a]", "\\w", "\\W"};
    if (depth == 0 || pick(3) != 0) return atoms[pick(8)];
    const unsigned kind = pick(6);
    if (in_behind || kind < 2) return "(?:" + sequence(depth - 1, in_behind) + ")";
    if (kind == 5 && behind) return pick(2) == 0 ? "\\b" : "\\B";
    if (kind == 4 && behind) return (pick(2) == 0 ? "(?<=" : "(?<!") + sequence(depth - 1, true) + ")";
    return (pick(2) == 0 ? "(?=" : "(?!") + sequence(depth - 1, false) + (pick(3) == 0 ? "$)" : ")");
  }
  std::string sequence(int depth, bool in_behind) {
    const char* marks[] = {"*", "+", "?", "{2}", "{1,2}"};
    std::string out;
    for (unsigned n = pick(4); n > 0; --n) {
      const std::string made = item(depth, in_behind);
      out += made;
      const bool repeats = !made.starts_with("(?=") && !made.starts_with("(?!") && !made.starts_with("(?<") &&
                           !made.starts_with("\\b") && !made.starts_with("\\B");
      if (repeats && pick(3) == 0) out += marks[pick(5)];
    }
    if (depth > 0 && pick(4) == 0) out += "|" + sequence(depth - 1, in_behind);
    return out;
  }
};

}  // namespace

TEST_CASE("random patterns with look-around agree with matching by trial") {
  Random random{std::mt19937(21), true};
  const auto texts = texts_up_to(5, "ab-");
  int accepted = 0;
  for (int round = 0; round < 400; ++round) {
    std::string source = random.sequence(3, false);
    if (random.pick(4) == 0) source = "^" + source;
    if (random.pick(4) == 0) source += "$";
    const auto tree = parse_pattern(source, Limits{});
    REQUIRE_MESSAGE(tree.ok(), source << ": " << tree.error().message);
    for (const bool search : {false, true}) {
      const Dfa dfa = pattern(source, search);
      int wrong = 0;
      std::string first;
      for (const std::string& text : texts) {
        const bool expected = Trial(text).found(*tree, search);
        accepted += expected ? 1 : 0;
        if (dfa->accepts(text) != expected && wrong++ == 0) first = text;
      }
      CHECK_MESSAGE(wrong == 0, source << (search ? " in '" : " on '") << first << "' and " << wrong - 1 << " more");
    }
  }
  CHECK(accepted > 1000);
}

TEST_CASE("random patterns with look-ahead agree with std::regex") {
  Random random{std::mt19937(22), false};
  const auto texts = texts_up_to(4, "ab-");
  for (int round = 0; round < 150; ++round) {
    const std::string source = random.sequence(3, false);
    const std::regex reference(source);
    const Dfa search = pattern(source, true);
    const auto whole = compile_regex(source);
    const bool some = whole.ok() || whole.error().message.find("no string satisfies") != std::string::npos;
    REQUIRE_MESSAGE(some, source);
    for (const std::string& text : texts) {
      CHECK_MESSAGE(search->accepts(text) == std::regex_search(text, reference), source << " in '" << text << "'");
      const bool accepted = whole.ok() && accepts(**whole, text);
      CHECK_MESSAGE(accepted == std::regex_match(text, reference), source << " on '" << text << "'");
    }
  }
}

TEST_CASE("look-around that people write") {
  const auto in = [](std::string_view source, std::string_view text) { return pattern(source, true)->accepts(text); };
  CHECK(in("^((?!mode)(?!Mode).)*$", "a mod of Mod"));
  CHECK_FALSE(in("^((?!mode)(?!Mode).)*$", "commodes"));
  CHECK_FALSE(in("^((?!mode)(?!Mode).)*$", "Mode"));
  CHECK(in("^(?!@@)[\\w@]+$", "@a@@"));
  CHECK_FALSE(in("^(?!@@)[\\w@]+$", "@@a"));
  CHECK(in("^(?!(if|else|while)$)[a-z]+$", "iff"));
  CHECK_FALSE(in("^(?!(if|else|while)$)[a-z]+$", "else"));
  const char* password = "^(?=.*[A-Z])(?=.*[0-9])(?!.*\\s).{8,12}$";
  CHECK(in(password, "abcdefG1"));
  CHECK_FALSE(in(password, "abcdefg1"));
  CHECK_FALSE(in(password, "abcde G1"));
  CHECK_FALSE(in(password, "abcG1"));
  CHECK(in("\\bcat\\b", "a cat."));
  CHECK_FALSE(in("\\bcat\\b", "concat"));
  CHECK(in("(?<![0-9])[0-9]{3}(?![0-9])", "a 123 4567"));
  CHECK_FALSE(in("(?<![0-9])[0-9]{3}(?![0-9])", "1234 5678"));
  CHECK(in("(?<=\\$)[0-9]+", "costs $5"));
  CHECK(in("^[^.]+(?<!-)$", "a-b"));
  CHECK_FALSE(in("^[^.]+(?<!-)$", "ab-"));
  CHECK(in("^(?=a(?!b))a", "ac"));
  CHECK_FALSE(in("^(?=a(?!b))a", "ab"));
  CHECK(pattern("(?=a)b")->empty());
  CHECK(in("(?=\u00e9).", "x\u00e9"));
}

TEST_CASE("look-around that is refused says where; what is too large ends soon") {
  const auto refused = [](std::string_view source) {
    const auto made = CharDfa::pattern(source, true, {});
    REQUIRE_FALSE(made.ok());
    return made.error().message;
  };
  CHECK(refused("a(?<=b(?=c))").find("column 7") != std::string::npos);
  CHECK(refused("a(?<=b\\b)").find("column 7") != std::string::npos);
  CHECK(refused("(?<=a$)b").find("column 6") != std::string::npos);
  CHECK(refused("(?=a)*").find("cannot be repeated") != std::string::npos);
  CHECK(refused("(?=a").find("missing ')'") != std::string::npos);
  std::string many = "^";
  for (int i = 0; i < 40; ++i)
    many += "(?=.*" + std::string(1, static_cast<char>('a' + i % 26)) + ".{" + std::to_string(i) + "}x)";
  CHECK(CharDfa::pattern(many, true, {}).error().kind == sgl::base::ErrorKind::kLimit);
  CHECK(CharDfa::pattern("^((?!(a|b)*a(a|b){20}c).)*$", true, {}).error().kind == sgl::base::ErrorKind::kLimit);
  std::string nested;
  for (int i = 0; i < 150; ++i) nested += "(?!a";
  for (int i = 0; i < 150; ++i) nested += ")";
  (void)CharDfa::pattern(nested, true, {});
}
