// Strings of the template language that remember which of their bytes are data (came from the caller), so that the
// rendered text can say where control tokens must not be recognised. Operations that cannot follow the bytes exactly
// mark their whole result as data when any of their input is. Private to runtime/tokenizer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/expected.h"
#include "runtime/tokenizer/jinja/heap.h"
#include "runtime/tokenizer/tokenizer.h"

namespace sgl::tokenizer::jinja {

struct Text {
  std::string bytes;
  std::vector<ByteSpan> data;  // ascending, disjoint, never empty

  Text() = default;
  Text(std::string b) : bytes(std::move(b)) {}  // NOLINT: implicit by design, text of the template itself
  static Text of_data(std::string b);

  void append(const Text& other);
  // Errors: longer than kMaxTextBytes; then nothing was appended.
  base::Status append_within(const Text& other);
  std::size_t footprint() const { return bytes.size() + data.size() * sizeof(ByteSpan); }
  Text slice(std::size_t begin, std::size_t end) const;  // bytes
  // `changed` has this text's content in another form: data as a whole when anything here is.
  Text derived(std::string changed) const;
};

// Python's str methods. Whitespace is Unicode's; `chars` (a set of characters) replaces it where not empty.
Text strip(const Text& text, std::string_view chars, bool left, bool right);
// limit < 0: none. Errors: more than kMaxListItems parts.
base::Expected<std::vector<Text>> split(const Text& text, std::string_view separator, std::int64_t limit);
base::Expected<std::vector<Text>> split_whitespace(const Text& text);
// Errors: longer than kMaxTextBytes.
base::Expected<Text> replace(const Text& text, const Text& from, const Text& to, std::int64_t limit);
Text upper(const Text& text);
Text lower(const Text& text);
Text capitalize(const Text& text);
Text title(const Text& text);

// Byte offset of every code point, and the size at the end.
std::vector<std::size_t> code_point_offsets(std::string_view text);

}  // namespace sgl::tokenizer::jinja
