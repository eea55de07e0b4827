// Memory that only grows, so that decoding allocates nothing. One per calling thread: products of one engine follow one
// another.
#pragma once

#include <algorithm>
#include <cstddef>
#include <new>

namespace sgl::kernels::cpu {

class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { ::operator delete (data_, std::align_val_t{64}); }
  // At least so many bytes, aligned to 64, zeros when they are new; what was there before may be gone.
  std::byte* grow(std::size_t bytes) {
    if (bytes > size_) {
      ::operator delete (data_, std::align_val_t{64});
      data_ = static_cast<std::byte*>(::operator new (bytes, std::align_val_t{64}));
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
