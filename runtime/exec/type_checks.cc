#include "runtime/exec/type_checks.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "runtime/constraint/json_schema.h"
#include "runtime/constraint/plan_types.h"

namespace sgl::exec {
namespace {

// Measuring a constraint walks its states.
constexpr std::uint64_t kUsesPerMeasure = 16;
// A specification, here and as what was read of it, which memory_bytes does not count; that of a schema is larger than
// its text.
constexpr std::size_t kBytesPerKeyByte = 16;

// What the form of such a value depends on. No two types have one key: lengths stand in front of texts.
std::string key_of(const plan::Type& type) {
  return fmt::format("{} {} {} {} {}{}", static_cast<int>(type.kind), type.min_size, type.max_size, type.format.size(),
                     type.format, type.pattern);
}

}  // namespace

TypeChecks& TypeChecks::shared() {
  static TypeChecks checks;
  return checks;
}

base::Expected<bool> TypeChecks::text_fits(const plan::Plan& plan, plan::TypeId type, std::string_view text) {
  return fits(key_of(plan.type(type)), text,
              [&] { return constraint::compile_type(constraint::spec_of(plan, type, false)); });
}

base::Expected<bool> TypeChecks::json_fits(const plan::Type& type, std::string_view json) {
  // The file's name, which the format is here, changes nothing.
  return fits(fmt::format("{} {}", static_cast<int>(type.kind), type.pattern), json, [&]() -> base::Expected<Pointer> {
    constraint::SchemaOptions options;
    options.order = constraint::PropertyOrder::kAny;
    options.numbers = constraint::SchemaNumbers::kOfValues;
    auto schema = constraint::compile_json_schema(type.pattern, options);
    if (!schema.ok()) return base::invalid(schema.message);
    return std::move(schema.constraint);
  });
}

base::Expected<bool> TypeChecks::fits(std::string key, std::string_view text, const Compile& compile) {
  if (const Found known = find(key); known.constraint != nullptr) {
    const bool fits = constraint::accepts(*known.constraint, text);
    if (known.measure) keep(std::move(key), known.constraint);
    return fits;
  }
  // Outside the lock: a schema may take long, and others need not wait for it.
  SGL_TRY(const Pointer constraint, compile());
  const bool fits = constraint::accepts(*constraint, text);
  {
    const std::lock_guard lock(mutex_);
    ++compiled_;
  }
  keep(std::move(key), constraint);
  return fits;
}

TypeChecks::Found TypeChecks::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto it = index_.find(key);
  if (it == index_.end()) return {};
  entries_.splice(entries_.begin(), entries_, it->second);
  ++found_;
  Entry& entry = entries_.front();
  return {entry.constraint, ++entry.uses % kUsesPerMeasure == 0};
}

void TypeChecks::keep(std::string key, const Pointer& constraint) {
  const std::size_t bytes = kBytesPerKeyByte * key.size() + constraint::memory_bytes(*constraint);
  const std::lock_guard lock(mutex_);
  // That of another thread may be there.
  if (const auto it = index_.find(key); it != index_.end()) erase(it->second);
  entries_.push_front({std::move(key), constraint, bytes, 1});
  index_.emplace(entries_.front().key, entries_.begin());
  bytes_ += bytes;
  while (entries_.size() > limits_.entries || (bytes_ > limits_.bytes && !entries_.empty())) {
    erase(std::prev(entries_.end()));
  }
}

void TypeChecks::erase(std::list<Entry>::iterator entry) {
  bytes_ -= entry->bytes;
  index_.erase(entry->key);
  entries_.erase(entry);
}

TypeChecks::Stats TypeChecks::stats() const {
  const std::lock_guard lock(mutex_);
  return {compiled_, found_, entries_.size(), bytes_};
}

}  // namespace sgl::exec
