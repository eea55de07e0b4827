// Values of the template language. Private to runtime/tokenizer.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/expected.h"
#include "runtime/tokenizer/jinja/text.h"

namespace sgl::tokenizer::jinja {

class Value;
struct Macro;      // of the syntax tree
struct Namespace;  // owned by the interpreter, lives as long as one rendering

// Texts, lists and dictionaries never change once made, and are charged to the thread's heap (heap.h). `depth` bounds
// the recursion over lists and dictionaries. Parts may be shared, so going over all of them is counted as work.
struct List {
  std::vector<Value> items;
  int depth = 1;
};
struct Dict {
  std::vector<std::pair<Text, Value>> entries;  // in order of insertion
  int depth = 1;
  const Value* find(std::string_view key) const;  // O(n)
};

struct Undefined {
  Undefined() = default;
  explicit Undefined(std::string_view of);
  std::string name;  // for messages: its first 80 bytes
};
struct None {};
struct Builtin {
  std::string name;  // range, namespace, …
};

class Value {
 public:
  using Storage =
      std::variant<Undefined, None, bool, std::int64_t, double, std::shared_ptr<const Text>,
                   std::shared_ptr<const List>, std::shared_ptr<const Dict>, Namespace*, const Macro*, Builtin>;
  Value() = default;
  template <typename T>
  explicit Value(T v) : storage_(std::move(v)) {}
  static Value text(Text t);
  // Errors: nested more than kMaxDepth deep, more than kMaxListItems.
  static base::Expected<Value> list(std::vector<Value> items);
  static base::Expected<Value> dict(std::vector<std::pair<Text, Value>> entries);

  template <typename T>
  const T* as() const {
    return std::get_if<T>(&storage_);
  }
  const Text* as_text() const { return pointer<Text>(); }
  const List* as_list() const { return pointer<List>(); }
  const Dict* as_dict() const { return pointer<Dict>(); }
  bool undefined() const { return as<Undefined>() != nullptr; }
  bool none() const { return as<None>() != nullptr; }
  // Integers and, as in Python, booleans.
  std::optional<std::int64_t> integer() const;
  std::optional<double> number() const;

  bool truthy() const;
  const char* type_name() const;
  int depth() const;
  // What an undefined value holds; other parts are charged by themselves.
  std::size_t name_bytes() const { return undefined() ? as<Undefined>()->name.size() : 0; }

  static constexpr int kMaxDepth = 300;

 private:
  template <typename T>
  const T* pointer() const {
    const auto* p = std::get_if<std::shared_ptr<const T>>(&storage_);
    return p == nullptr ? nullptr : p->get();
  }
  Storage storage_;
};

struct Namespace {
  std::vector<std::pair<std::string, Value>> entries;
  Charge charge;
  void set(const std::string& name, Value value);
};

// These two mean nothing where they were too much work (heap_status()).
bool equal(const Value& a, const Value& b);
// -1, 0, 1; nullopt when the two have no order.
std::optional<int> compare(const Value& a, const Value& b);
// Python's str(). Errors: values that have no text form here (namespaces, macros), longer than kMaxTextBytes.
base::Expected<Text> to_text(const Value& value);
struct JsonStyle {
  int indent = -1;  // spaces per level, -1: on one line
  std::string item_separator = ", ", key_separator = ": ";
  bool sort_keys = false, ascii = false;
};
// Python's json.dumps. Errors: as above.
base::Expected<Text> to_json(const Value& value, const JsonStyle& style);
// Python's repr() of a float.
std::string float_text(double value);

// `data`: strings (and keys) are marked as data.
base::Expected<Value> from_json(const nlohmann::ordered_json& json, bool data, int depth = 0);

}  // namespace sgl::tokenizer::jinja
