// Any text as tokenizer.json and, after a line of three dashes, tokenizer_config.json. An accepted tokenizer encodes
// and decodes without faults, and its ids are in its vocabulary.
#include <vector>

#include "runtime/base/check.h"
#include "runtime/tokenizer/tokenizer.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sgl;
  const auto [file, config] = fuzz::split(fuzz::as_text(data, size), "\n---\n");
  const auto tokenizer = tokenizer::Tokenizer::from_json(file, config.empty() ? "{}" : config);
  if (!tokenizer.ok()) return 0;
  for (const bool special : {false, true}) {
    const tokenizer::EncodeOptions options = {.parse_added_tokens = special, .add_special = special};
    const auto ids = (*tokenizer)->encode("Hello, wörld \xF0\x9F\x99\x82\n  12345 <|end|>\xFF", options);
    for (const tokenizer::TokenId id : ids) {
      SGL_ASSERT(id >= 0 && static_cast<std::size_t>(id) < (*tokenizer)->vocab_size());
    }
    (void)(*tokenizer)->decode(ids, special);
    tokenizer::StreamDecoder stream(*tokenizer, true);
    for (const tokenizer::TokenId id : ids) (void)stream.push(id);
    (void)stream.finish();
  }
  return 0;
}
