// What number automata know of a text so far: comparisons with bounds, remainders, places in lists of values. Private
// to number_dfa_build.cc.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/constraint/number_dfa.h"

namespace sgl::constraint::number {

// Compares the digits of a magnitude with a bound's as they come. A state is one number.
class Bound {
 public:
  // `at_least`: the number must not be less than the bound, else not greater; `strict`: nor equal.
  Bound(const Decimal& bound, bool at_least, bool strict) : at_least_(at_least), strict_(strict) {
    const std::size_t size = bound.digits.size(), scale = static_cast<std::size_t>(bound.scale);
    if (size > scale) whole_ = bound.digits.substr(0, size - scale);
    fraction_ = std::string(scale > size ? scale - size : 0, '0') + bound.digits.substr(size - std::min(size, scale));
  }

  static constexpr std::uint32_t kHolds = 0;  // whatever follows
  static constexpr std::uint32_t kFails = 1;  // whatever follows
  std::uint32_t first() const { return pack(0, 0); }

  std::uint32_t digit(std::uint32_t state, char c, bool fraction) const {
    if (state <= kFails) return state;
    auto [order, count] = unpack(state);
    const std::string& part = fraction ? fraction_ : whole_;
    if (count >= part.size()) {
      if (fraction && c == '0') return state;
      return decided(1);  // more digits than the bound, or a fraction that goes on
    }
    if (order == 0) order = c < part[count] ? -1 : c > part[count] ? 1 : 0;
    if (fraction && order != 0) return decided(order);
    return pack(order, count + 1);
  }
  std::uint32_t point(std::uint32_t state) const {
    if (state <= kFails) return state;
    const auto [order, count] = unpack(state);
    if (count < whole_.size()) return decided(-1);
    return order != 0 ? decided(order) : pack(0, 0);
  }
  // Whether a number that ends here keeps the bound.
  bool ends(std::uint32_t state, bool fraction) const {
    if (state <= kFails) return state == kHolds;
    auto [order, count] = unpack(state);
    if (!fraction && count < whole_.size()) order = -1;
    // A bound's fraction does not end in zeros, so a number that has less of it is less.
    if (order == 0 && (fraction ? count : 0) < fraction_.size()) order = -1;
    return order == 0 ? !strict_ : (order > 0) == at_least_;
  }

 private:
  std::uint32_t decided(int order) const { return (order > 0) == at_least_ ? kHolds : kFails; }
  static std::uint32_t pack(int order, std::size_t count) {
    return 2 + static_cast<std::uint32_t>(order + 1) + 3 * static_cast<std::uint32_t>(count);
  }
  static std::pair<int, std::size_t> unpack(std::uint32_t state) {
    return {static_cast<int>((state - 2) % 3) - 1, (state - 2) / 3};
  }
  bool at_least_, strict_;
  std::string whole_, fraction_;
};

// Whether a number is a multiple of a unit. The unit is 10^zeros * modulus units of its last decimal place; a number is
// a multiple if it ends in so many zeros and its remainder is zero, which keeps the states of round units few.
class Unit {
 public:
  static std::optional<Unit> of(const Decimal& unit) {
    if (unit.digits.size() > 18) return std::nullopt;
    Unit out;
    out.scale = static_cast<std::uint32_t>(unit.scale);
    std::uint64_t n = std::stoull(unit.digits), rest = n, two = 1, five = 1;
    while (rest % 2 == 0) rest /= 2, two *= 2;
    while (rest % 5 == 0) rest /= 5, five *= 5;
    while (n % 10 == 0) n /= 10, ++out.zeros_;
    std::uint64_t twos = 1, fives = 1;  // of 10^zeros
    for (std::uint32_t i = 0; i < out.zeros_; ++i) twos *= 2, fives *= 5;
    out.modulus_ = rest * (two > twos ? two : 1) * (five > fives ? five : 1);
    return out;
  }
  // Decimal places; digits behind them are zero in a multiple.
  std::uint32_t scale = 0;

  struct State {
    std::uint32_t zeros = 0;
    std::uint64_t rest = 0;
  };
  State first() const { return {zeros_, 0}; }
  State digit(State s, char c) const {
    s.zeros = c == '0' ? std::min(s.zeros + 1, zeros_) : 0;
    s.rest = (s.rest * 10 + static_cast<std::uint64_t>(c - '0')) % modulus_;
    return s;
  }
  // With `missing` decimal places not written.
  bool ends(State s, std::uint32_t missing) const {
    for (std::uint32_t i = 0; i < missing; ++i) s = digit(s, '0');
    return s.zeros == zeros_ && s.rest == 0;
  }

 private:
  std::uint32_t zeros_ = 0;
  std::uint64_t modulus_ = 1;
};

// Listed values, as a trie over their texts without trailing zeros, with a sign.
class Values {
 public:
  static constexpr std::uint32_t kNo = 0;    // none of them
  static constexpr std::uint32_t kTail = 1;  // one of them, and zeros of a fraction that no other one has
  static constexpr std::uint32_t kRoot = 2;

  explicit Values(const std::vector<Decimal>& values) {
    nodes_.resize(3);
    for (const Decimal& v : values) {
      const std::size_t size = v.digits.size(), scale = static_cast<std::size_t>(v.scale);
      std::string text = size > scale ? v.digits.substr(0, size - scale) : "0";
      if (scale > 0)
        text += "." + std::string(scale > size ? scale - size : 0, '0') + v.digits.substr(size - std::min(size, scale));
      if (!v.negative) insert(text);
      if (v.negative || v.digits.empty()) insert("-" + text);
    }
    // Zeros of a fraction keep the value.
    for (std::uint32_t start = kRoot; start < nodes_.size(); ++start) {
      if (!nodes_[start].ends) continue;
      std::uint32_t at = nodes_[start].fraction ? start : nodes_[start].next[10];
      while (at != 0 && (at == start || !nodes_[at].ends)) {
        nodes_[at].ends = true;
        at = nodes_[at].next[0];
      }
    }
  }
  // `c`: 0-9, or 10 for the point, or 11 for the minus.
  std::uint32_t step(std::uint32_t node, std::size_t c) const {
    if (node == kNo) return kNo;
    if (node == kTail) return c == 0 ? kTail : kNo;
    const std::uint32_t next = nodes_[node].next[c];
    if (next != 0) return next;
    const bool zero = c == 0 && nodes_[node].fraction;
    return nodes_[node].ends && (zero || (c == 10 && !nodes_[node].fraction)) ? kTail : kNo;
  }
  bool ends(std::uint32_t node) const { return node == kTail || nodes_[node].ends; }

 private:
  struct Node {
    std::array<std::uint32_t, 12> next{};
    bool ends = false, fraction = false;
  };
  void insert(const std::string& text) {
    std::uint32_t at = kRoot;
    for (char c : text) {
      const std::size_t i = c == '.' ? 10 : c == '-' ? 11 : static_cast<std::size_t>(c - '0');
      if (nodes_[at].next[i] == 0) {
        const auto fresh = static_cast<std::uint32_t>(nodes_.size());
        const bool fraction = i == 10 || nodes_[at].fraction;
        nodes_[at].next[i] = fresh;
        nodes_.emplace_back();
        nodes_.back().fraction = fraction;
      }
      at = nodes_[at].next[i];
    }
    nodes_[at].ends = true;
  }
  std::vector<Node> nodes_;
};

}  // namespace sgl::constraint::number
