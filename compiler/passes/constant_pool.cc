#include "compiler/passes/constant_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace sgl::compiler {

using plan::Constant;
using Kind = Constant::Kind;

std::string ConstantPool::key(const Constant& constant) {
  return fmt::format("{} {} {} {}", static_cast<int>(constant.kind), constant.number,
                     std::bit_cast<std::uint64_t>(constant.real), constant.text);
}

ConstantPool::ConstantPool(plan::Plan& plan) : plan_(plan) {
  for (std::uint32_t i = 0; i < plan.constants.size(); ++i) {
    const Constant& constant = plan.constants[i];
    if (constant.kind == Kind::kList || constant.kind == Kind::kRecord) continue;
    known_.try_emplace(key(constant), plan::ConstId(i));
  }
}

plan::ConstId ConstantPool::find_or_add(const Constant& constant) {
  const auto [it, is_new] =
      known_.try_emplace(key(constant), plan::ConstId(static_cast<std::uint32_t>(plan_.constants.size())));
  if (is_new) {
    plan_.constants.push_back(constant);
    room_ -= std::min(room_, constant.text.size());
  }
  return it->second;
}

plan::ConstId ConstantPool::text(std::string text) {
  Constant constant;
  constant.kind = Kind::kString;
  constant.text = std::move(text);
  return find_or_add(constant);
}

}  // namespace sgl::compiler
