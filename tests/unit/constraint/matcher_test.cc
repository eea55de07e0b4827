#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "runtime/constraint/json_schema.h"
#include "tests/unit/constraint/support.h"

using nlohmann::json;

namespace {

// A random type, JSON throughout.
std::uint32_t random_type(Spec& s, std::mt19937& rng, int depth) {
  const unsigned form = static_cast<unsigned>(rng() % (depth > 0 ? 12 : 8));
  const auto small = [&] { return static_cast<std::int64_t>(rng() % 3); };
  switch (form) {
    case 0:
      return s.string(small(), small() + 2);
    case 1:
      return s.integer(-static_cast<std::int64_t>(rng() % 50), static_cast<std::int64_t>(rng() % 200));
    case 2:
      return s.kind(SpecKind::kBool);
    case 3:
      return s.kind(SpecKind::kNull);
    case 4:
      return s.literal(rng() % 2 == 0 ? "\"abc\"" : "12");
    case 5:
      return s.string(0, -1, "^a[bc]{1,3}$");
    case 6:
      return s.real(0.25, 1.5);
    case 7:
      return s.string(0, 4, "1|\u00e9");
    case 8:
      return s.list(random_type(s, rng, depth - 1), small(), rng() % 2 == 0 ? -1 : 3);
    case 9:
      return s.map(random_type(s, rng, depth - 1), small(), 2);
    case 10:
      return s.one_of({random_type(s, rng, depth - 1), random_type(s, rng, depth - 1)});
    default:
      return s.record({{"name", random_type(s, rng, depth - 1), rng() % 2 == 0},
                       {"age", random_type(s, rng, depth - 1), rng() % 2 == 0},
                       {"a", random_type(s, rng, depth - 1), false}});
  }
}

// Does the value have the type? Written from the description of SpecNode, not from the engine.
bool valid(const TypeSpec& spec, std::uint32_t type, const json& value) {
  const SpecNode& n = spec.nodes[type];
  const auto count_in = [](std::size_t n_items, std::int64_t min, std::int64_t max) {
    return static_cast<std::int64_t>(n_items) >= min && (max < 0 || static_cast<std::int64_t>(n_items) <= max);
  };
  switch (n.kind) {
    case SpecKind::kString: {
      if (!value.is_string()) return false;
      const std::string text = value;
      std::size_t chars = 0;
      for (char c : text) chars += (c & 0xC0) != 0x80 ? 1 : 0;
      if (!count_in(chars, n.min_chars, n.max_chars)) return false;
      if (n.pattern.starts_with("^a"))
        return text.size() > 1 && text[0] == 'a' && text.find_first_not_of("bc", 1) == std::string::npos &&
               text.size() <= 4;
      return n.pattern.empty() || text.find('1') != std::string::npos || text.find("\u00e9") != std::string::npos;
    }
    case SpecKind::kInt:
      return value.is_number_integer() && value >= *n.min_int && value <= *n.max_int;
    case SpecKind::kFloat:
      return value.is_number() && value >= *n.min_float && value <= *n.max_float;
    case SpecKind::kBool:
      return value.is_boolean();
    case SpecKind::kNull:
      return value.is_null();
    case SpecKind::kLiteral:
      return value == json::parse(n.text);
    case SpecKind::kList:
      return value.is_array() && count_in(value.size(), n.min_items, n.max_items) &&
             std::all_of(value.begin(), value.end(), [&](const json& v) { return valid(spec, n.children[0], v); });
    case SpecKind::kMap:  // repeated keys may leave fewer entries
      return value.is_object() &&
             std::all_of(value.begin(), value.end(), [&](const json& v) { return valid(spec, n.children[0], v); });
    case SpecKind::kUnion:
      return std::any_of(n.children.begin(), n.children.end(), [&](std::uint32_t c) { return valid(spec, c, value); });
    case SpecKind::kRecord:
      return value.is_object() && std::all_of(n.fields.begin(), n.fields.end(), [&](const SpecField& f) {
               return value.contains(f.name) ? valid(spec, f.type, value[f.name]) : f.optional;
             });
    default:
      return false;
  }
}

std::vector<TokenId> allowed(const TokenMask& mask) {
  std::vector<TokenId> out;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (mask.test(static_cast<TokenId>(i))) out.push_back(static_cast<TokenId>(i));
  }
  return out;
}

}  // namespace

TEST_CASE("masks allow exactly the tokens that keep the text completable") {
  std::mt19937 rng(8);
  const auto vocabulary = small_vocabulary();
  for (int round = 0; round < 150; ++round) {
    Spec s;
    const auto root = random_type(s, rng, 3);
    const ConstraintPtr c = s.compile(root, rng() % 2 == 0);
    Matcher matcher(c, vocabulary);
    std::string text;
    for (int step = 0; step < 12; ++step) {
      const auto mask = matcher.mask();
      REQUIRE(mask.ok());
      for (std::size_t i = 0; i < vocabulary->size(); ++i) {
        const auto id = static_cast<TokenId>(i);
        const bool eos = id == vocabulary->eos()[0];
        const bool expected = eos ? accepts(*c, text) : accepts_prefix(*c, text + std::string(vocabulary->bytes(id)));
        CHECK_MESSAGE((*mask)->test(id) == expected, "token " << id << " after '" << text << "'");
      }
      CHECK(matcher.is_complete() == accepts(*c, text));
      const auto ids = allowed(**mask);
      CHECK(matcher.is_final() == (ids == std::vector<TokenId>{vocabulary->eos()[0]}));
      const TokenId id = ids[rng() % ids.size()];
      const std::string forced = matcher.forced_bytes();
      REQUIRE(matcher.accept(id));
      if (id == vocabulary->eos()[0]) break;
      text += vocabulary->bytes(id);
      const std::size_t shared = std::min(forced.size(), vocabulary->bytes(id).size());
      CHECK(vocabulary->bytes(id).substr(0, shared) == forced.substr(0, shared));
    }
  }
}

TEST_CASE("masks of bare text of bounded length are what trying every token says") {
  const auto all_bytes = small_vocabulary();
  // Characters that begin in one token and end in another, and tokens that no character can follow.
  const auto cut = Vocabulary::from_bytes(
      {"a", "\n", "\"", "ab\u00e9", "\u00e9", "\xC3", "\xA9", "\xE2\x82", "\xAC", "x\xF0", "\x9F\x98", "\x80", "\xFF",
       "\x80\x80", "\u20ac\u20ac\u20ac", "\xED", "\xA0", "     ", ""},
      {18});
  std::mt19937 rng(4);
  for (const auto& vocabulary : {all_bytes, cut}) {
    for (const auto& [min, max] : {std::pair(0, 0), {0, 1}, {0, 3}, {2, 4}, {3, 3}, {2, -1}, {0, 9}}) {
      Spec s;
      const ConstraintPtr c = s.compile(s.string(min, max));
      for (int round = 0; round < 20; ++round) {
        Matcher matcher(c, vocabulary);
        std::string text;
        for (int left = 14; left > 0; --left) {
          const auto mask = matcher.mask();
          const auto trial = matcher.mask_by_trial();
          REQUIRE(mask.ok());
          REQUIRE(trial.ok());
          CHECK_MESSAGE(allowed(**mask) == allowed(*trial), "after '" << text << "' of " << min << " to " << max);
          const auto within = matcher.mask_within(left - 1);
          REQUIRE(within.ok());
          const auto ids = allowed(**within);
          if (ids.empty()) break;
          for (const TokenId id : ids) CHECK((*mask)->test(id));
          const TokenId id = ids[rng() % ids.size()];
          REQUIRE(matcher.accept(id));
          if (id == vocabulary->eos()[0]) break;
          text += vocabulary->bytes(id);
        }
        if (matcher.accepted() > 0) CHECK_MESSAGE(accepts(*c, text), "'" << text << "' of " << min << " to " << max);
      }
    }
  }
}

TEST_CASE("masks of strings that several patterns share are what trying every token says") {
  const auto vocabulary =
      Vocabulary::from_bytes({"a", "b",   "ab",     "ba",       "abab", "bb",  "\"", "a\"",  "b\"",  "ab\"", " a", " b",
                              "A", " AB", "\u00e9", " \u00e9a", "\\",   "\\n", "n",  "\xC3", "\xA9", "1",    "}",  ""},
                             {23});
  const std::vector<std::string> patterns{"ab", "^a", "b$", "^(ab)*$", "(a|b)b[^b]", "[\u00e9\\n]", "^[a-z ]{2,4}$",
                                          "."};
  std::mt19937 rng(21);
  const auto one = [&] {
    const std::string pattern = R"({"pattern": )" + nlohmann::json(patterns[rng() % patterns.size()]).dump() + "}";
    return rng() % 2 == 0 ? pattern : R"({"not": )" + pattern + "}";
  };
  for (int round = 0; round < 200; ++round) {
    std::string schema = R"({"type": "string", "anyOf": [)" + one();
    for (unsigned more = rng() % 3; more > 0; --more) schema += ", " + one();
    const auto made = compile_json_schema(schema + "]}", {});
    if (!made.ok()) continue;  // a pattern and its complement may leave nothing
    Matcher matcher(made.constraint, vocabulary);
    for (int step = 0; step < 8; ++step) {
      const auto mask = matcher.mask();
      const auto trial = matcher.mask_by_trial();
      REQUIRE(mask.ok());
      REQUIRE(trial.ok());
      CHECK_MESSAGE(allowed(**mask) == allowed(*trial), schema << " after " << step << " tokens");
      const auto ids = allowed(**mask);
      if (ids.empty() || !matcher.accept(ids[rng() % ids.size()]) || matcher.is_final()) break;
    }
  }
}

TEST_CASE("samples under masks are valid at every budget") {
  std::mt19937 rng(15);
  for (const bool all_bytes : {true, false}) {
    const auto vocabulary = small_vocabulary(all_bytes);
    int complete = 0;
    for (int round = 0; round < 60; ++round) {
      Spec s;
      const auto root = random_type(s, rng, 2);
      const TypeSpec spec = s.with_root(root, true);
      const ConstraintPtr c = s.compile(root, true);
      for (int budget = 1; budget < 40; ++budget) {
        Matcher matcher(c, vocabulary);
        std::string text;
        for (int left = budget; left > 0; --left) {
          const auto mask = matcher.mask_within(left - 1);
          REQUIRE(mask.ok());
          const auto ids = allowed(**mask);
          const bool first = left == budget;
          if (first && ids.empty()) break;  // cannot be said in so few tokens
          REQUIRE_MESSAGE(!ids.empty(), "after '" << text << "', " << left << " of " << budget << " tokens left");
          const TokenId id = ids[rng() % ids.size()];
          REQUIRE(matcher.accept(id));
          if (id == vocabulary->eos()[0]) break;
          text += vocabulary->bytes(id);
        }
        if (matcher.accepted() == 0) continue;
        ++complete;
        CHECK(matcher.is_complete());
        CHECK_MESSAGE(accepts(*c, text), text);
        const json value = json::parse(text, nullptr, false);
        CHECK_MESSAGE(!value.is_discarded(), text);
        CHECK_MESSAGE(valid(spec, root, value), text);
      }
    }
    CHECK(complete > 1000);
  }
}

TEST_CASE("the least budget that works is found where tokens are longer than bytes") {
  const auto vocabulary = small_vocabulary();
  const auto c = *compile_choice({"abcdabcdabcd", "123123x"});
  CHECK(allowed(**Matcher(c, vocabulary).mask_within(1)).empty());
  // abcd abcd abcd, or 123 123 x; the shortest text is what counts.
  CHECK_FALSE(allowed(**Matcher(c, vocabulary).mask_within(2)).empty());
  CHECK(*Matcher(c, vocabulary).mask_within(100) == *Matcher(c, vocabulary).mask());
}

TEST_CASE("rollback and copies") {
  const auto vocabulary = small_vocabulary();
  Matcher matcher(regex("[ab]*"), vocabulary);
  for (int i = 0; i < 1000; ++i) REQUIRE(matcher.accept('a'));
  Matcher copy = matcher;
  copy.rollback(999);
  CHECK(copy.accepted() == 1);
  CHECK(matcher.accepted() == 1000);
  REQUIRE(copy.accept('b'));
  matcher.rollback(300);
  REQUIRE(matcher.accept(vocabulary->eos()[0]));
  CHECK(matcher.is_final());
  CHECK_FALSE(matcher.accept('a'));
  CHECK(allowed(**matcher.mask()).empty());
  matcher.rollback(701);
  CHECK(matcher.accepted() == 0);
  REQUIRE(matcher.accept('b'));
  CHECK_FALSE(matcher.accept('c'));
  CHECK(matcher.accepted() == 1);
  // A long history is destroyed without deep recursion.
  Matcher lengthy(regex("a*"), vocabulary);
  for (int i = 0; i < 300'000; ++i) lengthy.accept('a');
  CHECK(lengthy.accepted() == 300'000);
}

TEST_CASE("forced bytes") {
  Spec s;
  const auto vocabulary = small_vocabulary();
  Matcher matcher(s.compile(s.record({{"name", s.string(0, 3), false}, {"age", s.kind(SpecKind::kNull), false}})),
                  vocabulary);
  CHECK(matcher.forced_bytes() == "{\"name\":\"");
  for (char c : std::string("{\"name\":\"xyz")) REQUIRE(matcher.accept(static_cast<unsigned char>(c)));
  CHECK(matcher.forced_bytes() == "\",\"age\":null}");
  CHECK(Matcher(*compile_choice({"a", "ab"}), vocabulary).forced_bytes() == "a");
}

TEST_CASE("token healing") {
  const auto vocabulary = small_vocabulary();
  Matcher matcher(*compile_choice({"cd", "x"}), vocabulary, "ab");
  CHECK(matcher.forced_bytes() == "ab");
  std::vector<std::string> texts;
  for (TokenId id : allowed(**matcher.mask())) texts.emplace_back(vocabulary->bytes(id));
  std::sort(texts.begin(), texts.end());
  CHECK(texts == std::vector<std::string>{"a", "a", "ab", "abc", "abcd"});
  Matcher whole = matcher;
  CHECK_FALSE(matcher.is_complete());
  REQUIRE(matcher.accept('a'));
  CHECK_FALSE(matcher.accept('x'));
  REQUIRE(matcher.accept('b'));
  REQUIRE(matcher.accept('x'));
  CHECK(matcher.is_final());
  const auto within = whole.mask_within(0);
  texts.clear();
  for (TokenId id : allowed(**within)) texts.emplace_back(vocabulary->bytes(id));
  CHECK(texts == std::vector<std::string>{"abcd"});
}

TEST_CASE("states over the limit give a typed error") {
  Limits limits;
  limits.max_states = 300;
  Matcher matcher(regex("(a|b)*a(a|b){16}", limits), small_vocabulary());
  std::mt19937 rng(1);
  bool failed = false;
  for (int i = 0; i < 5000 && !failed; ++i) {
    const auto mask = matcher.mask();
    failed = !mask.ok();
    if (failed) {
      CHECK(mask.error().kind == sgl::base::ErrorKind::kLimit);
    } else if (!matcher.accept(rng() % 2 == 0 ? 'a' : 'b')) {
      failed = true;
    }
  }
  CHECK(failed);
}

TEST_CASE("one constraint serves many threads") {
  Spec s;
  const auto root = s.record({{"name", s.string(1, 20), false},
                              {"age", s.integer(0, 150), false},
                              {"a", s.list(s.kind(SpecKind::kJson), 0, 4), true}});
  const ConstraintPtr c = s.compile(root, true);
  const auto vocabulary = small_vocabulary();
  std::vector<std::thread> threads;
  std::atomic<int> bad = 0;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 rng(t);
      for (int round = 0; round < 20; ++round) {
        Matcher matcher(c, vocabulary);
        std::string text;
        for (int left = 60; left > 0; --left) {
          const auto mask = matcher.mask_within(left - 1);
          const auto ids = mask.ok() ? allowed(**mask) : std::vector<TokenId>();
          if (ids.empty()) break;
          const TokenId id = ids[rng() % ids.size()];
          if (!matcher.accept(id) || id == vocabulary->eos()[0]) break;
          text += vocabulary->bytes(id);
        }
        if (!accepts(*c, text)) ++bad;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(bad == 0);
}

TEST_CASE("a step into more places than there may be is a typed error") {
  // Every bracket multiplies the ways to read the text by the lists that may begin there.
  Spec s;
  constexpr int kLists = 60, kLevels = 4;
  const auto number = s.integer();
  auto below = number;
  for (int level = 0; level < kLevels; ++level) {
    std::vector<std::uint32_t> members{number};
    for (int most = 1; most <= kLists; ++most) members.push_back(s.list(below, 1, most));
    below = s.one_of(std::move(members));
  }
  Limits limits;
  limits.max_states = 30'000;
  Matcher matcher(s.compile(below, true, limits), small_vocabulary());
  const auto open = static_cast<TokenId>('[');
  int level = 0;
  while (level < kLevels && matcher.accept(open)) ++level;
  REQUIRE(level < kLevels);
  const auto mask = matcher.mask();
  REQUIRE_FALSE(mask.ok());
  CHECK(mask.error().kind == sgl::base::ErrorKind::kLimit);
}
