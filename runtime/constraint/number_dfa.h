// Automata of JSON numbers: which texts are numbers within bounds, multiples, integers. Private to runtime/constraint.
//
// Without any restriction the texts are JSON's numbers. An integer alone is -?(0|[1-9][0-9]*)(\.0+)? . With bounds,
// multiples, values or exclusions, numbers have no exponent. A value is compared exactly, as a decimal.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/expected.h"

namespace sgl::constraint {

// digits * 10^-scale, with sign; normalised: no leading zeros, no trailing zeros of the fraction; zero is "" without
// sign.
struct Decimal {
  bool negative = false;
  std::string digits;      // "0".."9", most significant first
  std::int32_t scale = 0;  // digits after the point, 0 or more
  // From JSON number text, exponent included. nullopt: not a number, or more than 400 digits.
  static std::optional<Decimal> parse(std::string_view json);
  friend bool operator==(const Decimal&, const Decimal&) = default;
  // Negative, 0, positive as a < b, a == b, a > b.
  static int compare(const Decimal& a, const Decimal& b);
  bool is_integer() const { return scale == 0; }
  // Is this a whole multiple of `unit`? Precondition: unit is not zero.
  bool is_multiple_of(const Decimal& unit) const;
};

struct NumberSpec {
  bool integer = false, fraction = false;  // only whole numbers; only numbers that are not whole
  std::optional<Decimal> min, max;
  bool exclusive_min = false, exclusive_max = false;
  std::vector<Decimal> multiples, not_multiples;  // positive units
  std::optional<std::vector<Decimal>> values;     // one of these (filtered by the rest)
  std::vector<Decimal> excluded;
  // Language types write canonical integers: no "-0", no ".0".
  bool canonical = false;
  friend bool operator==(const NumberSpec&, const NumberSpec&) = default;
};

class NumberDfa {
 public:
  using State = std::int32_t;
  static constexpr State kDead = -1;
  // Every state is live. Errors: `limit` (more than max_states states, e.g. multiples with large units).
  // empty(): no number satisfies the spec.
  static base::Expected<std::shared_ptr<const NumberDfa>> build(const NumberSpec& spec, std::size_t max_states);

  bool empty() const { return accepting_.empty(); }
  State start() const { return empty() ? kDead : 0; }
  State step(State state, unsigned char byte) const {
    const std::uint8_t c = class_of(byte);
    return c == kNoClass ? kDead : table_[static_cast<std::size_t>(state) * kClasses + c];
  }
  bool accepting(State state) const { return accepting_[static_cast<std::size_t>(state)] != 0; }
  // Least bytes to acceptance.
  std::uint32_t shortest(State state) const { return shortest_[static_cast<std::size_t>(state)]; }
  // How many texts lead from here to acceptance, up to CharDfa::kMany, which also stands for infinity.
  std::uint64_t count(State state) const { return counts_[static_cast<std::size_t>(state)]; }
  std::size_t size() const { return accepting_.size(); }

 private:
  friend class NumberDfaBuilder;
  static constexpr std::size_t kClasses = 15;  // 0-9 . - + e E
  static constexpr std::uint8_t kNoClass = 255;
  static std::uint8_t class_of(unsigned char byte) {
    if (byte >= '0' && byte <= '9') return static_cast<std::uint8_t>(byte - '0');
    switch (byte) {
      case '.':
        return 10;
      case '-':
        return 11;
      case '+':
        return 12;
      case 'e':
        return 13;
      case 'E':
        return 14;
      default:
        return kNoClass;
    }
  }
  std::vector<State> table_;
  std::vector<std::uint8_t> accepting_;
  std::vector<std::uint32_t> shortest_;
  std::vector<std::uint64_t> counts_;
};

}  // namespace sgl::constraint
