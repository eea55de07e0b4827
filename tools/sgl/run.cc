#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <optional>

#include "runtime/base/json.h"
#include "tools/common/exit_codes.h"
#include "tools/common/signals.h"
#include "tools/common/terminal.h"
#include "tools/sgl/arguments.h"
#include "tools/sgl/batch.h"
#include "tools/sgl/commands.h"
#include "tools/sgl/prepare.h"
#include "tools/sgl/stream.h"

namespace sgl::tools {

using Json = nlohmann::ordered_json;

namespace {

int refuse_arguments(const Prepared& prepared, const base::Error& error) {
  complain(error.message);
  (void)write_all(STDERR_FILENO, describe_parameters(prepared.plan->plan(), *prepared.program));
  return kUsage;
}

struct Outcome {
  exec::RunResult result;
  bool interrupted = false;
  double milliseconds = 0;
};

base::Expected<Outcome> execute(const RunCommand& command, Prepared& prepared, const Json& args, Interrupt& interrupt) {
  StreamPrinter printer(is_terminal(STDERR_FILENO), use_color(STDERR_FILENO));
  exec::Executor executor(prepared.plan, prepared.port());
  Outcome outcome;
  exec::RunEvents events;
  if (!command.quiet) {
    events.on_text = [&](const std::string& label, const std::string& name, std::string_view text) {
      printer.text(label, name, text);
    };
    events.on_step = [&](const std::string& label, const std::string& name) { printer.step(label, name); };
  }
  events.on_finished = [&](exec::RunResult result) { outcome.result = std::move(result); };
  const auto start = std::chrono::steady_clock::now();
  exec::RunOptions options = prepared.options;
  options.cancelled = [&] { return interrupt.requested(); };
  const auto id = executor.start(prepared.program->name, args, options, std::move(events));
  if (!id.ok()) return id.error();
  {
    const Interrupt::Listener listener(interrupt, [&] { executor.wake(); });
    while (executor.poll(std::chrono::milliseconds(1000))) {
      if (!interrupt.requested() || outcome.interrupted) continue;
      outcome.interrupted = true;
      executor.cancel_all();
    }
  }
  outcome.interrupted = outcome.interrupted || interrupt.requested();
  outcome.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  printer.finish();
  return outcome;
}

void print_stats(const Prepared& prepared, const Outcome& outcome) {
  const exec::RunResult& result = outcome.result;
  const engine::Usage& usage = result.usage;
  const auto steps = prepared.session.engine ? prepared.session.engine->stats().steps : 0;
  const double seconds = outcome.milliseconds / 1000.0;
  const double rate = seconds > 0 ? static_cast<double>(usage.generated_tokens) / seconds : 0;
  std::string out;
  out += fmt::format("prompt tokens:    {} ({} cached, {} prefilled)\n", usage.prompt_tokens, usage.cached_tokens,
                     usage.prefill_tokens);
  out += fmt::format("generated tokens: {} ({} forced by a type, without decoding)\n", usage.generated_tokens,
                     usage.jump_tokens);
  out += fmt::format("engine steps:     {}\n", steps);
  out += fmt::format("generations:      {}, selections: {}, forks: {}, fuel: {}\n", result.generations, result.selects,
                     result.forks, result.fuel_used);
  if (result.constraints_loaded > 0 || !result.constraints_refused.empty()) {
    out += fmt::format("constraints:      {} loaded from the plan, {} compiled\n", result.constraints_loaded,
                       result.constraints_compiled);
  }
  for (const std::string& why : result.constraints_refused) out += fmt::format("                  {}\n", why);
  if (result.tool_calls > 0) out += fmt::format("tool calls:       {}\n", result.tool_calls);
  out += fmt::format("time:             load {:.1f} ms, compile {:.1f} ms, jit {:.1f} ms, run {:.1f} ms\n",
                     prepared.session.load_ms, prepared.compile_ms, prepared.jit_ms, outcome.milliseconds);
  out += fmt::format("speed:            {:.1f} generated tokens/s\n", rate);
  (void)write_all(STDERR_FILENO, out);
}

int print_failure(const Prepared& prepared, const Outcome& outcome) {
  const base::Error& error = outcome.result.value.error();
  if (outcome.interrupted && error.kind == base::ErrorKind::kCancelled) {
    complain("interrupted");
    return kInterrupted;
  }
  const std::string place = position_text(prepared.plan->plan(), outcome.result.error_position);
  const std::string text = fmt::format("{}: {}", base::error_kind_name(error.kind), printable(error.message));
  if (place.empty()) {
    complain(text);
  } else {
    (void)write_all(STDERR_FILENO, fmt::format("{}: {}\n", place, text));
  }
  return kFailed;
}

}  // namespace

int print_value(const RunCommand& command, const std::string& value) {
  if (command.json || !is_terminal(STDOUT_FILENO)) return print_out(value + "\n");
  const Json json = base::json_or_discarded(value);
  if (json.is_discarded()) return print_out(value + "\n");
  return print_out(printable(json.dump(2, ' ', false, Json::error_handler_t::replace)) + "\n");
}

int run(const RunCommand& command) {
  Interrupt interrupt;  // first: loading a model takes a while
  Prepared prepared;
  if (const int code = prepare_program(command, prepared); code != kOk) return code;
  if (!command.batch.empty()) return run_batch(command, prepared, interrupt);

  const plan::Plan& plan = prepared.plan->plan();
  const auto args = collect_arguments(plan, *prepared.program, command.arguments_file, command.arguments);
  if (!args.ok()) return refuse_arguments(prepared, args.error());
  const base::Status fits = check_arguments(plan, *prepared.program, *args);
  if (!fits.ok()) return refuse_arguments(prepared, fits.error());
  if (const int code = prepare_model(command, prepared); code != kOk) return code;

  auto outcome = execute(command, prepared, *args, interrupt);
  if (!outcome.ok()) return refuse_arguments(prepared, outcome.error());
  if (command.trace) {
    std::string out;
    for (const std::string& line : outcome->result.trace) out += printable(line) + "\n";
    (void)write_all(STDERR_FILENO, out);
  }
  if (command.stats) print_stats(prepared, *outcome);
  if (!outcome->result.value.ok()) return print_failure(prepared, *outcome);
  return print_value(command, *outcome->result.value);
}

}  // namespace sgl::tools
