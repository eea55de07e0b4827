// /v1/programs: sources and plans that the server keeps.
#include "server/api/programs.h"

#include <fmt/format.h>

#include "runtime/plan/schema.h"
#include "server/api/fields.h"
#include "server/auth/crypto.h"

namespace sgl::server {
namespace {

Json describe(const StoredProgram& program) {
  return {{"id", program.id}, {"name", program.name}, {"version", program.version}, {"created", program.created}};
}

Json schemas(const exec::LoadedPlan& loaded) {
  Json out = Json::array();
  for (const plan::Program& program : loaded.plan().programs) {
    Json one = plan::program_schema(loaded.plan(), program);
    const auto bound = [](const std::optional<std::int64_t>& value) { return value ? Json(*value) : Json(); };
    one["bounds"] = {{"generated_tokens", bound(program.bounds.generated_tokens)},
                     {"generations", bound(program.bounds.generations)},
                     {"forks", bound(program.bounds.forks)}};
    out.push_back(std::move(one));
  }
  return out;
}

// Not what an id looks like: a program would be found in another one's place.
bool is_name(const std::string& name) {
  const bool id = name.size() == 64 && name.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  return !id && !name.empty() && name.size() <= 100 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
             std::string::npos;
}

ApiError compile_error(const CompileFailure& failure, const char* pointer) {
  ApiError out{422, failure.message, pointer, "compile_failed"};
  out.details = {{"diagnostics", failure.diagnostics}};
  return out;
}

Response create(const SharedCall& call) {
  Fields fields(call->body);
  const auto source = fields.text("source");
  const auto plan = fields.text("plan");
  const auto name = fields.text("name");
  if (source.has_value() == plan.has_value())
    fields.fail("source", "give either 'source' (text) or 'plan' (base64url of a .sglp file)");
  if (name && !is_name(*name))
    fields.fail("name", "'name' has letters, digits, '-', '_' and '.', at most 100, and is no id");
  fields.finish();
  if (fields.error()) return error_response(*fields.error(), Dialect::kPlain);
  std::optional<std::string> bytes = source;
  if (plan) bytes = from_base64url(*plan);
  if (!bytes) return error_response({400, "'plan' is not base64url", "/plan"}, Dialect::kPlain);
  const auto made = call->service.programs->compile(call->who.tenant, *bytes);
  if (!made.ok()) return error_response(from_error(made.error()), Dialect::kPlain);
  const Compiled& compiled = *made;
  if (compiled.failure)
    return error_response(compile_error(*compiled.failure, source ? "/source" : "/plan"), Dialect::kPlain);
  call->record->program = compiled.id;
  const std::string used = name.value_or(compiled.plan->plan().programs.front().name);
  if (!call->who.may_use_program(used) && !call->who.may_use_program(compiled.id))
    return error_response({403, fmt::format("these credentials may not store '{}'", used)}, Dialect::kPlain);
  const auto stored = call->service.programs->put(call->who.tenant, used, compiled);
  if (!stored.ok()) return error_response(from_error(stored.error()), Dialect::kPlain);
  Json out = describe(*stored);
  out["programs"] = schemas(*stored->plan);
  out["warnings"] = compiled.warnings;
  return json_response(out, 201);
}

Response list(const SharedCall& call) {
  const auto programs = call->service.programs->list(call->who.tenant);
  if (!programs.ok()) return error_response(from_error(programs.error()), Dialect::kPlain);
  Json data = Json::array();
  for (const StoredProgram& program : *programs) {
    if (call->who.may_use_program(program.name) || call->who.may_use_program(program.id))
      data.push_back(describe(program));
  }
  return json_response({{"programs", std::move(data)}});
}

base::Expected<StoredProgram> find(Call& call) {
  const std::string key = call.path["id"];
  SGL_TRY(StoredProgram program, call.service.programs->get(call.who.tenant, key));
  if (call.who.may_use_program(program.name) || call.who.may_use_program(program.id)) return program;
  return base::not_found(fmt::format("there is no program '{}'", key));
}

Response show(const SharedCall& call) {
  const auto program = find(*call);
  if (!program.ok()) return error_response(from_error(program.error()), Dialect::kPlain);
  Json out = describe(*program);
  out["programs"] = schemas(*program->plan);
  return json_response(out);
}

Response openapi(const SharedCall& call) {
  const auto program = find(*call);
  if (!program.ok()) return error_response(from_error(program.error()), Dialect::kPlain);
  return json_response(openapi_document(*program));
}

Response remove(const SharedCall& call) {
  // Who may not use a program does not learn that it is there.
  const std::string& key = call->path["id"];
  const auto programs = call->service.programs->list(call->who.tenant);
  if (!programs.ok()) return error_response(from_error(programs.error()), Dialect::kPlain);
  for (const StoredProgram& program : *programs) {
    if (program.name != key && program.id != key) continue;
    if (call->who.may_use_program(program.name) || call->who.may_use_program(program.id)) continue;
    return error_response({404, fmt::format("there is no program '{}'", key)}, Dialect::kPlain);
  }
  const base::Status removed = call->service.programs->remove(call->who.tenant, call->path["id"]);
  if (!removed.ok()) return error_response(from_error(removed.error()), Dialect::kPlain);
  return json_response({{"deleted", call->path["id"]}});
}

}  // namespace

std::vector<std::string> program_names(const Call& call) {
  std::vector<std::string> out;
  const auto programs = call.service.programs->list(call.who.tenant);
  if (!programs.ok() || !call.who.scopes.has(Scope::kProgramsRun)) return out;
  for (const StoredProgram& program : *programs) {
    if (call.who.may_use_program(program.name) && (out.empty() || out.back() != program.name))
      out.push_back(program.name);
  }
  return out;
}

// References inside the schemas point at their own $defs; in the document these are embedded where they are used.
Json openapi_document(const StoredProgram& program) {
  Json paths = Json::object();
  for (const plan::Program& entry : program.plan->plan().programs) {
    const Json schema = plan::program_schema(program.plan->plan(), entry);
    Json request = {{"type", "object"},
                    {"properties",
                     {{"args", schema["parameters"]},
                      {"program", {{"const", entry.name}}},
                      {"seed", {{"type", "integer"}}},
                      {"stream", {{"type", "boolean"}}},
                      {"background", {{"type", "boolean"}}}}},
                    {"required", {"args"}}};
    Json answer = {{"type", "object"},
                   {"properties",
                    {{"run", {{"type", "string"}}}, {"status", {{"type", "string"}}}, {"result", schema["result"]}}}};
    const auto json_body = [](Json body) { return Json{{"application/json", {{"schema", std::move(body)}}}}; };
    const std::string suffix = program.plan->plan().programs.size() == 1 ? "" : "#" + entry.name;
    paths[fmt::format("/v1/programs/{}/run{}", program.name, suffix)]["post"] = {
        {"operationId", entry.name},
        {"summary", entry.doc},
        {"requestBody", {{"required", true}, {"content", json_body(std::move(request))}}},
        {"responses",
         {{"200", {{"description", "The program's result."}, {"content", json_body(std::move(answer))}}},
          {"422", {{"description", "The program failed; the error says why."}}}}}};
  }
  return {{"openapi", "3.1.0"},
          {"info", {{"title", program.name}, {"version", std::to_string(program.version)}}},
          {"components", {{"securitySchemes", {{"bearer", {{"type", "http"}, {"scheme", "bearer"}}}}}}},
          {"security", Json::array({{{"bearer", Json::array()}}})},
          {"paths", std::move(paths)}};
}

void add_program_routes(Router& router) {
  const auto add = [&](const char* method, const char* path, Scope scope, bool json,
                       std::function<Response(const SharedCall&)> handle) {
    router.add({method, path, scope, Dialect::kPlain, json, std::move(handle)});
  };
  add("POST", "/v1/programs", Scope::kProgramsWrite, true, create);
  add("GET", "/v1/programs", Scope::kProgramsRun, false, list);
  add("GET", "/v1/programs/{id}", Scope::kProgramsRun, false, show);
  add("GET", "/v1/programs/{id}/openapi.json", Scope::kProgramsRun, false, openapi);
  add("DELETE", "/v1/programs/{id}", Scope::kProgramsWrite, false, remove);
  add_run_routes(router);
}

}  // namespace sgl::server
