// Chat templates: the Jinja subset that the `chat_template` fields of real tokenizer_config.json files use.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/expected.h"

namespace sgl::tokenizer {

struct ChatMessage {
  std::string role;     // "system", "user", "assistant", "tool"
  std::string content;  // plain text
};

struct ChatRenderOptions {
  bool add_generation_prompt = false;
  std::string bos_token;
  std::string eos_token;
  // Further variables of the template (tools, enable_thinking, …), an object.
  nlohmann::ordered_json variables = nlohmann::ordered_json::object();
};

// Immutable after parsing; thread-safe.
class ChatTemplate {
 public:
  // Errors: `invalid`, naming the line and the construct that is not supported.
  static base::Expected<ChatTemplate> parse(std::string_view jinja);
  // Rendered text; its spellings of special tokens are meant as such, except inside message contents (see spans).
  // Errors: raise_exception() of the template, a type error, more than a million loop steps or 64 MB of output.
  base::Expected<std::string> render(const std::vector<ChatMessage>& messages, const ChatRenderOptions& options) const;
  // As `render`, over arbitrary message objects (tool calls, content parts).
  base::Expected<std::string> render_json(const nlohmann::ordered_json& messages,
                                          const ChatRenderOptions& options) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace sgl::tokenizer
