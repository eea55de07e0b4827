// Compiled constraints of requests, by what was asked for: a schema that every request brings is compiled once.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "runtime/base/expected.h"
#include "runtime/constraint/constraint.h"
#include "server/jobs/compile_gate.h"

namespace sgl::server {

class ConstraintCache {
 public:
  using Pointer = std::shared_ptr<const constraint::Constraint>;
  static constexpr std::size_t kMaxEntries = 256;  // machines grow with use; the least recently used goes

  explicit ConstraintCache(CompileGate& gate) : gate_(gate) {}

  // Errors: invalid, with the place in the specification; those of the gate, through which `tenant` goes where there is
  // something to compile. Thread-safe; compiles outside the lock.
  base::Expected<Pointer> regex(const std::string& tenant, const std::string& pattern);
  // `schema`: JSON text. White space as models write it when `loose`.
  base::Expected<Pointer> json_schema(const std::string& tenant, const std::string& schema, bool loose = false);
  base::Expected<Pointer> any_json(const std::string& tenant);
  // Lark's EBNF or GBNF.
  base::Expected<Pointer> grammar(const std::string& tenant, const std::string& text);
  // Structural tags as JSON (runtime/constraint/structural_tags.h).
  base::Expected<Pointer> tags(const std::string& tenant, const std::string& json);

 private:
  template <typename Compile>
  base::Expected<Pointer> get(const std::string& tenant, const std::string& key, Compile&& compile);
  Pointer find(const std::string& key);  // null: it is not there

  CompileGate& gate_;
  std::mutex mutex_;
  std::list<std::pair<std::string, Pointer>> entries_;  // most recently used first
  std::unordered_map<std::string, std::list<std::pair<std::string, Pointer>>::iterator> index_;
};

}  // namespace sgl::server
