#include "tools/sgl/bench/bench.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>

#include "runtime/model/config.h"
#include "tools/common/cli.h"
#include "tools/common/exit_codes.h"
#include "tools/common/load_choice.h"
#include "tools/common/model_folder.h"
#include "tools/common/terminal.h"
#include "tools/sgl/bench/scenarios.h"

namespace sgl::tools {
namespace {

using Json = nlohmann::ordered_json;

struct BenchCommand {
  std::string model;
  std::vector<std::string> scenarios;
  BenchSettings settings;
  engine::EngineOptions options;
  LoadChoice load;
  bool json = false;
};

// Largest memory this process had, in bytes (Linux; 0 elsewhere).
std::size_t peak_memory() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6)) * 1024;
  }
  return 0;
}

Json row_json(const BenchRow& row) {
  const auto [low, high] = std::minmax_element(row.values.begin(), row.values.end());
  return {{"scenario", row.scenario},
          {"detail", row.detail},
          {"unit", row.unit},
          {"median", bench_median(row.values)},
          {"min", *low},
          {"max", *high},
          {"values", row.values}};
}

std::string row_text(const BenchRow& row) {
  const auto [low, high] = std::minmax_element(row.values.begin(), row.values.end());
  const std::string what = fmt::format("{}: {}", row.scenario, row.detail);
  return fmt::format("{:<52} {:>10.2f} {:<9} {:>10.2f} … {:<10.2f} {:>3}\n", what, bench_median(row.values), row.unit,
                     *low, *high, row.values.size());
}

int refuse(const base::Error& error) {
  complain(error.message);
  return kUsage;
}

int run_bench(BenchCommand command) {
  const auto folder = model_folder(command.model);
  if (!folder.ok()) return refuse(folder.error());
  announce(*folder);
  const auto begin = std::chrono::steady_clock::now();
  const auto choice = command.load.options();
  if (!choice.ok()) return refuse(choice.error());
  const auto loaded = load_model(folder->path, *choice);
  if (!loaded.ok()) return refuse(loaded.error());
  const double load = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (command.scenarios.empty()) command.scenarios = Bench::names();
  Bench bench(*loaded, command.options, command.settings);
  Json out = {{"model", folder->path}, {"load_seconds", load}, {"rows", Json::array()}};
  if (!command.json) {
    const int code = print_out(fmt::format("loaded in {:.2f} s\n{:<52} {:>10} {:<9} {:>10} … {:<10} {:>3}\n", load, "",
                                           "median", "", "lowest", "highest", "runs"));
    if (code != kOk) return code;
  }
  for (const std::string& scenario : command.scenarios) {
    const auto rows = bench.run(scenario);
    if (!rows.ok()) return refuse(rows.error());
    for (const BenchRow& row : *rows) {
      if (command.json) {
        out["rows"].push_back(row_json(row));
      } else if (const int code = print_out(row_text(row)); code != kOk) {
        return code;
      }
    }
  }
  out["peak_bytes"] = peak_memory();
  return print_out(command.json ? out.dump() + "\n"
                                : fmt::format("largest memory: {:.0f} MB\n", static_cast<double>(peak_memory()) / 1e6));
}

}  // namespace

int bench(int argc, char** argv) {
  BenchCommand command;
  BenchSettings& s = command.settings;
  CLI::App app{"Measure how fast a model runs on this machine", "sgl bench"};
  app.add_option("scenario", command.scenarios,
                 fmt::format("what to measure: {}; default: all", fmt::join(Bench::names(), ", ")))
      ->check(CLI::IsMember(Bench::names()));
  app.add_option(
      "-m,--model", command.model,
      "model folder in Hugging Face's format, or a GGUF file; default: the variable SGL_MODEL, else the bundled model");
  app.add_option("--quantize", command.load.quantize, kQuantizeHelp)->check(CLI::IsMember({"none", "q8", "q4", "q4a"}));
  app.add_option("--kv-cache-dtype", command.load.kv_cache_dtype, kKvCacheHelp)->check(CLI::IsMember({"auto", "f32", "f16", "q8"}));
  app.add_option("--threads", command.options.threads, "threads (0: the machine's physical cores)")
      ->check(CLI::Range(0, 1024));
  app.add_option("--prompt", s.prompt, "tokens of a prompt (512)")->check(CLI::Range(1, 1'000'000));
  app.add_option("--tokens", s.tokens, "tokens to generate (64)")->check(CLI::Range(2, 1'000'000));
  app.add_option("--batch", s.batches, "sequences together (1,2,4,8,16)")->delimiter(',')->check(CLI::Range(1, 4096));
  app.add_option("--forks", s.forks, "forks of one prefix (16)")->check(CLI::Range(1, 4096));
  app.add_option("--prefix", s.prefix, "tokens of that prefix (1000)")->check(CLI::Range(1, 1'000'000));
  app.add_option("--fork-tokens", s.fork_tokens, "tokens to generate in each fork (16)")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--repeat", s.repeat, "measured runs (5)")->check(CLI::Range(1, 10'000));
  app.add_option("--warmup", s.warmup, "runs before, which do not count (1)")->check(CLI::Range(0, 10'000));
  app.add_flag("--json", command.json, "as one JSON object, with every run's value");
  app.footer(
      "Prompts are random tokens; generation is greedy and does not stop early. The table shows the median of the "
      "runs, the "
      "lowest\nand the highest.\n\n"
      "Examples:\n"
      "  sgl bench\n"
      "  sgl bench decode batch --model models/small --batch 1,8,64\n"
      "  sgl bench prefill --model models/small --quantize q8\n"
      "  sgl bench --model small-q8_0.gguf --json | jq '.rows[] | {scenario, detail, median}'\n\n"
      "Exit codes: 0 fine; 2 wrong usage, or a model that cannot be used; 130 interrupted.");
  std::function<int()> action = [&] { return run_bench(command); };
  return parse_and_run(app, argc, argv, action, kUsage);
}

}  // namespace sgl::tools
