#include "tools/sgl/serve/serve.h"

#include <fmt/format.h>
#include <signal.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <filesystem>
#include <thread>

#include "server/app/app.h"
#include "tools/common/exit_codes.h"
#include "tools/common/model_folder.h"
#include "tools/common/session.h"
#include "tools/common/terminal.h"
#include "tools/sgl/serve/options.h"

namespace sgl::tools {
namespace {

void set_up_logs(const ServeCommand& command) {
  auto logger = spdlog::stderr_color_mt("sgl");
  spdlog::set_default_logger(logger);
  spdlog::set_level(spdlog::level::from_str(command.log_level));
  // spdlog does not escape: what clients sent is made harmless where it is logged (server/api/router.cc).
  spdlog::set_pattern(
      command.log_json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":"%v"})" : "%H:%M:%S.%e %^%l%$ %v",
      command.log_json ? spdlog::pattern_time_type::utc : spdlog::pattern_time_type::local);
}

// Signals as calls on a thread of their own: TERM and INT end, HUP reloads.
class Signals {
 public:
  // Before any other thread is made, which inherits the blocked signals.
  Signals() {
    sigemptyset(&set_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
  }
  void listen(server::App& app) {
    thread_ = std::thread([this, &app] {
      int number = 0;
      while (sigwait(&set_, &number) == 0 && number != SIGUSR1) {
        if (number == SIGHUP) {
          app.reload();
        } else {
          app.shut_down();
        }
      }
    });
  }
  // No calls any more, and none under way. Before what listens goes.
  void stop() {
    if (!thread_.joinable()) return;
    pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
  }
  ~Signals() { stop(); }

 private:
  sigset_t set_{};
  std::thread thread_;
};

// A connection takes a descriptor; the usual limit of 1,024 is below what is accepted.
void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

std::string address_of(const server::AppOptions& options, int port) {
  if (!options.http.uds.empty()) return options.http.uds;
  const std::string host =
      options.http.host.find(':') == std::string::npos ? options.http.host : "[" + options.http.host + "]";
  return fmt::format("{}://{}:{}", options.tls.certificates.empty() ? "http" : "https", host, port);
}

}  // namespace

int serve(int argc, char** argv) {
  int code = kOk;
  auto command = read_serve_command(argc, argv, ServeAs::kServe, code);
  if (!command) return code;
  if (const std::string why = server::refusal(command->app); !why.empty()) {
    complain(why);
    return kUsage;
  }
  Signals signals;
  raise_file_limit();
  set_up_logs(*command);
  const auto folder = model_folder(command->model);
  if (!folder.ok()) {
    complain(folder.error().message);
    return kUsage;
  }
  announce(*folder);
  if (command->app.service.model_name.empty()) {
    command->app.service.model_name = std::filesystem::path(folder->path).lexically_normal().filename().string();
  }
  auto session = open_session(folder->path, command->engine, command->load);
  if (!session.ok()) {
    complain(session.error().message);
    return kUsage;
  }
  auto app = server::App::create(command->app, *session->engine, *session->port);
  if (!app.ok()) {
    complain(app.error().message);
    return kUsage;
  }
  signals.listen(**app);
  const std::string address = address_of(command->app, (*app)->port());
  spdlog::info("model '{}' loaded in {:.0f} ms", command->app.service.model_name, session->load_ms);
  if (command->app.auth.open) spdlog::warn("nobody has to authenticate; anybody on this machine can use the server");
  // For scripts that wait for it, whatever the log level is.
  (void)write_all(2, fmt::format("sgl: listening on {}\n", address));
  const bool clean = (*app)->run();
  signals.stop();
  return clean ? kOk : kFailed;
}

int doctor(int argc, char** argv) {
  int code = kOk;
  const auto command = read_serve_command(argc, argv, ServeAs::kDoctor, code);
  if (!command) return code;
  std::string out;
  int problems = 0;
  for (const server::Finding& finding : server::check_security(command->app)) {
    const char* mark = "ok     ";
    if (finding.level == server::Finding::Level::kAdvice) mark = "advice ";
    if (finding.level == server::Finding::Level::kProblem) mark = "PROBLEM";
    problems += finding.level == server::Finding::Level::kProblem ? 1 : 0;
    out += fmt::format("{}  {}\n", mark, finding.text);
    if (!finding.mend.empty()) out += fmt::format("         -> {}\n", finding.mend);
  }
  out += problems == 0 ? "no problem found\n" : fmt::format("{} problem{}\n", problems, problems == 1 ? "" : "s");
  if (const int printed = print_out(out); printed != kOk) return printed;
  return problems == 0 ? kOk : kFailed;
}

}  // namespace sgl::tools
