// Budgets of tokens where names or items must differ from earlier ones: what may come then depends on what came.
#include <algorithm>

#include "runtime/constraint/json_schema.h"
#include "tests/unit/constraint/support.h"

namespace {

// Tokens that end one name or item and begin the next.
std::shared_ptr<const Vocabulary> crossing_vocabulary(bool all_bytes) {
  std::vector<std::string> bytes;
  for (int b = all_bytes ? 0 : 0x20; b < (all_bytes ? 256 : 0x7F); ++b) bytes.emplace_back(1, static_cast<char>(b));
  for (const char* text :
       {"{\"", "\":",   "\":{", "\":{}", "{}", "},\"", "\":1", ",\"", "\":1,\"", "\",\"", "[\"", "\"]", "1,",
        ",1",  "\"\":", "\"\"", "[{\"",  "}]", "}}",   "aa",   "ab",  "abc",     "true,", "[1",  ",2"})
    bytes.emplace_back(text);
  bytes.emplace_back("");
  const auto eos = static_cast<TokenId>(bytes.size() - 1);
  return Vocabulary::from_bytes(std::move(bytes), {eos});
}

const char* const kDiffering[] = {
    // The first name is over by a token that goes on into its value: the second must not be the same.
    R"({"type":"array","items":[{"type":"object","additionalProperties":{"type":"object","additionalProperties":false},
        "minProperties":2,"maxProperties":2}],"minItems":1,"maxItems":1})",
    R"({"type":"object","additionalProperties":{"const":1},"minProperties":3})",
    R"({"type":"object","additionalProperties":{"type":"object","additionalProperties":{"const":1},"minProperties":2},
        "minProperties":2})",
    R"({"type":"object","propertyNames":{"pattern":"^[ab]+$"},"additionalProperties":{"const":1},"minProperties":3})",
    R"({"type":"object","propertyNames":{"enum":["a","abcabcab","b"]},"additionalProperties":{"const":1},"minProperties":3})",
    R"({"type":"object","properties":{"a":{"const":1},"abc":true},"additionalProperties":{"type":"integer"},"minProperties":4})",
    R"({"type":"object","additionalProperties":{"const":1}})",
    R"({"type":"array","items":{"type":"string"},"uniqueItems":true,"minItems":3})",
    R"({"type":"array","items":{"type":"string","maxLength":2},"uniqueItems":true})",
    R"({"type":"array","items":{"type":"integer"},"uniqueItems":true,"minItems":4})",
    R"({"type":"array","items":{"type":"integer","minimum":1,"maximum":12},"uniqueItems":true,"minItems":11})",
    R"({"type":"array","items":{"enum":["a","abcabcabcabcabc",1,1000000000,true]},"uniqueItems":true,"minItems":4})",
    R"({"type":"array","items":{"type":["boolean","null"]},"uniqueItems":true,"minItems":2})",
    R"({"type":"object","required":["a"],"properties":{"a":{"type":"array","items":{"type":"string"},"uniqueItems":true,
        "minItems":2}},"additionalProperties":{"type":"string"},"minProperties":3})",
    // Names of different makes have values of different length: the cheapest may be the longest name, or a single one.
    R"({"type":"object","patternProperties":{"^ab":{"type":"object","minProperties":1}},"minProperties":2})",
    R"({"type":"object","patternProperties":{"^ab":{"const":"aaaaaaaaaaaa"}},"additionalProperties":{"const":1},"minProperties":3})",
    R"({"type":"object","patternProperties":{"^ababab":{"const":1}},"additionalProperties":{"const":"aaaaaaaaaaaa"},"minProperties":2})",
    R"({"type":"object","patternProperties":{"^a$":{"const":1}},"additionalProperties":{"const":[1,2,2,1]},"minProperties":3})",
    R"({"type":"object","patternProperties":{"^ab":{"$ref":"#"}},"additionalProperties":{"const":1},"minProperties":2})",
};

}  // namespace

TEST_CASE("half of a surrogate pair needs the other half too") {
  std::vector<std::string> bytes;
  for (int b = 0; b < 256; ++b) bytes.emplace_back(1, static_cast<char>(b));
  const auto vocabulary = Vocabulary::from_bytes(bytes, {});
  const auto made = compile_json_schema(R"({"type": "string"})", {});
  REQUIRE(made.ok());
  // After so much of the text, so many bytes are wanted at least, the quote among them.
  const std::pair<std::string, std::int64_t> cases[] = {
      {R"(")", 1},          {R"("\)", 2},          {R"("\u)", 5},          {R"("\uD)", 4},          {R"("\uD7)", 3},
      {R"("\uDA)", 9},      {R"("\uDAA)", 8},      {R"("\uDAA0)", 7},      {R"("\uDAA0\)", 6},      {R"("\uDAA0\u)", 5},
      {R"("\uDAA0\uD)", 4}, {R"("\uDAA0\uDC)", 3}, {R"("\uDAA0\uDC1)", 2}, {R"("\uDAA0\uDC11)", 1},
  };
  for (const auto& [text, wanted] : cases) {
    CAPTURE(text);
    Matcher matcher(made.constraint, vocabulary);
    for (char c : text) REQUIRE(matcher.accept(static_cast<unsigned char>(c)));
    std::int64_t least = 0;
    const auto none = [&] {
      const auto words = (*matcher.mask_within(least))->words();
      return std::all_of(words.begin(), words.end(), [](std::uint64_t word) { return word == 0; });
    };
    while (least < 20 && none()) ++least;
    CHECK(least == wanted - 1);  // beside the next token
  }
}

TEST_CASE("budgets hold to the end where names and items must differ") {
  std::mt19937 rng(5);
  for (const bool all_bytes : {true, false}) {
    const auto vocabulary = crossing_vocabulary(all_bytes);
    for (const char* schema : kDiffering) {
      for (const PropertyOrder order : {PropertyOrder::kSchema, PropertyOrder::kAny}) {
        SchemaOptions options;
        options.order = order;
        const SchemaResult made = compile_json_schema(schema, options);
        REQUIRE_MESSAGE(made.ok(), schema << ": " << made.message);
        int whole = 0;
        for (int walk = 0; walk < 75; ++walk) {
          const int budget = 1 + walk;
          Matcher matcher(made.constraint, vocabulary);
          std::string text;
          for (int left = budget; left > 0; --left) {
            const auto mask = matcher.mask_within(left - 1);
            REQUIRE(mask.ok());
            std::vector<TokenId> ids, marks;
            for (std::size_t i = 0; i < vocabulary->size(); ++i) {
              const auto id = static_cast<TokenId>(i);
              if (!(*mask)->test(id)) continue;
              ids.push_back(id);
              if (vocabulary->bytes(id).find_first_of("\",:") != std::string_view::npos) marks.push_back(id);
            }
            if (left == budget && ids.empty()) break;
            REQUIRE_MESSAGE(!ids.empty(), schema << ": after " << text << ", " << left << " of " << budget << " left");
            // Mostly on to the next name or item, as a model goes.
            const std::vector<TokenId>& from = !marks.empty() && rng() % 4 != 0 ? marks : ids;
            const TokenId id = from[rng() % from.size()];
            REQUIRE_MESSAGE(matcher.accept(id), schema << ": " << text << " and then " << vocabulary->bytes(id));
            text += vocabulary->bytes(id);
            if (vocabulary->bytes(id).empty()) break;
          }
          if (text.empty()) continue;
          CHECK_MESSAGE(accepts(*made.constraint, text), schema << ": " << text << " of " << budget);
          ++whole;
        }
        CHECK_MESSAGE(whole > 20, schema);
      }
    }
  }
}
