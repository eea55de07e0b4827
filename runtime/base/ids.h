// Typed ids: an index that cannot be mixed up with another kind of index (docs/architecture.md, rule 6).
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace sgl::base {

// `Tag` makes the type; `Rep` is an unsigned integer. Hashable and ordered by value.
template <typename Tag, typename Rep = std::uint32_t>
struct Id {
  Rep value = 0;
  constexpr Id() = default;
  constexpr explicit Id(Rep v) : value(v) {}
  friend constexpr auto operator<=>(const Id&, const Id&) = default;
};

}  // namespace sgl::base

template <typename Tag, typename Rep>
struct std::hash<sgl::base::Id<Tag, Rep>> {
  std::size_t operator()(const sgl::base::Id<Tag, Rep>& id) const noexcept { return std::hash<Rep>{}(id.value); }
};
