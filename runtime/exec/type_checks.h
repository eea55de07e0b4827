// Whether texts have the form that a type asks for. The constraints that say so are kept: a type is compiled once for
// many values, whichever plan they belong to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "runtime/base/expected.h"
#include "runtime/constraint/constraint.h"
#include "runtime/plan/plan.h"

namespace sgl::exec {

// Thread-safe. The least recently used constraint goes first.
class TypeChecks {
 public:
  struct Limits {
    std::size_t entries = 256;
    // Of all constraints together, with their specifications: they grow with the texts that they see.
    std::size_t bytes = 64 << 20;
  };
  struct Stats {
    std::uint64_t compiled = 0, found = 0;
    std::size_t entries = 0, bytes = 0;
  };

  TypeChecks() : TypeChecks(Limits()) {}
  explicit TypeChecks(const Limits& limits) : limits_(limits) {}
  // The process's own.
  static TypeChecks& shared();

  // Precondition: the type is a string, a pattern or a grammar. Errors: as constraint::compile_type.
  base::Expected<bool> text_fits(const plan::Plan& plan, plan::TypeId type, std::string_view text);
  // Precondition: the type is JSON with a schema. `json`: compact, properties in any order. Errors: `invalid`, what is
  // wrong with the schema.
  base::Expected<bool> json_fits(const plan::Type& type, std::string_view json);

  Stats stats() const;

 private:
  using Pointer = std::shared_ptr<const constraint::Constraint>;
  using Compile = std::function<base::Expected<Pointer>()>;
  struct Entry {
    std::string key;
    Pointer constraint;
    std::size_t bytes = 0;  // when it was last measured
    std::uint64_t uses = 1;
  };
  struct Found {
    Pointer constraint;  // null: there is none
    bool measure = false;
  };

  base::Expected<bool> fits(std::string key, std::string_view text, const Compile& compile);
  Found find(const std::string& key);
  // Enters it with its size, in place of one with this key, and lets others go when there is too much.
  void keep(std::string key, const Pointer& constraint);
  void erase(std::list<Entry>::iterator entry);

  const Limits limits_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;                                                // most recently used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> index_;  // by the entry's key
  std::size_t bytes_ = 0;
  std::uint64_t compiled_ = 0, found_ = 0;
};

}  // namespace sgl::exec
