// Attention: which rows are read for together, division among threads.
#include "kernels/attention.h"

#include <algorithm>
#include <vector>

#include "kernels/cpu/buffer.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/ranges.h"
#include "runtime/base/check.h"

namespace sgl::kernels {
namespace {

// Rows [begin, begin + count) of one sequence at consecutive positions. What they see before position `from` is done
// together with other sequences'.
struct RowRun {
  std::size_t begin = 0, count = 0, from = 0;
};

// Neighbouring runs: one, or (shared > 0) some whose sequences have their first `shared` positions in common.
struct Group {
  std::size_t begin = 0, count = 0;  // rows
  std::size_t shared = 0;
};

// Positions below which rows of different sequences are not worth keeping together, and rows of a run above which it
// gains nothing from others.
constexpr std::size_t kLeastShared = 4 * kAttentionBlock, kMostSharing = 32;

std::vector<RowRun> runs_of(std::span<const AttentionRow> rows, std::size_t longest) {
  std::vector<RowRun> runs;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const bool follows = r > 0 && rows[r].slots == rows[r - 1].slots && rows[r].position == rows[r - 1].position + 1;
    if (follows && runs.back().count < longest) {
      ++runs.back().count;
    } else {
      runs.push_back({r, 1, 0});
    }
  }
  return runs;
}

// How many positions two sequences have in common, up to `most`; whole blocks.
std::size_t common_positions(const AttentionRow& a, const AttentionRow& b, std::size_t most) {
  const std::size_t end = std::min({most, a.position + 1, b.position + 1}) / kAttentionBlock * kAttentionBlock;
  std::size_t at = 0;
  while (at < end && std::equal(a.slots + at, a.slots + at + kAttentionBlock, b.slots + at)) at += kAttentionBlock;
  return at;
}

// Neighbouring runs that read mostly the same (forks of one prefix), up to `longest` rows together. Writes to `runs`
// how far they do.
std::vector<Group> groups_of(const AttentionShape& shape, std::span<const AttentionRow> rows, std::vector<RowRun>& runs,
                             std::size_t longest) {
  const auto shares = [&](const RowRun& run) {
    const bool sees_all = shape.window == 0 || rows[run.begin + run.count - 1].position < shape.window;
    return run.count <= kMostSharing && sees_all && shape.head_dim <= cpu::kMaxSharedDim;
  };
  std::vector<Group> groups;
  std::size_t first = 0;  // run of the last group
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const RowRun& run = runs[i];
    if (!groups.empty() && shares(run) && shares(runs[first]) && groups.back().count + run.count <= longest) {
      Group& group = groups.back();
      const std::size_t most = group.shared > 0 ? group.shared : SIZE_MAX;
      const std::size_t common = common_positions(rows[group.begin], rows[run.begin], most);
      const bool loses = group.shared > 0 && 2 * common < group.shared;  // the others had more in common
      if (common >= kLeastShared && !loses) {
        group.count += run.count, group.shared = common;
        for (std::size_t j = first; j <= i; ++j) runs[j].from = common;
        continue;
      }
    }
    groups.push_back({run.begin, run.count, 0});
    first = i;
  }
  return groups;
}

// What attention works on, and the room of a thread for several rows.
struct Operands {
  const AttentionShape& shape;
  std::span<const AttentionRow> rows;
  const float* q;
  const KvView& kv;
  float* out;
  std::size_t width;            // of q and out
  cpu::AttentionState* states;  // [rows, heads]

  float* room(std::size_t count) const {
    static thread_local cpu::Buffer buffer;
    return count == 1
               ? nullptr
               : reinterpret_cast<float*>(buffer.grow(cpu::ops().attention_room(shape.head_dim) * sizeof(float)));
  }
};

// What the rows of a group have in common, or all of a run that is alone.
void attend_groups(const Operands& in, const std::vector<Group>& groups, base::ThreadPool& pool) {
  const cpu::Ops& ops = cpu::ops();
  std::size_t positions = 0;
  for (const AttentionRow& row : in.rows) positions += row.position + 1;
  // An item is a group and some KV heads. Rows that share what they read share a block of one head in the first-level
  // cache; of a single row an item is as many heads as other rows leave to a thread, for neighbouring heads lie
  // together.
  const std::size_t kv_heads = in.shape.kv_heads;
  const bool together = groups.size() < in.rows.size();
  const std::size_t splits =
      together ? kv_heads : std::min((pool.size() + groups.size() - 1) / groups.size(), kv_heads);
  const std::size_t part = (kv_heads + splits - 1) / splits;
  cpu::run(pool, groups.size() * splits, positions * in.width * 2, [&](std::size_t i) {
    const Group& each = groups[i / splits];
    const std::size_t begin = std::min(i % splits * part, kv_heads), end = std::min(begin + part, kv_heads);
    const AttentionRow* rows = &in.rows[each.begin];
    const std::size_t at = each.begin * in.width;
    if (each.shared > 0) {
      ops.attention_shared(in.shape, rows, each.count, each.shared, begin, end, in.q + at, in.kv, in.out + at,
                           &in.states[each.begin * in.shape.heads], in.room(each.count));
    } else {
      ops.attention(in.shape, rows, each.count, begin, end, in.q + at, in.kv, in.out + at, in.room(each.count));
    }
  });
}

// What these runs do not have in common with others: each goes on by itself, a single row with all heads of a position
// in one go.
void attend_rest(const Operands& in, const std::vector<RowRun>& runs, base::ThreadPool& pool) {
  const cpu::Ops& ops = cpu::ops();
  std::size_t own = 0;
  for (const RowRun& run : runs) {
    for (std::size_t r = run.begin; r < run.begin + run.count; ++r) own += in.rows[r].position + 1 - run.from;
  }
  const std::size_t kv_heads = in.shape.kv_heads;
  const std::size_t wanted = pool.size() * cpu::kRangesPerThread;
  const std::size_t pieces = std::clamp<std::size_t>((wanted + runs.size() - 1) / runs.size(), 1, kv_heads);
  const std::size_t part = (kv_heads + pieces - 1) / pieces;
  cpu::run(pool, runs.size() * pieces, own * in.width * 2, [&](std::size_t i) {
    const RowRun& run = runs[i / pieces];
    const std::size_t begin = std::min(i % pieces * part, kv_heads), end = std::min(begin + part, kv_heads);
    ops.attention_rest(in.shape, &in.rows[run.begin], run.count, run.from, begin, end, in.q + run.begin * in.width,
                       in.kv, in.out + run.begin * in.width, &in.states[run.begin * in.shape.heads],
                       in.room(run.count));
  });
}

}  // namespace

void attention(const AttentionShape& shape, std::span<const AttentionRow> rows, const float* q, const KvView& kv,
               float* out, base::ThreadPool& pool) {
  SGL_ASSERT(shape.kv_heads > 0 && shape.heads % shape.kv_heads == 0 && shape.head_dim > 0);
  SGL_ASSERT(kv.type == DType::kF32 || kv.type == DType::kF16 ||
             (kv.type == DType::kQ8 && kv.k_scale != nullptr && kv.v_scale != nullptr));
  // As long as leaves every thread a few items.
  const std::size_t fair = rows.size() * shape.kv_heads / (pool.size() * cpu::kRangesPerThread);
  const std::size_t longest = std::clamp<std::size_t>(fair, 1, kAttentionRows);
  std::vector<RowRun> runs = runs_of(rows, longest);
  const std::vector<Group> groups = groups_of(shape, rows, runs, longest);
  std::erase_if(runs, [](const RowRun& run) { return run.from == 0; });
  static thread_local std::vector<cpu::AttentionState> states;  // so that decoding allocates nothing
  if (!runs.empty()) states.resize(std::max(states.size(), rows.size() * shape.heads));
  const Operands in{shape, rows, q, kv, out, shape.heads * shape.head_dim, states.data()};
  attend_groups(in, groups, pool);
  if (!runs.empty()) attend_rest(in, runs, pool);
}

}  // namespace sgl::kernels
