#include "runtime/exec/value.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include "runtime/base/check.h"

namespace sgl::exec {
namespace {

// nullptr when the current heap refuses.
void* allocate(std::size_t bytes) {
  if (Heap* heap = current_heap()) {
    if (static_cast<std::int64_t>(bytes) > heap->limit - heap->used) {
      heap->exceeded = true;
      return nullptr;
    }
    heap->used += static_cast<std::int64_t>(bytes);
  }
  void* memory = std::malloc(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

// `memory` with room for `bytes`, moved if need be; nullptr when the current heap refuses, which counts both sizes, for
// they may exist at once.
void* reallocate(void* memory, std::size_t old_bytes, std::size_t bytes) {
  Heap* const heap = current_heap();
  if (heap != nullptr && static_cast<std::int64_t>(bytes) > heap->limit - heap->used) {
    heap->exceeded = true;
    return nullptr;
  }
  void* const moved = std::realloc(memory, bytes);
  if (moved == nullptr) throw std::bad_alloc();
  if (heap != nullptr) heap->used += static_cast<std::int64_t>(bytes) - static_cast<std::int64_t>(old_bytes);
  return moved;
}

void deallocate(void* memory, std::size_t bytes) {
  if (Heap* heap = current_heap()) heap->used -= static_cast<std::int64_t>(bytes);
  std::free(memory);
}

std::size_t string_bytes(std::size_t size) {
  return sizeof(Object) + (size == 0 ? 1 : size);
}
std::size_t record_bytes(std::size_t count) {
  return sizeof(RecordObject) + count * sizeof(Value);
}

}  // namespace

const char* tag_name(Tag tag) {
  switch (tag) {
    case Tag::kNull:
      return "null";
    case Tag::kBool:
      return "bool";
    case Tag::kInt:
      return "int";
    case Tag::kFloat:
      return "float";
    case Tag::kString:
      return "string";
    case Tag::kList:
      return "list";
    case Tag::kRecord:
      return "record";
    case Tag::kMap:
      return "JSON object";
  }
  return "?";
}

Heap*& current_heap() {
  static thread_local Heap* heap = nullptr;
  return heap;
}

Value Value::string_of_size(std::size_t size) {
  void* memory = allocate(string_bytes(size));
  if (memory == nullptr) return {};
  auto* object = new (memory) Object;
  object->size = size;
  return Value(Tag::kString, std::bit_cast<std::uint64_t>(object));
}

Value Value::string(std::string_view text) {
  Value out = string_of_size(text.size());
  if (!out.is_null() && !text.empty()) std::memcpy(out.string_data(), text.data(), text.size());
  return out;
}

char* Value::string_data() {
  return static_cast<StringObject*>(object())->data;
}

Value Value::list(std::span<const Value> items) {
  void* memory = allocate(sizeof(ListObject));
  if (memory == nullptr) return {};
  auto* object = new (memory) ListObject;
  Value out(Tag::kList, std::bit_cast<std::uint64_t>(static_cast<Object*>(object)));
  if (!items.empty()) {
    void* storage = allocate(items.size() * sizeof(Value));
    if (storage == nullptr) return {};
    object->items = static_cast<Value*>(storage);
    object->capacity = items.size();
    for (const Value& item : items) new (&object->items[object->size++]) Value(item);
  }
  return out;
}

Value Value::map(std::span<const Value> names_and_values) {
  Value out = list(names_and_values);
  if (!out.is_null()) out.tag_ = Tag::kMap;
  return out;
}

Value Value::record(plan::TypeId type, std::span<const Value> fields) {
  void* memory = allocate(record_bytes(fields.size()));
  if (memory == nullptr) return {};
  auto* object = new (memory) RecordObject;
  object->type = type.value;
  for (const Value& field : fields) new (&object->fields()[object->size++]) Value(field);
  return Value(Tag::kRecord, std::bit_cast<std::uint64_t>(static_cast<Object*>(object)));
}

std::span<const Value> Value::items() const {
  if (tag_ == Tag::kRecord) {
    auto* record = static_cast<RecordObject*>(object());
    return {record->fields(), record->size};
  }
  auto* list = static_cast<ListObject*>(object());
  return {list->items, list->size};
}

plan::TypeId Value::record_type() const {
  return plan::TypeId(object()->type);
}

bool Value::push(Value item) {
  auto* list = static_cast<ListObject*>(object());
  SGL_ASSERT(list->refs == 1);
  if (list->size == list->capacity) {
    const std::uint64_t capacity = list->capacity < 4 ? 4 : list->capacity * 2;
    // Values may be moved as bytes; a long list is often grown where it is.
    void* storage = reallocate(list->items, list->capacity * sizeof(Value), capacity * sizeof(Value));
    if (storage == nullptr) return false;
    list->items = static_cast<Value*>(storage);
    list->capacity = capacity;
  }
  new (&list->items[list->size++]) Value(std::move(item));
  return true;
}

Value& Value::mutable_item(std::size_t index) {
  SGL_ASSERT(unshared());
  if (tag_ == Tag::kRecord) return static_cast<RecordObject*>(object())->fields()[index];
  return static_cast<ListObject*>(object())->items[index];
}

Value Value::clone() const {
  if (tag_ == Tag::kMap) return map(items());
  return tag_ == Tag::kRecord ? record(record_type(), items()) : list(items());
}

void Value::make_immortal() {
  if (!counted() || object()->refs == Object::kImmortal) return;
  object()->refs = Object::kImmortal;
  if (tag_ == Tag::kString) return;
  for (const Value& item : items()) const_cast<Value&>(item).make_immortal();
}

void Value::make_mortal() {
  if (counted()) object()->refs = 1;
}

void Value::release_object() {
  if (object()->refs == Object::kImmortal || --object()->refs > 0) return;
  // Iterative, so that a long chain of records cannot overflow the stack: children are moved to a work list.
  std::vector<Value> work;
  const auto dispose = [&work](Value& v) {
    Object* object = v.object();
    if (v.tag_ == Tag::kString) {
      deallocate(object, string_bytes(object->size));
      return;
    }
    for (const Value& item : v.items()) {
      auto& child = const_cast<Value&>(item);
      if (child.counted() && child.object()->refs != Object::kImmortal) {
        if (--child.object()->refs == 0) work.push_back(Value(child.tag_, child.bits_));
      }
    }
    if (v.tag_ == Tag::kRecord) {
      deallocate(object, record_bytes(object->size));
    } else {
      auto* list = static_cast<ListObject*>(object);
      if (list->items != nullptr) deallocate(list->items, list->capacity * sizeof(Value));
      deallocate(list, sizeof(ListObject));
    }
  };
  dispose(*this);
  while (!work.empty()) {
    Value dead(std::move(work.back()));
    work.pop_back();
    dispose(dead);
    dead.tag_ = Tag::kNull;
  }
  tag_ = Tag::kNull;
  bits_ = 0;
}

namespace {

// In any order; the same order is quick. Precondition: the same number of names.
bool equal_maps(const plan::Plan& plan, const Value& a, const Value& b, std::int64_t& nodes, int depth) {
  const std::span<const Value> left = a.items(), right = b.items();
  for (std::size_t i = 0; i + 1 < left.size(); i += 2) {
    std::size_t at = i;
    for (std::size_t seen = 0; right[at].as_string() != left[i].as_string(); ++seen) {
      if (--nodes <= 0 || 2 * seen >= right.size()) return false;
      at = (at + 2) % right.size();
    }
    if (!equal(plan, left[i + 1], right[at + 1], nodes, depth + 1)) return false;
  }
  return true;
}

// Of different types: fields are found by name, in any order; the same order is quick.
bool equal_records(const plan::Plan& plan, const Value& a, const Value& b, std::int64_t& nodes, int depth) {
  const std::vector<plan::Field>&left = plan.type(a.record_type()).fields, &right = plan.type(b.record_type()).fields;
  const std::size_t left_size = std::min(left.size(), a.items().size());
  const std::size_t right_size = std::min(right.size(), b.items().size());
  std::size_t found = 0;  // of the fields of `b` that are not null
  for (std::size_t i = 0; i < left_size; ++i) {
    std::size_t seen = 0, at = i < right_size ? i : 0;
    while (seen < right_size && right[at].name != left[i].name) {
      if (--nodes <= 0) return false;
      ++seen;
      at = at + 1 < right_size ? at + 1 : 0;
    }
    const Value other = seen < right_size ? b.items()[at] : Value();
    if (!equal(plan, a.items()[i], other, nodes, depth + 1)) return false;
    if (!other.is_null()) ++found;
  }
  std::size_t wanted = 0;
  for (std::size_t i = 0; i < right_size; ++i) wanted += b.items()[i].is_null() ? 0 : 1;
  return found == wanted;
}

}  // namespace

// Long strings count as so many nodes for so many bytes.
constexpr std::size_t kBytesPerNodes = 64;
constexpr std::int64_t kNodesPerBytes = 16;

bool equal(const plan::Plan& plan, const Value& a, const Value& b, std::int64_t& nodes, int depth) {
  if (--nodes <= 0) return false;
  if (a.tag() != b.tag()) {
    if (a.is(Tag::kInt) && b.is(Tag::kFloat)) return static_cast<double>(a.as_int()) == b.as_float();
    if (a.is(Tag::kFloat) && b.is(Tag::kInt)) return a.as_float() == static_cast<double>(b.as_int());
    return false;
  }
  switch (a.tag()) {
    case Tag::kNull:
      return true;
    case Tag::kBool:
    case Tag::kInt:
      return a.bits() == b.bits();
    case Tag::kFloat:
      return a.as_float() == b.as_float();
    case Tag::kString:
      if (a.as_string().size() != b.as_string().size()) return false;
      nodes -= static_cast<std::int64_t>(a.as_string().size() / kBytesPerNodes) * kNodesPerBytes;
      return nodes > 0 && a.as_string() == b.as_string();
    case Tag::kList:
    case Tag::kRecord:
    case Tag::kMap:
      break;
  }
  if (depth >= kMaxValueDepth) return false;
  if (a.is(Tag::kRecord) && a.record_type() != b.record_type()) return equal_records(plan, a, b, nodes, depth);
  if (a.items().size() != b.items().size()) return false;
  if (a.is(Tag::kMap)) return equal_maps(plan, a, b, nodes, depth);
  for (std::size_t i = 0; i < a.items().size(); ++i) {
    if (!equal(plan, a.items()[i], b.items()[i], nodes, depth + 1)) return false;
  }
  return true;
}

}  // namespace sgl::exec
