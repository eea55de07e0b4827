#include "tools/sgl/batch.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "runtime/base/file.h"
#include "runtime/base/json.h"
#include "runtime/base/sha256.h"
#include "runtime/gguf/gguf.h"
#include "runtime/plan/codec.h"
#include "tools/common/exit_codes.h"
#include "tools/common/model_folder.h"
#include "tools/common/terminal.h"
#include "tools/sgl/batch_files.h"
#include "tools/sgl/progress.h"

namespace sgl::tools {

using Json = nlohmann::ordered_json;

namespace {

int refuse(const base::Error& error) {
  complain(error.message);
  return kUsage;
}

// The seed of one input: far apart for neighbouring inputs and seeds (the finaliser of SplitMix64).
std::uint64_t input_seed(std::uint64_t seed, std::int64_t index) {
  std::uint64_t z = seed + 0x9E3779B97F4A7C15 * (static_cast<std::uint64_t>(index) + 1);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

// What tells models apart without reading all their weights: configuration, tokenizer, sizes of the weight files.
std::string model_identity(const RunCommand& command) {
  const auto folder = model_folder(command.model);
  if (!folder.ok()) return "none";
  std::string facts = fmt::format("quantize={} kv={}\n", command.load.quantize, command.load.kv_cache_dtype);
  if (gguf::is_gguf(folder->path)) {
    // The header, which holds configuration and tokenizer, lies in the first bytes.
    constexpr std::size_t kHeader = 16 << 20;
    const auto file = base::MappedFile::open(folder->path);
    const std::span<const std::byte> bytes = file.ok() ? file->bytes() : std::span<const std::byte>();
    const std::string_view head(reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), kHeader));
    return base::hex(base::sha256(facts + fmt::format("gguf {} {}", bytes.size(), base::hex(base::sha256(head)))));
  }
  for (const char* name : {"config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"}) {
    const auto text = base::read_file(std::filesystem::path(folder->path) / name);
    facts += fmt::format("{} {}\n", name, text.ok() ? base::hex(base::sha256(*text)) : "absent");
  }
  std::vector<std::string> weights;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder->path, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->path().extension() != ".safetensors") continue;
    weights.push_back(fmt::format("{} {}\n", it->path().filename().string(), it->file_size(ignored)));
  }
  std::sort(weights.begin(), weights.end());
  for (const std::string& line : weights) facts += line;
  return base::hex(base::sha256(facts));
}

// Everything the results depend on.
Json identity_of(const RunCommand& command, const Prepared& prepared, const InputScan& scan) {
  // The same program compiled under another path is the same program.
  plan::Plan plan = prepared.plan->plan();
  std::fill(plan.files.begin(), plan.files.end(), "");
  plan.constraints.clear();  // as is one that carries what another one compiles
  const exec::RunLimits& limits = prepared.options.limits;
  Json identity;
  identity["inputs"] = scan.digest;
  identity["program"] = prepared.program->name + " " + base::hex(base::sha256(plan::encode(plan)));
  identity["model"] = plan.gens.empty() && plan.selects.empty() ? "none" : model_identity(command);
  identity["seed"] = command.seed;
  identity["options"] = fmt::format("max_tokens={} tokens={} time={} forks={} fuel={} memory={}", command.max_tokens,
                                    limits.tokens, limits.time_ms, limits.forks, limits.fuel, limits.memory);
  return identity;
}

class BatchRun {
 public:
  BatchRun(const RunCommand& command, Prepared& prepared, ResultsFile& results, const InputScan& scan,
           Interrupt& interrupt)
      : command_(command),
        prepared_(prepared),
        results_(results),
        interrupt_(interrupt),
        total_(scan.lines),
        next_(results.found()),
        lines_(command.batch),
        progress_(scan.lines, results.found(), !command.quiet) {
    counts_.done = results.found();
    counts_.failures = results.found_failures();
  }

  int run() {
    for (std::int64_t i = 0; i < next_ && status_.ok(); ++i) skip_line();
    exec::Executor executor(prepared_.plan, prepared_.port());
    {
      const Interrupt::Listener listener(interrupt_, [&] { executor.wake(); });
      loop(executor);
    }
    progress_.finish(counts_);
    if (!status_.ok()) return refuse(status_.error());
    if (interrupted_) {
      complain(fmt::format("interrupted after {} of {} inputs; run the same command again to continue", counts_.done, total_));
      return kInterrupted;
    }
    if (const base::Status finished = results_.finish(); !finished.ok()) return refuse(finished.error());
    return counts_.failures > 0 ? kFailed : kOk;
  }

 private:
  void loop(exec::Executor& executor) {
    for (;;) {
      if (interrupt_.requested() && !interrupted_) {
        interrupted_ = true;
        executor.cancel_all();
      }
      if (!interrupted_ && status_.ok()) start_inputs(executor);
      // After an error of the files nothing more is worth waiting for; the executor's destructor cancels the rest.
      if (!status_.ok() || (executor.active() == 0 && (at_end_ || interrupted_))) break;
      executor.poll(std::chrono::milliseconds(200));
      note(results_.sync_if_due());
      progress_.update(counts_);
    }
    note(results_.sync());
  }

  void start_inputs(exec::Executor& executor) {
    // Results that wait for an earlier one are kept; the window bounds how many.
    const auto concurrency = static_cast<std::int64_t>(command_.concurrency);
    while (!at_end_ && status_.ok() && static_cast<std::int64_t>(executor.active()) < concurrency &&
           next_ - counts_.done < 4 * concurrency) {
      auto line = lines_.next();
      if (!line.ok()) {
        note(line.error());
      } else if (!line->has_value()) {
        at_end_ = true;
      } else {
        start_input(executor, next_++, **line);
      }
    }
  }

  void start_input(exec::Executor& executor, std::int64_t index, const std::string& line) {
    const Json args = base::json_or_discarded(line);
    if (args.is_discarded()) return finish_error(index, base::invalid("the line is not JSON"), "", {});
    exec::RunOptions options = prepared_.options;
    options.seed = input_seed(command_.seed, index);
    options.cancelled = [this] { return interrupt_.requested(); };
    exec::RunEvents events;
    events.on_finished = [this, index](exec::RunResult result) { finish_input(index, std::move(result)); };
    const auto id = executor.start(prepared_.program->name, args, options, std::move(events));
    if (!id.ok()) finish_error(index, id.error(), "", {});
  }

  void finish_input(std::int64_t index, exec::RunResult result) {
    counts_.prompt_tokens += result.usage.prompt_tokens;
    counts_.cached_tokens += result.usage.cached_tokens;
    if (!result.value.ok()) {
      // What was cancelled is not answered: the next run does it anew.
      if ((interrupted_ || interrupt_.requested()) && result.value.error().kind == base::ErrorKind::kCancelled) return;
      const std::string place = position_text(prepared_.plan->plan(), result.error_position);
      return finish_error(index, result.value.error(), place, result.usage);
    }
    put(index, fmt::format("{{\"index\":{},\"value\":{},\"usage\":{}}}", index, *result.value, usage_json(result.usage).dump()));
  }

  void finish_error(std::int64_t index, const base::Error& error, const std::string& place, const engine::Usage& usage) {
    Json json;
    json["index"] = index;
    json["error"] = {{"kind", base::error_kind_name(error.kind)}, {"message", error.message}};
    json["error"]["position"] = place.empty() ? Json() : Json(place);
    json["usage"] = usage_json(usage);
    ++counts_.failures;
    put(index, json.dump(-1, ' ', false, Json::error_handler_t::replace));
  }

  // Only what does not depend on what else ran: the same batch gives the same bytes.
  static Json usage_json(const engine::Usage& usage) {
    return {{"prompt_tokens", usage.prompt_tokens}, {"generated_tokens", usage.generated_tokens}};
  }

  void put(std::int64_t index, std::string line) {
    waiting_.emplace(index, std::move(line));
    while (status_.ok() && !waiting_.empty() && waiting_.begin()->first == counts_.done) {
      note(results_.append(waiting_.begin()->second));
      waiting_.erase(waiting_.begin());
      ++counts_.done;
    }
  }

  void skip_line() {
    const auto line = lines_.next();
    if (!line.ok()) note(line.error());
  }

  // Keeps the first error; the loop then starts no more and drains.
  void note(base::Status status) {
    if (status_.ok() && !status.ok()) status_ = std::move(status);
  }

  const RunCommand& command_;
  Prepared& prepared_;
  ResultsFile& results_;
  Interrupt& interrupt_;
  const std::int64_t total_;
  std::int64_t next_;  // input to start next
  InputLines lines_;
  Progress progress_;
  BatchCounts counts_;
  std::map<std::int64_t, std::string> waiting_;  // finished out of order, by index
  base::Status status_;
  bool at_end_ = false, interrupted_ = false;
};

}  // namespace

int run_batch(const RunCommand& command, Prepared& prepared, Interrupt& interrupt) {
  if (!command.arguments.empty() || !command.arguments_file.empty()) {
    return refuse(base::invalid("a batch takes its arguments from the file alone; leave out --arg and --args"));
  }
  auto scan = scan_inputs(command.batch);
  if (!scan.ok()) return refuse(scan.error());
  const bool asks_model = !prepared.plan->plan().gens.empty() || !prepared.plan->plan().selects.empty();
  if (asks_model) {
    // Before the results file is touched.
    const auto folder = model_folder(command.model);
    if (!folder.ok()) return refuse(folder.error());
  }
  const auto results = ResultsFile::open(command.output, identity_of(command, prepared, *scan), command.restart);
  if (!results.ok()) return refuse(results.error());
  ResultsFile& file = **results;
  if (file.found() > scan->lines) {
    return refuse(base::invalid(fmt::format("'{}' holds more results than there are inputs; pass --restart to begin anew",
                                            command.output)));
  }
  if (file.found() > 0 && !command.quiet) {
    complain(fmt::format("continuing after {} of {} inputs", file.found(), scan->lines));
  }
  if (const int code = prepare_model(command, prepared); code != kOk) return code;
  return BatchRun(command, prepared, file, *scan, interrupt).run();
}

}  // namespace sgl::tools
