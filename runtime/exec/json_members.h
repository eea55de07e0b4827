// Finds members of a JSON object by their names. Internal to runtime/exec.
#pragma once

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <vector>

namespace sgl::exec {

// Of one object, which outlives it. Names that are asked for in the order of the object, as those of a record mostly
// are, are found at once. After a few others there is an index, so that all searches together take time n log n.
class JsonMembers {
 public:
  using Json = nlohmann::ordered_json;

  explicit JsonMembers(const Json& object) : members_(object.get_ref<const Json::object_t&>()) {}

  // The value; nullptr: there is no such member.
  const Json* find(const std::string& name) {
    const std::size_t at = next_ < members_.size() && key(next_) == name ? next_ : search(name);
    if (at == members_.size()) return nullptr;
    next_ = at + 1;
    return &members_.data()[at].second;
  }

 private:
  static constexpr std::size_t kFew = 16;  // members, and searches, for which an index does not pay

  const std::string& key(std::size_t at) const { return members_.data()[at].first; }

  // The position of the member; that after the last: there is none. Apart from `find`, which the reader of values
  // has in a frame that recurses.
  [[gnu::noinline]] std::size_t search(const std::string& name) {
    if (members_.size() <= kFew || ++searches_ <= kFew) {
      std::size_t at = 0;
      while (at < members_.size() && key(at) != name) ++at;
      return at;
    }
    if (by_name_.empty()) {
      by_name_.resize(members_.size());
      std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
      std::sort(by_name_.begin(), by_name_.end(), [this](std::size_t a, std::size_t b) { return key(a) < key(b); });
    }
    const auto it = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                                     [this](std::size_t at, const std::string& wanted) { return key(at) < wanted; });
    return it != by_name_.end() && key(*it) == name ? *it : members_.size();
  }

  const Json::object_t& members_;
  std::size_t next_ = 0;              // behind the one that was found last
  std::size_t searches_ = 0;          // without the index
  std::vector<std::size_t> by_name_;  // positions in the order of the names, when there were many searches
};

}  // namespace sgl::exec
