// Expressions.
#include "compiler/parse/builder.h"

namespace sgl::compiler::parsing {
namespace {

// The operand at the left edge of an operator or suffix; null for what begins with something else.
Tree::OpExprContext* left_of(Tree::OpExprContext* context) {
  if (auto* member = as<Tree::MemberExprContext>(context)) return member->object;
  if (auto* called = as<Tree::CallExprContext>(context)) return called->callee;
  if (auto* indexed = as<Tree::IndexExprContext>(context)) return indexed->object;
  if (auto* multiply = as<Tree::MultiplyExprContext>(context)) return multiply->left;
  if (auto* add = as<Tree::AddExprContext>(context)) return add->left;
  if (auto* coalesce = as<Tree::CoalesceExprContext>(context)) return coalesce->left;
  if (auto* compared = as<Tree::CompareExprContext>(context)) return compared->left;
  if (auto* both = as<Tree::AndExprContext>(context)) return both->left;
  if (auto* either = as<Tree::OrExprContext>(context)) return either->left;
  return nullptr;
}

ast::BinaryOp arithmetic_op(const antlr4::Token* token) {
  switch (token == nullptr ? 0 : token->getType()) {
    case Tree::STAR: return ast::BinaryOp::kMul;
    case Tree::SLASH: return ast::BinaryOp::kDiv;
    case Tree::PERCENT: return ast::BinaryOp::kMod;
    case Tree::MINUS: return ast::BinaryOp::kSub;
    default: return ast::BinaryOp::kAdd;
  }
}

ast::BinaryOp compare_op(Tree::CompareOpContext* context) {
  if (context->KW_NOT() != nullptr) return ast::BinaryOp::kNotIn;
  switch (context->start == nullptr ? 0 : context->start->getType()) {
    case Tree::NE: return ast::BinaryOp::kNe;
    case Tree::LT: return ast::BinaryOp::kLt;
    case Tree::LE: return ast::BinaryOp::kLe;
    case Tree::GT: return ast::BinaryOp::kGt;
    case Tree::GE: return ast::BinaryOp::kGe;
    case Tree::KW_IN: return ast::BinaryOp::kIn;
    default: return ast::BinaryOp::kEq;
  }
}

}  // namespace

ast::ExprPtr Builder::missing(SourceRange where) const { return make_expr(where, ast::Expr::NullLit{}); }

ast::ExprPtr Builder::expr(Tree::ExprContext* context) {
  const SourceRange where = range_of(context);
  if (auto* plain = as<Tree::CondOrPlainExprContext>(context)) {
    ast::ExprPtr value = op_expr(plain->value);
    if (plain->cond == nullptr) return value;
    ast::Expr::Conditional node;
    node.then = std::move(value);
    node.condition = op_expr(plain->cond);
    node.otherwise = expr(plain->otherwise);
    return make_expr(where, std::move(node));
  }
  if (auto* gen = as<Tree::GenExprContext>(context)) {
    ast::Expr::Gen node;
    node.gen = gen_node(gen->annotation, gen->withOptions(), {"gen", where});
    return make_expr(where, std::move(node));
  }
  if (auto* select = as<Tree::SelectExprContext>(context)) {
    ast::Expr::Select node;
    node.select = select_node(select->selectTail(), {"select", where});
    return make_expr(where, std::move(node));
  }
  if (auto* loop = as<Tree::ParallelExprContext>(context)) return parallel(loop);
  if (auto* arms = as<Tree::BranchExprContext>(context)) return branch(arms);
  if (auto* repeated = as<Tree::RetryExprContext>(context)) {
    ast::Expr::Retry node;
    node.count = op_expr(repeated->count);
    node.body = block(repeated->body);
    return make_expr(where, std::move(node));
  }
  return missing(where);
}

// The tree leans to the left, as deep as a chain of operators is long: its left edge is walked in a loop.
ast::ExprPtr Builder::op_expr(Tree::OpExprContext* context) {
  std::vector<Tree::OpExprContext*> edge;
  for (Tree::OpExprContext* at = context; at != nullptr; at = left_of(at)) edge.push_back(at);
  ast::ExprPtr built;
  for (auto at = edge.rbegin(); at != edge.rend(); ++at) built = extend(*at, std::move(built));
  return built != nullptr ? std::move(built) : missing(range_of(context));
}

// The expression of one node, given that of its left operand; `left` is null at the end of the edge.
ast::ExprPtr Builder::extend(Tree::OpExprContext* context, ast::ExprPtr left) {
  const SourceRange where = range_of(context);
  if (auto* inner = as<Tree::PrimaryExprContext>(context)) return primary(inner->primary());
  if (auto* negated = as<Tree::NegateExprContext>(context)) return negate(negated);
  if (auto* inverted = as<Tree::NotExprContext>(context)) {
    ast::Expr::Not node;
    node.operand = op_expr(inverted->operand);
    return make_expr(where, std::move(node));
  }
  if (left == nullptr) left = missing(where);
  if (auto* member = as<Tree::MemberExprContext>(context)) {
    ast::Expr::Member node;
    node.object = std::move(left);
    node.name = name(member->member);
    return make_expr(where, std::move(node));
  }
  if (auto* called = as<Tree::CallExprContext>(context)) return call(called, std::move(left));
  if (auto* indexed = as<Tree::IndexExprContext>(context)) return index(indexed, std::move(left));
  if (auto* compared = as<Tree::CompareExprContext>(context)) return compare(compared, std::move(left));
  if (auto* multiply = as<Tree::MultiplyExprContext>(context)) {
    return binary(context, arithmetic_op(multiply->op), range_of(multiply->op), std::move(left), multiply->right);
  }
  if (auto* add = as<Tree::AddExprContext>(context)) {
    return binary(context, arithmetic_op(add->op), range_of(add->op), std::move(left), add->right);
  }
  if (auto* coalesce = as<Tree::CoalesceExprContext>(context)) {
    return binary(context, ast::BinaryOp::kCoalesce, range_of(coalesce->op), std::move(left), coalesce->right);
  }
  if (auto* both = as<Tree::AndExprContext>(context)) {
    return binary(context, ast::BinaryOp::kAnd, range_of(both->op), std::move(left), both->right);
  }
  if (auto* either = as<Tree::OrExprContext>(context)) {
    return binary(context, ast::BinaryOp::kOr, range_of(either->op), std::move(left), either->right);
  }
  return left;
}

ast::ExprPtr Builder::binary(Tree::OpExprContext* context, ast::BinaryOp op, SourceRange op_range, ast::ExprPtr left,
                             Tree::OpExprContext* right) {
  ast::Expr::Binary node;
  node.op = op;
  node.op_range = op_range;
  node.left = std::move(left);
  node.right = op_expr(right);
  return make_expr(range_of(context), std::move(node));
}

ast::ExprPtr Builder::compare(Tree::CompareExprContext* context, ast::ExprPtr left) {
  if (context->op == nullptr) return left;
  const SourceRange op_range = range_of(context->op);
  if (as<Tree::CompareExprContext>(context->left) != nullptr) {
    reporter_.add(DiagKind::kChainedComparison, op_range, "comparisons do not chain")
        .suggest("write 'a < b and b < c', or parentheses to compare with the result");
  }
  return binary(context, compare_op(context->op), op_range, std::move(left), context->right);
}

ast::ExprPtr Builder::call(Tree::CallExprContext* context, ast::ExprPtr callee) {
  ast::Expr::Call node;
  node.callee = std::move(callee);
  if (Tree::ArgumentsContext* arguments = context->arguments()) {
    for (Tree::ArgumentContext* given : arguments->argument()) {
      ast::Argument argument;
      if (auto* named = as<Tree::NamedArgumentContext>(given)) {
        argument.name = name(named->key);
        argument.value = expr(named->value);
      } else if (auto* plain = as<Tree::PlainArgumentContext>(given)) {
        argument.value = expr(plain->value);
      } else {
        continue;
      }
      node.arguments.push_back(std::move(argument));
    }
  }
  return make_expr(range_of(context), std::move(node));
}

ast::ExprPtr Builder::index(Tree::IndexExprContext* context, ast::ExprPtr object) {
  const SourceRange where = range_of(context);
  Tree::SubscriptContext* subscript = context->subscript();
  ast::Expr::Slice slice;
  if (auto* lower = as<Tree::LowerSubscriptContext>(subscript)) {
    if (lower->colon == nullptr) {
      ast::Expr::Index node;
      node.object = std::move(object);
      node.index = expr(lower->lo);
      return make_expr(where, std::move(node));
    }
    slice.lo = expr(lower->lo);
    if (lower->hi != nullptr) slice.hi = expr(lower->hi);
  } else if (auto* upper = as<Tree::UpperSubscriptContext>(subscript)) {
    if (upper->hi != nullptr) slice.hi = expr(upper->hi);
  } else {
    ast::Expr::Index node;
    node.object = std::move(object);
    node.index = missing(where);
    return make_expr(where, std::move(node));
  }
  slice.object = std::move(object);
  return make_expr(where, std::move(slice));
}

// A minus directly before a number belongs to it, so that the smallest int can be written.
ast::ExprPtr Builder::negate(Tree::NegateExprContext* context) {
  const SourceRange where = range_of(context);
  if (auto* inner = as<Tree::PrimaryExprContext>(context->operand)) {
    if (auto* numeric = as<Tree::NumberExprContext>(inner->primary())) return number(numeric->number(), true, where);
  }
  ast::Expr::Negate node;
  node.operand = op_expr(context->operand);
  return make_expr(where, std::move(node));
}

ast::ExprPtr Builder::primary(Tree::PrimaryContext* context) {
  const SourceRange where = range_of(context);
  if (auto* named = as<Tree::NameExprContext>(context)) {
    ast::Expr::NameRef node;
    node.name = name(named->id);
    if (node.name.text.empty()) return missing(where);
    return make_expr(where, std::move(node));
  }
  if (auto* text = as<Tree::StringExprContext>(context)) return make_expr(where, string(text->stringLit()));
  if (auto* numeric = as<Tree::NumberExprContext>(context)) return number(numeric->number(), false, where);
  if (auto* time = as<Tree::DurationExprContext>(context)) {
    if (time->DURATION_LIT() == nullptr) return missing(where);
    return make_expr(where, ast::Expr::DurationLit{duration(time->DURATION_LIT()->getSymbol())});
  }
  if (auto* boolean = as<Tree::BoolExprContext>(context)) {
    return make_expr(where, ast::Expr::BoolLit{boolean->value != nullptr && boolean->value->getType() == Tree::KW_TRUE});
  }
  if (auto* inner = as<Tree::ParenExprContext>(context)) {
    ast::ExprPtr out = expr(inner->inner);
    out->range = where;
    return out;
  }
  if (auto* items = as<Tree::ListExprContext>(context)) return list(items);
  if (auto* fields = as<Tree::RecordExprContext>(context)) return record(fields);
  return missing(where);
}

ast::ExprPtr Builder::list(Tree::ListExprContext* context) {
  const SourceRange where = range_of(context);
  Tree::ListBodyContext* body = context->listBody();
  if (body == nullptr) return make_expr(where, ast::Expr::ListLit{});
  const std::vector<Tree::ExprContext*> items = body->expr();
  if (Tree::ComprehensionContext* tail = body->comprehension()) {
    ast::Expr::Comprehension node;
    node.element = expr(items.empty() ? nullptr : items.front());
    node.vars = loop_vars(tail->loopVars());
    node.source = op_expr(tail->source);
    if (tail->cond != nullptr) node.condition = op_expr(tail->cond);
    return make_expr(where, std::move(node));
  }
  ast::Expr::ListLit node;
  for (Tree::ExprContext* item : items) node.items.push_back(expr(item));
  return make_expr(where, std::move(node));
}

ast::ExprPtr Builder::record(Tree::RecordExprContext* context) {
  ast::Expr::RecordLit node;
  for (Tree::FieldInitContext* given : context->fieldInit()) {
    ast::FieldInit field;
    if (auto* spread = as<Tree::SpreadInitContext>(given)) {
      field.spread = true;
      field.name.range = range_of(spread);
      field.value = expr(spread->value);
    } else if (auto* keyed = as<Tree::KeyedInitContext>(given)) {
      field.name = field_key(keyed->key);
      field.value = expr(keyed->value);
    } else {
      continue;
    }
    node.fields.push_back(std::move(field));
  }
  return make_expr(range_of(context), std::move(node));
}

ast::LoopVars Builder::loop_vars(Tree::LoopVarsContext* context) const {
  ast::LoopVars out;
  if (context == nullptr || context->second == nullptr) {
    out.item = binding(context == nullptr ? nullptr : context->first, false);
    return out;
  }
  out.index = binding(context->first, false);
  out.item = binding(context->second, false);
  return out;
}

ast::ExprPtr Builder::parallel(Tree::ParallelExprContext* context) {
  ast::Expr::ParallelFor node;
  node.vars = loop_vars(context->loopVars());
  node.source = expr(context->source);
  if (context->bound != nullptr) node.bound = expr(context->bound);
  node.body.block = block(context->body);
  return make_expr(range_of(context), std::move(node));
}

ast::ExprPtr Builder::branch(Tree::BranchExprContext* context) {
  ast::Expr::Branch node;
  for (Tree::BranchArmContext* given : context->branchArm()) {
    ast::Expr::Arm arm;
    arm.name = name(given->key);
    if (arm.name.text.empty()) continue;
    arm.body.block = block(given->body);
    node.arms.push_back(std::move(arm));
  }
  return make_expr(range_of(context), std::move(node));
}

}  // namespace sgl::compiler::parsing
