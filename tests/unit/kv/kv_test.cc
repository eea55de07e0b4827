#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>

#include "runtime/kv/page_pool.h"
#include "runtime/kv/radix_tree.h"

using namespace sgl::kv;

namespace {

constexpr Namespace kTenant{1}, kOther{2};
using Tokens = std::vector<Token>;

// A sequence as the scheduler keeps it, with a store that remembers which prefix each slot was computed for.
struct Harness {
  PagePool pool;
  RadixTree tree;
  std::vector<std::size_t> store;  // per slot: hash of the tokens up to and including its own
  std::size_t holds = 0;           // by sequences

  struct Sequence {
    Namespace ns;
    Tokens tokens;
    std::vector<PageId> pages;
    NodeId node;
    std::size_t computed = 0, published = 0;
  };

  Harness(std::size_t pages, std::size_t page_size) : pool(pages, page_size), tree(pool), store(pages * page_size) {}

  static std::size_t hash(Namespace ns, const Tokens& t, std::size_t n) {
    std::size_t h = 1469598103934665603U + ns.value;
    for (std::size_t i = 0; i < n; ++i) h = (h ^ static_cast<std::size_t>(t[i] + 1)) * 1099511628211U;
    return h;
  }
  std::uint32_t slot(const Sequence& s, std::size_t i) const {
    return pool.slot(s.pages[i / pool.page_size()], i % pool.page_size());
  }
  bool grow(Sequence& s, std::size_t tokens) {
    while (s.pages.size() * pool.page_size() < tokens) {
      if (pool.free_pages() == 0 && tree.evict(1) == 0) return false;
      s.pages.push_back(*pool.allocate());
      ++holds;
    }
    return true;
  }
  // Matches, verifies that what was found is right, copies the partial page. The number of tokens found is in computed.
  std::optional<Sequence> begin(Namespace ns, Tokens tokens, std::size_t limit) {
    Sequence s{ns, std::move(tokens), {}, {}, 0, 0};
    const Match m = tree.match(ns, s.tokens, limit);
    CHECK(m.tokens <= std::min(limit, s.tokens.size()));
    s.node = m.node;
    tree.lock(s.node);
    for (const PageId page : m.pages) pool.retain(page);
    holds += m.pages.size();
    s.pages = m.pages;
    s.published = m.pages.size() * pool.page_size();
    std::vector<std::size_t> copied;
    for (std::size_t i = s.published; i < m.tokens; ++i)
      copied.push_back(store[pool.slot(*m.partial, i - s.published)]);
    if (!grow(s, m.tokens)) {
      end(s);
      return std::nullopt;
    }
    for (std::size_t i = 0; i < copied.size(); ++i) store[slot(s, s.published + i)] = copied[i];
    s.computed = m.tokens;
    bool exact = true;
    for (std::size_t i = 0; i < m.tokens; ++i) exact = exact && store[slot(s, i)] == hash(ns, s.tokens, i + 1);
    CHECK(exact);
    return s;
  }
  bool compute(Sequence& s, std::size_t upto) {
    if (!grow(s, upto)) return false;
    for (; s.computed < upto; ++s.computed) store[slot(s, s.computed)] = hash(s.ns, s.tokens, s.computed + 1);
    return true;
  }
  void publish(Sequence& s) {
    s.node = tree.publish(s.ns, std::span(s.tokens).first(s.computed), s.pages, s.node, s.published);
    s.published = std::max(s.published, s.computed);
  }
  void end(Sequence& s) {
    tree.unlock(s.node);
    for (const PageId page : s.pages) pool.release(page);
    holds -= s.pages.size();
    s.pages.clear();
  }
  void check() const {
    CHECK(tree.consistent());
    CHECK(pool.conserved(holds + tree.cached_pages()));
  }
  // The whole life of a sequence at once.
  std::size_t run(Namespace ns, const Tokens& tokens) {
    auto s = begin(ns, tokens, tokens.size());
    REQUIRE(s);
    const std::size_t found = s->computed;
    REQUIRE(compute(*s, tokens.size()));
    publish(*s);
    end(*s);
    check();
    return found;
  }
};

Tokens range(Token from, Token to) {
  Tokens out;
  for (Token t = from; t < to; ++t) out.push_back(t);
  return out;
}

}  // namespace

TEST_CASE("page pool: allocation, holders, conservation") {
  PagePool pool(3, 4);
  const PageId a = *pool.allocate(), b = *pool.allocate(), c = *pool.allocate();
  CHECK_FALSE(pool.allocate());
  pool.retain(b);
  pool.release(b);
  CHECK(pool.free_pages() == 0);
  pool.release(b);
  CHECK(pool.free_pages() == 1);
  CHECK(pool.conserved(2));
  CHECK_FALSE(pool.conserved(3));
  CHECK(pool.slot(c, 3) == c.value * 4 + 3);
  pool.release(a);
  pool.release(c);
  CHECK(pool.conserved(0));
}

TEST_CASE("radix tree: reuse is exact to the token, and only inside a namespace") {
  for (const std::size_t page_size : {1, 4, 16}) {
    CAPTURE(page_size);
    Harness h(64, page_size);
    CHECK(h.run(kTenant, range(0, 21)) == 0);
    CHECK(h.run(kTenant, range(0, 21)) == 21);
    CHECK(h.run(kOther, range(0, 21)) == 0);
    Tokens fork = range(0, 18);
    fork.push_back(99);
    CHECK(h.run(kTenant, fork) == 18);
    CHECK(h.run(kTenant, fork) == 19);
    CHECK(h.run(kTenant, range(0, 30)) == 21);
    CHECK(h.run(kTenant, range(5, 9)) == 0);
    CHECK(h.tree.match(kTenant, range(0, 30), 7).tokens == 7);
    CHECK(h.tree.match(kTenant, {}, 7).tokens == 0);
    CHECK(h.tree.evict_namespace(kTenant) > 0);
    CHECK(h.run(kTenant, range(0, 21)) == 0);
    CHECK(h.run(kOther, range(0, 21)) == 21);
  }
}

TEST_CASE("radix tree: a running sequence's pages are found while they fill and cannot be evicted") {
  Harness h(8, 4);
  auto a = h.begin(kTenant, range(0, 12), 12);
  REQUIRE(h.compute(*a, 6));
  h.publish(*a);
  CHECK(h.tree.match(kTenant, range(0, 12), 12).tokens == 6);
  REQUIRE(h.compute(*a, 7));
  h.publish(*a);
  CHECK(h.tree.match(kTenant, range(0, 12), 12).tokens == 7);
  CHECK(h.tree.evict(99) == 0);
  auto b = h.begin(kTenant, range(0, 12), 12);  // copies the partial page
  REQUIRE(b);
  CHECK(b->computed == 7);
  REQUIRE(h.compute(*b, 9));
  h.publish(*b);
  REQUIRE(h.compute(*a, 11));
  h.publish(*a);
  h.check();
  h.end(*a);
  h.end(*b);
  h.check();
  CHECK(h.tree.match(kTenant, range(0, 12), 12).tokens == 11);
  const std::size_t evicted = h.tree.evict(99);
  CHECK(evicted == static_cast<std::size_t>(h.tree.evicted_pages()));
  CHECK(h.pool.free_pages() == 8);
  h.check();
}

TEST_CASE("radix tree: the least recently used leaf goes first") {
  Harness h(16, 1);
  h.run(kTenant, {1, 2, 3});
  h.run(kTenant, {1, 5});
  h.run(kTenant, {1, 2, 3});
  CHECK(h.tree.evict(1) == 1);
  CHECK(h.tree.match(kTenant, Tokens{1, 5}, 9).tokens == 1);
  CHECK(h.tree.match(kTenant, Tokens{1, 2, 3}, 9).tokens == 3);
  CHECK(h.tree.evict(1) == 1);
  CHECK(h.tree.match(kTenant, Tokens{1, 2, 3}, 9).tokens == 2);
}

TEST_CASE("radix tree: thousands of children of one node, found, told apart and evicted") {
  Harness h(4'000, 4);
  std::mt19937 rng(11);
  std::vector<Tokens> all;
  for (int i = 0; i < 1'500; ++i) {
    Tokens t = {7, 7, 7, 7, 9, static_cast<Token>(rng() % 200'000), static_cast<Token>(rng() % 8), 3};
    t.resize(8 - rng() % 2);
    all.push_back(t);
    auto s = h.begin(kTenant, t, t.size());
    REQUIRE(s);
    REQUIRE(h.compute(*s, t.size()));
    h.publish(*s);
    h.end(*s);
  }
  h.check();
  for (const Tokens& t : all) {
    CHECK(h.tree.match(kTenant, t, 8).tokens == t.size());
    Tokens other = t;
    other[6] = 100;
    CHECK(h.tree.match(kTenant, other, 8).tokens == 6);
  }
  for (int i = 0; i < 30; ++i) {
    h.tree.evict(47);
    h.check();
  }
  h.tree.evict(9'999);
  CHECK(h.pool.free_pages() == 4'000);
  h.check();
}

TEST_CASE("radix tree: using and flushing again and again leaves nothing behind") {
  Harness h(400, 1);
  for (Token round = 0; round < 2'000; ++round) {
    h.run(kTenant, range(round * 8, round * 8 + 8));
    // Used from the root on: of a page and the one before it, the one before is the older.
    CHECK(h.tree.match(kTenant, range(round * 8, round * 8 + 8), 8).tokens == 8);
    CHECK(h.tree.evict_namespace(kTenant) == 8);
  }
  h.check();  // also that the eviction order has dropped what is out of date
  CHECK(h.pool.free_pages() == 400);
}

TEST_CASE("prefix index: random entries, also with equal keys, against a multimap") {
  PrefixIndex index(3);  // grows
  std::multimap<std::uint64_t, std::uint32_t> naive;
  std::mt19937 rng(5);
  for (std::uint32_t step = 0; step < 20'000; ++step) {
    const std::uint64_t key = rng() % 400 * 0x1'0000'0001;
    if (rng() % 2 == 0 || naive.empty()) {
      index.insert(key, step);
      naive.emplace(key, step);
    } else {
      auto it = naive.lower_bound(key);
      if (it == naive.end()) it = naive.begin();
      index.erase(it->first, it->second);
      naive.erase(it);
    }
    const std::uint64_t asked = rng() % 400 * 0x1'0000'0001;
    std::vector<std::uint32_t> found;
    index.find(asked, [&](std::uint32_t node) {
      found.push_back(node);
      return false;
    });
    std::vector<std::uint32_t> expected;
    for (auto [it, end] = naive.equal_range(asked); it != end; ++it) expected.push_back(it->second);
    std::ranges::sort(found);
    std::ranges::sort(expected);
    CHECK(found == expected);
    CHECK(index.size() == naive.size());
  }
}

// Random operations against a naive cache: what was found must have been computed for exactly these tokens (checked in
// `begin` slot by slot), and with room enough nothing that was published may be missed.
TEST_CASE("radix tree: random operations against a naive cache") {
  for (const std::size_t page_size : {1, 2, 16}) {
    for (const bool ample : {true, false}) {
      const Token stride = ample ? 49'999 : 1;  // tokens that differ in many digits, and in the last alone
      CAPTURE(page_size);
      CAPTURE(ample);
      Harness h(ample ? 40000 / page_size : 60 / page_size + 3, page_size);
      std::mt19937 rng(static_cast<std::uint32_t>(page_size * 2 + (ample ? 1 : 0)));
      std::vector<Harness::Sequence> running;
      std::map<std::uint32_t, std::vector<Tokens>> published;
      for (int step = 0; step < 4000; ++step) {
        const unsigned what = rng() % 10;
        if (what < 3 && running.size() < 6) {
          const Namespace ns(static_cast<std::uint32_t>(1 + rng() % 2));
          Tokens tokens;
          if (!published[ns.value].empty() && rng() % 4 != 0) {
            tokens = published[ns.value][rng() % published[ns.value].size()];
            tokens.resize(rng() % (tokens.size() + 1));
          }
          for (unsigned n = rng() % 24; n > 0 || tokens.empty(); n -= n > 0)
            tokens.push_back(static_cast<Token>(rng() % 3) * stride);
          tokens.resize(std::min<std::size_t>(tokens.size(), 50));
          const std::size_t limit = rng() % 3 == 0 ? rng() % (tokens.size() + 1) : tokens.size();
          auto s = h.begin(ns, tokens, limit);
          if (!s) continue;
          if (ample) {
            std::size_t longest = 0;
            for (const Tokens& p : published[ns.value]) {
              const std::size_t n = std::min({p.size(), tokens.size(), limit});
              std::size_t i = 0;
              while (i < n && p[i] == tokens[i]) ++i;
              longest = std::max(longest, i);
            }
            CHECK(s->computed == longest);
          }
          running.push_back(std::move(*s));
        } else if (what < 8 && !running.empty()) {
          Harness::Sequence& s = running[rng() % running.size()];
          if (s.computed < s.tokens.size() && h.compute(s, std::min(s.tokens.size(), s.computed + 1 + rng() % 9)) &&
              rng() % 4 != 0) {
            h.publish(s);
            published[s.ns.value].emplace_back(s.tokens.begin(),
                                               s.tokens.begin() + static_cast<std::ptrdiff_t>(s.computed));
          }
        } else if (!running.empty()) {
          const std::size_t i = rng() % running.size();
          h.end(running[i]);
          running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
        }
        if (step % 50 == 0) h.check();
      }
      for (auto& s : running) h.end(s);
      h.check();
      CHECK((h.tree.evicted_pages() > 0) == !ample);
      h.tree.evict(h.pool.pages());
      CHECK(h.pool.free_pages() == h.pool.pages());
    }
  }
}
