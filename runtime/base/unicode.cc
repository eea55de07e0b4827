#include "runtime/base/unicode.h"

#include <algorithm>
#include <array>
#include <memory>

#include "runtime/base/unicode_tables.h"
#include "runtime/base/utf8.h"

namespace sgl::base {
namespace {

// One byte per code point: category in the low five bits, then flags. Built once; 1.1 MB, of which text touches little.
constexpr std::uint8_t kSpaceFlag = 0x20, kAlphaFlag = 0x40, kCategoryBits = 0x1F;

const std::uint8_t* properties() {
  static const std::unique_ptr<std::uint8_t[]> table = [] {
    auto out = std::make_unique<std::uint8_t[]>(kMaxCodePoint + 1);
    const auto runs = tables::kCategoryRuns;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const std::uint32_t end = i + 1 < runs.size() ? runs[i + 1] >> 8 : kMaxCodePoint + 1;
      std::fill(out.get() + (runs[i] >> 8), out.get() + end, static_cast<std::uint8_t>(runs[i] & 0xFF));
    }
    const auto flag = [&](std::span<const std::uint32_t> ranges, std::uint8_t bit) {
      for (std::size_t i = 0; i + 1 < ranges.size(); i += 2) {
        for (std::uint32_t c = ranges[i]; c <= ranges[i + 1]; ++c) out[c] |= bit;
      }
    };
    flag(tables::kWhiteSpace, kSpaceFlag);
    flag(tables::kAlphabetic, kAlphaFlag);
    return out;
  }();
  return table.get();
}

std::uint8_t property_byte(char32_t c) {
  return c <= kMaxCodePoint ? properties()[c] : 0;
}

// `pairs` is sorted by its even entries.
char32_t mapped(std::span<const std::uint32_t> pairs, char32_t c) {
  std::size_t lo = 0, hi = pairs.size() / 2;
  while (lo < hi) {
    const std::size_t mid = (lo + hi) / 2;
    if (pairs[mid * 2] < c) {
      lo = mid + 1;
    } else {
      hi = mid;
    }
  }
  return lo * 2 < pairs.size() && pairs[lo * 2] == c ? pairs[lo * 2 + 1] : c;
}

CodeSet from_pairs(std::span<const std::uint32_t> pairs) {
  CodeSet set;
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) set.add(pairs[i], pairs[i + 1]);
  return set;
}

struct CategoryName {
  std::string_view brief, full;
};
// Index = Category.
constexpr std::array<CategoryName, 30> kCategoryNames = {{
    {"Cn", "Unassigned"},
    {"Lu", "Uppercase_Letter"},
    {"Ll", "Lowercase_Letter"},
    {"Lt", "Titlecase_Letter"},
    {"Lm", "Modifier_Letter"},
    {"Lo", "Other_Letter"},
    {"Mn", "Nonspacing_Mark"},
    {"Mc", "Spacing_Mark"},
    {"Me", "Enclosing_Mark"},
    {"Nd", "Decimal_Number"},
    {"Nl", "Letter_Number"},
    {"No", "Other_Number"},
    {"Pc", "Connector_Punctuation"},
    {"Pd", "Dash_Punctuation"},
    {"Ps", "Open_Punctuation"},
    {"Pe", "Close_Punctuation"},
    {"Pi", "Initial_Punctuation"},
    {"Pf", "Final_Punctuation"},
    {"Po", "Other_Punctuation"},
    {"Sm", "Math_Symbol"},
    {"Sc", "Currency_Symbol"},
    {"Sk", "Modifier_Symbol"},
    {"So", "Other_Symbol"},
    {"Zs", "Space_Separator"},
    {"Zl", "Line_Separator"},
    {"Zp", "Paragraph_Separator"},
    {"Cc", "Control"},
    {"Cf", "Format"},
    {"Cs", "Surrogate"},
    {"Co", "Private_Use"},
}};
// Long names of the one-letter groups.
constexpr std::array<CategoryName, 7> kGroupNames = {{{"L", "Letter"},
                                                      {"M", "Mark"},
                                                      {"N", "Number"},
                                                      {"P", "Punctuation"},
                                                      {"S", "Symbol"},
                                                      {"Z", "Separator"},
                                                      {"C", "Other"}}};

CodeSet category_set(std::uint32_t mask) {
  CodeSet set;
  const auto runs = tables::kCategoryRuns;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::uint32_t end = i + 1 < runs.size() ? runs[i + 1] >> 8 : kMaxCodePoint + 1;
    if (mask >> (runs[i] & 0xFF) & 1) set.add(runs[i] >> 8, end - 1);
  }
  return set;
}

// Bit set of the categories that a name means; 0 when it is not a category.
std::uint32_t category_mask(std::string_view name) {
  if (name == "LC" || name == "Cased_Letter") return 0b1110;
  for (const CategoryName& group : kGroupNames) {
    if (name == group.full) name = group.brief;
  }
  std::uint32_t mask = 0;
  for (std::size_t i = 0; i < kCategoryNames.size(); ++i) {
    const bool in_group = name.size() == 1 && kCategoryNames[i].brief[0] == name[0];
    if (in_group || kCategoryNames[i].brief == name || kCategoryNames[i].full == name) mask |= 1u << i;
  }
  return mask;
}

std::optional<CodeSet> script_set(std::string_view name) {
  const auto names = tables::kScriptNames;
  const auto it = std::find(names.begin(), names.end(), name);
  if (it == names.end()) return std::nullopt;
  const auto index = static_cast<std::uint32_t>(it - names.begin());
  CodeSet set;
  const auto ranges = tables::kScriptRanges;
  for (std::size_t i = 0; i + 2 < ranges.size(); i += 3) {
    if (ranges[i + 2] == index) set.add(ranges[i], ranges[i + 1]);
  }
  return set;
}

}  // namespace

Category category(char32_t c) {
  return static_cast<Category>(property_byte(c) & kCategoryBits);
}
bool is_white_space(char32_t c) {
  return (property_byte(c) & kSpaceFlag) != 0;
}
bool is_alphabetic(char32_t c) {
  return (property_byte(c) & kAlphaFlag) != 0;
}

bool is_word(char32_t c) {
  const Category k = category(c);
  return is_alphabetic(c) || (k >= Category::kMn && k <= Category::kNd) || k == Category::kPc || c == 0x200C ||
         c == 0x200D;
}

bool is_punctuation(char32_t c) {
  return category(c) >= Category::kPc && category(c) <= Category::kPo;
}

char32_t simple_lower(char32_t c) {
  return mapped(tables::kLower, c);
}
char32_t simple_upper(char32_t c) {
  return mapped(tables::kUpper, c);
}
char32_t simple_fold(char32_t c) {
  return mapped(tables::kFold, c);
}

CodeSet::CodeSet(std::initializer_list<CodeRange> ranges) {
  for (const CodeRange& r : ranges) add(r.lo, r.hi);
}

void CodeSet::add(char32_t lo, char32_t hi) {
  if (lo > hi) return;
  // Everything before `first` ends at least two below lo; everything from `last` on begins at least two above hi.
  auto first = ranges_.end();
  if (!ranges_.empty() && ranges_.back().hi + 1 >= lo) {
    first = std::lower_bound(ranges_.begin(), ranges_.end(), lo,
                             [](const CodeRange& r, char32_t c) { return r.hi + 1 < c; });
  }
  auto last = first;
  while (last != ranges_.end() && last->lo <= hi + 1) ++last;
  if (first == last) {
    ranges_.insert(first, CodeRange{lo, hi});
    return;
  }
  first->lo = std::min(first->lo, lo);
  first->hi = std::max((last - 1)->hi, hi);
  ranges_.erase(first + 1, last);
}

void CodeSet::add(const CodeSet& other) {
  for (const CodeRange& r : other.ranges()) add(r.lo, r.hi);
}

CodeSet CodeSet::negated() const {
  CodeSet out;
  char32_t next = 0;
  for (const CodeRange& r : ranges_) {
    if (r.lo > next) out.add(next, r.lo - 1);
    next = r.hi + 1;
  }
  if (next <= kMaxCodePoint) out.add(next, kMaxCodePoint);
  return out;
}

CodeSet CodeSet::intersected(const CodeSet& other) const {
  CodeSet out;
  for (std::size_t i = 0, j = 0; i < ranges_.size() && j < other.ranges_.size();) {
    const char32_t lo = std::max(ranges_[i].lo, other.ranges_[j].lo), hi = std::min(ranges_[i].hi, other.ranges_[j].hi);
    if (lo <= hi) out.add(lo, hi);
    ranges_[i].hi < other.ranges_[j].hi ? ++i : ++j;
  }
  return out;
}

CodeSet CodeSet::case_closed() const {
  // Foldings of the members first, then every character that folds to one of them.
  CodeSet folded = *this;
  const auto fold = tables::kFold;
  for (std::size_t i = 0; i + 1 < fold.size(); i += 2) {
    if (contains(fold[i])) folded.add(fold[i + 1], fold[i + 1]);
  }
  CodeSet out = folded;
  for (std::size_t i = 0; i + 1 < fold.size(); i += 2) {
    if (folded.contains(fold[i + 1])) out.add(fold[i], fold[i]);
  }
  return out;
}

bool CodeSet::contains(char32_t c) const {
  const auto it =
      std::lower_bound(ranges_.begin(), ranges_.end(), c, [](const CodeRange& r, char32_t x) { return r.hi < x; });
  return it != ranges_.end() && it->lo <= c;
}

std::optional<CodeSet> property_set(std::string_view name) {
  for (std::string_view key : {"gc=", "General_Category="}) {
    if (!name.starts_with(key)) continue;
    const std::uint32_t mask = category_mask(name.substr(key.size()));
    return mask != 0 ? std::optional(category_set(mask)) : std::nullopt;
  }
  for (std::string_view key : {"sc=", "Script="}) {
    if (name.starts_with(key)) return script_set(name.substr(key.size()));
  }
  if (const std::uint32_t mask = category_mask(name); mask != 0) return category_set(mask);
  if (name == "Any") return CodeSet{{0, kMaxCodePoint}};
  if (name == "ASCII") return CodeSet{{0, 0x7F}};
  if (name == "Alphabetic" || name == "Alpha") return from_pairs(tables::kAlphabetic);
  if (name == "Uppercase" || name == "Upper") return from_pairs(tables::kUppercase);
  if (name == "Lowercase" || name == "Lower") return from_pairs(tables::kLowercase);
  if (name == "White_Space" || name == "space") return from_pairs(tables::kWhiteSpace);
  return script_set(name);
}

const CodeSet& unicode_class(char escape) {
  static const CodeSet digits = category_set(1u << static_cast<int>(Category::kNd));
  static const CodeSet spaces = from_pairs(tables::kWhiteSpace);
  static const CodeSet words = [] {
    CodeSet set = from_pairs(tables::kAlphabetic);
    set.add(category_set(category_mask("M") | category_mask("Nd") | category_mask("Pc")));
    set.add(0x200C, 0x200D);
    return set;
  }();
  return escape == 'd' ? digits : escape == 's' ? spaces : words;
}

std::string to_lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      out.push_back(byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : text[at]);
      ++at;
      continue;
    }
    const DecodedChar c = decode_utf8(text, at);
    append_utf8(out, simple_lower(c.code));
    if (c.code == 0x130) append_utf8(out, 0x307);  // the one full mapping that is longer than the simple one
    at += c.bytes;
  }
  return out;
}

}  // namespace sgl::base
