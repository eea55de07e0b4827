#include "server/api/constraint_cache.h"

#include <fmt/format.h>

#include <chrono>

#include "runtime/constraint/json_schema.h"

namespace sgl::server {

template <typename Compile>
base::Expected<ConstraintCache::Pointer> ConstraintCache::get(const std::string& key, Compile&& compile) {
  {
    const std::lock_guard lock(mutex_);
    const auto it = index_.find(key);
    if (it != index_.end()) {
      entries_.splice(entries_.begin(), entries_, it->second);
      return it->second->second;
    }
  }
  base::Expected<Pointer> made = compile();
  if (!made.ok()) return made;
  const std::lock_guard lock(mutex_);
  if (index_.contains(key)) return made;  // somebody was faster
  entries_.emplace_front(key, *made);
  index_.emplace(key, entries_.begin());
  if (entries_.size() > kMaxEntries) {
    index_.erase(entries_.back().first);
    entries_.pop_back();
  }
  return made;
}

base::Expected<ConstraintCache::Pointer> ConstraintCache::regex(const std::string& pattern) {
  return get("r" + pattern, [&] { return constraint::compile_regex(pattern); });
}

base::Expected<ConstraintCache::Pointer> ConstraintCache::json_schema(const std::string& schema, bool loose) {
  return get((loose ? "l" : "s") + schema, [&]() -> base::Expected<Pointer> {
    constraint::SchemaOptions options;
    options.limits.max_bytes = 1 << 20;  // of a schema that a client sends
    options.limits.time = std::chrono::milliseconds(2000);
    if (loose) options.whitespace = constraint::Whitespace::kAny;
    const constraint::SchemaResult result = constraint::compile_json_schema(schema, options);
    if (result.ok()) return result.constraint;
    const std::string place = result.pointer.empty() ? "" : fmt::format(" (at '{}')", result.pointer);
    return base::Error{
        result.status == constraint::SchemaStatus::kTimeout || result.status == constraint::SchemaStatus::kLimit
            ? base::ErrorKind::kLimit
            : base::ErrorKind::kInvalid,
        fmt::format("the JSON schema cannot be used: {}{}", result.message, place)};
  });
}

base::Expected<ConstraintCache::Pointer> ConstraintCache::any_json() {
  return json_schema(R"({"type":"object"})", true);
}

}  // namespace sgl::server
