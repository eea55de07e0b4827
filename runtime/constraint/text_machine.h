// Bare text of which only the number of characters is bounded. A state is a count and a place in a character, so
// nothing is compiled, and masks are those of the vocabulary by number of characters. Private to runtime/constraint.
#pragma once

#include <unordered_map>

#include "runtime/constraint/machine.h"

namespace sgl::constraint {

class TextMachine final : public Machine {
 public:
  // Code points; max < 0: unbounded. Precondition: max < 0 or 0 <= min <= max.
  TextMachine(std::int64_t min, std::int64_t max, const Limits& limits);

  std::int64_t min() const { return min_; }
  std::int64_t max() const { return max_; }  // below 0: unbounded
  int only_byte(StateId) const override { return -1; }
  int shortest_byte(StateId state) const override;
  std::optional<FreeText> free_text(StateId state) const override;
  std::optional<std::uint64_t> longest() const override;
  // Needs no states.
  std::optional<Run> run(std::string_view text) const override;

 private:
  struct Place {
    std::int64_t chars = 0;  // whole ones; no more than make a difference
    int utf8 = 0;            // Utf8Place
    friend bool operator==(const Place&, const Place&) = default;
  };
  StateId expand(StateId from, unsigned char byte) const override;
  // -1 in utf8: there is none.
  Place after(Place place, unsigned char byte) const;
  StateId intern(Place place) const;
  Place at(StateId state) const;

  const std::int64_t min_, max_;
  mutable std::vector<Place> places_;  // by state
  mutable std::unordered_map<std::uint64_t, StateId> index_;
};

}  // namespace sgl::constraint
