// Graphs (graph.h) in compiled constraints: fragments, those that are called before those that call them, each with its
// own nodes, of which 0 is the start and 1 the exit. Lengths are computed anew.
#include <unordered_map>

#include "runtime/constraint/compiled_io.h"

namespace sgl::constraint {
namespace {

// The nodes of a fragment, its start and exit first.
std::vector<NodeId> members_of(const Graph& graph, FragmentId id) {
  std::vector<NodeId> out{graph.fragment(id).start, graph.fragment(id).exit};
  std::unordered_map<NodeId, std::uint32_t> met{{out[0], 0}, {out[1], 1}};
  const auto meet = [&](NodeId node) {
    if (met.try_emplace(node, 0).second) out.push_back(node);
  };
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Node& node = graph.at(out[i]);
    for (const Edge& e : node.edges) meet(e.to);
    for (const NodeId to : node.jumps) meet(to);
    for (const Call& c : node.calls) meet(c.back);
  }
  return out;
}

class GraphWriter {
 public:
  GraphWriter(CompiledWriter& out, const Graph& graph) : out_(out), graph_(graph) {}

  void run(FragmentId root) {
    // Depth first, without recursion: a fragment comes when all that it calls are there.
    std::vector<Open> open;
    enter(root, open);
    while (!open.empty()) {
      Open& top = open.back();
      if (top.next < top.calls.size()) {
        enter(top.calls[top.next++], open);
        continue;
      }
      names_.try_emplace(top.id, static_cast<std::uint32_t>(names_.size()));
      order_.push_back(top.id);
      open.pop_back();
    }
    out_.number(order_.size());
    for (const FragmentId id : order_) write(id);
  }

 private:
  struct Open {
    FragmentId id = 0;
    std::vector<FragmentId> calls;
    std::size_t next = 0;
  };
  void enter(FragmentId id, std::vector<Open>& open) {
    if (!members_.try_emplace(id).second) return;  // calls are never cyclic, so it is there already
    members_[id] = members_of(graph_, id);
    Open entry{id, {}, 0};
    for (const NodeId node : members_[id]) {
      for (const Call& c : graph_.at(node).calls) entry.calls.push_back(c.fragment);
    }
    open.push_back(std::move(entry));
  }

  void write(FragmentId id) {
    const std::vector<NodeId>& members = members_[id];
    std::unordered_map<NodeId, std::uint32_t> local;
    for (const NodeId node : members) local.try_emplace(node, static_cast<std::uint32_t>(local.size()));
    out_.number(members.size());
    for (const NodeId at : members) {
      const Node& node = graph_.at(at);
      out_.number(node.edges.size());
      for (const Edge& e : node.edges) {
        out_.number(e.lo), out_.number(std::uint64_t{e.hi} - e.lo), out_.number(local[e.to]);
      }
      out_.number(node.jumps.size());
      for (const NodeId to : node.jumps) out_.number(local[to]);
      out_.number(node.calls.size());
      for (const Call& c : node.calls) out_.number(names_[c.fragment]), out_.number(local[c.back]);
    }
  }

  CompiledWriter& out_;
  const Graph& graph_;
  std::unordered_map<FragmentId, std::vector<NodeId>> members_;
  std::unordered_map<FragmentId, std::uint32_t> names_;
  std::vector<FragmentId> order_;
};

void read_node(CompiledReader& in, Graph& graph, NodeId from, const std::vector<NodeId>& nodes,
               const std::vector<FragmentId>& known) {
  for (std::size_t n = in.count(); n > 0 && in.ok(); --n) {
    const auto lo = static_cast<unsigned>(in.number(255));
    const auto more = static_cast<unsigned>(in.number(255 - lo));
    const NodeId to = nodes[in.index(nodes.size())];
    if (in.ok()) graph.edge(from, lo, lo + more, to);
  }
  for (std::size_t n = in.count(); n > 0 && in.ok(); --n) {
    const NodeId to = nodes[in.index(nodes.size())];
    if (in.ok()) graph.jump(from, to);
  }
  for (std::size_t n = in.count(); n > 0 && in.ok(); --n) {
    const std::uint32_t callee = in.index(known.size());
    const NodeId back = nodes[in.index(nodes.size())];
    if (in.ok()) graph.call(from, known[callee], back);
  }
}

}  // namespace

void write_graph(CompiledWriter& out, const Graph& graph, FragmentId root) {
  GraphWriter(out, graph).run(root);
}

LoadedGraph read_graph(CompiledReader& in) {
  LoadedGraph out{Graph(in.limits().type.max_states), 0};
  std::vector<FragmentId> known;
  const std::size_t fragments = in.count();
  for (std::size_t f = 0; f < fragments && in.ok(); ++f) {
    const FragmentId id = out.graph.begin();
    std::vector<NodeId> nodes{out.graph.fragment(id).start, out.graph.fragment(id).exit};
    const std::size_t size = in.count();
    if (size < 2) in.fault("a fragment without start and exit");
    while (in.ok() && nodes.size() < size && !out.graph.over_limit()) nodes.push_back(out.graph.node());
    if (out.graph.over_limit()) in.over_limit("its graph has too many nodes");
    for (std::size_t i = 0; i < size && in.ok(); ++i) read_node(in, out.graph, nodes[i], nodes, known);
    if (!in.ok()) return out;
    out.graph.seal(id);
    known.push_back(id);
    out.root = id;
  }
  if (known.empty() || (in.ok() && out.graph.fragment(out.root).shortest >= kInfinite)) in.fault("no text matches");
  return out;
}

}  // namespace sgl::constraint
