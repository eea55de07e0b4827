// From a request's JSON to a run: which entry point, arguments, limits; and what it may cost.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/diag/diag.h"
#include "runtime/base/json.h"
#include "runtime/exec/convert.h"
#include "runtime/plan/codec.h"
#include "server/api/fields.h"
#include "server/api/programs.h"

namespace sgl::server {
namespace {

// What a run of a remote program may spend at most; requests and programs can only lower it.
constexpr std::int64_t kMaxTokens = 1'000'000;
constexpr std::int64_t kMaxTimeMs = 600'000;
constexpr std::int64_t kMaxForks = 10'000;
constexpr std::int64_t kMaxFuel = 2'000'000'000;
constexpr std::int64_t kMaxMemory = std::int64_t{256} << 20;

// Of a generation that gives none; compiler/passes/bounds.cc counts it so.
constexpr int kDefaultMaxTokens = 256;

const plan::Program* choose(const plan::Plan& plan, const std::string& name, std::string& why) {
  std::vector<std::string> names;
  for (const plan::Program& program : plan.programs) names.push_back(program.name);
  if (!name.empty()) {
    const plan::Program* found = plan.find_program(name);
    const std::string hint = compiler::did_you_mean(name, names);
    if (found == nullptr) {
      why = fmt::format("there is no program '{}'; {}", name,
                        hint.empty() ? fmt::format("there is: {}", fmt::join(names, ", ")) : hint);
    }
    return found;
  }
  if (names.size() == 1) return &plan.programs.front();
  if (const plan::Program* main = plan.find_program("main")) return main;
  why = names.empty()
            ? "the plan has no program"
            : fmt::format("the source has several programs; name one in 'program': {}", fmt::join(names, ", "));
  return nullptr;
}

void read_limits(const Json& given, exec::RunLimits& limits, Fields& fields) {
  Fields inner(given, "/limits");
  const auto lower = [&](const char* name, std::int64_t& limit) {
    if (const auto value = inner.integer(name, 1)) limit = std::min(limit, *value);
  };
  lower("tokens", limits.tokens);
  lower("time_ms", limits.time_ms);
  lower("forks", limits.forks);
  lower("fuel", limits.fuel);
  lower("memory", limits.memory);
  inner.finish();
  if (!inner.error()) return;
  fields.fail("limits", inner.error()->message);
  fields.point(inner.error()->pointer);
}

// The first argument that does not fit, with its pointer.
std::optional<ApiError> check_arguments(const plan::Plan& plan, const plan::Program& program, const Json& args) {
  std::vector<std::string> names;
  for (const plan::Param& param : program.params) names.push_back(param.name);
  for (const auto& [name, value] : args.items()) {
    const auto it = std::find_if(program.params.begin(), program.params.end(),
                                 [&, n = name](const plan::Param& p) { return p.name == n; });
    if (it == program.params.end()) {
      const std::string hint = compiler::did_you_mean(name, names);
      return ApiError{
          400, fmt::format("program '{}' has no parameter '{}'{}", program.name, name, hint.empty() ? "" : "; " + hint),
          "/args/" + name};
    }
    const auto converted = exec::value_from_json(plan, it->type, value, name);
    if (!converted.ok()) return ApiError{400, "argument " + converted.error().message, "/args/" + name};
  }
  for (const plan::Param& param : program.params) {
    if (!param.default_value && !args.contains(param.name)) {
      return ApiError{400, fmt::format("argument '{}' of program '{}' is missing", param.name, program.name),
                      "/args/" + param.name};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<ApiError> read_run(Call& call, Fields& fields, std::shared_ptr<const exec::LoadedPlan> plan,
                                 const std::string& program_id, RunRequest& out) {
  std::string why;
  const plan::Program* program = choose(plan->plan(), fields.text("program").value_or(""), why);
  if (program == nullptr) return ApiError{400, why, "/program"};
  RunSpec& spec = out.spec;
  spec.tenant = call.who.tenant;
  spec.owner = call.who.id;
  spec.program_id = program_id;
  spec.program = program->name;
  if (const Json* args = fields.object("args")) spec.args = *args;
  exec::RunLimits& limits = spec.options.limits;
  limits = {kMaxTokens, kMaxTimeMs, kMaxForks, kMaxFuel, kMaxMemory};
  if (call.who.quotas.max_forks > 0) limits.forks = std::min(limits.forks, call.who.quotas.max_forks);
  if (const Json* given = fields.object("limits")) read_limits(*given, limits, fields);
  spec.options.seed = static_cast<std::uint64_t>(fields.integer("seed").value_or(0));
  spec.options.default_max_tokens =
      static_cast<int>(fields.integer("max_tokens", 1, 1 << 20).value_or(kDefaultMaxTokens));
  call.service.attribute(spec.options, call.who);
  out.stream = fields.flag("stream").value_or(false);
  out.background = fields.flag("background").value_or(false);
  if (out.stream && out.background)
    fields.fail("background",
                "a run is either streamed or in the background; its events can be read at /v1/runs/{id}/events");
  fields.finish();
  if (fields.error()) return fields.error();
  if (auto wrong = check_arguments(plan->plan(), *program, spec.args)) return wrong;
  for (const plan::Tool& tool : plan->plan().tools) {
    if (call.service.tools->bound(tool.name)) continue;
    return ApiError{422, fmt::format("tool '{}' of the program is bound to nothing on this server", tool.name)};
  }
  spec.options.tools = call.service.tools.get();
  out.original = {{"args", spec.args},
                  {"seed", static_cast<std::int64_t>(spec.options.seed)},
                  {"max_tokens", spec.options.default_max_tokens},
                  {"limits",
                   {{"tokens", limits.tokens},
                    {"time_ms", limits.time_ms},
                    {"forks", limits.forks},
                    {"fuel", limits.fuel},
                    {"memory", limits.memory}}}};
  spec.plan = std::move(plan);
  call.keep_prompt(dump(spec.args));
  return std::nullopt;
}

Demand demand_of(const RunSpec& spec) {
  const plan::Program* program = spec.plan->plan().find_program(spec.program);
  std::int64_t tokens = spec.options.limits.tokens;
  if (program != nullptr) {
    if (const auto bound = program->bounds.generated_tokens) {
      // Bounds count the default for what names no limit of its own.
      const std::int64_t times = (spec.options.default_max_tokens + kDefaultMaxTokens - 1) / kDefaultMaxTokens;
      if (*bound <= tokens / std::max<std::int64_t>(times, 1)) tokens = *bound * std::max<std::int64_t>(times, 1);
    }
    if (program->limits.tokens) tokens = std::min(tokens, *program->limits.tokens);
  }
  return {tokens};
}

base::Expected<RunSpec> revive_run(Service& service, const StoredRun& stored) {
  SGL_TRY(const Compiled compiled, service.programs->compile(stored.tenant, stored.plan));
  if (compiled.failure)
    return base::invalid("the stored plan cannot be used by this version: " + compiled.failure->message);
  const Json request = base::json_or_discarded(stored.request);
  if (!request.is_object()) return base::invalid("the stored request is damaged");
  RunSpec spec;
  spec.tenant = stored.tenant;
  spec.owner = stored.owner;
  spec.program_id = stored.program_id;
  spec.program = stored.program;
  spec.plan = compiled.plan;
  spec.args = request.value("args", Json::object());
  spec.options.seed = static_cast<std::uint64_t>(request.value("seed", std::int64_t{0}));
  spec.options.default_max_tokens = request.value("max_tokens", kDefaultMaxTokens);
  const Json limits = request.value("limits", Json::object());
  spec.options.limits = {limits.value("tokens", kMaxTokens), limits.value("time_ms", kMaxTimeMs),
                         limits.value("forks", kMaxForks), limits.value("fuel", kMaxFuel),
                         limits.value("memory", kMaxMemory)};
  spec.options.tools = service.tools.get();
  Principal who;
  who.tenant = stored.tenant;
  who.id = stored.owner;
  service.attribute(spec.options, who);
  spec.on_end = [lease = std::shared_ptr<QuotaBook::Lease>(service.quotas->take_up(who)), &service,
                 tenant = stored.tenant](const engine::Usage& usage) {
    lease->spent(usage.prompt_tokens, usage.generated_tokens);
    service.metrics.count_tokens(tenant, usage);
  };
  return spec;
}

}  // namespace sgl::server
