#include "runtime/constraint/plan_constraints.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "runtime/constraint/compiled.h"
#include "runtime/constraint/plan_types.h"

namespace sgl::constraint {
namespace {

// As compile_type holds the constraint to.
LoadLimits load_limits() {
  LoadLimits out;
  out.schema.max_states = out.type.max_states;
  return out;
}

bool worth_carrying(const plan::Type& type) {
  switch (type.kind) {
    case plan::TypeKind::kNull:
    case plan::TypeKind::kBool:
    case plan::TypeKind::kInt:
    case plan::TypeKind::kFloat:
    case plan::TypeKind::kLiteral:
      return false;
    case plan::TypeKind::kString:
      return !type.pattern.empty() || !type.format.empty();
    case plan::TypeKind::kList:
    case plan::TypeKind::kRecord:
    case plan::TypeKind::kUnion:
    case plan::TypeKind::kRegex:
    case plan::TypeKind::kGrammar:
    case plan::TypeKind::kJson:
      return true;
  }
  return false;
}

const plan::CompiledConstraint* carried(const plan::Plan& plan, plan::TypeId type) {
  const auto at =
      std::lower_bound(plan.constraints.begin(), plan.constraints.end(), type,
                       [](const plan::CompiledConstraint& c, plan::TypeId id) { return c.type.value < id.value; });
  return at != plan.constraints.end() && at->type == type ? &*at : nullptr;
}

}  // namespace

base::Expected<PlanConstraint> constraint_of(const plan::Plan& plan, plan::TypeId type) {
  PlanConstraint out;
  const TypeSpec spec = spec_of(plan, type, false);
  if (const plan::CompiledConstraint* made = carried(plan, type)) {
    auto loaded = load(made->bytes, digest_of(spec), load_limits());
    if (loaded.ok()) return PlanConstraint{std::move(loaded).value(), true, ""};
    out.refused = loaded.error().message;
  }
  SGL_TRY(out.constraint, compile_type(spec));
  return out;
}

base::Expected<CarryReport> carry_constraints(plan::Plan& plan, const CarryLimits& limits) {
  std::set<std::uint32_t> types;
  for (const plan::GenSpec& spec : plan.gens) {
    if (worth_carrying(plan.type(spec.type))) types.insert(spec.type.value);
  }
  CarryReport out;
  plan.constraints.clear();
  LoadLimits held = load_limits();
  held.max_bytes = std::min(held.max_bytes, limits.max_bytes);
  for (const std::uint32_t id : types) {
    const plan::TypeId type(id);
    const TypeSpec spec = spec_of(plan, type, false);
    const auto compiled = compile_type(spec);
    if (!compiled.ok()) {
      const std::string& name = plan.type(type).name;
      return base::Error{compiled.error().kind, fmt::format("type {}{}: {}", id, name.empty() ? "" : " '" + name + "'",
                                                            compiled.error().message)};
    }
    auto bytes = save(**compiled, digest_of(spec), held);
    if (!bytes.ok()) {
      out.left_out.push_back({type, bytes.error().message});
    } else if (out.bytes + bytes->size() > limits.max_total) {
      out.left_out.push_back(
          {type, fmt::format("all compiled constraints together would have more than {} bytes", limits.max_total)});
    } else {
      ++out.count;
      out.bytes += bytes->size();
      plan.constraints.push_back({type, std::move(bytes).value()});
    }
  }
  return out;
}

}  // namespace sgl::constraint
