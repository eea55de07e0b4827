// The registry of diagnostic kinds. A code never changes its meaning; tests/golden holds an example of each.
#pragma once

#include <string_view>

namespace sgl::compiler {

// X(enumerator, code, title): E is an error, W a warning.
#define SGL_DIAGNOSTICS(X)                                                    \
  X(kSyntax, "E0001", "syntax error")                                         \
  X(kUnterminatedString, "E0002", "unterminated string")                      \
  X(kBadEscape, "E0003", "unknown escape sequence")                           \
  X(kBadNumber, "E0004", "malformed number")                                  \
  X(kUnterminatedComment, "E0005", "unterminated comment")                    \
  X(kBadQuotes, "E0006", "wrong quotation marks")                             \
  X(kForeignOperator, "E0007", "operator of another language")                \
  X(kUnterminatedRegex, "E0008", "unterminated regular expression")           \
  X(kBadUtf8, "E0009", "file is not UTF-8")                                   \
  X(kChainedComparison, "E0010", "chained comparison")                        \
  X(kInterpolationHere, "E0011", "interpolation where text must be constant") \
  X(kNestedTooDeep, "E0012", "nesting too deep")                              \
  X(kMisplacedLimits, "E0013", "misplaced limits")                            \
  X(kBadAssignTarget, "E0014", "cannot assign to this")                       \
  X(kTooLarge, "E0015", "too large")                                          \
  X(kUnknownName, "E0101", "unknown name")                                    \
  X(kUnknownType, "E0102", "unknown type")                                    \
  X(kUnknownModule, "E0103", "unknown module")                                \
  X(kDuplicateName, "E0104", "name declared twice")                           \
  X(kUnknownMember, "E0105", "unknown member")                                \
  X(kImportCycle, "E0106", "import cycle")                                    \
  X(kUnknownOption, "E0107", "unknown option")                                \
  X(kUnknownMethod, "E0108", "unknown select method")                         \
  X(kUnknownArgument, "E0109", "unknown argument")                            \
  X(kUnknownLimit, "E0110", "unknown limit")                                  \
  X(kUnknownRefinement, "E0111", "unknown refinement")                        \
  X(kUnreadableFile, "E0112", "file cannot be read")                          \
  X(kNoProgram, "E0113", "no program in the file")                            \
  X(kTypeMismatch, "E0201", "type mismatch")                                  \
  X(kBadOperands, "E0202", "operator does not fit its operands")              \
  X(kNotCallable, "E0203", "not callable")                                    \
  X(kArgumentCount, "E0204", "wrong arguments")                               \
  X(kNotBool, "E0205", "condition is not a bool")                             \
  X(kNotIterable, "E0206", "not iterable")                                    \
  X(kNotIndexable, "E0207", "not indexable")                                  \
  X(kImmutable, "E0208", "assignment to a constant")                          \
  X(kMissingReturn, "E0209", "missing return")                                \
  X(kNeverEqual, "E0210", "comparison is always false")                       \
  X(kMaybeNull, "E0211", "value may be null")                                 \
  X(kMissingField, "E0212", "missing field")                                  \
  X(kDuplicateField, "E0213", "duplicate field")                              \
  X(kUnknownElementType, "E0214", "type cannot be inferred")                  \
  X(kInfiniteType, "E0215", "infinite type")                                  \
  X(kBadRefinement, "E0216", "bad refinement")                                \
  X(kNotConstant, "E0217", "not a constant")                                  \
  X(kBadFormat, "E0218", "bad format specification")                          \
  X(kIntegerRange, "E0219", "integer out of range")                           \
  X(kTypeArguments, "E0220", "wrong type arguments")                          \
  X(kModelInFn, "E0301", "model statement in a pure function")                \
  X(kNestedRole, "E0302", "role inside a role")                               \
  X(kYieldOutside, "E0303", "yield outside a fork")                           \
  X(kReturnInFork, "E0304", "return inside a fork")                           \
  X(kOutsideLoop, "E0305", "outside a loop")                                  \
  X(kAssignCaptured, "E0306", "assignment to an outer variable in a fork")    \
  X(kMissingYield, "E0307", "missing yield")                                  \
  X(kGenInRole, "E0308", "generation outside assistant")                      \
  X(kUnsatisfiable, "E0401", "type that no text satisfies")                   \
  X(kBadRegex, "E0402", "bad regular expression")                             \
  X(kUnsupportedConstraint, "E0403", "unsupported constraint")                \
  X(kDuplicateChoice, "E0404", "duplicate choice")                            \
  X(kImpossibleStop, "E0405", "stop string that cannot occur")                \
  X(kOptionRange, "E0406", "option out of range")                             \
  X(kBadGrammar, "E0407", "bad grammar")                                      \
  X(kBadSchema, "E0408", "bad JSON Schema")                                   \
  X(kUnboundedRecursion, "E0501", "recursion without end")                    \
  X(kNotSupported, "E0901", "not supported yet")                              \
  X(kUnboundedLoop, "W0601", "generations without a bound")                   \
  X(kUnusedGeneration, "W0602", "value is never used")                        \
  X(kUnreachable, "W0603", "unreachable code")

enum class DiagKind {
#define SGL_ENUM(name, code, title) name,
  SGL_DIAGNOSTICS(SGL_ENUM)
#undef SGL_ENUM
};

struct DiagInfo {
  DiagKind kind;
  std::string_view code;
  std::string_view title;
};
const DiagInfo& diag_info(DiagKind kind);

}  // namespace sgl::compiler
