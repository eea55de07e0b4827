// All routes in one table, each with the scope it needs; authentication, admission, audit and metrics around them.
// Deny by default: what is not in the table is 404, and what has no scope there is public on purpose.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "server/api/service.h"
#include "server/http/message.h"

namespace sgl::server {

// What a handler gets beside the request.
struct Call {
  Service& service;
  const Request& request;
  const Principal& who;
  Json body;                                // parsed, for routes that take JSON; else null
  std::map<std::string, std::string> path;  // values of {…} in the route
  // For audit and metrics; filled in by handlers as they know it.
  struct Record {
    std::string program;  // hash
    std::int64_t prompt_tokens = 0, cached_tokens = 0, generated_tokens = 0;
    std::vector<std::string> prompts, answers;  // kept only with ServiceOptions::log_prompts
    int status = 0;                             // of a stream that failed after its head was sent
    bool first_token_seen = false;
  };
  std::shared_ptr<Record> record;
  std::unique_ptr<QuotaBook::Lease> lease;
  QuotaState quota;

  // Asks for admission; the refusal as a response. Called once, before anything runs.
  std::optional<ApiError> admit(const Demand& demand);
  // What was used, for audit, quotas and metrics; `note` is for audit alone.
  void spent(const engine::Usage& usage);
  void note(const engine::Usage& usage);
  // One generation's end: what it used, and its text.
  void ended(const engine::Finished& finished);
  // For the audit log, where it is to have texts.
  void keep_prompt(std::span<const engine::TokenId> tokens);
  void keep_prompt(std::string text);
  void keep_answer(std::string text);
};

// What outlives the handler in a streamed response.
using SharedCall = std::shared_ptr<Call>;

struct Route {
  std::string method;
  std::string path;            // "/v1/programs/{id}"
  std::optional<Scope> scope;  // nullopt: public
  Dialect dialect = Dialect::kPlain;
  bool json = false;  // takes a JSON object as its body
  std::function<Response(const SharedCall&)> handle;
};

class Router {
 public:
  explicit Router(Service& service) : service_(service) {}
  void add(Route route) { routes_.push_back(std::move(route)); }
  const std::vector<Route>& routes() const { return routes_; }
  Response handle(const Request& request);

 private:
  struct Held;
  const Route* match(const Request& request, std::map<std::string, std::string>& path, bool& other_method) const;
  Response refuse(const Request& request, const Route* route, const ApiError& error, const Principal* who);
  std::optional<Response> check_access(const Request& request, const Route& route, Principal& who);
  void conclude(const Request& request, const Route* route, const Principal* who, const Call::Record* record,
                int status);

  Service& service_;
  std::vector<Route> routes_;
};

// Every route there is. One function a dialect; together they are the table that the tests walk.
void add_system_routes(Router& router);
void add_native_routes(Router& router);
void add_openai_routes(Router& router);
void add_program_routes(Router& router);
void add_admin_routes(Router& router);

}  // namespace sgl::server
