#include "runtime/constraint/text_machine.h"

#include <algorithm>

#include "runtime/constraint/utf8_place.h"

namespace sgl::constraint {

TextMachine::TextMachine(std::int64_t min, std::int64_t max, const Limits& limits)
    : Machine(limits.max_states), min_(min), max_(max) {
  std::uint8_t current = 0;
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (byte > 0 && std::find(std::begin(kUtf8Runs), std::end(kUtf8Runs), byte) != std::end(kUtf8Runs)) ++current;
    class_of_[byte] = current;
  }
  intern({});
}

TextMachine::Place TextMachine::after(Place place, unsigned char byte) const {
  if (place.utf8 == kBetween && max_ >= 0 && place.chars >= max_) return {0, -1};
  place.utf8 = utf8_step(place.utf8, byte);
  // Where there is no maximum, it does not matter by how much the minimum is exceeded.
  if (place.utf8 == kBetween && (max_ >= 0 || place.chars < min_)) ++place.chars;
  return place;
}

StateId TextMachine::intern(Place place) const {
  const std::uint64_t key = static_cast<std::uint64_t>(place.chars) * kPlaces + static_cast<std::uint64_t>(place.utf8);
  const auto known = index_.find(key);
  if (known != index_.end()) return known->second;
  Facts facts;
  facts.accepting = place.utf8 == kBetween && place.chars >= min_;
  // The unfinished character counts as one.
  const std::int64_t begun = place.chars + (place.utf8 == kBetween ? 0 : 1);
  facts.rest = utf8_missing(place.utf8) + static_cast<std::uint64_t>(std::max<std::int64_t>(min_ - begun, 0));
  facts.may.reset();
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (after(place, static_cast<unsigned char>(byte)).utf8 >= 0) facts.may.set(byte);
  }
  facts.final = facts.may.none();
  const StateId id = add_state(facts);
  if (id < 0) return id;
  places_.push_back(place);
  index_.emplace(key, id);
  return id;
}

StateId TextMachine::expand(StateId from, unsigned char byte) const {
  const Place next = after(places_[static_cast<std::size_t>(from)], byte);
  return next.utf8 < 0 ? kNoState : intern(next);
}

TextMachine::Place TextMachine::at(StateId state) const {
  const std::lock_guard lock(mutex_);
  return places_[static_cast<std::size_t>(state)];
}

// A space: a vocabulary has many of them in one token.
int TextMachine::shortest_byte(StateId state) const {
  const Place place = at(state);
  return place.utf8 == kBetween ? ' ' : utf8_least(place.utf8);
}

std::optional<FreeText> TextMachine::free_text(StateId state) const {
  const Place place = at(state);
  if (place.utf8 != kBetween) return std::nullopt;
  return FreeText{max_ < 0 ? -1 : max_ - place.chars, std::max<std::int64_t>(min_ - place.chars, 0)};
}

std::optional<std::uint64_t> TextMachine::longest() const {
  constexpr std::uint64_t kMostBytes = 4;  // of a character
  const std::uint64_t most = max_ < 0 ? kInfinite : static_cast<std::uint64_t>(max_);
  return most < kInfinite / kMostBytes ? std::optional(most * kMostBytes) : std::nullopt;
}

std::optional<Machine::Run> TextMachine::run(std::string_view text) const {
  Place place;
  for (const char c : text) {
    place = after(place, static_cast<unsigned char>(c));
    if (place.utf8 < 0) return std::nullopt;
  }
  return Run{place.utf8 == kBetween && place.chars >= min_};
}

}  // namespace sgl::constraint
