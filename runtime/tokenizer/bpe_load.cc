#include <algorithm>
#include <atomic>
#include <bit>

#include "runtime/base/utf8.h"
#include "runtime/tokenizer/bpe.h"

namespace sgl::tokenizer {

using base::Expected;
using base::Status;

char32_t byte_level_char(unsigned char byte) {
  static const std::array<char32_t, 256> table = [] {
    std::array<char32_t, 256> out{};
    char32_t next = 256;
    for (unsigned b = 0; b < 256; ++b) {
      const bool printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      out[b] = printable ? b : next++;
    }
    return out;
  }();
  return table[byte];
}

int byte_level_byte(char32_t c) {
  static const std::array<int, 512> table = [] {
    std::array<int, 512> out{};
    out.fill(-1);
    for (int b = 0; b < 256; ++b) out[byte_level_char(static_cast<unsigned char>(b))] = b;
    return out;
  }();
  return c < table.size() ? table[c] : -1;
}

std::optional<std::string> byte_level_bytes(std::string_view spelling) {
  std::string out;
  for (std::size_t at = 0; at < spelling.size();) {
    const base::DecodedChar c = base::decode_utf8(spelling, at);
    const int byte = byte_level_byte(c.code);
    if (byte < 0) return std::nullopt;
    out.push_back(static_cast<char>(byte));
    at += c.bytes;
  }
  return out;
}

int fallback_byte(std::string_view s) {
  if (s.size() != 6 || !s.starts_with("<0x") || s[5] != '>') return -1;
  int value = 0;
  for (char c : s.substr(3, 2)) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

Expected<Bpe> Bpe::from_json(const Fields& model, bool byte_level) {
  static std::atomic<std::uint64_t> instances = 0;
  Bpe bpe;
  bpe.instance_ = ++instances;
  bpe.byte_level_ = byte_level;
  SGL_TRY(const std::string type, model.text_or("type", "BPE"));
  if (type != "BPE") return base::invalid(fmt::format("model.type: '{}' is not supported, only BPE is", type));
  SGL_TRY(bpe.byte_fallback_, model.flag_or("byte_fallback", false));
  SGL_TRY(bpe.fuse_unknown_, model.flag_or("fuse_unk", false));
  SGL_TRY(bpe.ignore_merges_, model.flag_or("ignore_merges", false));
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    SGL_TRY(const std::string affix, model.text_or(key, ""));
    if (!affix.empty()) return base::invalid(fmt::format("{}: subword affixes are not supported", model.name(key)));
  }
  if (const Json* dropout = model.find("dropout"); dropout != nullptr && *dropout != 0.0) {
    return base::invalid("model.dropout: random tokenisation is not supported");
  }
  SGL_TRY_STATUS(bpe.read_vocab(model));
  bpe.read_bytes();
  if (model.find("unk_token") != nullptr) {
    SGL_TRY(const std::string unknown, model.text("unk_token"));
    bpe.unknown_ = bpe.find(unknown);
    if (bpe.unknown_ < 0) return base::invalid("model.unk_token: not in the vocabulary");
  }
  SGL_TRY_STATUS(bpe.read_merges(model));
  return bpe;
}

Status Bpe::read_vocab(const Fields& model) {
  const Json* vocab = model.find("vocab");
  if (vocab == nullptr || !vocab->is_object()) return model.wrong("vocab", "an object");
  by_spelling_.reserve(vocab->size());
  std::vector<bool> used;
  for (const auto& [spelling, id] : vocab->items()) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() > static_cast<std::uint64_t>(kMaxTokenId)) {
      return base::invalid(fmt::format("model.vocab[\"{}\"]: expected an id between 0 and {}", spelling, kMaxTokenId));
    }
    const auto at = id.get<std::size_t>();
    if (at >= used.size()) used.resize(at + 1);
    if (used[at])
      return base::invalid(fmt::format("model.vocab[\"{}\"]: id {} is taken by another entry", spelling, at));
    used[at] = true;
    spellings_.set(at, spelling);
    by_spelling_.insert(spellings_, static_cast<std::int32_t>(at));
  }
  return {};
}

void Bpe::read_bytes() {
  byte_ids_.fill(-1);
  ascii_ids_.fill(-1);
  for (std::size_t c = 0; c < 128; ++c) {
    const char ascii = static_cast<char>(c);
    ascii_ids_[c] = find({&ascii, 1});
  }
  if (byte_level_) {
    by_bytes_.reserve(spellings_.size());
    bytes_.resize(spellings_.size());
  }
  for (std::size_t id = 0; id < spellings_.size(); ++id) {
    if (byte_level_) {
      const std::optional<std::string> bytes = byte_level_bytes(spellings_[id]);
      if (!bytes || bytes->empty()) continue;
      bytes_.set(id, *bytes);
      by_bytes_.insert(bytes_, static_cast<std::int32_t>(id));
      if (bytes->size() == 1) byte_ids_[static_cast<unsigned char>(bytes->front())] = static_cast<TokenId>(id);
    } else if (const int byte = byte_fallback_ ? fallback_byte(spellings_[id]) : -1; byte >= 0) {
      byte_ids_[static_cast<std::size_t>(byte)] = static_cast<TokenId>(id);
    }
  }
}

Status Bpe::read_merges(const Fields& model) {
  SGL_TRY(const Json* merges, model.array("merges"));
  merges_.reserve(merges->size());
  joins_.assign(std::bit_ceil(merges->size() * 2 + 2), 0);
  const bool all_bytes = std::all_of(byte_ids_.begin(), byte_ids_.end(), [](TokenId id) { return id >= 0; });
  splittable_ = !byte_level_ && (unknown_ < 0 || !fuse_unknown_ || (byte_fallback_ && all_bytes));
  for (std::size_t i = 0; i < merges->size(); ++i) {
    const Json& rule = (*merges)[i];
    const auto where = [&] { return fmt::format("model.merges[{}]", i); };
    std::string_view left, right;
    if (rule.is_string()) {
      const std::string& text = rule.get_ref<const std::string&>();
      const std::size_t space = text.find(' ');
      if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) {
        return base::invalid(fmt::format("{}: expected two tokens with one space between them", where()));
      }
      left = std::string_view(text).substr(0, space);
      right = std::string_view(text).substr(space + 1);
    } else if (rule.is_array() && rule.size() == 2 && rule[0].is_string() && rule[1].is_string()) {
      left = rule[0].get_ref<const std::string&>();
      right = rule[1].get_ref<const std::string&>();
    } else {
      return base::invalid(fmt::format("{}: expected a pair of tokens", where()));
    }
    SGL_TRY_STATUS(add_merge(left, right, static_cast<std::uint32_t>(i), where()));
  }
  return {};
}

Status Bpe::add_merge(std::string_view left, std::string_view right, std::uint32_t rank, const std::string& where) {
  const std::int32_t a = find(left), b = find(right);
  if (a < 0 || b < 0 || left.empty() || right.empty()) {
    return base::invalid(fmt::format("{}: token '{}' is not in the vocabulary", where, a < 0 ? left : right));
  }
  std::string joined;
  joined.reserve(left.size() + right.size());
  joined.append(left).append(right);
  const std::int32_t result = find(joined);
  if (result < 0) return base::invalid(fmt::format("{}: the result '{}' is not in the vocabulary", where, joined));
  merges_.insert(a, b, {rank, result});
  if (byte_level_) return {};

  // A rule that works on byte tokens could join any characters.
  if (fallback_byte(left) >= 0 || fallback_byte(right) >= 0) splittable_ = false;
  std::size_t last = left.size() - 1;
  while (last > 0 && (static_cast<unsigned char>(left[last]) & 0xC0) == 0x80) --last;
  const char32_t x = base::decode_utf8(left, last).code, y = base::decode_utf8(right, 0).code;
  if (x < 128 && y < 128) {
    ascii_joins_[x][y] = true;
    return {};
  }
  const std::uint64_t key = std::uint64_t{x} << 32 | y | std::uint64_t{1} << 63;
  std::size_t at = mix64(key) & (joins_.size() - 1);
  while (joins_[at] != 0 && joins_[at] != key) at = (at + 1) & (joins_.size() - 1);
  joins_[at] = key;
  return {};
}

}  // namespace sgl::tokenizer
