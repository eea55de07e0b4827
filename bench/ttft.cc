// What the HTTP layer adds to the time to the first token: the same prompts through HTTPS, streamed, on one kept
// connection, and straight from the engine, in turns in one process on the bundled model. Everything that the network
// path does is inside: client and server TLS, heads, JSON, authentication, admission, tokenizing (which the direct path
// does too), the hand-over between threads, the first event. One JSON object a line, with the bar.
// usage: bench_ttft [PAIRS] [MODEL]
#include <fmt/format.h>
#include <httplib.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/file.h"
#include "server/app/app.h"
#include "server/tls/self_signed.h"
#include "tools/common/model_folder.h"
#include "tools/common/session.h"

namespace {

using namespace sgl;
using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

constexpr double kBarMs = 1;   // what HTTP may add at the median
constexpr int kNewTokens = 4;  // of each request; the first counts
constexpr const char* kKey = "bench-key-0123456789abcdef";

[[noreturn]] void stop(const std::string& why) {
  std::fprintf(stderr, "bench_ttft: %s\n", why.c_str());
  std::exit(1);
}

template <typename T>
T must(base::Expected<T> value) {
  if (!value.ok()) stop(value.error().message);
  return std::move(*value);
}

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// Milliseconds to the first text, from the engine itself.
double direct(engine::Engine& engine, const std::string& prompt) {
  const auto start = Clock::now();
  engine::GenerateRequest request;
  request.sequence.append(engine.tokenizer().encode(prompt, {.parse_added_tokens = true, .add_special = true}));
  request.sampling.temperature = 0;
  request.sampling.max_tokens = kNewTokens;
  request.sampling.ignore_eos = true;
  request.ns = engine::Namespace(1'000'000);  // no tenant's: either path finds only what it computed itself
  double first = -1;
  std::promise<void> finished;
  engine::Events events;
  events.on_text = [&](engine::RequestId, std::string_view) { first = first < 0 ? ms_since(start) : first; };
  events.on_finished = [&](const engine::Finished& f) {
    if (f.error) stop(f.error->message);
    finished.set_value();
  };
  engine.generate(std::move(request), std::move(events));
  finished.get_future().wait();
  if (first < 0) stop("the engine gave no text");
  return first;
}

// The same over the connection that `client` keeps.
double streamed(httplib::SSLClient& client, const std::string& prompt) {
  httplib::Request request;
  request.method = "POST";
  request.path = "/generate";
  request.headers = {{"Authorization", std::string("Bearer ") + kKey}, {"Content-Type", "application/json"}};
  const Json sampling = {{"temperature", 0}, {"max_new_tokens", kNewTokens}, {"ignore_eos", true}};
  double first = -1;
  const auto start = Clock::now();
  request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    if (first < 0 && std::string_view(data, size).find("\"text\"") != std::string_view::npos) first = ms_since(start);
    return true;
  };
  request.body = Json{{"text", prompt}, {"stream", true}, {"sampling_params", sampling}}.dump();
  const auto answer = client.send(request);
  if (!answer) stop("no answer: " + httplib::to_string(answer.error()));
  if (answer->status != 200) stop(fmt::format("status {}", answer->status));
  if (first < 0) stop("the stream had no text");
  return first;
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<std::size_t>(q * static_cast<double>(values.size())))];
}

Json summary(const std::vector<double>& values) {
  return {{"p50", quantile(values, 0.5)}, {"p99", quantile(values, 0.99)}};
}

void report(const char* name, const std::vector<double>& engine, const std::vector<double>& https) {
  const double added = quantile(https, 0.5) - quantile(engine, 0.5);
  std::puts(Json{{"bench", "ttft"},
                 {"case", name},
                 {"pairs", engine.size()},
                 {"engine_ms", summary(engine)},
                 {"https_ms", summary(https)},
                 {"added_ms", {{"p50", added}, {"p99", quantile(https, 0.99) - quantile(engine, 0.99)}}},
                 {"bar_ms", kBarMs},
                 {"met", added < kBarMs}}
                .dump()
                .c_str());
}

// A server with TLS on a free port of this machine, its certificate in a folder of its own.
class Server {
 public:
  Server(engine::Engine& engine, exec::ModelPort& port) {
    std::string pattern = (std::filesystem::temp_directory_path() / "bench_ttft_XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) stop("no folder for the certificate");
    folder_ = pattern;
    const auto made = must(server::make_self_signed({"localhost"}, 1));
    for (const auto& [file, text] : {std::pair(certificate(), made.certificate_pem), std::pair(key(), made.key_pem)}) {
      if (const auto written = base::write_file_atomic(file, text); !written.ok()) stop(written.error().message);
    }
    server::AppOptions options;
    options.http.port = 0;
    options.http.keep_alive_requests = 1'000'000;  // one connection for all of it
    options.tls.certificates.push_back({certificate(), key(), "", ""});
    options.auth.api_key = kKey;
    app_ = must(server::App::create(options, engine, port));
    thread_ = std::thread([this] { app_->run(); });
  }
  ~Server() {
    app_->shut_down();
    app_->shut_down();  // at once: nothing is in work
    thread_.join();
    std::filesystem::remove_all(folder_);
  }
  std::string certificate() const { return (folder_ / "cert.pem").string(); }
  int port() const { return app_->port(); }

 private:
  std::string key() const { return (folder_ / "key.pem").string(); }
  std::filesystem::path folder_;
  std::unique_ptr<server::App> app_;
  std::thread thread_;
};

}  // namespace

int main(int argc, char** argv) {
  const int pairs = argc > 1 ? std::atoi(argv[1]) : 500;
  if (pairs < 1) stop("usage: bench_ttft [PAIRS] [MODEL]");
  std::signal(SIGPIPE, SIG_IGN);
  spdlog::set_level(spdlog::level::off);
  const auto folder = must(tools::model_folder(argc > 2 ? argv[2] : ""));
  engine::EngineOptions options;
  options.threads = 1;
  const auto session = must(tools::open_session(folder.path, options));
  Server server(*session.engine, *session.port);
  httplib::SSLClient client("localhost", server.port());
  client.set_hostname_addr_map({{"localhost", "127.0.0.1"}});
  client.set_ca_cert_path(server.certificate().c_str());
  client.enable_server_certificate_verification(true);
  client.set_keep_alive(true);
  client.set_tcp_nodelay(true);

  // Cold: a prompt that nobody asked before; warm: all of it but its last token is cached. Both paths take turns in
  // going first.
  std::vector<double> cold_engine, cold_https, warm_engine, warm_https;
  const auto pair = [&](int i, const std::string& prompt, std::vector<double>& engine, std::vector<double>& https) {
    if (i % 2 == 0) engine.push_back(direct(*session.engine, prompt));
    https.push_back(streamed(client, prompt));
    if (i % 2 != 0) engine.push_back(direct(*session.engine, prompt));
  };
  std::vector<double> ignored;
  for (int i = 0; i < 20; ++i) pair(i, "Once upon a time there was", ignored, ignored);
  for (int i = 0; i < pairs; ++i) {
    const std::string prompt = fmt::format("{} is the number of a story about a king who had {} horses and {} sons", i,
                                           i * 7 % 101, i * 13 % 89);
    pair(i, prompt, cold_engine, cold_https);
    pair(i + 1, prompt, warm_engine, warm_https);
  }
  report("cold prompt", cold_engine, cold_https);
  report("cached prompt", warm_engine, warm_https);
  return 0;
}
