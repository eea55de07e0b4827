#include "server/api/token_request.h"

#include <ctime>

namespace sgl::server {

TokenRecord read_token(Fields& fields) {
  TokenRecord out;
  Principal& p = out.principal;
  p.tenant = fields.text("tenant").value_or("default");
  if (p.tenant.empty() || p.tenant.size() > 100) fields.fail("tenant", "'tenant' has 1 to 100 bytes");
  out.note = fields.text("note").value_or("");
  const auto scopes = fields.texts("scopes");
  if (!scopes || scopes->empty()) {
    fields.fail("scopes", "'scopes' must list at least one scope, such as \"generate\"");
    return out;
  }
  auto parsed = Scopes::parse(*scopes);
  if (!parsed.ok()) {
    fields.fail("scopes", parsed.error().message);
    return out;
  }
  p.scopes = *parsed;
  if (const auto seconds = fields.integer("expires_in", 1, 10LL * 366 * 86'400))
    out.expires = std::time(nullptr) + *seconds;
  p.models = fields.texts("models").value_or(std::vector<std::string>());
  p.programs = fields.texts("programs").value_or(std::vector<std::string>());
  if (const Json* given = fields.object("quotas")) {
    Fields inner(*given, "/quotas");
    const auto quota = [&](const char* name) { return inner.integer(name, 0).value_or(0); };
    p.quotas = {quota("requests_per_minute"),
                quota("tokens_per_minute"),
                quota("tokens_per_day"),
                quota("concurrent"),
                quota("max_n"),
                quota("max_forks"),
                quota("max_context"),
                quota("weight")};
    inner.finish();
    if (inner.error()) {
      fields.fail("quotas", inner.error()->message);
      fields.point(inner.error()->pointer);
    }
  }
  fields.finish();
  return out;
}

}  // namespace sgl::server
