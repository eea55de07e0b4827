#include "runtime/tokenizer/decoder.h"

#include "runtime/base/utf8.h"
#include "runtime/tokenizer/bpe.h"

namespace sgl::tokenizer {

using base::Expected;
using base::Status;

namespace {
constexpr int kMaxDepth = 16;  // Sequences within Sequences
}  // namespace

Expected<Decoder> Decoder::from_json(const Json* json) {
  Decoder out;
  if (json != nullptr) SGL_TRY_STATUS(out.add(Fields{*json, "decoder"}, 0));
  return out;
}

Status Decoder::add(const Fields& fields, int depth) {
  if (depth > kMaxDepth) return base::invalid(fmt::format("{}: nested too deeply", fields.path));
  SGL_TRY(const std::string type, fields.text("type"));
  if (type == "Sequence") {
    SGL_TRY(const Json* children, fields.array("decoders"));
    for (std::size_t i = 0; i < children->size(); ++i) {
      const Fields child{(*children)[i], fmt::format("{}[{}]", fields.name("decoders"), i)};
      SGL_TRY_STATUS(add(child, depth + 1));
    }
    return {};
  }
  if (type == "Fuse") return fused_ = true, Status();
  if (type == "Strip") return add_strip(fields);
  if (fused_) return base::invalid(fmt::format("{}: decoder '{}' after Fuse is not supported", fields.path, type));
  Step step;
  if (type == "ByteLevel") {
    step.kind = Kind::kByteLevel;
  } else if (type == "ByteFallback") {
    step.kind = Kind::kByteFallback;
  } else if (type == "Replace") {
    step.kind = Kind::kReplace;
    SGL_TRY(step.pattern, TextPattern::from_json(fields, "pattern"));
    SGL_TRY(step.text, fields.text("content"));
  } else if (type == "Metaspace") {
    step.kind = Kind::kReplace;
    SGL_TRY(std::string sign, fields.text_or("replacement", "\u2581"));
    if (sign.empty()) return fields.wrong("replacement", "a character");
    SGL_TRY(const bool old_prefix, fields.flag_or("add_prefix_space", true));
    SGL_TRY(const std::string scheme, fields.text_or("prepend_scheme", old_prefix ? "always" : "never"));
    step.pattern = TextPattern::literal(std::move(sign));
    step.text = " ";
    if (scheme != "never") leading_ = ' ';
  } else {
    return base::invalid(fmt::format("{}: decoder type '{}' is not supported", fields.path, type));
  }
  steps_.push_back(std::move(step));
  return {};
}

Status Decoder::add_strip(const Fields& fields) {
  Step step;
  step.kind = Kind::kStrip;
  SGL_TRY(step.text, fields.text("content"));
  SGL_TRY(step.start, fields.count("start", 1000));
  SGL_TRY(step.stop, fields.count("stop", 1000));
  if (step.text.size() != 1) return fields.wrong("content", "one ASCII character");
  if (!fused_) {
    steps_.push_back(std::move(step));
    return {};
  }
  if (step.stop != 0)
    return base::invalid(fmt::format("{}: stripping the end of a text is not supported", fields.name("stop")));
  if (step.start > 1) return base::invalid(fmt::format("{}: more than 1 is not supported", fields.name("start")));
  if (step.start == 1) leading_ = step.text[0];
  return {};
}

std::string Decoder::bytes(std::string_view spelling) const {
  std::string out(spelling);
  for (const Step& step : steps_) {
    switch (step.kind) {
      case Kind::kByteLevel:
        if (std::optional<std::string> decoded = byte_level_bytes(out)) out = *std::move(decoded);
        break;
      case Kind::kReplace:
        out = step.pattern->replace_all(out, step.text);
        break;
      case Kind::kByteFallback:
        if (const int byte = fallback_byte(out); byte >= 0) return std::string(1, static_cast<char>(byte));
        break;
      case Kind::kStrip:
        for (std::int64_t i = 0; i < step.start && out.starts_with(step.text); ++i) out.erase(0, 1);
        for (std::int64_t i = 0; i < step.stop && out.ends_with(step.text); ++i) out.pop_back();
        break;
    }
  }
  return out;
}

std::string replace_invalid_utf8(std::string_view bytes) {
  if (base::is_valid_utf8(bytes)) return std::string(bytes);
  std::string out;
  for (std::size_t at = 0; at < bytes.size();) {
    const base::DecodedChar c = base::decode_utf8(bytes, at);
    if (c.valid) {
      out.append(bytes.substr(at, c.bytes));
      at += c.bytes;
      continue;
    }
    // The longest beginning of a sequence counts as one (Unicode 15, section 3.9): what could still have been
    // completed.
    std::size_t size = 1;
    for (std::size_t n = 2; n <= 3 && at + n <= bytes.size(); ++n) {
      if (base::complete_utf8_prefix(bytes.substr(at, n)) == 0) size = n;
    }
    base::append_utf8(out, base::kReplacement);
    at += size;
  }
  return out;
}

}  // namespace sgl::tokenizer
