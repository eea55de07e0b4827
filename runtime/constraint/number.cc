#include "runtime/constraint/number.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace sgl::constraint {
namespace {

// x as a decimal without sign: no leading zeros in `whole` except "0", no trailing zeros in `fraction`.
struct Decimal {
  std::string whole = "0", fraction;
};

Decimal decimal_of(double value) {
  // The shortest digits that read back the same, moved by the exponent.
  const std::string text = fmt::format("{}", std::fabs(value));
  std::string digits;
  int point = -1, exponent = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '.') {
      point = static_cast<int>(digits.size());
    } else if (text[i] == 'e') {
      exponent = std::stoi(text.substr(i + 1));
      break;
    } else {
      digits.push_back(text[i]);
    }
  }
  if (point < 0) point = static_cast<int>(digits.size());
  point += exponent;
  if (point < 0) digits.insert(0, static_cast<std::size_t>(-point), '0'), point = 0;
  if (static_cast<std::size_t>(point) > digits.size())
    digits.append(static_cast<std::size_t>(point) - digits.size(), '0');
  Decimal out{digits.substr(0, static_cast<std::size_t>(point)), digits.substr(static_cast<std::size_t>(point))};
  out.whole.erase(0, std::min(out.whole.find_first_not_of('0'), out.whole.size()));
  if (out.whole.empty()) out.whole = "0";
  out.fraction.erase(out.fraction.find_last_not_of('0') + 1);
  return out;
}

// Compares the digits of a number with a bound as they come. `order`: the number against the bound so far.
struct Comparison {
  int order = 0;
  std::size_t digits = 0;  // read in the current part, no more than the bound's part + 1
  bool in_fraction = false;
  friend auto operator<=>(const Comparison&, const Comparison&) = default;

  void digit(const Decimal& bound, char c) {
    const std::string& part = in_fraction ? bound.fraction : bound.whole;
    if (in_fraction) {
      const char other = digits < part.size() ? part[digits] : '0';
      if (order == 0) order = c < other ? -1 : c > other ? 1 : 0;
    } else if (digits < part.size()) {
      if (order == 0) order = c < part[digits] ? -1 : c > part[digits] ? 1 : 0;
    } else {
      order = 1;  // more digits than the bound
    }
    digits = std::min(digits + 1, part.size() + 1);
    // Once decided, how many fraction digits came no longer matters.
    if (in_fraction && order != 0) digits = 0;
  }
  void point(const Decimal& bound) {
    if (digits < bound.whole.size()) order = -1;
    in_fraction = true;
    digits = 0;
  }
  // Order of the number when it ends here. The bound's fraction has no trailing zeros, so a shorter one is less.
  int final(const Decimal& bound) const {
    if (!in_fraction && digits < bound.whole.size()) return -1;
    if (order != 0) return order;
    return (in_fraction ? digits : 0) < bound.fraction.size() ? -1 : 0;
  }
};

// Non-negative decimals in [low, high]; absent: no bound. Numbers are digits, or digits "." digits.
void decimals(Graph& graph, NodeId from, const std::optional<Decimal>& low, const std::optional<Decimal>& high,
              NodeId to) {
  struct Place {
    Comparison low, high;
    int phase = 0;  // 0: nothing yet, 1: a single zero, 2: whole digits, 3: just after the point, 4: fraction digits
    auto operator<=>(const Place&) const = default;
  };
  std::map<Place, NodeId> nodes{{Place{}, from}};
  std::vector<Place> todo{Place{}};
  const auto node_of = [&](const Place& place) {
    const auto [it, fresh] = nodes.try_emplace(place, 0);
    if (fresh) {
      it->second = graph.node();
      todo.push_back(place);
    }
    return it->second;
  };
  for (std::size_t i = 0; i < todo.size() && !graph.over_limit(); ++i) {
    const Place place = todo[i];
    const NodeId here = nodes.at(place);
    const bool ends = place.phase == 1 || place.phase == 2 || place.phase == 4;
    if (ends && (!low || place.low.final(*low) >= 0) && (!high || place.high.final(*high) <= 0)) graph.jump(here, to);
    for (char c = '0'; c <= '9' && place.phase != 1; ++c) {
      Place next = place;
      if (low) next.low.digit(*low, c);
      if (high) next.high.digit(*high, c);
      next.phase = place.phase >= 3 ? 4 : place.phase == 0 && c == '0' ? 1 : 2;
      graph.edge(here, static_cast<unsigned char>(c), static_cast<unsigned char>(c), node_of(next));
    }
    if (place.phase == 1 || place.phase == 2) {
      Place next = place;
      if (low) next.low.point(*low);
      if (high) next.high.point(*high);
      next.phase = 3;
      graph.edge(here, '.', '.', node_of(next));
    }
  }
}

// Whole numbers in [low, high] without leading zeros.
void integers(Graph& graph, NodeId from, std::uint64_t low, std::uint64_t high, NodeId to) {
  const std::string last = std::to_string(high);
  for (std::size_t size = std::to_string(low).size(); size <= last.size(); ++size) {
    // At most 19 digits, so nothing overflows.
    std::uint64_t least = size == 1 ? 0 : 1, most = 9;
    for (std::size_t i = 1; i < size; ++i) least *= 10, most = most * 10 + 9;
    const std::string a = std::to_string(std::max(low, least)), b = std::to_string(std::min(high, most));
    // Nodes by digits read and whether they are those of a and of b.
    std::map<std::tuple<std::size_t, bool, bool>, NodeId> nodes{{{0, true, true}, from}};
    for (std::size_t i = 0; i < size; ++i) {
      for (const bool at_a : {true, false}) {
        for (const bool at_b : {true, false}) {
          const auto here = nodes.find({i, at_a, at_b});
          if (here == nodes.end()) continue;
          const char begin = at_a ? a[i] : '0', end = at_b ? b[i] : '9';
          for (char c = begin; c <= end; ++c) {
            const bool next_a = at_a && c == a[i], next_b = at_b && c == b[i];
            NodeId next = to;
            if (i + 1 < size) {
              const auto [it, fresh] = nodes.try_emplace({i + 1, next_a, next_b}, 0);
              if (fresh) it->second = graph.node();
              next = it->second;
            }
            graph.edge(nodes.at({i, at_a, at_b}), static_cast<unsigned char>(c), static_cast<unsigned char>(c), next);
          }
        }
      }
    }
  }
}

}  // namespace

FragmentId integer_range(Graph& graph, std::int64_t min, std::int64_t max) {
  const FragmentId id = graph.begin();
  const NodeId start = graph.fragment(id).start, exit = graph.fragment(id).exit;
  if (max >= 0)
    integers(graph, start, min > 0 ? static_cast<std::uint64_t>(min) : 0, static_cast<std::uint64_t>(max), exit);
  if (min < 0) {
    const NodeId digits = graph.node();
    graph.edge(start, '-', '-', digits);
    // Magnitudes, computed without overflow for the least integer.
    const std::uint64_t low = max < 0 ? static_cast<std::uint64_t>(-(max + 1)) + 1 : 1;
    integers(graph, digits, low, static_cast<std::uint64_t>(-(min + 1)) + 1, exit);
  }
  graph.seal(id);
  return id;
}

FragmentId json_number(Graph& graph) {
  const FragmentId id = graph.begin();
  const NodeId start = graph.fragment(id).start, exit = graph.fragment(id).exit;
  const NodeId whole = graph.node(), after_whole = graph.node(), more = graph.node(), point = graph.node();
  const NodeId fraction = graph.node(), exponent = graph.node(), sign = graph.node(), digits = graph.node();
  graph.edge(start, '-', '-', whole), graph.jump(start, whole);
  graph.edge(whole, '0', '0', after_whole), graph.edge(whole, '1', '9', more);
  graph.edge(more, '0', '9', more), graph.jump(more, after_whole);
  graph.jump(after_whole, exit), graph.edge(after_whole, '.', '.', point), graph.edge(point, '0', '9', fraction);
  graph.edge(fraction, '0', '9', fraction), graph.jump(fraction, exit);
  for (NodeId from : {after_whole, fraction})
    graph.edge(from, 'e', 'e', exponent), graph.edge(from, 'E', 'E', exponent);
  graph.edge(exponent, '+', '+', sign), graph.edge(exponent, '-', '-', sign), graph.jump(exponent, sign);
  graph.edge(sign, '0', '9', digits), graph.edge(digits, '0', '9', digits), graph.jump(digits, exit);
  graph.seal(id);
  return id;
}

FragmentId decimal_range(Graph& graph, std::optional<double> min, std::optional<double> max) {
  const FragmentId id = graph.begin();
  const NodeId start = graph.fragment(id).start, exit = graph.fragment(id).exit;
  const auto bound = [](std::optional<double> b) { return b ? std::optional(decimal_of(*b)) : std::nullopt; };
  // x in [min, max] with x >= 0, or -x with x in [-max, -min] and x >= 0.
  if (!max || *max >= 0) decimals(graph, start, min && *min > 0 ? bound(min) : std::nullopt, bound(max), exit);
  if (!min || *min <= 0) {
    const NodeId magnitude = graph.node();
    graph.edge(start, '-', '-', magnitude);
    decimals(graph, magnitude, max && *max < 0 ? bound(max) : std::nullopt, bound(min), exit);
  }
  graph.seal(id);
  return id;
}

}  // namespace sgl::constraint
