// Calls of methods, macros and global functions.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "runtime/tokenizer/jinja/interpreter.h"

namespace sgl::tokenizer::jinja {

using base::Expected;
using base::Status;

Expected<Arguments> Interpreter::eval_arguments(const Expr& e) {
  Arguments out;
  for (std::size_t i = 1; i < e.args.size(); ++i) {
    SGL_TRY(Value value, eval(*e.args[i]));
    out.positional.push_back(std::move(value));
  }
  for (const auto& [name, arg] : e.named) {
    SGL_TRY(Value value, eval(*arg));
    out.named.emplace_back(name, std::move(value));
  }
  return out;
}

Expected<Value> Interpreter::eval_call(const Expr& e) {
  const Expr& callee = *e.args[0];
  SGL_TRY(const Arguments args, eval_arguments(e));
  Value function;
  if (callee.kind == Expr::Kind::kMember) {
    SGL_TRY(const Value self, eval(*callee.args[0]));
    SGL_TRY(std::optional<Value> result, call_method(callee.text, self, args));
    if (result) return *std::move(result);
    SGL_TRY(function, eval_member(self, callee.text, e.line));
    if (function.undefined())
      return base::invalid(fmt::format("method '{}' of {} is not supported", callee.text, self.type_name()));
  } else {
    SGL_TRY(function, eval(callee));
  }
  if (const auto* builtin = function.as<Builtin>()) return eval_builtin(builtin->name, args, e.line);
  if (const auto* macro = function.as<const Macro*>()) return call_macro(**macro, args, e.line);
  if (const auto* undefined = function.as<Undefined>())
    return base::invalid(fmt::format("function '{}' is not supported", undefined->name));
  return base::invalid(fmt::format("{} cannot be called", function.type_name()));
}

Expected<Value> Interpreter::call_macro(const Macro& macro, const Arguments& args, int line) {
  SGL_TRY_STATUS([&]() -> Status {
    if (args.positional.size() > macro.parameters.size())
      return at_line(line, fmt::format("macro '{}': too many arguments", macro.name));
    for (const auto& [key, value] : args.named) {
      const auto same = [&name = key](const auto& p) { return p.first == name; };
      if (std::none_of(macro.parameters.begin(), macro.parameters.end(), same)) {
        return at_line(line, fmt::format("macro '{}': unknown argument '{}'", macro.name, key));
      }
    }
    return {};
  }());
  // Macros see their arguments and the template's own variables.
  const std::size_t outer = std::exchange(macro_base_, scopes_.size());
  scopes_.emplace_back();
  for (std::size_t i = 0; i < macro.parameters.size(); ++i) {
    const auto& [name, otherwise] = macro.parameters[i];
    Value value{Undefined(name)};
    if (const Value* given = args.get(i, name)) {
      value = *given;
    } else if (otherwise != nullptr) {
      SGL_TRY(value, eval(*otherwise));
    }
    assign(name, std::move(value));
  }
  Output out;
  SGL_TRY([[maybe_unused]] const Flow flow, run(macro.body, out));
  scopes_.pop_back();
  macro_base_ = outer;
  return Value::text(out.take());
}

Expected<Value> Interpreter::eval_builtin(const std::string& name, const Arguments& args, int line) {
  if (name == "namespace" || name == "dict") {
    std::vector<std::pair<Text, Value>> entries;
    if (!args.positional.empty()) {
      const Dict* dict = args.positional[0].as_dict();
      if (dict == nullptr || args.positional.size() > 1) return base::invalid(name + ": expected one mapping");
      entries = dict->entries;
    }
    for (const auto& [key, value] : args.named) entries.emplace_back(Text(key), value);
    if (name == "dict") return Value::dict(std::move(entries));
    Namespace& space = namespaces_.emplace_back();
    space.charge.add(sizeof(Namespace));
    for (auto& [key, value] : entries) space.set(key.bytes, std::move(value));
    return Value(&space);
  }
  if (name == "raise_exception") {
    SGL_TRY(const Text message, to_text(args.positional.empty() ? Value() : args.positional[0]));
    return at_line(line, "the template refuses these messages: " + message.bytes);
  }
  if (name == "strftime_now") {
    const Text* format = args.positional.empty() ? nullptr : args.positional[0].as_text();
    if (format == nullptr) return base::invalid("strftime_now: expected a format");
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    localtime_r(&now, &local);
    char buffer[512];
    return Value::text(Text(std::string(buffer, std::strftime(buffer, sizeof buffer, format->bytes.c_str(), &local))));
  }
  std::vector<std::int64_t> bounds;
  for (const Value& value : args.positional) {
    if (!value.integer()) return base::invalid("range: expected integers");
    bounds.push_back(*value.integer());
  }
  if (bounds.empty() || bounds.size() > 3 || !args.named.empty())
    return base::invalid("range: expected 1 to 3 integers");
  const std::int64_t begin = bounds.size() > 1 ? bounds[0] : 0, end = bounds.size() > 1 ? bounds[1] : bounds[0];
  const std::int64_t step = bounds.size() > 2 ? bounds[2] : 1;
  if (step == 0) return base::invalid("range: step must not be 0");
  std::vector<Value> items;
  for (std::int64_t i = begin; step > 0 ? i < end : i > end;) {
    if (items.size() >= kMaxListItems) return base::over_limit("range: more than a million items");
    items.emplace_back(i);
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return Value::list(std::move(items));
}

}  // namespace sgl::tokenizer::jinja
