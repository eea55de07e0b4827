// What `sgl constrain` is given: specifications and the texts that are checked against them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/expected.h"
#include "runtime/constraint/constraint.h"
#include "tools/sgl/commands.h"

namespace sgl::tools {

struct ConstrainInstance {
  std::string text;
  std::optional<bool> valid;  // what it is labelled as
};

enum class SpecificationKind { kSchema, kRegex, kGrammar, kTags };

// One specification with its instances.
struct ConstrainRecord {
  std::string id;
  SpecificationKind kind = SpecificationKind::kSchema;
  std::string source;  // JSON Schema text, regular expression, grammar or the JSON of structural tags
  std::vector<ConstrainInstance> instances;
};

// Calls `each` with the records of --suite, or with the one that the options and standard input make (`instances`:
// whether to read those). Stops early when it returns false. Errors: a file that cannot be read, a line that is not
// what it should be.
base::Status each_record(const ConstrainOptions& options, bool instances,
                         const std::function<bool(ConstrainRecord)>& each);

// Lines of a file, decompressed when it is gzip.
base::Status each_line(const std::string& path, const std::function<base::Status(std::string_view)>& each);

// The text of a member of a JSON object, as it stands there; nullopt: there is none. Precondition: valid JSON.
std::optional<std::string_view> json_member(std::string_view object, std::string_view key);

struct ConstrainCompiled {
  std::string status;   // ok, unsupported, unsatisfiable, invalid, limit, timeout
  std::string pointer;  // a JSON pointer; into a grammar: line:column
  std::string message;
  std::vector<std::string> ignored;  // JSON pointers; of a grammar: sentences about rules that were left out
  std::shared_ptr<const constraint::Constraint> constraint;  // when ok
  double us = 0;
  bool ok() const { return status == "ok"; }
};
ConstrainCompiled compile_record(const ConstrainRecord& record, const ConstrainOptions& options);

}  // namespace sgl::tools
