// Expressions to instructions.
#include "compiler/lower/builder.h"
#include "compiler/lower/loops.h"

namespace sgl::compiler {

Operand Lowerer::boxed(Operand operand, Rep from) {
  if (from == Rep::kBoxed) return operand;
  const Operand out = temp(Rep::kBoxed);
  emit(Op::kBox, out.reg, operand.reg);
  give_back(operand);
  return out;
}

Operand Lowerer::convert(Operand operand, TypeId from, TypeId to) {
  const Rep source = fn().function.regs[operand.reg], wanted = rep(to);
  if (full()) return temp(wanted);
  if (source == wanted) {
    // A record whose layout differs: only optional fields are absent (TypeTable::fits).
    if (wanted != Rep::kBoxed || types_.get(from).kind != TypeKind::kRecord ||
        types_.get(to).kind != TypeKind::kRecord || types_.is_subtype(from, to)) {
      return operand;
    }
    std::vector<Reg> values;
    std::vector<Operand> temporaries;
    for (const plan::Field& field : types_.get(to).fields) {
      Operand value;
      if (const auto place = types_.field_index(from, field.name)) {
        value = temp(Rep::kBoxed);
        emit(Op::kField, value.reg, operand.reg, static_cast<std::uint32_t>(*place));
      }
      if (value.reg == kNone) value = load_null();
      temporaries.push_back(value);
      values.push_back(value.reg);
    }
    const Operand out = temp(Rep::kBoxed);
    emit_args(Op::kRecordNew, out.reg, type_id(to).value, values);
    for (const Operand& t : temporaries) give_back(t);
    give_back(operand);
    return out;
  }
  if (wanted == Rep::kBoxed) return boxed(operand, source);
  const Operand out = temp(wanted);
  emit(source == Rep::kInt && wanted == Rep::kFloat ? Op::kIntToFloat : Op::kUnbox, out.reg, operand.reg);
  give_back(operand);
  return out;
}

Operand Lowerer::lower_as(const Expr& expr, TypeId wanted) {
  return convert(lower(expr), expr.type, wanted);
}

void Lowerer::lower_into(const Expr& expr, TypeId wanted, Reg dst) {
  const Operand value = lower_as(expr, wanted);
  // The instruction that just made the temporary can make the variable instead.
  plan::Function& function = fn().function;
  Inst* last = function.code.empty() ? nullptr : &function.code.back();
  const bool effect = last != nullptr && (last->op == Op::kGen || last->op == Op::kSelect ||
                                          last->op == Op::kParallelFor || last->op == Op::kParallel);
  if (value.temporary && last != nullptr && last->dst == value.reg && !effect && joins_.count(here()) == 0) {
    last->dst = dst;
  } else {
    emit(Op::kMove, dst, value.reg);
  }
  give_back(value);
}

void Lowerer::lower_into_new(const Expr& expr, TypeId wanted, Reg dst) {
  const auto* comprehension = std::get_if<Expr::Comprehension>(&expr.node);
  if (comprehension == nullptr || types_.get(wanted).kind != TypeKind::kList) return lower_into(expr, wanted, dst);
  // Moved from a temporary, the list would have two holders, and its first change would copy it.
  const SourceRange saved = fn().position;
  fn().position = expr.range;
  lower_comprehension(expr, *comprehension, dst);
  fn().position = saved;
}

Operand Lowerer::lower(const Expr& expr) {
  if (full()) return temp(rep(expr.type));
  const SourceRange saved = fn().position;
  fn().position = expr.range;
  const auto& node = expr.node;
  Operand out;
  ConstValue literal;
  if (std::holds_alternative<Expr::NullLit>(node)) {
    out = load_null();
  } else if (const auto* b = std::get_if<Expr::BoolLit>(&node)) {
    literal.kind = ConstValue::Kind::kBool;
    literal.number = b->value ? 1 : 0;
    out = load_constant(literal);
  } else if (const auto* i = std::get_if<Expr::IntLit>(&node)) {
    out = load_int(i->value);
  } else if (const auto* f = std::get_if<Expr::FloatLit>(&node)) {
    literal.kind = ConstValue::Kind::kFloat;
    literal.real = f->value;
    out = load_constant(literal);
  } else if (const auto* s = std::get_if<Expr::StringLit>(&node)) {
    out = lower_string(*s);
  } else if (const auto* n = std::get_if<Expr::NameRef>(&node)) {
    out = lower_name(expr, *n);
  } else if (const auto* m = std::get_if<Expr::Member>(&node)) {
    out = lower_member(expr, *m);
  } else if (const auto* call = std::get_if<Expr::Call>(&node)) {
    out = lower_call(expr, *call);
  } else if (const auto* index = std::get_if<Expr::Index>(&node)) {
    const Operand object = lower(*index->object), at = lower_as(*index->index, types_.integer());
    out = temp(rep(expr.type));
    emit(Op::kIndex, out.reg, object.reg, at.reg);
    give_back(object);
    give_back(at);
  } else if (const auto* slice = std::get_if<Expr::Slice>(&node)) {
    out = lower_slice(*slice);
  } else if (const auto* minus = std::get_if<Expr::Negate>(&node)) {
    const Rep r = rep(expr.type);
    out = negate(lower_as(*minus->operand, expr.type), r == Rep::kInt ? Op::kNegI : Op::kNegF, r);
  } else if (const auto* no = std::get_if<Expr::Not>(&node)) {
    out = negate(lower_as(*no->operand, types_.boolean()), Op::kNot, Rep::kBool);
  } else if (const auto* binary = std::get_if<Expr::Binary>(&node)) {
    out = lower_binary(expr, *binary);
  } else if (const auto* conditional = std::get_if<Expr::Conditional>(&node)) {
    out = lower_conditional(expr, *conditional);
  } else if (const auto* list = std::get_if<Expr::ListLit>(&node)) {
    out = lower_list(expr, *list);
  } else if (const auto* comprehension = std::get_if<Expr::Comprehension>(&node)) {
    out = temp(Rep::kBoxed);
    lower_comprehension(expr, *comprehension, out.reg);
  } else if (const auto* record = std::get_if<Expr::RecordLit>(&node)) {
    out = lower_record(expr, *record);
  } else if (const auto* gen = std::get_if<Expr::Gen>(&node)) {
    out = lower_gen(gen->gen, nullptr);
  } else if (const auto* select = std::get_if<Expr::Select>(&node)) {
    out = lower_select(select->select, nullptr);
  } else if (const auto* parallel = std::get_if<Expr::ParallelFor>(&node)) {
    out = lower_parallel(expr, *parallel);
  } else if (const auto* retry = std::get_if<Expr::Retry>(&node)) {
    out = lower_retry(expr, *retry);
  } else if (const auto* branch = std::get_if<Expr::Branch>(&node)) {
    out = lower_branch(expr, *branch);
  }
  fn().position = saved;
  return out;
}

Operand Lowerer::negate(Operand operand, Op op, Rep r) {
  const Operand out = temp(r);
  emit(op, out.reg, operand.reg);
  give_back(operand);
  return out;
}

Operand Lowerer::lower_string(const Expr::StringLit& node) {
  std::vector<Operand> parts;
  for (const auto& part : node.parts) {
    if (!part.value) {
      if (!part.text.empty()) parts.push_back(load_text(part.text));
      continue;
    }
    const Operand value = lower(*part.value);
    if (part.format.empty() && types_.is_string(part.value->type)) {
      parts.push_back(value);
      continue;
    }
    const Operand spec = part.format.empty() ? Operand{} : load_text(part.format);
    const Operand text = temp(Rep::kBoxed);
    emit(Op::kFormat, text.reg, value.reg, spec.reg);
    give_back(spec);
    give_back(value);
    parts.push_back(text);
  }
  if (parts.empty()) return load_text("");
  if (parts.size() == 1) return parts[0];
  std::vector<Reg> regs;
  for (const Operand& part : parts) regs.push_back(part.reg);
  for (const Operand& part : parts) give_back(part);
  const Operand out = temp(Rep::kBoxed);
  emit_args(Op::kConcat, out.reg, kNone, regs);
  return out;
}

Operand Lowerer::lower_name(const Expr& expr, const Expr::NameRef& node) {
  if (node.constant != nullptr) {
    return convert(load_declared(*node.constant), node.constant->type, expr.type);
  }
  Operand value{fn().bindings.at(node.binding), false};
  // A retry later in the expression may assign to it: what was read stays what it was.
  if (node.binding->assigned_in_retry) value = held(value);
  // Narrowed to a type that is held unboxed: convert() unboxes.
  return convert(value, node.binding->type, expr.type);
}

Operand Lowerer::lower_member(const Expr& expr, const Expr::Member& node) {
  if (node.constant != nullptr) {
    return convert(load_declared(*node.constant), node.constant->type, expr.type);
  }
  if (node.companion != nullptr) return {fn().bindings.at(node.companion), false};
  const Operand object = lower(*node.object);
  const Operand out = temp(rep(expr.type));
  emit(Op::kField, out.reg, object.reg, node.field);
  give_back(object);
  return out;
}

Operand Lowerer::lower_slice(const Expr::Slice& node) {
  const Operand object = lower(*node.object);
  const Operand lo = node.lo ? lower_as(*node.lo, types_.integer()) : load_int(0);
  // Beyond every length: slices are clamped.
  const Operand hi = node.hi ? lower_as(*node.hi, types_.integer()) : load_int(INT64_MAX);
  const Operand out = temp(Rep::kBoxed);
  emit(Op::kSlice, out.reg, object.reg, lo.reg, hi.reg);
  for (const Operand& operand : {object, lo, hi}) give_back(operand);
  return out;
}

Operand Lowerer::lower_list(const Expr& expr, const Expr::ListLit& node) {
  const TypeId item = types_.get(expr.type).args[0];
  std::vector<Operand> items;
  std::vector<Reg> regs;
  for (const auto& element : node.items) {
    items.push_back(lower_as(*element, item));
    regs.push_back(items.back().reg);
  }
  for (const Operand& operand : items) give_back(operand);
  const Operand out = temp(Rep::kBoxed);
  emit_args(Op::kListNew, out.reg, kNone, regs);
  return out;
}

void Lowerer::lower_comprehension(const Expr& expr, const Expr::Comprehension& node, Reg dst) {
  emit_args(Op::kListNew, dst, kNone, {});
  const TypeId item = types_.get(expr.type).args[0];
  loop_over(*node.source, node.vars, [&] {
    std::vector<std::size_t> when_false;
    if (node.condition) branch_on(*node.condition, when_false);
    const Operand element = lower_as(*node.element, item);
    emit(Op::kListPush, dst, dst, element.reg);
    give_back(element);
    for (const std::size_t inst : when_false) patch(inst, here());
  });
  joins_.insert(here());
}

// What is written is evaluated in the order in which it is written, used or not; the record is made after that.
Operand Lowerer::lower_record(const Expr& expr, const Expr::RecordLit& node) {
  const std::vector<plan::Field>& fields = types_.get(expr.type).fields;
  std::unordered_map<const Expr*, std::size_t> places;
  for (std::size_t i = 0; i < node.values.size(); ++i) {
    if (node.values[i] != nullptr) places.emplace(node.values[i], i);
  }
  std::vector<Spread> spreads;
  std::vector<Operand> values(fields.size());
  for (const auto& init : node.fields) {
    if (init.spread) {
      spreads.push_back({lower(*init.value), init.value->type});
      continue;
    }
    const auto place = places.find(init.value.get());
    if (place == places.end()) {  // a later spread hides it
      give_back(lower(*init.value));
      continue;
    }
    const plan::Field& field = fields[place->second];
    // What may be null leaves an optional field out: it is no value of the field's own type.
    if (field.optional && types_.contains_null(init.value->type)) {
      const Operand value = lower(*init.value);
      values[place->second] = boxed(value, fn().function.regs[value.reg]);
    } else {
      values[place->second] = lower_as(*init.value, field.type);
    }
  }
  std::vector<Reg> regs;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (node.values[i] == nullptr) values[i] = from_spread(spreads, fields[i]);
    regs.push_back(values[i].reg);
  }
  for (const Operand& operand : values) give_back(operand);
  for (const Spread& spread : spreads) give_back(spread.value);
  const Operand out = temp(Rep::kBoxed);
  emit_args(Op::kRecordNew, out.reg, type_id(expr.type).value, regs);
  return out;
}

// A later spread hides the fields of an earlier one.
Operand Lowerer::from_spread(const std::vector<Spread>& spreads, const plan::Field& field) {
  for (auto spread = spreads.rbegin(); spread != spreads.rend(); ++spread) {
    // One that may be absent is none where a value is wanted (Checker::check_spread).
    const auto place = types_.field_index(spread->type, field.name);
    if (!place || (types_.get(spread->type).fields[*place].optional && !field.optional)) continue;
    const Operand value = temp(Rep::kBoxed);
    emit(Op::kField, value.reg, spread->value.reg, static_cast<std::uint32_t>(*place));
    return value;
  }
  return load_null();
}

Operand Lowerer::lower_call(const Expr& expr, const Expr::Call& node) {
  const ast::Callee& callee = node.resolved;
  if (callee.kind != ast::Callee::Kind::kFunction) return lower_builtin(expr, callee);
  const auto& params = std::get<Decl::Function>(callee.declaration->node).params;
  std::unordered_map<const Expr*, std::size_t> places;
  for (std::size_t i = 0; i < params.size(); ++i) {
    if (callee.arguments[i] != nullptr) places.emplace(callee.arguments[i], i);
  }
  std::vector<Operand> operands(params.size());
  // In the order in which they are written, which is not that of the parameters where they are named.
  for (const auto& argument : node.arguments) {
    const std::size_t place = places.at(argument.value.get());
    operands[place] = lower_as(*argument.value, params[place].binding->type);
  }
  std::vector<Reg> regs;
  for (std::size_t i = 0; i < params.size(); ++i) {
    if (callee.arguments[i] == nullptr) {
      const TypeId type = params[i].binding->type;
      operands[i] = convert(load_known(*params[i].init, type), type, type);
    }
    regs.push_back(operands[i].reg);
  }
  for (const Operand& operand : operands) give_back(operand);
  const Operand out = temp(rep(callee.declaration->type));
  emit_args(Op::kCall, out.reg, function_id(*callee.declaration).value, regs);
  return out;
}

Operand Lowerer::lower_builtin(const Expr& expr, const ast::Callee& callee) {
  using Special = ast::Callee::Special;
  const bool special = callee.kind == ast::Callee::Kind::kSpecial;
  std::vector<Operand> operands;
  std::vector<Reg> regs;
  for (std::size_t i = 0; i < callee.arguments.size(); ++i) {
    const Expr& argument = *callee.arguments[i];
    const bool item = special && callee.special == Special::kPush && i == 1;
    // Numbers go unboxed: an int where the type is a union of int literals is boxed already.
    operands.push_back(item ? lower_as(argument, types_.get(expr.type).args[0]) : lower(argument));
    regs.push_back(operands.back().reg);
  }
  const Operand out = temp(rep(expr.type));
  if (!special) {
    emit_args(Op::kBuiltin, out.reg, static_cast<std::uint32_t>(callee.builtin), regs);
  } else if (callee.special == Special::kLen) {
    emit(Op::kLen, out.reg, regs[0]);
  } else if (callee.special == Special::kStr) {
    emit(Op::kFormat, out.reg, regs[0]);
  } else if (callee.special == Special::kPush) {
    emit(Op::kListPush, out.reg, regs[0], regs[1]);
  } else {
    operands[0] = convert(operands[0], types_.integer(), types_.integer());
    emit(Op::kIntToFloat, out.reg, operands[0].reg);
  }
  for (const Operand& operand : operands) give_back(operand);
  return out;
}

}  // namespace sgl::compiler
