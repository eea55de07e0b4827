#include "server/api/active.h"

namespace sgl::server {

ActiveRequests::Entry::Entry(ActiveRequests& all, const std::string& tenant, const std::string& rid,
                             std::function<void()> cancel)
    : all_(all) {
  const std::lock_guard lock(all_.mutex_);
  where_ = all_.entries_.emplace(std::make_pair(tenant, rid), std::move(cancel));
}

ActiveRequests::Entry::~Entry() {
  const std::lock_guard lock(all_.mutex_);
  all_.entries_.erase(where_);
}

std::size_t ActiveRequests::abort(const std::string& tenant, const std::string& rid) {
  const std::lock_guard lock(mutex_);
  const auto [begin, end] = entries_.equal_range({tenant, rid});
  std::size_t count = 0;
  for (auto it = begin; it != end; ++it, ++count) it->second();
  return count;
}

std::size_t ActiveRequests::abort_all(const std::string& tenant) {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (auto& [key, cancel] : entries_) {
    if (key.first != tenant) continue;
    cancel();
    ++count;
  }
  return count;
}

}  // namespace sgl::server
