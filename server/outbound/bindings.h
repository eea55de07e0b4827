// tools.toml: what the names of tools are bound to. Written by the operator, never by a program.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/expected.h"

namespace sgl::server {

// Defaults and bounds of a binding.
constexpr std::chrono::milliseconds kToolTimeout{10'000};
constexpr std::chrono::milliseconds kMaxToolTimeout{600'000};  // ten minutes: a stuck call holds a thread
constexpr std::size_t kToolResponse = 1 << 20;                 // bytes
constexpr std::size_t kMaxToolResponse = 64 << 20;             // bytes: as much as one message of a program
constexpr std::size_t kMaxToolsFile = 1 << 20;                 // bytes of tools.toml

// Where an HTTP tool's answer is found and how it is read.
enum class ToolAnswer {
  kJson,  // the body is JSON
  kText,  // the body is text: a JSON string
};

struct HttpBinding {
  std::string scheme;  // "https", or "http"
  std::string host;    // lower case
  int port = 443;
  std::string path;             // begins with "/", query included
  std::string method = "POST";  // POST: the arguments as JSON body; GET: as query
  // Hosts that may be talked to, lower case: the URL's own, and those that it may redirect to. `*.example.com` stands
  // for all names below example.com.
  std::vector<std::string> hosts;
  std::vector<std::pair<std::string, std::string>> headers;  // secrets filled in; never logged
  std::vector<std::string> secret_files;                     // what ${file:…} in them named
  std::vector<std::string> bare_headers;                     // names of those without any reference to a secret
  std::string pointer;                                       // JSON pointer to the result inside the answer, "" for all
  std::string ca;              // file with the authority's certificate, "" for the system's
  bool allow_private = false;  // addresses that are not public: loopback, private networks …
};

struct CommandBinding {
  std::vector<std::string> words;  // program and arguments; the tool's arguments come as JSON on standard input
};

struct ToolBinding {
  std::chrono::milliseconds timeout = kToolTimeout;
  std::size_t max_response = kToolResponse;
  ToolAnswer answer = ToolAnswer::kJson;
  bool is_command = false;
  HttpBinding http;        // unless is_command
  CommandBinding command;  // if is_command
};

using ToolBindings = std::map<std::string, ToolBinding, std::less<>>;

// Reads the file. Secrets in values of headers, `${env:NAME}` and `${file:PATH}` (relative to the file's folder; the
// last line end is not part of it), are filled in now. `commands`: whether `command` may be bound (`sgl run
// --allow-exec` only). Errors: `not_found`, `invalid` with the line, or naming the tool and the key: unknown keys, a
// URL that is not http(s), plain http to a host that is not this machine, a secret that is not there, a value out of
// range.
base::Expected<ToolBindings> read_tool_bindings(const std::filesystem::path& file, bool commands);
// The same of a text; `folder` is where ${file:…} starts.
base::Expected<ToolBindings> parse_tool_bindings(std::string_view text, const std::filesystem::path& folder,
                                                 bool commands);

// Whether `host` (lower case) is one of the list.
bool host_allowed(const std::vector<std::string>& hosts, std::string_view host);

}  // namespace sgl::server
