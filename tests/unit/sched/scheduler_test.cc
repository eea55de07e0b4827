#include "runtime/sched/scheduler.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>

using namespace sgl::sched;

namespace {

using Tokens = std::vector<Token>;
constexpr Namespace kTenant{7};

Tokens range(Token from, Token to) {
  Tokens out(static_cast<std::size_t>(to - from));
  std::iota(out.begin(), out.end(), from);
  return out;
}

// Executes steps on a store that remembers which prefix each slot was computed for, and checks that every computation
// finds exactly its own prefix in its slots. "Samples" a token that depends on the whole prefix.
struct Machine {
  Options options;
  Scheduler scheduler;
  std::vector<std::size_t> store;
  struct Job {
    std::size_t prompt = 0, target = 0;
    Namespace ns;
    std::size_t burst = 1;  // tokens that come at once, as forced ones do
  };
  std::map<std::uint64_t, Job> jobs;
  std::map<std::uint64_t, Tokens> finished;
  std::map<std::uint64_t, Counts> counts;
  std::vector<std::uint64_t> order;  // of finishing
  std::size_t steps = 0;

  explicit Machine(const Options& o) : options(o), scheduler(o), store(o.pages * o.page_size) {}

  bool submit(std::uint64_t id, Tokens tokens, std::size_t generate, int priority = 0, Namespace ns = kTenant) {
    jobs[id] = {tokens.size(), tokens.size() + generate, ns, 1};
    const std::size_t n = tokens.size();
    return scheduler.submit({SequenceId(id), ns, priority, std::move(tokens), n, n - 1}).ok();
  }
  void finish(std::uint64_t id) {
    const auto t = scheduler.tokens(SequenceId(id));
    finished[id].assign(t.begin(), t.end());
    counts[id] = scheduler.counts(SequenceId(id));
    order.push_back(id);
    scheduler.finish(SequenceId(id));
  }
  Step step() {
    const Step step = scheduler.schedule();
    ++steps;
    std::size_t prefill = 0;
    for (const Copy& c : step.copies) std::copy_n(store.begin() + c.from, c.count, store.begin() + c.to);
    for (const Work& w : step.work) {
      const auto tokens = scheduler.tokens(w.id);
      const auto slots = scheduler.slots(w.id);
      REQUIRE(slots.size() >= w.end);
      std::size_t h = 31 + jobs[w.id.value].ns.value;
      bool exact = true;
      for (std::size_t i = 0; i < w.end; ++i) {
        h = (h ^ static_cast<std::size_t>(tokens[i] + 1)) * 1099511628211U;
        if (i < w.begin) exact = exact && store[slots[i]] == h;
        if (i >= w.begin) store[slots[i]] = h;
      }
      CHECK(exact);
      if (w.prefill) prefill += w.end - w.begin;
    }
    CHECK(prefill <= options.prefill_chunk);
    CHECK(step.prefill_tokens == prefill);
    CHECK(scheduler.running() <= options.max_batch);
    scheduler.completed(step);
    for (const Work& w : step.work) {
      const auto tokens = scheduler.tokens(w.id);
      if (w.end < tokens.size()) continue;
      CHECK(w.logits == 1);
      if (tokens.size() >= jobs[w.id.value].target) {
        finish(w.id.value);
        continue;
      }
      std::size_t sum = 0;
      for (const Token t : tokens) sum = sum * 31 + static_cast<std::size_t>(t);
      const Job& job = jobs[w.id.value];
      Tokens next;
      while (next.size() < std::min(job.burst, job.target - tokens.size())) {
        next.push_back(static_cast<Token>(sum % 5));
        sum = sum * 31 + static_cast<std::size_t>(next.back());
      }
      REQUIRE(scheduler.append(w.id, next, tokens.size() + next.size() - 1));
    }
    return step;
  }
  void run() {
    for (int guard = 0; scheduler.waiting() + scheduler.running() > 0; ++guard) {
      REQUIRE(guard < 200000);
      REQUIRE_FALSE(step().work.empty());  // an engine gives up where nothing can be done
    }
    CHECK(scheduler.consistent());
  }
};

}  // namespace

TEST_CASE("16 forks submitted together compute their prefix once") {
  for (const std::size_t page_size : {1, 16}) {
    for (const std::size_t chunk : {2, 256}) {
      Machine m({.page_size = page_size, .pages = 2048 / page_size, .max_batch = 64, .prefill_chunk = chunk});
      for (std::uint64_t i = 0; i < 16; ++i) {
        Tokens t = range(0, 37);
        t.push_back(static_cast<Token>(100 + i));
        t.push_back(static_cast<Token>(200 + i));
        REQUIRE(m.submit(i, t, 3));
      }
      m.run();
      std::int64_t prefill = 0;
      for (const auto& [id, c] : m.counts) {
        CHECK(c.cached + c.prefill == 39);
        CHECK(c.recomputed == 0);
        prefill += c.prefill;
      }
      CHECK(prefill == 37 + 16 * 2);
      // Again: all but the last token, which must be computed to have its logits.
      for (std::uint64_t i = 0; i < 16; ++i) {
        Tokens t = range(0, 37);
        t.push_back(static_cast<Token>(100 + i));
        t.push_back(static_cast<Token>(200 + i));
        REQUIRE(m.submit(100 + i, t, 3));
      }
      m.run();
      for (std::uint64_t i = 100; i < 116; ++i) CHECK(m.counts[i].prefill == 1);
    }
  }
}

TEST_CASE("without the prefix cache nothing is shared") {
  Machine m({.page_size = 4, .pages = 200, .prefix_cache = false});
  for (std::uint64_t i = 0; i < 5; ++i) REQUIRE(m.submit(i, range(0, 20), 2));
  m.run();
  for (const auto& [id, c] : m.counts) CHECK(c.prefill == 20);
  CHECK(m.scheduler.pool().free_pages() == 200);
}

TEST_CASE("waiting: priority, then age; a large one is not starved by small ones") {
  Machine m({.page_size = 1, .pages = 40, .max_batch = 1});
  REQUIRE(m.submit(1, range(0, 5), 2));
  REQUIRE(m.submit(2, range(10, 15), 2));
  REQUIRE(m.submit(3, range(20, 25), 2, 5));
  REQUIRE(m.submit(4, range(30, 35), 2));
  m.run();
  CHECK(m.order == std::vector<std::uint64_t>{3, 1, 2, 4});

  Machine s({.page_size = 1, .pages = 40, .max_batch = 8});
  REQUIRE(s.submit(1, range(0, 20), 10));
  s.step();
  REQUIRE(s.submit(2, range(100, 130), 2));  // does not fit beside 1
  for (std::uint64_t i = 3; i < 9; ++i)
    REQUIRE(s.submit(i, range(static_cast<Token>(i * 1000), static_cast<Token>(i * 1000 + 5)), 2));
  s.run();
  CHECK(s.order[0] == 1);
  CHECK(s.order[1] == 2);
}

TEST_CASE("decoding goes on while a long prompt is prefilled in chunks") {
  Machine m({.page_size = 4, .pages = 100, .max_batch = 8, .prefill_chunk = 8});
  REQUIRE(m.submit(1, range(0, 4), 30));
  m.step();
  REQUIRE(m.submit(2, range(100, 180), 1));
  for (int i = 0; i < 10; ++i) {
    const Step step = m.step();
    CHECK(step.decode_tokens == 1);
    CHECK(step.prefill_tokens == 8);
  }
  m.run();
}

TEST_CASE("a sequence that can never fit is refused, one that just fits runs alone") {
  Machine m({.page_size = 4, .pages = 5});
  CHECK_FALSE(m.scheduler.submit({SequenceId(1), kTenant, 0, range(0, 21), 21, 20}).ok());
  REQUIRE(m.submit(2, range(0, 18), 2));
  m.run();
  CHECK(m.finished[2].size() == 20);
  REQUIRE(m.submit(3, range(0, 20), 0));
  const Token more[] = {1};
  CHECK_FALSE(m.scheduler.append(SequenceId(3), more, 20));
  m.run();
}

TEST_CASE("a sequence that holds a cached prefix a second time makes room for itself") {
  Scheduler scheduler({.page_size = 4, .pages = 10});
  REQUIRE(scheduler.submit({SequenceId(1), kTenant, 0, range(0, 16), 16, 15}).ok());
  scheduler.completed(scheduler.schedule());
  scheduler.finish(SequenceId(1));
  // It wants the logits of its whole prompt, so it computes what the cache has, and then holds both: 8 of 10 pages.
  REQUIRE(scheduler.submit({SequenceId(2), kTenant, 0, range(0, 16), 16, 0}).ok());
  for (std::size_t size = 16; size <= 28;) {
    const Step step = scheduler.schedule();
    REQUIRE_FALSE(step.work.empty());
    scheduler.completed(step);
    if (step.work.back().end < size) continue;
    const Token next[] = {static_cast<Token>(size)};
    REQUIRE(scheduler.append(SequenceId(2), next, size));
    ++size;
  }
  scheduler.finish(SequenceId(2));
  CHECK(scheduler.consistent());
}

TEST_CASE("preemption: identical output, everybody finishes") {
  std::map<std::uint64_t, Tokens> expected;
  for (const bool tight : {false, true}) {
    for (const std::size_t page_size : {1, 4}) {
      for (const bool cache : {true, false}) {
        Machine m(
            {.page_size = page_size, .pages = (tight ? 48 : 4096) / page_size, .max_batch = 16, .prefix_cache = cache});
        for (std::uint64_t i = 0; i < 12; ++i) {
          const auto base = static_cast<Token>(i % 3 * 50);
          REQUIRE(m.submit(i, range(base, base + 6 + static_cast<Token>(i)), 25));
        }
        m.run();
        CHECK((m.scheduler.preemptions() > 0) == tight);
        if (expected.empty()) expected = m.finished;
        CHECK(m.finished == expected);
        for (const auto& [id, c] : m.counts) CHECK(c.cached + c.prefill == static_cast<std::int64_t>(6 + id));
      }
    }
  }
}

TEST_CASE("equal texts that grow by bursts of different lengths: a page that left the tree may still be held") {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 rng(seed);
    Machine m({.page_size = 16, .pages = 24 + rng() % 40, .max_batch = 6, .prefill_chunk = 64});
    std::uint64_t id = 0;
    for (int round = 0; round < 6; ++round) {
      const Token first = static_cast<Token>(rng() % 3) * 100;
      const Tokens prompt = range(first, first + 33 + static_cast<Token>(rng() % 6));
      for (unsigned n = 2 + rng() % 3; n > 0; --n, ++id) {
        REQUIRE(m.submit(id, prompt, 20 + rng() % 150));
        m.jobs[id].burst = rng() % 2 == 0 ? 1 : 1 + rng() % 40;
      }
      for (unsigned n = rng() % 60; n > 0; --n) m.step();
      REQUIRE(m.submit(id++, range(1000 + round * 300, 1000 + round * 300 + 200), 4));
      for (unsigned n = rng() % 30; n > 0; --n) m.step();
    }
    m.run();
    CHECK(m.finished.size() == id);
  }
}

TEST_CASE("random load: submissions, cancellations, small pools; nothing is lost and nothing computed on wrong KV") {
  for (const std::size_t page_size : {1, 2, 16}) {
    for (std::uint32_t seed = 0; seed < 6; ++seed) {
      std::mt19937 rng(seed * 3 + static_cast<std::uint32_t>(page_size));
      const std::size_t capacity = 64 + rng() % 100;
      Machine m({.page_size = page_size,
                 .pages = capacity / page_size,
                 .max_batch = 1 + rng() % 12,
                 .prefill_chunk = 1 + rng() % 40,
                 .prefix_cache = seed % 3 != 0});
      std::vector<Tokens> prompts;
      std::size_t ended = 0, accepted = 0;
      for (std::uint64_t id = 0; id < 150; ++id) {
        Tokens t;
        if (!prompts.empty() && rng() % 3 != 0) {
          t = prompts[rng() % prompts.size()];
          t.resize(rng() % (t.size() + 1));
        }
        for (std::size_t n = 1 + rng() % 10; n > 0; --n) t.push_back(static_cast<Token>(rng() % 4));
        prompts.push_back(t);
        const std::size_t room = m.scheduler.capacity() < t.size() ? 0 : m.scheduler.capacity() - t.size();
        if (!m.submit(id, t, std::min<std::size_t>(rng() % 30, room), static_cast<int>(rng() % 2),
                      Namespace(static_cast<std::uint32_t>(rng() % 2))))
          continue;
        ++accepted;
        for (unsigned n = rng() % 6; n > 0; --n) m.step();
        if (rng() % 5 == 0) {
          const SequenceId victim(rng() % (id + 1));
          if (m.scheduler.has(victim)) {
            m.scheduler.finish(victim);
            ++ended;
          }
        }
        if (id % 20 == 0) CHECK(m.scheduler.consistent());
      }
      m.run();
      CHECK(m.finished.size() + ended == accepted);
    }
  }
}
