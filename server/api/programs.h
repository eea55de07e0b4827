// What the program API and the OpenAI dialect share.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "server/api/fields.h"
#include "server/api/router.h"
#include "server/jobs/program_store.h"
#include "server/jobs/runs.h"

namespace sgl::server {

// Names of the caller's stored programs that it may run.
std::vector<std::string> program_names(const Call& call);

// A run as a request asks for it.
struct RunRequest {
  RunSpec spec;
  std::string plan_bytes;
  bool stream = false, background = false;
  Json original;  // arguments, seed, limits: what a restart needs
};
// Reads "args", "program", "seed", "max_tokens", "limits", "stream", "background" of `fields`.
std::optional<ApiError> read_run(Call& call, Fields& fields, std::shared_ptr<const exec::LoadedPlan> plan,
                                 const std::string& program_id, RunRequest& out);
// A bound of the tokens that the run may spend: the plan's static one, or its limits.
Demand demand_of(const RunSpec& spec);
// A spec from what the store kept. Errors: the plan or the request cannot be used any more.
base::Expected<RunSpec> revive_run(Service& service, const StoredRun& stored);

// Runs a request's program on this thread; it is cancelled when the client goes away. The finished run, or a refusal.
std::variant<RunPointer, ApiError> run_and_wait(const SharedCall& call, RunSpec spec);
// 200, or the status that goes with a failed run.
int status_of(const Json& outcome);

// POST /v1/chat/completions with "model": "program:NAME".
Response program_as_model(const SharedCall& call, const std::string& name);
// The program's OpenAPI document.
Json openapi_document(const StoredProgram& program);

void add_run_routes(Router& router);

}  // namespace sgl::server
