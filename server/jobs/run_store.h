// Background runs in SQLite (write-ahead log): a run that was accepted is there before its acceptance is answered, and
// its result is written once, whatever crashes in between.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/store/sqlite.h"

namespace sgl::server {

struct StoredRun {
  std::string id, tenant, owner;    // owner: the principal's id
  std::string program_id, program;  // hash of the plan, name of the entry point
  std::string plan;                 // bytes: the run does not depend on the program staying stored
  std::string request;              // JSON: arguments, seed, limits
  std::string status;               // "queued", "running", "succeeded", "failed", "cancelled"
  std::string outcome;              // JSON of the finished run, "" before
  std::string idempotency_key;      // "" for none
  std::int64_t created = 0, finished = 0;
};

class RunStore {
 public:
  static constexpr std::int64_t kKeepSeconds = 7 * 86'400;  // finished runs are forgotten after a week
  // Bytes that finished runs take on disk, in all: beyond it they are forgotten earlier, the oldest first, of the
  // tenant that keeps most; one tenant has half of it at most. The run that finished last stays, however large it is.
  static constexpr std::size_t kKeepBytes = std::size_t{1} << 30;
  // Makes room at once where there is more of an earlier time than may be kept.
  static base::Expected<std::unique_ptr<RunStore>> open(const std::string& path, std::size_t keep_bytes = kKeepBytes);

  // Durable when it returns. With an idempotency key that this tenant has used already, nothing is added and the run of
  // then is returned.
  base::Expected<std::optional<StoredRun>> add(const StoredRun& run);
  // The run that this tenant has under an idempotency key; none under "".
  base::Expected<std::optional<StoredRun>> find(const std::string& tenant, const std::string& idempotency_key);
  // Errors: not_found.
  base::Expected<StoredRun> get(const std::string& tenant, const std::string& id);
  base::Status set_running(const std::string& id);
  // Stores the outcome unless there is one already, and drops what only a run in work needs (plan and request), and in
  // the same transaction the finished runs that have no room any more. True: this call stored it.
  base::Expected<bool> finish(const std::string& id, const std::string& status, const std::string& outcome);
  // Tenants and ids of runs without an outcome, oldest first: what a restart has to finish.
  base::Expected<std::vector<std::pair<std::string, std::string>>> unfinished();
  base::Status forget_old(std::int64_t now);

 private:
  RunStore(std::unique_ptr<Database> db, std::size_t keep_bytes)
      : db_(std::move(db)), keep_bytes_(static_cast<std::int64_t>(keep_bytes)) {}
  base::Status set_up();
  // With mutex_ held.
  base::Expected<std::optional<StoredRun>> with_key(const std::string& tenant, const std::string& key);
  // Forgets finished runs until the others have room, but not the run `last`. In a transaction.
  base::Status make_room(const std::string& last);

  std::mutex mutex_;
  std::unique_ptr<Database> db_;
  const std::int64_t keep_bytes_;
};

}  // namespace sgl::server
