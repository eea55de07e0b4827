// The constants of a plan, found by what they are. Internal to compiler/passes.
#pragma once

#include <string>
#include <unordered_map>

#include "runtime/plan/plan.h"

namespace sgl::compiler {

// Made in O(constants). Lists and records are not looked for.
class ConstantPool {
 public:
  explicit ConstantPool(plan::Plan& plan);

  // May a text of so many bytes be added? What programs write out never fills it; text that doubles would.
  bool has_room(std::size_t bytes) const { return bytes <= room_; }
  // The plan's first constant that is the same by bits (0.0 and -0.0 are not), or a new one.
  plan::ConstId find_or_add(const plan::Constant& constant);
  plan::ConstId text(std::string text);

 private:
  static std::string key(const plan::Constant& constant);

  plan::Plan& plan_;
  std::size_t room_ = std::size_t{4} << 20;  // bytes of texts
  std::unordered_map<std::string, plan::ConstId> known_;
};

}  // namespace sgl::compiler
