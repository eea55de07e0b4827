#include <cstddef>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "compiler/driver/explain.h"
#include "compiler/driver/plan_steps.h"
#include "compiler/driver/plan_values.h"

namespace sgl::compiler {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : shortened(text, 120)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

const char* shape(Step::Kind kind) {
  switch (kind) {
    case Step::Kind::kGen:
    case Step::Kind::kSelect: return "box, style=\"filled,rounded\", fillcolor=lightblue";
    case Step::Kind::kIf:
    case Step::Kind::kElse:
    case Step::Kind::kLoop: return "diamond";
    case Step::Kind::kParallel:
    case Step::Kind::kBranch:
    case Step::Kind::kArm: return "trapezium";
    case Step::Kind::kFail: return "octagon";
    default: return "box";
  }
}

class Graph {
 public:
  std::string out = "digraph program {\n  node [fontname=\"monospace\", fontsize=10];\n";

  // The nodes of `steps`, one after another from `from`; returns the last node.
  std::size_t chain(const std::vector<Step>& steps, std::size_t from, bool dashed) {
    std::size_t last = from;
    for (const Step& step : steps) {
      last = node(step, last, dashed);
      dashed = false;
    }
    return last;
  }

  std::size_t add(const std::string& label, const char* form) {
    out += fmt::format("    n{} [label=\"{}\", shape={}];\n", next_, escaped(label), form);
    return next_++;
  }

 private:
  std::size_t node(const Step& step, std::size_t from, bool dashed) {
    // A message is its parts: roles are shown in the labels of what they hold.
    if (step.kind == Step::Kind::kRole) {
      std::size_t last = from;
      for (const Step& child : step.children) {
        const bool leaf = child.children.empty();
        last = leaf ? linked(add(step.text + " " + step_text(child), shape(child.kind)), last, dashed) : node(child, last, dashed);
        dashed = false;
      }
      return last;
    }
    const std::size_t self = linked(add(step_text(step), shape(step.kind)), from, dashed);
    const bool forks = step.kind == Step::Kind::kParallel || step.kind == Step::Kind::kArm;
    if (step.kind == Step::Kind::kBranch) {
      for (const Step& arm : step.children) node(arm, self, true);
      return self;
    }
    const std::size_t last = chain(step.children, self, forks);
    if (step.kind == Step::Kind::kLoop && last != self) out += fmt::format("    n{} -> n{} [label=\"again\"];\n", last, self);
    // A prompt continues the same context; what follows a loop, condition or fork begins from its node.
    return step.kind == Step::Kind::kCall ? last : self;
  }

  std::size_t linked(std::size_t to, std::size_t from, bool dashed) {
    out += fmt::format("    n{} -> n{}{};\n", from, to, dashed ? " [style=dashed]" : "");
    return to;
  }

  std::size_t next_ = 0;
};

}  // namespace

std::string explain_dot(const plan::Plan& plan) {
  Graph graph;
  std::size_t cluster = 0;
  for (const plan::Program& program : plan.programs) {
    graph.out += fmt::format("  subgraph cluster_{} {{\n    label=\"program {}\";\n", cluster++, escaped(program.name));
    const std::size_t start = graph.add("start", "circle");
    graph.chain(program_steps(plan, program), start, false);
    graph.out += "  }\n";
  }
  return graph.out + "}\n";
}

}  // namespace sgl::compiler
