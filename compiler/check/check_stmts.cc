// Statements.
#include <algorithm>

#include "compiler/check/checker.h"

namespace sgl::compiler {

void Checker::check_block(Block& block, bool scope) {
  if (scope) scopes_.emplace_back();
  check_statements(block);
  if (scope) scopes_.pop_back();
}

void Checker::check_statements(Block& block) {
  bool left = false;
  for (const auto& stmt : block.statements) {
    if (left) {
      error(DiagKind::kUnreachable, stmt->range, "this is never reached");
      left = false;
    }
    check_statement(*stmt);
    left = std::holds_alternative<Stmt::Return>(stmt->node) || std::holds_alternative<Stmt::Yield>(stmt->node) ||
           std::holds_alternative<Stmt::Break>(stmt->node) || std::holds_alternative<Stmt::Continue>(stmt->node) ||
           std::holds_alternative<Stmt::Fail>(stmt->node);
  }
}

void Checker::check_statement(Stmt& stmt) {
  if (auto* let = std::get_if<Stmt::Let>(&stmt.node)) return check_let(*let);
  if (auto* assign = std::get_if<Stmt::Assign>(&stmt.node)) return check_assign(stmt, *assign);
  if (auto* node = std::get_if<Stmt::If>(&stmt.node)) return check_if(*node);
  if (auto* node = std::get_if<Stmt::For>(&stmt.node)) return check_for(*node);
  if (auto* node = std::get_if<Stmt::Yield>(&stmt.node)) return check_yield(stmt, *node);
  if (auto* node = std::get_if<Stmt::With>(&stmt.node)) return check_with(*node);
  if (auto* node = std::get_if<Stmt::Role>(&stmt.node)) return check_role(*node);
  if (auto* node = std::get_if<Stmt::Try>(&stmt.node)) return check_try(stmt, *node);
  if (auto* node = std::get_if<Stmt::Assert>(&stmt.node)) return check_assert(*node);
  if (auto* node = std::get_if<Stmt::Expression>(&stmt.node)) return check_expression_statement(*node);
  if (auto* node = std::get_if<Stmt::Gen>(&stmt.node)) return check_gen(node->gen, node->binding.get(), stmt.range);
  if (auto* node = std::get_if<Stmt::Select>(&stmt.node))
    return check_select(node->select, node->binding.get(), stmt.range);
  if (auto* node = std::get_if<Stmt::While>(&stmt.node)) {
    check_condition(*node->condition);
    return check_loop_body(node->body, &node->has_break);
  }
  if (auto* node = std::get_if<Stmt::Return>(&stmt.node)) {
    check_return(stmt, *node);
    may_have_left_ = true;
    return;
  }
  if (auto* node = std::get_if<Stmt::Fail>(&stmt.node)) {
    if (node->message) check_against(*node->message, types_.string(), "the message of 'fail'");
    may_have_left_ = true;
    return;
  }
  if (const auto* node = std::get_if<Stmt::Unsupported>(&stmt.node)) return unsupported(stmt.range, node->what);
  const bool is_break = std::holds_alternative<Stmt::Break>(stmt.node);
  if (fn_.loops == 0) {
    error(DiagKind::kOutsideLoop, stmt.range,
          fmt::format("'{}' stands outside a loop", is_break ? "break" : "continue"));
  } else if (is_break) {
    *fn_.loop_has_break = true;
  }
}

void Checker::check_let(Stmt::Let& let) {
  Binding& binding = *let.binding;
  TypeId type = types_.error();
  if (let.annotation) {
    type = resolve(*let.annotation);
    if (let.value) check_against(*let.value, type, fmt::format("'{}'", binding.name.text));
  } else if (let.value) {
    type = check_expr(*let.value);
    if (type == types_.none()) {
      error(DiagKind::kTypeMismatch, let.value->range, "this has no value");
      type = types_.error();
    }
    // A var will hold other values of the kind: `var n = 3` is an int, not the literal 3.
    if (type == types_.null()) {
      error(DiagKind::kUnknownElementType, let.value->range,
            fmt::format("the type of '{}' cannot be inferred from null", binding.name.text))
          .suggest(fmt::format("write its type: {} {}: string? = null", binding.mutable_ ? "var" : "let",
                               binding.name.text));
      type = types_.error();
    }
  }
  bind(binding, type);
}

void Checker::check_assign(Stmt& stmt, Stmt::Assign& assign) {
  if (!assign.target || !assign.value) return;
  check_expr(*assign.target);
  const Expr* root = assign.target.get();
  while (true) {
    if (const auto* member = std::get_if<Expr::Member>(&root->node)) {
      root = member->object.get();
    } else if (const auto* index = std::get_if<Expr::Index>(&root->node)) {
      root = index->object.get();
    } else {
      break;
    }
  }
  const auto* name = std::get_if<Expr::NameRef>(&root->node);
  if (name == nullptr) {
    error(DiagKind::kBadAssignTarget, assign.target->range,
          "only a variable, an item or a field of one can be assigned to");
    return;
  }
  TypeId target = assign.target->type;
  if (name->binding != nullptr) {
    if (!name->binding->mutable_) {
      error(DiagKind::kImmutable, assign.target->range, fmt::format("'{}' cannot be assigned to", name->name.text))
          .label(name->binding->name.range, "declared here without 'var'")
          .suggest(fmt::format("declare it with 'var {}'", name->name.text));
    } else if (name->binding->function_depth < fn_.depth) {
      error(DiagKind::kAssignCaptured, assign.target->range,
            fmt::format("a fork cannot assign to '{}' outside it", name->name.text))
          .suggest("yield the value and use the list of results");
    }
    if (fn_.retries > name->binding->retry_depth) name->binding->assigned_in_retry = true;
    if (root == assign.target.get()) target = name->binding->type;  // not what it is narrowed to
  } else if (name->constant != nullptr) {
    error(DiagKind::kImmutable, assign.target->range, fmt::format("'{}' is a constant", name->name.text));
  }
  if (const auto* index = std::get_if<Expr::Index>(&assign.target->node);
      index != nullptr && types_.is_string(index->object->type)) {
    error(DiagKind::kBadAssignTarget, assign.target->range, "characters of a string cannot be assigned to");
    return;
  }
  if (!assign.op) {
    check_against(*assign.value, target);
    return;
  }
  // `x += e` means x = x + e: checked as that expression would be, with the target as the left side.
  const bool list = types_.get(target).kind == TypeKind::kList;
  const TypeId any_count = list ? without_counts(target) : target;
  const TypeId value =
      check_expr(*assign.value, list || types_.is_real(target) ? std::optional(any_count) : std::nullopt);
  const bool numbers =
      (types_.is_integer(target) && types_.is_integer(value)) || (types_.is_real(target) && types_.is_real(value));
  const bool add = *assign.op == ast::BinaryOp::kAdd;
  const bool texts = add && types_.is_string(target) && types_.is_string(value);
  const bool lists = add && list && types_.is_subtype(value, any_count);
  const bool whole = *assign.op != ast::BinaryOp::kMod || types_.is_integer(target);
  if (types_.is_error(target) || types_.is_error(value)) return;
  if ((numbers && whole) || texts || lists) {
    TypeId result = types_.string();
    if (numbers) result = types_.is_real(target) ? types_.real() : types_.integer();
    if (lists) {
      const Type& held = types_.get(target);
      result = with_count(any_count, ItemCount{held.min_size, held.max_size} + item_count(*assign.value));
    }
    if (types_.is_subtype(result, target)) return;
    error(DiagKind::kTypeMismatch, stmt.range,
          fmt::format("this is '{}', but '{}' is wanted", spell(result), spell(target)))
        .suggest("declare the variable with the wider type");
    return;
  }
  error(DiagKind::kBadOperands, stmt.range,
        fmt::format("'{}=' does not fit {} and {}", ast::binary_op_text(*assign.op), spell(target), spell(value)));
}

void Checker::check_condition(Expr& condition) {
  const TypeId type = check_expr(condition);
  if (types_.is_boolean(type) || types_.is_error(type)) return;
  auto& diagnostic =
      error(DiagKind::kNotBool, condition.range, fmt::format("a condition is a bool, this is {}", spell(type)));
  if (types_.contains_null(type) && types_.is_boolean(types_.without_null(type))) {
    diagnostic.suggest("say what null counts as: … ?? false");
  } else if (types_.contains_null(type)) {
    diagnostic.suggest("compare it: … != null");
  } else if (types_.get(type).kind == TypeKind::kList || types_.is_string(type)) {
    diagnostic.suggest("compare its length: len(…) > 0");
  } else if (types_.is_number(type)) {
    diagnostic.suggest("compare it: … != 0");
  }
}

void Checker::check_if(Stmt::If& node) {
  check_condition(*node.condition);
  ++conditional_;
  scopes_.emplace_back();
  narrow(*node.condition, true);
  check_block(node.then, true);
  scopes_.pop_back();
  if (node.otherwise) {
    scopes_.emplace_back();
    narrow(*node.condition, false);
    check_block(*node.otherwise, true);
    scopes_.pop_back();
  }
  --conditional_;
  // After `if x == null { return }` x is known.
  if (always_leaves(node.then)) narrow(*node.condition, false);
  if (node.otherwise && always_leaves(*node.otherwise)) narrow(*node.condition, true);
}

std::optional<TypeId> Checker::item_type(Expr& source, const char* what) {
  const TypeId type = check_expr(source);
  if (types_.is_error(type)) return std::nullopt;
  if (types_.get(type).kind == TypeKind::kList) return types_.get(type).args[0];
  auto& diagnostic =
      error(DiagKind::kNotIterable, source.range, fmt::format("{} goes over a list, this is {}", what, spell(type)));
  if (types_.is_string(type)) diagnostic.suggest("use .chars(), .lines() or .split(\" \")");
  if (types_.is_integer(type)) diagnostic.suggest("use range(n)");
  if (types_.contains_null(type) && types_.get(types_.without_null(type)).kind == TypeKind::kList)
    diagnostic.suggest("use ?? [] for the case that it is null");
  return std::nullopt;
}

void Checker::check_for(Stmt::For& node) {
  const TypeId item = item_type(*node.source, "a for loop").value_or(types_.error());
  scopes_.emplace_back();
  bind(*node.vars.item, item);
  if (node.vars.index) bind(*node.vars.index, types_.integer());
  bool has_break = false;  // it ends without one, too
  check_loop_body(node.body, &has_break);
  scopes_.pop_back();
}

// `has_break` is set where a break leaves this loop, also one that stands in an expression (a retry).
void Checker::check_loop_body(Block& body, bool* has_break) {
  bool* const outer = std::exchange(fn_.loop_has_break, has_break);
  ++fn_.loops;
  ++conditional_;
  check_block(body, true);
  --conditional_;
  --fn_.loops;
  fn_.loop_has_break = outer;
}

void Checker::check_role(Stmt::Role& node) {
  const std::string name(plan::role_name(node.role));
  if (!require_model(node.keyword, fmt::format("'{}'", name))) return;
  if (const auto open = fn_.text_of ? fn_.text_of : fn_.role) {
    error(DiagKind::kNestedRole, node.keyword, fmt::format("'{}' stands inside '{}'", name, plan::role_name(*open)))
        .suggest(fn_.text_of ? "append it before, and insert a value into the text" : "close the outer role first");
  }
  const auto role = fn_.role, text_of = fn_.text_of;
  if (node.text) {
    fn_.text_of = node.role;
    // A generation is refused here whatever its type.
    if (std::holds_alternative<Expr::Gen>(node.text->node)) {
      check_expr(*node.text);
    } else {
      check_against(*node.text, types_.string(), fmt::format("the text of '{}'", name));
    }
  } else if (node.body) {
    fn_.role = node.role;
    fn_.text_of.reset();
    check_block(*node.body, false);
  }
  fn_.role = role;
  fn_.text_of = text_of;
}

void Checker::check_return(Stmt& stmt, Stmt::Return& node) {
  if (fn_.kind == plan::FunctionKind::kFork) {
    error(DiagKind::kReturnInFork, stmt.range, "a fork cannot return from the program")
        .suggest("use 'yield' for the value of a fork");
    fn_.has_yield = true;  // one mistake, one diagnostic
    if (node.value) check_expr(*node.value);
    return;
  }
  if (!fn_.result) {
    if (node.value) {
      check_expr(*node.value);
      const char* kind = fn_.kind == plan::FunctionKind::kProgram ? "program" : "prompt";
      error(DiagKind::kTypeMismatch, node.value->range, fmt::format("this {} has no result type", kind))
          .suggest("write it after the parameters: -> string");
    }
    return;
  }
  if (!node.value) {
    error(DiagKind::kTypeMismatch, stmt.range,
          fmt::format("a value of type '{}' must be returned", spell(*fn_.result)));
    return;
  }
  check_against(*node.value, *fn_.result, "the result");
}

void Checker::check_yield(Stmt& stmt, Stmt::Yield& node) {
  if (fn_.kind != plan::FunctionKind::kFork && fn_.retries == 0) {
    error(DiagKind::kYieldOutside, stmt.range, "'yield' stands outside a fork and outside a retry")
        .suggest("use 'return'");
    if (node.value) check_expr(*node.value);
    return;
  }
  fn_.has_yield = true;
  if (!node.value) {
    error(DiagKind::kTypeMismatch, stmt.range, "'yield' needs a value");
    return;
  }
  if (fn_.yield_expected) {
    check_against(*node.value, *fn_.yield_expected, fn_.retries > 0 ? "what the retry yields" : "what the fork yields");
    return;
  }
  const TypeId type = check_expr(*node.value);
  if (types_.is_error(type)) return;
  if (!fn_.yield_type) {
    fn_.yield_type = type;
  } else if (const auto joined = types_.join(*fn_.yield_type, type)) {
    fn_.yield_type = joined;
  } else {
    error(DiagKind::kTypeMismatch, node.value->range,
          fmt::format("this {} yields {} here and {} before", fn_.retries > 0 ? "retry" : "fork", spell(type),
                      spell(*fn_.yield_type)));
  }
}

void Checker::check_with(Stmt::With& node) {
  check_options(node.options, true);
  with_options_.push_back(&node.options);
  check_block(node.body, false);
  with_options_.pop_back();
}

void Checker::check_expression_statement(Stmt::Expression& node) {
  if (!node.value) return;
  if (node.is_text) {
    if (require_model(node.value->range, "text")) check_against(*node.value, types_.string());
    return;
  }
  const TypeId type = check_expr(*node.value);
  // A variable alone is almost always meant to be appended.
  if (std::holds_alternative<Expr::NameRef>(node.value->node) && types_.is_string(type)) {
    const auto& name = std::get<Expr::NameRef>(node.value->node).name;
    error(DiagKind::kUnusedGeneration, node.value->range, fmt::format("the value of '{}' is not used", name.text))
        .suggest(fmt::format("to append it as text write \"{{{}}}\"", name.text));
  }
}

}  // namespace sgl::compiler
