// The checker: resolves names, types every expression, and refuses what could only fail later.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
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

class Constants;

// Checks all modules (imported ones first) and annotates their trees. The tables and trees must outlive the plan's
// lowering. Constraint problems (unsatisfiable types, bad regexes) are found here too.
void check(const std::vector<std::unique_ptr<ast::Module>>& modules, const ImportMap& imports, TypeTable& types,
           Constants& constants, Diagnostics& diagnostics);

// A value known at compile time.
struct ConstValue {
  enum class Kind { kNull, kBool, kInt, kFloat, kString, kList, kRecord } kind = Kind::kNull;
  std::int64_t number = 0;
  double real = 0;
  std::string text;
  std::vector<ConstValue> items;  // kList; kRecord: one per field of `type`
  TypeId type;                    // kRecord
};

// Finds values of checked expressions out, for one compilation: the checker's and then the lowering's. Declared
// constants are evaluated once, as long as all of them are not too large to be kept.
class Constants {
 public:
  explicit Constants(const TypeTable& types) : types_(types) {}

  // The value of an expression made of literals, constants, operators, lists, records and the few functions that
  // docs/language.md names; nullopt when it is not constant, fails, or makes more than 64 MB. `wanted` is the type it
  // is converted to. Which of these does not depend on what was evaluated before, but for chains of over a thousand
  // constants, whose end is known when those before it are kept.
  std::optional<ConstValue> evaluate(const ast::Expr& expr, TypeId wanted);

  // Has all that was evaluated taken more than it may? Then nothing is known any more, and the program is to be refused.
  static constexpr std::size_t kMaxWork = std::size_t{1} << 30;  // bytes of values made and read, a second or two
  bool is_worn_out() const { return limited_ && spent_ > kMaxWork; }
  // The lowering asks for what the checker has found: that needs no limit, and must not fail.
  void lift_limit() { limited_ = false; }

 private:
  friend class ConstEvaluation;
  struct Known {
    ConstValue value;
    std::size_t bytes;
  };
  const TypeTable& types_;
  std::unordered_map<const ast::Decl*, Known> kept_;
  std::unordered_set<const ast::Decl*> failed_;  // in the evaluation under way
  std::size_t kept_bytes_ = 0, spent_ = 0;
  bool limited_ = true;
};

}  // namespace sgl::compiler
