// The pages of the KV store: who holds each, which are free.
//
// Page p owns the token slots [p · stride, p · stride + page_size), where the stride is what the KV store counts a page
// as. A sequence keeps position i in slot i mod page_size of its page i div page_size. A page is held by the tree node
// that published it and by every sequence whose table names it; it returns to the free list when the last holder
// releases it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/base/ids.h"
#include "runtime/base/large_pages.h"

namespace sgl::kv {

using PageId = base::Id<struct PageTag>;

class PagePool {
 public:
  // pages >= 1, page_size >= 1, stride >= page_size, pages · stride < 2^32 (slots are 32-bit).
  PagePool(std::size_t pages, std::size_t page_size, std::size_t stride);
  PagePool(std::size_t pages, std::size_t page_size) : PagePool(pages, page_size, page_size) {}

  std::size_t pages() const { return refs_.size(); }
  std::size_t page_size() const { return page_size_; }
  std::size_t free_pages() const { return free_.size(); }
  std::uint32_t slot(PageId page, std::size_t offset) const {
    return static_cast<std::uint32_t>(page.value * stride_ + offset);
  }

  // A free page with one holder; nullopt when there is none. O(1).
  std::optional<PageId> allocate();
  void retain(PageId page);
  // Precondition: held.
  void release(PageId page);
  std::uint32_t holders(PageId page) const { return refs_[page.value]; }
  void prefetch(PageId page) const { __builtin_prefetch(&refs_[page.value], 1); }  // its holders are asked for soon

  // Conservation: the sum of holders equals `holds`, and a page is free exactly when nobody holds it. O(pages); for
  // debug builds and tests while the engine is idle.
  bool conserved(std::size_t holds) const;

 private:
  std::size_t page_size_, stride_;
  std::vector<std::uint32_t, base::LargePages<std::uint32_t, base::kLargePage / 4>> refs_;
  std::vector<PageId> free_;
};

}  // namespace sgl::kv
