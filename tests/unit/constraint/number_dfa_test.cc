#include "runtime/constraint/number_dfa.h"

#include <cstdlib>
#include <functional>

#include "runtime/constraint/char_dfa.h"
#include "tests/unit/constraint/support.h"

namespace {

using Dfa = std::shared_ptr<const NumberDfa>;

Decimal decimal(std::string_view text) {
  const auto out = Decimal::parse(text);
  REQUIRE_MESSAGE(out.has_value(), text);
  return *out;
}
Dfa build(const NumberSpec& spec) {
  auto made = NumberDfa::build(spec, 20'000);
  REQUIRE_MESSAGE(made.ok(), made.error().message);
  return *made;
}
bool accepts(const NumberDfa& dfa, std::string_view text) {
  NumberDfa::State state = dfa.start();
  for (char c : text) {
    if (state == NumberDfa::kDead) return false;
    state = dfa.step(state, static_cast<unsigned char>(c));
  }
  return state != NumberDfa::kDead && dfa.accepting(state);
}

// A number without exponent in millionths; nullopt: not a number.
std::optional<std::int64_t> millionths(const std::string& text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const std::size_t begin = at;
  std::int64_t value = 0;
  const auto digits = [&](int most) {
    int n = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9' && n < most; ++at, ++n)
      value = value * 10 + text[at] - '0';
    return n;
  };
  if (digits(9) == 0 || (text[begin] == '0' && at > begin + 1)) return std::nullopt;
  int places = 0;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if ((places = digits(6)) == 0) return std::nullopt;
  }
  if (at != text.size()) return std::nullopt;
  for (; places < 6; ++places) value *= 10;
  return text.starts_with('-') ? -value : value;
}

std::vector<std::string> texts_over(std::string_view alphabet, std::size_t size) {
  std::vector<std::string> out{""};
  for (std::size_t begin = 0, length = 0; length < size; ++length) {
    const std::size_t end = out.size();
    for (std::size_t i = begin; i < end; ++i) {
      for (char c : alphabet) out.push_back(out[i] + c);
    }
    begin = end;
  }
  return out;
}

// What the specification says, without automata.
bool expected(const NumberSpec& spec, const std::string& text) {
  const auto value = millionths(text);
  if (!value) return false;
  const auto of = [](const Decimal& d) {
    std::string digits = d.digits.empty() ? "0" : d.digits;
    std::int64_t out = std::stoll(digits);
    for (int i = d.scale; i < 6; ++i) out *= 10;
    return d.negative ? -out : out;
  };
  const bool whole = *value % 1'000'000 == 0;
  if (spec.integer && !whole) return false;
  if (spec.fraction && whole) return false;
  if (spec.min && (*value < of(*spec.min) || (spec.exclusive_min && *value == of(*spec.min)))) return false;
  if (spec.max && (*value > of(*spec.max) || (spec.exclusive_max && *value == of(*spec.max)))) return false;
  for (const Decimal& unit : spec.multiples) {
    if (*value % of(unit) != 0) return false;
  }
  for (const Decimal& unit : spec.not_multiples) {
    if (*value % of(unit) == 0) return false;
  }
  const auto among = [&](const std::vector<Decimal>& list) {
    return std::any_of(list.begin(), list.end(), [&](const Decimal& d) { return of(d) == *value; });
  };
  if (spec.values && !among(*spec.values)) return false;
  if (among(spec.excluded)) return false;
  if (spec.canonical) {
    if (*value == 0 && text[0] == '-') return false;
    if (text.find('.') != std::string::npos && text.back() == '0') return false;
  }
  return true;
}

}  // namespace

TEST_CASE("decimals: parsing, order, multiples") {
  CHECK(decimal("1.50") == decimal("15e-1"));
  CHECK(decimal("-0.0") == Decimal{});
  CHECK(decimal("0e5") == Decimal{});
  CHECK(decimal("100") == decimal("1E+2"));
  CHECK(decimal("100").digits == "100");
  CHECK(decimal("0.001").scale == 3);
  for (const char* bad :
       {"", "-", "01", "1.", ".5", "1e", "+1", "1e+", "0x1", "1 ", "1e400", "1e-500", "1e99999999999"}) {
    CHECK_MESSAGE(!Decimal::parse(bad).has_value(), bad);
  }
  const std::vector<std::string> ascending{"-1e20", "-12.5", "-12.49", "-1", "-0.5", "-0.05", "0",   "1e-9", "0.05",
                                           "0.5",   "0.51",  "1",      "9",  "10",   "10.01", "100", "1e20"};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      const int order = Decimal::compare(decimal(ascending[i]), decimal(ascending[j]));
      CHECK_MESSAGE((order > 0) == (i > j), ascending[i] << " " << ascending[j]);
      CHECK((order == 0) == (i == j));
    }
  }
  CHECK(decimal("0.07").is_multiple_of(decimal("0.01")));
  CHECK(decimal("-4.5").is_multiple_of(decimal("1.5")));
  CHECK(decimal("0").is_multiple_of(decimal("1.5")));
  CHECK_FALSE(decimal("0.075").is_multiple_of(decimal("0.01")));
  CHECK_FALSE(decimal("1e300").is_multiple_of(decimal("7")));
  CHECK(decimal("7e300").is_multiple_of(decimal("7")));
  CHECK(decimal("12345678901234567890123456788").is_multiple_of(decimal("4")));
}

TEST_CASE("numbers without restriction are those of JSON") {
  const Dfa any = build({});
  for (const char* good : {"0", "-0", "10", "1.50", "-0.0", "1e5", "1E+5", "0.1e-05"})
    CHECK_MESSAGE(accepts(*any, good), good);
  for (const char* bad : {"", "-", "01", "1.", ".5", "1e", "+1", "1e+", "1e5.5", "--1", "1-"}) {
    CHECK_MESSAGE(!accepts(*any, bad), bad);
  }
  NumberSpec spec;
  spec.integer = true;
  const Dfa integer = build(spec);
  for (const char* good : {"0", "-0", "10", "1.0", "5.000"}) CHECK_MESSAGE(accepts(*integer, good), good);
  for (const char* bad : {"1.5", "1e2", "1.", "00", "1.01"}) CHECK_MESSAGE(!accepts(*integer, bad), bad);
  spec.canonical = true;
  const Dfa canonical = build(spec);
  for (const char* bad : {"-0", "1.0", "0.0"}) CHECK_MESSAGE(!accepts(*canonical, bad), bad);
  CHECK(accepts(*canonical, "-10"));
}

TEST_CASE("random specifications agree with exact arithmetic on all short texts") {
  const auto texts = texts_over("0159.-", 6);
  std::mt19937 rng(11);
  const auto pick = [&](unsigned n) { return static_cast<unsigned>(rng() % n); };
  const char* numbers[] = {"0",   "1",   "5",   "9",    "10",   "15",  "50",    "59",   "99",   "100",  "-1",   "-5",
                           "-10", "-95", "0.5", "-0.5", "0.05", "1.5", "-1.05", "9.95", "0.15", "-100", "15.1", "105"};
  const char* units[] = {"1",   "2",    "3",   "5", "10", "100", "0.1",  "0.01",
                         "0.5", "0.25", "1.5", "7", "12", "20",  "0.15", "250"};
  for (int round = 0; round < 120; ++round) {
    NumberSpec spec;
    const unsigned kind = pick(4);
    spec.integer = kind == 0, spec.fraction = kind == 1;
    if (pick(2) == 0) spec.min = decimal(numbers[pick(24)]), spec.exclusive_min = pick(2) == 0;
    if (pick(2) == 0) spec.max = decimal(numbers[pick(24)]), spec.exclusive_max = pick(2) == 0;
    for (unsigned n = pick(3) == 0 ? 1 + pick(2) : 0; n > 0; --n) spec.multiples.push_back(decimal(units[pick(16)]));
    if (pick(5) == 0) spec.not_multiples.push_back(decimal(units[pick(16)]));
    if (pick(4) == 0) {
      spec.values.emplace();
      for (unsigned n = pick(8); n > 0; --n) spec.values->push_back(decimal(numbers[pick(24)]));
    }
    for (unsigned n = pick(3) == 0 ? pick(5) : 0; n > 0; --n) spec.excluded.push_back(decimal(numbers[pick(24)]));
    spec.canonical = pick(4) == 0;
    if (!spec.integer && !spec.fraction && !spec.min && !spec.max) spec.excluded.push_back(decimal("5"));
    const Dfa dfa = build(spec);
    int wrong = 0;
    std::string first;
    for (const std::string& text : texts) {
      if (accepts(*dfa, text) != expected(spec, text)) first = wrong++ == 0 ? text : first;
    }
    CHECK_MESSAGE(wrong == 0, "round " << round << ": " << wrong << " texts, one is " << first);
    for (std::size_t s = 0; s < dfa->size(); ++s) CHECK(dfa->shortest(static_cast<NumberDfa::State>(s)) != UINT32_MAX);
  }
}

TEST_CASE("exact decimals, large units, limits") {
  NumberSpec spec;
  spec.multiples = {decimal("0.01")};
  const Dfa cents = build(spec);
  CHECK(accepts(*cents, "0.070"));
  CHECK(accepts(*cents, "19.99"));
  CHECK(accepts(*cents, "-3"));
  CHECK_FALSE(accepts(*cents, "0.075"));
  CHECK(cents->size() < 20);
  spec.multiples = {decimal("1e15")};
  CHECK(build(spec)->size() < 60);
  spec.multiples = {decimal("1e-12")};
  CHECK(build(spec)->size() < 60);
  spec.multiples = {decimal("86400")};
  CHECK(accepts(*build(spec), "172800"));
  CHECK_FALSE(accepts(*build(spec), "172801"));
  spec.multiples = {decimal("1000003")};
  const auto large = NumberDfa::build(spec, 20'000);
  REQUIRE_FALSE(large.ok());
  CHECK(large.error().kind == sgl::base::ErrorKind::kLimit);
  spec = {};
  spec.min = decimal("-2"), spec.max = decimal("13"), spec.integer = spec.canonical = true;
  CHECK(build(spec)->count(0) == 16);
  spec.canonical = false;
  CHECK(build(spec)->count(0) == sgl::constraint::CharDfa::kMany);  // 1.0, 1.00, …
  NumberSpec none;
  none.min = decimal("2"), none.max = decimal("3"), none.exclusive_min = none.exclusive_max = none.integer = true;
  CHECK(build(none)->empty());
  NumberSpec wide;
  wide.min = decimal("-9223372036854775808"), wide.max = decimal("18446744073709551615"), wide.integer = true;
  CHECK(accepts(*build(wide), "18446744073709551615"));
  CHECK_FALSE(accepts(*build(wide), "18446744073709551616"));
  CHECK(accepts(*build(wide), "-9223372036854775808.0"));
  CHECK_FALSE(accepts(*build(wide), "-9223372036854775809"));
}
