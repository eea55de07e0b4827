#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "server/outbound/call.h"

extern char** environ;

namespace sgl::server {
namespace {

using base::Expected;

constexpr std::size_t kShownError = 200;  // bytes of a command's last line of errors in the message
constexpr int kPollMs = 50;               // how soon a cancelled call is noticed

base::Error failed(const std::string& tool, const std::string& what) {
  return {base::ErrorKind::kFailed, fmt::format("tool '{}': {}", tool, what)};
}

struct Pipe {
  int read = -1, write = -1;
  bool open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read = ends[0], write = ends[1];
    return true;
  }
  static void close(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }
  ~Pipe() {
    close(read);
    close(write);
  }
};

// A process with its own group, so that what it starts ends with it.
class Child {
 public:
  ~Child() { end(); }

  bool start(const std::vector<std::string>& words, Pipe& in, Pipe& out, Pipe& err) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in.read, 0);
    posix_spawn_file_actions_adddup2(&actions, out.write, 1);
    posix_spawn_file_actions_adddup2(&actions, err.write, 2);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    error_ = posix_spawnp(&pid_, arguments[0], &actions, &attributes, arguments.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error_ != 0) pid_ = -1;
    return error_ == 0;
  }
  std::string why() const { return std::strerror(error_); }

  // Waits for the end; the exit code, or 128 and the signal.
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    ::kill(-pid_, SIGKILL);  // whatever it left behind
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  void end() {
    if (pid_ < 0) return;
    ::kill(-pid_, SIGKILL);
    (void)wait();
  }

 private:
  pid_t pid_ = -1;
  int error_ = 0;
};

void not_blocking(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

// Reads what is there; false at the end of the stream.
bool drain(int fd, std::string& into, std::size_t most) {
  std::array<char, 16384> buffer;
  const ssize_t n = ::read(fd, buffer.data(), buffer.size());
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n > 0 && into.size() <= most) into.append(buffer.data(), static_cast<std::size_t>(n));
  return n > 0;
}

std::string last_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  text = text.substr(text.rfind('\n') + 1).substr(0, kShownError);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return text;
}

}  // namespace

Expected<std::string> call_command(const std::string& tool, const ToolBinding& binding, const std::string& arguments,
                                   CallControl& control) {
  Pipe in, out, err;
  if (!in.open() || !out.open() || !err.open()) return failed(tool, "there are no more file descriptors");
  Child child;
  if (!child.start(binding.command.words, in, out, err)) {
    return failed(tool, fmt::format("'{}' cannot be started: {}", binding.command.words[0], child.why()));
  }
  Pipe::close(in.read);
  Pipe::close(out.write);
  Pipe::close(err.write);
  for (const int fd : {in.write, out.read, err.read}) not_blocking(fd);
  std::string body, errors;
  std::size_t written = 0;
  while (out.read >= 0 || err.read >= 0) {
    if (control.over()) return control.error(tool);
    if (body.size() > binding.max_response) {
      return base::over_limit(fmt::format("tool '{}': the answer has more than {} bytes", tool, binding.max_response));
    }
    std::array<pollfd, 3> fds = {pollfd{in.write, POLLOUT, 0}, pollfd{out.read, POLLIN, 0},
                                 pollfd{err.read, POLLIN, 0}};
    ::poll(fds.data(), fds.size(), kPollMs);
    if (fds[0].revents != 0) {
      const ssize_t n = ::write(in.write, arguments.data() + written, arguments.size() - written);
      if (n > 0) written += static_cast<std::size_t>(n);
      // A command need not read its input.
      if (written == arguments.size() || (n < 0 && errno != EAGAIN && errno != EINTR)) Pipe::close(in.write);
    }
    if (fds[1].revents != 0 && !drain(out.read, body, binding.max_response)) Pipe::close(out.read);
    if (fds[2].revents != 0 && !drain(err.read, errors, std::size_t{64} << 10)) Pipe::close(err.read);
  }
  const int code = child.wait();
  if (code != 0) {
    const std::string line = last_line(errors);
    return failed(tool, fmt::format("the command ended with exit code {}{}{}", code, line.empty() ? "" : ": ", line));
  }
  return read_answer(tool, binding, body);
}

}  // namespace sgl::server
