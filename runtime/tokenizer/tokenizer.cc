#include "runtime/tokenizer/tokenizer.h"

#include <algorithm>

#include "runtime/base/utf8.h"
#include "runtime/tokenizer/tokenizer_impl.h"

namespace sgl::tokenizer {
namespace {

// The parts of `data` that lie in text[begin, end), relative to `begin`.
std::vector<ByteSpan> clip(std::span<const ByteSpan> data, std::size_t begin, std::size_t end) {
  std::vector<ByteSpan> out;
  for (const ByteSpan& span : data) {
    const std::size_t lo = std::max(span.begin, begin), hi = std::min(span.end, end);
    if (lo < hi) out.push_back({lo - begin, hi - begin});
  }
  return out;
}

// Length of the well-formed beginning of text[at …].
std::size_t valid_prefix(std::string_view text, std::size_t at) {
  const std::size_t begin = at;
  while (at < text.size()) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const base::DecodedChar c = base::decode_utf8(text, at);
    if (!c.valid) break;
    at += c.bytes;
  }
  return at - begin;
}

}  // namespace

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::~Tokenizer() = default;

void Tokenizer::Impl::encode_normalized(std::string_view text, Place place, std::vector<TokenId>& out) const {
  Pieces pieces;
  pre_tokenizer.apply(text, place, pieces);
  for (std::string_view piece : pieces.views) bpe.encode(piece, out);
}

// Where the spans lie after normalisation, rounded outwards: what precedes a span normalises to a common beginning,
// what follows it to a common end.
std::vector<ByteSpan> Tokenizer::Impl::normalized_spans(std::string_view text, std::string_view normalized, bool marked,
                                                        std::span<const ByteSpan> data) const {
  std::vector<ByteSpan> out;
  for (const ByteSpan& span : data) {
    const std::string before = normalizer.apply(text.substr(0, span.begin), marked);
    const std::string after = normalizer.apply(text.substr(span.end), false);
    const auto head =
        std::mismatch(before.begin(), before.end(), normalized.begin(), normalized.end()).first - before.begin();
    const auto tail =
        std::mismatch(after.rbegin(), after.rend(), normalized.rbegin(), normalized.rend()).first - after.rbegin();
    ByteSpan moved{static_cast<std::size_t>(head), normalized.size() - static_cast<std::size_t>(tail)};
    if (!out.empty()) moved.begin = std::max(moved.begin, out.back().end);
    if (moved.begin < moved.end) out.push_back(moved);
  }
  return out;
}

// Text between two added tokens.
void Tokenizer::Impl::encode_part(std::string_view text, const Request& request, std::vector<TokenId>& out) const {
  std::string storage;
  std::string_view normalized = text;
  if (!normalizer.empty()) normalized = storage = normalizer.apply(text, request.place.marked);
  if (!request.parse_added || normalized_added.empty()) return encode_normalized(normalized, request.place, out);
  std::vector<TextPart> parts = cut_added_tokens(normalized, normalized_added, added, {});
  if (parts.size() > 1 && !request.data.empty()) {
    const auto spans = normalized_spans(text, normalized, request.place.marked, request.data);
    parts = cut_added_tokens(normalized, normalized_added, added, spans);
  }
  for (const TextPart& part : parts) {
    if (part.id >= 0) {
      out.push_back(part.id);
    } else {
      const bool head = part.text.data() == normalized.data();
      encode_normalized(part.text, head ? request.place : Place{false, true}, out);
    }
  }
}

void Tokenizer::Impl::encode_valid(std::string_view text, const Request& request, std::vector<TokenId>& out) const {
  if (!request.parse_added) return encode_part(text, request, out);
  for (const TextPart& part : cut_added_tokens(text, raw_added, added, request.data)) {
    if (part.id >= 0) {
      out.push_back(part.id);
      continue;
    }
    const auto at = static_cast<std::size_t>(part.text.data() - text.data());
    const std::vector<ByteSpan> inside = clip(request.data, at, at + part.text.size());
    // As in the library, Prepend and ByteLevel act on every part.
    encode_part(part.text, {true, at == 0 ? request.place : Place{false, true}, inside}, out);
  }
}

std::vector<TokenId> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  return encode(text, options, {});
}

std::vector<TokenId> Tokenizer::encode(std::string_view text, const EncodeOptions& options,
                                       std::span<const ByteSpan> data) const {
  std::vector<TokenId> out;
  out.reserve(text.size() / 4 + 8);
  if (options.add_special) out = impl_->prefix;
  for (std::size_t at = 0; at < text.size();) {
    if (const std::size_t size = valid_prefix(text, at); size > 0) {
      const bool whole = size == text.size(), begins = at == 0 && !options.continuation;
      const std::vector<ByteSpan> inside = whole ? std::vector<ByteSpan>() : clip(data, at, at + size);
      impl_->encode_valid(text.substr(at, size),
                          {options.parse_added_tokens, begins ? Place{true, true} : Place{false, false},
                           whole ? data : std::span<const ByteSpan>(inside)},
                          out);
      at += size;
    }
    if (at == text.size()) break;
    const TokenId byte = impl_->bpe.byte_token(static_cast<unsigned char>(text[at++]));
    if (byte >= 0) {
      out.push_back(byte);
    } else if (impl_->bpe.unknown() >= 0) {
      out.push_back(impl_->bpe.unknown());
    }
  }
  if (options.add_special) out.insert(out.end(), impl_->suffix.begin(), impl_->suffix.end());
  return out;
}

std::string Tokenizer::decode(std::span<const TokenId> ids, bool skip_special) const {
  std::string bytes;
  for (TokenId id : ids) {
    if (id < 0 || static_cast<std::size_t>(id) >= vocab_size()) continue;
    bytes += impl_->token_bytes[static_cast<std::size_t>(id)];
    if (!skip_special) bytes += impl_->special_text[static_cast<std::size_t>(id)];
  }
  if (leading_strip() != 0 && !bytes.empty() && bytes[0] == impl_->decoder.leading()) bytes.erase(0, 1);
  return replace_invalid_utf8(bytes);
}

std::size_t Tokenizer::vocab_size() const {
  return impl_->token_bytes.size();
}

std::string_view Tokenizer::token_bytes(TokenId id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= vocab_size()) return {};
  return impl_->token_bytes[static_cast<std::size_t>(id)];
}

std::size_t Tokenizer::leading_strip() const {
  return impl_->decoder.leading() == '\0' ? 0 : 1;
}

bool Tokenizer::is_special(TokenId id) const {
  return id >= 0 && static_cast<std::size_t>(id) < vocab_size() && impl_->special[static_cast<std::size_t>(id)];
}

std::optional<TokenId> Tokenizer::token_id(std::string_view content) const {
  if (const auto it = impl_->added_ids.find(content); it != impl_->added_ids.end()) return it->second;
  const std::int32_t id = impl_->bpe.find(content);
  return id < 0 ? std::nullopt : std::optional<TokenId>(id);
}

std::optional<TokenId> Tokenizer::bos() const {
  return impl_->bos;
}
std::span<const TokenId> Tokenizer::eos() const {
  return impl_->eos;
}
std::optional<std::string_view> Tokenizer::chat_template() const {
  return impl_->chat_template;
}
std::string_view Tokenizer::bos_text() const {
  return impl_->bos_text;
}
std::string_view Tokenizer::eos_text() const {
  return impl_->eos_text;
}

StreamDecoder::StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool at_text_start)
    : tokenizer_(std::move(tokenizer)), at_start_(at_text_start) {}

std::string StreamDecoder::push(TokenId id) {
  std::string_view bytes = tokenizer_->token_bytes(id);
  if (bytes.empty()) return {};
  if (at_start_ && tokenizer_->leading_strip() != 0 && bytes[0] == tokenizer_->leading_char()) bytes.remove_prefix(1);
  at_start_ = false;
  if (pending_.empty() && base::is_ascii(bytes)) return std::string(bytes);  // most tokens
  pending_ += bytes;
  const std::size_t complete = base::complete_utf8_prefix(pending_);
  std::string out = replace_invalid_utf8(std::string_view(pending_).substr(0, complete));
  pending_.erase(0, complete);
  return out;
}

std::string StreamDecoder::finish() {
  at_start_ = false;
  return replace_invalid_utf8(std::exchange(pending_, {}));
}

char Tokenizer::leading_char() const {
  return impl_->decoder.leading();
}

}  // namespace sgl::tokenizer
