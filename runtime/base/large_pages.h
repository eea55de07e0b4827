// Memory for tables that are read at random places: from a size on in the kernel's large pages, so that a read seldom
// waits for the translation of its address as well (Linux, Documentation/admin-guide/mm/transhuge.rst).
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace sgl::base {

template <typename T>
struct LargePages {
  using value_type = T;
  static constexpr std::size_t kLarge = std::size_t{2} << 20;
  static constexpr std::size_t kFrom = 2 * kLarge;  // smaller tables would leave too much of a page unused

  LargePages() = default;
  template <typename U>
  explicit LargePages(const LargePages<U>&) {}

  // 64 bytes aligned at least. Asking for large pages is only a wish: without them reads are slower.
  T* allocate(std::size_t n) {
    const std::size_t alignment = n * sizeof(T) >= kFrom ? kLarge : 64;
    const std::size_t bytes = (n * sizeof(T) + alignment - 1) / alignment * alignment;
    void* out = std::aligned_alloc(alignment, bytes);
    if (out == nullptr) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
    if (alignment == kLarge) (void)::madvise(out, bytes, MADV_HUGEPAGE);
#endif
    return static_cast<T*>(out);
  }
  void deallocate(T* p, std::size_t) {
    std::free(p);
  }
  friend bool operator==(const LargePages&, const LargePages&) {
    return true;
  }
};

}  // namespace sgl::base
