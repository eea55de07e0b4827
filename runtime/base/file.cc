#include "runtime/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace sgl::base {
namespace {

Error system_error(const std::filesystem::path& path, const char* what) {
  const int code = errno;
  const ErrorKind kind = (code == ENOENT || code == ENOTDIR) ? ErrorKind::kNotFound : ErrorKind::kInvalid;
  return {kind, fmt::format("cannot {} '{}': {}", what, path.string(), std::strerror(code))};
}

struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

}  // namespace

Expected<std::string> read_file(const std::filesystem::path& path, std::size_t max_bytes) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) return system_error(path, "open");
  std::string out;
  char chunk[1 << 16];
  for (;;) {
    const ssize_t n = ::read(file.fd, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(path, "read");
    if (n == 0) return out;
    if (out.size() + static_cast<std::size_t>(n) > max_bytes) {
      return over_limit(fmt::format("'{}' is longer than the limit of {} bytes", path.string(), max_bytes));
    }
    out.append(chunk, static_cast<std::size_t>(n));
  }
}

namespace {

Status write_all(int fd, const std::filesystem::path& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(path, "write");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace

Status write_file_atomic(const std::filesystem::path& given, std::string_view bytes) {
  struct stat info {};
  const bool exists = ::stat(given.c_str(), &info) == 0;
  if (exists && !S_ISREG(info.st_mode)) {  // a device or pipe is written to, not replaced
    const Descriptor file{::open(given.c_str(), O_WRONLY | O_CLOEXEC)};
    if (file.fd < 0) return system_error(given, "write");
    return write_all(file.fd, given, bytes);
  }
  // The file that a link leads to is replaced, not the link.
  std::error_code unresolved;
  std::filesystem::path path = exists ? std::filesystem::canonical(given, unresolved) : given;
  if (unresolved) path = given;
  const std::filesystem::path temporary = path.string() + fmt::format(".tmp{}", ::getpid());
  {
    const Descriptor file{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)};
    if (file.fd < 0) return system_error(path, "write");
    Status written = write_all(file.fd, path, bytes);
    if (written.ok() && exists && ::fchmod(file.fd, info.st_mode & 07777) != 0) written = system_error(path, "write");
    if (!written.ok()) {
      ::unlink(temporary.c_str());
      return written;
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    Error error = system_error(path, "write");
    ::unlink(temporary.c_str());
    return error;
  }
  return {};
}

Expected<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) return system_error(path, "open");
  struct stat info {};
  if (::fstat(file.fd, &info) != 0) return system_error(path, "read");
  if (!S_ISREG(info.st_mode)) return invalid(fmt::format("'{}' is not a regular file", path.string()));
  MappedFile out;
  out.size_ = static_cast<std::size_t>(info.st_size);
  if (out.size_ == 0) return out;
  void* data = ::mmap(nullptr, out.size_, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (data == MAP_FAILED) return system_error(path, "map");
  out.data_ = static_cast<const std::byte*>(data);
  return out;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

void MappedFile::release(std::span<const std::byte> part) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const std::uintptr_t begin = (reinterpret_cast<std::uintptr_t>(part.data()) + page - 1) / page * page;
  const std::uintptr_t end = reinterpret_cast<std::uintptr_t>(part.data() + part.size()) / page * page;
  // A hint: where it fails, the pages stay.
  if (begin < end) (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace sgl::base
