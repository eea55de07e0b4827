// Programs that were sent to the server: compiled, verified, named by the hash of their plan, kept in SQLite by tenant,
// and made ready to execute when they are first run.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/exec/executor.h"
#include "server/jobs/compile_gate.h"
#include "server/store/sqlite.h"

namespace sgl::server {

struct StoredProgram {
  std::string id;  // SHA-256 of the plan, hexadecimal
  std::string tenant, name;
  std::int64_t version = 0;                      // of this name, from 1
  std::int64_t created = 0;                      // seconds since 1970
  std::shared_ptr<const exec::LoadedPlan> plan;  // not in lists
};

// A compilation that failed: diagnostics as the compiler's JSON has them.
struct CompileFailure {
  std::string message;
  nlohmann::ordered_json diagnostics = nlohmann::ordered_json::array();
};

struct Compiled {
  std::string id, plan_bytes;
  std::shared_ptr<const exec::LoadedPlan> plan;
  nlohmann::ordered_json warnings = nlohmann::ordered_json::array();
  std::optional<CompileFailure> failure;  // then the rest is empty
};

class ProgramStore {
 public:
  static constexpr std::size_t kMaxSource = 1 << 20;       // bytes of a source; people's programs have a few KB
  static constexpr std::size_t kMaxReady = 256;            // plans kept with their machine code
  static constexpr std::size_t kMaxReadyBytes = 64 << 20;  // of these plans, encoded; the last used one always stays
  static constexpr std::int64_t kMaxPerTenant = 10'000;

  // `path`: a database, ":memory:" for none that survives.
  static base::Expected<std::unique_ptr<ProgramStore>> open(const std::string& path, CompileGate& gate);

  // Source text or a plan's bytes. Reaches no file. What is ready from before costs no compilation; everything else
  // goes through the gate, whose errors it has. Thread-safe.
  base::Expected<Compiled> compile(const std::string& tenant, const std::string& bytes);
  // Keeps it. The same plan under the same name is the same entry; another plan under the name is a new version.
  base::Expected<StoredProgram> put(const std::string& tenant, const std::string& name, const Compiled& compiled);
  // By id, name (the newest version) or name@version. Errors: not_found, those of the gate.
  base::Expected<StoredProgram> get(const std::string& tenant, const std::string& key);
  base::Expected<std::vector<StoredProgram>> list(const std::string& tenant);
  // Every version of a name, or one id. Errors: not_found.
  base::Status remove(const std::string& tenant, const std::string& key);

 private:
  using Ready = std::shared_ptr<const exec::LoadedPlan>;
  struct ReadyPlan {
    std::string id;
    std::size_t bytes = 0;
    Ready plan;
  };
  // What a source was compiled to.
  struct Known {
    std::string source, id;  // SHA-256 of each
    nlohmann::ordered_json warnings;
  };

  ProgramStore(std::unique_ptr<Database> db, CompileGate& gate) : db_(std::move(db)), gate_(gate) {}
  std::optional<Compiled> find_compiled(const std::string& hash);  // of a source
  Ready find_ready(const std::string& id);                         // null: it is to be made ready
  // These are for who has a turn.
  Compiled compile_now(const std::string& bytes);
  base::Expected<std::string> canonical(const std::string& bytes);
  base::Expected<Ready> make_ready(const std::string& id, const std::string& bytes);

  std::mutex mutex_;  // of the database
  std::unique_ptr<Database> db_;
  CompileGate& gate_;
  std::mutex ready_mutex_;
  std::list<ReadyPlan> ready_;  // most recently used first
  std::size_t ready_bytes_ = 0;
  std::list<Known> known_;  // likewise, as many
};

}  // namespace sgl::server
