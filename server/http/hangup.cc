#include "server/http/hangup.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>

#include "runtime/base/check.h"

namespace sgl::server {

HangupWatch::HangupWatch() : epoll_(epoll_create1(EPOLL_CLOEXEC)), stop_(eventfd(0, EFD_CLOEXEC)) {
  SGL_ASSERT(epoll_ >= 0 && stop_ >= 0);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = 0;
  SGL_ASSERT(epoll_ctl(epoll_, EPOLL_CTL_ADD, stop_, &event) == 0);
  thread_ = std::thread([this] { run(); });
}

HangupWatch::~HangupWatch() {
  const std::uint64_t one = 1;
  SGL_ASSERT(write(stop_, &one, sizeof one) == sizeof one);
  thread_.join();
  close(stop_);
  close(epoll_);
}

void HangupWatch::run() {
  std::array<epoll_event, 64> events{};
  while (true) {
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const std::uint64_t id = events[static_cast<std::size_t>(i)].data.u64;
      if (id == 0) return;
      const std::lock_guard lock(mutex_);
      const auto it = entries_.find(id);
      if (it == entries_.end()) continue;
      epoll_ctl(epoll_, EPOLL_CTL_DEL, it->second.socket, nullptr);
      const std::function<void()> call = std::move(it->second.on_hangup);
      it->second.on_hangup = nullptr;
      if (call) call();
    }
  }
}

HangupWatch::Registration::Registration(HangupWatch* watch, int socket, std::function<void()> on_hangup)
    : watch_(socket >= 0 ? watch : nullptr), socket_(socket) {
  if (watch_ == nullptr) return;
  const std::lock_guard lock(watch_->mutex_);
  id_ = watch_->next_++;
  watch_->entries_.emplace(id_, Entry{socket, std::move(on_hangup)});
  epoll_event event{};
  event.events = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  event.data.u64 = id_;
  // Fails only when the socket is registered already (one request at a time uses a connection) or memory is out; then
  // a hang-up is noticed at the next write.
  epoll_ctl(watch_->epoll_, EPOLL_CTL_ADD, socket, &event);
}

HangupWatch::Registration::~Registration() {
  if (watch_ == nullptr) return;
  const std::lock_guard lock(watch_->mutex_);
  epoll_ctl(watch_->epoll_, EPOLL_CTL_DEL, socket_, nullptr);
  watch_->entries_.erase(id_);
}

}  // namespace sgl::server
