// sgl constrain explain: what a constraint accepts, in words and samples.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "runtime/base/utf8.h"
#include "tools/common/exit_codes.h"
#include "tools/common/terminal.h"
#include "tools/sgl/constrain.h"
#include "tools/sgl/constrain_record.h"

namespace sgl::tools {

using constraint::Matcher;
using constraint::TokenMask;
using tokenizer::TokenId;
using Json = nlohmann::ordered_json;

namespace {

constexpr TokenId kEnd = 256;

// Tokens that are single bytes: samples need no tokenizer.
std::shared_ptr<const constraint::Vocabulary> byte_vocabulary() {
  std::vector<std::string> bytes;
  for (int b = 0; b < 256; ++b) bytes.emplace_back(1, static_cast<char>(b));
  bytes.emplace_back();
  return constraint::Vocabulary::from_bytes(std::move(bytes), {kEnd});
}

class Sampler {
 public:
  Sampler(std::shared_ptr<const constraint::Constraint> constraint, std::uint64_t seed)
      : constraint_(std::move(constraint)), vocabulary_(byte_vocabulary()), random_(seed) {}

  // A text of at most about `bytes` bytes, or of the least length when that is more. Nullopt: over a limit.
  std::optional<std::string> sample(std::uint64_t bytes) {
    return walk(std::max(bytes, constraint::min_length(*constraint_)), false);
  }
  std::optional<std::string> shortest() { return walk(constraint::min_length(*constraint_), true); }
  std::string forced_prefix() { return Matcher(constraint_, vocabulary_).forced_bytes(); }

 private:
  std::optional<std::string> walk(std::uint64_t budget, bool least) {
    if (budget > kMaxSample) return std::nullopt;
    Matcher matcher(constraint_, vocabulary_);
    std::string out;
    for (;;) {
      if (matcher.is_final()) return out;
      // Long texts end where they may, now and then.
      if (matcher.is_complete() && (least || out.size() >= budget || random_() % 3 == 0)) return out;
      if (out.size() >= budget) return std::nullopt;
      const auto mask = matcher.mask_within(static_cast<std::int64_t>(budget - out.size()) - 1);
      if (!mask.ok()) return std::nullopt;
      const int byte = choose(**mask, least);
      if (byte < 0 || !matcher.accept(byte)) return std::nullopt;
      out.push_back(static_cast<char>(byte));
    }
  }
  // Mostly what people write: letters, digits and marks.
  int choose(const TokenMask& mask, bool least) {
    std::vector<int> plain, other;
    for (int b = 0; b < 256; ++b) {
      if (!mask.test(b)) continue;
      const bool usual = (b > ' ' && b < 127 && b != '\\') || b == ' ';
      (usual ? plain : other).push_back(b);
    }
    if (plain.empty() && other.empty()) return -1;
    const bool take_other = plain.empty() || (!other.empty() && !least && random_() % 20 == 0);
    std::vector<int>& from = take_other ? other : plain;
    // A quote or a letter opens more than a space does.
    if (from.size() > 1 && from.front() == ' ' && random_() % 8 != 0) from.erase(from.begin());
    return from[random_() % from.size()];
  }

  static constexpr std::uint64_t kMaxSample = 1 << 20;
  const std::shared_ptr<const constraint::Constraint> constraint_;
  const std::shared_ptr<const constraint::Vocabulary> vocabulary_;
  std::mt19937_64 random_;
};

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string human(const Json& facts) {
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    out += fmt::format("{:<15} {}\n", name, printable(value));
  };
  line("shortest text", facts["min_length"].dump() + " bytes");
  line("longest text", facts["max_length"].is_null() ? "unbounded" : facts["max_length"].dump() + " bytes");
  line("begins with", facts["forced_prefix"] == "" ? "nothing fixed" : dump(facts["forced_prefix"]));
  line("not enforced", facts["ignored"].empty() ? "nothing" : "");
  for (const Json& pointer : facts["ignored"]) out += "  " + printable(pointer.get<std::string>()) + "\n";
  if (!facts["shortest"].is_null()) line("the shortest", facts["shortest"].get<std::string>());
  out += "samples\n";
  for (const Json& sample : facts["samples"]) out += "  " + printable(sample.get<std::string>()) + "\n";
  line("states met", fmt::format("{} ({} bytes)", facts["states"].dump(), facts["memory_bytes"].dump()));
  return out;
}

}  // namespace

int constrain_explain(const ConstrainExplainCommand& command) {
  ConstrainRecord record;
  const base::Status read = each_record(command.options, false, [&](ConstrainRecord given) {
    record = std::move(given);
    return false;
  });
  if (!read.ok()) {
    complain(read.error().message);
    return kConstrainUsage;
  }
  const ConstrainCompiled compiled = compile_record(record, command.options);
  Json facts{{"status", compiled.status}, {"pointer", compiled.pointer}, {"message", compiled.message}};
  facts["ignored"] = compiled.ignored;
  if (!compiled.ok()) {
    if (command.json) {
      (void)print_out(dump(facts) + "\n");
    } else {
      complain(fmt::format("{}{}{}: {}", compiled.status, compiled.pointer.empty() ? "" : " at ", compiled.pointer,
                           compiled.message));
    }
    return kConstrainRefused;
  }
  const auto longest = constraint::max_length(*compiled.constraint);
  Sampler sampler(compiled.constraint, command.seed);
  facts["min_length"] = constraint::min_length(*compiled.constraint);
  facts["max_length"] = longest ? Json(*longest) : Json();
  facts["forced_prefix"] = sampler.forced_prefix();
  const auto shortest = sampler.shortest();
  facts["shortest"] = shortest ? Json(*shortest) : Json();
  Json samples = Json::array();
  for (int i = 0; i < command.samples; ++i) {
    if (auto text = sampler.sample(command.max_bytes)) samples.push_back(std::move(*text));
  }
  facts["samples"] = std::move(samples);
  // As far as the samples went: states are made when they are met.
  facts["states"] = constraint::state_count(*compiled.constraint);
  facts["memory_bytes"] = constraint::memory_bytes(*compiled.constraint);
  return print_out(command.json ? dump(facts) + "\n" : human(facts));
}

}  // namespace sgl::tools
