// Requests in work by the id that their client gave them ("rid"), so that the client can abort them.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace sgl::server {

class ActiveRequests {
 public:
  // While it lives, `cancel` may be called from any thread. An empty rid registers nothing.
  class Entry {
   public:
    Entry(ActiveRequests& all, const std::string& tenant, const std::string& rid, std::function<void()> cancel);
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    ActiveRequests& all_;
    std::multimap<std::pair<std::string, std::string>, std::function<void()>>::iterator where_;
  };
  // How many were cancelled.
  std::size_t abort(const std::string& tenant, const std::string& rid);
  std::size_t abort_all(const std::string& tenant);

 private:
  std::mutex mutex_;  // held while a cancel runs, so that an entry's end waits for it
  std::multimap<std::pair<std::string, std::string>, std::function<void()>> entries_;
};

}  // namespace sgl::server
