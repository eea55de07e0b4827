// Conversations of the OpenAI API as the model sees them: messages through the chat template, tools described to the
// model, tool calls read back under constraint.
//
// A tool call is written "<tool_call>{"name": …, "arguments": {…}}</tool_call>", as Hermes, Qwen and the bundled model
// have it. Templates that know a `tools` variable describe the tools themselves; for others they are listed in the
// system message.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/api/fields.h"
#include "server/api/service.h"

namespace sgl::server {

struct Tool {
  std::string name, description;
  Json parameters;     // JSON Schema of the arguments
  std::string schema;  // the same as text, its numbers exact; says that they are an object
};

enum class ToolChoice { kNone, kAuto, kRequired, kNamed };

struct Chat {
  Json messages = Json::array();  // as the template gets them: "role", "content", …
  std::vector<Tool> tools;
  ToolChoice choice = ToolChoice::kNone;
  std::string named;  // kNamed
  bool parallel_calls = true;
  Json template_variables = Json::object();
};

constexpr std::string_view kToolCallBegin = "<tool_call>";
constexpr std::string_view kToolCallEnd = "</tool_call>";
constexpr std::size_t kMaxToolCalls = 16;  // of one answer

// Reads `messages`, `tools`, `tool_choice`. Errors go to `fields`.
Chat read_chat(Fields& fields);
// Tokens up to where the assistant's answer begins.
base::Expected<std::vector<engine::TokenId>> chat_tokens(Service& service, const Chat& chat);
// JSON Schema of the text between the marks.
std::string tool_call_schema(const Chat& chat);

}  // namespace sgl::server
