// SQLite as the server uses it: one connection guarded by its owner, prepared statements, errors as values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/base/expected.h"

struct sqlite3;
struct sqlite3_stmt;

namespace sgl::server {

class Database;

// One execution of a statement: bind from 1, step, read columns from 0.
class Statement {
 public:
  Statement(Statement&&) noexcept = default;
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, std::int64_t number);
  Statement& bind_blob(int index, std::string_view bytes);
  Statement& bind_null(int index);
  // True: there is a row; false: done. Errors: `unavailable`, with SQLite's message.
  base::Expected<bool> step();
  // Steps to the end, for statements without rows.
  base::Status run();
  std::string text(int column) const;  // or the bytes of a blob
  std::int64_t number(int column) const;
  bool is_null(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(sqlite3* db, sqlite3_stmt* statement) : db_(db), statement_(statement) {}
  sqlite3* db_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Not thread-safe: its owner holds a lock. A file that was deleted or replaced while it is open is noticed: statements and
// commits then fail with `unavailable`, for what they write would be lost with the last handle.
class Database {
 public:
  // Opens or makes the file (0600), write-ahead log, full synchronisation: what was committed survives a crash and a
  // power cut. Another process may use it too; a lock is waited for up to five seconds. Errors name the file.
  static base::Expected<std::unique_ptr<Database>> open(const std::string& path);
  ~Database();

  // Several statements without parameters.
  base::Status execute(const char* sql);
  base::Expected<Statement> prepare(std::string_view sql);
  // Rows changed by the last statement.
  std::int64_t changes() const;
  // Error: the file that was opened is no longer the one at its path.
  base::Status still_there() const;

 private:
  Database(sqlite3* db, std::string path) : db_(db), path_(std::move(path)) {}
  sqlite3* db_;
  std::string path_;
  std::uint64_t device_ = 0, inode_ = 0;
};

// Rolls back unless committed.
class Transaction {
 public:
  static base::Expected<Transaction> begin(Database& db);
  Transaction(Transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  ~Transaction();
  base::Status commit();

 private:
  explicit Transaction(Database& db) : db_(&db) {}
  Database* db_;
};

}  // namespace sgl::server
