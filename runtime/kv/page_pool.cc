#include "runtime/kv/page_pool.h"

#include <cstdint>

#include "runtime/base/check.h"

namespace sgl::kv {

PagePool::PagePool(std::size_t pages, std::size_t page_size, std::size_t stride)
    : page_size_(page_size), stride_(stride), refs_(pages) {
  SGL_ASSERT(pages > 0 && page_size > 0 && stride >= page_size && pages <= UINT32_MAX / stride);
  free_.reserve(pages);
  for (std::size_t i = pages; i > 0; --i) free_.emplace_back(static_cast<std::uint32_t>(i - 1));
}

std::optional<PageId> PagePool::allocate() {
  if (free_.empty()) return std::nullopt;
  const PageId page = free_.back();
  free_.pop_back();
  refs_[page.value] = 1;
  return page;
}

void PagePool::retain(PageId page) {
  SGL_ASSERT(refs_[page.value] > 0);
  ++refs_[page.value];
}

void PagePool::release(PageId page) {
  SGL_ASSERT(refs_[page.value] > 0);
  if (--refs_[page.value] == 0) free_.push_back(page);
}

bool PagePool::conserved(std::size_t holds) const {
  std::size_t sum = 0, unheld = 0;
  for (const std::uint32_t r : refs_) {
    sum += r;
    unheld += r == 0 ? 1 : 0;
  }
  std::vector<bool> listed(refs_.size());
  for (const PageId page : free_) {
    if (refs_[page.value] != 0 || listed[page.value]) return false;
    listed[page.value] = true;
  }
  return sum == holds && unheld == free_.size();
}

}  // namespace sgl::kv
