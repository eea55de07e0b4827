// Unicode normalisation forms (UAX #15).
#include <algorithm>
#include <unordered_map>

#include "runtime/base/unicode.h"
#include "runtime/base/unicode_tables.h"
#include "runtime/base/utf8.h"

namespace sgl::base {
namespace {

constexpr char32_t kHangulBase = 0xAC00, kLBase = 0x1100, kVBase = 0x1161, kTBase = 0x11A7;
constexpr char32_t kLCount = 19, kVCount = 21, kTCount = 28, kHangulCount = kLCount * kVCount * kTCount;

struct Decomposition {
  const std::uint32_t* chars = nullptr;
  std::uint32_t count = 0;
  bool compatibility = false;
};

struct Data {
  std::unordered_map<char32_t, Decomposition> decompositions;
  std::unordered_map<std::uint64_t, char32_t> compositions;  // first << 32 | second
  std::unordered_map<char32_t, std::uint8_t> combining;
  CodeSet not_nfc;  // characters that NFC may change or reorder
};

const Data& data() {
  static const Data built = [] {
    Data d;
    CodeSet excluded;
    const auto pairs = [](CodeSet& set, std::span<const std::uint32_t> ranges) {
      for (std::size_t i = 0; i + 1 < ranges.size(); i += 2) set.add(ranges[i], ranges[i + 1]);
    };
    pairs(excluded, tables::kCompositionExclusions);
    const auto records = tables::kDecompositions;
    for (std::size_t i = 0; i < records.size();) {
      const std::uint32_t code = records[i], count = records[i + 1] & 0x7F;
      const bool compatibility = (records[i + 1] & 0x80) != 0;
      const std::uint32_t* chars = records.data() + i + 2;
      d.decompositions[code] = {chars, count, compatibility};
      if (!compatibility && count == 2 && !excluded.contains(code)) {
        d.compositions[std::uint64_t{chars[0]} << 32 | chars[1]] = code;
      }
      i += 2 + count;
    }
    pairs(d.not_nfc, tables::kNfcNotYes);
    for (std::uint32_t entry : tables::kCombining) {
      d.combining[entry >> 8] = static_cast<std::uint8_t>(entry & 0xFF);
      d.not_nfc.add(entry >> 8, entry >> 8);
    }
    return d;
  }();
  return built;
}

// Full decomposition of one character; the tables hold one level.
void decompose(std::u32string& out, char32_t c, bool compatibility) {
  if (c < 0xA0) {
    out.push_back(c);
    return;
  }
  if (c >= kHangulBase && c < kHangulBase + kHangulCount) {
    const char32_t s = c - kHangulBase;
    out.push_back(kLBase + s / (kVCount * kTCount));
    out.push_back(kVBase + s % (kVCount * kTCount) / kTCount);
    if (s % kTCount != 0) out.push_back(kTBase + s % kTCount);
    return;
  }
  const auto it = data().decompositions.find(c);
  if (it == data().decompositions.end() || (it->second.compatibility && !compatibility)) {
    out.push_back(c);
    return;
  }
  for (std::uint32_t i = 0; i < it->second.count; ++i) decompose(out, it->second.chars[i], compatibility);
}

std::uint8_t combining_class(char32_t c) {
  if (c < 0x300) return 0;
  const auto it = data().combining.find(c);
  return it == data().combining.end() ? 0 : it->second;
}

void reorder(std::u32string& text) {
  for (std::size_t i = 0; i < text.size();) {
    if (combining_class(text[i]) == 0) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && combining_class(text[end]) != 0) ++end;
    std::stable_sort(text.begin() + static_cast<std::ptrdiff_t>(i), text.begin() + static_cast<std::ptrdiff_t>(end),
                     [](char32_t a, char32_t b) { return combining_class(a) < combining_class(b); });
    i = end;
  }
}

// The composite of a pair, 0 when there is none.
char32_t composite(char32_t a, char32_t b) {
  if (a >= kLBase && a < kLBase + kLCount && b >= kVBase && b < kVBase + kVCount) {
    return kHangulBase + ((a - kLBase) * kVCount + (b - kVBase)) * kTCount;
  }
  if (a >= kHangulBase && a < kHangulBase + kHangulCount && (a - kHangulBase) % kTCount == 0 && b > kTBase &&
      b < kTBase + kTCount) {
    return a + (b - kTBase);
  }
  const auto it = data().compositions.find(std::uint64_t{a} << 32 | b);
  return it == data().compositions.end() ? 0 : it->second;
}

void compose(std::u32string& text) {
  std::size_t write = 0, starter = std::u32string::npos;
  int last_class = -1;  // class of the last character kept since the starter, -1 when there is none
  for (std::size_t read = 0; read < text.size(); ++read) {
    const char32_t c = text[read];
    const int cls = combining_class(c);
    if (starter != std::u32string::npos && (last_class < cls || (last_class == -1 && cls == 0))) {
      if (const char32_t joined = composite(text[starter], c); joined != 0) {
        text[starter] = joined;
        continue;
      }
    }
    if (cls == 0) {
      starter = write;
      last_class = -1;
    } else {
      last_class = cls;
    }
    text[write++] = c;
  }
  text.resize(write);
}

bool is_nfc(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    // Lead bytes below 0xCC stand for characters below U+0300, all of which are NFC.
    if (static_cast<unsigned char>(text[at]) < 0xCC) {
      ++at;
      continue;
    }
    const DecodedChar c = decode_utf8(text, at);
    if (data().not_nfc.contains(c.code)) return false;
    at += c.bytes;
  }
  return true;
}

}  // namespace

std::string normalize(std::string_view text, NormalForm form) {
  const bool composing = form == NormalForm::kNfc || form == NormalForm::kNfkc;
  const bool compatibility = form == NormalForm::kNfkc || form == NormalForm::kNfkd;
  if (form == NormalForm::kNfc ? is_nfc(text) : is_ascii(text)) return std::string(text);
  std::u32string chars;
  chars.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const DecodedChar c = decode_utf8(text, at);
    decompose(chars, c.code, compatibility);
    at += c.bytes;
  }
  reorder(chars);
  if (composing) compose(chars);
  std::string out;
  out.reserve(text.size());
  for (char32_t c : chars) append_utf8(out, c);
  return out;
}

}  // namespace sgl::base
