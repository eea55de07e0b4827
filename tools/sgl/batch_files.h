// The files of a batch. An input is never lost and never answered twice: results are appended in order, one write per
// line, and a state file beside them says which batch they belong to.
#pragma once

#include <chrono>
#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "runtime/base/expected.h"

namespace sgl::tools {

struct InputScan {
  std::string digest;      // of the whole file: a SHA-256 chained over its blocks, hexadecimal
  std::int64_t lines = 0;  // that are not blank
};
// Reads the file once from end to end. Errors: not there, not a regular file (a resumed batch reads it again).
base::Expected<InputScan> scan_inputs(const std::string& path);

// The lines of the input file that are not blank, read as they are needed.
class InputLines {
 public:
  explicit InputLines(const std::string& path) : file_(path, std::ios::binary) {}
  // nullopt at the end. Errors: the file cannot be read.
  base::Expected<std::optional<std::string>> next();

 private:
  std::ifstream file_;
};

class ResultsFile {
 public:
  // Opens or creates `path` for this process alone. `identity` says what the results depend on, a member per cause;
  // it must equal that of the batch that `path` was begun with, unless `restart`, which throws results away.
  // A last line that a kill cut short is removed.
  static base::Expected<std::unique_ptr<ResultsFile>> open(const std::string& path,
                                                           const nlohmann::ordered_json& identity, bool restart);
  ~ResultsFile();
  ResultsFile(const ResultsFile&) = delete;
  ResultsFile& operator=(const ResultsFile&) = delete;

  std::int64_t found() const { return found_; }                    // results that were there already, of inputs 0 …
  std::int64_t found_failures() const { return found_failures_; }  // those of them that are errors
  // `line` without line end. Lines reach the disk about once a second.
  base::Status append(std::string_view line);
  base::Status sync();
  // Call now and then: syncs when the last time is a second ago.
  base::Status sync_if_due();
  // All results are there: syncs and removes the state file.
  base::Status finish();

 private:
  ResultsFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  base::Status recover(const nlohmann::ordered_json& identity);
  base::Status check_identity(const nlohmann::ordered_json& identity, std::int64_t size);
  base::Status count_results();
  base::Status count_line(std::string_view line);
  base::Error system_error(const char* what) const;
  std::string state_path() const { return path_ + ".state"; }

  std::string path_;
  int fd_;
  std::int64_t found_ = 0, found_failures_ = 0;
  bool dirty_ = false;
  std::chrono::steady_clock::time_point synced_ = std::chrono::steady_clock::now();
};

}  // namespace sgl::tools
