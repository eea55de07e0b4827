// Bytes of compiled constraints (compiled.h), written and read. Private to runtime/constraint.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/constraint/char_dfa.h"
#include "runtime/constraint/compiled.h"
#include "runtime/constraint/graph.h"

namespace sgl::constraint {

class CompiledWriter {
 public:
  void number(std::uint64_t value) {
    for (; value >= 128; value >>= 7) bytes_ += static_cast<char>((value & 127) | 128);
    bytes_ += static_cast<char>(value);
  }
  // Of either sign; near zero takes few bytes.
  void integer(std::int64_t value) {
    number((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void flag(bool value) { number(value ? 1 : 0); }
  void text(std::string_view value) {
    number(value.size());
    bytes_ += value;
  }
  void raw(std::string_view value) { bytes_ += value; }
  // Each automaton once; later by its number. compiled_dfa.cc.
  void dfa(const std::shared_ptr<const CharDfa>& dfa);

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  std::map<std::uint64_t, std::size_t> dfas_;  // by CharDfa::id()
};

// Reads what is there; after the first fault every read gives 0 or nothing, and loops over counts end. Numbers that
// count things are bounded by the bytes that are left, since everything takes at least one.
class CompiledReader {
 public:
  CompiledReader(std::string_view bytes, const LoadLimits& limits)
      : bytes_(bytes), limits_(limits), table_left_(limits.max_table), text_left_(4 * limits.max_bytes) {}

  // At most `max`; more is a fault.
  std::uint64_t number(std::uint64_t max);
  std::int64_t integer(std::int64_t min, std::int64_t max);
  bool flag() { return number(1) != 0; }
  // How many things of at least one byte follow.
  std::size_t count() { return static_cast<std::size_t>(number(left())); }
  // An index below `size`.
  std::uint32_t index(std::size_t size);
  std::string_view raw(std::size_t size);
  std::string text();  // UTF-8
  std::shared_ptr<const CharDfa> dfa();
  // So many transitions more are made; false, and a fault, when that is over the limit.
  bool take_table(std::size_t entries);
  // The same for bytes of texts that few bytes stand for.
  bool take_text(std::size_t bytes);

  void fault(std::string_view what);
  void over_limit(std::string_view what);
  bool ok() const { return problem_.empty(); }
  bool limit() const { return limit_; }
  const std::string& problem() const { return problem_; }
  std::size_t left() const { return ok() ? bytes_.size() - at_ : 0; }
  const LoadLimits& limits() const { return limits_; }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
  const LoadLimits& limits_;
  std::size_t table_left_, text_left_;
  std::string problem_;
  bool limit_ = false;
  std::vector<std::shared_ptr<const CharDfa>> dfas_;
};

// ---- the kinds of constraints, each in the file of its name -----------------------------------------------------

class GrammarNetwork;
struct SchemaDoc;

// The part of the graph that `root` uses. compiled_graph.cc.
void write_graph(CompiledWriter& out, const Graph& graph, FragmentId root);
struct LoadedGraph {
  Graph graph;
  FragmentId root = 0;
};
// A fault when no text matches.
LoadedGraph read_graph(CompiledReader& in);

void write_schema(CompiledWriter& out, const SchemaDoc& doc);  // compiled_schema.cc
SchemaDoc read_schema(CompiledReader& in);

void write_network(CompiledWriter& out, const GrammarNetwork& network);  // compiled_grammar.cc
// Null after a fault. `depth`: constraints around it.
std::shared_ptr<const GrammarNetwork> read_network(CompiledReader& in, std::size_t depth);

// A whole constraint of any kind, without what stands in front. compiled.cc.
void write_constraint(CompiledWriter& out, const Constraint& constraint);
std::shared_ptr<const Constraint> read_constraint(CompiledReader& in, std::size_t depth);

}  // namespace sgl::constraint
