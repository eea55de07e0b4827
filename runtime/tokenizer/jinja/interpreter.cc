#include "runtime/tokenizer/jinja/interpreter.h"

#include <fmt/format.h>

#include <algorithm>

namespace sgl::tokenizer::jinja {

using base::Expected;
using base::Status;

namespace {

// Adds the line to an error that has none yet.
base::Error with_line(base::Error error, int line) {
  if (error.message.starts_with("chat template")) return error;
  return {error.kind, fmt::format("chat template, line {}: {}", line, error.message)};
}

template <typename T>
Expected<T> located(Expected<T> result, int line) {
  if (!result.ok()) return with_line(std::move(result).error(), line);
  return result;
}

}  // namespace

const Value* Arguments::get(std::size_t index, std::string_view name) const {
  if (index < positional.size()) return &positional[index];
  for (const auto& [key, value] : named) {
    if (key == name) return &value;
  }
  return nullptr;
}

Status Arguments::check(std::string_view what, std::size_t max, std::initializer_list<std::string_view> names) const {
  if (positional.size() > max) return base::invalid(fmt::format("{}: too many arguments", what));
  for (const auto& [key, value] : named) {
    if (std::find(names.begin(), names.end(), key) == names.end()) {
      return base::invalid(fmt::format("{}: argument '{}' is not supported", what, key));
    }
  }
  return {};
}

Status Output::append(const Text& text) {
  if (!text_.append_within(text).ok()) return base::over_limit("chat template: more than 16 MB of output");
  charge_.add(text.footprint());
  return heap_status();
}

Interpreter::Interpreter(std::vector<std::pair<std::string, Value>> globals) {
  scopes_.push_back(std::move(globals));
  for (const char* name : {"range", "namespace", "raise_exception", "strftime_now", "dict"}) {
    if (lookup(name).undefined()) assign(name, Value(Builtin{name}));
  }
}

Expected<Text> Interpreter::render(const Body& body) {
  Output out;
  SGL_TRY([[maybe_unused]] const Flow flow, run(body, out));
  return out.take();
}

Value Interpreter::lookup(const std::string& name) const {
  const auto in = [&](const Scope& scope) -> const Value* {
    for (auto it = scope.rbegin(); it != scope.rend(); ++it) {
      if (it->first == name) return &it->second;
    }
    return nullptr;
  };
  for (std::size_t i = scopes_.size(); i-- > std::max<std::size_t>(macro_base_, 1);) {
    if (const Value* value = in(scopes_[i])) return *value;
  }
  if (const Value* value = in(scopes_[0])) return *value;
  return Value(Undefined(name));
}

void Interpreter::assign(const std::string& name, Value value) {
  for (auto& [key, old] : scopes_.back()) {
    if (key == name) {
      old = std::move(value);
      return;
    }
  }
  scopes_.back().emplace_back(name, std::move(value));
}

Status Interpreter::emit(Output& out, const Value& value, int line) {
  if (const Text* text = value.as_text()) return located(out.append(*text), line);
  auto text = to_text(value);
  return located(text.ok() ? out.append(*text) : Status(std::move(text).error()), line);
}

Expected<Interpreter::Flow> Interpreter::run(const Body& body, Output& out) {
  if (++budget_.depth > Budget::kMaxDepth) return base::over_limit("chat template: blocks are nested too deeply");
  auto flow = run_statements(body, out);
  --budget_.depth;
  return flow;
}

Expected<Interpreter::Flow> Interpreter::run_statements(const Body& body, Output& out) {
  for (const Statement& statement : body) {
    if (++budget_.steps > Budget::kMaxSteps) return base::over_limit("chat template: more than a million steps");
    SGL_TRY(const Flow flow, run(statement, out));
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

Expected<Interpreter::Flow> Interpreter::run(const Statement& s, Output& out) {
  switch (s.kind) {
    case Statement::Kind::kText:
      SGL_TRY_STATUS(located(out.append(Text(s.text)), s.line));
      return Flow::kNext;
    case Statement::Kind::kOutput: {
      SGL_TRY(const Value value, eval(*s.value));
      SGL_TRY_STATUS(emit(out, value, s.line));
      return Flow::kNext;
    }
    case Statement::Kind::kIf:
      for (const auto& [condition, body] : s.branches) {
        SGL_TRY(const Value value, eval(*condition));
        if (value.truthy()) return run(body, out);
      }
      return run(s.otherwise, out);
    case Statement::Kind::kFor:
      return run_for(s, out);
    case Statement::Kind::kSet:
      SGL_TRY_STATUS(run_set(s));
      return Flow::kNext;
    case Statement::Kind::kSetBlock: {
      Output inner;
      scopes_.emplace_back();
      SGL_TRY(const Flow flow, run(s.body, inner));
      scopes_.pop_back();
      assign(s.targets[0], Value::text(inner.take()));
      return flow;
    }
    case Statement::Kind::kMacro:
      assign(s.macro->name, Value(s.macro.get()));
      return Flow::kNext;
    case Statement::Kind::kBreak:
      return Flow::kBreak;
    case Statement::Kind::kContinue:
      return Flow::kContinue;
    case Statement::Kind::kGroup:
      return run(s.body, out);
  }
  return Flow::kNext;
}

Status Interpreter::bind(const std::vector<std::string>& targets, const Value& value, int line) {
  if (targets.size() == 1) return assign(targets[0], value), Status();
  const List* list = value.as_list();
  if (list == nullptr || list->items.size() != targets.size()) {
    return at_line(line, fmt::format("cannot unpack {} into {} names", value.type_name(), targets.size()));
  }
  for (std::size_t i = 0; i < targets.size(); ++i) assign(targets[i], list->items[i]);
  return {};
}

Status Interpreter::run_set(const Statement& s) {
  SGL_TRY(Value value, eval(*s.value));
  if (s.text.empty()) return bind(s.targets, value, s.line);
  const Value target = lookup(s.targets[0]);
  Namespace* const* space = target.as<Namespace*>();
  if (space == nullptr)
    return at_line(s.line, fmt::format("'{}' is {}, not a namespace", s.targets[0], target.type_name()));
  (*space)->set(s.text, std::move(value));
  return {};
}

Expected<Value> Interpreter::kept(const Statement& s, const Value& list) {
  std::vector<Value> out;
  for (const Value& item : list.as_list()->items) {
    scopes_.emplace_back();
    SGL_TRY_STATUS(bind(s.targets, item, s.line));
    SGL_TRY(const Value keep, eval(*s.condition));
    scopes_.pop_back();
    if (keep.truthy()) out.push_back(item);
    if (++budget_.steps > Budget::kMaxSteps) return base::over_limit("chat template: more than a million steps");
  }
  return Value::list(std::move(out));
}

Expected<Interpreter::Flow> Interpreter::run_for(const Statement& s, Output& out) {
  SGL_TRY(const Value over, eval(*s.value));
  SGL_TRY(Value list, located(iterate(over), s.line));
  if (s.condition != nullptr) {
    SGL_TRY(list, located(kept(s, list), s.line));
  }
  SGL_TRY_STATUS(located(heap_status(), s.line));
  const std::vector<Value>& items = list.as_list()->items;
  if (items.empty()) return run(s.otherwise, out);
  const auto count = static_cast<std::int64_t>(items.size());
  for (std::int64_t i = 0; i < count; ++i) {
    if (++budget_.steps > Budget::kMaxSteps) return base::over_limit("chat template: more than a million steps");
    const auto at = static_cast<std::size_t>(i);
    scopes_.emplace_back();
    std::vector<std::pair<Text, Value>> loop;
    const auto put = [&](const char* name, Value v) { loop.emplace_back(Text(name), std::move(v)); };
    put("index", Value(i + 1)), put("index0", Value(i)), put("first", Value(i == 0)),
        put("last", Value(i + 1 == count));
    put("length", Value(count)), put("revindex", Value(count - i)), put("revindex0", Value(count - i - 1));
    put("previtem", i > 0 ? items[at - 1] : Value()), put("nextitem", i + 1 < count ? items[at + 1] : Value());
    SGL_TRY(Value loop_value, located(Value::dict(std::move(loop)), s.line));
    assign("loop", std::move(loop_value));
    SGL_TRY_STATUS(bind(s.targets, items[at], s.line));
    SGL_TRY(const Flow flow, run(s.body, out));
    scopes_.pop_back();
    if (flow == Flow::kBreak) break;
  }
  return Flow::kNext;
}

Expected<Value> Interpreter::eval(const Expr& e) {
  if (++budget_.depth > Budget::kMaxDepth) return at_line(e.line, "evaluation is nested too deeply");
  (void)work();
  auto result = eval_kind(e);
  --budget_.depth;
  // Before what comes of a heap that is full or work that was cut off; a limit that has been told already stays.
  const Status heap = heap_status();
  if (!heap.ok() && (result.ok() || result.error().kind != base::ErrorKind::kLimit))
    return with_line(heap.error(), e.line);
  return located(std::move(result), e.line);
}

Expected<Value> Interpreter::eval_kind(const Expr& e) {
  using Kind = Expr::Kind;
  switch (e.kind) {
    case Kind::kConstant:
      return e.constant;
    case Kind::kName:
      return lookup(e.text);
    case Kind::kMember: {
      SGL_TRY(const Value object, eval(*e.args[0]));
      return eval_member(object, e.text, e.line);
    }
    case Kind::kIndex: {
      SGL_TRY(const Value object, eval(*e.args[0]));
      SGL_TRY(const Value index, eval(*e.args[1]));
      return eval_index(object, index, e.line);
    }
    case Kind::kSlice:
      return eval_slice(e);
    case Kind::kCall:
      return eval_call(e);
    case Kind::kFilter:
    case Kind::kTest: {
      SGL_TRY(const Value input, eval(*e.args[0]));
      SGL_TRY(const Arguments args, eval_arguments(e));
      if (e.kind == Kind::kFilter) return apply_filter(e.text, input, args);
      SGL_TRY(const bool holds, apply_test(e.text, input, args));
      return Value(holds);
    }
    case Kind::kNot: {
      SGL_TRY(const Value value, eval(*e.args[0]));
      return Value(!value.truthy());
    }
    case Kind::kNegate:
    case Kind::kPlus: {
      SGL_TRY(const Value value, eval(*e.args[0]));
      return arithmetic(e.kind == Kind::kNegate ? "-" : "+", Value(std::int64_t{0}), value);
    }
    case Kind::kBinary:
      return eval_binary(e);
    case Kind::kAnd:
    case Kind::kOr: {
      SGL_TRY(Value left, eval(*e.args[0]));
      if (left.truthy() == (e.kind == Kind::kOr)) return left;
      return eval(*e.args[1]);
    }
    case Kind::kConditional: {
      SGL_TRY(const Value condition, eval(*e.args[1]));
      if (condition.truthy()) return eval(*e.args[0]);
      return e.args[2] != nullptr ? eval(*e.args[2]) : Expected<Value>(Value());
    }
    case Kind::kList: {
      std::vector<Value> items;
      for (const ExprPtr& arg : e.args) {
        SGL_TRY(Value item, eval(*arg));
        items.push_back(std::move(item));
      }
      return Value::list(std::move(items));
    }
    case Kind::kDict: {
      std::vector<std::pair<Text, Value>> entries;
      for (std::size_t i = 0; i < e.args.size(); i += 2) {
        SGL_TRY(const Value key, eval(*e.args[i]));
        SGL_TRY(Value value, eval(*e.args[i + 1]));
        if (key.as_text() == nullptr) return at_line(e.line, "keys of mappings must be strings");
        entries.emplace_back(*key.as_text(), std::move(value));
      }
      return Value::dict(std::move(entries));
    }
  }
  return Value();
}

Expected<Value> Interpreter::eval_binary(const Expr& e) {
  SGL_TRY(const Value left, eval(*e.args[0]));
  SGL_TRY(const Value right, eval(*e.args[1]));
  if (e.text == "==") return Value(equal(left, right));
  if (e.text == "!=") return Value(!equal(left, right));
  if (e.text == "in" || e.text == "not in") {
    SGL_TRY(const bool found, contains(right, left));
    return Value(found == (e.text == "in"));
  }
  if (e.text[0] == '<' || e.text[0] == '>') {
    const std::optional<int> order = compare(left, right);
    if (!order) return base::invalid(fmt::format("cannot compare {} with {}", left.type_name(), right.type_name()));
    const bool less = e.text[0] == '<';
    return Value(*order == 0 ? e.text.size() == 2 : (*order < 0) == less);
  }
  if (e.text == "~") {
    SGL_TRY(Text text, to_text(left));
    SGL_TRY(const Text more, to_text(right));
    SGL_TRY_STATUS(text.append_within(more));
    return Value::text(std::move(text));
  }
  return arithmetic(e.text, left, right);
}

Expected<Value> Interpreter::eval_member(const Value& object, const std::string& name, int line) {
  if (object.undefined()) {
    return at_line(line, fmt::format("'{}' is undefined, so it has no '{}'", object.as<Undefined>()->name, name));
  }
  return member(object, name);
}

Expected<Value> Interpreter::eval_index(const Value& object, const Value& index, int line) {
  if (const Text* key = index.as_text()) return eval_member(object, key->bytes, line);
  if (object.undefined()) return at_line(line, fmt::format("'{}' is undefined", object.as<Undefined>()->name));
  const auto at = index.integer();
  if (!at) return at_line(line, fmt::format("{} cannot be an index", index.type_name()));
  if (const List* list = object.as_list()) {
    const auto size = static_cast<std::int64_t>(list->items.size());
    const std::int64_t i = *at < 0 ? *at + size : *at;
    return i >= 0 && i < size ? list->items[static_cast<std::size_t>(i)] : Value(Undefined("list item"));
  }
  if (const Text* text = object.as_text()) {
    const std::vector<std::size_t> offsets = code_point_offsets(text->bytes);
    const auto size = static_cast<std::int64_t>(offsets.size()) - 1;
    const std::int64_t i = *at < 0 ? *at + size : *at;
    if (i < 0 || i >= size) return Value(Undefined("character"));
    return Value::text(text->slice(offsets[static_cast<std::size_t>(i)], offsets[static_cast<std::size_t>(i) + 1]));
  }
  return Value(Undefined("item"));
}

Expected<Value> Interpreter::eval_slice(const Expr& e) {
  SGL_TRY(const Value object, eval(*e.args[0]));
  std::optional<std::int64_t> bounds[3];
  for (std::size_t i = 0; i < 3; ++i) {
    if (e.args[i + 1] == nullptr) continue;
    SGL_TRY(const Value bound, eval(*e.args[i + 1]));
    if (bound.none()) continue;
    bounds[i] = bound.integer();
    if (!bounds[i]) return base::invalid("slice bounds must be integers");
  }
  const List* list = object.as_list();
  const Text* text = object.as_text();
  if (list == nullptr && text == nullptr) return base::invalid(fmt::format("cannot slice {}", object.type_name()));
  const std::vector<std::size_t> offsets =
      text != nullptr ? code_point_offsets(text->bytes) : std::vector<std::size_t>();
  const auto size = static_cast<std::int64_t>(text != nullptr ? offsets.size() - 1 : list->items.size());
  const std::int64_t step = std::clamp<std::int64_t>(bounds[2].value_or(1), -size - 1, size + 1);
  if (step == 0) return base::invalid("slice step must not be 0");
  // As Python: bounds count from the end when negative and are clamped to the sequence.
  const auto clamp = [&](std::optional<std::int64_t> b, std::int64_t otherwise) {
    if (!b) return otherwise;
    const std::int64_t at = *b < 0 ? std::max<std::int64_t>(*b, -size - 1) + size : *b;
    return step > 0 ? std::clamp<std::int64_t>(at, 0, size) : std::clamp<std::int64_t>(at, -1, size - 1);
  };
  const std::int64_t begin = clamp(bounds[0], step > 0 ? 0 : size - 1), end = clamp(bounds[1], step > 0 ? size : -1);
  std::vector<Value> items;
  Text out;
  if (text != nullptr && step == 1) {
    if (begin < end)
      out = text->slice(offsets[static_cast<std::size_t>(begin)], offsets[static_cast<std::size_t>(end)]);
    return Value::text(std::move(out));
  }
  for (std::int64_t i = begin; step > 0 ? i < end : i > end; i += step) {
    const auto at = static_cast<std::size_t>(i);
    if (list != nullptr) items.push_back(list->items[at]);
    if (text != nullptr) out.append(text->slice(offsets[at], offsets[at + 1]));
  }
  return text != nullptr ? Expected<Value>(Value::text(std::move(out))) : Value::list(std::move(items));
}

}  // namespace sgl::tokenizer::jinja
