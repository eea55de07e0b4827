// Chat templates: the Jinja subset that the `chat_template` fields of real tokenizer_config.json files use, with
// trim_blocks and lstrip_blocks on, as transformers renders them. Statements: if, for, set, macro, break, continue,
// generation; expressions without chained comparisons and unpacking; what is not supported is an error that names it.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/expected.h"
#include "runtime/tokenizer/tokenizer.h"

namespace sgl::tokenizer {

struct ChatMessage {
  std::string role;     // "system", "user", "assistant", "tool"
  std::string content;  // plain text
};

struct ChatRenderOptions {
  bool add_generation_prompt = false;
  std::string bos_token = {};
  std::string eos_token = {};
  // Further variables of the template (tools, enable_thinking, …), an object.
  nlohmann::ordered_json variables = nlohmann::ordered_json::object();
};

// A rendered conversation. `content_spans` are the bytes that came from the messages or the variables, ascending and
// disjoint: spellings of control tokens there are text. Spans survive concatenation, slicing, stripping, splitting,
// joining, replacing and changes of case; other operations (tojson, repr) mark their whole result when any of their
// input is marked, so spans may be too wide, never too narrow.
struct Rendered {
  std::string text;
  std::vector<ByteSpan> content_spans;
};

// For models without a chat template: readable to base models, one line a message.
constexpr std::string_view kPlainTemplate =
    "{{ bos_token }}{% for m in messages %}{{ m.role | capitalize }}: {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant: {% endif %}";

// Immutable after parsing; thread-safe.
class ChatTemplate {
 public:
  // Errors: `invalid`, naming the line and the construct that is not supported.
  static base::Expected<ChatTemplate> parse(std::string_view jinja);
  // Rendered text; its spellings of special tokens are meant as such, except inside message contents (see spans).
  // Errors: raise_exception() of the template, a type error, a limit: a million loop steps, 16 MB of output or of one
  // string, 256 MB of values at once, lists of a million items.
  base::Expected<std::string> render(const std::vector<ChatMessage>& messages, const ChatRenderOptions& options) const;
  // As `render`, over arbitrary message objects (tool calls, content parts).
  base::Expected<std::string> render_json(const nlohmann::ordered_json& messages,
                                          const ChatRenderOptions& options) const;
  // As the two above, with the spans.
  base::Expected<Rendered> render_marked(const std::vector<ChatMessage>& messages,
                                         const ChatRenderOptions& options) const;
  base::Expected<Rendered> render_marked_json(const nlohmann::ordered_json& messages,
                                              const ChatRenderOptions& options) const;

 private:
  struct Impl;
  explicit ChatTemplate(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

// Tokens of a rendered conversation: added tokens are recognised except where they touch a content span. Nothing is put
// before or after; templates write the beginning-of-text token themselves.
std::vector<TokenId> encode_rendered(const Tokenizer& tokenizer, const Rendered& rendered);

}  // namespace sgl::tokenizer
