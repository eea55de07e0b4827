// Compiled constraints as bytes: what is loaded gives the masks of what was compiled, what does not belong or is
// damaged is refused with its reason, and no bytes do harm.
#include "runtime/constraint/compiled.h"

#include <functional>

#include "runtime/constraint/structural_tags.h"
#include "tests/unit/constraint/support.h"

namespace {

const sgl::base::Sha256 kDigest = sgl::base::sha256("a specification");

struct Sample {
  std::string name;
  ConstraintPtr constraint;
};

ConstraintPtr schema(std::string_view text, const SchemaOptions& options = {}) {
  SchemaResult made = compile_json_schema(text, options);
  REQUIRE_MESSAGE(made.ok(), text << ": " << made.message);
  return made.constraint;
}

ConstraintPtr grammar(std::string_view text) {
  GrammarResult made = compile_grammar(text);
  REQUIRE_MESSAGE(made.ok(), text << ": " << made.message);
  return made.constraint;
}

ConstraintPtr tags(std::string_view text) {
  SchemaResult made = compile_structural_tags_json(text, {});
  REQUIRE_MESSAGE(made.ok(), text << ": " << made.message);
  return made.constraint;
}

// One of every kind, and every part of each.
std::vector<Sample> samples() {
  Spec s;
  const auto number = s.integer(-3, 120), text = s.string(1, 20), half = s.real(0.5, 12.25);
  const auto word = s.string(0, -1, "^[a-z]+$"), date = s.string(0, -1, "", "date");
  const auto record = s.record({{"name", text, false}, {"age", number, true}, {"born", date, true}});
  const auto recursive = s.record({{"a", 0, true}});
  s.spec.nodes[recursive].fields[0].type = recursive;
  SpecNode rules;
  rules.kind = SpecKind::kGrammar, rules.pattern = "start: \"ab\" start | /[0-9]+/";
  const auto lark = s.add(rules);
  const auto any = s.kind(SpecKind::kJson);
  SpecNode values;
  values.kind = SpecKind::kJson, values.pattern = R"({"enum": ["ab", 12, null, [true, {"a": 0}]]})";
  const auto with_schema = s.add(values);
  SchemaOptions free;
  free.order = PropertyOrder::kAny, free.whitespace = Whitespace::kAny;
  SchemaOptions indented;
  indented.whitespace = Whitespace::kIndent, indented.indent = 2;
  constexpr std::string_view kKeywords = R"({
    "type": "object", "required": ["kind", "id"], "minProperties": 2, "maxProperties": 6,
    "properties": {
      "kind": {"enum": ["ab", "abc", 12, null, {"a": [1]}]}, "id": {"type": "integer", "minimum": 3, "multipleOf": 3},
      "tags": {"type": "array", "items": {"type": "string", "pattern": "^a"}, "uniqueItems": true, "maxItems": 3,
               "contains": {"const": "ab"}, "minContains": 1},
      "pair": {"prefixItems": [{"type": "boolean"}, {"format": "date"}], "items": false},
      "tree": {"$ref": "#"}, "x": {"not": {"type": "string"}}, "y": {"exclusiveMaximum": 0.5, "type": "number"}},
    "patternProperties": {"^n": {"type": "null"}}, "additionalProperties": {"maxLength": 3},
    "propertyNames": {"maxLength": 4}, "dependentRequired": {"x": ["y"]}, "dependentSchemas": {"y": {"required": ["x"]}}})";
  constexpr std::string_view kBranches = R"({
    "oneOf": [{"properties": {"k": {"const": "a"}}, "required": ["k"]}, {"type": ["array", "null"]}],
    "if": {"type": "object"}, "then": {"properties": {"v": {"type": "integer"}}, "unevaluatedProperties": false},
    "else": {"anyOf": [{"type": "null"}, {"unevaluatedItems": {"type": "boolean"}}]}})";
  return {
      {"bare text", s.compile(text)},
      {"pattern", regex("(ab|abc)*d?[\\u00e0-\\u00ff]{0,3}")},
      {"choice", *compile_choice({"ab", "abcd", "true"})},
      {"quoted pattern", s.compile(word, true)},
      {"integer", s.compile(number)},
      {"float", s.compile(half)},
      {"record", s.compile(record)},
      {"list of records", s.compile(s.list(record, 1, 3))},
      {"map", s.compile(s.map(half, 0, 2))},
      {"recursive record", s.compile(recursive)},
      {"list or number", s.compile(s.one_of({s.list(number), number}))},
      {"grammar", s.compile(lark)},
      {"grammar, text or record", s.compile(s.one_of({lark, word, record}))},
      {"any JSON", s.compile(any)},
      {"schema in a type", s.compile(s.list(with_schema, 0, 2))},
      {"keywords", schema(kKeywords)},
      {"keywords, any order and white space", schema(kKeywords, free)},
      {"keywords, indented", schema(kKeywords, indented)},
      {"branches", schema(kBranches)},
      {"left recursion", grammar("start: sum\nsum: sum \"+\" N | N | \"(\" sum \")\"\nN: /[0-9]+/\n%ignore \" \"")},
      {"schema in a grammar", grammar("start: \"ab\" %json {\"type\": \"array\", \"items\": {\"type\": \"null\"}}")},
      {"tags", tags(R"({"tags": [{"begin": "<a", "content": {"schema": {"type": "integer"}}, "end": "a>"},
                                 {"begin": "<b", "content": {"regex": "[a-c]+"}, "end": ";"}], "triggers": ["<"]})")},
  };
}

std::string saved(const Constraint& constraint) {
  auto bytes = save(constraint, kDigest);
  REQUIRE_MESSAGE(bytes.ok(), bytes.error().message);
  return *bytes;
}

std::string refusal(std::string_view bytes, const sgl::base::Sha256& digest = kDigest, const LoadLimits& limits = {}) {
  const auto made = load(bytes, digest, limits);
  return made.ok() ? "loaded" : made.error().message;
}

// Puts the right checksum in front, as somebody would who means harm.
std::string summed(std::string bytes) {
  std::uint64_t sum = 0xcbf29ce484222325;
  for (std::size_t i = 12; i < bytes.size(); i += 8) {
    std::uint64_t word = 0;
    for (std::size_t k = i; k < std::min(i + 8, bytes.size()); ++k)
      word = word << 8 | static_cast<std::uint8_t>(bytes[k]);
    sum = (sum ^ word) * 0x100000001b3;
    sum ^= sum >> 32;
  }
  for (std::size_t i = 0; i < 8; ++i) bytes[4 + i] = static_cast<char>(sum >> (8 * i) & 255);
  return bytes;
}

constexpr std::size_t kBody = 76;  // where the constraint itself begins

// Walks both at once, by tokens that a budget allows; every mask is the same.
void walk_together(const Sample& sample, const ConstraintPtr& loaded, std::uint64_t seed) {
  const auto vocabulary = small_vocabulary();
  Matcher first(sample.constraint, vocabulary), second(loaded, vocabulary);
  std::mt19937_64 random(seed);
  for (std::int64_t left = 40; left > 0; --left) {
    const auto a = first.mask(), b = second.mask();
    REQUIRE(a.ok());
    REQUIRE(b.ok());
    CHECK_MESSAGE(std::ranges::equal((*a)->words(), (*b)->words()), sample.name);
    const auto within_a = first.mask_within(left - 1), within_b = second.mask_within(left - 1);
    REQUIRE(within_a.ok());
    REQUIRE(within_b.ok());
    CHECK_MESSAGE(std::ranges::equal((*within_a)->words(), (*within_b)->words()), sample.name);
    CHECK(first.is_complete() == second.is_complete());
    CHECK(first.forced_bytes() == second.forced_bytes());
    std::vector<TokenId> ids;
    for (std::size_t i = 0; i < (*within_a)->size(); ++i) {
      if ((*within_a)->test(static_cast<TokenId>(i))) ids.push_back(static_cast<TokenId>(i));
    }
    if (ids.empty()) return;
    const TokenId id = ids[random() % ids.size()];
    REQUIRE(first.accept(id));
    REQUIRE(second.accept(id));
  }
}

}  // namespace

TEST_CASE("what is loaded gives the masks of what was compiled") {
  for (const Sample& sample : samples()) {
    const std::string bytes = saved(*sample.constraint);
    const auto loaded = load(bytes, kDigest);
    REQUIRE_MESSAGE(loaded.ok(), sample.name << ": " << loaded.error().message);
    CHECK_MESSAGE(saved(**loaded) == bytes, sample.name);
    CHECK(min_length(**loaded) == min_length(*sample.constraint));
    CHECK(max_length(**loaded) == max_length(*sample.constraint));
    for (std::uint64_t seed = 1; seed <= 8; ++seed) walk_together(sample, *loaded, seed);
  }
}

TEST_CASE("a compiled constraint of something else is refused with the reason") {
  const std::string bytes = saved(*regex("ab+"));
  CHECK(refusal(bytes) == "loaded");
  CHECK(refusal(bytes, sgl::base::sha256("another")) == "it was made of another specification");
  CHECK(refusal("") == "it is not a compiled constraint");
  CHECK(refusal("SGLPLAN\n" + bytes) == "it is not a compiled constraint");
  std::string other = bytes;
  other[20] = static_cast<char>(other[20] ^ 1);
  CHECK(refusal(other) == "another version of the constraint engine made it");
  other = bytes;
  other.back() = static_cast<char>(other.back() ^ 1);
  CHECK(refusal(other) == "it is damaged: its checksum does not match");
  CHECK(refusal(summed(bytes + "x")).ends_with("more bytes than the constraint has"));
  LoadLimits limits;
  limits.max_bytes = 80;
  CHECK(refusal(bytes, kDigest, limits).ends_with("more than 80"));
  CHECK_FALSE(save(*regex("ab+"), kDigest, limits).ok());
}

TEST_CASE("digests tell specifications, options and limits apart") {
  Spec s;
  const auto a = s.integer(1, 5), b = s.integer(1, 6);
  Limits limits;
  limits.max_states = 10;
  CHECK(digest_of(s.with_root(a, false)) == digest_of(s.with_root(a, false)));
  CHECK(digest_of(s.with_root(a, false)) != digest_of(s.with_root(b, false)));
  CHECK(digest_of(s.with_root(a, false)) != digest_of(s.with_root(a, true)));
  CHECK(digest_of(s.with_root(a, false)) != digest_of(s.with_root(a, false), limits));
  SchemaOptions any;
  any.order = PropertyOrder::kAny;
  CHECK(digest_of("{}", SchemaOptions()) != digest_of("{}", any));
  CHECK(digest_of("{}", SchemaOptions()) != digest_of("true", SchemaOptions()));
  GrammarOptions start;
  start.start = "sum";
  CHECK(digest_of("start: \"a\"", GrammarOptions()) != digest_of("start: \"a\"", start));
}

TEST_CASE("bytes that are cut off or changed are refused, or are some constraint") {
  std::size_t refused = 0, taken = 0;
  std::mt19937_64 random(7);
  for (const Sample& sample : samples()) {
    const std::string bytes = saved(*sample.constraint);
    for (std::size_t size = kBody; size < bytes.size(); size += 1 + bytes.size() / 200) {
      CHECK_FALSE(load(summed(bytes.substr(0, size)), kDigest).ok());
    }
    for (int round = 0; round < 150; ++round) {
      std::string changed = bytes;
      for (std::uint64_t n = random() % 3 + 1; n > 0; --n) {
        changed[kBody + random() % (bytes.size() - kBody)] =
            static_cast<char>(random() % 3 == 0 ? random() : random() % 4);
      }
      const auto made = load(summed(changed), kDigest);
      refused += made.ok() ? 0 : 1, taken += made.ok() ? 1 : 0;
      if (!made.ok()) {
        CHECK_FALSE(made.error().message.empty());
        continue;
      }
      // It may be walked; what it accepts is its own affair.
      Matcher matcher(*made, small_vocabulary());
      for (int step = 0; step < 12; ++step) {
        const auto mask = matcher.mask_within(20);
        if (!mask.ok()) break;
        std::vector<TokenId> ids;
        for (std::size_t i = 0; i < (*mask)->size(); ++i) {
          if ((*mask)->test(static_cast<TokenId>(i))) ids.push_back(static_cast<TokenId>(i));
        }
        if (ids.empty() || !matcher.accept(ids[random() % ids.size()])) break;
      }
    }
  }
  CHECK(refused > 500);
  CHECK(taken > 100);
}

TEST_CASE("few bytes cannot ask for much memory") {
  LoadLimits limits;
  limits.max_table = 5'000;
  CHECK(refusal(saved(*schema(R"({"pattern": "^[ab]{40}[cd]{60}$"})"))) == "loaded");
  CHECK(refusal(saved(*schema(R"({"format": "email"})")), kDigest, limits) == "its automata have too many transitions");
  limits = {};
  limits.type.max_states = 3;
  CHECK(refusal(saved(*regex("[a-z]{9}")), kDigest, limits) == "its graph has too many nodes");
  limits = {};
  limits.grammar.max_nodes = 3;
  CHECK(refusal(saved(*grammar("start: \"abcdef\"")), kDigest, limits) == "its grammar has too many nodes");
  limits = {};
  limits.max_depth = 1;
  CHECK(refusal(saved(*grammar("start: %json {}")), kDigest, limits) == "its constraints are nested too deeply");
}
