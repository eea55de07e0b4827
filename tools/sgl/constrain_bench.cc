// sgl constrain bench: times of masks and of compiling.
//
// Each record is compiled and its texts are walked once cold and then `--rounds` times warm, with the same constraint.
// What was compiled is also saved and loaded, to compare the times.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/constraint/ablation.h"
#include "runtime/constraint/compiled.h"
#include "tools/common/exit_codes.h"
#include "tools/common/terminal.h"
#include "tools/sgl/constrain.h"
#include "tools/sgl/constrain_record.h"
#include "tools/sgl/constrain_stats.h"

namespace sgl::tools {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

namespace {

struct Row {
  std::string name;
  Times masks;
  std::uint64_t hits = 0;
};

// One way of running the engine: whole, or with a part switched off.
struct Configuration {
  std::string name = "engine";
  constraint::Ablation ablation = {};
  Row cold{"cold", {}, 0}, warm{"warm", {}, 0};
  Times compile, load;  // load: with the digest of the source
  Times saved_bytes;
};

void measure_load(const ConstrainRecord& record, const constraint::Constraint& compiled, Configuration& into) {
  const auto bytes = constraint::save(compiled, base::sha256(record.source));
  if (!bytes.ok()) return;
  into.saved_bytes.add(static_cast<double>(bytes->size()));
  const auto begin = Clock::now();
  const auto loaded = constraint::load(*bytes, base::sha256(record.source));
  if (loaded.ok()) into.load.add(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
}

void measure(const ConstrainBenchCommand& command, const WalkContext& context, const ConstrainRecord& record,
             Configuration& into) {
  const ConstrainCompiled compiled = compile_record(record, command.options);
  into.compile.add(compiled.us);
  if (!compiled.ok()) return;
  measure_load(record, *compiled.constraint, into);
  const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                           std::chrono::duration<double>(command.options.timeout));
  for (int round = 0; round <= command.rounds; ++round) {
    Row& row = round == 0 ? into.cold : into.warm;
    for (const ConstrainInstance& instance : record.instances) {
      const WalkResult result = walk_text(context, compiled.constraint, instance.text, deadline);
      row.masks.add(result.mask_us);
      row.hits += result.hits;
    }
  }
}

std::string table(Configuration& c) {
  std::string out = fmt::format("{:<16} {:>9} {:>9} {:>9} {:>9} {:>10} {:>9} {:>6}\n", c.name + ", µs", "mean", "p50",
                                "p90", "p99", "max", "masks", "hits");
  for (Row* row : {&c.cold, &c.warm}) {
    Times& t = row->masks;
    if (t.count() == 0) continue;
    out += fmt::format("{:<16} {:>9.3f} {:>9.3f} {:>9.3f} {:>9.3f} {:>10.1f} {:>9} {:>5.1f}%\n", "mask, " + row->name,
                       t.mean(), t.percentile(0.5), t.percentile(0.9), t.percentile(0.99), t.percentile(1), t.count(),
                       100.0 * static_cast<double>(row->hits) / static_cast<double>(t.count()));
  }
  for (const auto& [name, times] :
       {std::pair{"compile", &c.compile}, {"load", &c.load}, {"saved, bytes", &c.saved_bytes}}) {
    Times& t = *times;
    out += fmt::format("{:<16} {:>9.1f} {:>9.1f} {:>9.1f} {:>9.1f} {:>10.1f} {:>9}\n", name, t.mean(),
                       t.percentile(0.5), t.percentile(0.9), t.percentile(0.99), t.percentile(1), t.count());
  }
  return out;
}

Json as_json(Configuration& c) {
  Json out{{"configuration", c.name}};
  for (Row* row : {&c.cold, &c.warm}) {
    if (row->masks.count() == 0) continue;
    Json times = mask_summary(row->masks);
    times["masks"] = row->masks.count();
    times["hits"] = row->hits;
    out["mask_us_" + row->name] = std::move(times);
  }
  out["compile_us"] = compile_summary(c.compile);
  out["load_us"] = compile_summary(c.load);
  out["saved_bytes"] = compile_summary(c.saved_bytes);
  out["schemas"] = c.compile.count();
  out["loaded"] = c.load.count();
  return out;
}

}  // namespace

int constrain_bench(const ConstrainBenchCommand& command) {
  auto context = constrain_context(command.tokenizer);
  if (!context.ok()) {
    complain(context.error().message);
    return kConstrainUsage;
  }
  context->details = false;
  std::vector<Configuration> configurations(1);
  if (command.ablate) {
    configurations.resize(4);
    configurations[1].name = "no memo", configurations[1].ablation.memo = false;
    configurations[2].name = "no slices", configurations[2].ablation.slices = false;
    configurations[3].name = "no interning", configurations[3].ablation.interning = false;
  }
  for (Configuration& c : configurations) {
    // Each configuration begins with a vocabulary of which nothing is known.
    WalkContext fresh = *context;
    fresh.vocabulary = constraint::Vocabulary::build(context->tokenizer);
    constraint::ablate(*fresh.vocabulary, c.ablation);
    int number = 0;
    const base::Status read = each_record(command.options, true, [&](const ConstrainRecord& record) {
      if (number++ % command.every == 0) measure(command, fresh, record, c);
      return true;
    });
    if (read.ok()) continue;
    complain(read.error().message);
    return kConstrainUsage;
  }
  std::string out;
  for (Configuration& c : configurations) {
    out += command.json ? as_json(c).dump() + "\n" : table(c);
  }
  return print_out(out);
}

}  // namespace sgl::tools
