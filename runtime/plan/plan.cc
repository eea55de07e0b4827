#include "runtime/plan/plan.h"

namespace sgl::plan {

const std::vector<OpInfo> kOps = {
#define SGL_ROW(name, text, d, a, b, c, v) {Op::name, text, {d, a, b, c}, (v) != 0},
    SGL_PLAN_OPS(SGL_ROW)
#undef SGL_ROW
};

const std::vector<BuiltinInfo> kBuiltins = {
    {Builtin::kUpper, "upper", 1, 1},
    {Builtin::kLower, "lower", 1, 1},
    {Builtin::kTrim, "trim", 1, 1},
    {Builtin::kSplit, "split", 2, 2},
    {Builtin::kJoin, "join", 2, 2},
    {Builtin::kReplace, "replace", 3, 3},
    {Builtin::kContains, "contains", 2, 2},
    {Builtin::kStartsWith, "starts_with", 2, 2},
    {Builtin::kEndsWith, "ends_with", 2, 2},
    {Builtin::kFind, "find", 2, 2},
    {Builtin::kRepeat, "repeat", 2, 2},
    {Builtin::kLines, "lines", 1, 1},
    {Builtin::kChars, "chars", 1, 1},
    {Builtin::kParseInt, "parse_int", 1, 1},
    {Builtin::kParseFloat, "parse_float", 1, 1},
    {Builtin::kRound, "round", 1, 1},
    {Builtin::kRoundTo, "round_to", 2, 2},
    {Builtin::kFloor, "floor", 1, 1},
    {Builtin::kCeil, "ceil", 1, 1},
    {Builtin::kTruncate, "truncate", 1, 1},
    {Builtin::kAbs, "abs", 1, 1},
    {Builtin::kMin, "min", 1, 16},
    {Builtin::kMax, "max", 1, 16},
    {Builtin::kSum, "sum", 1, 1},
    {Builtin::kRange, "range", 1, 2},
    {Builtin::kSorted, "sorted", 1, 1},
    {Builtin::kReversed, "reversed", 1, 1},
    {Builtin::kIndexOf, "index_of", 2, 2},
    {Builtin::kListContains, "list_contains", 2, 2},
    {Builtin::kListConcat, "list_concat", 2, 2},
    {Builtin::kToJson, "to_json", 1, 1},
    {Builtin::kFirst, "first", 1, 1},
    {Builtin::kLast, "last", 1, 1},
    {Builtin::kSqrt, "sqrt", 1, 1},
    {Builtin::kPow, "pow", 2, 2},
    {Builtin::kJsonGet, "json_get", 2, 2},
    {Builtin::kJsonItems, "json_items", 1, 1},
    {Builtin::kJsonKeys, "json_keys", 1, 1},
};

std::string_view role_name(Role role) {
  switch (role) {
    case Role::kSystem:
      return "system";
    case Role::kUser:
      return "user";
    case Role::kAssistant:
      return "assistant";
  }
  return "user";
}

std::string_view gen_option_name(GenOption option) {
  constexpr std::array<std::string_view, 14> kNames = {"temperature",
                                                       "top_p",
                                                       "top_k",
                                                       "min_p",
                                                       "max_tokens",
                                                       "min_tokens",
                                                       "stop",
                                                       "seed",
                                                       "frequency_penalty",
                                                       "presence_penalty",
                                                       "repetition_penalty",
                                                       "logit_bias",
                                                       "n",
                                                       "logprobs"};
  return kNames[static_cast<std::size_t>(option)];
}

std::string_view select_method_name(SelectMethod method) {
  switch (method) {
    case SelectMethod::kTokenLengthNormalized:
      return "token_length_normalized";
    case SelectMethod::kGreedyTokenSelection:
      return "greedy_token_selection";
    case SelectMethod::kUnconditionalLikelihoodNormalized:
      return "unconditional_likelihood_normalized";
  }
  return "token_length_normalized";
}

const Program* Plan::find_program(std::string_view name) const {
  for (const Program& program : programs) {
    if (program.name == name) return &program;
  }
  return nullptr;
}

Rep rep_of(const Type& type) {
  switch (type.kind) {
    case TypeKind::kInt:
      return Rep::kInt;
    case TypeKind::kFloat:
      return Rep::kFloat;
    case TypeKind::kBool:
      return Rep::kBool;
    default:
      return Rep::kBoxed;
  }
}

}  // namespace sgl::plan
