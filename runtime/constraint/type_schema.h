// Types of the language as schemas, so that their JSON is read by the same machine. Private to runtime/constraint.
#pragma once

#include "runtime/constraint/schema_doc.h"

namespace sgl::constraint {

// Precondition: compile_type found nothing wrong with its parts. Errors: what is wrong with a JSON Schema in it.
base::Expected<SchemaDoc> schema_of(const TypeSpec& spec);

}  // namespace sgl::constraint
