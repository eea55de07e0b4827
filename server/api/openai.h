// What the handlers of the OpenAI API share.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "server/api/fields.h"
#include "server/api/router.h"

namespace sgl::server {

struct StreamOptions {
  bool on = false, usage = false;
};
StreamOptions read_stream(Fields& fields);
// Members that concern nobody here, or that cannot be done.
void read_rest(Fields& fields);
// Is this the model that is here, and may it be used?
std::optional<ApiError> check_model(Call& call, const std::string& model);
Json usage_json(const engine::Usage& usage);
void add_usage(engine::Usage& total, const engine::Usage& usage);
Json token_json(const tokenizer::Tokenizer& tokenizer, engine::TokenId token, float logprob);

Response chat_completions(const SharedCall& call);
Response completions(const SharedCall& call);

}  // namespace sgl::server
