// Real grammars: what they accept, masks against brute force, budgets of tokens, rollback.
#include "runtime/constraint/grammar.h"
#include "tests/unit/constraint/support.h"

namespace {

constexpr std::string_view kArithmetic = R"lark(
start: sum
sum: product | sum "+" product | sum "-" product
product: atom | product "*" atom | product "/" atom
atom: NUMBER | "-" atom | "(" sum ")" | NAME
%import common.NUMBER
%import common.CNAME -> NAME
%import common.WS_INLINE
%ignore WS_INLINE
)lark";

constexpr std::string_view kJsonLark = R"lark(
?start: value
?value: object | array | ESCAPED_STRING | SIGNED_NUMBER | "true" | "false" | "null"
array: "[" [value ("," value)*] "]"
object: "{" [pair ("," pair)*] "}"
pair: ESCAPED_STRING ":" value
%import common.ESCAPED_STRING
%import common.SIGNED_NUMBER
%import common.WS
%ignore WS
)lark";

constexpr std::string_view kJsonGbnf = R"gbnf(
root   ::= object
value  ::= object | array | string | number | ("true" | "false" | "null") ws
object ::=
  "{" ws (
            string ":" ws value
    ("," ws string ":" ws value)*
  )? "}" ws
array  ::=
  "[" ws (
            value
    ("," ws value)*
  )? "]" ws
string ::=
  "\"" (
    [^"\\\x7F\x00-\x1F] |
    "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4}) # escapes
  )* "\"" ws
number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9] [1-9]{0,15})? ws
ws ::= | " " | "\n" [ \t]{0,20}
)gbnf";

constexpr std::string_view kSql = R"lark(
start: select ";"?
select: "SELECT"i ["DISTINCT"i] columns "FROM"i table [where] [order] [limit]
columns: "*" | _list{column}
column: expr ["AS"i NAME]
table: NAME | table join NAME "ON"i condition
join: ["LEFT"i | "INNER"i] "JOIN"i
where: "WHERE"i condition
condition: condition "OR"i conjunction | conjunction
conjunction: conjunction "AND"i test | test
test: expr OP expr | "NOT"i test | "(" condition ")" | expr "IN"i "(" (_list{expr} | select) ")"
expr: expr ("+" | "-" | "*" | "/") expr | "(" expr ")" | NAME ["." NAME] | NUMBER | STRING | NAME "(" [_list{expr}] ")"
order: "ORDER"i "BY"i _list{ordered}
ordered: expr ["ASC"i | "DESC"i]
limit: "LIMIT"i INT
_list{item}: item ("," item)*
OP: "=" | "<>" | "<" | ">" | "<=" | ">="
NAME: /[A-Za-z_][A-Za-z_0-9]*/
STRING: /'([^']|'')*'/
%import common (NUMBER, INT, WS)
%ignore WS
)lark";

constexpr std::string_view kCExpression = R"gbnf(
root ::= assign
assign ::= unary assign-op assign | cond
assign-op ::= ws ("=" | "+=" | "-=") ws
cond ::= or (ws "?" ws root ws ":" ws cond)?
or ::= and | or ws "||" ws and
and ::= cmp | and ws "&&" ws cmp
cmp ::= add | cmp ws ("<" | ">" | "==" | "!=") ws add
add ::= mul | add ws [-+] ws mul
mul ::= unary | mul ws [*/%] ws unary
unary ::= [-!~*&] unary | postfix | "sizeof" ws unary
postfix ::= primary | postfix "[" root "]" | postfix "(" args? ")" | postfix ("." | "->") ident | postfix "++"
args ::= assign | args "," ws assign
primary ::= ident | [0-9]+ | "(" root ")" | "'" [^'\\\n] "'"
ident ::= [a-zA-Z_] [a-zA-Z_0-9]*
ws ::= " "?
)gbnf";

constexpr std::string_view kChess = R"gbnf(
# Specifies chess moves as a list in algebraic notation, using PGN conventions
root   ::= "1. " move " " move "\n" ([1-9] [0-9]? ". " move " " move "\n")+
move   ::= (pawn | nonpawn | castle) [+#]?
# piece type, optional file/rank, optional capture, dest file & rank
nonpawn ::= [NBKQR] [a-h]? [1-8]? "x"? [a-h] [1-8]
# optional file & capture, dest file & rank, optional promotion
pawn   ::= ([a-h] "x")? [a-h] [1-8] ("=" [NBKQR])?
castle ::= "O-O" "-O"?
)gbnf";

constexpr std::string_view kList = R"gbnf(
root ::= item+
# Excludes various line break characters
item ::= "- " [^\r\n\x0b\x0c\x85\u2028\u2029]+ "\n"
)gbnf";

struct Real {
  std::string_view grammar;
  std::vector<std::string> accepted, rejected;
};

const std::vector<Real>& real_grammars() {
  static const std::vector<Real> all = {
      {kArithmetic, {"1", "a + -2*(b - 3.5e2) / -c", "((x))"}, {"", "1 +", "(1", "1 2", "+1"}},
      {kJsonLark,
       {R"({"a": [1, -2.5, true, null], "b": {"c": "x\"y"}})", "[]", " [ ] ", "\"\"", "12"},
       {"[1,]", "{\"a\"}", "{a: 1}", "tru", "[1 2]"}},
      {kJsonGbnf, {R"({"a": [1, -2.5, true], "b": {"c": "x\u00e9"}})", "{}"}, {"[]", "{\"a\":}", "{\"a\": 1,}"}},
      {kSql,
       {"SELECT * FROM users",
        "select a.b AS c, count(x) FROM t LEFT JOIN u ON a = b WHERE x IN (1, 2) OR NOT y <> 'it''s' "
        "ORDER BY a DESC LIMIT 10;",
        "SELECT DISTINCT f(1 + 2 * (3 - x)) FROM t WHERE (a < 1 AND b IN (SELECT c FROM d))"},
       {"SELECT FROM", "SELECT * FROM t WHERE", "SELECT * FROM t LIMIT x", "UPDATE t"}},
      {kCExpression,
       {"a", "x = y[i]->f(1, b++) ? -z : sizeof c && 'q' == d", "a.b.c[0](x)(y)", "*p += (1 < 2) || !q"},
       {"", "a +", "f(", "1 = ", "a b", "''"}},
      {kChess,
       {"1. e4 e5\n2. Nf3 Nc6\n", "1. O-O-O axb8=Q+\n12. Rd1xd8# e4\n"},
       {"1. e4 e5\n", "1. z9 e5\n2. a1 a2\n"}},
      {kList, {"- a\n", "- buy milk\n- \u00e9\n"}, {"", "- \n", "a\n", "- a"}},
  };
  return all;
}

ConstraintPtr compile(std::string_view grammar) {
  GrammarResult made = compile_grammar(grammar);
  REQUIRE_MESSAGE(made.ok(), made.line << ":" << made.column << ": " << made.message);
  return made.constraint;
}

// Bytes, and pieces of the texts above.
std::shared_ptr<const Vocabulary> vocabulary_of_texts() {
  std::vector<std::string> bytes;
  for (int b = 0; b < 256; ++b) bytes.emplace_back(1, static_cast<char>(b));
  std::mt19937 random(3);
  for (const Real& real : real_grammars()) {
    for (const std::string& text : real.accepted) {
      for (int i = 0; i < 20 && text.size() > 2; ++i) {
        const std::size_t begin = random() % (text.size() - 1);
        bytes.push_back(text.substr(begin, 2 + random() % 6));
      }
    }
  }
  bytes.emplace_back("");
  const auto eos = static_cast<TokenId>(bytes.size() - 1);
  return Vocabulary::from_bytes(std::move(bytes), {eos});
}

}  // namespace

TEST_CASE("real grammars accept and reject as they should") {
  for (const Real& real : real_grammars()) {
    CAPTURE(std::string(real.grammar));
    const ConstraintPtr constraint = compile(real.grammar);
    for (const std::string& text : real.accepted) {
      CHECK_MESSAGE(accepts(*constraint, text), text);
      for (std::size_t i = 0; i < text.size(); ++i) CHECK(accepts_prefix(*constraint, text.substr(0, i)));
    }
    for (const std::string& text : real.rejected) CHECK_MESSAGE(!accepts(*constraint, text), text);
  }
}

TEST_CASE("masks of grammars equal brute force") {
  const auto vocabulary = vocabulary_of_texts();
  for (const Real& real : real_grammars()) {
    const ConstraintPtr constraint = compile(real.grammar);
    for (const std::string& text : real.accepted) {
      Matcher matcher(constraint, vocabulary);
      for (std::size_t i = 0; i <= text.size(); ++i) {
        const auto mask = matcher.mask();
        REQUIRE(mask.ok());
        for (std::size_t t = 0; t < vocabulary->size(); ++t) {
          Matcher trial = matcher;
          const bool allowed = trial.accept(static_cast<TokenId>(t));
          if (allowed != (*mask)->test(static_cast<TokenId>(t))) {
            FAIL_CHECK("after '" << text.substr(0, i) << "', token '" << vocabulary->bytes(static_cast<TokenId>(t))
                                 << "'");
          }
        }
        if (i < text.size()) REQUIRE(matcher.accept(static_cast<unsigned char>(text[i])));
      }
      CHECK(matcher.is_complete());
    }
  }
}

TEST_CASE("whatever max_tokens is, from the shortest text on, the text is whole") {
  const auto vocabulary = vocabulary_of_texts();
  std::mt19937 random(5);
  for (const Real& real : real_grammars()) {
    const ConstraintPtr constraint = compile(real.grammar);
    const auto shortest = static_cast<std::int64_t>(min_length(*constraint));
    for (std::int64_t budget = std::max<std::int64_t>(shortest, 1); budget < shortest + 40; ++budget) {
      Matcher matcher(constraint, vocabulary);
      std::string text;
      for (std::int64_t left = budget; left > 0 && !matcher.is_final(); --left) {
        const auto mask = matcher.mask_within(left - 1);
        REQUIRE(mask.ok());
        std::vector<TokenId> allowed;
        for (std::size_t t = 0; t + 1 < vocabulary->size(); ++t) {
          if ((*mask)->test(static_cast<TokenId>(t))) allowed.push_back(static_cast<TokenId>(t));
        }
        if (allowed.empty()) {  // nothing more fits
          REQUIRE(matcher.is_complete());
          REQUIRE((*mask)->test(static_cast<TokenId>(vocabulary->size() - 1)));
          break;
        }
        const TokenId token = allowed[random() % allowed.size()];
        REQUIRE(matcher.accept(token));
        text += vocabulary->bytes(token);
      }
      CHECK_MESSAGE(accepts(*constraint, text), text);
    }
  }
}

TEST_CASE("copies of a matcher and rollbacks are independent") {
  const auto vocabulary = small_vocabulary();
  const ConstraintPtr constraint = compile(kArithmetic);
  Matcher matcher(constraint, vocabulary);
  const std::string text = "(1+(2*3))";
  std::vector<std::shared_ptr<const TokenMask>> masks;
  for (char c : text) {
    masks.push_back(*matcher.mask());
    REQUIRE(matcher.accept(static_cast<unsigned char>(c)));
  }
  CHECK(matcher.is_complete());
  Matcher copy = matcher;
  for (std::size_t i = text.size(); i-- > 0;) {
    matcher.rollback(1);
    CHECK(std::ranges::equal((*matcher.mask())->words(), masks[i]->words()));
  }
  CHECK(copy.is_complete());
  CHECK(copy.accept('+'));
  CHECK_FALSE(copy.is_complete());
}
