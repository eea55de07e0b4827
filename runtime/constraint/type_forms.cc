#include "runtime/constraint/type_forms.h"

#include <fmt/format.h>

#include "runtime/constraint/grammar_constraint.h"
#include "runtime/constraint/schema_constraint.h"
#include "runtime/constraint/type_schema.h"

namespace sgl::constraint {

using base::Expected;

namespace {

Expected<std::shared_ptr<const Constraint>> any_of(const std::vector<std::shared_ptr<const Constraint>>& members) {
  const GrammarLimits limits;
  GrammarNfa nfa(limits.max_nodes);
  nfa.root = nfa.add_rule("%type");
  for (const auto& member : members) {
    const RuleId rule = nfa.add_rule("%member");
    nfa.rules[rule].machine = member;
    nfa.call(nfa.rules[nfa.root].start, rule, nfa.rules[nfa.root].final);
  }
  std::vector<std::string> warnings;
  std::optional<GrammarProblem> problem;
  auto out = grammar_constraint(nfa, limits, warnings, problem);
  if (!problem) return out;
  return base::Error{problem->status == GrammarStatus::kLimit ? base::ErrorKind::kLimit : base::ErrorKind::kInvalid,
                     problem->message};
}

void add_forms(const TypeSpec& spec, std::uint32_t type, std::vector<bool>& seen, RootForms& out) {
  if (type >= spec.nodes.size() || seen[type]) return;
  seen[type] = true;
  const SpecNode& node = spec.nodes[type];
  switch (node.kind) {
    case SpecKind::kUnion:
      for (const std::uint32_t child : node.children) add_forms(spec, child, seen, out);
      return;
    case SpecKind::kString:
    case SpecKind::kRegex:
    case SpecKind::kGrammar:
      (spec.json ? out.scalar : out.text) = true;
      return;
    case SpecKind::kLiteral:
      (!spec.json && node.text.starts_with('"') ? out.text : out.scalar) = true;
      return;
    case SpecKind::kList:
    case SpecKind::kMap:
    case SpecKind::kRecord:
    case SpecKind::kJson:
      out.container = true;
      return;
    default:
      out.scalar = true;
  }
}

}  // namespace

RootForms root_forms(const TypeSpec& spec) {
  RootForms out;
  std::vector<bool> seen(spec.nodes.size());
  add_forms(spec, spec.root, seen, out);
  return out;
}

bool needs_machine(const TypeSpec& spec) {
  // Depth first, without recursion: a type that is met while it is open contains itself.
  enum class State : std::uint8_t { kNew, kOpen, kDone };
  std::vector<State> states(spec.nodes.size(), State::kNew);
  std::vector<std::pair<std::uint32_t, std::size_t>> path;  // a type, and which of its parts is next
  const auto enter = [&](std::uint32_t type) {
    if (type >= spec.nodes.size() || states[type] == State::kDone) return false;
    if (states[type] == State::kOpen || spec.nodes[type].kind == SpecKind::kJson) return true;
    states[type] = State::kOpen;
    path.emplace_back(type, 0);
    return false;
  };
  if (enter(spec.root)) return true;
  while (!path.empty()) {
    auto& [type, next] = path.back();
    const SpecNode& node = spec.nodes[type];
    const std::size_t part = next++;
    if (part >= node.children.size() + node.fields.size()) {
      states[type] = State::kDone;
      path.pop_back();
      continue;
    }
    const std::size_t children = node.children.size();
    if (enter(part < children ? node.children[part] : node.fields[part - children].type)) return true;
  }
  return false;
}

Expected<std::shared_ptr<const Constraint>> compile_as_json(const TypeSpec& spec, const Limits& limits,
                                                            std::optional<std::uint64_t> longest) {
  SGL_TRY(SchemaDoc doc, schema_of(spec));
  SchemaOptions options;
  options.limits.max_states = limits.max_states;
  auto made = std::make_shared<SchemaConstraint>(std::move(doc), options, longest);
  if (const auto& problem = made->first().problem()) {
    if (problem->status == SchemaStatus::kLimit || problem->status == SchemaStatus::kTimeout) {
      return base::over_limit(problem->message);
    }
    return base::invalid(fmt::format("value: the JSON Schema at {}: {}", problem->pointer, problem->message));
  }
  if (!made->first().satisfiable()) return base::invalid("value: no value satisfies the type");
  return std::make_shared<const Constraint>(std::move(made));
}

Expected<std::shared_ptr<const Constraint>> compile_apart(const TypeSpec& spec, const Limits& limits,
                                                          std::size_t& states) {
  std::vector<std::shared_ptr<const Constraint>> made;
  std::vector<std::uint32_t> texts, json;
  for (const std::uint32_t child : spec.nodes[spec.root].children) {
    const TypeSpec one{spec.nodes, child, false};
    const RootForms forms = root_forms(one);
    if (forms.text && (forms.scalar || forms.container)) return base::invalid("value: a union in a union");
    if (child < spec.nodes.size() && spec.nodes[child].kind == SpecKind::kGrammar) {
      SGL_TRY(auto constraint, compile_type(one, limits, &states));
      made.push_back(std::move(constraint));
    } else {
      (forms.text ? texts : json).push_back(child);
    }
  }
  for (std::vector<std::uint32_t>* group : {&texts, &json}) {
    if (group->empty()) continue;
    TypeSpec rest{spec.nodes, group->front(), false};
    if (group->size() > 1) {
      rest.root = static_cast<std::uint32_t>(rest.nodes.size());
      rest.nodes.emplace_back();
      rest.nodes.back().kind = SpecKind::kUnion;
      rest.nodes.back().children = std::move(*group);
    }
    SGL_TRY(auto constraint, compile_type(rest, limits, &states));
    made.push_back(std::move(constraint));
  }
  return any_of(made);
}

}  // namespace sgl::constraint
