#include "runtime/tokenizer/jinja/text.h"

#include <algorithm>

#include "runtime/base/unicode.h"
#include "runtime/base/utf8.h"

namespace sgl::tokenizer::jinja {

Text Text::of_data(std::string b) {
  Text out(std::move(b));
  if (!out.bytes.empty()) out.data.push_back({0, out.bytes.size()});
  return out;
}

void Text::append(const Text& other) {
  const std::size_t shift = bytes.size();
  bytes += other.bytes;
  for (const ByteSpan& span : other.data) {
    if (!data.empty() && data.back().end == span.begin + shift) {
      data.back().end = span.end + shift;
    } else {
      data.push_back({span.begin + shift, span.end + shift});
    }
  }
}

base::Status Text::append_within(const Text& other) {
  if (bytes.size() + other.bytes.size() > kMaxTextBytes) return base::over_limit("string of more than 16 MB");
  append(other);
  return {};
}

Text Text::slice(std::size_t begin, std::size_t end) const {
  Text out(bytes.substr(begin, end - begin));
  auto span = std::partition_point(data.begin(), data.end(), [&](const ByteSpan& s) { return s.end <= begin; });
  for (; span != data.end() && span->begin < end; ++span) {
    out.data.push_back({std::max(span->begin, begin) - begin, std::min(span->end, end) - begin});
  }
  return out;
}

Text Text::derived(std::string changed) const {
  if (changed.size() == bytes.size()) {
    Text out(std::move(changed));
    out.data = data;
    return out;
  }
  return data.empty() ? Text(std::move(changed)) : of_data(std::move(changed));
}

std::vector<std::size_t> code_point_offsets(std::string_view text) {
  (void)work_on_bytes(8 * text.size());
  std::vector<std::size_t> out;
  for (std::size_t at = 0; at < text.size(); at += base::decode_utf8(text, at).bytes) out.push_back(at);
  out.push_back(text.size());
  return out;
}

Text strip(const Text& text, std::string_view chars, bool left, bool right) {
  const std::vector<std::size_t> offsets = code_point_offsets(text.bytes);
  const std::string_view bytes = text.bytes;
  const auto drops = [&](std::size_t i) {
    const std::string_view character = bytes.substr(offsets[i], offsets[i + 1] - offsets[i]);
    if (!chars.empty()) return chars.find(character) != std::string_view::npos;
    return base::is_white_space(base::decode_utf8(bytes, offsets[i]).code);
  };
  std::size_t begin = 0, end = offsets.size() - 1;
  while (left && begin < end && drops(begin)) ++begin;
  while (right && end > begin && drops(end - 1)) --end;
  return text.slice(offsets[begin], offsets[end]);
}

namespace {

base::Error too_many_parts() {
  return base::over_limit("a string of more than a million parts");
}

}  // namespace

base::Expected<std::vector<Text>> split(const Text& text, std::string_view separator, std::int64_t limit) {
  std::vector<Text> out;
  std::size_t done = 0;
  for (std::size_t at = text.bytes.find(separator); at != std::string::npos && limit != 0;
       at = text.bytes.find(separator, done), --limit) {
    if (out.size() >= kMaxListItems) return too_many_parts();
    out.push_back(text.slice(done, at));
    done = at + separator.size();
    if (limit == 1) break;
  }
  out.push_back(text.slice(done, text.bytes.size()));
  return out;
}

base::Expected<std::vector<Text>> split_whitespace(const Text& text) {
  std::vector<Text> out;
  const std::vector<std::size_t> offsets = code_point_offsets(text.bytes);
  std::size_t begin = std::string::npos;
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    const bool end = i + 1 == offsets.size() || base::is_white_space(base::decode_utf8(text.bytes, offsets[i]).code);
    if (!end && begin == std::string::npos) begin = offsets[i];
    if (end && begin != std::string::npos) {
      if (out.size() >= kMaxListItems) return too_many_parts();
      out.push_back(text.slice(begin, offsets[i]));
      begin = std::string::npos;
    }
  }
  return out;
}

base::Expected<Text> replace(const Text& text, const Text& from, const Text& to, std::int64_t limit) {
  if (from.bytes.empty()) return text;
  Text out;
  std::size_t done = 0;
  for (std::size_t at = text.bytes.find(from.bytes); at != std::string::npos && limit != 0;
       at = text.bytes.find(from.bytes, done), --limit) {
    SGL_TRY_STATUS(out.append_within(text.slice(done, at)));
    SGL_TRY_STATUS(out.append_within(to));
    done = at + from.bytes.size();
  }
  SGL_TRY_STATUS(out.append_within(text.slice(done, text.bytes.size())));
  return out;
}

namespace {

enum class Case { kUpper, kLower, kCapitalize, kTitle };

Text with_case(const Text& text, Case how) {
  std::string out;
  bool inside_word = false;
  for (std::size_t at = 0; at < text.bytes.size();) {
    const base::DecodedChar c = base::decode_utf8(text.bytes, at);
    const bool up =
        how == Case::kUpper || (how == Case::kCapitalize && at == 0) || (how == Case::kTitle && !inside_word);
    if (c.code == 0xDF && up) {
      out += how == Case::kUpper ? "SS" : "Ss";  // the one common character whose upper case is longer
    } else {
      base::append_utf8(out, up ? base::simple_upper(c.code) : base::simple_lower(c.code));
    }
    inside_word = base::is_alphabetic(c.code);
    at += c.bytes;
  }
  return text.derived(std::move(out));
}

}  // namespace

Text upper(const Text& text) {
  return with_case(text, Case::kUpper);
}
Text lower(const Text& text) {
  return with_case(text, Case::kLower);
}
Text capitalize(const Text& text) {
  return with_case(text, Case::kCapitalize);
}
Text title(const Text& text) {
  return with_case(text, Case::kTitle);
}

}  // namespace sgl::tokenizer::jinja
