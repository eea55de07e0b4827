#include "tools/common/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/base/check.h"
#include "tools/common/exit_codes.h"
#include "tools/common/terminal.h"

namespace sgl::tools {
namespace {

// A handler has no argument of ours, hence these globals. The pipe carries 's' for a signal and 'q' to end the helper.
std::atomic<int> signals_seen{0};
int signal_pipe[2] = {-1, -1};
struct sigaction former_int, former_term;

void notify(char byte) {
  // A full pipe cannot be: at most two bytes are ever written to it.
  [[maybe_unused]] const ssize_t n = ::write(signal_pipe[1], &byte, 1);
}

extern "C" void handle_signal(int) {
  const int saved = errno;
  if (signals_seen.fetch_add(1) > 0) ::_exit(kInterrupted);
  notify('s');
  errno = saved;
}

}  // namespace

Interrupt::Interrupt() {
  SGL_ASSERT(signal_pipe[0] < 0);
  SGL_ASSERT(::pipe2(signal_pipe, O_CLOEXEC) == 0);
  signals_seen = 0;
  thread_ = std::thread([this] { wait(); });
  struct sigaction action {};
  action.sa_handler = handle_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, &former_int);
  ::sigaction(SIGTERM, &action, &former_term);
}

Interrupt::~Interrupt() {
  ::sigaction(SIGINT, &former_int, nullptr);
  ::sigaction(SIGTERM, &former_term, nullptr);
  notify('q');
  thread_.join();
  ::close(signal_pipe[0]);
  ::close(signal_pipe[1]);
  signal_pipe[0] = signal_pipe[1] = -1;
}

void Interrupt::set_listener(std::function<void()> on_first) {
  const std::lock_guard lock(mutex_);
  on_first_ = std::move(on_first);
}

void Interrupt::wait() {
  char byte = 0;
  for (;;) {
    const ssize_t n = ::read(signal_pipe[0], &byte, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n != 1 || byte == 'q') return;
    const std::lock_guard lock(mutex_);
    if (!on_first_) {
      complain("interrupted");
      ::_exit(kInterrupted);
    }
    requested_ = true;
    on_first_();
  }
}

}  // namespace sgl::tools
