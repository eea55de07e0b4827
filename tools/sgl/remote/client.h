// A server of SGL as a client sees it: JSON requests and streams of events over HTTPS.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "runtime/base/expected.h"

namespace sgl::tools {

struct RemoteOptions {
  std::string url;         // "https://host:30000"; http only for loopback
  std::string token_file;  // "" for none; SGL_TOKEN stands for it
  std::string ca;          // PEM of authorities beside the system's, "" for none
};

class RemoteClient {
 public:
  // Errors: the address, token or authorities cannot be used.
  static base::Expected<std::unique_ptr<RemoteClient>> open(const RemoteOptions& options);
  ~RemoteClient();

  struct Reply {
    int status = 0;
    nlohmann::ordered_json json;
    bool good() const { return status >= 200 && status < 300; }
    // The server's message, with what else it says.
    std::string message() const;
  };
  // `body`: null for none. Errors: unavailable (no connection, TLS refused).
  base::Expected<Reply> ask(const std::string& method, const std::string& path, const nlohmann::ordered_json& body);

  struct Event {
    std::string id, name;
    nlohmann::ordered_json data;
  };
  // Sends and reads server-sent events until the stream ends or `on_event` gives false. A reply that is no stream (an
  // error) is returned; its json is null after a stream.
  base::Expected<Reply> stream(const std::string& method, const std::string& path, const nlohmann::ordered_json& body,
                               const std::string& last_event, const std::function<bool(const Event&)>& on_event);
  // Ends a stream that is being read, from any thread.
  void stop();

 private:
  RemoteClient();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sgl::tools
