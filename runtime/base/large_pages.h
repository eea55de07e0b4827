// Memory for tables that are read at random places: from a size on in the kernel's large pages, so that a read seldom
// waits for the translation of its address as well (Linux, Documentation/admin-guide/mm/transhuge.rst).
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace sgl::base {

constexpr std::size_t kLargePage = std::size_t{2} << 20;

// At least so many bytes, aligned to 64, or from `large_from` bytes on to a large page; nullptr when there is no
// memory. For std::free. Asking for large pages is only a wish: without them reads are slower.
inline void* allocate_large(std::size_t bytes, std::size_t large_from) {
  const std::size_t alignment = bytes >= large_from ? kLargePage : 64;
  const std::size_t rounded = ((bytes == 0 ? 1 : bytes) + alignment - 1) / alignment * alignment;
  void* out = std::aligned_alloc(alignment, rounded);
#if defined(MADV_HUGEPAGE)
  if (out != nullptr && alignment == kLargePage) (void)::madvise(out, rounded, MADV_HUGEPAGE);
#endif
  return out;
}

// For containers. From: bytes from which on large pages are asked for; what is smaller would leave too much of one
// unused.
template <typename T, std::size_t From = 2 * kLargePage>
struct LargePages {
  using value_type = T;
  template <typename U>
  struct rebind {
    using other = LargePages<U, From>;
  };

  LargePages() = default;
  template <typename U>
  explicit LargePages(const LargePages<U, From>&) {}

  T* allocate(std::size_t n) {
    void* out = allocate_large(n * sizeof(T), From);
    if (out == nullptr) throw std::bad_alloc();
    return static_cast<T*>(out);
  }
  void deallocate(T* p, std::size_t) { std::free(p); }
  friend bool operator==(const LargePages&, const LargePages&) { return true; }
};

}  // namespace sgl::base
