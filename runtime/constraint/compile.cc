// From type specifications to grammars.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "runtime/base/utf8.h"
#include "runtime/constraint/automaton.h"
#include "runtime/constraint/grammar.h"
#include "runtime/constraint/number.h"
#include "runtime/constraint/one_machine.h"
#include "runtime/constraint/pattern.h"
#include "runtime/constraint/text_machine.h"
#include "runtime/constraint/type_forms.h"

namespace sgl::constraint {

using base::CodeSet;
using base::Expected;

namespace {

const CodeSet kAnyChar{{0, base::kMaxCodePoint}};

std::shared_ptr<const Constraint> regular(Graph graph, FragmentId root, const Limits& limits) {
  return one_machine(std::make_shared<const Automaton>(std::move(graph), root, limits));
}

class TypeCompiler {
 public:
  TypeCompiler(const TypeSpec& spec, const Limits& limits)
      : spec_(spec), limits_(limits), only_checked_(needs_machine(spec)), graph_(limits.max_states) {
    compiled_[0].resize(spec.nodes.size());
    compiled_[1].resize(spec.nodes.size());
  }

  Expected<std::shared_ptr<const Constraint>> run(std::size_t& made) {
    const RootForms forms = root_forms(spec_);
    if (spec_.root < spec_.nodes.size() && !spec_.json) {
      const SpecNode& root = spec_.nodes[spec_.root];
      if (root.kind == SpecKind::kGrammar) return compile_grammar_type(root.pattern);
      const bool apart = std::any_of(root.children.begin(), root.children.end(), [&](std::uint32_t child) {
        return child < spec_.nodes.size() && spec_.nodes[child].kind == SpecKind::kGrammar;
      });
      if (root.kind == SpecKind::kUnion && (apart || (forms.text && only_checked_)))
        return compile_apart(spec_, limits_, made);
    }
    if (const auto text = bare_text()) return text;
    const auto compiled = type(spec_.root, spec_.json, "value", 0);
    const bool refused = !compiled.ok() && compiled.error().kind == base::ErrorKind::kLimit;
    made += refused ? limits_.max_states : graph_.size();
    SGL_TRY(const FragmentId root, compiled);
    if (graph_.over_limit()) return too_large();
    if (graph_.fragment(root).shortest >= kInfinite) return base::invalid("no text satisfies the type");
    if (only_checked_) return compile_as_json(spec_, limits_, {});
    if (forms.container && !forms.text && !forms.scalar)
      return compile_as_json(spec_, limits_, graph_.fragment(root).longest);
    return regular(std::move(graph_), root, limits_);
  }

 private:
  // A machine of its own where there is nothing to bound but the number of characters; null: there is more.
  std::shared_ptr<const Constraint> bare_text() const {
    if (spec_.json || spec_.root >= spec_.nodes.size()) return nullptr;
    const SpecNode& root = spec_.nodes[spec_.root];
    const std::int64_t min = std::max<std::int64_t>(root.min_chars, 0);
    if (root.kind != SpecKind::kString || !root.pattern.empty() || !root.format.empty()) return nullptr;
    if (root.max_chars >= 0 && root.max_chars < min) return nullptr;  // an error, which the graph finds
    return one_machine(std::make_shared<const TextMachine>(min, root.max_chars < 0 ? -1 : root.max_chars, limits_));
  }

  enum class Progress : std::uint8_t { kNew, kOpen, kDone };
  struct Compiled {
    Progress progress = Progress::kNew;
    FragmentId fragment = 0;
  };

  base::Error too_large() const {
    return base::over_limit(fmt::format("the type needs more than {} automaton states", limits_.max_states));
  }
  base::Error wrong(const std::string& path, std::string_view what) const {
    return base::invalid(fmt::format("{}: {}", path, what));
  }

  // `json`: strings are quoted. Each type is compiled once per form.
  Expected<FragmentId> type(std::uint32_t index, bool json, const std::string& path, std::size_t depth) {
    if (index >= spec_.nodes.size()) return wrong(path, "refers to a type that is not there");
    if (depth > limits_.max_nesting) {
      return base::over_limit(fmt::format("{}: types nested more than {} deep", path, limits_.max_nesting));
    }
    Compiled& slot = compiled_[json ? 1 : 0][index];
    if (slot.progress == Progress::kDone) return slot.fragment;
    if (slot.progress == Progress::kOpen) return nothing();
    slot.progress = Progress::kOpen;
    SGL_TRY(const FragmentId made, node(spec_.nodes[index], json, path, depth));
    if (graph_.over_limit()) return too_large();
    slot = {Progress::kDone, made};
    return made;
  }

  Expected<FragmentId> node(const SpecNode& n, bool json, const std::string& path, std::size_t depth) {
    switch (n.kind) {
      case SpecKind::kString:
      case SpecKind::kRegex:
        return string(n, json, path);
      case SpecKind::kInt: {
        const std::int64_t min = n.min_int.value_or(INT64_MIN), max = n.max_int.value_or(INT64_MAX);
        if (min > max) return wrong(path, fmt::format("no integer is at least {} and at most {}", min, max));
        return integer_range(graph_, min, max);
      }
      case SpecKind::kFloat:
        return real(n, path);
      case SpecKind::kBool:
        return graph_.texts({"true", "false"});
      case SpecKind::kNull:
        return graph_.texts({"null"});
      case SpecKind::kLiteral: {
        SGL_TRY(std::string text, literal(n, json, path));
        return graph_.texts({std::move(text)});
      }
      case SpecKind::kList:
        return list(n, path, depth);
      case SpecKind::kMap:
        return map(n, path, depth);
      case SpecKind::kRecord:
        return record(n, path, depth);
      case SpecKind::kUnion:
        return choice(n, json, path, depth);
      case SpecKind::kJson:
        return nothing();
      case SpecKind::kGrammar:
        return wrong(path, "a grammar cannot stand inside a list, record, map or union");
    }
    return wrong(path, "unknown kind of type");
  }

  // Stands for what the machine will read: only what is around it is checked.
  FragmentId nothing() { return graph_.texts({"0"}); }

  static base::Error in(const std::string& path, const base::Error& error) {
    return {error.kind, fmt::format("{}: {}", path, error.message)};
  }

  // Content of a string type: `quoted` decides its spelling only.
  Expected<FragmentId> string(const SpecNode& n, bool json, const std::string& path) {
    SGL_TRY(const FragmentId content, string_content(n, json, path));
    if (graph_.over_limit()) return too_large();
    if (graph_.fragment(content).shortest >= kInfinite)
      return wrong(path, "no string satisfies pattern, format and length");
    if (!json) return content;
    const FragmentId id = graph_.begin();
    const NodeId open = graph_.node(), close = graph_.node();
    graph_.bytes(graph_.fragment(id).start, "\"", open);
    graph_.call(open, content, close);
    graph_.bytes(close, "\"", graph_.fragment(id).exit);
    graph_.seal(id);
    return id;
  }

  Expected<FragmentId> string_content(const SpecNode& n, bool json, const std::string& path) {
    const bool regex = n.kind == SpecKind::kRegex;
    const std::int64_t min = regex ? 0 : std::max<std::int64_t>(n.min_chars, 0), max = regex ? -1 : n.max_chars;
    if (max >= 0 && min > max)
      return wrong(path, fmt::format("no string has at least {} and at most {} characters", min, max));
    std::optional<CharNfa> nfa;
    const auto also = [&](Expected<CharNfa> more) -> base::Status {
      if (!more.ok()) return in(path, more.error());
      if (!nfa) {
        nfa = std::move(more).value();
        return {};
      }
      auto both = CharNfa::intersect(*nfa, *more, limits_);
      if (!both) return in(path, both.error());
      nfa = std::move(both).value();
      return {};
    };
    const auto parsed = [&](std::string_view source, bool search) -> Expected<CharNfa> {
      SGL_TRY(const PatternNode tree, parse_pattern(source, limits_));
      return CharNfa::build(tree, search, limits_);
    };
    if (regex || !n.pattern.empty()) SGL_TRY_STATUS(also(parsed(n.pattern, !regex)));
    if (!regex && !n.format.empty()) {
      const char* format = format_pattern(n.format);
      if (format == nullptr) return wrong(path, fmt::format("format '{}' is not supported", n.format));
      SGL_TRY_STATUS(also(parsed(format, false)));
    }
    if (nfa) {
      if (min > 0 || max >= 0) SGL_TRY_STATUS(also(CharNfa::lengths(min, max, limits_)));
      return nfa->emit(graph_, json ? Spelling::kJson : Spelling::kRaw);
    }
    const FragmentId id = graph_.begin();
    const FragmentId character = graph_.characters(kAnyChar, json ? Spelling::kJsonFree : Spelling::kRaw);
    graph_.repeat(graph_.fragment(id).start, character, "", min, max, graph_.fragment(id).exit);
    graph_.seal(id);
    return id;
  }

  Expected<FragmentId> real(const SpecNode& n, const std::string& path) {
    if (!n.min_float && !n.max_float) return json_number(graph_);
    for (const auto& bound : {n.min_float, n.max_float}) {
      if (bound && !std::isfinite(*bound)) return wrong(path, "a bound of a float must be finite");
    }
    if (n.min_float && n.max_float && *n.min_float > *n.max_float) {
      return wrong(path, fmt::format("no number is at least {} and at most {}", *n.min_float, *n.max_float));
    }
    return decimal_range(graph_, n.min_float, n.max_float);
  }

  // The text of a literal: as it is for a bare string, compact JSON otherwise (numbers as they are spelled).
  Expected<std::string> literal(const SpecNode& n, bool json, const std::string& path) {
    // Writing JSON out is recursive in the library.
    std::size_t level = 0;
    for (char c : n.text) {
      level += c == '[' || c == '{' ? 1 : 0;
      level -= level > 0 && (c == ']' || c == '}') ? 1 : 0;
      if (level > limits_.max_nesting)
        return base::over_limit(fmt::format("{}: the literal is nested too deeply", path));
    }
    const nlohmann::ordered_json value = nlohmann::ordered_json::parse(n.text, nullptr, false);
    if (value.is_discarded()) return wrong(path, "a literal that is not JSON");
    if (value.is_string() && !json) return value.get<std::string>();
    return value.is_number() ? n.text : value.dump();
  }

  Expected<FragmentId> choice(const SpecNode& n, bool json, const std::string& path, std::size_t depth) {
    if (n.children.empty()) return wrong(path, "a union without members");
    std::vector<std::string> literals;
    std::vector<FragmentId> others;
    for (std::size_t i = 0; i < n.children.size(); ++i) {
      const std::uint32_t child = n.children[i];
      const std::string child_path = fmt::format("{}, member {}", path, i + 1);
      if (child < spec_.nodes.size() && spec_.nodes[child].kind == SpecKind::kLiteral) {
        SGL_TRY(std::string text, literal(spec_.nodes[child], json, child_path));
        literals.push_back(std::move(text));
      } else {
        SGL_TRY(const FragmentId made, type(child, json, child_path, depth + 1));
        others.push_back(made);
      }
    }
    if (!literals.empty()) others.push_back(graph_.texts(std::move(literals)));
    const FragmentId id = graph_.begin();
    for (FragmentId other : others) graph_.call(graph_.fragment(id).start, other, graph_.fragment(id).exit);
    graph_.seal(id);
    return id;
  }

  static bool bad_count(std::int64_t min, std::int64_t max) { return max >= 0 && std::max<std::int64_t>(min, 0) > max; }

  // open item,item,… close.
  FragmentId sequence(std::string_view open, FragmentId item, std::int64_t min, std::int64_t max,
                      std::string_view close) {
    const FragmentId id = graph_.begin();
    const NodeId first = graph_.node(), last = graph_.node();
    graph_.bytes(graph_.fragment(id).start, open, first);
    graph_.repeat(first, item, ",", std::max<std::int64_t>(min, 0), max, last);
    graph_.bytes(last, close, graph_.fragment(id).exit);
    graph_.seal(id);
    return id;
  }

  Expected<FragmentId> list(const SpecNode& n, const std::string& path, std::size_t depth) {
    if (n.children.size() != 1) return wrong(path, "a list has one item type");
    if (bad_count(n.min_items, n.max_items)) return wrong(path, "a list of at least more items than at most");
    SGL_TRY(const FragmentId item, type(n.children[0], true, path + ", items", depth + 1));
    return sequence("[", item, n.min_items, n.max_items, "]");
  }

  FragmentId any_string() {
    if (!any_string_) {
      const FragmentId character = graph_.characters(kAnyChar, Spelling::kJsonFree);
      const FragmentId id = graph_.begin();
      const NodeId open = graph_.node(), close = graph_.node();
      graph_.bytes(graph_.fragment(id).start, "\"", open);
      graph_.repeat(open, character, "", 0, -1, close);
      graph_.bytes(close, "\"", graph_.fragment(id).exit);
      graph_.seal(id);
      any_string_ = id;
    }
    return *any_string_;
  }

  // "key":value with any key.
  FragmentId entry(FragmentId value) {
    const FragmentId key = any_string();
    const FragmentId id = graph_.begin();
    const NodeId colon = graph_.node(), after = graph_.node();
    graph_.call(graph_.fragment(id).start, key, colon);
    graph_.bytes(colon, ":", after);
    graph_.call(after, value, graph_.fragment(id).exit);
    graph_.seal(id);
    return id;
  }

  Expected<FragmentId> map(const SpecNode& n, const std::string& path, std::size_t depth) {
    if (n.children.size() != 1) return wrong(path, "a map has one value type");
    if (bad_count(n.min_items, n.max_items)) return wrong(path, "a map of at least more entries than at most");
    SGL_TRY(const FragmentId value, type(n.children[0], true, path + ", values", depth + 1));
    return sequence("{", entry(value), n.min_items, n.max_items, "}");
  }

  // Two lines of nodes, before the first field that is there and after it; optional fields jump along their line.
  Expected<FragmentId> record(const SpecNode& n, const std::string& path, std::size_t depth) {
    std::vector<FragmentId> values;
    for (const SpecField& field : n.fields) {
      SGL_TRY(const FragmentId made,
              type(field.type, true, fmt::format("{}, field '{}'", path, field.name), depth + 1));
      values.push_back(made);
    }
    const FragmentId id = graph_.begin();
    NodeId first = graph_.node(), later = graph_.node();
    std::unordered_set<std::string_view> names;
    graph_.bytes(graph_.fragment(id).start, "{", first);
    for (std::size_t i = 0; i < n.fields.size(); ++i) {
      const SpecField& field = n.fields[i];
      if (!names.insert(field.name).second) return wrong(path, fmt::format("two fields are called '{}'", field.name));
      if (!base::is_valid_utf8(field.name)) return wrong(path, "a field's name is not valid UTF-8");
      const NodeId name = graph_.node(), value = graph_.node(), next_first = graph_.node(), next_later = graph_.node();
      graph_.jump(first, name);
      graph_.bytes(later, ",", name);
      graph_.bytes(name, nlohmann::json(field.name).dump() + ":", value);
      graph_.call(value, values[i], next_later);
      if (field.optional) graph_.jump(first, next_first), graph_.jump(later, next_later);
      first = next_first, later = next_later;
    }
    graph_.bytes(first, "}", graph_.fragment(id).exit);
    graph_.bytes(later, "}", graph_.fragment(id).exit);
    graph_.seal(id);
    return id;
  }

  const TypeSpec& spec_;
  const Limits limits_;
  const bool only_checked_;  // the graph is made to find what is wrong with parts of the type, and not used
  Graph graph_;
  std::vector<Compiled> compiled_[2];
  std::optional<FragmentId> any_string_;
};

}  // namespace

Expected<std::shared_ptr<const Constraint>> compile_type(const TypeSpec& spec, const Limits& limits,
                                                         std::size_t* made) {
  std::size_t unused = 0;
  return TypeCompiler(spec, limits).run(made != nullptr ? *made : unused);
}

Expected<std::shared_ptr<const Constraint>> compile_regex(std::string_view pattern, const Limits& limits,
                                                          std::size_t* made) {
  TypeSpec spec;
  spec.nodes.emplace_back();
  spec.nodes[0].kind = SpecKind::kRegex;
  spec.nodes[0].pattern = pattern;
  return compile_type(spec, limits, made);
}

Expected<std::shared_ptr<const Constraint>> compile_choice(const std::vector<std::string>& texts,
                                                           const Limits& limits) {
  if (texts.empty()) return base::invalid("a choice among no texts");
  Graph graph(limits.max_states);
  const FragmentId root = graph.texts(texts);
  if (graph.over_limit())
    return base::over_limit(fmt::format("the choice needs more than {} automaton states", limits.max_states));
  return regular(std::move(graph), root, limits);
}

bool accepts(const Constraint& constraint, std::string_view text) {
  const auto run = constraint.impl().machine()->run(text);
  return run && run->accepting;
}

bool accepts_prefix(const Constraint& constraint, std::string_view text) {
  return constraint.impl().machine()->run(text).has_value();
}

std::optional<std::uint64_t> max_length(const Constraint& constraint) {
  return constraint.impl().machine()->longest();
}
std::uint64_t min_length(const Constraint& constraint) {
  return constraint.impl().machine()->shortest();
}
std::size_t state_count(const Constraint& constraint) {
  return constraint.impl().machine()->states();
}
std::size_t memory_bytes(const Constraint& constraint) {
  return constraint.impl().machine()->bytes();
}

}  // namespace sgl::constraint
