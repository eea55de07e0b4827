// Structural tags: free text, triggers and regions.
#include "runtime/constraint/structural_tags.h"

#include "tests/unit/constraint/support.h"

namespace {

StructuralTag tag(std::string begin, ConstraintPtr content, std::string end) {
  return {std::move(begin), std::move(content), std::move(end)};
}

ConstraintPtr compile(const StructuralTags& tags) {
  auto made = compile_structural_tags(tags);
  REQUIRE_MESSAGE(made.ok(), made.error().message);
  return *made;
}

std::string error(const StructuralTags& tags) {
  auto made = compile_structural_tags(tags);
  REQUIRE_FALSE(made.ok());
  return made.error().message;
}

ConstraintPtr schema(std::string_view text) {
  SchemaResult made = compile_json_schema(text);
  REQUIRE_MESSAGE(made.ok(), made.message);
  return made.constraint;
}

void check(const ConstraintPtr& constraint, const std::vector<std::string>& accepted,
           const std::vector<std::string>& rejected) {
  for (const std::string& text : accepted) CHECK_MESSAGE(accepts(*constraint, text), text);
  for (const std::string& text : rejected) CHECK_MESSAGE(!accepts(*constraint, text), text);
}

}  // namespace

TEST_CASE("free text goes on until a trigger opens a region") {
  StructuralTags tags;
  tags.tags = {tag("<f>", regex("[0-9]+"), "</f>"), tag("<g>", regex("[a-z]*"), "</g>")};
  tags.triggers = {"<f>", "<g>"};
  const ConstraintPtr any = compile(tags);
  check(any,
        {"", "text", "a < b <", "<h>", "x<f>12</f>", "<f>1</f><g></g> and <f>2</f> done", "<<f>1</f>",
         "\u00e9<g>ab</g>\U0001F600", "<f", "<f>1</f><f"},
        {"<f>", "<f>1", "<f>x</f>", "<f>1</g>", "<g>A</g>", "x<f></f>", "\xC3", "\xFF", "\xED\xA0\x80",
         "<f>1</f>\xF0\x9F"});
  CHECK(accepts_prefix(*any, "<f>1</"));
  CHECK_FALSE(accepts_prefix(*any, "<f>1<f"));
  CHECK(min_length(*any) == 0);
}

TEST_CASE("a shared trigger forces one of its tags") {
  StructuralTags tags;
  tags.tags = {tag("<call=add>", regex("[0-9],[0-9]"), "</call>"), tag("<call=now>", regex(""), "</call>")};
  tags.triggers = {"<call="};
  const ConstraintPtr any = compile(tags);
  check(any, {"<call", "<call=add>1,2</call>", "<call=now></call> <call=now></call>"},
        {"<call=", "<call=x>", "<call=add>1</call>", "<call=add></call>"});
  Matcher matcher(any, small_vocabulary());
  for (const char c : std::string("hi <call=a")) REQUIRE(matcher.accept(c));
  CHECK(matcher.forced_bytes() == "dd>");
}

TEST_CASE("at least one tag, and nothing after the first") {
  StructuralTags tags;
  tags.tags = {tag("[", regex("a*"), "]")};
  tags.at_least_one = true;
  check(compile(tags), {"[a]", "x[aa]y", "[][a]"}, {"", "xy", "[", "x[a"});
  tags.stop_after_first = true;
  const ConstraintPtr one = compile(tags);
  check(one, {"[a]", "x[aa]"}, {"", "x", "[a]y", "[a][a]"});
  CHECK(min_length(*one) == 2);
  tags.at_least_one = false;
  check(compile(tags), {"", "x", "x[aa]"}, {"[a]y", "[a][a]"});
}

TEST_CASE("contents are schemas and grammars too; what a schema counts is counted in each region") {
  StructuralTags tags;
  const GrammarResult sum = compile_grammar("start: start \"+\" /\\d/ | /\\d/");
  REQUIRE(sum.ok());
  tags.tags = {tag("<json>", schema(R"({"type":"object","additionalProperties":{"type":"integer"}})"), "</json>"),
               tag("<sum>", sum.constraint, "")};
  const ConstraintPtr any = compile(tags);
  check(any, {R"(x<json>{"a":1}</json><json>{"a":2}</json>)", "<sum>1+2", "<sum>1+2 and", "<sum>1+2+"},
        {R"(<json>{"a":1,"a":2}</json>)", R"(<json>{"a":1})", "<json>[]</json>", "<sum>", "<sum>x"});
  // In a string of the schema, and after it.
  Matcher matcher(any, small_vocabulary());
  for (const char c : std::string("<json>{\"k")) REQUIRE(matcher.accept(static_cast<unsigned char>(c)));
  const auto mask = matcher.mask();
  REQUIRE(mask.ok());
  CHECK((*mask)->test('"'));
  CHECK_FALSE((*mask)->test('\n'));
}

TEST_CASE("texts within a budget of tokens are whole") {
  StructuralTags tags;
  tags.tags = {
      tag("<f>", schema(R"({"type":"object","properties":{"name":{"type":"string"}},"required":["name"]})"), "</f>")};
  tags.at_least_one = true;
  const ConstraintPtr constraint = compile(tags);
  const auto vocabulary = small_vocabulary();
  std::mt19937 random(7);
  for (std::int64_t budget = 1; budget < 60; ++budget) {
    Matcher matcher(constraint, vocabulary);
    std::string text;
    std::int64_t left = budget;
    bool stuck = false;
    while (left > 0 && !matcher.is_final()) {
      const auto mask = matcher.mask_within(left - 1);
      REQUIRE(mask.ok());
      std::vector<TokenId> allowed;
      for (std::size_t t = 0; t + 1 < vocabulary->size(); ++t) {
        if ((*mask)->test(static_cast<TokenId>(t))) allowed.push_back(static_cast<TokenId>(t));
      }
      if (allowed.empty()) {
        stuck = true;
        break;
      }
      const TokenId token = allowed[random() % allowed.size()];
      REQUIRE(matcher.accept(token));
      text += vocabulary->bytes(token);
      --left;
    }
    // Too little for any text, or all of it used.
    if (stuck) CHECK_MESSAGE((text.empty() || matcher.is_complete()), text);
    if (!stuck) CHECK_MESSAGE(accepts(*constraint, text), text);
  }
}

TEST_CASE("wrong tags are refused") {
  StructuralTags tags;
  CHECK(error(tags) == "there are no tags");
  tags.tags = {tag("<f>", regex("a"), "")};
  tags.triggers = {"<g>"};
  CHECK(error(tags) == "no trigger opens the tag '<f>'");
  tags.triggers = {"<f", "<g>"};
  CHECK(error(tags) == "no tag begins with the trigger '<g>'");
  tags.triggers = {"<f", "<f>"};
  CHECK(error(tags).find("is part of the trigger '<f>'") != std::string::npos);
  tags.triggers = {""};
  CHECK(error(tags) == "a trigger is empty");
  tags.triggers = {};
  tags.tags[0].begin = "";
  CHECK(error(tags) == "the begin of a tag is empty");
  tags.tags[0].begin = "\xFF";
  CHECK(error(tags) == "the begin or end of a tag is not UTF-8");
}

TEST_CASE("tags as JSON") {
  const SchemaResult made = compile_structural_tags_json(R"({"tags": [
    {"begin": "<a>", "content": {"schema": {"type": "integer", "format": "odd"}}, "end": "</a>"},
    {"begin": "<b>", "content": {"regex": "[xy]+"}, "end": "</b>"},
    {"begin": "<c>", "content": {"grammar": "start: \"(\" start? \")\""}, "end": "</c>"}],
    "triggers": ["<a>", "<b>", "<c>"], "at_least_one": true})");
  REQUIRE_MESSAGE(made.ok(), made.message);
  check(made.constraint, {"<a>1</a>", "x<b>xy</b>", "<c>(())</c>z"}, {"", "<a>1.5</a>", "<c>(()</c>"});
  const SchemaResult exact = compile_structural_tags_json(
      R"({"tags": [{"begin": "<a>", "content": {"schema": {"enum": [[123456789012345678901], "\"é"]}}, "end": "</a>"}],
          "at_least_one": true})");
  REQUIRE_MESSAGE(exact.ok(), exact.message);
  check(exact.constraint, {"<a>[123456789012345678901]</a>", R"(<a>"\"é"</a>)"}, {"<a>[123456789012345680000]</a>"});
  struct Wrong {
    std::string json;
    SchemaStatus status;
    std::string pointer;
  };
  using enum SchemaStatus;
  for (const Wrong& wrong : std::vector<Wrong>{
           {"[", kInvalid, ""},
           {R"({"tags": [{"begin": "a", "content": {"schema": {"const": 1e999}}}]})", kUnsupported,
            "/tags/0/content/schema/const"},
           {"{}", kInvalid, ""},
           {R"({"tags": [{"begin": "a"}]})", kInvalid, "/tags/0"},
           {R"({"tags": [{"begin": "a", "content": {}}]})", kInvalid, "/tags/0/content"},
           {R"({"tags": [{"begin": "a", "content": {"regex": "("}}]})", kInvalid, "/tags/0/content/regex"},
           {R"({"tags": [{"begin": "a", "content": {"schema": {"type": 1}}}]})", kInvalid,
            "/tags/0/content/schema/type"},
           {R"({"tags": [{"begin": "a", "content": {"schema": {"minimum": 2, "maximum": 1, "type": "integer"}}}]})",
            kUnsatisfiable, "/tags/0/content/schema"},
           {R"({"tags": [{"begin": "a", "content": {"grammar": "start: b"}}]})", kInvalid, "/tags/0/content/grammar"},
           {R"({"tags": [], "trigger": []})", kInvalid, "/trigger"},
           {R"({"tags": [], "at_least_one": 1})", kInvalid, "/at_least_one"},
           {std::string(100'000, '['), kLimit, ""},
       }) {
    CAPTURE(wrong.json.substr(0, 200));
    const SchemaResult result = compile_structural_tags_json(wrong.json);
    CHECK(result.status == wrong.status);
    CHECK_MESSAGE(result.pointer == wrong.pointer, result.message);
    CHECK_FALSE(result.message.empty());
  }
}
