// sgl constrain check: do the constraints accept what they should, and how fast?
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/common/exit_codes.h"
#include "tools/common/model_folder.h"
#include "tools/common/terminal.h"
#include "tools/sgl/constrain.h"
#include "tools/sgl/constrain_record.h"
#include "tools/sgl/constrain_stats.h"
#include "tools/sgl/constrain_walk.h"

namespace sgl::tools {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

namespace {

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}
Clock::time_point deadline_of(const ConstrainOptions& options, Clock::time_point begin) {
  return begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.timeout));
}
std::string shortened(std::string_view text, std::size_t most = 100) {
  std::string out = printable(text.substr(0, most));
  for (char& c : out) c = c == '\n' || c == '\t' ? ' ' : c;
  return text.size() > most ? out + " …" : out;
}

class Check {
 public:
  Check(const ConstrainCheckCommand& command, WalkContext context) : command_(command), context_(std::move(context)) {}

  int run() {
    if (command_.verify_masks > 0 && !prepare_sampler()) return kConstrainUsage;
    const base::Status read = each_record(command_.options, true, [&](ConstrainRecord record) {
      check(record);
      return write_error_ == kOk;
    });
    if (!read.ok()) {
      complain(read.error().message);
      return kConstrainUsage;
    }
    if (write_error_ != kOk) return write_error_;
    summarize();
    if (wrongly_accepted_ + wrongly_rejected_ + timeouts_ + failed_ + differing_ > 0) return kFailed;
    return refused_ > 0 ? kConstrainRefused : kOk;
  }

 private:
  // Counts all places first, so that the sample is spread over them. Standard input is read once, so it is not counted
  // but every place is taken until there are enough.
  bool prepare_sampler() {
    std::size_t places = 0;
    if (!command_.options.suite.empty()) {
      const base::Status read = each_record(command_.options, true, [&](const ConstrainRecord& record) {
        places += places_of(record);
        return true;
      });
      if (!read.ok()) return complain(read.error().message), false;
    } else {
      places = command_.verify_masks;
    }
    sampler_.emplace(command_.verify_masks, places, command_.seed);
    context_.sampler = &*sampler_;
    return true;
  }
  std::size_t places_of(const ConstrainRecord& record) const {
    std::size_t out = 0;
    for (const ConstrainInstance& i : record.instances) out += walk_tokens(*context_.tokenizer, i.text).size() + 1;
    return out;
  }

  void check(const ConstrainRecord& record) {
    auto deadline = deadline_of(command_.options, Clock::now());
    ++schemas_;
    const ConstrainCompiled compiled = compile_record(record, command_.options);
    compile_us_.add(compiled.us);
    ++statuses_[compiled.status];
    if (command_.json) emit(compile_event(record, compiled));
    if (!compiled.ok()) {
      compiled.status == "timeout" ? ++timeouts_ : ++refused_;
      if (sampler_ && !command_.options.suite.empty()) sampler_->skip(places_of(record));
      if (!command_.json) {
        say(fmt::format("{}: {}{}{}: {}\n", record.id, compiled.status, compiled.pointer.empty() ? "" : " at ",
                        compiled.pointer, printable(compiled.message)));
      }
      return;
    }
    if (!command_.json && !compiled.ignored.empty()) {
      say(fmt::format("{}: not enforced: {}\n", record.id,
                      printable(fmt::format("{}", fmt::join(compiled.ignored, ", ")))));
    }
    bool as_labelled = true;
    for (std::size_t i = 0; i < record.instances.size(); ++i) {
      as_labelled &= walk(record, i, compiled, deadline);
      if (write_error_ != kOk) return;
    }
    passed_ += as_labelled ? 1 : 0;
  }

  // Whether the instance came out as labelled. The deadline moves on by the time for comparing with brute force.
  bool walk(const ConstrainRecord& record, std::size_t index, const ConstrainCompiled& compiled,
            Clock::time_point& deadline) {
    const ConstrainInstance& instance = record.instances[index];
    std::shared_ptr<const constraint::Constraint> constraint = compiled.constraint;
    // Several texts for one specification share what is known of it, unless they are to be measured cold.
    if (command_.cold && command_.options.suite.empty() && index > 0) {
      constraint = compile_record(record, command_.options).constraint;
      if (constraint == nullptr) return false;
    }
    if (command_.options.suite.empty()) deadline = deadline_of(command_.options, Clock::now());
    const WalkResult result = walk_text(context_, constraint, instance.text, deadline);
    deadline += result.comparing;
    mask_us_.add(result.mask_us);
    ++instances_;
    verified_ += result.verified;
    differing_ += result.differing;
    if (command_.json) emit(instance_event(record, index, result));
    if (result.differing > 0) complain(fmt::format("{}, text {}: {}", record.id, index, result.difference));
    if (result.timed_out) {
      ++timeouts_;
      if (!command_.json) say(fmt::format("{}, text {}: timed out\n", record.id, index));
      return false;
    }
    if (!result.error.empty()) {
      ++failed_;
      if (!command_.json) say(fmt::format("{}, text {}: {}\n", record.id, index, result.error));
      return false;
    }
    const bool wrong = instance.valid && *instance.valid != result.accepted;
    if (wrong) ++(result.accepted ? wrongly_accepted_ : wrongly_rejected_);
    if (!command_.json && (wrong || (!instance.valid && command_.options.suite.empty()))) {
      say(describe(record, index, result, wrong));
    }
    return !wrong;
  }

  std::string describe(const ConstrainRecord& record, std::size_t index, const WalkResult& result, bool wrong) const {
    const std::string& text = record.instances[index].text;
    std::string out = fmt::format("{}, text {}: {}{}: {}\n", record.id, index, wrong ? "wrongly " : "",
                                  result.accepted ? "accepted" : "rejected", shortened(text));
    if (!result.reject) return out;
    const WalkReject& reject = *result.reject;
    const std::size_t at = std::min(reject.byte, text.size());
    out += fmt::format("    at byte {}{}: after {}, not {}; expected {}\n", reject.byte,
                       reject.path.empty() ? "" : " (" + printable(reject.path) + ")",
                       shortened(std::string_view(text).substr(at < 30 ? 0 : at - 30, std::min<std::size_t>(at, 30))),
                       at == text.size() ? "the end" : shortened(std::string_view(text).substr(at), 20),
                       printable(expected_list(reject)));
    return out;
  }
  static std::string expected_list(const WalkReject& reject) {
    std::vector<std::string> names;
    for (const std::string& token : reject.expected) names.push_back(token.empty() ? "the end" : dump(token));
    return names.empty() ? "nothing" : fmt::format("{}", fmt::join(names, " "));
  }

  static Json compile_event(const ConstrainRecord& record, const ConstrainCompiled& compiled) {
    return {
        {"event", "compile"},          {"id", record.id},
        {"status", compiled.status},   {"pointer", compiled.pointer},
        {"message", compiled.message}, {"compile_us", rounded_us(compiled.us)},
        {"ignored", compiled.ignored}, {"bytes", compiled.ok() ? constraint::memory_bytes(*compiled.constraint) : 0}};
  }
  static Json instance_event(const ConstrainRecord& record, std::size_t index, const WalkResult& result) {
    const std::optional<bool>& valid = record.instances[index].valid;
    Json out{{"event", "instance"},
             {"id", record.id},
             {"index", index},
             {"valid", valid ? Json(*valid) : Json()},
             {"accepted", result.accepted},
             {"tokens", result.tokens}};
    Json times = Json::array();
    for (double us : result.mask_us) times.push_back(rounded_us(us));
    out["mask_us"] = std::move(times);
    out["hits"] = result.hits;
    out["forced"] = result.forced;
    if (result.timed_out) out["timeout"] = true;
    if (!result.error.empty()) out["error"] = result.error;
    if (result.verified > 0) out["verified"] = result.verified, out["differing"] = result.differing;
    if (result.reject) {
      out["reject"] = {{"token", result.reject->token},
                       {"byte", result.reject->byte},
                       {"path", result.reject->path},
                       {"expected", result.reject->expected}};
    }
    return out;
  }

  void summarize() {
    Json masks = mask_summary(mask_us_), compiles = compile_summary(compile_us_);
    if (command_.json) {
      Json out{{"event", "summary"},
               {"schemas", schemas_},
               {"passed", passed_},
               {"refused", refused_},
               {"wrongly_accepted", wrongly_accepted_},
               {"wrongly_rejected", wrongly_rejected_},
               {"timeouts", timeouts_},
               {"mask_us", masks},
               {"compile_us", compiles},
               {"instances", instances_},
               {"masks", mask_us_.count()},
               {"failed", failed_},
               {"statuses", statuses_}};
      if (sampler_) out["verified"] = verified_, out["differing"] = differing_;
      emit(out);
      return;
    }
    std::string refusals;
    for (const auto& [status, count] : statuses_) {
      if (status != "ok") refusals += fmt::format("{}{} {}", refusals.empty() ? " (" : ", ", count, status);
    }
    std::string out = fmt::format("{} of {} passed, {} refused{}; {} texts: {} wrongly accepted, {} wrongly rejected",
                                  passed_, schemas_, refused_, refusals.empty() ? "" : refusals + ")", instances_,
                                  wrongly_accepted_, wrongly_rejected_);
    if (timeouts_ > 0) out += fmt::format(", {} timed out", timeouts_);
    if (failed_ > 0) out += fmt::format(", {} over a limit", failed_);
    out += fmt::format(
        "\nmask    mean {} µs, p50 {}, p90 {}, p99 {}, max {} ({} masks)\ncompile p50 {} µs, p99 {}, max {}\n",
        dump(masks["mean"]), dump(masks["p50"]), dump(masks["p90"]), dump(masks["p99"]), dump(masks["max"]),
        mask_us_.count(), dump(compiles["p50"]), dump(compiles["p99"]), dump(compiles["max"]));
    if (sampler_) out += fmt::format("{} masks compared with brute force, {} differ\n", verified_, differing_);
    say(out);
  }

  void emit(const Json& event) { say(dump(event) + "\n"); }
  void say(const std::string& text) {
    if (write_error_ == kOk) write_error_ = print_out(text);
  }

  const ConstrainCheckCommand& command_;
  WalkContext context_;
  std::optional<MaskSampler> sampler_;
  std::size_t schemas_ = 0, passed_ = 0, refused_ = 0, timeouts_ = 0, failed_ = 0, instances_ = 0;
  std::size_t wrongly_accepted_ = 0, wrongly_rejected_ = 0, verified_ = 0, differing_ = 0;
  std::map<std::string, std::size_t> statuses_;
  Times mask_us_, compile_us_;
  int write_error_ = kOk;
};

}  // namespace

base::Expected<WalkContext> constrain_context(const std::string& folder_option) {
  SGL_TRY(const ModelFolder folder, model_folder(folder_option, ModelNeed::kTokenizer));
  announce(folder);
  WalkContext out;
  SGL_TRY(out.tokenizer, tokenizer::Tokenizer::load(folder.path));
  out.vocabulary = constraint::Vocabulary::build(out.tokenizer);
  return out;
}

int constrain_check(const ConstrainCheckCommand& command) {
  auto context = constrain_context(command.tokenizer);
  if (!context.ok()) {
    complain(context.error().message);
    return kConstrainUsage;
  }
  return Check(command, std::move(context).value()).run();
}

}  // namespace sgl::tools
