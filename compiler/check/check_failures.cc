// What is said about failures: try, assert and retry.
#include <fmt/format.h>

#include "compiler/check/checker.h"

namespace sgl::compiler {

namespace {

// The body is written out once per attempt, so that bounds are exact.
constexpr std::int64_t kMaxAttempts = 10;

}  // namespace

TypeId Checker::failure_type() {
  return types_.record({{"kind", types_.string(), false, ""},
                        {"message", types_.string(), false, ""},
                        {"line", types_.integer(), false, ""}});
}

void Checker::check_try(Stmt& stmt, Stmt::Try& node) {
  require_model({stmt.range.file, stmt.range.begin, stmt.range.begin + 3}, "'try'");
  node.error_type = failure_type();
  // Neither block is sure to run as a whole.
  ++conditional_;
  fn_.last_generation = nullptr;
  check_block(node.body, true);
  fn_.last_generation = nullptr;
  scopes_.emplace_back();
  if (node.error) bind(*node.error, node.error_type);
  check_block(node.handler, true);
  scopes_.pop_back();
  fn_.last_generation = nullptr;
  --conditional_;
}

TypeId Checker::check_retry(Expr& expr, Expr::Retry& node, std::optional<TypeId> expected) {
  require_model({expr.range.file, expr.range.begin, expr.range.begin + 5}, "'retry'");
  node.error_type = failure_type();
  check_against(*node.count, types_.integer(), "the number of attempts");
  const auto count = known_value(*node.count, types_.integer());
  if (!count) {
    if (!types_.is_error(node.count->type)) {
      error(DiagKind::kNotConstant, node.count->range,
            "the number of attempts must be known when the program is compiled")
          .suggest("write a number, as in 'retry 3 { … }'");
    }
  } else if (count->number < 1 || count->number > kMaxAttempts) {
    error(DiagKind::kOptionRange, node.count->range,
          fmt::format("the number of attempts must be from 1 to {}", kMaxAttempts));
  } else {
    node.attempts = static_cast<int>(count->number);
  }
  const auto yield_expected = std::exchange(fn_.yield_expected, expected);
  const auto yield_type = std::exchange(fn_.yield_type, std::nullopt);
  const bool has_yield = std::exchange(fn_.has_yield, false);
  ++fn_.retries;
  // An attempt is not sure to run as a whole.
  ++conditional_;
  fn_.last_generation = nullptr;
  check_block(node.body, true);
  fn_.last_generation = nullptr;
  --conditional_;
  --fn_.retries;
  node.has_value = fn_.has_yield;
  TypeId result = types_.none();
  if (node.has_value) {
    // A break or continue in it leaves the retry, too.
    if (!always_leaves(node.body)) {
      error(DiagKind::kMissingYield, node.body.range, "this retry can end without yielding a value")
          .suggest("end every path with 'yield' or 'fail'");
    }
    result = expected ? *expected : fn_.yield_type.value_or(types_.error());
  }
  fn_.yield_expected = yield_expected;
  fn_.yield_type = yield_type;
  fn_.has_yield = has_yield;
  return result;
}

void Checker::check_assert(Stmt::Assert& node) {
  if (!node.condition) return;
  check_condition(*node.condition);
  if (node.message) check_against(*node.message, types_.string(), "the message of 'assert'");
  may_have_left_ = true;
  narrow(*node.condition, true);
}

}  // namespace sgl::compiler
