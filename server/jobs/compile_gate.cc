#include "server/jobs/compile_gate.h"

#include <algorithm>
#include <thread>

namespace sgl::server {

CompileGate::Limits CompileGate::for_this_machine() {
  Limits out;
  out.at_once = std::max<std::size_t>(std::thread::hardware_concurrency() / 2, 1);
  return out;
}

base::Expected<CompileGate::Turn> CompileGate::enter(const std::string& tenant) {
  std::unique_lock lock(mutex_);
  if (in_work_ < limits_.at_once && waiting_.empty()) {
    ++in_work_;
    last_ = tenant;
    return Turn(this);
  }
  const auto own =
      std::count_if(waiting_.begin(), waiting_.end(), [&](const Waiter* w) { return w->tenant == tenant; });
  if (waiting_.size() >= limits_.waiting || static_cast<std::size_t>(own) >= limits_.waiting_of_tenant) {
    return base::Error{base::ErrorKind::kUnavailable,
                       "too many programs, schemas and grammars wait to be compiled; try again later"};
  }
  Waiter self{tenant};
  const auto place = waiting_.insert(waiting_.end(), &self);
  if (changed_.wait_for(lock, limits_.patience, [&] { return self.called; })) return Turn(this);
  waiting_.erase(place);
  return base::Error{base::ErrorKind::kUnavailable, "the server is busy compiling what others sent; try again later"};
}

std::size_t CompileGate::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

void CompileGate::leave() {
  const std::lock_guard lock(mutex_);
  --in_work_;
  call_next();
}

void CompileGate::call_next() {
  while (in_work_ < limits_.at_once && !waiting_.empty()) {
    auto next = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiter* w) { return w->tenant != last_; });
    if (next == waiting_.end()) next = waiting_.begin();
    (*next)->called = true;
    last_ = (*next)->tenant;
    waiting_.erase(next);
    ++in_work_;
  }
  changed_.notify_all();
}

}  // namespace sgl::server
