#include "runtime/tokenizer/normalizer.h"

#include "runtime/base/unicode.h"
#include "runtime/base/utf8.h"

namespace sgl::tokenizer {

using base::Expected;
using base::Status;

namespace {

constexpr int kMaxDepth = 16;  // Sequences within Sequences

std::string strip(std::string text, bool left, bool right) {
  std::size_t begin = 0, end = text.size();
  while (left && begin < end) {
    const base::DecodedChar c = base::decode_utf8(text, begin);
    if (!base::is_white_space(c.code)) break;
    begin += c.bytes;
  }
  while (right && end > begin) {
    std::size_t last = end - 1;
    while (last > begin && (static_cast<unsigned char>(text[last]) & 0xC0) == 0x80) --last;
    if (!base::is_white_space(base::decode_utf8(text, last).code)) break;
    end = last;
  }
  return text.substr(begin, end - begin);
}

std::string without_marks(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const base::DecodedChar c = base::decode_utf8(text, at);
    if (base::category(c.code) != base::Category::kMn) out.append(text.substr(at, c.bytes));
    at += c.bytes;
  }
  return out;
}

}  // namespace

Expected<TextPattern> TextPattern::regex(std::string_view source) {
  TextPattern out;
  SGL_TRY(out.regex_, Regex::compile(source));
  return out;
}

TextPattern TextPattern::literal(std::string text) {
  TextPattern out;
  out.literal_ = std::move(text);
  return out;
}

Expected<TextPattern> TextPattern::from_json(const Fields& owner, std::string_view key) {
  const Json* field = owner.find(key);
  if (field == nullptr || !field->is_object()) return owner.wrong(key, "an object with String or Regex");
  const Fields fields{*field, owner.name(key)};
  if (fields.find("Regex") != nullptr) {
    SGL_TRY(const std::string source, fields.text("Regex"));
    auto compiled = regex(source);
    if (!compiled) return base::invalid(fmt::format("{}: {}", fields.name("Regex"), compiled.error().message));
    return compiled;
  }
  SGL_TRY(std::string text, fields.text("String"));
  if (text.empty()) return fields.wrong("String", "a text that is not empty");
  return literal(std::move(text));
}

std::vector<Regex::Match> TextPattern::find_all(std::string_view text) const {
  if (regex_) return regex_->find_all(text);
  std::vector<Regex::Match> out;
  for (std::size_t at = text.find(literal_); at != std::string_view::npos;
       at = text.find(literal_, at + literal_.size())) {
    out.push_back({at, at + literal_.size()});
  }
  return out;
}

std::string TextPattern::replace_all(std::string_view text, std::string_view by) const {
  std::string out;
  out.reserve(text.size());
  std::size_t done = 0;
  for (const Regex::Match& m : find_all(text)) {
    out.append(text.substr(done, m.begin - done)).append(by);
    done = m.end;
  }
  return out.append(text.substr(done));
}

Expected<Normalizer> Normalizer::from_json(const Json* json) {
  Normalizer out;
  if (json != nullptr) SGL_TRY_STATUS(out.add(Fields{*json, "normalizer"}, 0));
  return out;
}

Status Normalizer::add(const Fields& fields, int depth) {
  if (depth > kMaxDepth) return base::invalid(fmt::format("{}: nested too deeply", fields.path));
  SGL_TRY(const std::string type, fields.text("type"));
  if (type == "Sequence") {
    SGL_TRY(const Json* children, fields.array("normalizers"));
    for (std::size_t i = 0; i < children->size(); ++i) {
      const Fields child{(*children)[i], fmt::format("{}[{}]", fields.name("normalizers"), i)};
      SGL_TRY_STATUS(add(child, depth + 1));
    }
    return {};
  }
  Step step;
  if (type == "Prepend") {
    step.kind = Kind::kPrepend;
    SGL_TRY(step.text, fields.text("prepend"));
  } else if (type == "Replace") {
    step.kind = Kind::kReplace;
    SGL_TRY(step.pattern, TextPattern::from_json(fields, "pattern"));
    SGL_TRY(step.text, fields.text("content"));
  } else if (type == "NFC") {
    step.kind = Kind::kNfc;
  } else if (type == "NFD") {
    step.kind = Kind::kNfd;
  } else if (type == "NFKC") {
    step.kind = Kind::kNfkc;
  } else if (type == "NFKD") {
    step.kind = Kind::kNfkd;
  } else if (type == "Lowercase") {
    step.kind = Kind::kLowercase;
  } else if (type == "StripAccents") {
    step.kind = Kind::kStripAccents;
  } else if (type == "Strip") {
    step.kind = Kind::kStrip;
    SGL_TRY(step.left, fields.flag_or("strip_left", true));
    SGL_TRY(step.right, fields.flag_or("strip_right", true));
  } else {
    return base::invalid(fmt::format("{}: normalizer type '{}' is not supported", fields.path, type));
  }
  steps_.push_back(std::move(step));
  return {};
}

std::string Normalizer::run(const Step& step, std::string text, bool marked) {
  switch (step.kind) {
    case Kind::kPrepend:
      return marked && !text.empty() ? step.text + text : text;
    case Kind::kReplace:
      return step.pattern->replace_all(text, step.text);
    case Kind::kNfc:
      return base::normalize(text, base::NormalForm::kNfc);
    case Kind::kNfd:
      return base::normalize(text, base::NormalForm::kNfd);
    case Kind::kNfkc:
      return base::normalize(text, base::NormalForm::kNfkc);
    case Kind::kNfkd:
      return base::normalize(text, base::NormalForm::kNfkd);
    case Kind::kLowercase:
      return base::to_lower(text);
    case Kind::kStrip:
      return strip(std::move(text), step.left, step.right);
    case Kind::kStripAccents:
      return without_marks(text);
  }
  return text;
}

std::string Normalizer::apply(std::string_view text, bool marked) const {
  std::string out(text);
  for (const Step& step : steps_) out = run(step, std::move(out), marked);
  return out;
}

}  // namespace sgl::tokenizer
