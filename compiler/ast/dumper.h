// The writer behind dump.h: one method per kind of node. Not for other folders.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "compiler/ast/ast.h"

namespace sgl::compiler::ast::dumping {

// The alternatives of a variant as overloads.
template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <typename... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

// In double quotes, with escapes for what does not print.
std::string quoted(const std::string& text);
// a.b.c
std::string dotted(const std::vector<Name>& path);

class Dumper {
 public:
  std::string take() { return std::move(out_); }

  void module(const Module& it) {
    line(fmt::format("module {}", quoted(it.name)));
    ++depth_;
    for (const auto& declaration : it.declarations) decl(*declaration);
    --depth_;
  }

  void expr(const Expr& it);
  void type(const TypeExpr& it);

 private:
  void indent() { out_.append(depth_ * 2, ' '); }
  void line(const std::string& text) {
    indent();
    out_ += text;
    out_ += '\n';
  }
  void optional_expr(const ExprPtr& it) {
    if (it != nullptr) {
      expr(*it);
    } else {
      out_ += '_';
    }
  }
  // (head operand operand)
  void form(std::string_view head, std::initializer_list<const ExprPtr*> operands) {
    out_ += '(';
    out_ += head;
    for (const ExprPtr* operand : operands) {
      out_ += ' ';
      optional_expr(*operand);
    }
    out_ += ')';
  }

  void doc(const std::string& text) {
    if (!text.empty()) line("doc " + quoted(text));
  }
  void decl(const Decl& it);
  void function(const Decl& it, const Decl::Function& node);
  void block(const Block& it);
  void stmt(const Stmt& it);
  void options(std::string_view introduction, const std::vector<Option>& list);
  void refinements(const std::vector<Refinement>& list);
  void record_type(const TypeExpr::Record& it);
  void string(const Expr::StringLit& it);
  void gen(const GenNode& it);
  void select(const SelectNode& it);
  void loop(const LoopVars& vars, const ExprPtr& source);
  void call(const Expr::Call& it);
  void record(const Expr::RecordLit& it);
  void assign(const Stmt::Assign& it);

  std::string out_;
  std::size_t depth_ = 0;
};

}  // namespace sgl::compiler::ast::dumping
