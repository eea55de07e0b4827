#include "tools/common/terminal.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "runtime/base/utf8.h"
#include "tools/common/exit_codes.h"

namespace sgl::tools {

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

bool use_color(int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  if (no_color != nullptr && *no_color != '\0') return false;
  return is_terminal(fd) && terminal != nullptr && std::strcmp(terminal, "dumb") != 0;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

int print_out(std::string_view text) {
  if (write_all(STDOUT_FILENO, text)) return kOk;
  complain(fmt::format("cannot write to standard output: {}", std::strerror(errno)));
  return kUsage;
}

void complain(std::string_view message) {
  // Nothing is left to do when standard error itself is closed.
  (void)write_all(STDERR_FILENO, fmt::format("{}: {}\n", program_invocation_short_name, message));
}

base::Expected<std::string> read_stdin() {
  std::string out;
  char chunk[1 << 16];
  for (;;) {
    const ssize_t n = ::read(STDIN_FILENO, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::invalid(fmt::format("cannot read standard input: {}", std::strerror(errno)));
    if (n == 0) return out;
    out.append(chunk, static_cast<std::size_t>(n));
  }
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const base::DecodedChar c = base::decode_utf8(text, at);
    const bool control = (c.code < 0x20 && c.code != '\n' && c.code != '\t') || (c.code >= 0x7F && c.code < 0xA0);
    base::append_utf8(out, control ? base::kReplacement : c.code);
    at += c.bytes;
  }
  return out;
}

}  // namespace sgl::tools
