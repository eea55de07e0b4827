// Assignments to items and fields of variables: a.b[i].c = v.
#include <algorithm>

#include "compiler/lower/builder.h"

namespace sgl::compiler {

namespace {

// Evaluating it changes no variable.
bool is_plain(const Expr& expr) {
  return std::holds_alternative<Expr::NameRef>(expr.node) || std::holds_alternative<Expr::IntLit>(expr.node) ||
         std::holds_alternative<Expr::StringLit>(expr.node);
}

}  // namespace

// `after` is evaluated later than the indices; nullptr: nothing is.
Lowerer::Path Lowerer::lower_path(const Expr& target, const Expr* after) {
  Path path;
  const Expr* at = &target;
  while (!std::holds_alternative<Expr::NameRef>(at->node)) {
    path.steps.push_back({at, {}});
    const auto* member = std::get_if<Expr::Member>(&at->node);
    at = member != nullptr ? member->object.get() : std::get<Expr::Index>(at->node).object.get();
  }
  path.root = fn().bindings.at(std::get<Expr::NameRef>(at->node).binding);
  std::reverse(path.steps.begin(), path.steps.end());
  const auto index_of = [&](std::size_t i) -> const Expr* {
    const auto* index = std::get_if<Expr::Index>(&path.steps[i].expr->node);
    return index != nullptr ? index->index.get() : nullptr;
  };
  // An index that is a variable is copied if what is evaluated after it may assign to that.
  std::vector<bool> copied(path.steps.size());
  bool assigns = after != nullptr && !is_plain(*after);
  for (std::size_t i = path.steps.size(); i-- > 0;) {
    copied[i] = assigns;
    assigns = assigns || (index_of(i) != nullptr && !is_plain(*index_of(i)));
  }
  for (std::size_t i = 0; i < path.steps.size(); ++i) {
    if (index_of(i) == nullptr) continue;
    const Operand position = lower_as(*index_of(i), types_.integer());
    path.steps[i].position = copied[i] ? held(position) : position;
  }
  return path;
}

// The variable, and what the first `count` steps lead to.
std::vector<Operand> Lowerer::read_path(const Path& path, std::size_t count) {
  const SourceRange saved = fn().position;
  std::vector<Operand> values{{path.root, false}};
  for (std::size_t i = 0; i < count; ++i) {
    const Expr& expr = *path.steps[i].expr;
    fn().position = expr.range;
    const Operand value = temp(rep(expr.type));
    if (const auto* member = std::get_if<Expr::Member>(&expr.node)) {
      emit(Op::kField, value.reg, values.back().reg, member->field);
    } else {
      emit(Op::kIndex, value.reg, values.back().reg, path.steps[i].position.reg);
    }
    values.push_back(value);
  }
  fn().position = saved;
  return values;
}

// Reads the containers on the way, replaces the innermost's item, and writes the changed ones back outwards. All in
// place: the registers are source and destination.
void Lowerer::store_path(const Path& path, Reg value) {
  const std::vector<Operand> containers = read_path(path, path.steps.size() - 1);
  for (std::size_t i = path.steps.size(); i-- > 0;) {
    const Reg container = containers[i].reg;
    if (const auto* member = std::get_if<Expr::Member>(&path.steps[i].expr->node)) {
      emit(Op::kSetField, container, container, member->field, value);
    } else {
      emit(Op::kSetIndex, container, container, path.steps[i].position.reg, value);
    }
    value = container;
  }
  for (const Operand& container : containers) give_back(container);
}

// The indices are evaluated once; with `+=` and the like they serve for reading and for writing.
void Lowerer::assign_path(const Stmt::Assign& node, TypeId type) {
  Operand value;
  Path path;
  if (!node.op) {
    value = lower_as(*node.value, type);
    path = lower_path(*node.target, nullptr);
  } else {
    path = lower_path(*node.target, node.value.get());
    std::vector<Operand> read = read_path(path, path.steps.size());
    const Operand old = read.back();
    read.pop_back();
    for (const Operand& container : read) give_back(container);
    value = lower_update(node, type, old);
  }
  store_path(path, value.reg);
  for (const PathStep& step : path.steps) give_back(step.position);
  give_back(value);
}

}  // namespace sgl::compiler
