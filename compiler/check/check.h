// The checker: resolves names, types every expression, and refuses what could only fail later.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/ast/ast.h"
#include "compiler/check/types.h"
#include "compiler/diag/diag.h"

namespace sgl::compiler {

// What the name of an import means in the file that imports.
struct ImportedModule {
  ast::Module* module = nullptr;  // nullptr: could not be loaded; already reported
};
// By module and by import declaration, filled by the driver.
using ImportMap = std::map<const ast::Decl*, ImportedModule>;

// Checks all modules (imported ones first) and annotates their trees. The tables and trees must outlive the plan's
// lowering. Constraint problems (unsatisfiable types, bad regexes) are found here too.
void check(const std::vector<std::unique_ptr<ast::Module>>& modules, const ImportMap& imports, TypeTable& types,
           Diagnostics& diagnostics);

// A value known at compile time.
struct ConstValue {
  enum class Kind { kNull, kBool, kInt, kFloat, kString, kList, kRecord } kind = Kind::kNull;
  std::int64_t number = 0;
  double real = 0;
  std::string text;
  std::vector<ConstValue> items;  // kList; kRecord: one per field of `type`
  TypeId type;                    // kRecord
};

// The value of a checked expression made of literals, constants, operators, lists, records and the few functions that
// docs/language.md names; nullopt when it is not constant, or fails. `wanted` is the type it is converted to.
std::optional<ConstValue> evaluate_constant(const ast::Expr& expr, TypeId wanted, const TypeTable& types);

}  // namespace sgl::compiler
