// Expressions. A literal, list or record takes its type from where it stands, when that is known ("expected").
#include <algorithm>
#include <limits>
#include <utility>

#include "compiler/check/checker.h"
#include "runtime/base/utf8.h"

namespace sgl::compiler {

TypeId Checker::check_expr(Expr& expr, std::optional<TypeId> expected) {
  expr.type = types_.error();  // also what a failed check leaves behind
  ++nesting_;
  const TypeId type = visit(expr, expected);
  --nesting_;
  expr.type = type;
  return type;
}

std::optional<plan::Literal> Checker::literal_of(const Expr& expr) const {
  using Kind = plan::Literal::Kind;
  if (const auto* i = std::get_if<Expr::IntLit>(&expr.node)) return plan::Literal{Kind::kInt, "", i->value};
  if (const auto* b = std::get_if<Expr::BoolLit>(&expr.node)) return plan::Literal{Kind::kBool, "", b->value ? 1 : 0};
  if (const auto* n = std::get_if<Expr::Negate>(&expr.node)) {
    const auto* i = n->operand ? std::get_if<Expr::IntLit>(&n->operand->node) : nullptr;
    if (i != nullptr) return plan::Literal{Kind::kInt, "", -i->value};
  }
  if (const auto* s = std::get_if<Expr::StringLit>(&expr.node)) {
    std::string text;
    for (const auto& part : s->parts) {
      if (part.value) return std::nullopt;
      text += part.text;
    }
    return plan::Literal{Kind::kString, text, 0};
  }
  return std::nullopt;
}

bool wants_real(const TypeTable& types, TypeId wanted) {
  bool real = false;
  for (const TypeId id : types.alternatives(wanted)) {
    if (types.get(id).kind == TypeKind::kFloat) real = true;
    if (types.get(id).kind == TypeKind::kInt || types.get(id).kind == TypeKind::kLiteral) return false;
  }
  return real;
}

std::optional<ConstValue> Checker::known_value(const Expr& expr, TypeId wanted) {
  auto value = constants_.evaluate(expr, wanted);
  if (constants_.is_worn_out() && !std::exchange(told_worn_out_, true)) {
    error(DiagKind::kTooLarge, expr.range,
          fmt::format("with this the constants of the program take more than {} MB to find out",
                      Constants::kMaxWork >> 20))
        .suggest("use large constants in fewer places; no more of them are found out");
  }
  return value;
}

bool Checker::value_fits(const Expr& expr, TypeId wanted) {
  const TypeId found = expr.type;
  // First, for it is found in a large union at once, and its plain type only after all alternatives.
  const auto literal = literal_of(expr);
  const auto is_literal_of = [&] { return literal && types_.is_subtype(types_.literal(*literal), wanted); };
  if (types_.get(wanted).kind == TypeKind::kUnion && is_literal_of()) return true;
  if (types_.fits(found, wanted) || is_literal_of()) return true;
  if (types_.get(found).kind == TypeKind::kList) {
    const TypeId counted = counted_type(expr);
    return counted != found && types_.is_subtype(counted, wanted);
  }
  if (!types_.is_number(found)) return false;
  const auto value = known_value(expr, found);
  // 2 * 3 for int(0..10).
  if (value && value->kind == ConstValue::Kind::kInt) {
    return types_.is_subtype(types_.literal({plan::Literal::Kind::kInt, "", value->number}), wanted);
  }
  // 0.5 for float(0..1): float literals have no literal type of their own.
  if (!value || value->kind != ConstValue::Kind::kFloat) return false;
  const std::vector<TypeId> alternatives = types_.alternatives(wanted);
  return std::any_of(alternatives.begin(), alternatives.end(), [&](TypeId id) {
    const Type& t = types_.get(id);
    return t.kind == TypeKind::kFloat && (!t.min_float || value->real >= *t.min_float) &&
           (!t.max_float || value->real <= *t.max_float);
  });
}

void Checker::check_against(Expr& expr, TypeId wanted, const std::string& what) {
  TypeId found = check_expr(expr, wanted);
  if (types_.is_error(found) || types_.is_error(wanted) || value_fits(expr, wanted)) return;
  if (const auto literal = literal_of(expr); literal && types_.overlap(found, wanted)) {
    error(DiagKind::kTypeMismatch, expr.range,
          fmt::format("{} is not a value of type '{}'", spell_literal(*literal), spell(wanted)));
    return;
  }
  // Where only the number of items is wrong, the message says it.
  if (types_.get(found).kind == TypeKind::kList && types_.is_subtype(found, without_counts(wanted))) {
    found = counted_type(expr);
  }
  const std::string subject = what.empty() ? "this" : what;
  if (types_.contains_null(found) && types_.fits(types_.without_null(found), wanted)) {
    error(DiagKind::kMaybeNull, expr.range, fmt::format("{} may be null, but '{}' is wanted", subject, spell(wanted)))
        .suggest(null_help(expr));
    return;
  }
  auto& diagnostic = error(DiagKind::kTypeMismatch, expr.range,
                           found == types_.none()
                               ? fmt::format("{} has no value, but '{}' is wanted", subject, spell(wanted))
                               : fmt::format("{} is '{}', but '{}' is wanted", subject, spell(found), spell(wanted)));
  if (types_.is_string(wanted)) diagnostic.suggest("write it into a string: \"{…}\"");
  if (types_.is_integer(found) && types_.is_real(wanted)) diagnostic.suggest("convert it: float(…)");
  if (types_.is_real(found) && types_.is_integer(wanted)) diagnostic.suggest("convert it: round(…)");
}

TypeId Checker::visit(Expr& expr, std::optional<TypeId> expected) {
  auto& node = expr.node;
  if (std::holds_alternative<Expr::NullLit>(node)) return types_.null();
  if (std::holds_alternative<Expr::BoolLit>(node)) return types_.boolean();
  if (std::holds_alternative<Expr::FloatLit>(node)) return types_.real();
  if (auto* literal = std::get_if<Expr::IntLit>(&node)) {
    if (expected && wants_real(types_, *expected)) {
      node = Expr::FloatLit{static_cast<double>(literal->value)};
      return types_.real();
    }
    return types_.integer();
  }
  if (auto* n = std::get_if<Expr::StringLit>(&node)) return check_string(*n);
  if (auto* n = std::get_if<Expr::NameRef>(&node)) return check_name(expr, *n);
  if (auto* n = std::get_if<Expr::Member>(&node)) return check_member(expr, *n);
  if (auto* n = std::get_if<Expr::Call>(&node)) return check_call(expr, *n, expected);
  if (auto* n = std::get_if<Expr::Index>(&node)) return check_index(*n);
  if (auto* n = std::get_if<Expr::Slice>(&node)) return check_slice(*n);
  if (auto* n = std::get_if<Expr::Negate>(&node)) return check_negate(expr, *n, expected);
  if (auto* n = std::get_if<Expr::Not>(&node)) {
    check_condition(*n->operand);
    return types_.boolean();
  }
  if (auto* n = std::get_if<Expr::Binary>(&node)) return check_binary(expr, *n, expected);
  if (auto* n = std::get_if<Expr::Conditional>(&node)) return check_conditional(expr, *n, expected);
  if (auto* n = std::get_if<Expr::ListLit>(&node)) return check_list(expr, *n, expected);
  if (auto* n = std::get_if<Expr::Comprehension>(&node)) return check_comprehension(*n, expected);
  if (auto* n = std::get_if<Expr::RecordLit>(&node)) return check_record(expr, *n, expected);
  if (auto* n = std::get_if<Expr::Gen>(&node)) {
    check_gen(n->gen, nullptr, expr.range);
    return gen_result(n->gen);
  }
  if (auto* n = std::get_if<Expr::Select>(&node)) {
    check_select(n->select, nullptr, expr.range);
    return types_.string();
  }
  if (auto* n = std::get_if<Expr::ParallelFor>(&node)) return check_parallel(expr, *n, expected);
  if (auto* n = std::get_if<Expr::Branch>(&node)) return check_branch(expr, *n, expected);
  if (auto* n = std::get_if<Expr::Retry>(&node)) return check_retry(expr, *n, expected);
  error(DiagKind::kTypeMismatch, expr.range, "a duration stands here").suggest("durations are for 'limits'");
  return types_.error();
}

TypeId Checker::check_string(Expr::StringLit& node) {
  for (auto& part : node.parts) {
    if (!part.value) continue;
    const TypeId type = check_expr(*part.value);
    if (type == types_.none()) error(DiagKind::kTypeMismatch, part.value->range, "this has no value");
    if (!part.format.empty() && !types_.is_error(type)) check_format(part);
  }
  return types_.string();
}

void Checker::check_format(const Expr::StringPart& part) {
  const TypeId type = part.value->type;
  const std::string& spec = part.format;
  const bool number = types_.is_number(type), text = types_.is_string(type), truth = types_.is_boolean(type);
  const auto bad = [&](const std::string& message) {
    error(DiagKind::kBadFormat, part.format_range, message)
        .suggest("formats are as in Python: {x:.2f}, {n:>5}, {n:05d}, {share:.1%}");
  };
  if (!number && !text && !truth) return bad(fmt::format("a '{}' takes no format", spell(type)));
  // [[fill]align][sign][#][0][width][.precision][type]
  std::size_t at = 0;
  const auto is_align = [](char c) { return c == '<' || c == '>' || c == '^' || c == '='; };
  const std::size_t first = base::decode_utf8(spec, 0).bytes;
  if (first < spec.size() && is_align(spec[first])) {
    at = first + 1;
  } else if (is_align(spec[0])) {
    at = 1;
  }
  if (at > 0 && spec[at - 1] == '=' && !number) return bad("'=' puts the fill behind the sign of a number");
  if (at < spec.size() && (spec[at] == '+' || spec[at] == '-' || spec[at] == ' ')) {
    if (!number) return bad("a sign is for numbers");
    ++at;
  }
  if (at < spec.size() && spec[at] == '#') {
    if (!number) return bad("'#' is for numbers");
    ++at;
  }
  std::size_t digits = 0;
  while (at < spec.size() && spec[at] >= '0' && spec[at] <= '9') ++at, ++digits;
  if (digits > 4) return bad("the width is too large");
  bool precision = false;
  if (at < spec.size() && spec[at] == '.') {
    precision = true;
    const std::size_t from = ++at;
    while (at < spec.size() && spec[at] >= '0' && spec[at] <= '9') ++at;
    if (at == from || at - from > 2) return bad("a precision is a number of 1 or 2 digits");
  }
  const std::string_view kind = std::string_view(spec).substr(at);
  const std::string_view allowed = types_.is_integer(type) ? "dxXobcfeEgG%" : types_.is_real(type) ? "fFeEgG%" : "s";
  if (kind.size() > 1 || (kind.size() == 1 && allowed.find(kind[0]) == std::string_view::npos)) {
    return bad(fmt::format("'{}' is not a format for '{}'", kind, spell(type)));
  }
  const bool real_kind = kind.size() == 1 && std::string_view("feEgGF%").find(kind[0]) != std::string_view::npos;
  if (precision && types_.is_integer(type) && !real_kind) return bad("a precision is for floats");
}

Binding* Checker::find_binding(const std::string& name) {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    const auto it = scope->bindings.find(name);
    if (it != scope->bindings.end()) return it->second;
  }
  return nullptr;
}

TypeId Checker::type_here(const Binding& binding) const {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    const auto it = scope->narrowed.find(&binding);
    if (it != scope->narrowed.end()) return it->second;
  }
  return binding.type;
}

// Every fork between the binding's function and the use takes the value along.
void Checker::capture(Binding* binding) {
  for (std::size_t level = binding->function_depth; level < fn_.depth; ++level) {
    auto& captures = fn_.forks[level]->captures;
    if (std::find(captures.begin(), captures.end(), binding) == captures.end()) captures.push_back(binding);
  }
}

Decl* Checker::find_value(const std::string& name) {
  auto& values = scope_of(*module_).values;
  const auto it = values.find(name);
  return it == values.end() ? nullptr : it->second;
}

TypeId Checker::check_name(Expr& expr, Expr::NameRef& node) {
  if (Binding* binding = find_binding(node.name.text)) {
    node.binding = binding;
    binding->used = true;
    capture(binding);
    return type_here(*binding);
  }
  if (Decl* decl = find_value(node.name.text)) {
    if (std::holds_alternative<Decl::Const>(decl->node)) {
      check_constant(*decl);
      node.constant = decl;
      return decl->type;
    }
    if (std::holds_alternative<Decl::Function>(decl->node)) {
      error(DiagKind::kTypeMismatch, expr.range, fmt::format("'{}' is a function, not a value", node.name.text))
          .suggest(fmt::format("call it: {}(…)", node.name.text));
    }
    return types_.error();
  }
  std::vector<std::string> known = names_of(scope_of(*module_).values);
  for (const Scope& scope : scopes_) {
    for (const auto& [name, binding] : scope.bindings) known.push_back(name);
  }
  std::sort(known.begin(), known.end());
  auto& diagnostic = error(DiagKind::kUnknownName, expr.range, fmt::format("unknown name '{}'", node.name.text));
  diagnostic.suggest(did_you_mean(node.name.text, known));
  if (scope_of(*module_).imports.count(node.name.text) > 0) {
    diagnostic.message = fmt::format("'{}' is a module, not a value", node.name.text);
  }
  static const std::unordered_map<std::string, std::string> kForeign = {
      {"True", "true"}, {"False", "false"}, {"None", "null"}, {"nil", "null"}, {"undefined", "null"}};
  if (const auto it = kForeign.find(node.name.text); it != kForeign.end())
    diagnostic.suggest(fmt::format("in SGL this is '{}'", it->second));
  return types_.error();
}

TypeId Checker::check_member(Expr& expr, Expr::Member& node) {
  // module.CONSTANT
  if (auto* name = std::get_if<Expr::NameRef>(&node.object->node);
      name != nullptr && find_binding(name->name.text) == nullptr) {
    const auto& imports = scope_of(*module_).imports;
    const auto it = imports.find(name->name.text);
    if (it != imports.end() && find_value(name->name.text) == nullptr) {
      Module* const target = imports_.at(it->second).module;
      if (target == nullptr) return types_.error();
      const auto& values = scope_of(*target).values;
      const auto found = values.find(node.name.text);
      if (found == values.end()) {
        error(DiagKind::kUnknownMember, node.name.range,
              fmt::format("module '{}' has no '{}'", name->name.text, node.name.text))
            .suggest(did_you_mean(node.name.text, names_of(values)));
        return types_.error();
      }
      if (!std::holds_alternative<Decl::Const>(found->second->node)) {
        error(DiagKind::kTypeMismatch, expr.range, fmt::format("'{}' is a function, not a value", node.name.text))
            .suggest(fmt::format("call it: {}.{}(…)", name->name.text, node.name.text));
        return types_.error();
      }
      check_constant(*found->second);
      node.constant = found->second;
      return found->second->type;
    }
  }
  const TypeId object = check_expr(*node.object);
  if (types_.is_error(object)) return object;
  // verdict.scores, answer.logprobs
  if (auto* name = std::get_if<Expr::NameRef>(&node.object->node); name != nullptr && name->binding != nullptr) {
    using Companion = Binding::Companion;
    const Companion wanted = node.name.text == "scores"     ? Companion::kScores
                             : node.name.text == "logprobs" ? Companion::kLogprobs
                                                            : Companion::kNone;
    if (wanted != Companion::kNone && name->binding->companion_kind == wanted) {
      Binding& binding = *name->binding;
      binding.wants_companion = true;
      if (!binding.companion) {
        binding.companion = std::make_unique<Binding>();
        binding.companion->name = {binding.name.text + "." + node.name.text, binding.name.range};
        binding.companion->type = types_.list(types_.real());
        binding.companion->function_depth = binding.function_depth;
      }
      node.companion = binding.companion.get();
      capture(node.companion);
      return node.companion->type;
    }
  }
  if (types_.contains_null(object) && object != types_.null()) {
    error(DiagKind::kMaybeNull, node.object->range,
          fmt::format("this may be null, so it has no field '{}'", node.name.text))
        .suggest(null_help(*node.object));
    return types_.error();
  }
  if (const auto place = types_.field_index(object, node.name.text)) {
    node.field = static_cast<std::uint32_t>(*place);
    const plan::Field& field = types_.get(object).fields[*place];
    return field.optional ? types_.optional(field.type) : field.type;
  }
  std::vector<std::string> known;
  for (const auto& field : types_.get(object).fields) known.push_back(field.name);
  auto& diagnostic = error(DiagKind::kUnknownMember, node.name.range,
                           fmt::format("'{}' has no field '{}'", spell(object), node.name.text));
  diagnostic.suggest(did_you_mean(node.name.text, known));
  if (node.name.text == "length" || node.name.text == "size" || node.name.text == "len")
    diagnostic.suggest("use len(…)");
  if (node.name.text == "scores") diagnostic.suggest("scores belong to the name that a select statement introduced");
  return types_.error();
}

TypeId Checker::check_index(Expr::Index& node) {
  const TypeId object = check_expr(*node.object);
  check_against(*node.index, types_.integer(), "the index");
  if (types_.is_error(object)) return object;
  if (types_.get(object).kind == TypeKind::kList) return types_.get(object).args[0];
  if (types_.is_string(object)) return types_.string();
  auto& diagnostic =
      error(DiagKind::kNotIndexable, node.object->range, fmt::format("'{}' has no items", spell(object)));
  if (types_.contains_null(object)) diagnostic.suggest(null_help(*node.object));
  if (types_.get(object).kind == TypeKind::kRecord) diagnostic.suggest("fields are written with a dot");
  return types_.error();
}

TypeId Checker::check_slice(Expr::Slice& node) {
  const TypeId object = check_expr(*node.object);
  if (node.lo) check_against(*node.lo, types_.integer(), "the beginning of the slice");
  if (node.hi) check_against(*node.hi, types_.integer(), "the end of the slice");
  if (types_.is_error(object)) return object;
  if (types_.get(object).kind == TypeKind::kList) return types_.list(types_.get(object).args[0]);
  if (types_.is_string(object)) return types_.string();
  error(DiagKind::kNotIndexable, node.object->range, fmt::format("'{}' cannot be sliced", spell(object)));
  return types_.error();
}

}  // namespace sgl::compiler
