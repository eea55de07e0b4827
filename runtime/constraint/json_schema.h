// JSON Schema as a constraint: draft 2020-12 and the spellings of drafts 4 to 7.
//
// What is accepted is JSON text of values that the schema allows: never a value that it does not allow. Characters of
// strings that a keyword restricts, and of keys, are spelled canonically (raw, short escapes, \u00XX for the remaining
// control characters); other strings may use every escape. Numbers with bounds, multiples or enumerated values have no
// exponent. A key occurs at most once in an object.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/constraint/constraint.h"

namespace sgl::constraint {

enum class PropertyOrder : std::uint8_t {
  kSchema,  // as `properties` lists them, other keys after them
  kAny,
};
enum class Whitespace : std::uint8_t {
  kCompact,  // none
  kAny,      // anywhere inside the outermost value; generated in runs of at most SchemaLimits::whitespace_run bytes and
             // the token that goes beyond them, accepted in runs of any length
  kIndent,   // a line for each item and property, indented by SchemaOptions::indent spaces a level, ": " after names,
             // and [] and {} when empty: exactly what Python's json.dumps(value, indent=n) writes
};
enum class Unsupported : std::uint8_t {
  kError,   // a keyword that cannot be enforced is an error
  kIgnore,  // it is listed in SchemaResult::ignored and not enforced
};

struct SchemaLimits {
  std::size_t max_bytes = 4 << 20;                      // of the schema's text; the largest public ones have 2 MB
  std::size_t max_nesting = 200;                        // of its JSON; bounds the recursion of the compiler
  std::size_t automata_bytes = std::size_t{256} << 20;  // of all patterns and listed texts
  std::size_t max_goals = 50'000;                       // conjunctions of subschemas; some 500 bytes each
  std::size_t max_alternatives = 512;  // of one conjunction in disjunctive form; all are followed at once
  std::size_t max_states = 400'000;    // states of the machine; some 300 bytes each
  std::size_t max_frames = 400'000;    // open objects and arrays that were met; some 150 bytes each
  std::size_t max_threads = 5'000;     // ways to read one text, followed side by side; about a microsecond a byte each
  int whitespace_run = 40;             // bytes; models indent by less
  std::chrono::milliseconds time{10'000};  // for compiling
  // For one mask. Microseconds are usual; a schema at the other limits may need a tenth of this.
  std::chrono::milliseconds mask_time{2'000};
};

enum class Formats : std::uint8_t {
  kAssert,    // strings have the formats that are known
  kAnnotate,  // formats are listed in SchemaResult::ignored, as 2020-12 has it unless asked otherwise
};

// Numbers that neither 64 bits nor a double hold: as they are written, or as the values of programs, which are such
// doubles, hold them.
enum class SchemaNumbers : std::uint8_t { kExact, kOfValues };

struct SchemaOptions {
  SchemaNumbers numbers = SchemaNumbers::kExact;
  PropertyOrder order = PropertyOrder::kSchema;
  Whitespace whitespace = Whitespace::kCompact;
  int indent = 2;  // kIndent: 0 … 16 spaces
  Unsupported unsupported = Unsupported::kError;
  Formats formats = Formats::kAssert;
  SchemaLimits limits;
};

enum class SchemaStatus : std::uint8_t {
  kOk,
  kUnsupported,    // a keyword that cannot be enforced
  kUnsatisfiable,  // no value satisfies the schema
  kInvalid,        // not a JSON Schema
  kLimit,          // over one of SchemaLimits
  kTimeout,
};

struct SchemaResult {
  SchemaStatus status = SchemaStatus::kOk;
  std::string pointer;                           // JSON pointer to what is wrong, when status is not kOk
  std::string message;                           // one sentence, when status is not kOk
  std::vector<std::string> ignored;              // JSON pointers to annotations that were not enforced
  std::shared_ptr<const Constraint> constraint;  // when status is kOk
  bool ok() const { return status == SchemaStatus::kOk; }
};

// `schema` is JSON text. O(schema) for what is always needed; conjunctions are formed when they are met.
SchemaResult compile_json_schema(std::string_view schema, const SchemaOptions& options = {});

}  // namespace sgl::constraint
