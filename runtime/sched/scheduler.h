// The scheduler: decides which tokens of which sequences the next step computes, and owns the KV pages and the prefix
// cache that these decisions need. It runs no model and knows no text: a test drives it alone.
//
// A sequence is a list of tokens whose KV is computed for the half-open interval [0, computed). A step computes an
// interval [begin, end) of each chosen sequence. When `computed` reaches the number of tokens, the sequence waits for
// its owner to append tokens (sampled or forced) or to finish it.
//
// Rules, in the order in which they apply:
//  - Running sequences go first, by priority, then age. One pending token is a decode and always runs; more are prefill
//    and share the step's budget of `prefill_chunk` tokens.
//  - Among sequences of one priority, namespaces (tenants) take turns by the tokens that they submit: start-time fair
//    queueing (Goyal, Vin, Cheng 1996). Inside a namespace the older one goes first; "age" below means this order. A
//    tenant that submits a thousand requests delays another's single one by at most what is running.
//  - Waiting sequences are admitted by priority, then age, while `max_batch` and the budget allow, when the pages for
//    all their tokens are there without preempting anyone, with one spare page for every other running sequence. The
//    first one that does not fit ends admission, so that small ones cannot starve a large one.
//  - A waiting sequence whose next uncached tokens a running one is computing right now is passed over until they are
//  in
//    the cache (the only exception to that order): what many forks share is computed once.
//  - When a running sequence needs a page and none is free or evictable, the youngest running sequence of the lowest
//    priority is preempted (itself, if it is that one): its pages go back, what it computed stays in the cache until
//    evicted, and it waits at its old place. The oldest one always advances, so there is no deadlock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "runtime/base/expected.h"
#include "runtime/base/ids.h"
#include "runtime/kv/page_pool.h"
#include "runtime/kv/radix_tree.h"

namespace sgl::sched {

using kv::Namespace;
using kv::Token;
using SequenceId = base::Id<struct SequenceTag, std::uint64_t>;

struct Options {
  std::size_t page_size = 16;       // tokens
  std::size_t page_stride = 0;      // slots from one page to the next (PagePool); at least page_size
  std::size_t pages = 0;            // >= 1
  std::size_t max_batch = 64;       // running sequences
  std::size_t prefill_chunk = 256;  // prefill tokens per step: bounds how long decoding sequences wait
  std::size_t max_logit_rows = 64;  // rows of logits per step beyond one per sequence: bounds their memory
  bool prefix_cache = true;
};

struct Submission {
  SequenceId id;
  Namespace ns;
  int priority = 0;
  std::vector<Token> tokens;  // at least one
  // Tokens before this belong to the prompt (Counts); the others were generated without being decoded.
  std::size_t prompt = 0;
  // First position whose logits are wanted. The cache may serve at most this many tokens: a token must be computed to
  // have its logits, so at least the last token of every submission is computed.
  std::size_t logits_from = 0;
  double weight = 1.0;  // > 0: a namespace with twice the weight gets twice the tokens while both wait
};

// What became of a sequence's tokens; see engine::Usage.
struct Counts {
  std::int64_t cached = 0;      // prompt tokens served by the cache
  std::int64_t prefill = 0;     // prompt tokens computed
  std::int64_t recomputed = 0;  // tokens computed again after a preemption
  std::int64_t preemptions = 0;
};

// Copy of `count` slots, done in order and before the step's forward pass.
struct Copy {
  std::uint32_t from = 0, to = 0;
  std::uint32_t count = 0;
};

struct Work {
  SequenceId id;
  std::size_t begin = 0, end = 0;  // positions to compute
  std::size_t logits = 0;          // the last this many of them need logits
  bool prefill = false;            // counted against the budget
};

struct Step {
  std::vector<Copy> copies;
  std::vector<Work> work;
  std::size_t decode_tokens = 0, prefill_tokens = 0;
  std::size_t extra_rows = 0;  // of logits, beyond one per sequence
};

class Scheduler {
 public:
  explicit Scheduler(const Options& options);
  ~Scheduler();

  // Tokens that one sequence can have: pages · page_size.
  std::size_t capacity() const { return options_.pages * options_.page_size; }

  // Errors: `limit` when the tokens can never fit the pool. Precondition: the id is new.
  base::Status submit(Submission submission);
  // Tokens follow; they are pending. Precondition: known id. False (nothing appended) when they cannot fit the pool.
  // `logits_from`: as in Submission.
  bool append(SequenceId id, std::span<const Token> tokens, std::size_t logits_from);
  // Publishes what was computed, gives the pages back and forgets the sequence.
  void finish(SequenceId id);

  // Decides a step; empty work when nothing can run (then nothing waits either, or all running sequences wait for their
  // owner). The decisions are already in force: the caller executes them and calls `completed`.
  Step schedule();
  // The step's tokens are computed: publishes them.
  void completed(const Step& step);

  // Evicts what the cache holds of a namespace and no running sequence uses; returns how many pages.
  std::size_t flush_cache(Namespace ns) { return tree_.evict_namespace(ns); }

  std::span<const Token> tokens(SequenceId id) const;
  std::span<const std::uint32_t> slots(SequenceId id) const;  // of all pages held, at least up to the work's end
  Counts counts(SequenceId id) const;
  bool has(SequenceId id) const { return sequences_.contains(id); }

  std::size_t waiting() const { return waiting_.size(); }
  std::size_t running() const { return running_.size(); }
  std::int64_t preemptions() const { return preemptions_; }
  const kv::PagePool& pool() const { return pool_; }
  const kv::RadixTree& tree() const { return tree_; }
  // Page conservation and the tree's consistency. O(pages); for debug builds and tests.
  bool consistent() const;

 private:
  // Higher priority first, then earlier in the fair order, then older.
  struct Rank {
    int priority = 0;
    double start = 0;  // virtual time, in tokens
    std::uint64_t order = 0;
    bool operator<(const Rank& o) const {
      if (priority != o.priority) return priority > o.priority;
      return start != o.start ? start < o.start : order < o.order;
    }
  };
  struct Sequence;
  using Queue = std::map<Rank, Sequence*>;

  Sequence& get(SequenceId id) const;
  bool plan(Sequence& s, std::size_t& budget, Step& step);
  void admit(Step& step, std::size_t& budget);
  bool try_admit(Sequence& s, Step& step);
  bool blocked(Sequence& s, std::size_t matched) const;
  bool still_blocked(const Sequence& s) const;
  bool take_pages(Sequence& s, std::size_t tokens);
  void add_page(Sequence& s, kv::PageId page);
  void preempt(Sequence& s);
  void publish(Sequence& s);
  void release(Sequence& s);

  Options options_;
  kv::PagePool pool_;
  kv::RadixTree tree_;
  std::unordered_map<SequenceId, std::unique_ptr<Sequence>> sequences_;
  Queue waiting_, running_;
  static double fair_charge(const Submission& submission);
  double fair_start(const Submission& submission);

  std::uint64_t next_order_ = 0;
  double virtual_time_ = 0;                           // start of the last admitted sequence
  std::unordered_map<Namespace, double> fair_until_;  // virtual time up to which a namespace has submitted
  std::int64_t preemptions_ = 0;
};

}  // namespace sgl::sched
