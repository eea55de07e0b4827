// /v1/admin: tokens and usage.
#include <fmt/format.h>

#include <ctime>

#include "server/api/fields.h"
#include "server/api/router.h"
#include "server/api/token_request.h"

namespace sgl::server {
namespace {

ApiError no_store() {
  return {409, "there is no token store; start the server with --state-dir"};
}

Response refuse(const ApiError& error) {
  return error_response(error, Dialect::kPlain);
}

Json created_json(const TokenStore::Created& created) {
  Json out = to_json(created.record);
  out["token"] = created.secret;
  return out;
}

Response create(const SharedCall& call) {
  if (!call->service.tokens) return refuse(no_store());
  Fields fields(call->body);
  const TokenRecord wanted = read_token(fields);
  if (fields.error()) return refuse(*fields.error());
  const auto created = call->service.tokens->create(wanted);
  if (!created.ok()) return refuse(from_error(created.error()));
  return json_response(created_json(*created), 201);
}

Response list(const SharedCall& call) {
  if (!call->service.tokens) return refuse(no_store());
  const auto tokens = call->service.tokens->list();
  if (!tokens.ok()) return refuse(from_error(tokens.error()));
  Json out = Json::array();
  for (const TokenRecord& token : *tokens) out.push_back(to_json(token));
  return json_response({{"tokens", std::move(out)}});
}

Response show(const SharedCall& call) {
  if (!call->service.tokens) return refuse(no_store());
  const auto token = call->service.tokens->show(call->path["id"]);
  if (!token.ok()) return refuse(from_error(token.error()));
  return json_response(to_json(*token));
}

Response revoke(const SharedCall& call) {
  if (!call->service.tokens) return refuse(no_store());
  const base::Status revoked = call->service.tokens->revoke(call->path["id"]);
  if (!revoked.ok()) return refuse(from_error(revoked.error()));
  return json_response({{"revoked", call->path["id"]}});
}

Response rotate(const SharedCall& call) {
  if (!call->service.tokens) return refuse(no_store());
  Fields fields(call->body);
  const std::int64_t grace = fields.integer("grace_seconds", 0, 30 * 86'400).value_or(3600);
  fields.finish();
  if (fields.error()) return refuse(*fields.error());
  const auto created = call->service.tokens->rotate(call->path["id"], grace);
  if (!created.ok()) return refuse(from_error(created.error()));
  return json_response(created_json(*created), 201);
}

Response usage(const SharedCall& call) {
  Json now = Json::array();
  for (const QuotaBook::Total& t : call->service.quotas->totals()) {
    now.push_back({{"tenant", t.tenant},
                   {"id", t.id},
                   {"requests", t.requests},
                   {"prompt_tokens", t.prompt_tokens},
                   {"generated_tokens", t.generated_tokens},
                   {"refused", t.refused},
                   {"in_work", t.in_work}});
  }
  Json out = {{"since_start", std::move(now)}};
  if (call->service.tokens) {
    if (const base::Status written = call->service.quotas->flush(); !written.ok())
      return refuse(from_error(written.error()));
    const auto days = call->service.tokens->usage(std::time(nullptr) / 86'400 - 31);
    if (!days.ok()) return refuse(from_error(days.error()));
    Json by_day = Json::array();
    for (const TokenStore::Usage& u : *days) {
      by_day.push_back({{"day", u.day},
                        {"tenant", u.tenant},
                        {"id", u.id},
                        {"requests", u.requests},
                        {"prompt_tokens", u.prompt_tokens},
                        {"generated_tokens", u.generated_tokens}});
    }
    out["by_day"] = std::move(by_day);
  }
  return json_response(out);
}

}  // namespace

void add_admin_routes(Router& router) {
  const auto add = [&](const char* method, const char* path, bool json,
                       std::function<Response(const SharedCall&)> handle) {
    router.add({method, path, Scope::kAdmin, Dialect::kPlain, json, std::move(handle)});
  };
  add("POST", "/v1/admin/tokens", true, create);
  add("GET", "/v1/admin/tokens", false, list);
  add("GET", "/v1/admin/tokens/{id}", false, show);
  add("DELETE", "/v1/admin/tokens/{id}", false, revoke);
  add("POST", "/v1/admin/tokens/{id}/rotate", true, rotate);
  add("GET", "/v1/admin/usage", false, usage);
}

}  // namespace sgl::server
