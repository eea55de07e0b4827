// Where control goes: what leaves a block, and what comparisons with null show of the names in it.
#include <algorithm>

#include "compiler/check/checker.h"

namespace sgl::compiler {

void Checker::collect_narrowing(const Expr& condition, bool truth,
                                std::vector<std::pair<const Binding*, TypeId>>& out) const {
  if (const auto* negation = std::get_if<Expr::Not>(&condition.node)) {
    if (negation->operand) collect_narrowing(*negation->operand, !truth, out);
    return;
  }
  const auto* binary = std::get_if<Expr::Binary>(&condition.node);
  if (binary == nullptr || !binary->left || !binary->right) return;
  using Op = ast::BinaryOp;
  if ((binary->op == Op::kAnd && truth) || (binary->op == Op::kOr && !truth)) {
    collect_narrowing(*binary->left, truth, out);
    collect_narrowing(*binary->right, truth, out);
    return;
  }
  if (binary->op != (truth ? Op::kNe : Op::kEq)) return;
  const Expr* tested = nullptr;
  if (std::holds_alternative<Expr::NullLit>(binary->right->node)) tested = binary->left.get();
  if (std::holds_alternative<Expr::NullLit>(binary->left->node)) tested = binary->right.get();
  const auto* name = tested == nullptr ? nullptr : std::get_if<Expr::NameRef>(&tested->node);
  if (name == nullptr || !can_narrow(*tested)) return;
  out.emplace_back(name->binding, tested->type);
}

// A var may be assigned null again before it is used, and fields and items are not followed: only names that cannot
// change are narrowed.
bool Checker::can_narrow(const Expr& expr) {
  const auto* name = std::get_if<Expr::NameRef>(&expr.node);
  return name != nullptr && name->binding != nullptr && !name->binding->mutable_;
}

std::string Checker::null_help(const Expr& expr) {
  if (can_narrow(expr)) return "compare it with null before, or give a value with '??'";
  return "give a value with '??', or bind it with 'let x = …' and compare x with null";
}

void Checker::narrow(const Expr& condition, bool truth) {
  std::vector<std::pair<const Binding*, TypeId>> facts;
  collect_narrowing(condition, truth, facts);
  for (const auto& [binding, type] : facts) scopes_.back().narrowed[binding] = types_.without_null(type);
}

namespace {

template <typename Leaves>
bool block_leaves(const Block& block, const Leaves& leaves) {
  return std::any_of(block.statements.begin(), block.statements.end(), [&](const auto& stmt) { return leaves(*stmt); });
}

bool statement_leaves(const Stmt& stmt, bool loops_count) {
  if (std::holds_alternative<Stmt::Return>(stmt.node) || std::holds_alternative<Stmt::Yield>(stmt.node) ||
      std::holds_alternative<Stmt::Fail>(stmt.node)) {
    return true;
  }
  if (std::holds_alternative<Stmt::Break>(stmt.node) || std::holds_alternative<Stmt::Continue>(stmt.node))
    return loops_count;
  const auto inner = [&](const Stmt& s) { return statement_leaves(s, loops_count); };
  if (const auto* branch = std::get_if<Stmt::If>(&stmt.node)) {
    return branch->otherwise && block_leaves(branch->then, inner) && block_leaves(*branch->otherwise, inner);
  }
  if (const auto* with = std::get_if<Stmt::With>(&stmt.node)) return block_leaves(with->body, inner);
  if (const auto* tried = std::get_if<Stmt::Try>(&stmt.node)) {
    return block_leaves(tried->body, inner) && block_leaves(tried->handler, inner);
  }
  if (const auto* role = std::get_if<Stmt::Role>(&stmt.node)) return role->body && block_leaves(*role->body, inner);
  if (const auto* loop = std::get_if<Stmt::While>(&stmt.node)) {
    // `while true` without a break is left only by returning.
    const auto* literal = std::get_if<Expr::BoolLit>(&loop->condition->node);
    return literal != nullptr && literal->value && !loop->has_break;
  }
  if (const auto* expression = std::get_if<Stmt::Expression>(&stmt.node)) {
    // What an attempt does not yield goes on behind the retry, unless it leaves; the last failure is passed on.
    const auto* retry = expression->value ? std::get_if<Expr::Retry>(&expression->value->node) : nullptr;
    return retry != nullptr && !retry->has_value && block_leaves(retry->body, inner);
  }
  return false;
}

}  // namespace

bool Checker::always_leaves(const Block& block) const {
  return block_leaves(block, [](const Stmt& s) { return statement_leaves(s, true); });
}

bool Checker::always_returns(const Block& block) const {
  return block_leaves(block, [](const Stmt& s) { return statement_leaves(s, false); });
}

}  // namespace sgl::compiler
