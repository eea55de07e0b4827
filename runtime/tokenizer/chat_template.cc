#include "runtime/tokenizer/chat_template.h"

#include "runtime/base/utf8.h"
#include "runtime/tokenizer/jinja/ast.h"
#include "runtime/tokenizer/jinja/interpreter.h"

namespace sgl::tokenizer {

using base::Expected;

namespace {
constexpr std::size_t kMaxTemplateBytes = 1 << 20;  // the longest published template has 20 KB
}  // namespace

struct ChatTemplate::Impl {
  jinja::Body body;
};

ChatTemplate::ChatTemplate(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

Expected<ChatTemplate> ChatTemplate::parse(std::string_view source) {
  if (source.size() > kMaxTemplateBytes) return base::over_limit("chat template: longer than a megabyte");
  if (!base::is_valid_utf8(source)) return base::invalid("chat template: not valid UTF-8");
  SGL_TRY(jinja::Body body, jinja::parse_template(source));
  auto impl = std::make_shared<Impl>();
  impl->body = std::move(body);
  return ChatTemplate(std::move(impl));
}

Expected<Rendered> ChatTemplate::render_marked_json(const nlohmann::ordered_json& messages,
                                                    const ChatRenderOptions& options) const {
  jinja::Heap heap;
  const jinja::HeapScope scope(heap);
  std::vector<std::pair<std::string, jinja::Value>> globals;
  SGL_TRY(jinja::Value list, jinja::from_json(messages, true));
  globals.emplace_back("messages", std::move(list));
  globals.emplace_back("add_generation_prompt", jinja::Value(options.add_generation_prompt));
  globals.emplace_back("bos_token", jinja::Value::text(jinja::Text(options.bos_token)));
  globals.emplace_back("eos_token", jinja::Value::text(jinja::Text(options.eos_token)));
  if (!options.variables.is_object()) return base::invalid("chat template: variables must be an object");
  for (const auto& [name, value] : options.variables.items()) {
    SGL_TRY(jinja::Value variable, jinja::from_json(value, true));
    globals.emplace_back(name, std::move(variable));
  }
  jinja::Interpreter interpreter(std::move(globals));
  SGL_TRY(jinja::Text text, interpreter.render(impl_->body));
  return Rendered{std::move(text.bytes), std::move(text.data)};
}

Expected<Rendered> ChatTemplate::render_marked(const std::vector<ChatMessage>& messages,
                                               const ChatRenderOptions& options) const {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const ChatMessage& message : messages) {
    nlohmann::ordered_json item = nlohmann::ordered_json::object();
    item["role"] = message.role;
    item["content"] = message.content;
    list.push_back(std::move(item));
  }
  return render_marked_json(list, options);
}

Expected<std::string> ChatTemplate::render(const std::vector<ChatMessage>& messages,
                                           const ChatRenderOptions& options) const {
  SGL_TRY(Rendered rendered, render_marked(messages, options));
  return std::move(rendered.text);
}

Expected<std::string> ChatTemplate::render_json(const nlohmann::ordered_json& messages,
                                                const ChatRenderOptions& options) const {
  SGL_TRY(Rendered rendered, render_marked_json(messages, options));
  return std::move(rendered.text);
}

std::vector<TokenId> encode_rendered(const Tokenizer& tokenizer, const Rendered& rendered) {
  return tokenizer.encode(rendered.text, {.parse_added_tokens = true}, rendered.content_spans);
}

}  // namespace sgl::tokenizer
