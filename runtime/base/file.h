// Whole files and read-only memory maps.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "runtime/base/expected.h"

namespace sgl::base {

// The bytes of a file. Errors: not_found when it is absent, over_limit when longer than `max_bytes`, else invalid.
Expected<std::string> read_file(const std::filesystem::path& path, std::size_t max_bytes = std::size_t{1} << 30);

// Replaces `path` by `bytes` so that a reader (or a crash) sees the old or the new content, never a mixture. The mode of
// a file that is there stays; a link is followed; a device or pipe is written to.
Status write_file_atomic(const std::filesystem::path& path, std::string_view bytes);

// A read-only memory map of a whole file; empty files give an empty span. Movable; unmapped by the destructor.
// A file that is truncated while mapped raises SIGBUS on access, as with every mmap: model folders are not edited in use.
class MappedFile {
 public:
  static Expected<MappedFile> open(const std::filesystem::path& path);
  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }

  // Gives back the memory of a part of a map that will not be read again soon (whole pages inside it); reading it later
  // fetches it from the file again.
  static void release(std::span<const std::byte> part);

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace sgl::base
