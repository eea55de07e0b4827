// Any text as a chat template, rendered over a short conversation. Spans of message contents lie in the text, ascending
// and disjoint.
#include <vector>

#include "runtime/base/check.h"
#include "runtime/tokenizer/chat_template.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sgl;
  const auto chat = tokenizer::ChatTemplate::parse(fuzz::as_text(data, size));
  if (!chat.ok()) return 0;
  const std::vector<tokenizer::ChatMessage> messages = {
      {"system", "Be kind."}, {"user", "Hi <|end|> {{ x }}"}, {"assistant", " Hello\n"}, {"user", "Wörld?"}};
  tokenizer::ChatRenderOptions options;
  options.add_generation_prompt = true;
  options.bos_token = "<s>";
  options.eos_token = "</s>";
  const auto rendered = chat->render_marked(messages, options);
  if (!rendered.ok()) return 0;
  std::size_t end = 0;
  for (const tokenizer::ByteSpan& span : rendered->content_spans) {
    SGL_ASSERT(span.begin >= end && span.begin <= span.end && span.end <= rendered->text.size());
    end = span.end;
  }
  return 0;
}
