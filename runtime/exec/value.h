// Values of a running program: 16 bytes, a tag and a payload; strings, lists and records are reference-counted and
// immutable while shared. Counts are not atomic: all values of an instance live on its executor's thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "runtime/plan/plan.h"

namespace sgl::exec {

// A map is a JSON object without a type of its own: its items are a name, its value, a name, its value, …
enum class Tag : std::uint64_t { kNull, kBool, kInt, kFloat, kString, kList, kRecord, kMap };
const char* tag_name(Tag tag);  // as users call it: "null", "bool", "int", …

// What the values of one instance may occupy. The current heap of the thread is charged and credited.
struct Heap {
  std::int64_t used = 0;                         // bytes
  std::int64_t limit = std::int64_t{256} << 20;  // bytes; a program's values are texts and lists, not data sets
  bool exceeded = false;                         // an allocation was refused since this was last cleared
};
// The heap that allocations on this thread are charged to; nullptr: none, unlimited.
Heap*& current_heap();

struct Object;
struct ListObject;
struct RecordObject;

class Value {
 public:
  Value() = default;
  Value(const Value& other) : tag_(other.tag_), bits_(other.bits_) { retain(); }
  Value(Value&& other) noexcept : tag_(std::exchange(other.tag_, Tag::kNull)), bits_(std::exchange(other.bits_, 0)) {}
  Value& operator=(const Value& other) {
    Value copy(other);
    swap(copy);
    return *this;
  }
  Value& operator=(Value&& other) noexcept {
    Value moved(std::move(other));
    swap(moved);
    return *this;
  }
  ~Value() { release(); }
  void swap(Value& other) noexcept {
    std::swap(tag_, other.tag_);
    std::swap(bits_, other.bits_);
  }

  static Value boolean(bool b) { return Value(Tag::kBool, b ? 1 : 0); }
  static Value integer(std::int64_t i) { return Value(Tag::kInt, static_cast<std::uint64_t>(i)); }
  static Value real(double d) { return Value(Tag::kFloat, std::bit_cast<std::uint64_t>(d)); }
  // These five give null and set Heap::exceeded when the heap's limit forbids the allocation.
  static Value string(std::string_view text);
  // Uninitialised string of `size` bytes, to be filled through string_data before anyone else sees it.
  static Value string_of_size(std::size_t size);
  static Value list(std::span<const Value> items);
  static Value record(plan::TypeId type, std::span<const Value> fields);
  // Precondition: names are strings, each once.
  static Value map(std::span<const Value> names_and_values);

  Tag tag() const { return tag_; }
  bool is_null() const { return tag_ == Tag::kNull; }
  bool is(Tag tag) const { return tag_ == tag; }
  // Preconditions of the accessors: the tag.
  bool as_bool() const { return bits_ != 0; }
  std::int64_t as_int() const { return static_cast<std::int64_t>(bits_); }
  double as_float() const { return std::bit_cast<double>(bits_); }
  std::string_view as_string() const;
  std::span<const Value> items() const;  // kList, kRecord and kMap
  plan::TypeId record_type() const;
  char* string_data();  // of an unshared string

  // The only reference to its object: it may be changed in place.
  bool unshared() const;
  // Appends to an unshared list, amortised O(1); false when the heap refuses.
  bool push(Value item);
  // Item of an unshared list or record.
  Value& mutable_item(std::size_t index);
  // A copy of the list, record or map that is unshared; null when the heap refuses.
  Value clone() const;
  // Makes the object (and what it refers to) immortal and uncounted: constants, shared by threads.
  void make_immortal();
  // Ends that for this object alone, whose only reference this becomes: its owner is about to let go of it.
  void make_mortal();

  std::uint64_t bits() const { return bits_; }
  // For executors: overwrites a register that holds no object.
  void set_scalar(Tag tag, std::uint64_t bits) {
    release();
    tag_ = tag;
    bits_ = bits;
  }

 private:
  Value(Tag tag, std::uint64_t bits) : tag_(tag), bits_(bits) {}
  bool counted() const { return tag_ >= Tag::kString; }
  Object* object() const { return std::bit_cast<Object*>(bits_); }
  void retain() const;
  void release() {
    if (counted()) release_object();
  }
  void release_object();

  Tag tag_ = Tag::kNull;
  std::uint64_t bits_ = 0;  // int, IEEE double, 0/1, or Object*
};
static_assert(sizeof(Value) == 16, "frames and compiled code rely on this layout");

struct Object {
  static constexpr std::uint32_t kImmortal = 0xFFFFFFFF;
  std::uint32_t refs = 1;
  std::uint32_t type = 0;  // record: TypeId
  std::uint64_t size = 0;  // string: bytes; list, record: items
};
struct StringObject : Object {
  char data[1];  // `size` bytes, not terminated
};
struct ListObject : Object {  // of a map, too
  std::uint64_t capacity = 0;
  Value* items = nullptr;
};
struct RecordObject : Object {
  Value* fields() { return reinterpret_cast<Value*>(this + 1); }
};

inline void Value::retain() const {
  if (counted() && object()->refs != Object::kImmortal) ++object()->refs;
}
inline std::string_view Value::as_string() const {
  const auto* s = static_cast<const StringObject*>(object());
  return {s->data, s->size};
}
inline bool Value::unshared() const {
  return counted() && object()->refs == 1;
}

// Deep equality; an int equals a float of the same value, records are equal when their fields of the same name are and
// those that only one has are null, maps when they have the same names with equal values. `nodes` is decremented for
// every comparison; at 0 the values count as unequal, and so do they beyond a depth of kMaxValueDepth.
constexpr int kMaxValueDepth = 2000;
bool equal(const plan::Plan& plan, const Value& a, const Value& b, std::int64_t& nodes, int depth = 0);

}  // namespace sgl::exec
