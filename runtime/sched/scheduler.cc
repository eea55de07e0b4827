#include "runtime/sched/scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "runtime/base/check.h"

namespace sgl::sched {

struct Scheduler::Sequence {
  SequenceId id;
  Namespace ns;
  Rank rank;
  std::vector<Token> tokens;
  std::size_t prompt = 0;
  std::size_t logits_from = 0;
  std::size_t computed = 0;   // KV is there for [0, computed)
  std::size_t seen = 0;       // highest `computed` ever: computing below it again is recomputation
  std::size_t published = 0;  // the tree knows [0, published)
  std::vector<kv::PageId> pages;
  std::vector<std::uint32_t> slots;
  std::optional<kv::NodeId> node;  // locked while running
  Counts counts;
  // The running sequence that computes what this one needs next, and up to where.
  SequenceId blocker;
  std::size_t blocked_until = 0;  // 0: not blocked
  double charge = 0;              // of its namespace, in the fair order

  std::size_t pending() const { return tokens.size() - computed; }
};

Scheduler::Scheduler(const Options& options)
    : options_(options),
      pool_(options.pages, options.page_size, std::max(options.page_size, options.page_stride)),
      tree_(pool_) {
  SGL_ASSERT(options.max_batch > 0 && options.prefill_chunk > 0 && options.max_logit_rows > 0);
}

Scheduler::~Scheduler() = default;

Scheduler::Sequence& Scheduler::get(SequenceId id) const {
  const auto it = sequences_.find(id);
  SGL_ASSERT(it != sequences_.end());
  return *it->second;
}

double Scheduler::fair_charge(const Submission& submission) {
  return static_cast<double>(submission.tokens.size()) / submission.weight;
}

// Where a submission stands in the fair order: after what its namespace has submitted, but not before now.
double Scheduler::fair_start(const Submission& submission) {
  constexpr std::size_t kMany = 10'000;  // namespaces that are remembered though they have nothing to catch up
  if (fair_until_.size() > kMany) {
    std::erase_if(fair_until_, [&](const auto& entry) { return entry.second <= virtual_time_; });
  }
  double& until = fair_until_[submission.ns];
  const double start = std::max(virtual_time_, until);
  until = start + fair_charge(submission);
  return start;
}

base::Status Scheduler::submit(Submission submission) {
  SGL_ASSERT(!submission.tokens.empty() && submission.logits_from < submission.tokens.size());
  if (submission.tokens.size() > capacity()) {
    return base::over_limit(
        fmt::format("{} tokens do not fit the KV pool, which holds {}", submission.tokens.size(), capacity()));
  }
  auto s = std::make_unique<Sequence>();
  s->id = submission.id;
  s->ns = submission.ns;
  s->rank = {submission.priority, fair_start(submission), next_order_++};
  s->charge = fair_charge(submission);
  s->tokens = std::move(submission.tokens);
  s->prompt = submission.prompt;
  s->logits_from = submission.logits_from;
  waiting_.emplace(s->rank, s.get());
  const bool fresh = sequences_.emplace(submission.id, std::move(s)).second;
  SGL_ASSERT(fresh);
  return {};
}

bool Scheduler::append(SequenceId id, std::span<const Token> tokens, std::size_t logits_from) {
  Sequence& s = get(id);
  if (s.tokens.size() + tokens.size() > capacity()) return false;
  s.tokens.insert(s.tokens.end(), tokens.begin(), tokens.end());
  SGL_ASSERT(logits_from < s.tokens.size());
  s.logits_from = logits_from;
  return true;
}

void Scheduler::publish(Sequence& s) {
  if (!options_.prefix_cache || s.computed <= s.published) return;
  s.node = tree_.publish(s.ns, std::span(s.tokens).first(s.computed), s.pages, *s.node, s.published);
  s.published = s.computed;
}

void Scheduler::release(Sequence& s) {
  publish(s);
  if (s.node) tree_.unlock(*s.node);
  s.node.reset();
  for (const kv::PageId page : s.pages) pool_.release(page);
  s.pages.clear();
  s.slots.clear();
  s.computed = s.published = 0;
}

void Scheduler::finish(SequenceId id) {
  Sequence& s = get(id);
  if (running_.erase(s.rank) > 0) {
    release(s);
  } else {
    waiting_.erase(s.rank);
    // Withdrawn before anything was done for it: its namespace need not make up for it.
    const auto until = fair_until_.find(s.ns);
    if (s.seen == 0 && s.counts.preemptions == 0 && until != fair_until_.end()) until->second -= s.charge;
  }
  sequences_.erase(id);
}

void Scheduler::preempt(Sequence& s) {
  release(s);
  running_.erase(s.rank);
  waiting_.emplace(s.rank, &s);
  ++s.counts.preemptions;
  ++preemptions_;
}

void Scheduler::add_page(Sequence& s, kv::PageId page) {
  s.pages.push_back(page);
  for (std::size_t i = 0; i < options_.page_size; ++i) s.slots.push_back(pool_.slot(page, i));
}

// Pages up to `tokens` from the free list and by eviction; false when that is not enough (those got are kept).
bool Scheduler::take_pages(Sequence& s, std::size_t tokens) {
  while (s.pages.size() * options_.page_size < tokens) {
    // A page that leaves the tree becomes free only when no sequence holds it any more.
    while (pool_.free_pages() == 0) {
      if (tree_.evict(1) == 0) return false;
    }
    add_page(s, *pool_.allocate());
  }
  return true;
}

bool Scheduler::plan(Sequence& s, std::size_t& budget, Step& step) {
  const std::size_t pending = s.pending();
  if (pending == 0) return true;
  const bool prefill = pending > 1 || s.computed < s.prompt;
  std::size_t count = prefill ? std::min(pending, budget) : 1;
  if (count == 0) return true;
  const auto wanted = [&] {
    const std::size_t end = s.computed + count;
    return end - std::min(end, std::max(s.computed, s.logits_from));
  };
  if (const std::size_t rows = wanted(); rows > 1) {
    const std::size_t allowed = std::min(rows, 1 + options_.max_logit_rows - step.extra_rows);
    count -= rows - allowed;
    step.extra_rows += allowed - 1;
  }
  const std::size_t end = s.computed + count;
  while (!take_pages(s, end)) {
    Sequence& youngest = *running_.rbegin()->second;
    preempt(youngest);
    if (&youngest == &s) return false;
  }
  step.work.push_back({s.id, s.computed, end, wanted(), prefill});
  (prefill ? step.prefill_tokens : step.decode_tokens) += count;
  if (prefill) budget -= count;
  return true;
}

bool Scheduler::still_blocked(const Sequence& s) const {
  if (s.blocked_until == 0) return false;
  const auto it = sequences_.find(s.blocker);
  return it != sequences_.end() && it->second->node.has_value() && it->second->computed < s.blocked_until;
}

// Is a running sequence about to compute tokens that `s` needs next, beyond the `matched` ones in the cache?
bool Scheduler::blocked(Sequence& s, std::size_t matched) const {
  s.blocked_until = 0;
  for (const auto& [rank, other] : running_) {
    if (other->ns != s.ns || other->pending() == 0 || other->computed > matched + options_.page_size) continue;
    const std::size_t n = std::min({s.logits_from, s.tokens.size(), other->tokens.size()});
    if (n <= matched || n <= other->computed) continue;
    const auto end = s.tokens.begin() + static_cast<std::ptrdiff_t>(n);
    const auto shared =
        static_cast<std::size_t>(std::mismatch(s.tokens.begin(), end, other->tokens.begin()).first - s.tokens.begin());
    if (shared > matched && shared > other->computed && shared > s.blocked_until) {
      s.blocker = other->id;
      s.blocked_until = shared;
    }
  }
  return s.blocked_until != 0;
}

// Gives a waiting sequence its cached prefix and pages for all its tokens; false when they are not there.
bool Scheduler::try_admit(Sequence& s, Step& step) {
  const std::size_t size = options_.page_size;
  kv::Match match;
  if (options_.prefix_cache) match = tree_.match(s.ns, s.tokens, s.logits_from);
  if (options_.prefix_cache && blocked(s, match.tokens)) return true;
  const std::size_t needed = (s.tokens.size() + size - 1) / size - match.pages.size();
  if (options_.prefix_cache) tree_.lock(match.node);  // before counting: locked pages cannot be evicted
  const std::size_t spare = running_.size();
  if (pool_.free_pages() + tree_.evictable_pages() < needed + spare) {
    if (options_.prefix_cache) tree_.unlock(match.node);
    return false;
  }
  if (options_.prefix_cache) s.node = match.node;
  for (const kv::PageId page : match.pages) {
    pool_.retain(page);
    add_page(s, page);
  }
  s.published = match.pages.size() * size;
  if (!take_pages(s, s.tokens.size())) {
    // Running sequences hold pages of what was counted as evictable; they end, or let go of them.
    SGL_ASSERT(!running_.empty());
    release(s);
    return false;
  }
  // Slots in use are read before anything of this step is written, and copies run in order: even a page evicted just
  // now still holds what is copied from it.
  if (match.partial && match.tokens > s.published) {
    const std::uint32_t from = pool_.slot(*match.partial, 0), to = s.slots[s.published];
    if (from != to) step.copies.push_back({from, to, static_cast<std::uint32_t>(match.tokens - s.published)});
  }
  s.computed = match.tokens;
  const std::size_t reused = std::min(s.computed, s.prompt);
  if (reused > s.seen) s.counts.cached += static_cast<std::int64_t>(reused - s.seen);
  s.seen = std::max(s.seen, s.computed);
  waiting_.erase(s.rank);
  running_.emplace(s.rank, &s);
  virtual_time_ = std::max(virtual_time_, s.rank.start);
  return true;
}

void Scheduler::admit(Step& step, std::size_t& budget) {
  // Looking at more of a long queue of blocked sequences than could ever run at once only costs time.
  std::size_t looks = 4 * options_.max_batch + 64;
  for (auto it = waiting_.begin(); it != waiting_.end() && running_.size() < options_.max_batch && budget > 0;) {
    if (looks-- == 0) break;
    Sequence& s = *it->second;
    ++it;  // admission takes s out of the queue
    if (still_blocked(s)) continue;
    if (!try_admit(s, step)) break;
    // Its pages are all there: planning cannot preempt.
    if (running_.contains(s.rank)) plan(s, budget, step);
  }
}

Step Scheduler::schedule() {
  Step step;
  std::size_t budget = options_.prefill_chunk;
  // By rank from the oldest: whoever is preempted on the way comes later, so nothing planned is undone.
  std::optional<Rank> last;
  const std::int64_t before = preemptions_;
  for (;;) {
    const auto it = last ? running_.upper_bound(*last) : running_.begin();
    if (it == running_.end()) break;
    last = it->first;
    plan(*it->second, budget, step);
  }
  // After a preemption the pages are needed by those that run. Where that was the only one, its locks and pages are
  // free (it may have held a prefix twice, its own pages and those that another had published before), and it fits
  // again.
  if (preemptions_ == before || running_.empty()) admit(step, budget);
  return step;
}

void Scheduler::completed(const Step& step) {
  for (const Work& w : step.work) {
    const auto it = sequences_.find(w.id);
    if (it == sequences_.end()) continue;
    Sequence& s = *it->second;
    SGL_ASSERT(s.computed == w.begin && w.end <= s.tokens.size());
    const std::size_t fresh_from = std::clamp(s.seen, w.begin, w.end);
    const std::size_t prompt_end = std::clamp(s.prompt, fresh_from, w.end);
    s.counts.recomputed += static_cast<std::int64_t>(fresh_from - w.begin);
    s.counts.prefill += static_cast<std::int64_t>(prompt_end - fresh_from);
    s.computed = w.end;
    s.seen = std::max(s.seen, w.end);
    // Prefill is published at once, for the forks that wait for it; decoded tokens page by page.
    if (w.prefill || w.end % options_.page_size == 0) publish(s);
  }
}

std::span<const Token> Scheduler::tokens(SequenceId id) const {
  return get(id).tokens;
}
std::span<const std::uint32_t> Scheduler::slots(SequenceId id) const {
  return get(id).slots;
}
Counts Scheduler::counts(SequenceId id) const {
  return get(id).counts;
}

bool Scheduler::consistent() const {
  std::size_t holds = tree_.cached_pages();
  for (const auto& [id, s] : sequences_) holds += s->pages.size();
  return tree_.consistent() && pool_.conserved(holds);
}

}  // namespace sgl::sched
