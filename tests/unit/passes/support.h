// Plans from source text, and questions about them.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "compiler/driver/driver.h"

namespace sgl::compiler::test {

inline plan::Plan compiled(const std::string& source, bool optimize = true) {
  CompileOptions options;
  options.optimize = optimize;
  const auto compilation = compile_text("test.sgl", source, Stage::kPlan, options);
  REQUIRE_MESSAGE(compilation->plan.has_value(),
                  render_text(compilation->sources, compilation->diagnostics.sorted(), false));
  return *compilation->plan;
}

inline const plan::Function& function_named(const plan::Plan& plan, std::string_view name) {
  const auto it = std::find_if(plan.functions.begin(), plan.functions.end(), [&](const plan::Function& f) { return f.name == name; });
  REQUIRE(it != plan.functions.end());
  return *it;
}

inline std::size_t count(const plan::Function& function, plan::Op op) {
  return static_cast<std::size_t>(
      std::count_if(function.code.begin(), function.code.end(), [&](const plan::Inst& inst) { return inst.op == op; }));
}

// Texts of the constant strings that a function loads, in order.
inline std::vector<std::string> texts(const plan::Plan& plan, const plan::Function& function) {
  std::vector<std::string> out;
  for (const plan::Inst& inst : function.code) {
    if (inst.op != plan::Op::kConst) continue;
    const plan::Constant& constant = plan.constants[inst.a];
    if (constant.kind == plan::Constant::Kind::kString) out.push_back(constant.text);
  }
  return out;
}

}  // namespace sgl::compiler::test
