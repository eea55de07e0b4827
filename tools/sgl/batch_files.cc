#include "tools/sgl/batch_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include <fmt/format.h>

#include "runtime/base/file.h"
#include "runtime/base/json.h"
#include "runtime/base/sha256.h"
#include "tools/common/terminal.h"

namespace sgl::tools {

using Json = nlohmann::ordered_json;

namespace {

constexpr std::size_t kBlock = std::size_t{1} << 20;  // bytes read at once

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

}  // namespace

base::Expected<InputScan> scan_inputs(const std::string& path) {
  std::error_code ignored;
  std::ifstream file(path, std::ios::binary);
  if (!file) return base::not_found(fmt::format("cannot open '{}': {}", path, std::strerror(errno)));
  if (!std::filesystem::is_regular_file(path, ignored)) {
    return base::invalid(fmt::format("'{}' must be a regular file: a batch that is resumed reads it again", path));
  }
  InputScan scan;
  std::string block(kBlock, '\0');
  bool content = false;  // the current line has some
  for (;;) {
    file.read(block.data(), static_cast<std::streamsize>(kBlock));
    const auto size = static_cast<std::size_t>(file.gcount());
    if (size == 0) break;
    const std::string_view bytes(block.data(), size);
    scan.digest = base::hex(base::sha256(scan.digest + std::string(bytes)));
    for (const char c : bytes) {
      if (c == '\n') {
        scan.lines += content ? 1 : 0;
        content = false;
      } else if (c != ' ' && c != '\t' && c != '\r') {
        content = true;
      }
    }
  }
  if (file.bad()) return base::invalid(fmt::format("cannot read '{}'", path));
  scan.lines += content ? 1 : 0;
  return scan;
}

base::Expected<std::optional<std::string>> InputLines::next() {
  std::string line;
  while (std::getline(file_, line)) {
    if (!is_blank(line)) return std::optional<std::string>(std::move(line));
  }
  if (file_.bad() || !file_.eof()) return base::invalid("the input file cannot be read any more");
  return std::optional<std::string>();
}

base::Error ResultsFile::system_error(const char* what) const {
  return base::invalid(fmt::format("cannot {} '{}': {}", what, path_, std::strerror(errno)));
}

base::Expected<std::unique_ptr<ResultsFile>> ResultsFile::open(const std::string& path, const Json& identity,
                                                               bool restart) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  std::unique_ptr<ResultsFile> out(new ResultsFile(path, fd));
  if (fd < 0) return out->system_error("write");
  // Released by the kernel however this process ends.
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return base::invalid(fmt::format("another batch is writing '{}'; wait for it or choose another file", path));
  }
  if (restart) {
    ::unlink(out->state_path().c_str());
    if (::ftruncate(fd, 0) != 0) return out->system_error("truncate");
  }
  SGL_TRY_STATUS(out->recover(identity));
  return out;
}

ResultsFile::~ResultsFile() {
  if (fd_ >= 0) ::close(fd_);
}

base::Status ResultsFile::recover(const Json& identity) {
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return system_error("read");
  if (!S_ISREG(info.st_mode)) return base::invalid(fmt::format("'{}' must be a regular file", path_));
  SGL_TRY_STATUS(check_identity(identity, info.st_size));
  if (info.st_size == 0) return base::write_file_atomic(state_path(), identity.dump(2) + "\n");
  return count_results();
}

base::Status ResultsFile::check_identity(const Json& identity, std::int64_t size) {
  if (size == 0) return {};
  const auto text = base::read_file(state_path(), kBlock);
  if (!text.ok()) {
    return base::invalid(fmt::format(
        "'{}' holds results already, and no unfinished batch; pass --restart to replace it, or -o with another name",
        path_));
  }
  const Json begun = base::json_or_discarded(*text);
  std::vector<std::string> differing;
  for (const auto& [name, value] : identity.items()) {
    if (!begun.is_object() || !begun.contains(name) || begun.at(name) != value) differing.push_back(name);
  }
  if (differing.empty()) return {};
  return base::invalid(fmt::format(
      "'{}' was begun with other {}; use the same to continue that batch, or pass --restart to begin anew", path_,
      fmt::join(differing, " and ")));
}

base::Status ResultsFile::count_line(std::string_view line) {
  const Json json = base::json_or_discarded(line);
  const bool is_next = json.is_object() && json.contains("index") && json.at("index").is_number_integer() &&
                       json.at("index").get<std::int64_t>() == found_;
  if (!is_next) {
    return base::invalid(fmt::format("line {} of '{}' is not the result of input {}; pass --restart to begin anew",
                                     found_ + 1, path_, found_));
  }
  ++found_;
  if (json.contains("error")) ++found_failures_;
  return {};
}

base::Status ResultsFile::count_results() {
  std::string pending, block(kBlock, '\0');
  std::int64_t complete = 0;  // bytes up to the end of the last complete line
  for (std::int64_t offset = 0;;) {
    const ssize_t n = ::pread(fd_, block.data(), block.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("read");
    if (n == 0) break;
    offset += n;
    pending.append(block.data(), static_cast<std::size_t>(n));
    std::size_t begin = 0;
    for (std::size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n', begin)) {
      SGL_TRY_STATUS(count_line(std::string_view(pending).substr(begin, end - begin)));
      begin = end + 1;
    }
    complete += static_cast<std::int64_t>(begin);
    pending.erase(0, begin);
  }
  if (!pending.empty() && ::ftruncate(fd_, complete) != 0) return system_error("truncate");
  return {};
}

base::Status ResultsFile::append(std::string_view line) {
  // One write, so that a kill leaves whole lines or one cut line, never a hole.
  if (!write_all(fd_, std::string(line) + "\n")) return system_error("write");
  dirty_ = true;
  return {};
}

base::Status ResultsFile::sync() {
  synced_ = std::chrono::steady_clock::now();
  if (!dirty_) return {};
  dirty_ = false;
  if (::fsync(fd_) != 0) return system_error("write");
  return {};
}

base::Status ResultsFile::sync_if_due() {
  if (std::chrono::steady_clock::now() - synced_ < std::chrono::seconds(1)) return {};
  return sync();
}

base::Status ResultsFile::finish() {
  SGL_TRY_STATUS(sync());
  if (::unlink(state_path().c_str()) != 0 && errno != ENOENT) return system_error("finish");
  return {};
}

}  // namespace sgl::tools
