#include "server/jobs/program_store.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <ctime>

#include "compiler/driver/driver.h"
#include "compiler/passes/passes.h"
#include "runtime/exec/jit/attach.h"
#include "runtime/plan/codec.h"
#include "server/auth/crypto.h"

namespace sgl::server {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS programs (
  tenant TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, plan BLOB NOT NULL,
  created INTEGER NOT NULL, PRIMARY KEY (tenant, name, version)) STRICT;
CREATE INDEX IF NOT EXISTS programs_by_id ON programs (tenant, id);
)";

// One object a line, as the compiler writes them for editors.
Json as_list(const std::string& lines) {
  Json out = Json::array();
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    Json one = Json::parse(lines.substr(at, end - at), nullptr, false);
    if (!one.is_discarded()) out.push_back(std::move(one));
    at = end + 1;
  }
  return out;
}

}  // namespace

base::Expected<std::unique_ptr<ProgramStore>> ProgramStore::open(const std::string& path, CompileGate& gate) {
  SGL_TRY(auto db, Database::open(path));
  SGL_TRY_STATUS(db->execute(kSchema));
  return std::unique_ptr<ProgramStore>(new ProgramStore(std::move(db), gate));
}

ProgramStore::Ready ProgramStore::find_ready(const std::string& id) {
  const std::lock_guard lock(ready_mutex_);
  for (auto it = ready_.begin(); it != ready_.end(); ++it) {
    if (it->id != id) continue;
    ready_.splice(ready_.begin(), ready_, it);
    return ready_.front().plan;
  }
  return nullptr;
}

std::optional<Compiled> ProgramStore::find_compiled(const std::string& hash) {
  Compiled out;
  {
    const std::lock_guard lock(ready_mutex_);
    const auto it =
        std::find_if(known_.begin(), known_.end(), [&](const Known& known) { return known.source == hash; });
    if (it == known_.end()) return std::nullopt;
    known_.splice(known_.begin(), known_, it);
    out.id = it->id, out.warnings = it->warnings;
  }
  out.plan = find_ready(out.id);
  if (out.plan == nullptr) return std::nullopt;
  out.plan_bytes = plan::encode(out.plan->plan());
  return out;
}

base::Expected<ProgramStore::Ready> ProgramStore::make_ready(const std::string& id, const std::string& bytes) {
  if (auto known = find_ready(id)) return known;
  SGL_TRY(plan::Plan plan, plan::decode(bytes));
  auto loaded = std::make_shared<exec::LoadedPlan>(std::move(plan));
  // The interpreter gives the same results, only later.
  if (const base::Status attached = exec::attach_jit(*loaded); !attached.ok()) {
    spdlog::warn("a program is interpreted, not compiled: {}", attached.error().message);
  }
  const std::lock_guard lock(ready_mutex_);
  ready_.push_front({id, bytes.size(), loaded});
  ready_bytes_ += bytes.size();
  while (ready_.size() > kMaxReady || (ready_bytes_ > kMaxReadyBytes && ready_.size() > 1)) {
    ready_bytes_ -= ready_.back().bytes;
    ready_.pop_back();
  }
  return Ready(std::move(loaded));
}

// Nothing shows that the constraints of a plan are those of its types, so what is sent is kept without them, nor that
// its bounds are those of its code, by which quotas are judged, so they are found anew. That also gives a program one
// id, whether its plan carried constraints or not.
base::Expected<std::string> ProgramStore::canonical(const std::string& bytes) {
  if (find_ready(sha256_hex(bytes)) != nullptr) return bytes;  // which was made of one like this
  SGL_TRY(plan::Plan plan, plan::decode(bytes));
  plan.constraints.clear();
  compiler::compute_bounds(plan);
  return plan::encode(plan);
}

base::Expected<Compiled> ProgramStore::compile(const std::string& tenant, const std::string& bytes) {
  const std::string hash = sha256_hex(bytes);
  if (auto known = find_compiled(hash)) return std::move(*known);
  SGL_TRY(const auto turn, gate_.enter(tenant));
  if (auto known = find_compiled(hash)) return std::move(*known);  // somebody sent the same before
  Compiled out = compile_now(bytes);
  if (out.failure) return out;
  const std::lock_guard lock(ready_mutex_);
  known_.push_front({hash, out.id, out.warnings});
  if (known_.size() > kMaxReady) known_.pop_back();
  return out;
}

Compiled ProgramStore::compile_now(const std::string& bytes) {
  Compiled out;
  if (plan::looks_like_plan(bytes)) {
    auto stripped = canonical(bytes);
    if (!stripped.ok()) {
      out.failure = CompileFailure{stripped.error().message};
      return out;
    }
    out.plan_bytes = std::move(*stripped);
  } else {
    if (bytes.size() > kMaxSource) {
      out.failure = CompileFailure{fmt::format("the source is longer than {} bytes", kMaxSource)};
      return out;
    }
    const auto compilation =
        compiler::compile_text("program.sgl", bytes, compiler::Stage::kPlan, {.import_files = false});
    Json diagnostics = as_list(compiler::render_json(compilation->sources, compilation->diagnostics.sorted()));
    if (compilation->diagnostics.has_errors() || !compilation->plan) {
      out.failure = CompileFailure{"the program has errors", std::move(diagnostics)};
      return out;
    }
    out.warnings = std::move(diagnostics);
    out.plan_bytes = plan::encode(*compilation->plan);
  }
  out.id = sha256_hex(out.plan_bytes);
  auto loaded = make_ready(out.id, out.plan_bytes);
  if (!loaded.ok()) {
    out.failure = CompileFailure{loaded.error().message};
    return out;
  }
  if ((*loaded)->plan().programs.empty()) {
    out.failure = CompileFailure{"the plan has no program"};
    return out;
  }
  out.plan = std::move(*loaded);
  return out;
}

base::Expected<StoredProgram> ProgramStore::put(const std::string& tenant, const std::string& name,
                                                const Compiled& compiled) {
  const std::lock_guard lock(mutex_);
  SGL_TRY(auto transaction, Transaction::begin(*db_));
  StoredProgram out{compiled.id, tenant, name, 1, std::time(nullptr), compiled.plan};
  {
    SGL_TRY(auto newest, db_->prepare("SELECT id, version, created FROM programs WHERE tenant = ? AND name = ? "
                                      "ORDER BY version DESC LIMIT 1"));
    newest.bind(1, tenant).bind(2, name);
    SGL_TRY(const bool known, newest.step());
    if (known && newest.text(0) == compiled.id) {
      out.version = newest.number(1);
      out.created = newest.number(2);
      return out;
    }
    if (known) out.version = newest.number(1) + 1;
    SGL_TRY(auto count, db_->prepare("SELECT count(*) FROM programs WHERE tenant = ?"));
    count.bind(1, tenant);
    SGL_TRY(const bool counted, count.step());
    if (counted && count.number(0) >= kMaxPerTenant) {
      return base::over_limit(
          fmt::format("{} programs are stored, the most for one tenant; delete some", kMaxPerTenant));
    }
    SGL_TRY(auto insert, db_->prepare("INSERT INTO programs VALUES (?, ?, ?, ?, ?, ?)"));
    insert.bind(1, tenant).bind(2, out.id).bind(3, name).bind(4, out.version);
    insert.bind_blob(5, compiled.plan_bytes).bind(6, out.created);
    SGL_TRY_STATUS(insert.run());
  }
  SGL_TRY_STATUS(transaction.commit());
  return out;
}

base::Expected<StoredProgram> ProgramStore::get(const std::string& tenant, const std::string& key) {
  const std::size_t at = key.rfind('@');
  const std::string name = key.substr(0, at);
  std::int64_t version = 0;  // 0: the newest
  if (at != std::string::npos) {
    const std::string digits = key.substr(at + 1);
    if (digits.empty() || digits.size() > 9 || digits.find_first_not_of("0123456789") != std::string::npos) {
      return base::not_found(fmt::format("there is no program '{}'", key));
    }
    version = std::stoll(digits);
  }
  std::string bytes;
  StoredProgram out;
  {
    const std::lock_guard lock(mutex_);
    SGL_TRY(auto select, db_->prepare("SELECT id, name, version, created, plan FROM programs WHERE tenant = ?1 AND "
                                      "((id = ?2 AND ?3 = 0) OR (name = ?2 AND (?3 = 0 OR version = ?3))) "
                                      "ORDER BY version DESC LIMIT 1"));
    select.bind(1, tenant).bind(2, name).bind(3, version);
    SGL_TRY(const bool found, select.step());
    if (!found) return base::not_found(fmt::format("there is no program '{}'", key));
    out = {select.text(0), tenant, select.text(1), select.number(2), select.number(3), nullptr};
    bytes = select.text(4);
  }
  out.plan = find_ready(out.id);
  if (out.plan != nullptr) return out;
  SGL_TRY(const auto turn, gate_.enter(tenant));
  SGL_TRY(out.plan, make_ready(out.id, bytes));
  return out;
}

base::Expected<std::vector<StoredProgram>> ProgramStore::list(const std::string& tenant) {
  const std::lock_guard lock(mutex_);
  SGL_TRY(auto select, db_->prepare("SELECT id, name, version, created FROM programs WHERE tenant = ? "
                                    "ORDER BY name, version"));
  select.bind(1, tenant);
  std::vector<StoredProgram> out;
  while (true) {
    SGL_TRY(const bool row, select.step());
    if (!row) return out;
    out.push_back({select.text(0), tenant, select.text(1), select.number(2), select.number(3), nullptr});
  }
}

base::Status ProgramStore::remove(const std::string& tenant, const std::string& key) {
  const std::lock_guard lock(mutex_);
  SGL_TRY(auto erase, db_->prepare("DELETE FROM programs WHERE tenant = ?1 AND (id = ?2 OR name = ?2)"));
  erase.bind(1, tenant).bind(2, key);
  SGL_TRY_STATUS(erase.run());
  if (db_->changes() == 0) return base::not_found(fmt::format("there is no program '{}'", key));
  return {};
}

}  // namespace sgl::server
