#include "server/jobs/run_store.h"

#include <fmt/format.h>

#include <ctime>

namespace sgl::server {
namespace {

constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS runs (
  id TEXT PRIMARY KEY, tenant TEXT NOT NULL, owner TEXT NOT NULL, program_id TEXT NOT NULL, program TEXT NOT NULL,
  plan BLOB NOT NULL, request TEXT NOT NULL, status TEXT NOT NULL, outcome TEXT NOT NULL, idempotency_key TEXT,
  created INTEGER NOT NULL, finished INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS runs_by_key ON runs (tenant, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS runs_by_status ON runs (status, created);
CREATE INDEX IF NOT EXISTS runs_by_end ON runs (tenant, finished) WHERE outcome <> '';
)";
// What finished runs take, by tenant, kept up by triggers: adding it up anew would read every outcome. `{0}` is the
// size of a finished run, with some 300 bytes for what is as long in all of them and for the indices.
constexpr const char* kSizes = R"(
CREATE TABLE kept (tenant TEXT PRIMARY KEY, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO kept SELECT tenant, sum({0}) FROM runs WHERE outcome <> '' GROUP BY tenant;
CREATE TRIGGER kept_more AFTER UPDATE OF outcome ON runs WHEN OLD.outcome = '' AND NEW.outcome <> '' BEGIN
  INSERT INTO kept SELECT tenant, {0} FROM runs WHERE id = NEW.id
    ON CONFLICT (tenant) DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER kept_less BEFORE DELETE ON runs WHEN OLD.outcome <> '' BEGIN
  UPDATE kept SET bytes = bytes - (SELECT {0} FROM runs WHERE id = OLD.id) WHERE tenant = OLD.tenant;
  DELETE FROM kept WHERE tenant = OLD.tenant AND bytes <= 0;
END;
)";
constexpr const char* kSize =
    "(300 + length(CAST(tenant AS BLOB)) + length(CAST(owner AS BLOB)) + length(CAST(program AS BLOB)) + "
    "length(CAST(outcome AS BLOB)) + coalesce(length(CAST(idempotency_key AS BLOB)), 0))";
constexpr const char* kColumns =
    "SELECT id, tenant, owner, program_id, program, plan, request, status, outcome, idempotency_key, created, finished "
    "FROM runs ";

StoredRun row(const Statement& s) {
  return {s.text(0), s.text(1), s.text(2), s.text(3), s.text(4),    s.text(5),
          s.text(6), s.text(7), s.text(8), s.text(9), s.number(10), s.number(11)};
}

}  // namespace

base::Expected<std::unique_ptr<RunStore>> RunStore::open(const std::string& path, std::size_t keep_bytes) {
  SGL_TRY(auto db, Database::open(path));
  std::unique_ptr<RunStore> out(new RunStore(std::move(db), keep_bytes));
  SGL_TRY_STATUS(out->set_up());
  return out;
}

base::Status RunStore::set_up() {
  SGL_TRY_STATUS(db_->execute(kSchema));
  SGL_TRY(auto transaction, Transaction::begin(*db_));
  bool measured = false;
  {
    SGL_TRY(auto select, db_->prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'kept'"));
    SGL_TRY(measured, select.step());
  }
  if (!measured) SGL_TRY_STATUS(db_->execute(fmt::format(kSizes, kSize).c_str()));
  std::string last;
  {
    SGL_TRY(auto select,
            db_->prepare("SELECT id FROM runs WHERE outcome <> '' ORDER BY finished DESC, rowid DESC LIMIT 1"));
    SGL_TRY(const bool there, select.step());
    if (there) last = select.text(0);
  }
  SGL_TRY_STATUS(make_room(last));
  return transaction.commit();
}

base::Expected<std::optional<StoredRun>> RunStore::with_key(const std::string& tenant, const std::string& key) {
  if (key.empty()) return std::optional<StoredRun>();
  SGL_TRY(auto select, db_->prepare(std::string(kColumns) + "WHERE tenant = ? AND idempotency_key = ?"));
  select.bind(1, tenant).bind(2, key);
  SGL_TRY(const bool there, select.step());
  return there ? std::optional<StoredRun>(row(select)) : std::nullopt;
}

base::Expected<std::optional<StoredRun>> RunStore::find(const std::string& tenant, const std::string& idempotency_key) {
  const std::lock_guard lock(mutex_);
  return with_key(tenant, idempotency_key);
}

base::Expected<std::optional<StoredRun>> RunStore::add(const StoredRun& run) {
  const std::lock_guard lock(mutex_);
  SGL_TRY(auto transaction, Transaction::begin(*db_));
  SGL_TRY(auto earlier, with_key(run.tenant, run.idempotency_key));
  if (earlier) return std::optional<StoredRun>(std::move(earlier));
  {
    SGL_TRY(auto insert, db_->prepare("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    insert.bind(1, run.id).bind(2, run.tenant).bind(3, run.owner).bind(4, run.program_id).bind(5, run.program);
    insert.bind_blob(6, run.plan).bind(7, run.request).bind(8, run.status).bind(9, run.outcome);
    if (!run.idempotency_key.empty()) insert.bind(10, run.idempotency_key);
    insert.bind(11, run.created).bind(12, run.finished);
    SGL_TRY_STATUS(insert.run());
  }
  SGL_TRY_STATUS(transaction.commit());
  return std::optional<StoredRun>();
}

base::Expected<StoredRun> RunStore::get(const std::string& tenant, const std::string& id) {
  const std::lock_guard lock(mutex_);
  SGL_TRY(auto select, db_->prepare(std::string(kColumns) + "WHERE tenant = ? AND id = ?"));
  select.bind(1, tenant).bind(2, id);
  SGL_TRY(const bool there, select.step());
  if (!there) return base::not_found(fmt::format("there is no run '{}'", id));
  return row(select);
}

base::Status RunStore::set_running(const std::string& id) {
  const std::lock_guard lock(mutex_);
  SGL_TRY(auto update, db_->prepare("UPDATE runs SET status = 'running' WHERE id = ? AND outcome = ''"));
  update.bind(1, id);
  return update.run();
}

base::Expected<bool> RunStore::finish(const std::string& id, const std::string& status, const std::string& outcome) {
  const std::lock_guard lock(mutex_);
  SGL_TRY(auto transaction, Transaction::begin(*db_));
  {
    SGL_TRY(auto update,
            db_->prepare("UPDATE runs SET status = ?, outcome = ?, finished = ?, plan = x'', request = '{}' "
                         "WHERE id = ? AND outcome = ''"));
    update.bind(1, status).bind(2, outcome).bind(3, std::int64_t{std::time(nullptr)}).bind(4, id);
    SGL_TRY_STATUS(update.run());
  }
  if (db_->changes() == 0) return false;
  SGL_TRY_STATUS(make_room(id));
  SGL_TRY_STATUS(transaction.commit());
  return true;
}

base::Status RunStore::make_room(const std::string& last) {
  while (true) {
    std::string tenant;
    {
      SGL_TRY(auto most, db_->prepare("SELECT tenant, bytes, (SELECT sum(bytes) FROM kept) FROM kept "
                                      "ORDER BY bytes DESC, tenant LIMIT 1"));
      SGL_TRY(const bool there, most.step());
      if (!there || (most.number(1) <= keep_bytes_ / 2 && most.number(2) <= keep_bytes_)) return {};
      tenant = most.text(0);
    }
    SGL_TRY(auto erase, db_->prepare("DELETE FROM runs WHERE id = (SELECT id FROM runs WHERE tenant = ? AND "
                                     "outcome <> '' AND id <> ? ORDER BY finished, rowid LIMIT 1)"));
    erase.bind(1, tenant).bind(2, last);
    SGL_TRY_STATUS(erase.run());
    if (db_->changes() == 0) return {};  // it keeps the last one alone
  }
}

base::Expected<std::vector<std::pair<std::string, std::string>>> RunStore::unfinished() {
  const std::lock_guard lock(mutex_);
  SGL_TRY(auto select, db_->prepare("SELECT tenant, id FROM runs WHERE outcome = '' ORDER BY created, rowid"));
  std::vector<std::pair<std::string, std::string>> out;
  while (true) {
    SGL_TRY(const bool more, select.step());
    if (!more) return out;
    out.emplace_back(select.text(0), select.text(1));
  }
}

base::Status RunStore::forget_old(std::int64_t now) {
  const std::lock_guard lock(mutex_);
  SGL_TRY(auto erase, db_->prepare("DELETE FROM runs WHERE outcome <> '' AND finished < ?"));
  erase.bind(1, now - kKeepSeconds);
  return erase.run();
}

}  // namespace sgl::server
