// One choice of a chat completion as it is made: free text, a constrained answer, or tool calls, which may alternate.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/api/chat.h"
#include "server/api/generations.h"
#include "server/api/sampling.h"

namespace sgl::server {

struct ToolCall {
  std::string id, name, arguments;  // arguments: JSON text
};

// What has become known of the call that is being decoded: id and name once, then its arguments bit by bit.
struct ToolCallDelta {
  std::size_t index = 0;  // of the call
  std::string id, name;   // with the first delta of a call
  std::string arguments;  // the next piece of the JSON text
};

// A step of an answer: what is to be generated next. Free text stops before a tool call's mark; a call is decoded under
// its schema; after it the answer may go on.
class ChatAnswer {
 public:
  ChatAnswer(Service& service, const Chat& chat, Sampling sampling, std::vector<engine::TokenId> prompt,
             const Principal& who);

  // The request of the next step; nullopt: the answer is complete. Errors: the tools' schemas cannot be used.
  base::Expected<std::optional<engine::GenerateRequest>> next();
  // The step's result.
  void take(const engine::Finished& finished);
  // Of a step that failed: only what it used.
  void count(const engine::Finished& finished);
  // For streams: what new text of the step means for the call that it is part of; nullopt: nothing can be told yet.
  std::optional<ToolCallDelta> hear(std::string_view text);
  // What is being generated is text for the client, not the inside of a tool call.
  bool in_text() const { return !in_call_; }

  const std::string& text() const { return text_; }
  const std::vector<ToolCall>& calls() const { return calls_; }
  // "stop", "length", "tool_calls"; "" while it goes on.
  const std::string& finish_reason() const { return finish_reason_; }
  const std::vector<engine::TokenId>& tokens() const { return tokens_; }
  const std::vector<float>& logprobs() const { return logprobs_; }
  const engine::TopLogprobs& top_logprobs() const { return tops_; }
  const engine::Usage& usage() const { return usage_; }

 private:
  void append(std::string_view text);
  void end_call(const engine::Finished& finished);

  Service& service_;
  const Chat& chat_;
  Sampling sampling_;
  engine::Sequence sequence_;
  const Principal& who_;
  bool in_call_ = false;
  std::string call_text_, call_id_;  // of the call in work: what was heard; "" before it was told
  std::size_t told_ = 0;             // bytes of call_text_
  int steps_ = 0;
  std::int64_t left_;  // tokens
  std::string text_, finish_reason_;
  std::vector<ToolCall> calls_;
  std::vector<engine::TokenId> tokens_;
  std::vector<float> logprobs_;
  engine::TopLogprobs tops_;
  engine::Usage usage_;
};

}  // namespace sgl::server
