// Tells that a client hung up while its request is being worked on. One thread watches all sockets (epoll).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace sgl::server {

class HangupWatch {
 public:
  HangupWatch();
  ~HangupWatch();
  HangupWatch(const HangupWatch&) = delete;
  HangupWatch& operator=(const HangupWatch&) = delete;

  // While it lives, `on_hangup` is called once, on the watching thread, when the peer of `socket` closes its side.
  // After the destructor has returned it does not run any more. A null watch never tells.
  class Registration {
   public:
    Registration(HangupWatch* watch, int socket, std::function<void()> on_hangup);
    ~Registration();
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;

   private:
    HangupWatch* watch_;
    std::uint64_t id_ = 0;
    int socket_;
  };

 private:
  struct Entry {
    int socket;
    std::function<void()> on_hangup;
  };
  void run();

  int epoll_ = -1;
  int stop_ = -1;     // eventfd
  std::mutex mutex_;  // held while a callback runs, so that a destructor waits for it
  std::unordered_map<std::uint64_t, Entry> entries_;
  std::uint64_t next_ = 1;
  std::thread thread_;
};

}  // namespace sgl::server
