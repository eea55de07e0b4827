#include "server/api/constraint_cache.h"

#include <fmt/format.h>

#include <chrono>

#include "runtime/constraint/grammar.h"
#include "runtime/constraint/json_schema.h"
#include "runtime/constraint/structural_tags.h"

namespace sgl::server {

ConstraintCache::Pointer ConstraintCache::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto it = index_.find(key);
  if (it == index_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, it->second);
  return it->second->second;
}

template <typename Compile>
base::Expected<ConstraintCache::Pointer> ConstraintCache::get(const std::string& tenant, const std::string& key,
                                                              Compile&& compile) {
  if (Pointer known = find(key)) return known;
  SGL_TRY(const auto turn, gate_.enter(tenant));
  if (Pointer known = find(key)) return known;  // somebody who was before us had the same wish
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

base::Expected<ConstraintCache::Pointer> ConstraintCache::regex(const std::string& tenant, const std::string& pattern) {
  return get(tenant, "r" + pattern, [&] { return constraint::compile_regex(pattern); });
}

namespace {

constexpr std::size_t kMaxSchema = 1 << 20;                 // bytes that a client may send
constexpr auto kMaxTime = std::chrono::milliseconds(2000);  // for compiling

constraint::SchemaOptions options_for(bool loose) {
  constraint::SchemaOptions options;
  options.limits.max_bytes = kMaxSchema;
  options.limits.time = kMaxTime;
  if (loose) options.whitespace = constraint::Whitespace::kAny;
  return options;
}

base::Expected<ConstraintCache::Pointer> pointer_or_error(const constraint::SchemaResult& result,
                                                          std::string_view what) {
  if (result.ok()) return result.constraint;
  const std::string place = result.pointer.empty() ? "" : fmt::format(" (at '{}')", result.pointer);
  const bool limit =
      result.status == constraint::SchemaStatus::kTimeout || result.status == constraint::SchemaStatus::kLimit;
  return base::Error{limit ? base::ErrorKind::kLimit : base::ErrorKind::kInvalid,
                     fmt::format("the {} cannot be used: {}{}", what, result.message, place)};
}

}  // namespace

base::Expected<ConstraintCache::Pointer> ConstraintCache::json_schema(const std::string& tenant,
                                                                      const std::string& schema, bool loose) {
  return get(tenant, (loose ? "l" : "s") + schema, [&] {
    return pointer_or_error(constraint::compile_json_schema(schema, options_for(loose)), "JSON schema");
  });
}

base::Expected<ConstraintCache::Pointer> ConstraintCache::tags(const std::string& tenant, const std::string& json) {
  return get(tenant, "t" + json, [&] {
    return pointer_or_error(constraint::compile_structural_tags_json(json, options_for(false)), "structural tag");
  });
}

base::Expected<ConstraintCache::Pointer> ConstraintCache::grammar(const std::string& tenant, const std::string& text) {
  return get(tenant, "g" + text, [&]() -> base::Expected<Pointer> {
    const constraint::GrammarResult result = constraint::compile_grammar(text);
    if (result.ok()) return result.constraint;
    const std::string place = result.line == 0 ? "" : fmt::format(" (line {}, column {})", result.line, result.column);
    return base::Error{
        result.status == constraint::GrammarStatus::kLimit ? base::ErrorKind::kLimit : base::ErrorKind::kInvalid,
        fmt::format("the grammar cannot be used: {}{}", result.message, place)};
  });
}

base::Expected<ConstraintCache::Pointer> ConstraintCache::any_json(const std::string& tenant) {
  return json_schema(tenant, R"({"type":"object"})", true);
}

}  // namespace sgl::server
