#include "runtime/constraint/compiled.h"

#include <fmt/format.h>

#include <bit>

#include "runtime/constraint/automaton.h"
#include "runtime/constraint/compiled_io.h"
#include "runtime/constraint/grammar_constraint.h"
#include "runtime/constraint/one_machine.h"
#include "runtime/constraint/schema_constraint.h"
#include "runtime/constraint/text_machine.h"

namespace sgl::constraint {

using base::Expected;
using base::Sha256;

namespace {

constexpr std::string_view kMagic = "SGLC";
constexpr std::size_t kSumAt = 4, kSummedAt = 12, kEngineAt = 12, kDigestAt = 44, kBodyAt = 76;
static_assert(kDigestAt == kEngineAt + sizeof(Sha256) && kBodyAt == kDigestAt + sizeof(Sha256));

enum class Kind : std::uint8_t { kText, kGraph, kSchema, kGrammar };

std::string_view bytes_of(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// Finds damage, not intent (FNV-1a over words of 8 bytes).
std::string checksum(std::string_view bytes) {
  constexpr std::uint64_t kPrime = 0x100000001b3;
  std::uint64_t sum = 0xcbf29ce484222325;
  for (std::size_t i = 0; i < bytes.size(); i += 8) {
    std::uint64_t word = 0;
    for (const char c : bytes.substr(i, 8)) word = word << 8 | static_cast<std::uint8_t>(c);
    sum = (sum ^ word) * kPrime;
    sum ^= sum >> 32;
  }
  std::string out;
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(sum >> shift & 255);
  return out;
}

void write_optional(CompiledWriter& out, const std::optional<std::int64_t>& value) {
  out.flag(value.has_value());
  if (value) out.integer(*value);
}
void write_optional(CompiledWriter& out, const std::optional<double>& value) {
  out.flag(value.has_value());
  if (value) out.number(std::bit_cast<std::uint64_t>(*value));
}

void write_spec(CompiledWriter& out, const SpecNode& node) {
  out.number(static_cast<std::uint64_t>(node.kind));
  for (const std::int64_t size : {node.min_chars, node.max_chars, node.min_items, node.max_items}) out.integer(size);
  write_optional(out, node.min_int), write_optional(out, node.max_int);
  write_optional(out, node.min_float), write_optional(out, node.max_float);
  for (const std::string* text : {&node.text, &node.pattern, &node.format}) out.text(*text);
  out.number(node.children.size());
  for (const std::uint32_t child : node.children) out.number(child);
  out.number(node.fields.size());
  for (const SpecField& field : node.fields) out.text(field.name), out.number(field.type), out.flag(field.optional);
}

void write_options(CompiledWriter& out, const SchemaOptions& options) {
  out.number(static_cast<std::uint64_t>(options.order));
  out.number(static_cast<std::uint64_t>(options.whitespace));
  out.integer(options.indent);
}

SchemaOptions read_options(CompiledReader& in) {
  SchemaOptions out;
  out.order = static_cast<PropertyOrder>(in.number(static_cast<std::uint64_t>(PropertyOrder::kAny)));
  out.whitespace = static_cast<Whitespace>(in.number(static_cast<std::uint64_t>(Whitespace::kIndent)));
  out.indent = static_cast<int>(in.integer(0, 16));
  out.limits = in.limits().schema;
  return out;
}

std::shared_ptr<const Constraint> read_text_machine(CompiledReader& in) {
  const std::int64_t min = in.integer(0, INT64_MAX), max = in.integer(-1, INT64_MAX);
  if (max >= 0 && max < min) in.fault("a text of at least more characters than at most");
  return in.ok() ? one_machine(std::make_shared<const TextMachine>(min, max, in.limits().type)) : nullptr;
}

std::shared_ptr<const Constraint> read_automaton(CompiledReader& in) {
  LoadedGraph made = read_graph(in);
  if (!in.ok()) return nullptr;
  return one_machine(std::make_shared<const Automaton>(std::move(made.graph), made.root, in.limits().type));
}

std::shared_ptr<const Constraint> read_schema_constraint(CompiledReader& in) {
  const SchemaOptions options = read_options(in);
  std::optional<std::uint64_t> longest;
  if (in.flag()) longest = in.number(kInfinite);
  SchemaDoc doc = read_schema(in);
  if (!in.ok()) return nullptr;
  auto made = std::make_shared<SchemaConstraint>(std::move(doc), options, longest, true);
  if (const auto& problem = made->first().problem()) return in.fault(problem->message), nullptr;
  if (!made->first().satisfiable()) return in.fault("no value satisfies its schema"), nullptr;
  return std::make_shared<const Constraint>(std::move(made));
}

}  // namespace

void write_constraint(CompiledWriter& out, const Constraint& constraint) {
  const Constraint::Impl& impl = constraint.impl();
  const auto kind = [&](Kind value) { out.number(static_cast<std::uint64_t>(value)); };
  if (const auto* schema = dynamic_cast<const SchemaConstraint*>(&impl)) {
    kind(Kind::kSchema);
    write_options(out, schema->options());
    out.flag(schema->longest().has_value());
    if (schema->longest()) out.number(*schema->longest());
    return write_schema(out, schema->doc());
  }
  if (const auto* grammar = dynamic_cast<const GrammarConstraint*>(&impl)) {
    kind(Kind::kGrammar);
    return write_network(out, grammar->network());
  }
  const auto machine = impl.machine();
  if (const auto* text = dynamic_cast<const TextMachine*>(machine.get())) {
    kind(Kind::kText);
    out.integer(text->min());
    return out.integer(text->max());
  }
  const auto* automaton = dynamic_cast<const Automaton*>(machine.get());
  SGL_ASSERT(automaton != nullptr);  // there are no other kinds
  kind(Kind::kGraph);
  write_graph(out, automaton->graph(), automaton->root());
}

std::shared_ptr<const Constraint> read_constraint(CompiledReader& in, std::size_t depth) {
  if (depth > in.limits().max_depth) in.over_limit("its constraints are nested too deeply");
  switch (static_cast<Kind>(in.number(static_cast<std::uint64_t>(Kind::kGrammar)))) {
    case Kind::kText:
      return in.ok() ? read_text_machine(in) : nullptr;
    case Kind::kGraph:
      return read_automaton(in);
    case Kind::kSchema:
      return read_schema_constraint(in);
    case Kind::kGrammar: {
      auto network = read_network(in, depth);
      if (network == nullptr) return nullptr;
      return std::make_shared<const Constraint>(
          std::make_shared<GrammarConstraint>(std::move(network), in.limits().grammar));
    }
  }
  return nullptr;
}

Sha256 digest_of(const TypeSpec& spec, const Limits& limits) {
  CompiledWriter out;
  out.text("type");
  for (const std::size_t limit : {limits.max_pattern_bytes, limits.max_states, limits.max_nesting}) out.number(limit);
  out.flag(spec.json);
  out.number(spec.root);
  out.number(spec.nodes.size());
  for (const SpecNode& node : spec.nodes) write_spec(out, node);
  return base::sha256(out.bytes());
}

Sha256 digest_of(std::string_view schema, const SchemaOptions& options) {
  CompiledWriter out;
  out.text("schema");
  const SchemaLimits& l = options.limits;
  for (const std::size_t limit :
       {l.max_bytes, l.max_nesting, l.max_goals, l.max_alternatives, l.max_states, l.max_frames, l.max_threads})
    out.number(limit);
  out.integer(l.whitespace_run), out.integer(l.time.count()), out.integer(l.mask_time.count());
  write_options(out, options);
  out.number(static_cast<std::uint64_t>(options.unsupported));
  out.number(static_cast<std::uint64_t>(options.formats));
  out.number(static_cast<std::uint64_t>(options.numbers));
  out.text(schema);
  return base::sha256(out.bytes());
}

Sha256 digest_of(std::string_view grammar, const GrammarOptions& options) {
  CompiledWriter out;
  out.text("grammar");
  const GrammarLimits& l = options.limits;
  for (const std::size_t limit : {l.max_bytes, l.max_nesting, l.max_rules, l.max_nodes, l.max_states, l.max_stack_nodes,
                                  l.max_depth, l.max_threads, l.max_joins})
    out.number(limit);
  out.integer(l.whitespace_run);
  out.number(static_cast<std::uint64_t>(options.syntax));
  out.text(options.start), out.text(grammar);
  return base::sha256(out.bytes());
}

Expected<std::string> save(const Constraint& constraint, const Sha256& digest, const LoadLimits& limits) {
  CompiledWriter out;
  out.raw(bytes_of(engine_version()));
  out.raw(bytes_of(digest));
  write_constraint(out, constraint);
  std::string bytes = std::string(kMagic) + checksum(out.bytes()) + out.bytes();
  if (bytes.size() > limits.max_bytes) {
    return base::over_limit(
        fmt::format("the compiled constraint has {} bytes, more than {}", bytes.size(), limits.max_bytes));
  }
  return bytes;
}

Expected<std::shared_ptr<const Constraint>> load(std::string_view bytes, const Sha256& digest,
                                                 const LoadLimits& limits) {
  if (bytes.size() > limits.max_bytes) {
    return base::over_limit(fmt::format("it has {} bytes, more than {}", bytes.size(), limits.max_bytes));
  }
  if (bytes.size() < kBodyAt || !bytes.starts_with(kMagic)) return base::invalid("it is not a compiled constraint");
  if (bytes.substr(kEngineAt, sizeof(Sha256)) != bytes_of(engine_version()))
    return base::invalid("another version of the constraint engine made it");
  if (bytes.substr(kDigestAt, sizeof(Sha256)) != bytes_of(digest))
    return base::invalid("it was made of another specification");
  if (bytes.substr(kSumAt, kSummedAt - kSumAt) != checksum(bytes.substr(kSummedAt)))
    return base::invalid("it is damaged: its checksum does not match");
  CompiledReader in(bytes.substr(kBodyAt), limits);
  auto out = read_constraint(in, 1);
  if (in.ok() && in.left() > 0) in.fault("more bytes than the constraint has");
  if (in.ok()) return out;
  return base::Error{in.limit() ? base::ErrorKind::kLimit : base::ErrorKind::kInvalid, in.problem()};
}

}  // namespace sgl::constraint
