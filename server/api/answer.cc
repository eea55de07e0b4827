#include "server/api/answer.h"

#include <fmt/format.h>

#include <algorithm>

#include "server/auth/crypto.h"

namespace sgl::server {
namespace {

struct CallHead {
  std::string name;
  std::size_t arguments = 0;  // where their JSON text begins; it ends before the last byte of the call
};

// A call is {"name":"…","arguments":…} in just this spelling: its schema is compiled compact and in this order, and the
// names of functions need no escapes. nullopt: the text does not go that far yet.
std::optional<CallHead> read_head(std::string_view call) {
  constexpr std::string_view kBefore = R"({"name":")", kBetween = R"(","arguments":)";
  const std::size_t end = call.find('"', kBefore.size());
  if (end == std::string_view::npos || call.size() <= end + kBetween.size()) return std::nullopt;
  return CallHead{std::string(call.substr(kBefore.size(), end - kBefore.size())), end + kBetween.size()};
}

std::string new_call_id() {
  return "call_" + base64url(random_bytes(12));
}

}  // namespace

ChatAnswer::ChatAnswer(Service& service, const Chat& chat, Sampling sampling, std::vector<engine::TokenId> prompt,
                       const Principal& who)
    : service_(service), chat_(chat), sampling_(std::move(sampling)), who_(who), left_(sampling_.params.max_tokens) {
  sequence_.append(prompt);
  if (chat_.choice == ToolChoice::kRequired || chat_.choice == ToolChoice::kNamed) {
    append(kToolCallBegin);
    in_call_ = true;
  }
}

void ChatAnswer::append(std::string_view text) {
  sequence_.append(service_.engine->tokenizer().encode(text, {.parse_added_tokens = true, .continuation = true}));
}

base::Expected<std::optional<engine::GenerateRequest>> ChatAnswer::next() {
  if (!finish_reason_.empty()) return std::optional<engine::GenerateRequest>();
  engine::GenerateRequest request;
  request.sequence = sequence_;
  request.sampling = sampling_.params;
  request.sampling.seed = seed_of(sampling_.params.seed, static_cast<std::size_t>(steps_) * 1000);
  request.sampling.max_tokens = static_cast<int>(left_);
  service_.attribute(request, who_);
  ++steps_;
  if (in_call_) {
    SGL_TRY(request.constraint, service_.constraints.json_schema(who_.tenant, tool_call_schema(chat_)));
    request.sampling.stop.clear();
    request.sampling.stop_tokens.clear();
    request.sampling.min_tokens = 0;
  } else {
    request.constraint = sampling_.constraint;
    // A fixed answer format leaves no room for calls.
    if (chat_.choice == ToolChoice::kAuto && !request.constraint) request.sampling.stop.emplace_back(kToolCallBegin);
  }
  return std::optional<engine::GenerateRequest>(std::move(request));
}

void ChatAnswer::count(const engine::Finished& finished) {
  // The prompt of a later step is the answer so far: it is counted once, as the first step's.
  if (steps_ == 1) {
    usage_.prompt_tokens = finished.usage.prompt_tokens;
    usage_.cached_tokens = finished.usage.cached_tokens;
    usage_.prefill_tokens = finished.usage.prefill_tokens;
  }
  usage_.generated_tokens += finished.usage.generated_tokens;
}

void ChatAnswer::take(const engine::Finished& finished) {
  count(finished);
  left_ -= finished.usage.generated_tokens;
  sequence_.append(finished.tokens);
  tokens_.insert(tokens_.end(), finished.tokens.begin(), finished.tokens.end());
  logprobs_.insert(logprobs_.end(), finished.logprobs.begin(), finished.logprobs.end());
  tops_.insert(tops_.end(), finished.top_logprobs.begin(), finished.top_logprobs.end());
  if (in_call_) return end_call(finished);
  text_ += finished.text;
  if (finished.reason == engine::FinishReason::kLength) {
    finish_reason_ = "length";
  } else if (finished.stop_text == kToolCallBegin && chat_.choice == ToolChoice::kAuto) {
    append(kToolCallBegin);
    in_call_ = true;
    if (left_ <= 0) finish_reason_ = "length";
  } else {
    finish_reason_ = calls_.empty() ? "stop" : "tool_calls";
  }
}

std::optional<ToolCallDelta> ChatAnswer::hear(std::string_view text) {
  call_text_ += text;
  ToolCallDelta out;
  out.index = calls_.size();
  if (call_id_.empty()) {
    const auto head = read_head(call_text_);
    if (!head) return std::nullopt;
    call_id_ = new_call_id();
    told_ = head->arguments;
    out.id = call_id_;
    out.name = head->name;
  }
  // A bracket at the end may be the one that closes the call.
  const std::size_t end = call_text_.size() - (call_text_.back() == '}' ? 1 : 0);
  if (end > told_) {
    out.arguments = call_text_.substr(told_, end - told_);
    told_ = end;
  }
  return out.name.empty() && out.arguments.empty() ? std::nullopt : std::optional(std::move(out));
}

void ChatAnswer::end_call(const engine::Finished& finished) {
  in_call_ = false;
  const auto head = read_head(finished.text);
  if (head && Json::accept(finished.text)) {
    calls_.push_back({call_id_.empty() ? new_call_id() : call_id_, head->name,
                      finished.text.substr(head->arguments, finished.text.size() - head->arguments - 1)});
  }
  call_id_.clear();
  call_text_.clear();
  append(kToolCallEnd);
  const bool more =
      chat_.choice == ToolChoice::kAuto && chat_.parallel_calls && calls_.size() < kMaxToolCalls && left_ > 0;
  if (!more) finish_reason_ = "tool_calls";
}

}  // namespace sgl::server
