#include "tools/sgl/remote/client.h"

#include <fmt/format.h>
#include <httplib.h>

#include <cstdlib>

#include "runtime/base/file.h"
#include "runtime/base/json.h"

namespace sgl::tools {
namespace {

using Json = nlohmann::ordered_json;

bool is_loopback_url(const std::string& url) {
  for (const char* start : {"http://127.", "http://localhost", "http://[::1]"}) {
    if (url.rfind(start, 0) == 0) return true;
  }
  return false;
}

base::Error unreachable(const std::string& url, httplib::Error error) {
  std::string why = httplib::to_string(error);
  if (error == httplib::Error::SSLServerVerification)
    why = "its certificate is not trusted; pass --cacert FILE for a self-signed one";
  if (error == httplib::Error::Connection) why = "nobody listens there";
  return {base::ErrorKind::kUnavailable, fmt::format("{} cannot be reached: {}", url, why)};
}

// Splits a stream into events.
class EventReader {
 public:
  explicit EventReader(const std::function<bool(const RemoteClient::Event&)>& on_event) : on_event_(on_event) {}
  bool feed(std::string_view bytes) {
    buffer_ += bytes;
    for (std::size_t end = buffer_.find("\n\n"); end != std::string::npos; end = buffer_.find("\n\n")) {
      const std::string block = buffer_.substr(0, end);
      buffer_.erase(0, end + 2);
      if (!block_done(block)) return false;
    }
    return true;
  }

 private:
  bool block_done(const std::string& block) {
    RemoteClient::Event event;
    std::string data;
    for (std::size_t at = 0; at < block.size();) {
      const std::size_t end = std::min(block.find('\n', at), block.size());
      const std::string_view line = std::string_view(block).substr(at, end - at);
      at = end + 1;
      const auto value = [&](std::string_view name) -> std::optional<std::string> {
        if (line.substr(0, name.size()) != name) return std::nullopt;
        return std::string(line.substr(name.size()));
      };
      if (auto id = value("id: ")) event.id = *id;
      if (auto name = value("event: ")) event.name = *name;
      if (auto text = value("data: ")) data += *text;
    }
    if (data.empty()) return true;
    event.data = base::json_or_discarded(data);
    return on_event_(event);
  }
  const std::function<bool(const RemoteClient::Event&)>& on_event_;
  std::string buffer_;
};

}  // namespace

struct RemoteClient::Impl {
  std::string url;
  std::unique_ptr<httplib::Client> client;
  httplib::Headers headers;
};

RemoteClient::RemoteClient() : impl_(std::make_unique<Impl>()) {}
RemoteClient::~RemoteClient() = default;

base::Expected<std::unique_ptr<RemoteClient>> RemoteClient::open(const RemoteOptions& options) {
  std::string url = options.url;
  while (!url.empty() && url.back() == '/') url.pop_back();
  const bool tls = url.rfind("https://", 0) == 0;
  if (!tls && !is_loopback_url(url)) {
    return base::invalid(fmt::format(
        "'{}' is no address of a server: write https://HOST:PORT (http:// only for this machine)", options.url));
  }
  std::string token;
  if (!options.token_file.empty()) {
    SGL_TRY(token, base::read_file(options.token_file, 64 << 10));
  } else if (const char* variable = std::getenv("SGL_TOKEN")) {
    token = variable;
  }
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' ')) token.pop_back();
  std::unique_ptr<RemoteClient> out(new RemoteClient);
  out->impl_->url = url;
  out->impl_->client = std::make_unique<httplib::Client>(url);
  if (!out->impl_->client->is_valid()) return base::invalid(fmt::format("'{}' is no address of a server", options.url));
  if (!token.empty()) out->impl_->headers.emplace("Authorization", "Bearer " + token);
  httplib::Client& client = *out->impl_->client;
  client.set_connection_timeout(10);
  client.set_read_timeout(3600);  // programs take their time; the server sends a sign of life into streams
  client.set_keep_alive(true);
  if (tls) {
    client.enable_server_certificate_verification(true);
    if (!options.ca.empty()) {
      SGL_TRY(const std::string readable, base::read_file(options.ca, 16 << 20));
      (void)readable;
      client.set_ca_cert_path(options.ca);
    }
  }
  return out;
}

std::string RemoteClient::Reply::message() const {
  const Json error = json.is_object() ? json.value("error", Json()) : Json();
  if (!error.is_object() || !error.contains("message") || !error["message"].is_string())
    return fmt::format("the server answered with status {}", status);
  std::string out = error["message"].get<std::string>();
  if (error.contains("pointer") && error["pointer"].is_string())
    out += fmt::format(" (at {})", error["pointer"].get<std::string>());
  return out;
}

base::Expected<RemoteClient::Reply> RemoteClient::ask(const std::string& method, const std::string& path,
                                                      const Json& body) {
  httplib::Request request;
  request.method = method;
  request.path = path;
  request.headers = impl_->headers;
  if (!body.is_null()) {
    request.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    request.headers.emplace("Content-Type", "application/json");
  }
  const httplib::Result result = impl_->client->send(request);
  if (!result) return unreachable(impl_->url, result.error());
  return Reply{result->status, base::json_or_discarded(result->body)};
}

base::Expected<RemoteClient::Reply> RemoteClient::stream(const std::string& method, const std::string& path,
                                                         const Json& body, const std::string& last_event,
                                                         const std::function<bool(const Event&)>& on_event) {
  Reply reply;
  EventReader reader(on_event);
  std::string rest;
  httplib::Request request;
  request.method = method;
  request.path = path;
  request.headers = impl_->headers;
  if (!last_event.empty()) request.headers.emplace("Last-Event-ID", last_event);
  if (!body.is_null()) {
    request.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    request.headers.emplace("Content-Type", "application/json");
  }
  bool events = false;
  bool wanted = true;
  request.response_handler = [&](const httplib::Response& response) {
    reply.status = response.status;
    events = response.get_header_value("Content-Type").rfind("text/event-stream", 0) == 0;
    return true;
  };
  request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    if (!events) {
      rest.append(data, size);
      return true;
    }
    wanted = reader.feed({data, size});
    return wanted;
  };
  const httplib::Result result = impl_->client->send(request);
  if (!result && wanted) return unreachable(impl_->url, result.error());
  if (!events) reply.json = base::json_or_discarded(rest);
  return reply;
}

void RemoteClient::stop() {
  impl_->client->stop();
}

}  // namespace sgl::tools
