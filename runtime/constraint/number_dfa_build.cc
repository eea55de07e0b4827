// Number automata by exploring what must be known of the text so far: where in the number we are, how its digits
// compare with each bound, remainders, and places in the tries of listed values. No count of fraction digits is
// unbounded: behind the last digit of every bound and unit only "is it zero" matters.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/constraint/char_dfa.h"
#include "runtime/constraint/number_dfa.h"
#include "runtime/constraint/number_parts.h"
#include "runtime/constraint/tuple_index.h"

namespace sgl::constraint {

using base::Expected;
using number::Bound;
using number::Unit;
using number::Values;
using State = NumberDfa::State;

namespace {

enum Phase : std::uint32_t {
  kStart,
  kMinus,
  kZero,      // the whole part is 0
  kWhole,     // digits of the whole part
  kPoint,     // just after the point
  kFraction,  // digits of the fraction
  kExponent,  // just after e
  kExponentSign,
  kExponentDigits,
};

bool may_end(std::uint32_t phase) {
  return phase == kZero || phase == kWhole || phase == kFraction || phase == kExponentDigits;
}

// What is asked of a magnitude, given the sign.
struct Sign {
  bool possible = true;
  std::vector<Bound> bounds;
};
Sign sign_of(const NumberSpec& spec, bool negative) {
  Sign out;
  const auto bound = [&](const std::optional<Decimal>& b, bool exclusive, bool is_min) {
    if (!b) return;
    Decimal magnitude = *b;
    magnitude.negative = false;
    const bool zero = b->digits.empty();
    const bool at_least = is_min != negative;
    if (zero || b->negative == negative) {
      out.bounds.emplace_back(magnitude, at_least, exclusive);
    } else if (is_min ? !b->negative : b->negative) {
      out.possible = false;  // a positive minimum of a negative number, a negative maximum of a positive one
    }
  };
  bound(spec.min, spec.exclusive_min, true);
  bound(spec.max, spec.exclusive_max, false);
  return out;
}

// What is known of a text.
struct Place {
  std::uint32_t phase = kStart;
  bool negative = false;
  bool nonzero = false;       // a digit that is not 0 came (kept where "-0" is refused)
  bool fraction = false;      // …, in the fraction
  bool ends_in_zero = false;  // the last digit of the fraction is 0 (kept where that is refused)
  std::uint32_t places = 0;   // digits of the fraction, up to the most that a unit has
  std::vector<std::uint32_t> bounds;
  std::vector<Unit::State> units;  // multiples, then not_multiples
  std::uint32_t value = 0, excluded = 0;
};
constexpr std::uint32_t kNotMultiple = UINT32_MAX;  // for Unit::State::zeros: for good

class Explorer {
 public:
  Explorer(const NumberSpec& spec, std::size_t max_states)
      : spec_(spec),
        max_states_(max_states),
        signs_{sign_of(spec, false), sign_of(spec, true)},
        values_(spec.values.value_or(std::vector<Decimal>{})),
        excluded_(spec.excluded) {
    plain_ = !spec.integer && !spec.fraction && !spec.min && !spec.max && spec.multiples.empty() &&
             spec.not_multiples.empty() && !spec.values && spec.excluded.empty() && !spec.canonical;
    sign_matters_ = spec.canonical || !signs_[0].bounds.empty() || !signs_[1].bounds.empty();
  }

  base::Status run() {
    for (const std::vector<Decimal>* list : {&spec_.multiples, &spec_.not_multiples}) {
      for (const Decimal& d : *list) {
        const auto unit = Unit::of(d);
        if (!unit) return base::over_limit("a multiple of a number with more than 18 digits");
        units_.push_back(*unit);
        max_places_ = std::max(max_places_, unit->scale);
      }
    }
    Place start;
    start.value = start.excluded = Values::kRoot;
    for (const Unit& unit : units_) start.units.push_back(unit.first());
    add(start);
    for (std::size_t at = 0; at < places_.size(); ++at) {
      if (places_.size() > max_states_) {
        return base::over_limit(fmt::format("the numbers need more than {} automaton states", max_states_));
      }
      const Place here = places_[at];
      for (std::uint8_t c = 0; c < 15; ++c) {
        Place next = here;
        if (step(next, c)) table_[at * 15 + c] = add(next);
      }
    }
    return {};
  }
  std::vector<State> table_;
  std::vector<std::uint8_t> accepting_;

 private:
  State add(const Place& p) {
    std::vector<std::uint32_t>& key = key_;
    key = {p.phase | std::uint32_t{p.negative} << 8 | std::uint32_t{p.nonzero} << 9 | std::uint32_t{p.fraction} << 10 |
               std::uint32_t{p.ends_in_zero} << 11,
           p.places, p.value, p.excluded};
    key.insert(key.end(), p.bounds.begin(), p.bounds.end());
    for (const Unit::State& u : p.units) {
      key.push_back(u.zeros);
      key.push_back(static_cast<std::uint32_t>(u.rest));
      key.push_back(static_cast<std::uint32_t>(u.rest >> 32));
    }
    const auto [id, fresh] = index_.add(key);
    if (fresh) {
      places_.push_back(p);
      accepting_.push_back(ends(p) ? 1 : 0);
      table_.resize(table_.size() + 15, NumberDfa::kDead);
    }
    return static_cast<State>(id);
  }

  // By a class of NumberDfa; false: no number goes on like this.
  bool step(Place& p, std::uint8_t c) const {
    if (c == 11 && p.phase == kStart) return begin(p, true);
    if (c < 10) {
      if (p.phase == kStart && !begin(p, false)) return false;
      return digit(p, static_cast<char>('0' + c));
    }
    if (c == 10) return (p.phase == kZero || p.phase == kWhole) && point(p);
    if (!plain_) return false;
    if ((c == 11 || c == 12) && p.phase == kExponent) return p.phase = kExponentSign, true;
    if (c >= 13 && may_end(p.phase) && p.phase != kExponentDigits) return p.phase = kExponent, true;
    return false;
  }

  bool begin(Place& p, bool negative) const {
    const Sign& sign = signs_[negative ? 1 : 0];
    if (!sign.possible) return false;
    p.phase = kMinus;  // the same place: a digit comes
    p.negative = negative && sign_matters_;
    for (const Bound& bound : sign.bounds) p.bounds.push_back(bound.first());
    return !negative || listed(p, 11);
  }

  bool listed(Place& p, std::size_t c) const {
    if (spec_.values && (p.value = values_.step(p.value, c)) == Values::kNo) return false;
    p.excluded = excluded_.step(p.excluded, c);
    return true;
  }

  bool digit(Place& p, char c) const {
    switch (p.phase) {
      case kMinus:
        p.phase = c == '0' ? kZero : kWhole;
        break;
      case kWhole:
        break;
      case kPoint:
      case kFraction:
        p.phase = kFraction;
        break;
      case kExponent:
      case kExponentSign:
      case kExponentDigits:
        return p.phase = kExponentDigits, true;
      default:
        return false;
    }
    const bool in_fraction = p.phase == kFraction;
    if (in_fraction && spec_.integer && c != '0') return false;
    p.nonzero |= spec_.canonical && c != '0';
    p.fraction |= spec_.fraction && in_fraction && c != '0';
    p.ends_in_zero = spec_.canonical && in_fraction && c == '0';
    const Sign& sign = signs_[p.negative ? 1 : 0];
    for (std::size_t i = 0; i < sign.bounds.size() && p.phase != kZero; ++i) {
      p.bounds[i] = sign.bounds[i].digit(p.bounds[i], c, in_fraction);
      if (p.bounds[i] == Bound::kFails) return false;
    }
    if (!units(p, c, in_fraction)) return false;
    return listed(p, static_cast<std::size_t>(c - '0'));
  }

  // Precondition: p.places is the number of digits of the fraction before this one, as far as it counts.
  bool units(Place& p, char c, bool in_fraction) const {
    for (std::size_t i = 0; i < units_.size(); ++i) {
      Unit::State& state = p.units[i];
      const bool wanted = i < spec_.multiples.size();
      if (state.zeros == kNotMultiple) continue;
      const std::uint32_t scale = units_[i].scale;
      if (!in_fraction || p.places < scale) {
        state = units_[i].digit(state, c);
        if (!in_fraction || p.places + 1 < scale || units_[i].ends(state, 0)) continue;
      } else if (c == '0') {
        continue;
      }
      if (wanted) return false;
      state = {kNotMultiple, 0};
    }
    if (in_fraction) p.places = std::min(p.places + 1, max_places_);
    return true;
  }

  bool point(Place& p) const {
    p.phase = kPoint;
    const Sign& sign = signs_[p.negative ? 1 : 0];
    for (std::size_t i = 0; i < sign.bounds.size(); ++i) {
      p.bounds[i] = sign.bounds[i].point(p.bounds[i]);
      if (p.bounds[i] == Bound::kFails) return false;
    }
    for (std::size_t i = 0; i < units_.size(); ++i) {
      if (units_[i].scale > 0 || p.units[i].zeros == kNotMultiple || units_[i].ends(p.units[i], 0)) continue;
      if (i < spec_.multiples.size()) return false;
      p.units[i] = {kNotMultiple, 0};
    }
    return listed(p, 10);
  }

  bool ends(const Place& p) const {
    if (!may_end(p.phase)) return false;
    if (spec_.fraction && !p.fraction) return false;
    if (spec_.canonical && ((p.negative && !p.nonzero) || p.ends_in_zero)) return false;
    const Sign& sign = signs_[p.negative ? 1 : 0];
    for (std::size_t i = 0; i < sign.bounds.size(); ++i) {
      if (!sign.bounds[i].ends(p.bounds[i], p.phase == kFraction)) return false;
    }
    for (std::size_t i = 0; i < units_.size(); ++i) {
      const Unit::State& state = p.units[i];
      const std::uint32_t missing = units_[i].scale - std::min(p.places, units_[i].scale);
      const bool multiple = state.zeros != kNotMultiple && units_[i].ends(state, missing);
      if (multiple != (i < spec_.multiples.size())) return false;
    }
    if (spec_.values && !values_.ends(p.value)) return false;
    return !excluded_.ends(p.excluded);
  }

  const NumberSpec& spec_;
  const std::size_t max_states_;
  const Sign signs_[2];  // positive, negative
  const Values values_, excluded_;
  bool plain_ = false, sign_matters_ = false;
  std::vector<Unit> units_;
  std::uint32_t max_places_ = 0;
  TupleIndex index_;
  std::vector<Place> places_;
  std::vector<std::uint32_t> key_;
};

}  // namespace

class NumberDfaBuilder {
 public:
  // Keeps the states that lead to acceptance, with the least bytes to it.
  static std::shared_ptr<const NumberDfa> finish(const Explorer& found) {
    constexpr std::size_t kClasses = NumberDfa::kClasses;
    const std::size_t states = found.accepting_.size();
    std::vector<std::vector<std::uint32_t>> before(states);
    for (std::size_t i = 0; i < found.table_.size(); ++i) {
      if (found.table_[i] == NumberDfa::kDead) continue;
      before[static_cast<std::size_t>(found.table_[i])].push_back(static_cast<std::uint32_t>(i / kClasses));
    }
    std::vector<std::uint32_t> shortest(states, UINT32_MAX), todo;
    for (std::uint32_t s = 0; s < states; ++s) {
      if (found.accepting_[s] != 0) shortest[s] = 0, todo.push_back(s);
    }
    for (std::size_t i = 0; i < todo.size(); ++i) {
      for (std::uint32_t from : before[todo[i]]) {
        if (shortest[from] != UINT32_MAX) continue;
        shortest[from] = shortest[todo[i]] + 1;
        todo.push_back(from);
      }
    }
    auto out = std::make_shared<NumberDfa>();
    if (states == 0 || shortest[0] == UINT32_MAX) return out;
    std::vector<State> name(states, NumberDfa::kDead);
    for (std::size_t s = 0; s < states; ++s) {
      if (shortest[s] == UINT32_MAX) continue;
      name[s] = static_cast<State>(out->accepting_.size());
      out->accepting_.push_back(found.accepting_[s]);
      out->shortest_.push_back(shortest[s]);
    }
    for (std::size_t s = 0; s < states; ++s) {
      if (name[s] == NumberDfa::kDead) continue;
      for (std::size_t c = 0; c < kClasses; ++c) {
        const State to = found.table_[s * kClasses + c];
        out->table_.push_back(to == NumberDfa::kDead ? to : name[static_cast<std::size_t>(to)]);
      }
    }
    count(*out);
    return out;
  }

 private:
  // Backwards from the ends; a state that is never done leads to a cycle, and every cycle to acceptance.
  static void count(NumberDfa& dfa) {
    const std::size_t states = dfa.size();
    std::vector<std::vector<std::uint32_t>> before(states);
    std::vector<std::uint32_t> open(states, 0), todo;
    std::vector<std::uint64_t> sum(dfa.accepting_.begin(), dfa.accepting_.end());
    for (std::size_t i = 0; i < dfa.table_.size(); ++i) {
      if (dfa.table_[i] == NumberDfa::kDead) continue;
      const auto from = static_cast<std::uint32_t>(i / NumberDfa::kClasses);
      before[static_cast<std::size_t>(dfa.table_[i])].push_back(from);
      ++open[from];
    }
    dfa.counts_.assign(states, CharDfa::kMany);
    for (std::uint32_t s = 0; s < states; ++s) {
      if (open[s] == 0) todo.push_back(s);
    }
    while (!todo.empty()) {
      const std::uint32_t at = todo.back();
      todo.pop_back();
      dfa.counts_[at] = sum[at];
      for (std::uint32_t from : before[at]) {
        sum[from] = std::min(CharDfa::kMany, sum[from] + sum[at]);
        if (--open[from] == 0) todo.push_back(from);
      }
    }
  }
};

Expected<std::shared_ptr<const NumberDfa>> NumberDfa::build(const NumberSpec& spec, std::size_t max_states) {
  Explorer explorer(spec, max_states);
  SGL_TRY_STATUS(explorer.run());
  return NumberDfaBuilder::finish(explorer);
}

}  // namespace sgl::constraint
