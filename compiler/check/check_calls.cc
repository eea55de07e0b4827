// Calls: functions, prompts, programs, built-in functions and methods.
#include <algorithm>

#include "compiler/check/checker.h"

namespace sgl::compiler {

using plan::Builtin;

TypeId Checker::check_call(Expr& expr, Expr::Call& node, std::optional<TypeId> expected) {
  static_cast<void>(expected);
  if (!node.callee) return types_.error();
  if (auto* name = std::get_if<Expr::NameRef>(&node.callee->node)) {
    if (Binding* binding = find_binding(name->name.text)) {
      error(DiagKind::kNotCallable, node.callee->range,
            fmt::format("'{}' is a value of type '{}', not a function", name->name.text, spell(binding->type)));
      return types_.error();
    }
    if (Decl* decl = find_value(name->name.text)) return check_function_call(expr, node, *decl);
    return check_builtin_function(expr, node, name->name.text);
  }
  auto* member = std::get_if<Expr::Member>(&node.callee->node);
  if (member == nullptr) {
    check_expr(*node.callee);
    error(DiagKind::kNotCallable, node.callee->range, "this cannot be called");
    return types_.error();
  }
  if (auto* name = std::get_if<Expr::NameRef>(&member->object->node);
      name != nullptr && find_binding(name->name.text) == nullptr && find_value(name->name.text) == nullptr) {
    const auto& imports = scope_of(*module_).imports;
    const auto it = imports.find(name->name.text);
    if (it != imports.end()) {
      Module* const target = imports_.at(it->second).module;
      if (target == nullptr) return types_.error();
      const auto& values = scope_of(*target).values;
      const auto found = values.find(member->name.text);
      if (found != values.end()) return check_function_call(expr, node, *found->second);
      error(DiagKind::kUnknownMember, member->name.range,
            fmt::format("module '{}' has no '{}'", name->name.text, member->name.text))
          .suggest(did_you_mean(member->name.text, names_of(values)));
      return types_.error();
    }
  }
  return check_method(expr, node, *member);
}

TypeId Checker::check_function_call(Expr& expr, Expr::Call& node, Decl& decl) {
  auto* function = std::get_if<Decl::Function>(&decl.node);
  if (function == nullptr) {
    if (std::holds_alternative<Decl::Const>(decl.node)) {
      error(DiagKind::kNotCallable, node.callee->range,
            fmt::format("'{}' is a constant, not a function", decl.name.text));
    }
    for (auto& argument : node.arguments) check_expr(*argument.value);
    return types_.error();
  }
  const bool is_program = function->kind == plan::FunctionKind::kProgram;
  if (function->kind != plan::FunctionKind::kFn) {
    if (!is_program) fn_.last_generation = nullptr;
    const char* kind = function->tool ? "tool" : is_program ? "program" : "prompt";
    require_model(node.callee->range, fmt::format("the {} '{}'", kind, decl.name.text));
  }
  if (is_program && !function->tool && fn_.role) {
    error(DiagKind::kNestedRole, node.callee->range,
          fmt::format("program '{}' is called inside a role", decl.name.text))
        .suggest("call it before, and use its value");
  }
  node.resolved.kind = ast::Callee::Kind::kFunction;
  node.resolved.declaration = &decl;
  auto& slots = node.resolved.arguments;
  slots.assign(function->params.size(), nullptr);
  const auto declared = [&](Diagnostic& d) -> Diagnostic& { return d.label(decl.name.range, "declared here"); };
  std::size_t position = 0;
  for (auto& argument : node.arguments) {
    std::size_t index = position;
    if (argument.name) {
      const auto& params = function->params;
      const auto it = std::find_if(params.begin(), params.end(),
                                   [&](const ast::Param& p) { return p.binding->name.text == argument.name->text; });
      if (it == params.end()) {
        std::vector<std::string> known;
        for (const auto& p : params) known.push_back(p.binding->name.text);
        error(DiagKind::kUnknownArgument, argument.name->range,
              fmt::format("'{}' has no parameter '{}'", decl.name.text, argument.name->text))
            .suggest(did_you_mean(argument.name->text, known));
        check_expr(*argument.value);
        continue;
      }
      index = static_cast<std::size_t>(it - params.begin());
    } else {
      ++position;
    }
    if (index >= slots.size() || slots[index] != nullptr) {
      declared(error(
          DiagKind::kArgumentCount, argument.value->range,
          index >= slots.size()
              ? fmt::format("'{}' takes {} argument{}", decl.name.text, slots.size(), slots.size() == 1 ? "" : "s")
              : fmt::format("parameter '{}' is given twice", function->params[index].binding->name.text)));
      check_expr(*argument.value);
      continue;
    }
    slots[index] = argument.value.get();
    const ast::Param& param = function->params[index];
    check_against(*argument.value, param.binding->type, fmt::format("argument '{}'", param.binding->name.text));
  }
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (slots[i] != nullptr || function->params[i].init) continue;
    const Binding& binding = *function->params[i].binding;
    declared(error(DiagKind::kArgumentCount, expr.range,
                   fmt::format("argument '{}' of '{}' is missing", binding.name.text, decl.name.text)))
        .suggest(fmt::format("it is of type '{}'", spell(binding.type)));
  }
  if (current_ != nullptr && conditional_ == 0 && !may_have_left_) calls_[current_].insert(&decl);
  return decl.type;
}

bool Checker::take_arguments(Expr& expr, Expr::Call& node, const std::string& name, std::size_t least,
                             std::size_t most) {
  for (auto& argument : node.arguments) {
    if (argument.name) {
      error(DiagKind::kUnknownArgument, argument.name->range,
            fmt::format("'{}' takes its arguments by position", name));
      return false;
    }
  }
  if (node.arguments.size() >= least && node.arguments.size() <= most) return true;
  const std::string count = least == most ? std::to_string(least) : fmt::format("{} to {}", least, most);
  error(DiagKind::kArgumentCount, expr.range,
        fmt::format("'{}' takes {} argument{}, not {}", name, count, most == 1 ? "" : "s", node.arguments.size()));
  for (auto& argument : node.arguments) check_expr(*argument.value);
  return false;
}

TypeId Checker::use_builtin(Expr::Call& node, Builtin builtin, TypeId result, Expr* receiver) {
  node.resolved.kind = ast::Callee::Kind::kBuiltin;
  node.resolved.builtin = builtin;
  node.resolved.arguments.clear();
  if (receiver != nullptr) node.resolved.arguments.push_back(receiver);
  for (auto& argument : node.arguments) node.resolved.arguments.push_back(argument.value.get());
  return result;
}

TypeId Checker::check_builtin_function(Expr& expr, Expr::Call& node, const std::string& name) {
  const auto argument = [&](std::size_t i) -> Expr& { return *node.arguments[i].value; };
  const auto type_of = [&](std::size_t i, std::optional<TypeId> expected = std::nullopt) {
    return check_expr(argument(i), expected);
  };
  const auto wrong = [&](TypeId type, const char* wanted) {
    if (!types_.is_error(type)) {
      auto& d = error(DiagKind::kTypeMismatch, argument(0).range,
                      fmt::format("'{}' takes {}, this is '{}'", name, wanted, spell(type)));
      if (types_.contains_null(type)) d.suggest("give a value for null with '??'");
    }
    return types_.error();
  };
  const auto special = [&](ast::Callee::Special kind, TypeId result) {
    use_builtin(node, Builtin::kToJson, result, nullptr);
    node.resolved.kind = ast::Callee::Kind::kSpecial;
    node.resolved.special = kind;
    return result;
  };
  if (name == "len" || name == "str" || name == "json" || name == "int" || name == "float" || name == "floor" ||
      name == "ceil" || name == "abs" || name == "sum" || name == "sorted" || name == "reversed") {
    if (!take_arguments(expr, node, name, 1, 1)) return types_.error();
    const TypeId type = type_of(0);
    if (types_.is_error(type)) return type;
    const bool list = types_.get(type).kind == TypeKind::kList;
    if (name == "len")
      return list || types_.is_string(type) ? special(ast::Callee::Special::kLen, types_.integer())
                                            : wrong(type, "a string or a list");
    if (type == types_.none()) return wrong(type, "a value");
    if (name == "str") return special(ast::Callee::Special::kStr, types_.string());
    if (name == "json") return use_builtin(node, Builtin::kToJson, types_.string(), nullptr);
    if (name == "int") {
      if (types_.is_string(type))
        return use_builtin(node, Builtin::kParseInt, types_.optional(types_.integer()), nullptr);
      if (types_.is_real(type)) return use_builtin(node, Builtin::kTruncate, types_.integer(), nullptr);
      return wrong(type, "a string or a float");
    }
    if (name == "float") {
      if (types_.is_string(type))
        return use_builtin(node, Builtin::kParseFloat, types_.optional(types_.real()), nullptr);
      if (types_.is_integer(type)) return special(ast::Callee::Special::kToFloat, types_.real());
      return wrong(type, "a string or an int");
    }
    if (name == "floor" || name == "ceil") {
      if (!types_.is_real(type)) return wrong(type, "a float");
      return use_builtin(node, name == "floor" ? Builtin::kFloor : Builtin::kCeil, types_.integer(), nullptr);
    }
    if (name == "abs") {
      if (!types_.is_number(type)) return wrong(type, "a number");
      return use_builtin(node, Builtin::kAbs, types_.is_integer(type) ? types_.integer() : types_.real(), nullptr);
    }
    if (!list) return wrong(type, "a list");
    const TypeId item = types_.get(type).args[0];
    if (name == "reversed") return use_builtin(node, Builtin::kReversed, types_.list(item), nullptr);
    if (name == "sum") {
      if (!types_.is_number(item)) return wrong(type, "a list of numbers");
      return use_builtin(node, Builtin::kSum, types_.is_integer(item) ? types_.integer() : types_.real(), nullptr);
    }
    if (!types_.is_number(item) && !types_.is_string(item)) return wrong(type, "a list of numbers or strings");
    return use_builtin(node, Builtin::kSorted, types_.list(item), nullptr);
  }
  if (name == "round") {
    if (!take_arguments(expr, node, name, 1, 2)) return types_.error();
    const TypeId type = type_of(0);
    if (!types_.is_real(type)) return wrong(type, "a float");
    if (node.arguments.size() == 1) return use_builtin(node, Builtin::kRound, types_.integer(), nullptr);
    check_against(argument(1), types_.integer(), "the number of digits");
    return use_builtin(node, Builtin::kRoundTo, types_.real(), nullptr);
  }
  if (name == "range") {
    if (!take_arguments(expr, node, name, 1, 2)) return types_.error();
    for (auto& a : node.arguments) check_against(*a.value, types_.integer(), "the argument of 'range'");
    return use_builtin(node, Builtin::kRange, types_.list(types_.integer()), nullptr);
  }
  if (name == "min" || name == "max") {
    if (!take_arguments(expr, node, name, 1, 16)) return types_.error();
    std::optional<TypeId> type;
    for (std::size_t i = 0; i < node.arguments.size(); ++i) {
      const TypeId next = type_of(i, type);
      const auto joined = type ? types_.join(*type, next) : std::optional(next);
      if (!joined) {
        error(DiagKind::kTypeMismatch, argument(i).range,
              fmt::format("'{}' compares values of one type, not {} and {}", name, spell(*type), spell(next)));
        return types_.error();
      }
      type = joined;
    }
    if (node.arguments.size() == 1) {
      if (types_.get(*type).kind != TypeKind::kList) return wrong(*type, "a list, or several values");
      type = types_.get(*type).args[0];
    }
    if (!types_.is_number(*type) && !types_.is_string(*type)) return wrong(*type, "numbers or strings");
    return use_builtin(node, name == "min" ? Builtin::kMin : Builtin::kMax, *type, nullptr);
  }
  static const std::vector<std::string> kKnown = {"len", "str", "json", "int", "float", "round",  "floor",   "ceil",
                                                  "abs", "min", "max",  "sum", "range", "sorted", "reversed"};
  for (auto& a : node.arguments) check_expr(*a.value);
  if (name == "score" || name == "context") {
    unsupported(node.callee->range, name == "score" ? "scores of continuations" : "contexts as values");
    return types_.error();
  }
  std::vector<std::string> known = names_of(scope_of(*module_).values);
  known.insert(known.end(), kKnown.begin(), kKnown.end());
  auto& diagnostic = error(DiagKind::kUnknownName, node.callee->range, fmt::format("unknown function '{}'", name));
  diagnostic.suggest(did_you_mean(name, known));
  if (name == "print" || name == "println")
    diagnostic.suggest("a program returns its result; text for the model is written as a string");
  static const std::set<std::string> kMethods = {"upper",   "lower",    "trim",   "split", "join",
                                                 "replace", "contains", "append", "find"};
  if (kMethods.count(name) > 0) diagnostic.suggest(fmt::format("'{}' is a method: x.{}(…)", name, name));
  return types_.error();
}

TypeId Checker::check_method(Expr& expr, Expr::Call& node, Expr::Member& member) {
  const TypeId object = check_expr(*member.object);
  if (types_.is_error(object)) {
    for (auto& argument : node.arguments) check_expr(*argument.value);
    return object;
  }
  if (types_.is_string(object)) return check_string_method(expr, node, member);
  if (types_.get(object).kind == TypeKind::kList) return check_list_method(expr, node, member, object);
  if (types_.get(object).kind == TypeKind::kJson) return check_json_method(expr, node, member);
  for (auto& argument : node.arguments) check_expr(*argument.value);
  if (types_.contains_null(object)) {
    error(DiagKind::kMaybeNull, member.object->range,
          fmt::format("this may be null, so it has no method '{}'", member.name.text))
        .suggest(null_help(*member.object));
    return types_.error();
  }
  auto& diagnostic = error(DiagKind::kNotCallable, member.name.range,
                           fmt::format("'{}' has no method '{}'", spell(object), member.name.text));
  if (types_.is_number(object) && (member.name.text == "str" || member.name.text == "to_string"))
    diagnostic.suggest("use str(…)");
  return types_.error();
}

TypeId Checker::check_string_method(Expr& expr, Expr::Call& node, Expr::Member& member) {
  struct Method {
    Builtin builtin;
    std::size_t arguments;
    char result;  // s string, b bool, i int, l list<string>
    char argument;
  };
  static const std::unordered_map<std::string, Method> kMethods = {{"upper", {Builtin::kUpper, 0, 's', 's'}},
                                                                   {"lower", {Builtin::kLower, 0, 's', 's'}},
                                                                   {"trim", {Builtin::kTrim, 0, 's', 's'}},
                                                                   {"lines", {Builtin::kLines, 0, 'l', 's'}},
                                                                   {"chars", {Builtin::kChars, 0, 'l', 's'}},
                                                                   {"split", {Builtin::kSplit, 1, 'l', 's'}},
                                                                   {"replace", {Builtin::kReplace, 2, 's', 's'}},
                                                                   {"contains", {Builtin::kContains, 1, 'b', 's'}},
                                                                   {"starts_with", {Builtin::kStartsWith, 1, 'b', 's'}},
                                                                   {"ends_with", {Builtin::kEndsWith, 1, 'b', 's'}},
                                                                   {"find", {Builtin::kFind, 1, 'i', 's'}},
                                                                   {"repeat", {Builtin::kRepeat, 1, 's', 'i'}}};
  const std::string& name = member.name.text;
  const auto it = kMethods.find(name);
  if (it == kMethods.end()) {
    for (auto& argument : node.arguments) check_expr(*argument.value);
    std::vector<std::string> known;
    for (const auto& [key, method] : kMethods) known.push_back(key);
    std::sort(known.begin(), known.end());
    auto& d = error(DiagKind::kUnknownMember, member.name.range, fmt::format("a string has no method '{}'", name));
    d.suggest(did_you_mean(name, known));
    if (name == "strip") d.suggest("use trim()");
    if (name == "startswith" || name == "startsWith") d.suggest("use starts_with(…)");
    if (name == "join") d.suggest("join is a method of lists: items.join(\", \")");
    if (name == "length" || name == "len" || name == "size") d.suggest("use len(…)");
    return types_.error();
  }
  const Method& method = it->second;
  if (!take_arguments(expr, node, name, method.arguments, method.arguments)) return types_.error();
  for (auto& argument : node.arguments) {
    check_against(*argument.value, method.argument == 's' ? types_.string() : types_.integer(),
                  fmt::format("the argument of '{}'", name));
  }
  const TypeId result = method.result == 's'   ? types_.string()
                        : method.result == 'b' ? types_.boolean()
                        : method.result == 'i' ? types_.integer()
                                               : types_.list(types_.string());
  return use_builtin(node, method.builtin, result, member.object.get());
}

TypeId Checker::check_json_method(Expr& expr, Expr::Call& node, Expr::Member& member) {
  const std::string& name = member.name.text;
  Expr* const receiver = member.object.get();
  if (name == "keys" || name == "items") {
    if (!take_arguments(expr, node, name, 0, 0)) return types_.error();
    return name == "keys" ? use_builtin(node, Builtin::kJsonKeys, types_.list(types_.string()), receiver)
                          : use_builtin(node, Builtin::kJsonItems, types_.list(types_.json()), receiver);
  }
  if (name == "get") {
    if (!take_arguments(expr, node, name, 1, 1)) return types_.error();
    const TypeId key = check_expr(*node.arguments[0].value);
    if (!types_.is_error(key) && !types_.is_string(key) && !types_.is_integer(key)) {
      error(DiagKind::kTypeMismatch, node.arguments[0].value->range,
            fmt::format("'get' takes the name of a member or the index of an item, this is '{}'", spell(key)));
    }
    return use_builtin(node, Builtin::kJsonGet, types_.json(), receiver);
  }
  for (auto& argument : node.arguments) check_expr(*argument.value);
  error(DiagKind::kUnknownMember, member.name.range, fmt::format("a JSON value has no method '{}'", name))
      .suggest(did_you_mean(name, {"get", "items", "keys"}));
  return types_.error();
}

TypeId Checker::check_list_method(Expr& expr, Expr::Call& node, Expr::Member& member, TypeId list) {
  const std::string& name = member.name.text;
  const TypeId item = types_.get(list).args[0];
  Expr* const receiver = member.object.get();
  static const std::vector<std::string> kKnown = {"append", "contains", "index_of", "join",
                                                  "first",  "last",     "reversed", "sorted"};
  if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end()) {
    for (auto& argument : node.arguments) check_expr(*argument.value);
    auto& d = error(DiagKind::kUnknownMember, member.name.range, fmt::format("a list has no method '{}'", name));
    d.suggest(did_you_mean(name, kKnown));
    if (name == "push" || name == "add") d.suggest("use xs = xs.append(x): lists do not change in place");
    if (name == "length" || name == "len" || name == "size") d.suggest("use len(…)");
    if (name == "map" || name == "filter") d.suggest("write a comprehension: [f(x) for x in xs if c]");
    return types_.error();
  }
  const bool takes_item = name == "append" || name == "contains" || name == "index_of" || name == "join";
  if (!take_arguments(expr, node, name, takes_item ? 1 : 0, takes_item ? 1 : 0)) return types_.error();
  if (name == "append") {
    check_against(*node.arguments[0].value, item, "what is appended");
    use_builtin(node, Builtin::kListConcat, types_.list(item), receiver);
    node.resolved.kind = ast::Callee::Kind::kSpecial;
    node.resolved.special = ast::Callee::Special::kPush;
    return types_.list(item);
  }
  if (name == "join") {
    if (!types_.is_string(item)) {
      error(DiagKind::kTypeMismatch, receiver->range,
            fmt::format("'join' is for lists of strings, this is '{}'", spell(list)))
          .suggest("write [\"{x}\" for x in xs].join(…)");
    }
    check_against(*node.arguments[0].value, types_.string(), "the separator");
    return use_builtin(node, Builtin::kJoin, types_.string(), receiver);
  }
  if (name == "contains" || name == "index_of") {
    const TypeId type = check_expr(*node.arguments[0].value, item);
    if (!types_.overlap(type, item)) {
      error(DiagKind::kNeverEqual, node.arguments[0].value->range,
            fmt::format("a '{}' is never in '{}'", spell(type), spell(list)));
    }
    return name == "contains" ? use_builtin(node, Builtin::kListContains, types_.boolean(), receiver)
                              : use_builtin(node, Builtin::kIndexOf, types_.integer(), receiver);
  }
  if (name == "first" || name == "last") {
    return use_builtin(node, name == "first" ? Builtin::kFirst : Builtin::kLast, types_.optional(item), receiver);
  }
  if (name == "sorted" && !types_.is_number(item) && !types_.is_string(item)) {
    error(DiagKind::kTypeMismatch, receiver->range, "only lists of numbers or strings can be sorted");
  }
  return use_builtin(node, name == "sorted" ? Builtin::kSorted : Builtin::kReversed, types_.list(item), receiver);
}

}  // namespace sgl::compiler
