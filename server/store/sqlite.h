// SQLite as the server uses it: one connection guarded by its owner, prepared statements, errors as values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

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

// Not thread-safe: its owner holds a lock.
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

 private:
  explicit Database(sqlite3* db) : db_(db) {}
  sqlite3* db_;
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
