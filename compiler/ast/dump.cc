// Statements and declarations of the dump.
#include "compiler/ast/dump.h"

#include "compiler/ast/dumper.h"

namespace sgl::compiler::ast {
namespace dumping {

// ---- statements -------------------------------------------------------------------------------------------------

void Dumper::block(const Block& it) {
  out_ += " {\n";
  ++depth_;
  for (const StmtPtr& statement : it.statements) stmt(*statement);
  --depth_;
  indent();
  out_ += '}';
}

void Dumper::assign(const Stmt::Assign& it) {
  optional_expr(it.target);
  out_ += it.op ? fmt::format(" {}= ", binary_op_text(*it.op)) : std::string(" = ");
  optional_expr(it.value);
}

void Dumper::stmt(const Stmt& it) {
  indent();
  const auto with_value = [&](std::string_view word, const ExprPtr& value) {
    out_ += word;
    if (value == nullptr) return;
    out_ += ' ';
    expr(*value);
  };
  std::visit(Overloaded{
                 [&](const Stmt::Let& node) {
                   out_ += (node.binding->mutable_ ? "var " : "let ") + node.binding->name.text;
                   if (node.annotation != nullptr) {
                     out_ += ": ";
                     type(*node.annotation);
                   }
                   out_ += " = ";
                   optional_expr(node.value);
                 },
                 [&](const Stmt::Assign& node) { assign(node); },
                 [&](const Stmt::If& node) {
                   with_value("if", node.condition);
                   block(node.then);
                   if (!node.otherwise) return;
                   out_ += " else";
                   block(*node.otherwise);
                 },
                 [&](const Stmt::While& node) {
                   with_value("while", node.condition);
                   block(node.body);
                 },
                 [&](const Stmt::For& node) {
                   out_ += "for ";
                   loop(node.vars, node.source);
                   block(node.body);
                 },
                 [&](const Stmt::Return& node) { with_value("return", node.value); },
                 [&](const Stmt::Yield& node) { with_value("yield", node.value); },
                 [&](const Stmt::Break&) { out_ += "break"; },
                 [&](const Stmt::Continue&) { out_ += "continue"; },
                 [&](const Stmt::Fail& node) { with_value("fail", node.message); },
                 [&](const Stmt::With& node) {
                   options("with ", node.options);
                   block(node.body);
                 },
                 [&](const Stmt::Role& node) {
                   constexpr std::string_view kRoles[] = {"system", "user", "assistant"};
                   with_value(kRoles[static_cast<std::size_t>(node.role)], node.text);
                   if (node.body) block(*node.body);
                 },
                 [&](const Stmt::Gen& node) { gen(node.gen); },
                 [&](const Stmt::Select& node) { select(node.select); },
                 [&](const Stmt::Try& node) {
                   out_ += "try";
                   block(node.body);
                   out_ += " catch";
                   if (node.error != nullptr) out_ += ' ' + node.error->name.text;
                   block(node.handler);
                 },
                 [&](const Stmt::Assert& node) {
                   with_value("assert", node.condition);
                   if (node.message != nullptr) with_value(",", node.message);
                 },
                 [&](const Stmt::Expression& node) { with_value(node.is_text ? "text" : "do", node.value); },
                 [&](const Stmt::Unsupported& node) { out_ += "unsupported " + quoted(node.what); },
             },
             it.node);
  out_ += '\n';
}

// ---- declarations -----------------------------------------------------------------------------------------------

void Dumper::function(const Decl& it, const Decl::Function& node) {
  switch (node.kind) {
    case plan::FunctionKind::kPrompt: out_ += "prompt "; break;
    case plan::FunctionKind::kProgram: out_ += node.tool ? "tool " : "program "; break;
    default: out_ += "fn "; break;
  }
  out_ += it.name.text + '(';
  for (std::size_t i = 0; i < node.params.size(); ++i) {
    const Param& param = node.params[i];
    if (i > 0) out_ += ", ";
    out_ += param.binding->name.text + ": ";
    type(*param.type);
    if (param.init != nullptr) {
      out_ += " = ";
      expr(*param.init);
    }
  }
  out_ += ')';
  if (node.result != nullptr) {
    out_ += " -> ";
    type(*node.result);
  }
  options(" limits ", node.limits);
  if (node.expression != nullptr) {
    out_ += " = ";
    expr(*node.expression);
  }
  if (node.body) block(*node.body);
}

void Dumper::decl(const Decl& it) {
  doc(it.doc);
  indent();
  std::visit(Overloaded{
                 [&](const Decl::Import& node) {
                   out_ += "import " + (node.module.empty() ? quoted(node.path) : dotted(node.module));
                   if (node.alias) out_ += " as " + node.alias->text;
                 },
                 [&](const Decl::Type& node) {
                   out_ += "type " + it.name.text + " = ";
                   type(*node.value);
                 },
                 [&](const Decl::Const& node) {
                   out_ += "const " + it.name.text;
                   if (node.annotation != nullptr) {
                     out_ += ": ";
                     type(*node.annotation);
                   }
                   out_ += " = ";
                   optional_expr(node.value);
                 },
                 [&](const Decl::Function& node) { function(it, node); },
                 [&](const Decl::Grammar& node) {
                   out_ += "grammar " + it.name.text + " = " + quoted(node.text);
                 },
                 [&](const Decl::Unsupported& node) {
                   out_ += "unsupported " + quoted(node.what) + ' ' + it.name.text;
                 },
             },
             it.node);
  out_ += '\n';
}

}  // namespace dumping

std::string dump(const Module& module) {
  dumping::Dumper dumper;
  dumper.module(module);
  return dumper.take();
}

std::string dump(const Expr& expr) {
  dumping::Dumper dumper;
  dumper.expr(expr);
  return dumper.take();
}

std::string dump(const TypeExpr& type) {
  dumping::Dumper dumper;
  dumper.type(type);
  return dumper.take();
}

}  // namespace sgl::compiler::ast
