// What one rendering holds and does. A template is code that came with a model, and a short one can ask for any amount:
// lists that contain one list twice stand for exponentially many items. Private to runtime/tokenizer.
//
// Texts, lists and mappings are charged to the heap of their thread when they are made and released when they go. What
// an operation needs besides while it works, offsets of a text's characters and texts that are not yet values, is at
// most some ten times the longest text. Making one never fails; whoever makes many in a loop asks heap_status() in it,
// and the interpreter does after every expression.
#pragma once

#include <algorithm>
#include <cstddef>

#include "runtime/base/expected.h"

namespace sgl::tokenizer::jinja {

// Bytes of any one string, and of the output: more than the longest context of a model has.
constexpr std::size_t kMaxTextBytes = std::size_t{16} << 20;
constexpr std::size_t kMaxListItems = 1'000'000;

struct Heap {
  // Bytes that live at once: a few strings of the greatest size.
  static constexpr std::size_t kMaxBytes = std::size_t{256} << 20;
  // Expressions evaluated, parts of values looked at where they are compared or written, and 64 bytes of a value that
  // is made or of a text that is gone over: seconds.
  static constexpr std::size_t kMaxWork = 20'000'000;

  std::size_t bytes = 0, work = 0;
  bool too_large = false, too_long = false;  // for good

  base::Status status() const {
    if (too_large) return base::over_limit("values of more than 256 MB at once");
    if (too_long) return base::over_limit("more than 20 million steps of evaluation");
    return {};
  }
};

// The heap of this thread; null: none, unlimited (constants of a template, which are bounded as it is).
inline Heap*& current_heap() {
  static thread_local Heap* heap = nullptr;
  return heap;
}

// Makes a heap the thread's while it lives. The heap outlives all that is charged to it.
class HeapScope {
 public:
  explicit HeapScope(Heap& heap) : outer_(current_heap()) { current_heap() = &heap; }
  ~HeapScope() { current_heap() = outer_; }
  HeapScope(const HeapScope&) = delete;
  HeapScope& operator=(const HeapScope&) = delete;

 private:
  Heap* outer_;
};

inline base::Status heap_status() {
  return current_heap() == nullptr ? base::Status() : current_heap()->status();
}

// Steps of work. False: there were too many, and what comes of going on does not count.
inline bool work(std::size_t steps = 1) {
  Heap* heap = current_heap();
  if (heap == nullptr) return true;
  heap->work += std::min(steps, Heap::kMaxWork);
  if (heap->work > Heap::kMaxWork) heap->too_long = true;
  return !heap->too_long;
}

// What goes over so many bytes of a text, or makes that much.
inline bool work_on_bytes(std::size_t bytes) {
  return work(bytes / 64);
}

// Bytes charged to the thread's heap while it lives.
class Charge {
 public:
  explicit Charge(std::size_t bytes = 0) : heap_(current_heap()) { add(bytes); }
  ~Charge() {
    if (heap_ != nullptr) heap_->bytes -= bytes_;
  }
  Charge(const Charge&) = delete;
  Charge& operator=(const Charge&) = delete;

  void add(std::size_t bytes) {
    bytes_ += bytes;
    if (heap_ == nullptr) return;
    heap_->bytes += bytes;
    if (heap_->bytes > Heap::kMaxBytes) heap_->too_large = true;
  }

 private:
  Heap* heap_;
  std::size_t bytes_ = 0;
};

}  // namespace sgl::tokenizer::jinja
