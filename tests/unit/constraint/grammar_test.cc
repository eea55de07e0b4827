// Grammars by feature: what is accepted, what is refused and where.
#include "runtime/constraint/grammar.h"

#include <ctime>

#include "tests/unit/constraint/support.h"

namespace {

GrammarResult compile(std::string_view text) {
  GrammarResult made = compile_grammar(text);
  REQUIRE_MESSAGE(made.ok(), text << "\n" << made.line << ":" << made.column << ": " << made.message);
  return made;
}

struct Row {
  std::string grammar;
  std::vector<std::string> accepted, rejected;
};

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.grammar);
    const GrammarResult made = compile(row.grammar);
    for (const std::string& text : row.accepted) CHECK_MESSAGE(accepts(*made.constraint, text), text);
    for (const std::string& text : row.rejected) CHECK_MESSAGE(!accepts(*made.constraint, text), text);
  }
}

}  // namespace

TEST_CASE("Lark: what each construct means") {
  check({
      {"start: \"a\" \"b\"", {"ab"}, {"", "a", "abb", "ba"}},
      {"start: \"a\" | \"b\"\n     | \"c\"", {"a", "b", "c"}, {"", "ab"}},
      {"start: (\"a\" | \"b\")+ [\"c\"] \"d\"? \"e\"*", {"a", "abac", "bdee", "acde"}, {"c", "adc"}},
      {"start: \"a\" ~ 3", {"aaa"}, {"aa", "aaaa"}},
      {"start: \"a\" ~ 1..2 \"b\"~0", {"a", "aa"}, {"", "aaa", "ab"}},
      {"start: \"x\"i \"ß\"i", {"xß", "Xß"}, {"xs"}},
      {"start: \"\\n\\t\\\"\\\\\\x41\\u00e9\\U0001F600\"", {"\n\t\"\\A\u00e9\U0001F600"}, {"\n\t\"\\a"}},
      {"start: \"a\"..\"f\" | \"0\"..\"9\"", {"a", "f", "7"}, {"g", "A", ""}},
      {"start: /[a-c]+\\d{2}/", {"a12", "cab00"}, {"12", "a1"}},
      {"start: /ab.c/i", {"AbXC"}, {"ab\nc"}},
      {"start: /a.c/s", {"a\nc"}, {"ac"}},
      {"start: /a\\/b/", {"a/b"}, {"a\\/b"}},
      {"start: A b\nA: \"1\" | B\nB: /2+/\nb: A*", {"1", "22", "1222"}, {"", "3"}},
      {"// comment\n# another\nstart: a // here\na: \"x\" # and here\n", {"x"}, {"y"}},
      {"?start.2: a -> one | \"z\" -> two\n!a: _b\n_b: \"x\"", {"x", "z"}, {"xz"}},
      {"start: | \"a\"", {"", "a"}, {"aa"}},
      {"start: (\n  \"a\"\n  | \"b\" // or\n)\n", {"a", "b"}, {}},
      {"start: _list{WORD, \",\"}\n_list{item, sep}: item (sep item)*\nWORD: /[a-z]+/",
       {"a", "a,bc"},
       {"", "a,", ",a"}},
      {"start: two{two{\"a\"}} | two{(\"b\" \"c\")}\ntwo{x}: x x", {"aaaa", "bcbc"}, {"aa", "bc"}},
      {"%import common.INT\n%import common.CNAME -> NAME\nstart: NAME \"=\" INT", {"a_1=20"}, {"1=2", "a="}},
      {"%import common (SIGNED_NUMBER, WS)\n%ignore WS\nstart: SIGNED_NUMBER (\"+\" SIGNED_NUMBER)*",
       {"1", " -2.5e3 + 4 \n", "1++1"},
       {"", "1 2"}},
      {"%import common.ESCAPED_STRING\nstart: ESCAPED_STRING", {"\"a\\\"b\"", "\"\""}, {"\"a\"b\"", "\"\n\""}},
      {"%import common.C_COMMENT\nstart: C_COMMENT", {"/* a * b **/"}, {"/* */ */"}},
      // A keyword is also a name, and terminals need no longest match.
      {"start: NAME+\nNAME: /[a-z]+/\n%ignore \" \"", {"if", "a b", "ab"}, {""}},
  });
}

TEST_CASE("Lark: what is ignored stands before and after terminals, not inside them") {
  check({
      {"start: \"ab\" A\nA: \"c\" \"d\"\n%ignore /[ \\n]+/\n%ignore /#[^\\n]*\\n/",
       {"abcd", " ab cd ", "\n ab #x\n\n# y\ncd"},
       {"a b cd", "abc d", "ab#x cd"}},
      {"start: a*\na: \"x\"\n%ignore \" \"", {"", "  ", " x x ", "xx"}, {"y"}},
      {"start: WORD\nWORD: /[a-z]+/\n%ignore \" \"", {" ab "}, {"a b"}},
  });
}

TEST_CASE("ignored white space is bounded, other white space is not") {
  const GrammarResult made = compile("start: \"a\" SPACES? \"b\"\nSPACES: /_ *_/\n%ignore /[ ]/ | /#.*#/");
  for (const std::string& text : {"a" + std::string(40, ' ') + "b", "a_" + std::string(500, ' ') + "_b",
                                  "a" + std::string(30, ' ') + "##" + std::string(30, ' ') + "b"}) {
    CHECK(accepts(*made.constraint, text));
    CHECK(generates(made.constraint, text));
  }
  CHECK_FALSE(generates(made.constraint, "a" + std::string(41, ' ') + "b"));
  CHECK(accepts(*made.constraint, "a" + std::string(41, ' ') + "b"));  // a longer token may have made it
  // By tokens: the run may end within one.
  Matcher matcher(made.constraint, Vocabulary::from_bytes({"a", "b", " ", std::string(25, ' '), ""}, {4}));
  REQUIRE(matcher.accept(0));
  CHECK(matcher.accept(3));
  CHECK(matcher.accept(3));
  CHECK_FALSE(matcher.accept(2));
  CHECK_FALSE((*matcher.mask())->test(3));
  CHECK((*matcher.mask())->test(1));
  CHECK(matcher.accept(1));
  CHECK(matcher.is_complete());
}

TEST_CASE("GBNF: what each construct means") {
  check({
      {"root ::= \"a\" [b-d]{2} [^x]", {"abby", "acd\n"}, {"abbx", "aby"}},
      {"root ::= item+ end?\nitem ::= \"- \" [^\\n]+ \"\\n\"\nend ::= \".\"",
       {"- a\n", "- a\n- b c\n."},
       {"", "- \n", "a\n"}},
      {"# comment\nroot ::= (\n  \"a\" | # one\n  \"b\"\n)* \"c\"", {"c", "abc"}, {"ab"}},
      {"root ::= a |\n  \"z\"\na ::= \"x\"{0,1} \"y\"{2,}", {"yy", "xyyy", "z"}, {"y", "xxyy"}},
      {"root ::= \"\\x41\\u00E9\\\"\" [\\]\\-\\^]", {"A\u00e9\"]", "A\u00e9\"-"}, {"A\u00e9\""}},
      {"root ::= . . ", {"ab", "\n\U0001F600"}, {"a", "abc"}},
      {"root ::= ws root-2\nroot-2 ::= \"x\"\nws ::= [ \\t]*", {"x", "  x"}, {"y"}},
      {"root ::= [a-] [\"]", {"a\"", "-\""}, {"b\""}},
      {"root ::= \"a\"\n| \"b\"\n", {"a", "b"}, {}},
  });
}

TEST_CASE("left recursion of every kind, cycles and ambiguity") {
  check({
      {"start: start \"+\" t | t\nt: t \"*\" f | f\nf: \"(\" start \")\" | /\\d/",
       {"1", "1+2*3", "(1+2)*(3)*4"},
       {"", "1+", "(1"}},
      {"start: a\na: b \"x\" | \"s\"\nb: a \"y\" | \"t\"", {"s", "tx", "syx", "txyxyx"}, {"t", "x", "sy"}},
      {"start: n start \"a\" | \"b\"\nn: \"c\"?", {"b", "ba", "cbaa", "ccbaa"}, {"cb", "a", "cccbaa"}},
      {"start: e\ne: e e | \"a\"", {"a", "aa", std::string(200, 'a')}, {"", "b"}},
      {"start: a\na: a | b\nb: a | \"x\"", {"x"}, {"", "xx"}},
      {"start: a\na: a | \"\"", {""}, {"x"}},
      {"start: \"x\" start \"x\" | \"x\"", {"x", "xxx", std::string(99, 'x')}, {"xx"}},
      {"start: e\ne: e \"+\" e | \"-\" e | \"1\"", {"1", "-1+-1+1", "--1"}, {"1-1", "+"}},
      {"start: A start | \"x\" start* \"y\"\nA: \"a\"", {"xy", "aaxxyaxyy"}, {"a", "xxy"}},
  });
  // Right recursion takes no room, however long the text.
  const GrammarResult right = compile("root ::= [a-z] root | \".\"");
  CHECK(accepts(*right.constraint, std::string(100'000, 'q') + "."));
  CHECK(state_count(*right.constraint) < 10);
  const GrammarResult left = compile("root ::= root [a-z] | \".\"");
  CHECK(accepts(*left.constraint, "." + std::string(100'000, 'q')));
  CHECK(state_count(*left.constraint) < 10);
  const GrammarResult binary = compile("root ::= root \"+\" root | \"-\" root | [0-9]");
  std::string sum = "1";
  for (int i = 0; i < 10'000; ++i) sum += "+-2";
  CHECK(accepts(*binary.constraint, sum));
  CHECK(state_count(*binary.constraint) < 30);
}

TEST_CASE("schemas stand as terminals") {
  const GrammarResult made = compile(R"(start: "call " NAME " " args
NAME: /[a-z]+/
args: %json {"type": "object", "additionalProperties": {"type": "integer"}} | "none")");
  CHECK(accepts(*made.constraint, "call f none"));
  CHECK(accepts(*made.constraint, R"(call f {"a":1,"b":2})"));
  CHECK_FALSE(accepts(*made.constraint, R"(call f {"a":1,"a":2})"));  // a key comes once
  CHECK_FALSE(accepts(*made.constraint, R"(call f {"a":"x"})"));
  CHECK_FALSE(accepts(*made.constraint, R"(call f {"a":1)"));
  CHECK(accepts_prefix(*made.constraint, R"(call f {"a":1)"));
  const GrammarResult numbers = compile(R"(start: (%json {"type": "integer"} ",")+)");
  CHECK(accepts(*numbers.constraint, "1,-20,"));
  CHECK_FALSE(accepts(*numbers.constraint, "1,-,"));
}

TEST_CASE("wrong grammars are refused with their place") {
  struct Wrong {
    std::string grammar;
    GrammarStatus status;
    std::size_t line, column;
    const char* message;
  };
  using enum GrammarStatus;
  for (const Wrong& wrong : std::vector<Wrong>{
           {"start: a\nb: \"x\"", kInvalid, 1, 8, "there is no rule 'a'"},
           {"start: numbr\nnumber: \"x\"", kInvalid, 1, 8, "did you mean 'number'?"},
           {"begin: \"x\"", kInvalid, 0, 0, "there is no rule 'start'"},
           {"start: \"x\"\nstart: \"y\"", kInvalid, 2, 1, "defined twice"},
           {"start: \"x", kInvalid, 1, 8, "has no end"},
           {"start: (\"x\"", kInvalid, 1, 12, "expected ')'"},
           {"start: \"x\" )", kInvalid, 1, 12, "cannot stand here"},
           {"start: 'x'", kInvalid, 1, 8, "double quotes"},
           {"start: \"\\q\"", kInvalid, 1, 9, "unknown escape"},
           {"start: /[a/\n", kInvalid, 1, 8, "column 3"},
           {"start: /a/x", kUnsupported, 1, 11, "flag 'x'"},
           {"start: /\\bfoo/", kUnsupported, 1, 8, "before or after"},
           {"start: /if(?!x)/ /y/", kUnsupported, 1, 8, "before or after"},
           {"start: /^a/", kUnsupported, 1, 8, "before or after"},
           {"start: \"a\" ~ x", kInvalid, 1, 14, "expected a number"},
           {"start: \"a\" ~ 3..2", kInvalid, 1, 12, "max < min"},
           {"start: A\nA: \"x\" b\nb: \"y\"", kInvalid, 2, 8, "'b' is a rule"},
           {"start: A\nA: \"x\" B\nB: A?", kInvalid, 2, 1, "defined by itself"},
           {"start: t{\"x\"}", kInvalid, 1, 8, "no template 't'"},
           {"start: t{\"x\"}\nt{a, b}: a b", kInvalid, 1, 8, "takes 2 arguments"},
           {"start: t{\"x\"}\nt{a}: \"b\" t{(a a)}", kLimit, 2, 11, "templates"},
           {"%declare A\nstart: A", kUnsupported, 1, 1, "%declare"},
           {"%import common.FOO\nstart: \"a\"", kInvalid, 1, 16, "has no terminal 'FOO'"},
           {"%import other.FOO\nstart: \"a\"", kUnsupported, 1, 1, "'common'"},
           {"start: <|end|>", kUnsupported, 1, 8, "tokens"},
           {"start: %json {\"type\": \"strin\"}", kInvalid, 1, 8, "schema"},
           {"start: \"a\" b\nb: \"c\" b", kUnsatisfiable, 0, 0, "no text"},
           {"start: \"a\"\n  \"b\"", kInvalid, 2, 3, "name of a rule"},
           {"root ::= \"a\" b", kInvalid, 1, 14, "there is no rule 'b'"},
           {"root ::= [a", kInvalid, 1, 10, "no end"},
           {"root ::= \"a\" )", kInvalid, 1, 14, "cannot stand"},
           {"root ::= \"a\"{3,2}", kInvalid, 1, 13, "max < min"},
           {"root ::= [z-a]", kInvalid, 1, 11, "out of order"},
           {"root = \"a\"\nx ::= \"b\"", kInvalid, 1, 6, "expected '::='"},
           {"root ::= <think>", kUnsupported, 1, 10, "tokens"},
           {"root ::= \"\\uD800\"", kInvalid, 1, 11, "not stand for a character"},
       }) {
    CAPTURE(wrong.grammar);
    const GrammarResult made = compile_grammar(wrong.grammar);
    CHECK(made.status == wrong.status);
    CHECK(made.line == wrong.line);
    CHECK(made.column == wrong.column);
    CHECK_MESSAGE(made.message.find(wrong.message) != std::string::npos, made.message);
  }
}

TEST_CASE("rules that say nothing are left out and listed") {
  const GrammarResult made = compile("start: \"a\" | dead\ndead: \"x\" dead\nspare: \"y\"");
  CHECK(made.warnings == std::vector<std::string>{"the rule 'dead' matches no text", "the rule 'spare' is not used"});
  CHECK_FALSE(accepts_prefix(*made.constraint, "x"));
  // Rules that are copied to where they are used, and what is imported, are used.
  CHECK(
      compile("start: a b\na: \"x\"\nb: a | INT\n%import common.INT\n%import common.WS\n%ignore WS").warnings.empty());
}

TEST_CASE("hostile grammars end soon, with an error or within the limits") {
  const auto many = [](std::string_view what, std::size_t n) {
    std::string out;
    for (std::size_t i = 0; i < n; ++i) out += what;
    return out;
  };
  std::string doubling = "start: a0\n";
  for (int i = 0; i < 60; ++i)
    doubling += "a" + std::to_string(i) + ": a" + std::to_string(i + 1) + " a" + std::to_string(i + 1) + "\n";
  doubling += "a60: \"x\"\n";
  std::string terminals = "start: A0\n";
  for (int i = 0; i < 60; ++i)
    terminals += "A" + std::to_string(i) + ": A" + std::to_string(i + 1) + " A" + std::to_string(i + 1) + "\n";
  terminals += "A60: \"x\"\n";
  std::string chain = "start: a0\n";
  for (int i = 0; i < 40'000; ++i) chain += "a" + std::to_string(i) + ": a" + std::to_string(i + 1) + "\n";
  chain += "a40000: \"x\"\n";
  std::string mutual = "start: a0\n";
  for (int i = 0; i < 2000; ++i)
    mutual += "a" + std::to_string(i) + ": a" + std::to_string((i + 1) % 2000) + " \"x\" | \"y\"\n";
  std::string templates = "start: t0{\"a\"}\n";
  for (int i = 0; i < 50; ++i) {
    const std::string next = "t" + std::to_string(i + 1);
    templates += "t" + std::to_string(i) + "{x}: " + next + "{(x \"l\")} " + next + "{(x \"r\")}\n";
  }
  templates += "t50{x}: x\n";
  const std::vector<std::pair<std::string, GrammarStatus>> hostile = {
      {"start: " + many("(", 100'000) + "\"a\"" + many(")", 100'000), GrammarStatus::kLimit},
      {"start: " + many("[", 100'000), GrammarStatus::kLimit},
      {"start: /" + many("(", 30'000) + "/", GrammarStatus::kLimit},
      {"start: \"a\" ~ 1000000", GrammarStatus::kLimit},
      {"start: ((\"a\" ~ 1000) ~ 1000) ~ 1000", GrammarStatus::kLimit},
      {"start: (\"\" ~ 1000000) ~ 1000000", GrammarStatus::kLimit},
      {"start: /(a{1000}){1000}/", GrammarStatus::kLimit},
      {"start: ((\"a\"*)*)*  | ((\"\"?)+)*", GrammarStatus::kOk},
      {"start: \"a\"" + many("|\"a\"", 250'000), GrammarStatus::kOk},
      {"start: \"ab\"" + many("|\"cd\"", 180'000), GrammarStatus::kOk},
      {doubling, GrammarStatus::kUnsatisfiable},
      {terminals, GrammarStatus::kUnsatisfiable},
      {chain, GrammarStatus::kOk},
      {mutual, GrammarStatus::kOk},
      {templates, GrammarStatus::kLimit},
      {"start: /(a|b)*a(a|b){18}/", GrammarStatus::kOk},
      {"start: /(a?){4000}/", GrammarStatus::kLimit},
      {"start: /(a?){1000}/", GrammarStatus::kOk},
      {"root ::= \"a\"" + many("*", 100'000), GrammarStatus::kLimit},
      {many("%import common.NUMBER -> A\n", 30'000), GrammarStatus::kInvalid},
      {many("x", 2 << 20), GrammarStatus::kLimit},
      {many("a: a\n", 100'000), GrammarStatus::kLimit},
      {many("a: a\n", 40'000), GrammarStatus::kInvalid},
  };
  for (const auto& [grammar, status] : hostile) {
    CAPTURE(grammar.substr(0, 100));
    const std::clock_t begin = std::clock();  // of this process: other work on the machine does not count
    const GrammarResult made = compile_grammar(grammar);
    CHECK_MESSAGE(made.status == status, made.message);
    if (made.ok()) accepts_prefix(*made.constraint, "aaaaaaaabbbbbbbbbbbbbaaaaaaaaaaaaaaaaa");
    const double took = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    CHECK(took < 60);  // finds what would not end; a sanitizer makes the slowest take 6 s
  }
}

TEST_CASE("open rules are bounded: a text that nests deeper is over the limit, and no other") {
  GrammarOptions options;
  options.limits.max_depth = 100;
  const GrammarResult made = compile_grammar("root ::= \"(\" root \")\" | \"x\"", options);
  REQUIRE(made.ok());
  CHECK(accepts(*made.constraint, std::string(90, '(') + "x" + std::string(90, ')')));
  CHECK_FALSE(accepts(*made.constraint, std::string(110, '(') + "x" + std::string(110, ')')));
  Matcher matcher(made.constraint, Vocabulary::from_bytes({"(", ")", "x", "((((((((((", ""}, {4}));
  while (matcher.accept(3)) {
  }
  CHECK(matcher.accepted() >= 9);
  const auto mask = matcher.mask();
  if (!mask.ok()) CHECK(mask.error().kind == sgl::base::ErrorKind::kLimit);
  matcher.rollback(3);
  CHECK(matcher.mask().ok());
}
