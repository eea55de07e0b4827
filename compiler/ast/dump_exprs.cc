// Types and expressions of the dump.
#include "compiler/ast/dumper.h"

namespace sgl::compiler::ast::dumping {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
          out += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

std::string dotted(const std::vector<Name>& path) {
  std::string out;
  for (const Name& part : path) {
    if (!out.empty()) out += '.';
    out += part.text;
  }
  return out;
}

// ---- types ------------------------------------------------------------------------------------------------------

void Dumper::type(const TypeExpr& it) {
  std::visit(Overloaded{
                 [&](const TypeExpr::Named& node) {
                   out_ += dotted(node.path);
                   for (std::size_t i = 0; i < node.args.size(); ++i) {
                     out_ += i == 0 ? "<" : ", ";
                     type(*node.args[i]);
                   }
                   if (!node.args.empty()) out_ += '>';
                   refinements(node.refinements);
                 },
                 [&](const TypeExpr::LiteralType& node) {
                   switch (node.value.kind) {
                     case plan::Literal::Kind::kString: out_ += quoted(node.value.text); break;
                     case plan::Literal::Kind::kInt: out_ += std::to_string(node.value.number); break;
                     case plan::Literal::Kind::kBool: out_ += node.value.number != 0 ? "true" : "false"; break;
                   }
                 },
                 [&](const TypeExpr::Null&) { out_ += "null"; },
                 [&](const TypeExpr::Record& node) { record_type(node); },
                 [&](const TypeExpr::Regex& node) {
                   out_ += "regex /" + node.pattern + "/";
                   refinements(node.refinements);
                 },
                 [&](const TypeExpr::Union& node) {
                   for (std::size_t i = 0; i < node.alternatives.size(); ++i) {
                     out_ += i == 0 ? "(" : " | ";
                     type(*node.alternatives[i]);
                   }
                   out_ += ')';
                 },
                 [&](const TypeExpr::Optional& node) {
                   type(*node.inner);
                   out_ += '?';
                 },
             },
             it.node);
}

void Dumper::record_type(const TypeExpr::Record& it) {
  out_ += "{\n";
  ++depth_;
  for (const FieldDecl& field : it.fields) {
    doc(field.doc);
    indent();
    out_ += quoted(field.name.text);
    out_ += field.optional ? "?: " : ": ";
    type(*field.type);
    if (field.init != nullptr) {
      out_ += " = ";
      expr(*field.init);
    }
    out_ += '\n';
  }
  --depth_;
  indent();
  out_ += '}';
}

void Dumper::refinements(const std::vector<Refinement>& list) {
  if (list.empty()) return;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Refinement& it = list[i];
    out_ += i == 0 ? "(" : ", ";
    if (it.key) out_ += it.key->text + ": ";
    if (it.regex) out_ += "/" + *it.regex + "/";
    if (it.lo != nullptr) expr(*it.lo);
    if (it.is_range) out_ += "..";
    if (it.hi != nullptr) expr(*it.hi);
  }
  out_ += ')';
}

// ---- expressions ------------------------------------------------------------------------------------------------

void Dumper::string(const Expr::StringLit& it) {
  const bool plain = it.parts.empty() || (it.parts.size() == 1 && it.parts.front().value == nullptr);
  if (plain) {
    out_ += quoted(it.parts.empty() ? std::string() : it.parts.front().text);
    return;
  }
  out_ += "(text";
  for (const Expr::StringPart& part : it.parts) {
    out_ += ' ';
    if (part.value == nullptr) {
      out_ += quoted(part.text);
    } else if (part.format.empty()) {
      expr(*part.value);
    } else {
      out_ += "(format ";
      expr(*part.value);
      out_ += ' ' + quoted(part.format) + ')';
    }
  }
  out_ += ')';
}

void Dumper::options(std::string_view introduction, const std::vector<Option>& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    out_ += i == 0 ? introduction : std::string_view(", ");
    out_ += list[i].key.text + " = ";
    optional_expr(list[i].value);
  }
}

void Dumper::gen(const GenNode& it) {
  out_ += "gen " + it.label.text;
  if (it.type != nullptr) {
    out_ += ": ";
    type(*it.type);
  }
  options(" with ", it.options);
}

void Dumper::select(const SelectNode& it) {
  out_ += "select " + it.label.text + " from ";
  optional_expr(it.choices);
  if (it.method_name) out_ += " by " + it.method_name->text;
  options(" with ", it.options);
}

void Dumper::loop(const LoopVars& vars, const ExprPtr& source) {
  if (vars.index != nullptr) out_ += vars.index->name.text + ", ";
  if (vars.item != nullptr) out_ += vars.item->name.text;
  out_ += " in ";
  optional_expr(source);
}

void Dumper::call(const Expr::Call& it) {
  out_ += "(call ";
  optional_expr(it.callee);
  for (const Argument& argument : it.arguments) {
    out_ += ' ';
    if (argument.name) out_ += argument.name->text + ": ";
    optional_expr(argument.value);
  }
  out_ += ')';
}

void Dumper::record(const Expr::RecordLit& it) {
  out_ += '{';
  for (std::size_t i = 0; i < it.fields.size(); ++i) {
    const FieldInit& field = it.fields[i];
    if (i > 0) out_ += ", ";
    out_ += field.spread ? std::string("...") : quoted(field.name.text) + ": ";
    optional_expr(field.value);
  }
  out_ += '}';
}

void Dumper::expr(const Expr& it) {
  std::visit(
      Overloaded{
          [&](const Expr::NullLit&) { out_ += "null"; },
          [&](const Expr::BoolLit& node) { out_ += node.value ? "true" : "false"; },
          [&](const Expr::IntLit& node) { out_ += std::to_string(node.value); },
          // Shortest form that reads back as the same value; the point tells it from an int.
          [&](const Expr::FloatLit& node) {
            const std::string text = fmt::format("{}", node.value);
            out_ += text;
            if (text.find_first_of(".en") == std::string::npos) out_ += ".0";
          },
          [&](const Expr::DurationLit& node) { out_ += std::to_string(node.milliseconds) + "ms"; },
          [&](const Expr::StringLit& node) { string(node); },
          [&](const Expr::NameRef& node) { out_ += node.name.text; },
          [&](const Expr::Member& node) {
            out_ += "(member ";
            optional_expr(node.object);
            out_ += ' ' + node.name.text + ')';
          },
          [&](const Expr::Call& node) { call(node); },
          [&](const Expr::Index& node) { form("index", {&node.object, &node.index}); },
          [&](const Expr::Slice& node) { form("slice", {&node.object, &node.lo, &node.hi}); },
          [&](const Expr::Negate& node) { form("-", {&node.operand}); },
          [&](const Expr::Not& node) { form("not", {&node.operand}); },
          [&](const Expr::Binary& node) { form(binary_op_text(node.op), {&node.left, &node.right}); },
          [&](const Expr::Conditional& node) { form("if", {&node.condition, &node.then, &node.otherwise}); },
          [&](const Expr::ListLit& node) {
            out_ += '[';
            for (std::size_t i = 0; i < node.items.size(); ++i) {
              if (i > 0) out_ += ", ";
              optional_expr(node.items[i]);
            }
            out_ += ']';
          },
          [&](const Expr::Comprehension& node) {
            out_ += '[';
            optional_expr(node.element);
            out_ += " for ";
            loop(node.vars, node.source);
            if (node.condition != nullptr) {
              out_ += " if ";
              expr(*node.condition);
            }
            out_ += ']';
          },
          [&](const Expr::RecordLit& node) { record(node); },
          [&](const Expr::Gen& node) {
            out_ += '(';
            gen(node.gen);
            out_ += ')';
          },
          [&](const Expr::Select& node) {
            out_ += '(';
            select(node.select);
            out_ += ')';
          },
          [&](const Expr::ParallelFor& node) {
            out_ += "parallel for ";
            loop(node.vars, node.source);
            if (node.bound != nullptr) {
              out_ += " up to ";
              expr(*node.bound);
            }
            block(node.body.block);
          },
          [&](const Expr::Branch& node) {
            out_ += "branch {\n";
            ++depth_;
            for (const Expr::Arm& arm : node.arms) {
              indent();
              out_ += arm.name.text + ':';
              block(arm.body.block);
              out_ += '\n';
            }
            --depth_;
            indent();
            out_ += '}';
          },
          [&](const Expr::Retry& node) {
            out_ += "retry ";
            expr(*node.count);
            block(node.body);
          },
      },
      it.node);
}

}  // namespace sgl::compiler::ast::dumping
