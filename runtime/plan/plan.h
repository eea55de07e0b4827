// The execution plan: what the compiler produces and the runtime executes. A plan is a complete value: types,
// constants, functions in register code, and the programs a caller may start.
//
// Register code. Each function has registers, each with a fixed representation (Rep): unboxed int, float and bool,
// or boxed (a tagged value). Instructions are executed in order from 0; `jump` and `branch` go to instruction
// indices. All registers start as zero / false / null; the parameters are registers 0 … param_count-1.
// One unit of fuel is charged on every backward jump and every call; both executors charge alike.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/ids.h"

namespace sgl::plan {

// Raised with every change to the meaning of a plan; a plan of another version is refused.
constexpr std::uint32_t kPlanVersion = 2;

using TypeId = base::Id<struct TypeTag>;
using ConstId = base::Id<struct ConstTag>;
using FunctionId = base::Id<struct FunctionTag>;
using Reg = std::uint32_t;
constexpr std::uint32_t kNone = 0xFFFFFFFF;  // "no operand"

// ---- types -------------------------------------------------------------------------------------------------------

enum class TypeKind : std::uint8_t {
  kNull,
  kBool,
  kInt,
  kFloat,
  kString,
  kLiteral,  // exactly `literal` (a string, int, bool; null is kNull)
  kList,     // args[0]
  kRecord,   // fields
  kUnion,    // args, at least two, none of them a union; `T?` is a union with null
  kRegex,    // a string that matches `pattern` as a whole
  kGrammar,  // a string that the grammar in `pattern` derives (constraint/grammar.h has the notations)
  kJson,     // any JSON value; with a `pattern` one that this JSON Schema allows. Boxed, of any kind but records
};

struct Field {
  std::string name;
  TypeId type;            // the type when present
  bool optional = false;  // may be left out; then its value is null
  std::string doc;
};

struct Literal {
  enum class Kind : std::uint8_t { kString, kInt, kBool } kind = Kind::kString;
  std::string text;         // kString
  std::int64_t number = 0;  // kInt; kBool as 0 or 1
  friend bool operator==(const Literal&, const Literal&) = default;
};

struct Type {
  TypeKind kind = TypeKind::kNull;
  std::string name;  // the declared name, "" for anonymous types
  std::string doc;
  std::int64_t min_size = 0;   // kString: code points; kList: items
  std::int64_t max_size = -1;  // -1: unbounded
  std::optional<std::int64_t> min_int, max_int;
  std::optional<double> min_float, max_float;
  // kRegex (whole text), kString (search anywhere, as in JSON Schema; "" for none); kGrammar: the grammar's text;
  // kJson: the schema's text, "" for none.
  std::string pattern;
  std::string format;  // kString; kJson: the name of the schema's file, as the source has it
  Literal literal;
  std::vector<TypeId> args;
  std::vector<Field> fields;
};

// How a register or parameter holds a value of a type: kInt, kFloat and kBool types (refined or not) are unboxed.
enum class Rep : std::uint8_t { kBoxed, kInt, kFloat, kBool };

// ---- constants ---------------------------------------------------------------------------------------------------

// A list or record refers to constants with smaller ids, so constants cannot be cyclic.
struct Constant {
  enum class Kind : std::uint8_t { kNull, kBool, kInt, kFloat, kString, kList, kRecord } kind = Kind::kNull;
  std::int64_t number = 0;  // kInt; kBool as 0 or 1
  double real = 0;
  std::string text;
  std::vector<ConstId> items;  // kList; kRecord: one per field of `type`
  TypeId type;                 // kRecord
};

// ---- code --------------------------------------------------------------------------------------------------------

// X(enumerator, spelling, dst, a, b, c, has_args). Operand letters, for printer, parser, verifier and executors:
//   -  unused (kNone)      B boxed register     I int   F float   L bool register     * register of any rep
//   k  constant id         f function id        t type id         j instruction index (jump target)
//   n  plain number        u builtin id (Builtin)                 r role (Role)
//   g  index into Plan::gens   s Plan::selects   p Plan::parallels   w Plan::tools
//   ?X in lower position: register X or kNone — written as 'o' = optional boxed register
// has_args: operands c.. are replaced by `args` [b, b + c) of Function::args; then b and c are written 'A','-'.
#define SGL_PLAN_OPS(X)                                                                                                \
  X(kConst, "const", '*', 'k', '-', '-', 0) /* dst = constant of dst's rep                     */                      \
  X(kMove, "move", '*', '*', '-', '-', 0)   /* same rep                                        */                      \
  X(kBox, "box", 'B', '*', '-', '-', 0)     /* from int, float or bool                         */                      \
  X(kUnbox, "unbox", '*', 'B', '-', '-', 0) /* to int, float or bool; fails on another kind    */                      \
  X(kAddI, "add.i", 'I', 'I', 'I', '-', 0)  /* integer arithmetic fails on overflow            */                      \
  X(kSubI, "sub.i", 'I', 'I', 'I', '-', 0)                                                                             \
  X(kMulI, "mul.i", 'I', 'I', 'I', '-', 0)                                                                             \
  X(kDivI, "div.i", 'I', 'I', 'I', '-', 0) /* truncates; fails on zero                        */                       \
  X(kModI, "mod.i", 'I', 'I', 'I', '-', 0) /* sign of the dividend; fails on zero             */                       \
  X(kNegI, "neg.i", 'I', 'I', '-', '-', 0)                                                                             \
  X(kAddF, "add.f", 'F', 'F', 'F', '-', 0) /* IEEE 754 double                                 */                       \
  X(kSubF, "sub.f", 'F', 'F', 'F', '-', 0)                                                                             \
  X(kMulF, "mul.f", 'F', 'F', 'F', '-', 0)                                                                             \
  X(kDivF, "div.f", 'F', 'F', 'F', '-', 0) /* fails on zero                                   */                       \
  X(kNegF, "neg.f", 'F', 'F', '-', '-', 0)                                                                             \
  X(kIntToFloat, "int_to_float", 'F', 'I', '-', '-', 0)                                                                \
  X(kEqI, "eq.i", 'L', 'I', 'I', '-', 0)                                                                               \
  X(kLtI, "lt.i", 'L', 'I', 'I', '-', 0)                                                                               \
  X(kLeI, "le.i", 'L', 'I', 'I', '-', 0)                                                                               \
  X(kEqF, "eq.f", 'L', 'F', 'F', '-', 0)                                                                               \
  X(kLtF, "lt.f", 'L', 'F', 'F', '-', 0)                                                                               \
  X(kLeF, "le.f", 'L', 'F', 'F', '-', 0)                                                                               \
  X(kEqL, "eq.b", 'L', 'L', 'L', '-', 0)                                                                               \
  X(kNot, "not", 'L', 'L', '-', '-', 0)                                                                                \
  X(kEq, "eq", 'L', 'B', 'B', '-', 0)    /* deep equality; 1 == 1.0                         */                         \
  X(kLtS, "lt.s", 'L', 'B', 'B', '-', 0) /* strings, by code point                          */                         \
  X(kLeS, "le.s", 'L', 'B', 'B', '-', 0)                                                                               \
  X(kJump, "jump", '-', 'j', '-', '-', 0)                                                                              \
  X(kBranch, "branch", '-', 'L', 'j', 'j', 0) /* to b if a, else to c                            */                    \
  X(kReturn, "return", '-', '*', '-', '-', 0) /* a has the rep of Function::result               */                    \
  X(kFail, "fail", '-', 'B', '-', '-', 0)     /* ends the instance: kind failed, message a       */                    \
  X(kConcat, "concat", 'B', '-', 'A', '-', 1) /* strings                                         */                    \
  X(kFormat, "format", 'B', '*', 'o', '-', 0) /* text of a value; b: format spec (string) if any */                    \
  X(kLen, "len", 'I', 'B', '-', '-', 0)       /* code points of a string, items of a list        */                    \
  X(kListNew, "list", 'B', '-', 'A', '-', 1)                                                                           \
  X(kListPush, "push", 'B', 'B', '*', '-', 0)      /* dst = a with b appended; in place when unshared */               \
  X(kIndex, "index", '*', 'B', 'I', '-', 0)        /* item of a list / character; negative: from the end */            \
  X(kSetIndex, "set_index", 'B', 'B', 'I', '*', 0) /* dst = a with item b replaced by c               */               \
  X(kSlice, "slice", 'B', 'B', 'I', 'I', 0)        /* [b, c), clamped; negative: from the end         */               \
  X(kRecordNew, "record", 'B', 't', 'A', '-', 1)   /* args: one per field of a                        */               \
  X(kField, "field", '*', 'B', 'n', '-', 0)        /* field number b of record a                      */               \
  X(kSetField, "set_field", 'B', 'B', 'n', '*', 0) /* dst = a with field b replaced by c              */               \
  X(kCall, "call", '*', 'f', 'A', '-', 1)          /* fn, prompt (same context), program (fresh one)  */               \
  X(kBuiltin, "builtin", '*', 'u', 'A', '-', 1)                                                                        \
  X(kRoleBegin, "role", '-', 'r', '-', '-', 0) /* opens a message                                 */                   \
  X(kRoleEnd, "end_role", '-', '-', '-', '-', 0)                                                                       \
  X(kText, "text", '-', 'B', '-', '-', 0)                /* appends to the open message, or raw             */         \
  X(kGen, "gen", '*', 'g', 'A', '-', 1)                  /* args: values of GenSpec::options, in order      */         \
  X(kSelect, "select", 'B', 's', 'A', '-', 1)            /* args: [choices], then scores register if wanted */         \
  X(kParallelFor, "parallel_for", 'B', 'f', 'A', '-', 1) /* args: list, bound (int, <= 0: none), captures … */       \
  X(kParallel, "parallel", 'B', 'p', 'A', '-', 1)        /* args: arguments of all entries, concatenated    */         \
  X(kTool, "tool", '*', 'w', 'A', '-', 1)                /* args: one per parameter; waits for the answer     */       \
  X(kTry, "try", 'B', 'j', 't', '-', 0) /* a failure before its end_try: context back, dst = record of type b, to a */ \
  X(kTryEnd, "end_try", '-', '-', '-', '-', 0) /* ends the innermost try of this frame           */

enum class Op : std::uint8_t {
#define SGL_ENUM(name, text, d, a, b, c, v) name,
  SGL_PLAN_OPS(SGL_ENUM)
#undef SGL_ENUM
};

struct OpInfo {
  Op op;
  std::string_view name;
  std::array<char, 4> operands;  // dst, a, b, c
  bool has_args;
};
// Table indexed by Op.
extern const std::vector<OpInfo> kOps;

struct Inst {
  Op op = Op::kConst;
  std::uint32_t dst = kNone, a = kNone, b = kNone, c = kNone;
};

// Built-in functions over values; signatures are in builtin_info. All are pure.
#define SGL_PLAN_BUILTINS(X)                                                                                           \
  X(kUpper, "upper")                                                                                                   \
  X(kLower, "lower")                                                                                                   \
  X(kTrim, "trim") X(kSplit, "split") X(kJoin, "join") X(kReplace, "replace") X(kContains, "contains")                 \
      X(kStartsWith, "starts_with") X(kEndsWith, "ends_with") X(kFind, "find") X(kRepeat, "repeat") X(kLines, "lines") \
          X(kChars, "chars") X(kParseInt, "parse_int") X(kParseFloat, "parse_float") X(kRound, "round")                \
              X(kRoundTo, "round_to") X(kFloor, "floor") X(kCeil, "ceil") X(kTruncate, "truncate") X(kAbs, "abs")      \
                  X(kMin, "min") X(kMax, "max") X(kSum, "sum") X(kRange, "range") X(kSorted, "sorted")                 \
                      X(kReversed, "reversed") X(kIndexOf, "index_of") X(kListContains, "list_contains")               \
                          X(kListConcat, "list_concat") X(kToJson, "to_json") X(kFirst, "first") X(kLast, "last")      \
                              X(kSqrt, "sqrt") X(kPow, "pow") X(kJsonGet, "json_get") X(kJsonItems, "json_items")      \
                                  X(kJsonKeys, "json_keys")

enum class Builtin : std::uint8_t {
#define SGL_ENUM(name, text) name,
  SGL_PLAN_BUILTINS(SGL_ENUM)
#undef SGL_ENUM
};
struct BuiltinInfo {
  Builtin id;
  std::string_view name;
  std::uint8_t min_args, max_args;
};
extern const std::vector<BuiltinInfo> kBuiltins;  // indexed by Builtin

enum class Role : std::uint8_t { kSystem, kUser, kAssistant };
std::string_view role_name(Role role);

enum class FunctionKind : std::uint8_t {
  kFn,       // pure: no context instruction, calls only kFn
  kPrompt,   // works on the caller's context
  kProgram,  // starts with an empty context
  kFork,     // body of a parallel for or branch: works on a fork of the context; parallel for passes (item, index,
             // captures …)
};

struct SourcePosition {
  std::uint32_t file = 0;  // index into Plan::files
  std::uint32_t line = 0;  // from 1; 0: unknown
  std::uint32_t column = 0;
};

struct Function {
  std::string name;
  FunctionKind kind = FunctionKind::kFn;
  std::uint32_t param_count = 0;
  std::vector<Rep> regs;
  Rep result = Rep::kBoxed;
  TypeId result_type;
  std::vector<Inst> code;
  std::vector<std::uint32_t> args;        // operand lists of instructions with has_args
  std::vector<SourcePosition> positions;  // one per instruction
};

// ---- talking to the model ----------------------------------------------------------------------------------------

enum class GenOption : std::uint8_t {
  kTemperature,
  kTopP,
  kTopK,
  kMinP,
  kMaxTokens,
  kMinTokens,
  kStop,
  kSeed,
  kFrequencyPenalty,
  kPresencePenalty,
  kRepetitionPenalty,
  kLogitBias,
  kN,
  kLogprobs,
};
std::string_view gen_option_name(GenOption option);

struct GenSpec {
  std::string name;                // variable name, for streams and traces
  TypeId type;                     // of one generated value
  std::vector<GenOption> options;  // given ones, strictly ascending; their values are the instruction's args
  // Static upper bound of max_tokens where it is a constant, else 0 (then the default or the run's bound applies).
  std::int64_t max_tokens = 0;
  bool many = false;      // `n` given: the result is a list of values
  bool logprobs = false;  // the instruction's last arg is a boxed register that receives list<float>
};

enum class SelectMethod : std::uint8_t {
  kTokenLengthNormalized,
  kGreedyTokenSelection,
  kUnconditionalLikelihoodNormalized
};
std::string_view select_method_name(SelectMethod method);

struct SelectSpec {
  std::string name;
  SelectMethod method = SelectMethod::kTokenLengthNormalized;
  bool scores = false;  // the instruction's second arg is a boxed register that receives list<float>
};

// Functions that run side by side; the instruction's value is a record of `type` with one field per entry.
struct ParallelSpec {
  struct Entry {
    std::string name;     // field name
    FunctionId function;  // kFork (a branch: fork of this context) or kProgram (own context)
    std::uint32_t arg_count = 0;
  };
  TypeId type;
  std::vector<Entry> entries;
};

// ---- programs ----------------------------------------------------------------------------------------------------

struct Param {
  std::string name;
  TypeId type;
  std::optional<ConstId> default_value;
  std::string doc;
};

// What a program may spend; nullopt: the runtime's default.
struct ProgramLimits {
  std::optional<std::int64_t> tokens;  // generated tokens
  std::optional<std::int64_t> time_ms;
  std::optional<std::int64_t> forks;
  std::optional<std::int64_t> fuel;
  std::optional<std::int64_t> memory;  // bytes of values
};

// Literal beginning of a program's context, the same for every call: tokenised and cached before the first one.
struct PrefixPart {
  std::optional<Role> role;  // nullopt: raw text
  std::string text;
  bool open = false;  // the message continues after this text
  friend bool operator==(const PrefixPart&, const PrefixPart&) = default;
};

// Upper bounds of what every run is charged; nullopt: unbounded (a loop without a bound).
struct Bounds {
  std::optional<std::int64_t> generated_tokens;
  std::optional<std::int64_t> generations;
  std::optional<std::int64_t> forks;
};

struct Program {
  std::string name;
  std::string doc;
  FunctionId function;
  std::vector<Param> params;  // as the function's parameters
  TypeId result;
  ProgramLimits limits;
  std::vector<PrefixPart> prefix;
  Bounds bounds;
};

// A function of the world outside. What its name is bound to is the operator's configuration (exec/tool_port.h).
struct Tool {
  std::string name;
  std::string doc;
  std::vector<Param> params;  // without defaults: the compiler puts them in
  TypeId result;              // what the answer is checked against
};

// What a generation of the type has to conform to, compiled (constraint/compiled.h). Not part of what the plan means:
// without it, or when another constraint engine made it, the runtime compiles the type. Nothing shows that the bytes
// are those of the type, so they are used only of plans whose author is believed (exec/executor.h).
struct CompiledConstraint {
  TypeId type;
  std::string bytes;  // any bytes; base64url in the binary and in the text form
};

struct Plan {
  std::string compiler;            // version that made it
  std::vector<std::string> files;  // source file names, for messages
  std::vector<Type> types;
  std::vector<Constant> constants;
  std::vector<Function> functions;
  std::vector<GenSpec> gens;
  std::vector<SelectSpec> selects;
  std::vector<ParallelSpec> parallels;
  std::vector<Tool> tools;
  std::vector<Program> programs;
  std::vector<CompiledConstraint> constraints;  // by ascending type

  const Type& type(TypeId id) const { return types[id.value]; }
  const Function& function(FunctionId id) const { return functions[id.value]; }
  // nullptr when there is none of that name.
  const Program* find_program(std::string_view name) const;
};

Rep rep_of(const Type& type);

}  // namespace sgl::plan
