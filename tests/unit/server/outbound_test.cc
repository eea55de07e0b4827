// What the operator binds tools to, where calls may go, and how answers are read.
#include <doctest/doctest.h>
#include <netdb.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "server/http/listen.h"
#include "server/outbound/address.h"
#include "server/outbound/bindings.h"
#include "server/outbound/call.h"
#include "server/outbound/tool_runner.h"

using namespace sgl;
using namespace sgl::server;

namespace {

std::string error_of(const std::string& text, bool commands = false) {
  const auto parsed = parse_tool_bindings(text, "/nowhere", commands);
  return parsed.ok() ? "" : parsed.error().message;
}

}  // namespace

TEST_CASE("only addresses of the public internet are public") {
  for (const char* address : {"93.184.216.34", "8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.0.1",
                              "2606:4700::1111", "::ffff:8.8.8.8", "2002:808:808::1", "64:ff9b::8.8.8.8"}) {
    CHECK_MESSAGE(is_public_address(address), address);
  }
  for (const char* address : {"127.0.0.1",
                              "127.8.8.8",
                              "10.1.2.3",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.168.1.1",
                              "169.254.169.254",
                              "100.64.0.1",
                              "0.0.0.0",
                              "0.1.2.3",
                              "224.0.0.1",
                              "255.255.255.255",
                              "198.18.0.1",
                              "192.0.2.1",
                              "::",
                              "::1",
                              "fe80::1",
                              "fc00::1",
                              "fd12::1",
                              "ff02::1",
                              "2001:db8::1",
                              "2001::1",
                              "::ffff:127.0.0.1",
                              "::ffff:10.0.0.1",
                              "::127.0.0.1",
                              "2002:7f00:1::1",
                              "64:ff9b::10.0.0.1",
                              "localhost",
                              "",
                              "1.2.3",
                              "8.8.8.8 ",
                              "0x7f.1",
                              "4000::1"}) {
    CHECK_MESSAGE(!is_public_address(address), address);
  }
}

TEST_CASE("only addresses and localhost are loopback") {
  for (const char* host : {"localhost", "127.0.0.1", "127.9.8.7", "::1"}) CHECK_MESSAGE(is_loopback(host), host);
  for (const char* host : {"0.0.0.0", "::", "127.example.org", "127.0.0.1.example.org", "127.1", "128.0.0.1", ""})
    CHECK_FALSE_MESSAGE(is_loopback(host), host);
}

TEST_CASE("names are resolved while somebody waits") {
  const auto patient = [] { return false; };
  const auto local = resolve("127.0.0.1", true, patient);
  REQUIRE(local.ok());
  CHECK(*local == std::vector<std::string>{"127.0.0.1"});
  const auto refused = resolve("127.0.0.1", false, patient);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == base::ErrorKind::kFailed);
  CHECK_FALSE(resolve("no such host", true, patient).ok());
  // Nobody waits: whether the resolver was quick enough or not, there is an answer.
  for (int i = 0; i < 20; ++i) {
    const auto hurried = resolve("sgl-test-name.invalid", true, [] { return true; });
    REQUIRE_FALSE(hurried.ok());
    CHECK(hurried.error().kind == base::ErrorKind::kUnavailable);
  }
}

TEST_CASE("a resolver that does not answer holds 256 lookups, and then no more are begun") {
  // Shared with the threads of the lookups, which may be the last to let go.
  struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    int entered = 0;
    bool open = false;
  };
  const auto gate = std::make_shared<Gate>();
  const Resolver stuck = [gate](const std::string&, addrinfo**) {
    std::unique_lock lock(gate->mutex);
    ++gate->entered;
    gate->changed.notify_all();
    gate->changed.wait(lock, [&] { return gate->open; });
    return EAI_AGAIN;
  };
  // Lookups of the test before may still be under way, where the machine's resolver is slow: then fewer fit.
  constexpr int kMost = 256, kOthers = 20;
  const auto nobody = [] { return true; };
  int begun = 0;
  std::string message;
  for (; begun <= kMost; ++begun) {
    const auto left = resolve("slow.invalid", true, nobody, stuck);
    REQUIRE_FALSE(left.ok());
    message = left.error().message;
    if (message.find("has not answered") == std::string::npos) break;
  }
  CHECK(message.find("too many names") != std::string::npos);
  CHECK(begun <= kMost);
  CHECK(begun >= kMost - kOthers);
  {
    std::unique_lock lock(gate->mutex);
    gate->changed.wait(lock, [&] { return gate->entered == begun; });
    gate->open = true;
  }
  gate->changed.notify_all();
  // The threads end in their own time.
  bool again = false;
  for (int i = 0; i < 1000 && !again; ++i) {
    again = resolve("127.0.0.1", true, [] { return false; }).ok();
    if (!again) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(again);
}

TEST_CASE("a binding is read with its defaults and secrets") {
  ::setenv("SGL_TEST_SECRET", "hush", 1);
  const auto parsed = parse_tool_bindings(
      "[tools.weather]\n"
      "url = \"https://API.example.com:8443/v1/weather?units=metric\"\n"
      "hosts = [\"api.example.com\", \"*.cdn.example.com\"]\n"
      "headers = { Authorization = \"Bearer ${env:SGL_TEST_SECRET}\" }\n"
      "timeout = \"2500ms\"\n"
      "result = \"/data/0/value\"\n"
      "[tools.log]\n"
      "url = \"http://localhost:9000\"\n"
      "method = \"GET\"\n"
      "answer = \"text\"\n"
      "allow_private = true\n",
      "/nowhere", false);
  REQUIRE_MESSAGE(parsed.ok(), parsed.error().message);
  const ToolBinding& weather = parsed->at("weather");
  CHECK(weather.http.scheme == "https");
  CHECK(weather.http.host == "api.example.com");
  CHECK(weather.http.port == 8443);
  CHECK(weather.http.path == "/v1/weather?units=metric");
  CHECK(weather.http.method == "POST");
  CHECK(weather.http.secret_files.empty());
  CHECK(weather.http.bare_headers.empty());
  CHECK(weather.http.headers == std::vector<std::pair<std::string, std::string>>{{"Authorization", "Bearer hush"}});
  CHECK(weather.timeout.count() == 2500);
  CHECK(weather.max_response == kToolResponse);
  CHECK(!weather.http.allow_private);
  CHECK(host_allowed(weather.http.hosts, "a.cdn.example.com"));
  CHECK(!host_allowed(weather.http.hosts, "cdn.example.com"));
  CHECK(!host_allowed(weather.http.hosts, "evilcdn.example.com"));
  const ToolBinding& log = parsed->at("log");
  CHECK(log.http.path == "/");
  CHECK(log.http.hosts == std::vector<std::string>{"localhost"});
  CHECK(log.answer == ToolAnswer::kText);
  CHECK(log.timeout == kToolTimeout);
}

TEST_CASE("mistakes in bindings are named") {
  CHECK(error_of("[tools.a").find("line 1") != std::string::npos);
  CHECK(error_of("[other]\nx = 1").find("no section 'other'") != std::string::npos);
  CHECK(error_of("[tools.a]\n").find("give either 'url' or 'command'") != std::string::npos);
  CHECK(error_of("[tools.a]\nurl = \"https://x.org\"\ntimeuot = \"1s\"").find("no key 'timeuot'") != std::string::npos);
  CHECK(error_of("[tools.a]\nurl = \"ftp://x.org\"").find("'url' must be") != std::string::npos);
  CHECK(error_of("[tools.a]\nurl = \"http://x.org\"").find("http:// only for this machine") != std::string::npos);
  CHECK(error_of("[tools.a]\nurl = \"https://user:pw@x.org\"").find("without spaces, fragment, user") !=
        std::string::npos);
  CHECK(error_of("[tools.a]\nurl = \"https://x.org:99999\"").find("port") != std::string::npos);
  CHECK(error_of("[tools.a]\nurl = \"https://x.org\"\nhosts = [\"y.org\"]").find("the URL's own host") !=
        std::string::npos);
  CHECK(error_of("[tools.a]\nurl = \"https://x.org\"\ntimeout = \"11m\"").find("'timeout' must be") !=
        std::string::npos);
  CHECK(error_of("[tools.a]\nurl = \"https://x.org\"\nresult = \"a\"").find("JSON pointer") != std::string::npos);
  CHECK(error_of("[tools.a]\nurl = \"https://x.org\"\nheaders = { A = \"${env:SGL_NOT_SET}\" }")
            .find("no variable 'SGL_NOT_SET'") != std::string::npos);
  CHECK(error_of("[tools.a]\nurl = \"https://x.org\"\nheaders = { \"A: b\" = \"x\" }").find("names of letters") !=
        std::string::npos);
  CHECK(error_of("[tools.a]\nurl = \"https://x.org\"\nheaders = { A = \"x\\r\\nB: y\" }").find("one line") !=
        std::string::npos);
  CHECK(error_of("[tools.a]\ncommand = [\"ls\"]").find("--allow-exec") != std::string::npos);
  CHECK(error_of("[tools.a]\ncommand = [\"ls\"]", true).empty());
  CHECK(error_of("[tools.a]\ncommand = []", true).find("a program with its arguments") != std::string::npos);
}

TEST_CASE("answers are JSON, at a pointer, or text") {
  ToolBinding binding;
  CHECK(*read_answer("t", binding, " {\"a\": [1, 2]} ") == "{\"a\":[1,2]}");
  CHECK(read_answer("t", binding, "{").error().message == "tool 't': the answer is not JSON");
  const auto nested = [&](std::size_t levels) {
    return read_answer("t", binding, std::string(levels, '[') + "1" + std::string(levels, ']'));
  };
  CHECK(nested(100).ok());
  CHECK(nested(101).error().message == "tool 't': the answer is nested more than 100 levels deep");
  CHECK(*read_answer("t", binding, R"({"a": 1, "b": 2, "a": [3]})") == R"({"a":[3],"b":2})");
  std::string many = "{\"k\":[0]";
  for (int i = 0; i < 100'000; ++i) many += ",\"k" + std::to_string(i) + "\":" + std::to_string(i);
  CHECK(*read_answer("t", binding, many + "}") == many + "}");
  binding.http.pointer = "/a/1";
  CHECK(*read_answer("t", binding, "{\"a\": [1, \"x\"]}") == "\"x\"");
  CHECK(read_answer("t", binding, "{\"a\": [1]}").error().message == "tool 't': the answer has nothing at /a/1");
  binding.http.pointer = "/a~1b/~0";
  CHECK(*read_answer("t", binding, "{\"a/b\": {\"~\": null}}") == "null");
  binding.answer = ToolAnswer::kText;
  CHECK(*read_answer("t", binding, "say \"hi\"\n") == "\"say \\\"hi\\\"\\n\"");
  CHECK(!read_answer("t", binding, "\xFF").ok());
}

TEST_CASE("commands answer, fail, take too long, say too much, and are cancelled") {
  const auto parsed = parse_tool_bindings(
      "[tools.echo]\ncommand = [\"cat\"]\n"
      "[tools.bad]\ncommand = [\"sh\", \"-c\", \"echo wrong >&2; exit 3\"]\n"
      "[tools.slow]\ncommand = [\"sleep\", \"30\"]\ntimeout = \"100ms\"\n"
      "[tools.stuck]\ncommand = [\"sleep\", \"30\"]\n"
      "[tools.large]\ncommand = [\"sh\", \"-c\", \"yes | head -c 5000\"]\nmax_response = 1000\n"
      "[tools.none]\ncommand = [\"/no/such/program\"]\n",
      "/nowhere", true);
  REQUIRE_MESSAGE(parsed.ok(), parsed.error().message);
  ToolRunner runner(*parsed);
  CHECK(runner.bound("echo"));
  CHECK(!runner.bound("other"));
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, base::Expected<std::string>> answers;
  const auto start = [&](const std::string& name) {
    return runner.call({name, "{\"x\":1}"}, [&, name](base::Expected<std::string> answer) {
      const std::lock_guard lock(mutex);
      answers.emplace(name, std::move(answer));
      changed.notify_one();
    });
  };
  const exec::ToolCallId stuck = start("stuck");
  for (const char* name : {"echo", "bad", "slow", "large", "none", "other"}) start(name);
  runner.cancel(stuck);
  std::unique_lock lock(mutex);
  REQUIRE(changed.wait_for(lock, std::chrono::seconds(60), [&] { return answers.size() == 7; }));
  CHECK(*answers.at("echo") == "{\"x\":1}");
  CHECK(answers.at("bad").error().message == "tool 'bad': the command ended with exit code 3: wrong");
  CHECK(answers.at("slow").error().kind == base::ErrorKind::kUnavailable);
  CHECK(answers.at("large").error().kind == base::ErrorKind::kLimit);
  CHECK(answers.at("none").error().message.find("cannot be started") != std::string::npos);
  CHECK(answers.at("other").error().message.find("bound to nothing") != std::string::npos);
  CHECK(answers.at("stuck").error().kind == base::ErrorKind::kCancelled);
}
