// Memory that only grows, so that decoding allocates nothing. One per calling thread: products of one engine follow one
// another.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "runtime/base/large_pages.h"

namespace sgl::kernels::cpu {

class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { std::free(data_); }
  // At least so many bytes, aligned to 64, zeros when they are new; what was there before may be gone. In large pages
  // from half of one on.
  std::byte* grow(std::size_t bytes) {
    if (bytes > size_) {
      std::free(data_);
      size_ = 0;
      data_ = static_cast<std::byte*>(base::allocate_large(bytes, base::kLargePage / 2));
      if (data_ == nullptr) throw std::bad_alloc();
      std::fill_n(data_, bytes, std::byte{0});
      size_ = bytes;
    }
    return data_;
  }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace sgl::kernels::cpu
