// Evaluation of a template. Private to runtime/tokenizer.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/tokenizer/jinja/ast.h"

namespace sgl::tokenizer::jinja {

// Evaluated arguments of a call, filter or test; the input of a filter or test is not among them.
struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
  // The argument at `index` or called `name`, null when absent.
  const Value* get(std::size_t index, std::string_view name) const;
  // Errors: more than `max` positional ones, or a name not in `names`.
  base::Status check(std::string_view what, std::size_t max, std::initializer_list<std::string_view> names = {}) const;
};

// Rendering's limits beside those of its values (heap.h): a template is code that came with a model.
struct Budget {
  static constexpr std::size_t kMaxSteps = 1'000'000;  // statements and loop rounds
  static constexpr int kMaxDepth = 400;                // of nested evaluation; a few KB of stack each
  std::size_t steps = 0;
  int depth = 0;
};

// What a body writes, charged to the heap while it is written.
class Output {
 public:
  // Errors: more than kMaxTextBytes; the heap is full.
  base::Status append(const Text& text);
  Text take() { return std::move(text_); }

 private:
  Text text_;
  Charge charge_;
};

class Interpreter {
 public:
  explicit Interpreter(std::vector<std::pair<std::string, Value>> globals);
  base::Expected<Text> render(const Body& body);

 private:
  enum class Flow { kNext, kBreak, kContinue };
  using Scope = std::vector<std::pair<std::string, Value>>;

  base::Expected<Flow> run(const Body& body, Output& out);
  base::Expected<Flow> run_statements(const Body& body, Output& out);
  base::Expected<Flow> run(const Statement& statement, Output& out);
  base::Expected<Flow> run_for(const Statement& statement, Output& out);
  // The items of a loop that its condition keeps.
  base::Expected<Value> kept(const Statement& statement, const Value& items);
  base::Status run_set(const Statement& statement);
  base::Status bind(const std::vector<std::string>& targets, const Value& value, int line);
  base::Status emit(Output& out, const Value& value, int line);

  base::Expected<Value> eval(const Expr& e);
  base::Expected<Value> eval_kind(const Expr& e);
  base::Expected<Value> eval_binary(const Expr& e);
  base::Expected<Value> eval_member(const Value& object, const std::string& name, int line);
  base::Expected<Value> eval_index(const Value& object, const Value& index, int line);
  base::Expected<Value> eval_slice(const Expr& e);
  base::Expected<Value> eval_call(const Expr& e);
  base::Expected<Value> eval_builtin(const std::string& name, const Arguments& args, int line);
  base::Expected<Value> call_macro(const Macro& macro, const Arguments& args, int line);
  base::Expected<Arguments> eval_arguments(const Expr& e);
  Value lookup(const std::string& name) const;
  void assign(const std::string& name, Value value);

  std::vector<Scope> scopes_;   // [0]: the template's own variables; innermost last
  std::size_t macro_base_ = 0;  // scopes below this one, except [0], belong to callers
  std::deque<Namespace> namespaces_;
  Budget budget_;
};

// Errors name what is not supported; the caller adds the line.
base::Expected<Value> apply_filter(std::string_view name, const Value& input, const Arguments& args);
base::Expected<bool> apply_test(std::string_view name, const Value& input, const Arguments& args);
// Methods of strings and mappings; nullopt when the value has no such method.
base::Expected<std::optional<Value>> call_method(std::string_view name, const Value& self, const Arguments& args);
base::Expected<Value> arithmetic(std::string_view op, const Value& a, const Value& b);
base::Expected<bool> contains(const Value& container, const Value& item);
// What a `for` goes over, as a list: items, keys, or characters. Errors: more than kMaxListItems characters.
base::Expected<Value> iterate(const Value& value);
// Attribute or item, Undefined when there is none.
Value member(const Value& object, std::string_view name);

}  // namespace sgl::tokenizer::jinja
