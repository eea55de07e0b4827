// Types of the language as schemas, so that their JSON is read by the same machine. Private to runtime/constraint.
#pragma once

#include "runtime/constraint/schema_doc.h"

namespace sgl::constraint {

// Whether values of the type are lists, maps or records, or one of several such types: then every text of it is JSON.
bool is_container(const TypeSpec& spec);

// Precondition: the type compiles without the machine (compile_type checks that first).
base::Expected<SchemaDoc> schema_of(const TypeSpec& spec);

}  // namespace sgl::constraint
