#include "tests/sample/valijson_check.h"

#include <nlohmann/json.hpp>

#ifdef SGL_VALIJSON
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>
#endif

namespace sgl::tests {

#ifdef SGL_VALIJSON

struct ValijsonCheck::Impl {
  nlohmann::json document;
  valijson::Schema schema;
};

ValijsonCheck::ValijsonCheck(const std::string& schema) {
  // Its draft 7 has no `if` beside other keywords below `not`, formats are its own, and numbers are doubles, so that
  // multiples of fractions are not exact; 1 and true are equal to it where numbers are compared.
  for (const char* word : {"\"format\"", "\"multipleOf\"", "\"if\"", "\"$id\"", "\"unevaluated"}) {
    if (schema.find(word) != std::string::npos) return;
  }
  auto made = std::make_unique<Impl>();
  made->document = nlohmann::json::parse(schema);
  // It follows references in circles without end.
  if (schema.find("\"#\"") != std::string::npos) return;
  for (const char* place : {"definitions", "$defs"}) {
    const bool has = made->document.is_object() && made->document.contains(place);
    if (has && made->document[place].dump().find("\"$ref\"") != std::string::npos) return;
  }
  try {
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(made->document), made->schema);
  } catch (const std::exception&) {
    return;
  }
  impl_ = std::move(made);
}

bool ValijsonCheck::valid(const std::string& text) {
  const nlohmann::json value = nlohmann::json::parse(text, nullptr, false);
  if (value.is_discarded()) return false;
  valijson::Validator validator;
  return validator.validate(impl_->schema, valijson::adapters::NlohmannJsonAdapter(value), nullptr);
}

#else

struct ValijsonCheck::Impl {};
ValijsonCheck::ValijsonCheck(const std::string&) {}
bool ValijsonCheck::valid(const std::string&) {
  return false;
}

#endif

ValijsonCheck::~ValijsonCheck() = default;

}  // namespace sgl::tests
