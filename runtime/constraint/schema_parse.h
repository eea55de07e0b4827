// The reader behind parse_schema. Private to runtime/constraint.
#pragma once

#include <chrono>
#include <deque>
#include <unordered_map>

#include "runtime/constraint/schema_doc.h"
#include "runtime/constraint/schema_refs.h"

namespace sgl::constraint {

class SchemaParser {
 public:
  SchemaParser(const Json& root, const SchemaOptions& options);
  SchemaDoc run();

 private:
  using Place = SchemaPlace;
  struct Pending {
    NodeIndex node = 0;
    Place place;
  };

  // The node of a subschema; read later.
  NodeIndex node(const Place& place);
  NodeIndex child(const Place& parent, const std::string& key);
  NodeIndex child(const Place& parent, const std::string& key, std::size_t index);
  NodeIndex child(const Place& parent, const std::string& key, const std::string& name, const Json& value);
  std::vector<NodeIndex> children(const Place& parent, const std::string& key);
  void read(NodeIndex index, const Place& place);
  void keyword(SchemaNode& out, const Place& place, const std::string& key, const Json& value);
  bool general(SchemaNode& out, const Place& place, const std::string& key, const Json& value);
  bool number(SchemaNode& out, const Place& place, const std::string& key, const Json& value);
  bool text(SchemaNode& out, const Place& place, const std::string& key, const Json& value);
  bool array(SchemaNode& out, const Place& place, const std::string& key, const Json& value);
  bool object(SchemaNode& out, const Place& place, const std::string& key, const Json& value);
  bool logic(SchemaNode& out, const Place& place, const std::string& key, const Json& value);
  void reference(SchemaNode& out, const Place& place, const Json& value);
  void unevaluated(SchemaNode& out, const Place& place, const std::string& key);
  void tell_apart();
  void dependencies(SchemaNode& out, const Place& place, const std::string& key, const Json& value);
  void type(SchemaNode& out, const Place& place, const Json& value);
  void pattern_properties(SchemaNode& out, const Place& place, const std::string& key, const Json& value);

  void add_value(ValueSet& set, const Json& value, const std::string& pointer);
  void finish_values(ValueSet& set, const std::string& pointer);
  NodeIndex exactly(const Json& value, const std::string& pointer);

  std::int64_t count(const Place& place, const std::string& key, const Json& value);
  std::vector<std::string> names(const std::string& pointer, const Json& value);
  std::shared_ptr<const CharDfa> pattern(const std::string& pointer, const std::string& text);

  // Over the limit of time, of the automata's bytes with this one: the problem is recorded.
  bool late();
  bool too_much(const CharDfa& dfa, const std::string& pointer);

  void problem(SchemaStatus status, std::string pointer, std::string message);
  // `what` cannot be enforced: an error, or listed.
  void unsupported(const std::string& pointer, std::string message);

  const Json& root_;
  const SchemaOptions& options_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  std::size_t automata_bytes_ = 0;
  bool overriding_refs_ = false;  // $ref stands alone (up to draft 7)
  SchemaRefs refs_;
  SchemaDoc doc_;
  std::unordered_map<const Json*, NodeIndex> nodes_;
  std::deque<Pending> pending_;
};

}  // namespace sgl::constraint
