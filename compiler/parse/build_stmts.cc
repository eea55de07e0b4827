// Statements.
#include "compiler/parse/builder.h"

namespace sgl::compiler::parsing {
namespace {

ast::StmtPtr unsupported(SourceRange where, std::string what) {
  ast::Stmt::Unsupported node;
  node.what = std::move(what);
  return make_stmt(where, std::move(node));
}

}  // namespace

ast::Block Builder::block(Tree::BlockContext* context) {
  ast::Block out;
  out.range = range_of(context);
  if (context == nullptr) return out;
  for (Tree::BlockLineContext* line : context->blockLine()) {
    if (auto built = statement(line->statement())) out.statements.push_back(std::move(built));
  }
  return out;
}

// Null when there is nothing, or nothing usable.
ast::StmtPtr Builder::statement(Tree::StatementContext* context) {
  if (context == nullptr) return nullptr;
  if (auto built = simple_statement(context)) return built;
  if (auto built = compound_statement(context)) return built;
  if (auto built = model_statement(context)) return built;
  if (as<Tree::LimitsStmtContext>(context) != nullptr && context != taken_limits_) {
    reporter_.add(DiagKind::kMisplacedLimits, range_of(context), "limits belong to a program")
        .suggest("write them after its signature, or as its first statement");
  }
  return nullptr;
}

ast::StmtPtr Builder::simple_statement(Tree::StatementContext* context) {
  const SourceRange where = range_of(context);
  if (auto* let = as<Tree::LetStmtContext>(context)) {
    return let_statement(where, let->id, false, let->annotation, let->value);
  }
  if (auto* var = as<Tree::VarStmtContext>(context)) {
    return let_statement(where, var->id, true, var->annotation, var->value);
  }
  if (auto* assigned = as<Tree::ExprOrAssignStmtContext>(context)) return assign_statement(assigned);
  if (auto* returned = as<Tree::ReturnStmtContext>(context)) {
    ast::Stmt::Return node;
    if (returned->value != nullptr) node.value = expr(returned->value);
    return make_stmt(where, std::move(node));
  }
  if (auto* yielded = as<Tree::YieldStmtContext>(context)) {
    ast::Stmt::Yield node;
    if (yielded->value != nullptr) node.value = expr(yielded->value);
    return make_stmt(where, std::move(node));
  }
  if (auto* failed = as<Tree::FailStmtContext>(context)) {
    ast::Stmt::Fail node;
    if (failed->message != nullptr) node.message = expr(failed->message);
    return make_stmt(where, std::move(node));
  }
  if (as<Tree::BreakStmtContext>(context) != nullptr) return make_stmt(where, ast::Stmt::Break{});
  if (as<Tree::ContinueStmtContext>(context) != nullptr) return make_stmt(where, ast::Stmt::Continue{});
  if (auto* asserted = as<Tree::AssertStmtContext>(context)) {
    ast::Stmt::Assert node;
    node.condition = expr(asserted->cond);
    if (asserted->message != nullptr) node.message = expr(asserted->message);
    return make_stmt(where, std::move(node));
  }
  return nullptr;
}

ast::StmtPtr Builder::let_statement(SourceRange where, Tree::IdentContext* id, bool is_mutable,
                                    Tree::TypeExprContext* annotation, Tree::ExprContext* value) {
  ast::Stmt::Let node;
  node.binding = binding(id, is_mutable);
  if (annotation != nullptr) node.annotation = type(annotation);
  node.value = expr(value);
  // A generation is known to streams and traces by the name it gets.
  if (auto* gen = std::get_if<ast::Expr::Gen>(&node.value->node)) gen->gen.label = node.binding->name;
  if (auto* select = std::get_if<ast::Expr::Select>(&node.value->node)) select->select.label = node.binding->name;
  return make_stmt(where, std::move(node));
}

ast::StmtPtr Builder::assign_statement(Tree::ExprOrAssignStmtContext* context) {
  const SourceRange where = range_of(context);
  ast::ExprPtr target = expr(context->target);
  if (context->op == nullptr) {
    ast::Stmt::Expression node;
    node.is_text = std::holds_alternative<ast::Expr::StringLit>(target->node);
    node.value = std::move(target);
    return make_stmt(where, std::move(node));
  }
  const bool assignable = std::holds_alternative<ast::Expr::NameRef>(target->node) ||
                          std::holds_alternative<ast::Expr::Member>(target->node) ||
                          std::holds_alternative<ast::Expr::Index>(target->node);
  if (!assignable) {
    reporter_.add(DiagKind::kBadAssignTarget, target->range, "only a variable can be assigned to")
        .suggest("to compare, write '=='");
  }
  ast::Stmt::Assign node;
  node.target = std::move(target);
  switch (context->op->start == nullptr ? 0 : context->op->start->getType()) {
    case Tree::PLUS_ASSIGN: node.op = ast::BinaryOp::kAdd; break;
    case Tree::MINUS_ASSIGN: node.op = ast::BinaryOp::kSub; break;
    case Tree::STAR_ASSIGN: node.op = ast::BinaryOp::kMul; break;
    case Tree::SLASH_ASSIGN: node.op = ast::BinaryOp::kDiv; break;
    case Tree::PERCENT_ASSIGN: node.op = ast::BinaryOp::kMod; break;
    default: break;
  }
  node.value = expr(context->value);
  return make_stmt(where, std::move(node));
}

ast::StmtPtr Builder::compound_statement(Tree::StatementContext* context) {
  const SourceRange where = range_of(context);
  if (auto* condition = as<Tree::IfStmtContext>(context)) return if_statement(condition);
  if (auto* loop = as<Tree::WhileStmtContext>(context)) {
    ast::Stmt::While node;
    node.condition = expr(loop->cond);
    node.body = block(loop->body);
    return make_stmt(where, std::move(node));
  }
  if (auto* loop = as<Tree::ForStmtContext>(context)) {
    ast::Stmt::For node;
    node.vars = loop_vars(loop->loopVars());
    node.source = expr(loop->source);
    node.body = block(loop->body);
    return make_stmt(where, std::move(node));
  }
  if (auto* tried = as<Tree::TryStmtContext>(context)) {
    ast::Stmt::Try node;
    node.body = block(tried->body);
    if (tried->id != nullptr) node.error = binding(tried->id, false);
    node.handler = block(tried->handler);
    return make_stmt(where, std::move(node));
  }
  if (as<Tree::InStmtContext>(context) != nullptr) return unsupported(where, "contexts as values (in …)");
  return nullptr;
}

// `else if` becomes a block with one `if`, from the last one outwards: a chain may be long.
ast::StmtPtr Builder::if_statement(Tree::IfStmtContext* context) {
  struct Link {
    SourceRange range;
    Tree::ExprContext* condition;
    Tree::BlockContext* then;
  };
  std::vector<Link> links = {{range_of(context), context->cond, context->then}};
  Tree::BlockContext* otherwise = context->otherwise;
  for (Tree::IfTailContext* tail = context->elseIf; tail != nullptr; tail = tail->elseIf) {
    links.push_back({range_of(tail), tail->cond, tail->then});
    otherwise = tail->otherwise;
  }
  // Built in the order of the text, so that diagnostics come in that order.
  std::vector<ast::Stmt::If> nodes;
  for (const Link& link : links) {
    ast::Stmt::If node;
    node.condition = expr(link.condition);
    node.then = block(link.then);
    nodes.push_back(std::move(node));
  }
  if (otherwise != nullptr) nodes.back().otherwise = block(otherwise);
  while (nodes.size() > 1) {
    const SourceRange where = links[nodes.size() - 1].range;
    ast::Block inner;
    inner.range = where;
    inner.statements.push_back(make_stmt(where, std::move(nodes.back())));
    nodes.pop_back();
    nodes.back().otherwise = std::move(inner);
  }
  return make_stmt(links.front().range, std::move(nodes.front()));
}

ast::StmtPtr Builder::model_statement(Tree::StatementContext* context) {
  const SourceRange where = range_of(context);
  if (auto* with = as<Tree::WithStmtContext>(context)) {
    ast::Stmt::With node;
    node.options = options(with->optionList());
    node.body = block(with->body);
    return make_stmt(where, std::move(node));
  }
  if (auto* role = as<Tree::RoleStmtContext>(context)) {
    ast::Stmt::Role node;
    const std::size_t word = role->role == nullptr ? 0 : role->role->getType();
    node.role = plan::Role::kUser;
    if (word == Tree::KW_SYSTEM) node.role = plan::Role::kSystem;
    if (word == Tree::KW_ASSISTANT) node.role = plan::Role::kAssistant;
    node.keyword = range_of(role->role);
    if (role->body != nullptr) {
      node.body = block(role->body);
    } else {
      node.text = expr(role->text);
    }
    return make_stmt(where, std::move(node));
  }
  if (auto* gen = as<Tree::GenStmtContext>(context)) {
    ast::Stmt::Gen node;
    node.binding = binding(gen->id, false);
    node.gen = gen_node(gen->annotation, gen->withOptions(), node.binding->name);
    return make_stmt(where, std::move(node));
  }
  if (auto* select = as<Tree::SelectStmtContext>(context)) {
    ast::Stmt::Select node;
    node.binding = binding(select->id, false);
    node.select = select_node(select->selectTail(), node.binding->name);
    return make_stmt(where, std::move(node));
  }
  return nullptr;
}

ast::GenNode Builder::gen_node(Tree::TypeExprContext* annotation, Tree::WithOptionsContext* with, ast::Name label) {
  ast::GenNode out;
  if (annotation != nullptr) out.type = type(annotation);
  if (with != nullptr) out.options = options(with->optionList());
  out.label = std::move(label);
  return out;
}

ast::SelectNode Builder::select_node(Tree::SelectTailContext* tail, ast::Name label) {
  ast::SelectNode out;
  out.label = std::move(label);
  if (tail == nullptr) {
    out.choices = missing(out.label.range);
    return out;
  }
  out.choices = expr(tail->choices);
  if (tail->method != nullptr) out.method_name = name(tail->method);
  if (tail->withOptions() != nullptr) out.options = options(tail->withOptions()->optionList());
  return out;
}

std::vector<ast::Option> Builder::options(Tree::OptionListContext* context) {
  std::vector<ast::Option> out;
  if (context == nullptr) return out;
  for (Tree::OptionContext* given : context->option()) {
    ast::Option option;
    option.key = name(given->key);
    if (option.key.text.empty()) continue;
    option.value = expr(given->value);
    out.push_back(std::move(option));
  }
  return out;
}

}  // namespace sgl::compiler::parsing
