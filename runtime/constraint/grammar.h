// Context-free grammars as constraints, in two notations: Lark's EBNF and the GBNF of llama.cpp.
//
// A text satisfies a grammar iff it can be derived from the start rule (`start`; GBNF: `root`), where a terminal (a
// string, a regular expression, a rule of Lark that is named in capitals) stands for every text that it matches as a
// whole. That is all: there is no longest match, and a keyword is also a name if the pattern of names matches it (as
// with Lark's dynamic lexer). Ambiguous and left-recursive grammars, rules that match nothing and cycles of rules are
// fine; what is accepted is always the grammar's exact language, with one exception: white space that `%ignore` allows
// comes in runs of at most about GrammarLimits::whitespace_run bytes, so that no output is endless white space.
//
// References: https://lark-parser.readthedocs.io/en/stable/grammar.html;
// https://github.com/ggml-org/llama.cpp/tree/master/grammars; R. Moore, Removing Left Recursion from Context-Free
// Grammars, NAACL 2000 (the left-corner relation); M. Tomita, Efficient Parsing for Natural Language, 1985
// (graph-structured stacks); D. Knuth, A Generalization of Dijkstra's Algorithm, IPL 6 (1977) (shortest completions).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/constraint/constraint.h"

namespace sgl::constraint {

struct GrammarLimits {
  std::size_t max_bytes = 1 << 20;          // of the text; grammars of whole programming languages have 100 kB
  std::size_t max_nesting = 200;            // brackets; bounds the recursion of the compiler
  std::size_t max_rules = 50'000;           // with the instances of templates, which may multiply
  std::size_t max_nodes = 300'000;          // of the network that the grammar becomes; about 200 bytes each
  std::size_t max_states = 400'000;         // of the machine; some 400 bytes each
  std::size_t max_stack_nodes = 1'000'000;  // open rules and sets of them that were met; about 100 bytes each
  std::size_t max_depth = 2'000;            // of rules that are open around a place in the text
  std::size_t max_joins = 2'000'000;        // of stacks, in one step; some 10 ns each
  std::size_t max_threads = 5'000;          // places in the grammar where one text may stand; some microseconds each
  int whitespace_run = 40;                  // bytes of ignored white space in a row; models indent by less
};

enum class GrammarSyntax : std::uint8_t {
  kDetect,  // GBNF iff a line begins with a name and `::=`
  kLark,
  kGbnf,
};

enum class GrammarStatus : std::uint8_t {
  kOk,
  kUnsupported,    // a construct that is known and not supported
  kUnsatisfiable,  // no text (of less than 2^40 bytes) can be derived from the start rule
  kInvalid,        // not a grammar
  kLimit,          // over one of GrammarLimits
};

struct GrammarOptions {
  GrammarSyntax syntax = GrammarSyntax::kDetect;
  std::string start;  // the rule to start with; "": `start` or `root`
  GrammarLimits limits;
};

struct GrammarResult {
  GrammarStatus status = GrammarStatus::kOk;
  // What is wrong, when status is not kOk: one sentence, and where (bytes from the beginning; lines and columns of
  // bytes from 1). Line 0: the grammar as a whole.
  std::string message;
  std::size_t offset = 0, line = 0, column = 0;
  std::vector<std::string> warnings;             // rules that were left out: unused ones, ones that match no text
  std::shared_ptr<const Constraint> constraint;  // when status is kOk
  bool ok() const { return status == GrammarStatus::kOk; }
};

// O(grammar) for usual grammars; the automata of terminals and of alternatives are made deterministic where that stays
// small. Never throws, never recurses deeper than max_nesting allows. The machine reports `limit` for a text that
// crosses max_states, max_stack_nodes, max_depth or max_threads.
GrammarResult compile_grammar(std::string_view text, const GrammarOptions& options = {});

// The same for types: errors as those of compile_type.
base::Expected<std::shared_ptr<const Constraint>> compile_grammar_type(std::string_view text);

GrammarSyntax detect_grammar_syntax(std::string_view text);

}  // namespace sgl::constraint
