// Statements about failures: try and assert.
#include "compiler/check/checker.h"

namespace sgl::compiler {

void Checker::check_try(Stmt& stmt, Stmt::Try& node) {
  require_model({stmt.range.file, stmt.range.begin, stmt.range.begin + 3}, "'try'");
  node.error_type = types_.record({{"kind", types_.string(), false, ""},
                                   {"message", types_.string(), false, ""},
                                   {"line", types_.integer(), false, ""}});
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

void Checker::check_assert(Stmt::Assert& node) {
  if (!node.condition) return;
  check_condition(*node.condition);
  if (node.message) check_against(*node.message, types_.string(), "the message of 'assert'");
  may_have_left_ = true;
  narrow(*node.condition, true);
}

}  // namespace sgl::compiler
