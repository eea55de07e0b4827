// Type expressions to types.
#include <algorithm>
#include <limits>

#include "compiler/check/checker.h"
#include "runtime/constraint/constraint.h"
#include "runtime/constraint/json_schema.h"
#include "runtime/constraint/plan_types.h"

namespace sgl::compiler {

using ast::TypeExpr;

namespace {

// The engine speaks of the place inside the type; at the top there is none to speak of.
std::string constraint_message(const base::Error& error) {
  constexpr std::string_view kTop = "value: ";
  return error.message.starts_with(kTop) ? error.message.substr(kTop.size()) : error.message;
}

}  // namespace

Decl* Checker::find_type(const std::vector<ast::Name>& path) {
  ModuleScope* scope = &scope_of(*module_);
  if (path.size() == 2) {
    const auto it = scope->imports.find(path[0].text);
    if (it == scope->imports.end()) {
      error(DiagKind::kUnknownModule, path[0].range, fmt::format("there is no imported module '{}'", path[0].text))
          .suggest(did_you_mean(path[0].text, names_of(scope->imports)));
      return nullptr;
    }
    Module* const target = imports_.at(it->second).module;
    if (target == nullptr) return nullptr;
    scope = &scope_of(*target);
  }
  const ast::Name& name = path.back();
  const auto it = path.size() > 2 ? scope->types.end() : scope->types.find(name.text);
  if (it != scope->types.end()) return it->second;
  std::vector<std::string> known = names_of(scope->types);
  if (path.size() == 1)
    known.insert(known.end(), {"string", "int", "float", "bool", "null", "list", "json", "json_schema"});
  auto& diagnostic = error(DiagKind::kUnknownType, name.range, fmt::format("unknown type '{}'", name.text));
  diagnostic.suggest(did_you_mean(name.text, known));
  // Spellings of other languages, too far away for the nearest name.
  static const std::unordered_map<std::string, std::string> kForeign = {
      {"str", "string"},   {"String", "string"}, {"number", "int' or 'float"},
      {"integer", "int"},  {"i64", "int"},       {"i32", "int"},
      {"double", "float"}, {"f64", "float"},     {"boolean", "bool"},
      {"List", "list"},    {"array", "list"},    {"Array", "list"},
      {"vec", "list"},     {"Vec", "list"},      {"None", "null"}};
  if (const auto foreign = kForeign.find(name.text); foreign != kForeign.end()) {
    diagnostic.suggest(fmt::format("in SGL this is '{}'", foreign->second));
  }
  return nullptr;
}

TypeId Checker::resolve(const TypeExpr& type) {
  ++nesting_;
  const int beside = std::exchange(levels_, 0);
  const TypeId id = resolve_node(type);
  levels_ = std::max(beside, levels_ + 1);
  --nesting_;
  return id;
}

TypeId Checker::resolve_node(const TypeExpr& type) {
  if (const auto* named = std::get_if<TypeExpr::Named>(&type.node)) return resolve_named(type, *named);
  if (const auto* literal = std::get_if<TypeExpr::LiteralType>(&type.node)) return types_.literal(literal->value);
  if (std::holds_alternative<TypeExpr::Null>(type.node)) return types_.null();
  if (const auto* record = std::get_if<TypeExpr::Record>(&type.node)) return resolve_record(*record);
  if (const auto* optional = std::get_if<TypeExpr::Optional>(&type.node)) {
    return optional->inner ? types_.optional(resolve(*optional->inner)) : types_.error();
  }
  if (const auto* alternatives = std::get_if<TypeExpr::Union>(&type.node)) {
    std::vector<TypeId> ids;
    for (const auto& alternative : alternatives->alternatives) ids.push_back(resolve(*alternative));
    for (const TypeId id : ids) {
      if (types_.is_error(id)) return id;
    }
    return union_of(ids, type.range);
  }
  const auto& regex = std::get<TypeExpr::Regex>(type.node);
  Type out;
  out.kind = TypeKind::kRegex;
  out.pattern = regex.pattern;
  if (!check_pattern(regex.pattern, regex.pattern_range)) return types_.error();
  for (const ast::Refinement& refinement : regex.refinements) {
    error(DiagKind::kUnknownRefinement, refinement.range, "a regex type takes no refinements");
  }
  const TypeId id = types_.intern(std::move(out));
  generable_.insert(id.value);  // as its pattern is a constraint
  return id;
}

TypeId Checker::union_of(const std::vector<TypeId>& given, SourceRange range) {
  // Literals are found by what they are, other types only by comparing each with each.
  constexpr std::size_t kMaxTypes = 1000, kMaxInAll = 1'000'000;
  std::size_t others = 0, all = types_.alternatives_in_all();
  for (const TypeId id : given) {
    const std::vector<TypeId> alternatives = types_.alternatives(id);
    all += alternatives.size();
    others += static_cast<std::size_t>(std::count_if(
        alternatives.begin(), alternatives.end(), [&](TypeId a) { return types_.get(a).kind != TypeKind::kLiteral; }));
  }
  if (others <= kMaxTypes && all <= kMaxInAll) return types_.make_union(given);
  error(DiagKind::kTooLarge, range,
        all > kMaxInAll
            ? fmt::format("with this the unions of the program have more than {} alternatives together", kMaxInAll)
            : fmt::format("a union of more than {} types that are not literals", kMaxTypes));
  return types_.error();
}

TypeId Checker::resolve_record(const TypeExpr::Record& record) {
  std::vector<plan::Field> fields;
  std::unordered_set<std::string_view> names;
  ++type_depth_;
  for (const ast::FieldDecl& field : record.fields) {
    if (!names.insert(field.name.text).second) {
      error(DiagKind::kDuplicateField, field.name.range,
            fmt::format("the record has two fields '{}'", field.name.text));
    }
    if (!field.type) continue;
    if (field.init) unsupported(field.init->range, "default values of fields");
    fields.push_back({field.name.text, resolve(*field.type), field.optional, field.doc});
  }
  --type_depth_;
  return types_.record(std::move(fields));
}

TypeId Checker::resolve_named(const TypeExpr& expr, const TypeExpr::Named& named) {
  if (named.path.empty()) return types_.error();
  const std::string& name = named.path[0].text;
  const auto no_args = [&] {
    if (!named.args.empty()) {
      error(DiagKind::kTypeArguments, expr.range, fmt::format("'{}' takes no type arguments", name));
    }
  };
  if (named.path.size() == 1 && scope_of(*module_).types.count(name) == 0) {
    Type base;
    if (name == "list") {
      base.kind = TypeKind::kList;
      if (named.args.size() != 1) {
        error(DiagKind::kTypeArguments, expr.range, "a list has one type argument").suggest("write 'list<string>'");
        return types_.error();
      }
      ++type_depth_;
      base.args = {resolve(*named.args[0])};
      --type_depth_;
      return refine(expr, std::move(base), named.refinements);
    }
    const std::unordered_map<std::string, TypeKind> scalars = {
        {"string", TypeKind::kString}, {"int", TypeKind::kInt}, {"float", TypeKind::kFloat}, {"bool", TypeKind::kBool}};
    if (const auto it = scalars.find(name); it != scalars.end()) {
      no_args();
      base.kind = it->second;
      return refine(expr, std::move(base), named.refinements);
    }
    if (name == "json" || name == "json_schema") {
      no_args();
      return name == "json" ? any_json(named) : schema_type(expr, named);
    }
    if (name == "map") {
      unsupported(expr.range, fmt::format("the type '{}'", name));
      return types_.error();
    }
  }
  Decl* decl = find_type(named.path);
  if (decl == nullptr) return types_.error();
  no_args();
  if (std::holds_alternative<Decl::Unsupported>(decl->node)) return types_.error();
  if (std::holds_alternative<Decl::Grammar>(decl->node)) {
    check_grammar(*decl);
    for (const ast::Refinement& refinement : named.refinements) {
      error(DiagKind::kUnknownRefinement, refinement.range, "a grammar takes no refinements");
    }
    return decl->type;
  }
  check_type_declaration(*decl);
  const auto open = open_types_.find(decl);
  if (open != open_types_.end() && open->second == type_depth_) {
    error(DiagKind::kInfiniteType, expr.range, fmt::format("type '{}' is made of itself", name))
        .suggest("refer to it inside a list or an optional field");
    return types_.error();
  }
  if (named.refinements.empty()) return decl->type;
  if (!types_.is_defined(decl->type)) {
    error(DiagKind::kBadRefinement, named.refinements[0].range,
          fmt::format("'{}' cannot be refined inside its own definition", name));
    return types_.error();
  }
  return refine(expr, types_.get(decl->type), named.refinements);
}

TypeId Checker::any_json(const TypeExpr::Named& named) {
  for (const ast::Refinement& refinement : named.refinements) {
    error(DiagKind::kUnknownRefinement, refinement.range, "json takes no refinements")
        .suggest("json_schema(\"file.json\") bounds it");
  }
  return types_.json();
}

// The file was read by the driver. Compiled with the options that generating it will use.
TypeId Checker::schema_type(const TypeExpr& expr, const TypeExpr::Named& named) {
  const auto* text = named.refinements.size() == 1 && !named.refinements[0].key && named.refinements[0].lo
                         ? std::get_if<Expr::StringLit>(&named.refinements[0].lo->node)
                         : nullptr;
  if (text == nullptr || named.refinements[0].is_range || text->parts.size() != 1 || text->parts[0].value) {
    error(DiagKind::kBadRefinement, expr.range, "'json_schema' takes the name of a file")
        .suggest("write json_schema(\"file.json\"), relative to this file");
    return types_.error();
  }
  const std::string& path = text->parts[0].text;
  const auto& files = module_->schemas;
  const auto file = std::find_if(files.begin(), files.end(), [&](const ast::SchemaFile& f) { return f.path == path; });
  if (file == files.end() || !file->text) return types_.error();
  if (const auto known = schemas_.find(&*file); known != schemas_.end()) return known->second;
  TypeId& out = schemas_[&*file];
  out = types_.error();
  constraint::SchemaOptions options;
  options.numbers = constraint::SchemaNumbers::kOfValues;
  const constraint::SchemaResult made = constraint::compile_json_schema(*file->text, options);
  if (!made.ok()) {
    using Status = constraint::SchemaStatus;
    const DiagKind kind = made.status == Status::kInvalid         ? DiagKind::kBadSchema
                          : made.status == Status::kUnsatisfiable ? DiagKind::kUnsatisfiable
                                                                  : DiagKind::kUnsupportedConstraint;
    const std::string place = made.pointer.empty() ? path : path + "#" + made.pointer;
    error(kind, named.refinements[0].range, fmt::format("{}: {}", place, made.message));
    return out;
  }
  Type type;
  type.kind = TypeKind::kJson;
  type.pattern = *file->text;
  type.format = path;
  out = types_.intern(std::move(type));
  return out;
}

TypeId Checker::refine(const TypeExpr& expr, Type base, const std::vector<ast::Refinement>& refinements) {
  base.name.clear();
  const std::size_t before = diag_.errors();
  for (const ast::Refinement& refinement : refinements) apply_refinement(base, refinement);
  if (diag_.errors() > before) return types_.error();
  // Of a list only how many items it has is new here.
  Type probe = base;
  if (probe.kind == TypeKind::kList) probe.args = {types_.null()};
  if (!refinements.empty() && !check_generable(types_.intern(std::move(probe)), expr.range)) return types_.error();
  return types_.intern(std::move(base));
}

void Checker::apply_refinement(Type& type, const ast::Refinement& refinement) {
  if (!refinement.key) {
    apply_range(type, refinement);
    return;
  }
  const std::string& key = refinement.key->text;
  if (type.kind == TypeKind::kString && refinement.regex) {
    if (check_pattern(*refinement.regex, refinement.range)) type.pattern = *refinement.regex;
    return;
  }
  if (type.kind == TypeKind::kString && key == "format") {
    const auto* text = refinement.lo ? std::get_if<Expr::StringLit>(&refinement.lo->node) : nullptr;
    const bool constant = text != nullptr && text->parts.size() == 1 && !text->parts[0].value;
    if (!constant) {
      error(DiagKind::kBadRefinement, refinement.range, "'format' takes a string").suggest("write format: \"email\"");
      return;
    }
    type.format = text->parts[0].text;
    return;
  }
  if (type.kind == TypeKind::kString && (key == "max_chars" || key == "min_chars")) {
    const auto number = refinement_int(refinement.lo);
    if (refinement.is_range || !number || *number < 0) {
      error(DiagKind::kBadRefinement, refinement.range, fmt::format("'{}' takes a number that is not negative", key));
      return;
    }
    (key == "max_chars" ? type.max_size : type.min_size) = *number;
    return;
  }
  std::vector<std::string> known;
  if (type.kind == TypeKind::kString) known = {"max_chars", "min_chars", "pattern", "format"};
  error(DiagKind::kUnknownRefinement, refinement.key->range,
        fmt::format("'{}' does not refine a {}", key, types_.spell_definition(type)))
      .suggest(type.kind == TypeKind::kString && key.starts_with("max")   ? "use max_chars"
               : type.kind == TypeKind::kString && key.starts_with("min") ? "use min_chars"
               : type.kind == TypeKind::kList                             ? "write a range of counts: list<T>(1..3)"
               : type.kind == TypeKind::kInt                              ? "write a range: int(0..100)"
               : type.kind == TypeKind::kFloat                            ? "write a range: float(0..1)"
                                                                          : did_you_mean(key, known));
}

void Checker::apply_range(Type& type, const ast::Refinement& refinement) {
  const auto bad = [&](const std::string& message, const char* help) {
    error(DiagKind::kBadRefinement, refinement.range, message).suggest(help);
  };
  if (type.kind == TypeKind::kFloat) {
    if (!refinement.is_range) return bad("a float is refined by a range", "write float(0..1)");
    type.min_float = refinement_float(refinement.lo);
    type.max_float = refinement_float(refinement.hi);
    if ((refinement.lo && !type.min_float) || (refinement.hi && !type.max_float))
      bad("the range needs constant numbers", "");
    return;
  }
  const auto lo = refinement_int(refinement.lo), hi = refinement_int(refinement.hi);
  if ((refinement.lo && !lo) || (refinement.hi && !hi)) return bad("the range needs constant whole numbers", "");
  if (refinement.is_range && lo && hi && *lo > *hi)
    return bad(fmt::format("the range {}..{} is empty", *lo, *hi), "the smaller number stands first");
  if (type.kind == TypeKind::kInt) {
    if (!refinement.is_range) return bad("an int is refined by a range", "write int(0..100)");
    type.min_int = lo;
    type.max_int = hi;
    return;
  }
  if (type.kind == TypeKind::kList) {
    if ((lo && *lo < 0) || (hi && *hi < 0)) return bad("a list cannot have a negative number of items", "");
    type.min_size = lo.value_or(0);
    type.max_size = refinement.is_range ? hi.value_or(-1) : lo.value_or(-1);
    return;
  }
  bad(fmt::format("a {} is not refined by a range", types_.spell_definition(type)),
      type.kind == TypeKind::kString ? "write string(max_chars: 200)" : "");
}

std::optional<std::int64_t> Checker::refinement_int(const ast::ExprPtr& expr) {
  if (!expr) return std::nullopt;
  check_expr(*expr);
  const auto value = known_value(*expr, expr->type);
  if (!value || value->kind != ConstValue::Kind::kInt) return std::nullopt;
  return value->number;
}

std::optional<double> Checker::refinement_float(const ast::ExprPtr& expr) {
  if (!expr) return std::nullopt;
  check_expr(*expr);
  const auto value = known_value(*expr, expr->type);
  if (value && value->kind == ConstValue::Kind::kInt) return static_cast<double>(value->number);
  if (!value || value->kind != ConstValue::Kind::kFloat) return std::nullopt;
  return value->real;
}

bool Checker::may_compile(SourceRange range) {
  constexpr std::size_t kMaxStates = 2'000'000;
  if (constraint_states_ <= kMaxStates) return true;
  error(DiagKind::kTooLarge, range,
        fmt::format("the constraints of the program need more than {} automaton states together", kMaxStates))
      .suggest("a type that is used often is counted once when it is declared");
  return false;
}

bool Checker::check_pattern(const std::string& pattern, SourceRange range) {
  if (patterns_.count(pattern) > 0) return true;
  if (!may_compile(range)) return false;
  const auto compiled = constraint::compile_regex(pattern, {}, &constraint_states_);
  if (compiled.ok()) {
    patterns_.insert(pattern);
  } else {
    error(DiagKind::kBadRegex, range, constraint_message(compiled.error()));
  }
  return compiled.ok();
}

bool Checker::check_generable(TypeId type, SourceRange range) {
  if (types_.is_error(type)) return false;
  if (generable_.count(type.value) > 0) return true;
  if (!types_.is_inhabited(type)) {
    error(DiagKind::kUnsatisfiable, range, fmt::format("no value of type '{}' can exist", spell(type)));
    return false;
  }
  // The constraint engine sees the same types as the plan will carry.
  if (!may_compile(range)) return false;
  const auto compiled =
      constraint::compile_type(constraint::spec_of(types_.all(), type, false), {}, &constraint_states_);
  if (compiled.ok()) {
    generable_.insert(type.value);
    return true;
  }
  // The engine's messages about types that nothing satisfies begin with "no …"; all others are about what it cannot do.
  const std::string message = constraint_message(compiled.error());
  const std::size_t colon = message.rfind(": ");
  const bool nothing_fits = message.compare(colon == std::string::npos ? 0 : colon + 2, 3, "no ") == 0;
  error(nothing_fits ? DiagKind::kUnsatisfiable : DiagKind::kUnsupportedConstraint, range, message);
  return false;
}

}  // namespace sgl::compiler
