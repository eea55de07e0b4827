#include "server/api/audit.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <fstream>

#include "server/auth/crypto.h"

namespace sgl::server {
namespace {

const std::string kGenesis(64, '0');

std::string timestamp() {
  const auto now = std::chrono::system_clock::now();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)), ms);
}

// The hash is over the line without its hash member, which is the last one.
std::string sealed(Json& entry) {
  const std::string hash = sha256_hex(dump(entry));
  entry["hash"] = hash;
  return hash;
}

struct Line {
  std::uint64_t sequence = 0;
  std::string previous, hash;
};

base::Expected<Line> read_line(const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("hash") || !json["hash"].is_string() || !json.contains("prev") ||
      !json["prev"].is_string() || !json.contains("seq") || !json["seq"].is_number_unsigned()) {
    return base::invalid("is no line of an audit log");
  }
  Line out{json["seq"].get<std::uint64_t>(), json["prev"].get<std::string>(), json["hash"].get<std::string>()};
  json.erase("hash");
  if (sha256_hex(dump(json)) != out.hash) return base::invalid("was changed: its hash does not fit");
  return out;
}

// The last line that is not empty, "" when there is none. Only the end of the file is read; a line of this log is
// shorter than that (with texts logged, a request's body bounds it).
std::string last_line(const std::string& path) {
  constexpr std::streamoff kTail = 64 << 20;
  struct stat info {};
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return "";
  std::ifstream in(path, std::ios::binary);
  if (info.st_size > kTail) in.seekg(info.st_size - kTail);
  std::string line;
  std::string last;
  while (std::getline(in, line)) {
    if (!line.empty()) last = line;
  }
  return last;
}

}  // namespace

base::Expected<std::unique_ptr<AuditLog>> AuditLog::open(const std::string& path) {
  std::unique_ptr<AuditLog> log(new AuditLog(path));
  log->last_ = kGenesis;
  const std::string last = last_line(path);
  if (!last.empty()) {
    const auto known = read_line(last);
    if (!known.ok()) return base::invalid(fmt::format("the last line of '{}' {}", path, known.error().message));
    log->last_ = known->hash;
    log->sequence_ = known->sequence + 1;
  }
  SGL_TRY_STATUS(log->open_file());
  return log;
}

AuditLog::~AuditLog() {
  if (file_ >= 0) close(file_);
}

base::Status AuditLog::open_file() {
  const int fresh = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fresh < 0)
    return base::invalid(fmt::format("the audit log '{}' cannot be written: {}", path_, std::strerror(errno)));
  if (file_ >= 0) close(file_);
  file_ = fresh;
  return {};
}

base::Status AuditLog::reopen() {
  const std::lock_guard lock(mutex_);
  return open_file();
}

bool AuditLog::write(Json entry) {
  const std::lock_guard lock(mutex_);
  Json line = {{"seq", sequence_}, {"time", timestamp()}};
  for (auto& [key, value] : entry.items()) line[key] = std::move(value);
  if (unsaid_ > 0) line["lines_lost_before"] = unsaid_;
  line["prev"] = last_;
  const std::string hash = sealed(line);
  const std::string text = dump(line) + "\n";
  // One write call, so that a crash leaves whole lines; a partial line (full disk) is taken back.
  struct stat before {};
  fstat(file_, &before);
  const ssize_t written = ::write(file_, text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size())) {
    if (written > 0) (void)!ftruncate(file_, before.st_size);
    ++lost_;
    ++unsaid_;
    return false;
  }
  unsaid_ = 0;
  last_ = hash;
  ++sequence_;
  return true;
}

std::uint64_t AuditLog::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

base::Expected<AuditVerdict> verify_audit(const std::string& path, const std::string& previous) {
  std::ifstream in(path);
  if (!in) return base::not_found(fmt::format("'{}' cannot be read", path));
  AuditVerdict out;
  out.head = previous;
  std::string text;
  for (std::uint64_t number = 1; std::getline(in, text); ++number) {
    if (text.empty()) continue;
    const auto line = read_line(text);
    if (!line.ok()) return base::invalid(fmt::format("{}:{}: {}", path, number, line.error().message));
    if (out.lines == 0) {
      out.first = line->sequence;
      if (line->sequence == 0 && line->previous != kGenesis) {
        return base::invalid(fmt::format("{}:{}: the first line does not begin a chain", path, number));
      }
      if (previous.empty() && line->sequence != 0) {
        // A log that was rotated: its beginning is in an older file.
        out.head = line->previous;
      } else if (line->sequence == 0) {
        out.head = kGenesis;
      }
    } else if (line->sequence != out.last + 1) {
      return base::invalid(fmt::format("{}:{}: line {} of the chain is followed by {}; lines are missing", path, number,
                                       out.last, line->sequence));
    }
    if (line->previous != out.head) {
      return base::invalid(
          fmt::format("{}:{}: does not continue the line before; lines were removed or changed", path, number));
    }
    out.head = line->hash;
    out.last = line->sequence;
    ++out.lines;
  }
  return out;
}

}  // namespace sgl::server
