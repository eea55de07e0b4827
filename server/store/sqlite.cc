#include "server/store/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

namespace sgl::server {
namespace {

constexpr int kBusyMs = 5000;

base::Error error_of(sqlite3* db) {
  return {base::ErrorKind::kUnavailable, fmt::format("the database cannot be used now: {}", sqlite3_errmsg(db))};
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Statement& Statement::bind(int index, std::string_view text) {
  sqlite3_bind_text64(statement_.get(), index, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind(int index, std::int64_t number) {
  sqlite3_bind_int64(statement_.get(), index, number);
  return *this;
}

Statement& Statement::bind_blob(int index, std::string_view bytes) {
  sqlite3_bind_blob64(statement_.get(), index, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
  return *this;
}

Statement& Statement::bind_null(int index) {
  sqlite3_bind_null(statement_.get(), index);
  return *this;
}

base::Expected<bool> Statement::step() {
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return error_of(db_);
}

base::Status Statement::run() {
  while (true) {
    SGL_TRY(const bool row, step());
    if (!row) return {};
  }
}

std::string Statement::text(int column) const {
  const bool blob = sqlite3_column_type(statement_.get(), column) == SQLITE_BLOB;
  const auto* bytes = blob ? static_cast<const char*>(sqlite3_column_blob(statement_.get(), column))
                           : reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (bytes == nullptr) return "";
  return std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column)));
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

base::Expected<std::unique_ptr<Database>> Database::open(const std::string& path) {
  const mode_t before = umask(0077);
  sqlite3* db = nullptr;
  const int opened =
      sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Database> out(new Database(db, path));
  base::Status ready;
  if (opened != SQLITE_OK) {
    ready = base::Error{base::ErrorKind::kUnavailable, db == nullptr ? "out of memory" : sqlite3_errmsg(db)};
  } else {
    sqlite3_busy_timeout(db, kBusyMs);
    ready = out->execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;");
  }
  umask(before);
  if (!ready.ok()) {
    return base::Error{ready.error().kind,
                       fmt::format("the database '{}' cannot be opened: {}", path, ready.error().message)};
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0) out->device_ = info.st_dev, out->inode_ = info.st_ino;
  return out;
}

base::Status Database::still_there() const {
  if (inode_ == 0) return {};  // in memory
  struct stat info {};
  if (::stat(path_.c_str(), &info) == 0 && info.st_dev == device_ && info.st_ino == inode_) return {};
  return base::Error{base::ErrorKind::kUnavailable,
                     fmt::format("the database '{}' was deleted or replaced while it was open; restart the server", path_)};
}

Database::~Database() {
  sqlite3_close_v2(db_);
}

base::Status Database::execute(const char* sql) {
  if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error_of(db_);
  return {};
}

base::Expected<Statement> Database::prepare(std::string_view sql) {
  SGL_TRY_STATUS(still_there());
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr) != SQLITE_OK) {
    return error_of(db_);
  }
  return Statement(db_, statement);
}

std::int64_t Database::changes() const {
  return sqlite3_changes64(db_);
}

base::Expected<Transaction> Transaction::begin(Database& db) {
  SGL_TRY_STATUS(db.execute("BEGIN IMMEDIATE"));
  return Transaction(db);
}

Transaction::~Transaction() {
  if (db_ != nullptr) (void)db_->execute("ROLLBACK").ok();
}

base::Status Transaction::commit() {
  SGL_TRY_STATUS(db_->execute("COMMIT"));
  return std::exchange(db_, nullptr)->still_there();
}

}  // namespace sgl::server
