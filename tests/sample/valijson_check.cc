#include "tests/sample/valijson_check.h"

#include <cmath>
#include <nlohmann/json.hpp>

#ifdef SGL_VALIJSON
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>
#endif

namespace sgl::tests {

#ifdef SGL_VALIJSON

namespace {

// 1.0 is a whole number since draft 6, which it does not know.
void make_whole(nlohmann::json& value) {
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (number == std::floor(number) && std::fabs(number) < 9e15) value = static_cast<std::int64_t>(number);
  }
  if (value.is_structured()) {
    for (auto& item : value) make_whole(item);
  }
}

// Whole numbers beyond 64 bits, which it takes for fractions.
bool has_large(const nlohmann::json& value) {
  if (value.is_number_float()) return std::fabs(value.get<double>()) >= 9e15;
  bool large = false;
  if (value.is_structured()) {
    for (const auto& item : value) large = large || has_large(item);
  }
  return large;
}

}  // namespace

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
    const std::string inside = has ? made->document[place].dump() : "";
    if (inside.find("\"$ref\"") != std::string::npos) return;
    // Of {"type": "object", "propertyNames": {"maxLength": 2}} behind a reference it refuses {"a": 1}.
    if (inside.find("\"propertyNames\"") != std::string::npos) return;
  }
  try {
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(made->document), made->schema);
  } catch (const std::exception&) {
    return;
  }
  impl_ = std::move(made);
}

bool ValijsonCheck::readable(const std::string& text) {
  const nlohmann::json value = nlohmann::json::parse(text, nullptr, false);
  return !value.is_discarded() && !has_large(value);
}

bool ValijsonCheck::valid(const std::string& text) {
  nlohmann::json value = nlohmann::json::parse(text, nullptr, false);
  make_whole(value);
  valijson::Validator validator;
  return validator.validate(impl_->schema, valijson::adapters::NlohmannJsonAdapter(value), nullptr);
}

#else

struct ValijsonCheck::Impl {};
ValijsonCheck::ValijsonCheck(const std::string&) {}
bool ValijsonCheck::readable(const std::string&) {
  return false;
}
bool ValijsonCheck::valid(const std::string&) {
  return false;
}

#endif

ValijsonCheck::~ValijsonCheck() = default;

}  // namespace sgl::tests
