// From the rules of a grammar to automata.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "runtime/base/utf8.h"
#include "runtime/constraint/grammar_nfa.h"
#include "runtime/constraint/json_schema.h"

namespace sgl::constraint {
namespace {

using Kind = GrammarExpr::Kind;

bool can_be_empty(const PatternNode& n) {
  switch (n.kind) {
    case PatternNode::Kind::kSet:
      return false;
    case PatternNode::Kind::kSequence:
      return std::all_of(n.children.begin(), n.children.end(), can_be_empty);
    case PatternNode::Kind::kChoice:
      return std::any_of(n.children.begin(), n.children.end(), can_be_empty);
    case PatternNode::Kind::kRepeat:
      return n.min == 0 || can_be_empty(n.children[0]);
    default:
      return true;
  }
}

// Does a part of the pattern speak of what stands before or after the terminal? `first`, `last`: nothing may stand
// before or after it within the pattern. A look-around that sees text of the terminal is about that alone.
bool looks_outside(const PatternNode& n, bool first, bool last) {
  switch (n.kind) {
    case PatternNode::Kind::kBegin:
    case PatternNode::Kind::kEnd:
      return true;
    case PatternNode::Kind::kLook:
      return n.behind ? first : last;
    case PatternNode::Kind::kSequence: {
      std::size_t last_full = n.children.size();  // the last child that is never empty
      for (std::size_t i = n.children.size(); i-- > 0 && last_full == n.children.size();) {
        if (!can_be_empty(n.children[i])) last_full = i;
      }
      bool begun = false;
      for (std::size_t i = 0; i < n.children.size(); ++i) {
        const bool nothing_after = last_full == n.children.size() || i >= last_full;
        if (looks_outside(n.children[i], first && !begun, last && nothing_after)) return true;
        begun = begun || !can_be_empty(n.children[i]);
      }
      return false;
    }
    default:
      return std::any_of(n.children.begin(), n.children.end(),
                         [&](const PatternNode& child) { return looks_outside(child, first, last); });
  }
}

class NfaBuilder {
 public:
  NfaBuilder(GrammarDoc& doc, const GrammarLimits& limits) : doc_(doc), limits_(limits), nfa_(limits.max_nodes) {}

  GrammarNfa run() {
    weigh();
    for (const GrammarRule& rule : doc_.rules) {
      const RuleId id = nfa_.add_rule(rule.name);
      nfa_.rules[id].listed = rule.name.find_first_of(".{") == std::string::npos;
    }
    mark_used();
    make_ignored();
    make_root();
    for (RuleId id = 0; id < doc_.rules.size() && !stopped(); ++id) {
      in_terminal_ = doc_.rules[id].terminal;
      emit(doc_.rules[id].body, nfa_.rules[id].start, nfa_.rules[id].final);
    }
    if (nfa_.over_limit()) {
      fail(0, fmt::format("the grammar needs a network of more than {} nodes", limits_.max_nodes),
           GrammarStatus::kLimit);
      doc_.problem->whole = true;
    }
    return std::move(nfa_);
  }

 private:
  static constexpr std::uint32_t kInline = 32;  // rules up to this weight are copied to where they are used
  static constexpr std::uint32_t kHeavy = 1 << 20;

  bool stopped() const { return nfa_.over_limit() || doc_.problem.has_value(); }
  void fail(std::size_t place, std::string message, GrammarStatus status = GrammarStatus::kInvalid) {
    if (!doc_.problem) doc_.problem = GrammarProblem{status, place, std::move(message), false};
  }

  // How much a copy of each rule is, with the copies in it; kHeavy for those that lead back to themselves.
  void weigh() {
    enum class Mark : std::uint8_t { kNew, kOpen, kDone };
    std::vector<Mark> marks(doc_.rules.size(), Mark::kNew);
    weights_.assign(doc_.rules.size(), 0);
    std::vector<std::uint8_t> looped(doc_.rules.size(), 0);
    std::vector<RuleId> open;
    for (RuleId root = 0; root < doc_.rules.size(); ++root) {
      if (marks[root] == Mark::kNew) open.push_back(root);
      while (!open.empty()) {
        const RuleId rule = open.back();
        if (marks[rule] == Mark::kDone) {
          open.pop_back();
          continue;
        }
        if (marks[rule] == Mark::kOpen) {
          weights_[rule] = looped[rule] != 0 ? kHeavy : weight(doc_.rules[rule].body);
          marks[rule] = Mark::kDone;
          open.pop_back();
          continue;
        }
        marks[rule] = Mark::kOpen;
        const std::size_t begin = open.size();
        collect(doc_.rules[rule].body, open);
        std::size_t kept = begin;
        for (std::size_t i = begin; i < open.size(); ++i) {
          if (marks[open[i]] == Mark::kOpen) looped[open[i]] = 1;
          if (marks[open[i]] == Mark::kNew) open[kept++] = open[i];
        }
        open.resize(kept);
      }
    }
  }
  void mark_used() {
    std::vector<RuleId> todo;
    for (const ExprId ignored : doc_.ignored) collect(ignored, todo);
    for (RuleId id = 0; id < doc_.rules.size(); ++id) {
      if (doc_.rules[id].name == doc_.start) todo.push_back(id);
    }
    while (!todo.empty()) {
      const RuleId id = todo.back();
      todo.pop_back();
      if (nfa_.rules[id].used) continue;
      nfa_.rules[id].used = true;
      collect(doc_.rules[id].body, todo);
    }
  }
  void collect(ExprId id, std::vector<RuleId>& out) const {
    const GrammarExpr& expr = doc_.exprs[id];
    if (expr.kind == Kind::kRule) out.push_back(expr.rule);
    for (ExprId child : expr.children) collect(child, out);
  }
  std::uint32_t weight(ExprId id) const {
    const GrammarExpr& expr = doc_.exprs[id];
    std::uint64_t out = 1;
    switch (expr.kind) {
      case Kind::kText:
      case Kind::kPattern:
        out += expr.text.size();
        break;
      case Kind::kRule:
        out += weights_[expr.rule] <= kInline ? weights_[expr.rule] : 1;
        break;
      case Kind::kRepeat: {
        const auto times =
            static_cast<std::uint64_t>(expr.max == kNoMaximum ? std::max<std::int64_t>(expr.min, 1) : expr.max);
        out += times * weight(expr.children[0]);
        break;
      }
      default:
        for (ExprId child : expr.children) out += weight(child);
    }
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(out, kHeavy));
  }

  // (I1 | I2 | …)*
  void make_ignored() {
    if (doc_.ignored.empty()) return;
    ignored_ = nfa_.add_rule("%ignore");
    nfa_.rules[*ignored_].ignored = true;
    in_terminal_ = true;
    const std::uint32_t start = nfa_.rules[*ignored_].start, loop = nfa_.node();
    nfa_.jump(start, loop);
    nfa_.jump(loop, nfa_.rules[*ignored_].final);
    for (const ExprId id : doc_.ignored) emit(id, loop, loop);
  }

  void make_root() {
    RuleId start = 0;
    while (doc_.rules[start].name != doc_.start) ++start;
    nfa_.root = start;
    if (!ignored_ && !doc_.rules[start].terminal) return;
    nfa_.root = nfa_.add_rule("%start");
    const std::uint32_t from = nfa_.rules[nfa_.root].start, to = nfa_.rules[nfa_.root].final, body = nfa_.node();
    ignore(from, body);
    if (doc_.rules[start].terminal) {
      const std::uint32_t after = nfa_.node();
      nfa_.call(body, start, after);
      ignore(after, to);
    } else {
      nfa_.call(body, start, to);
    }
  }
  void ignore(std::uint32_t from, std::uint32_t to) {
    if (ignored_) {
      nfa_.call(from, *ignored_, to);
    } else {
      nfa_.jump(from, to);
    }
  }

  // A terminal in a rule is followed by what is ignored. Recursion is bounded: by the nesting of the text, and by
  // kInline where rules are copied.
  void emit(ExprId id, std::uint32_t from, std::uint32_t to) {
    if (stopped()) return;
    const GrammarExpr& expr = doc_.exprs[id];
    switch (expr.kind) {
      case Kind::kSequence:
        return sequence(expr, from, to);
      case Kind::kChoice:
        for (ExprId child : expr.children) emit(child, from, to);
        return;
      case Kind::kRepeat:
        return repeat(expr, from, to);
      case Kind::kRule:
        return reference(expr, from, to);
      default:
        break;
    }
    const bool more = !in_terminal_ && ignored_;
    const std::uint32_t after = more ? nfa_.node() : to;
    if (more) ignore(after, to);
    terminal(expr, from, after);
  }

  void sequence(const GrammarExpr& expr, std::uint32_t from, std::uint32_t to) {
    if (expr.children.empty()) return nfa_.jump(from, to);
    for (std::size_t i = 0; i < expr.children.size(); ++i) {
      const std::uint32_t next = i + 1 == expr.children.size() ? to : nfa_.node();
      emit(expr.children[i], from, next);
      from = next;
    }
  }

  void repeat(const GrammarExpr& expr, std::uint32_t from, std::uint32_t to) {
    // Nodes of its own, so that loops do not lead back to what else leads to `from`.
    const std::int64_t sure = expr.min;
    for (std::int64_t i = 0; i < sure && !stopped(); ++i) {
      const std::uint32_t next = nfa_.node();
      emit(expr.children[0], from, next);
      from = next;
    }
    if (expr.max == kNoMaximum) {
      const std::uint32_t loop = nfa_.node();
      nfa_.jump(from, loop);
      emit(expr.children[0], loop, loop);
      return nfa_.jump(loop, to);
    }
    nfa_.jump(from, to);
    for (std::int64_t i = expr.min; i < expr.max && !stopped(); ++i) {
      const std::uint32_t next = nfa_.node();
      emit(expr.children[0], from, next);
      nfa_.jump(next, to);
      from = next;
    }
  }

  void reference(const GrammarExpr& expr, std::uint32_t from, std::uint32_t to) {
    const GrammarRule& rule = doc_.rules[expr.rule];
    const bool is_terminal = rule.terminal && !in_terminal_;
    std::uint32_t after = to;
    if (is_terminal && ignored_) {
      after = nfa_.node();
      ignore(after, to);
    }
    if (weights_[expr.rule] > kInline) return nfa_.call(from, expr.rule, after);
    const bool before = in_terminal_;
    in_terminal_ = in_terminal_ || rule.terminal;
    emit(rule.body, from, after);
    in_terminal_ = before;
  }

  void terminal(const GrammarExpr& expr, std::uint32_t from, std::uint32_t to) {
    switch (expr.kind) {
      case Kind::kText:
        return text(expr, from, to);
      case Kind::kSet:
        return nfa_.characters(from, expr.set, to);
      case Kind::kPattern:
        return pattern(expr, from, to);
      case Kind::kSchema:
        return schema(expr, from, to);
      default:
        SGL_ASSERT(false);  // templates are gone
    }
  }

  void text(const GrammarExpr& expr, std::uint32_t from, std::uint32_t to) {
    if (!expr.ignore_case || expr.text.empty()) return nfa_.bytes(from, expr.text, to);
    for (std::size_t at = 0; at < expr.text.size() && !stopped();) {
      const base::DecodedChar c = base::decode_utf8(expr.text, at);
      at += c.bytes;
      const std::uint32_t next = at == expr.text.size() ? to : nfa_.node();
      nfa_.characters(from, base::CodeSet{{c.code, c.code}}.case_closed(), next);
      from = next;
    }
  }

  // Equal patterns share one automaton, unless they are short.
  void pattern(const GrammarExpr& expr, std::uint32_t from, std::uint32_t to) {
    const std::string key = fmt::format("{}{}{}", expr.ignore_case ? 'i' : '-', expr.dot_all ? 's' : '-', expr.text);
    if (in_terminal_ || expr.text.size() <= kInline) {
      if (const auto made = automaton(expr)) nfa_.pattern(from, *made, to);
      return;
    }
    const auto [it, fresh] = patterns_.try_emplace(key, 0);
    if (fresh) {
      it->second = nfa_.add_rule("/" + expr.text + "/");
      const NfaRule rule = nfa_.rules[it->second];
      if (const auto made = automaton(expr)) nfa_.pattern(rule.start, *made, rule.final);
    }
    nfa_.call(from, it->second, to);
  }

  std::optional<CharNfa> automaton(const GrammarExpr& expr) {
    Limits limits;
    limits.max_states = limits_.max_nodes;
    const auto failed = [&](const base::Error& error) {
      const bool limit = error.kind == base::ErrorKind::kLimit;
      fail(expr.place, error.message, limit ? GrammarStatus::kLimit : GrammarStatus::kInvalid);
      return std::nullopt;
    };
    const auto tree = parse_pattern(expr.text, limits, {expr.ignore_case, expr.dot_all});
    if (!tree) return failed(tree.error());
    if (looks_outside(*tree, true, true)) {
      fail(expr.place,
           "the pattern speaks of what stands before or after the terminal (^, $, \\b or a look-around at its end), "
           "which is not supported",
           GrammarStatus::kUnsupported);
      return std::nullopt;
    }
    auto nfa = CharNfa::build(*tree, false, limits);
    if (!nfa) return failed(nfa.error());
    return std::move(nfa).value();
  }

  void schema(const GrammarExpr& expr, std::uint32_t from, std::uint32_t to) {
    const auto [it, fresh] = schemas_.try_emplace(expr.text, 0);
    if (fresh) {
      // The limit of time is one for all schemas of a grammar.
      SchemaOptions options;
      const auto spent = std::chrono::steady_clock::now() - begun_;
      options.limits.time -=
          std::min(options.limits.time, std::chrono::duration_cast<std::chrono::milliseconds>(spent));
      const SchemaResult made = compile_json_schema(expr.text, options);
      if (!made.ok()) {
        const GrammarStatus status = made.status == SchemaStatus::kUnsupported     ? GrammarStatus::kUnsupported
                                     : made.status == SchemaStatus::kUnsatisfiable ? GrammarStatus::kUnsatisfiable
                                     : made.status == SchemaStatus::kInvalid       ? GrammarStatus::kInvalid
                                                                                   : GrammarStatus::kLimit;
        return fail(
            expr.place,
            fmt::format("in the schema{}{}: {}", made.pointer.empty() ? "" : " at ", made.pointer, made.message),
            status);
      }
      it->second = nfa_.add_rule("%json");
      nfa_.rules[it->second].machine = made.constraint;
    }
    nfa_.call(from, it->second, to);
  }

  GrammarDoc& doc_;
  const GrammarLimits& limits_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  GrammarNfa nfa_;
  std::vector<std::uint32_t> weights_;
  std::optional<RuleId> ignored_;
  bool in_terminal_ = false;
  std::map<std::string, RuleId> patterns_, schemas_;
};

}  // namespace

GrammarNfa make_nfa(GrammarDoc& doc, const GrammarLimits& limits) {
  return NfaBuilder(doc, limits).run();
}

}  // namespace sgl::constraint
