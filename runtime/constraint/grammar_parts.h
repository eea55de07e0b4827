// Loops of automata: what a text may do inside a name, a string, a comment. They are few and alike in all grammars, so
// they are interned for the life of the process, and what tokens do within one is found out once for a vocabulary.
// Private to runtime/constraint.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "runtime/constraint/grammar_network.h"

namespace sgl::constraint {

class GrammarParts final : public RegularParts {
 public:
  static GrammarParts& all();

  // For every node of the network its place, kNowhere where it is in no loop, or in a large one. The ends of a place
  // are all ways out of its loop. O(edges · states of a loop).
  std::vector<std::int32_t> places(const GrammarNetwork& network);

  std::int32_t part_step(std::int32_t place, unsigned char byte) const override;
  bool part_ends(std::int32_t place) const override;
  std::uint64_t parts_id() const override { return UINT64_MAX; }  // no machine has it

 private:
  struct Place {
    std::vector<Edge> edges;  // to other places
    bool ends = false;
  };
  std::int32_t intern(const std::vector<Place>& loop);  // the place of its first one

  mutable std::mutex mutex_;
  std::map<std::string, std::int32_t> known_;
  std::deque<Place> places_;
};

}  // namespace sgl::constraint
