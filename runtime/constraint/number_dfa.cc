#include "runtime/constraint/number_dfa.h"

#include <algorithm>

#include "runtime/base/check.h"

namespace sgl::constraint {
namespace {

constexpr std::size_t kMaxDigits = 400;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Length of the JSON number's digits from `at`; 0: none.
std::size_t digits_at(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - at;
}

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view json) {
  Decimal out;
  std::size_t at = 0;
  if (at < json.size() && json[at] == '-') out.negative = true, ++at;
  const std::size_t whole = digits_at(json, at);
  if (whole == 0 || (whole > 1 && json[at] == '0')) return std::nullopt;
  out.digits = json.substr(at, whole);
  at += whole;
  std::int64_t scale = 0;
  if (at < json.size() && json[at] == '.') {
    const std::size_t fraction = digits_at(json, ++at);
    if (fraction == 0) return std::nullopt;
    out.digits += json.substr(at, fraction);
    scale = static_cast<std::int64_t>(fraction);
    at += fraction;
  }
  std::int64_t exponent = 0;
  if (at < json.size() && (json[at] == 'e' || json[at] == 'E')) {
    ++at;
    const bool minus = at < json.size() && json[at] == '-';
    if (minus || (at < json.size() && json[at] == '+')) ++at;
    const std::size_t count = digits_at(json, at);
    if (count == 0) return std::nullopt;
    for (char c : json.substr(at, count)) exponent = std::min<std::int64_t>(exponent * 10 + (c - '0'), 1'000'000'000);
    if (minus) exponent = -exponent;
    at += count;
  }
  if (at != json.size()) return std::nullopt;
  out.digits.erase(0, std::min(out.digits.find_first_not_of('0'), out.digits.size()));
  if (out.digits.empty()) return Decimal{};
  scale -= exponent;
  const std::size_t used = out.digits.find_last_not_of('0') + 1;
  scale -= static_cast<std::int64_t>(out.digits.size() - used);
  out.digits.resize(used);
  const std::int64_t length =
      std::max<std::int64_t>(scale, static_cast<std::int64_t>(used) - std::min<std::int64_t>(scale, 0));
  if (length > static_cast<std::int64_t>(kMaxDigits)) return std::nullopt;
  if (scale < 0) out.digits.append(static_cast<std::size_t>(-scale), '0'), scale = 0;
  out.scale = static_cast<std::int32_t>(scale);
  return out;
}

int Decimal::compare(const Decimal& a, const Decimal& b) {
  if (a.negative != b.negative) return a.negative ? -1 : 1;
  // Digits before the point, negative when the fraction begins with zeros; zero is least.
  const auto magnitude = [](const Decimal& d) {
    return d.digits.empty() ? INT32_MIN : static_cast<std::int32_t>(d.digits.size()) - d.scale;
  };
  int order = 0;
  if (magnitude(a) != magnitude(b)) {
    order = magnitude(a) < magnitude(b) ? -1 : 1;
  } else {
    // Digits of equal weight stand at equal places; only a whole number ends in zeros, which do not count.
    const std::size_t size = std::max(a.digits.size(), b.digits.size());
    const auto at = [](const Decimal& d, std::size_t i) { return i < d.digits.size() ? d.digits[i] : '0'; };
    for (std::size_t i = 0; i < size && order == 0; ++i) order = at(a, i) - at(b, i);
  }
  return a.negative ? -order : order;
}

bool Decimal::is_multiple_of(const Decimal& unit) const {
  SGL_ASSERT(!unit.digits.empty());
  // Both as whole numbers of 10^-scale.
  const std::int32_t common = std::max(scale, unit.scale);
  const auto scaled = [&](const Decimal& d) {
    return d.digits + std::string(static_cast<std::size_t>(common - d.scale), '0');
  };
  const std::string value = scaled(*this), by = scaled(unit);
  // Long division; the remainder has no leading zeros.
  std::string rest;
  const auto at_least = [&] { return rest.size() != by.size() ? rest.size() > by.size() : rest >= by; };
  for (char c : value) {
    if (!rest.empty() || c != '0') rest.push_back(c);
    while (at_least()) {
      int borrow = 0;
      for (std::size_t i = 0; i < rest.size(); ++i) {
        char& digit = rest[rest.size() - 1 - i];
        const int minus = (i < by.size() ? by[by.size() - 1 - i] - '0' : 0) + borrow;
        const int left = digit - '0' - minus;
        borrow = left < 0 ? 1 : 0;
        digit = static_cast<char>('0' + left + 10 * borrow);
      }
      rest.erase(0, std::min(rest.find_first_not_of('0'), rest.size()));
    }
  }
  return rest.empty();
}

}  // namespace sgl::constraint
