// Names of rules: that all are known, none is defined twice, and terminals are regular.
#include <fmt/format.h>

#include <unordered_map>

#include "runtime/base/names.h"
#include "runtime/constraint/grammar_doc.h"

namespace sgl::constraint {
namespace {

using Kind = GrammarExpr::Kind;
using Problem = std::optional<GrammarProblem>;

Problem problem(std::size_t place, std::string message) {
  return GrammarProblem{GrammarStatus::kInvalid, place, std::move(message), false};
}

class Resolver {
 public:
  explicit Resolver(GrammarDoc& doc) : doc_(doc) {}

  Problem run() {
    for (RuleId id = 0; id < doc_.rules.size(); ++id) {
      const GrammarRule& rule = doc_.rules[id];
      if (!ids_.emplace(rule.name, id).second) {
        return problem(rule.place, fmt::format("'{}' is defined twice", rule.name));
      }
    }
    for (const GrammarRule& rule : doc_.rules) {
      if (Problem found = resolve(rule.body, rule.terminal ? rule.name : "")) return found;
    }
    for (const ExprId ignored : doc_.ignored) {
      if (Problem found = resolve(ignored, "%ignore")) return found;
    }
    if (!ids_.contains(doc_.start)) {
      return GrammarProblem{GrammarStatus::kInvalid, 0, fmt::format("there is no rule '{}' to start with", doc_.start),
                            true};
    }
    return regular_terminals();
  }

 private:
  // `terminal`: the one whose definition this is; "": a rule's.
  Problem resolve(ExprId id, std::string_view terminal) {
    GrammarExpr& expr = doc_.exprs[id];
    for (ExprId child : expr.children) {
      if (Problem found = resolve(child, terminal)) return found;
    }
    if (expr.kind != Kind::kRule) return std::nullopt;
    const auto it = ids_.find(expr.text);
    if (it == ids_.end()) return unknown(expr);
    expr.rule = it->second;
    if (!terminal.empty() && !doc_.rules[expr.rule].terminal) {
      return problem(expr.place, fmt::format("{} is made of terminals, and '{}' is a rule", terminal, expr.text));
    }
    return std::nullopt;
  }

  Problem unknown(const GrammarExpr& expr) const {
    std::vector<std::string> names;
    for (const GrammarRule& rule : doc_.rules) names.push_back(rule.name);
    const auto nearest = base::nearest_name(expr.text, names);
    return problem(expr.place, fmt::format("there is no rule '{}'{}", expr.text,
                                           nearest ? fmt::format("; did you mean '{}'?", *nearest) : ""));
  }

  void collect(ExprId id, std::vector<RuleId>& out) const {
    const GrammarExpr& expr = doc_.exprs[id];
    if (expr.kind == Kind::kRule) out.push_back(expr.rule);
    for (ExprId child : expr.children) collect(child, out);
  }

  // Depth first, without recursion over rules: their chains may be long.
  Problem regular_terminals() const {
    enum class Mark : std::uint8_t { kNew, kOpen, kDone };
    struct Visit {
      RuleId rule;
      std::vector<RuleId> uses;
      std::size_t next = 0;
    };
    std::vector<Mark> marks(doc_.rules.size(), Mark::kNew);
    std::vector<Visit> open;
    const auto begin = [&](RuleId rule) {
      marks[rule] = Mark::kOpen;
      open.push_back({rule, {}, 0});
      collect(doc_.rules[rule].body, open.back().uses);
    };
    for (RuleId root = 0; root < doc_.rules.size(); ++root) {
      if (!doc_.rules[root].terminal || marks[root] != Mark::kNew) continue;
      begin(root);
      while (!open.empty()) {
        Visit& top = open.back();
        if (top.next == top.uses.size()) {
          marks[top.rule] = Mark::kDone;
          open.pop_back();
          continue;
        }
        const RuleId use = top.uses[top.next++];
        if (marks[use] == Mark::kOpen) {
          return problem(doc_.rules[use].place,
                         fmt::format("the terminal '{}' is defined by itself; make it a rule, in "
                                     "small letters",
                                     doc_.rules[use].name));
        }
        if (marks[use] == Mark::kNew) begin(use);
      }
    }
    return std::nullopt;
  }

  GrammarDoc& doc_;
  std::unordered_map<std::string, RuleId> ids_;
};

}  // namespace

std::optional<GrammarProblem> resolve_names(GrammarDoc& doc) {
  return Resolver(doc).run();
}

}  // namespace sgl::constraint
