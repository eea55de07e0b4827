// A token as a request describes it.
#pragma once

#include "server/api/fields.h"
#include "server/auth/token_store.h"

namespace sgl::server {

// Reads "tenant", "scopes", "note", "expires_in" (seconds), "models", "programs", "quotas"; names unknown members.
TokenRecord read_token(Fields& fields);

}  // namespace sgl::server
