#include "server/outbound/call.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "runtime/base/json.h"
#include "runtime/base/utf8.h"

namespace sgl::server {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxDepth = 100;  // of an answer, as of the bodies that the server itself takes

base::Error failed(const std::string& tool, const std::string& what) {
  return {base::ErrorKind::kFailed, fmt::format("tool '{}': {}", tool, what)};
}

// The value at a JSON pointer (RFC 6901); nullptr: nothing is there.
const Json* at_pointer(const Json& root, std::string_view pointer) {
  const Json* at = &root;
  while (!pointer.empty()) {
    const std::size_t end = std::min(pointer.find('/', 1), pointer.size());
    std::string key;
    for (std::size_t i = 1; i < end; ++i) {
      const bool escape = pointer[i] == '~' && i + 1 < end && (pointer[i + 1] == '0' || pointer[i + 1] == '1');
      key += escape ? (pointer[++i] == '0' ? '~' : '/') : pointer[i];
    }
    pointer.remove_prefix(end);
    if (at->is_object()) {
      const auto it = at->find(key);
      at = it == at->end() ? nullptr : &*it;
    } else {
      const bool digits = !key.empty() && key.size() < 10 && key.find_first_not_of("0123456789") == std::string::npos;
      const std::size_t index = digits ? std::stoul(key) : SIZE_MAX;
      at = at->is_array() && index < at->size() ? &(*at)[index] : nullptr;
    }
    if (at == nullptr) return nullptr;
  }
  return at;
}

}  // namespace

base::Error CallControl::error(const std::string& tool) const {
  if (cancelled_) return {base::ErrorKind::kCancelled, "cancelled"};
  return {base::ErrorKind::kUnavailable, fmt::format("tool '{}' did not answer within {} ms", tool, timeout_.count())};
}

void CallControl::cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  if (interrupt_) interrupt_();
}

void CallControl::time_out() {
  const std::lock_guard lock(mutex_);
  if (interrupt_) interrupt_();
}

void CallControl::interrupt_by(std::function<void()> interrupt) {
  const std::lock_guard lock(mutex_);
  interrupt_ = std::move(interrupt);
  if (over() && interrupt_) interrupt_();
}

base::Expected<std::string> read_answer(const std::string& tool, const ToolBinding& binding, const std::string& body) {
  if (binding.answer == ToolAnswer::kText) {
    if (!base::is_valid_utf8(body)) return failed(tool, "the answer is not UTF-8");
    return Json(body).dump();
  }
  base::JsonRules rules;
  rules.max_depth = kMaxDepth;
  Json json;
  if (const auto mistake = base::parse_json(body, json, rules)) {
    const bool deep = !mistake->why.empty();  // the one thing that is refused of what is JSON
    return failed(tool, deep ? fmt::format("the answer is nested more than {} levels deep", kMaxDepth)
                             : "the answer is not JSON");
  }
  const Json* result = at_pointer(json, binding.http.pointer);
  if (result == nullptr) return failed(tool, fmt::format("the answer has nothing at {}", binding.http.pointer));
  return result->dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sgl::server
