// The audit log: JSON lines, one per decision and request, chained by hashes: every line holds the hash of the line
// before, so a removed or changed line is found (a cut-off end is found with the head that `verify` prints: keep it).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/base/expected.h"
#include "server/api/error.h"

namespace sgl::server {

class AuditLog {
 public:
  // Appends to `path` (0600); goes on from the last line that is there. Errors: the file cannot be opened, or its last
  // line is no line of such a log.
  static base::Expected<std::unique_ptr<AuditLog>> open(const std::string& path);
  ~AuditLog();

  // Adds "seq", "time", "prev" and "hash" and writes one line. False: it could not be written (a full disk); what could
  // not be written is counted, and the next line that can be says how many are missing. Thread-safe.
  bool write(Json entry);
  // After the file was moved away: opens a new one, whose first line continues the chain.
  base::Status reopen();
  std::uint64_t lost() const;

 private:
  explicit AuditLog(std::string path) : path_(std::move(path)) {}
  base::Status open_file();

  const std::string path_;
  mutable std::mutex mutex_;
  int file_ = -1;
  std::uint64_t sequence_ = 0, lost_ = 0, unsaid_ = 0;
  std::string last_;  // hash
};

struct AuditVerdict {
  std::uint64_t lines = 0;
  std::uint64_t first = 0, last = 0;  // sequence numbers
  std::string head;                   // hash of the last line
};
// Checks a log. `previous`: the hash that its first line must continue, "" to take it as it is. Errors: invalid, naming
// the first line that does not fit.
base::Expected<AuditVerdict> verify_audit(const std::string& path, const std::string& previous = "");

}  // namespace sgl::server
