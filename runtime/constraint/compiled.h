// A compiled constraint as bytes, so that a plan can carry it (plan_constraints.h) and a runtime need not compile
// it again.
//
// Carried is what takes time to make and does not change: the graph of an automaton, the subschemas of a JSON Schema
// with the automata of their patterns, formats and enumerations, the deterministic automata of a grammar's rules, and
// the constraints inside a grammar or a union in the same way. Not carried is what is found out from that as a text is
// walked, in a fresh constraint as in a loaded one: conjunctions of subschemas, automata of numbers, states, masks.
// A loaded constraint therefore gives the masks of a freshly compiled one.
//
// The bytes (integers are LEB128 unless a width is given): the magic "SGLC", 8 bytes little-endian of a checksum of all
// that follows, 32 bytes `engine_version()`, 32 bytes of the specification's digest, then the constraint. They are read
// as hostile: every number is bounded before it is used, indices are checked, recursion and sizes are limited, and what
// follows from the rest (least lengths, left recursion, names of states) is computed anew and not believed. Bytes that
// somebody made up can at most describe another constraint than the specification does; nothing of them is entered into
// what the process shares.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/expected.h"
#include "runtime/base/sha256.h"
#include "runtime/constraint/constraint.h"
#include "runtime/constraint/grammar.h"
#include "runtime/constraint/json_schema.h"

namespace sgl::constraint {

// A hash of the engine's sources: a constraint that another engine compiled is never taken for this one's.
const base::Sha256& engine_version();

// What a constraint was compiled from: the specification with everything that changes what it means, limits included,
// for over another limit it might have been refused. Equal arguments give equal digests. O(specification).
base::Sha256 digest_of(const TypeSpec& spec, const Limits& limits = {});
base::Sha256 digest_of(std::string_view schema, const SchemaOptions& options);
base::Sha256 digest_of(std::string_view grammar, const GrammarOptions& options);

// What a loaded constraint is held to, as a compiled one would be, and what the bytes may be.
struct LoadLimits {
  std::size_t max_bytes = 8 << 20;  // of the constraint's bytes; what is made of them takes up to 30 times as much
  std::size_t max_table =
      8'000'000;              // transitions of its automata together, 4 bytes each; few bytes may stand for many
  std::size_t max_depth = 8;  // constraints inside constraints: a schema in a grammar in a union has 3
  Limits type;
  SchemaLimits schema;
  GrammarLimits grammar;
};

// Deterministic. Errors: `limit`, when the bytes would be over `limits`. O(size of the constraint).
base::Expected<std::string> save(const Constraint& constraint, const base::Sha256& digest,
                                 const LoadLimits& limits = {});

// Errors, each with the reason: `invalid` when the bytes are of another engine or another specification, damaged or
// malformed; `limit`. Then the specification is to be compiled. O(bytes + transitions).
base::Expected<std::shared_ptr<const Constraint>> load(std::string_view bytes, const base::Sha256& digest,
                                                       const LoadLimits& limits = {});

}  // namespace sgl::constraint
