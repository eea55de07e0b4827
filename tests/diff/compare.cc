#include "tests/diff/compare.h"

#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

#include "runtime/exec/jit/attach.h"
#include "runtime/plan/verify.h"

namespace sgl::diff {

std::shared_ptr<const exec::LoadedPlan> load(const plan::Plan& plan, Mode mode) {
  const base::Status verified = plan::verify(plan);
  if (!verified.ok()) throw std::runtime_error("the compiler's plan is refused: " + verified.error().message);
  auto loaded = std::make_shared<exec::LoadedPlan>(plan);
  if (mode == Mode::kCompiled) {
    const base::Status attached = exec::attach_jit(*loaded);
    if (!attached.ok()) throw std::runtime_error("the plan cannot be compiled: " + attached.error().message);
  }
  return loaded;
}

namespace {

// "gen [2].sub_1 reply = x" to "gen reply = x".
std::string without_label(const std::string& line) {
  const std::size_t label = line.find(' ');
  if (label == std::string::npos || !(line.starts_with("gen ") || line.starts_with("select "))) return line;
  const std::size_t name = line.find(' ', label + 1);
  return name == std::string::npos ? line : line.substr(0, label) + line.substr(name);
}

}  // namespace

std::string report(const exec::RunResult& result) {
  std::string out = fmt::format("{}\nat {}:{}\n", exec::test::outcome(result), result.error_position.line, result.error_position.column);
  // When a fork fails, how much its later siblings had done before they were cancelled depends on timing.
  if (result.value.ok() || result.forks == 0) {
    out += fmt::format("{} generations, {} selects, {} forks, {} tokens, fuel {}\n", result.generations, result.selects, result.forks,
                       result.usage.generated_tokens, result.fuel_used);
  }
  for (const std::string& line : result.trace) out += line + "\n";
  return out;
}

std::string meaning(const exec::RunResult& result) {
  std::string out = fmt::format("{}\nat {}:{}\n", exec::test::outcome(result), result.error_position.line, result.error_position.column);
  for (const std::string& line : result.trace) out += without_label(line) + "\n";
  return out;
}

}  // namespace sgl::diff
