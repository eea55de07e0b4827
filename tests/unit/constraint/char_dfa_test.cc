#include "runtime/constraint/char_dfa.h"

#include <chrono>
#include <functional>
#include <numeric>
#include <regex>
#include <set>
#include <thread>

#include "runtime/base/utf8.h"
#include "runtime/constraint/tuple_index.h"
#include "tests/unit/constraint/support.h"

namespace {

using Dfa = std::shared_ptr<const CharDfa>;
constexpr const char* kAlphabet = "ab1";

Dfa pattern(std::string_view source, bool search = false) {
  auto made = CharDfa::pattern(source, search, {});
  REQUIRE_MESSAGE(made.ok(), source << ": " << made.error().message);
  return *made;
}
Dfa format(std::string_view name) {
  auto made = CharDfa::format(name, {});
  REQUIRE_MESSAGE(made.ok(), name << ": " << made.error().message);
  REQUIRE_MESSAGE(*made != nullptr, name);
  return *made;
}

// All texts of at most `size` characters over the alphabet.
std::vector<std::string> texts_up_to(std::size_t size, const std::vector<std::string>& alphabet) {
  std::vector<std::string> out{""};
  for (std::size_t begin = 0, length = 0; length < size; ++length) {
    const std::size_t end = out.size();
    for (std::size_t i = begin; i < end; ++i) {
      for (const std::string& c : alphabet) out.push_back(out[i] + c);
    }
    begin = end;
  }
  return out;
}

std::string random_pattern(std::mt19937& rng, int depth) {
  const auto pick = [&](unsigned n) { return static_cast<unsigned>(rng() % n); };
  const char* atoms[] = {"a", "b", "1", ".", "[ab]", "[^a]", "\\d", "\\w", "[b1]", "\\D"};
  const char* marks[] = {"*", "+", "?", "{2}", "{1,2}", "{1,}", "*?"};
  std::string out;
  for (unsigned n = pick(4); n > 0; --n) {
    out += depth > 0 && pick(3) == 0 ? "(" + random_pattern(rng, depth - 1) + ")" : atoms[pick(10)];
    if (pick(3) == 0) out += marks[pick(7)];
  }
  if (depth > 0 && pick(3) == 0) out += "|" + random_pattern(rng, depth - 1);
  return out;
}

// Every state reached can be finished, within what shortest_bytes says.
void check_live(const CharDfa& dfa, CharDfa::State state) {
  const auto ends = dfa.samples(state, 1);
  REQUIRE(ends.size() == 1);
  CharDfa::State at = state;
  for (char c : ends[0]) {
    at = dfa.step(at, static_cast<unsigned char>(c));
    REQUIRE(at != CharDfa::kDead);
  }
  CHECK(dfa.accepting(at));
}

}  // namespace

TEST_CASE("sets of two states are found at once, whatever the second is") {
  // The subsets of an anchored search: {start, k}. In one place of a table these would take twenty billion looks.
  TupleIndex index;
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint32_t k = 0; k < 200'000; ++k) {
    const std::uint32_t pair[] = {0, k};
    REQUIRE(index.add(pair).second);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  CHECK_MESSAGE(took.count() < 30, "took " << took.count() << " s");
}

TEST_CASE("patterns agree with std::regex on all short texts, as a whole and searched") {
  std::mt19937 rng(7);
  const auto texts = texts_up_to(5, {"a", "b", "1"});
  for (int round = 0; round < 150; ++round) {
    std::string source = random_pattern(rng, 2);
    if (rng() % 4 == 0) source = "^" + source;
    if (rng() % 4 == 0) source += "$";
    const std::regex reference(source);
    const Dfa whole = pattern(source), search = pattern(source, true);
    for (const std::string& text : texts) {
      CHECK_MESSAGE(whole->accepts(text) == std::regex_match(text, reference), source << " on '" << text << "'");
      CHECK_MESSAGE(search->accepts(text) == std::regex_search(text, reference), source << " in '" << text << "'");
    }
    for (std::size_t s = 0; s < std::min<std::size_t>(whole->size(), 20); ++s) {
      const auto ends = whole->samples(static_cast<CharDfa::State>(s), 1);
      CHECK(ends.size() == 1);
      if (whole->size() < 20 && source.find_first_of(".^D") == std::string::npos) {
        check_live(*whole, static_cast<CharDfa::State>(s));
      }
    }
  }
}

TEST_CASE("intersections with complements, and tags, agree with their parts") {
  std::mt19937 rng(8);
  const auto texts = texts_up_to(5, {"a", "b", "\u00e9"});
  for (int round = 0; round < 60; ++round) {
    std::vector<CharDfa::Term> terms;
    std::vector<Dfa> parts;
    for (unsigned n = 1 + rng() % 3; n > 0; --n) {
      parts.push_back(pattern(random_pattern(rng, 1), rng() % 2 == 0));
      terms.push_back({parts.back(), rng() % 2 == 0});
    }
    const auto all = CharDfa::all_of(terms, {});
    REQUIRE(all.ok());
    const auto overlap = CharDfa::overlap(terms, {});
    REQUIRE(overlap.ok());
    CHECK(*overlap != (*all)->empty());
    const auto odd = [](std::uint64_t tags) { return tags % 2 == 1 || tags == 0; };
    const auto tagged = CharDfa::tagged(parts, odd, {});
    REQUIRE(tagged.ok());
    const auto everything = CharDfa::tagged(parts, [](std::uint64_t) { return true; }, {});
    REQUIRE(everything.ok());
    const Dfa restricted = (*everything)->restricted(odd);
    CHECK(restricted->size() == (*tagged)->size());
    std::vector<std::uint64_t> makes(std::size_t{1} << parts.size());
    std::iota(makes.begin(), makes.end(), 0);
    const std::vector<std::uint64_t> counts = (*everything)->counts_by_tags(makes);
    for (const std::uint64_t wanted : makes) {
      const Dfa texts_of = (*everything)->restricted([&](std::uint64_t found) { return found == wanted; });
      CHECK(counts[wanted] == (texts_of->empty() ? 0 : texts_of->count(texts_of->start())));
    }
    for (const std::string& text : texts) {
      bool expected = true;
      std::uint64_t bits = 0;
      for (std::size_t i = 0; i < terms.size(); ++i) {
        expected = expected && parts[i]->accepts(text) != terms[i].negated;
        bits |= std::uint64_t{parts[i]->accepts(text)} << i;
      }
      CHECK((*all)->accepts(text) == expected);
      CHECK((*tagged)->accepts(text) == odd(bits));
      CHECK(restricted->accepts(text) == odd(bits));
      if (!odd(bits)) continue;
      CharDfa::State state = (*tagged)->start();
      for (char32_t c : text.find("\u00e9") == std::string::npos ? text : std::string()) {
        state = (*tagged)->step(state, c);
      }
      if (text.find("\u00e9") == std::string::npos) CHECK((*tagged)->tags(state) == bits);
    }
  }
  CHECK((*CharDfa::all_of(std::vector<CharDfa::Term>{{pattern("a*"), false}, {pattern("a+"), true}}, {}))->count(0) ==
        1);
  CHECK((*CharDfa::all_of(std::vector<CharDfa::Term>{{pattern("a+"), false}, {pattern("a*"), true}}, {}))->empty());
}

TEST_CASE("texts: exactly these") {
  std::mt19937 rng(9);
  for (int round = 0; round < 40; ++round) {
    std::set<std::string> chosen;
    const auto all = texts_up_to(4, {"a", "\u00e9", "\U0001F600", "\u00ea"});
    for (unsigned n = rng() % 30; n > 0; --n) chosen.insert(all[rng() % all.size()]);
    const std::vector<std::string> list(chosen.begin(), chosen.end());
    const auto dfa = CharDfa::texts(list, {});
    REQUIRE(dfa.ok());
    for (const std::string& text : all) CHECK((*dfa)->accepts(text) == chosen.contains(text));
    CHECK((*dfa)->empty() == list.empty());
    if (list.empty()) continue;
    CHECK((*dfa)->count(0) == list.size());
    auto samples = (*dfa)->samples(0, 1000);
    CHECK(std::set<std::string>(samples.begin(), samples.end()) == chosen);
    for (std::size_t i = 1; i < samples.size(); ++i) CHECK(samples[i - 1].size() <= samples[i].size());
  }
}

TEST_CASE("counts and shortest lengths are those of the accepted texts") {
  std::mt19937 rng(10);
  // Characters with costs 1, 2 (escape), 2 (UTF-8), 6 and 3.
  const std::vector<std::string> alphabet{"a", "\"", "\u00e9", "\x01", "\u4eca"};
  const auto cost = [](const std::string& text) {
    std::uint32_t out = 0;
    for (std::size_t at = 0; at < text.size();) {
      const auto c = sgl::base::decode_utf8(text, at);
      out += c.code == 1 ? 6 : c.code == '"' ? 2 : c.bytes;
      at += c.bytes;
    }
    return out;
  };
  const char* atoms[] = {"a", "\"", "\u00e9", "\\x01", "\u4eca", "[a\"]", "[\u00e9\u4eca]", "[\\x01\u4eca]"};
  const auto texts = texts_up_to(5, alphabet);
  for (int round = 0; round < 60; ++round) {
    std::string source;
    for (unsigned n = 1 + rng() % 5; n > 0; --n) source += std::string(atoms[rng() % 8]) + (rng() % 3 == 0 ? "?" : "");
    source = "(?:" + source + "|" + atoms[rng() % 8] + atoms[rng() % 8] + ")";
    const Dfa dfa = pattern(source);
    std::vector<std::string> accepted;
    for (const std::string& text : texts) {
      if (dfa->accepts(text)) accepted.push_back(text);
    }
    CHECK(dfa->count(0) == accepted.size());
    for (std::int64_t min = 0; min <= 6; ++min) {
      for (std::int64_t max = -1; max <= 6; ++max) {
        std::uint32_t expected = UINT32_MAX;
        for (const std::string& text : accepted) {
          const auto n = static_cast<std::int64_t>(sgl::base::count_code_points(text));
          if (n >= min && (max < 0 || n <= max)) expected = std::min(expected, cost(text));
        }
        const auto got = dfa->shortest_between(0, min, max);
        REQUIRE(got.ok());
        CHECK_MESSAGE(*got == expected, source << " " << min << " " << max);
        if (min == 0 && max < 0) CHECK(dfa->shortest_bytes(0) == expected);
      }
    }
  }
  CHECK(pattern("a*")->count(0) == CharDfa::kMany);
  CHECK(pattern("[0-9a-z]{20}[A-Z0-9]")->samples(0, 3).size() == 3);
  CHECK(pattern("[a-z]{6}")->count(0) == 308915776);
  CHECK(pattern("[a-z]{7}")->count(0) == CharDfa::kMany);
  CHECK(*pattern("(ab)*")->shortest_between(0, 3, -1) == 4);
  CHECK(*pattern("(ab)*")->shortest_between(0, 3, 3) == UINT32_MAX);
  CHECK(*pattern("[^]]*")->shortest_between(0, 1000, 1200) == 1000);
}

TEST_CASE("lengths may be asked by many threads") {
  const Dfa dfa = pattern("(?:[a-f]\u00e9|x{3})*yyy");
  std::vector<std::uint32_t> one;
  for (int n = 0; n < 300; ++n) one.push_back(*dfa->shortest_between(0, n, n + 5));
  const Dfa fresh = pattern("(?:[a-f]\u00e9|x{3})*(?:yyy)");
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        const int n = t % 2 == 0 ? i : 299 - i;
        if (*fresh->shortest_between(0, n, n + 5) != one[static_cast<std::size_t>(n)]) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("characters: every plane, no surrogates") {
  const Dfa any = pattern("[^a]");
  CHECK(any->accepts("\U0010FFFF"));
  CHECK(any->accepts(std::string_view("\0", 1)));
  CHECK_FALSE(any->accepts("a"));
  CHECK(any->step(0, 0xD800) == CharDfa::kDead);
  CHECK_FALSE(any->any_step(0, 0xD800, 0xDFFF));
  CHECK(any->any_step(0, 0xD7FF, 0xDFFF));
  CHECK_FALSE(any->any_step(0, 'a', 'a'));
  CHECK(any->any_step(0, 'a', 'b'));
  const auto next = pattern("[a-c]x|[d-f]y|g")->successors(0, 'b', 0x10FFFF);
  CHECK(next.size() == 3);
  CHECK(pattern("[a-c]x|[d-f]y|g")->successors(0, 'h', 0x10FFFF).empty());
  CHECK(pattern("[\\s\\S]*")->loops_on_plain(0));
  CHECK(pattern("a", true)->loops_on_plain(pattern("a", true)->step(0, 'a')));
  CHECK_FALSE(pattern("a", true)->loops_on_plain(0));
  CHECK_FALSE(pattern(".*")->loops_on_plain(0));
}

TEST_CASE("interning: equal patterns are one automaton") {
  CHECK(pattern("x[yz]+") == pattern("x[yz]+"));
  CHECK(pattern("x[yz]+") != pattern("x[yz]+", true));
  CHECK(format("date") == format("date"));
}

TEST_CASE("how far any characters of a range lead") {
  constexpr sgl::base::CodeRange kRange{'a', 'b'};
  for (const Dfa& dfa : {pattern("[ab]{0,4}x?"), pattern("(a|b)*"), pattern("(aa|ab|b)*c"), pattern("a[ab]+1"),
                         pattern("[a-c]{2,}|b{3}"), format("email"), format("hostname")}) {
    for (std::size_t most = 0; most <= 6; ++most) {
      // By all texts of up to so many characters.
      std::set<CharDfa::State> reached{dfa->start()}, last = reached;
      std::size_t steps = 0;
      for (bool alive = true; alive && steps < most; steps += alive ? 1 : 0) {
        std::set<CharDfa::State> next;
        for (CharDfa::State state : last) {
          for (char32_t c : {U'a', U'b'}) next.insert(dfa->step(state, c));
        }
        alive = !next.contains(CharDfa::kDead);
        if (alive) reached.insert(next.begin(), next.end());
        last = next;
      }
      const auto found = dfa->reach(dfa->start(), std::span(&kRange, 1), most, 100'000);
      REQUIRE(found);
      CHECK(found->steps == steps);
      CHECK(found->none ==
            (dfa->step(dfa->start(), U'a') == CharDfa::kDead && dfa->step(dfa->start(), U'b') == CharDfa::kDead));
      CHECK(std::set(found->states.begin(), found->states.end()) == reached);
      CHECK(found->states.size() == reached.size());
      CHECK(found->states[0] == dfa->start());
    }
  }
  CHECK(!pattern("[ab]{0,40}")->reach(0, std::span(&kRange, 1), 30, 5));
}

TEST_CASE("hostile patterns end soon with an error") {
  const auto fails = [](std::string_view source, const CharDfa::Limits& limits = {}) {
    const auto begin = std::chrono::steady_clock::now();
    const auto made = CharDfa::pattern(source, true, limits);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    CHECK_MESSAGE(took.count() < 60, source.substr(0, 40)
                                         << " took " << took.count());  // some 0.1 s; a hang, not a speed
    return !made.ok() && made.error().kind == sgl::base::ErrorKind::kLimit;
  };
  CHECK(fails("(x{1000}){1000}"));
  CHECK(fails("^(a|b)*a(a|b){25}$"));
  CHECK(fails("^(a?){5000}$"));
  CHECK(fails("^.*(.a){200}$"));
  CHECK(fails(std::string(70'000, 'a')));
  CHECK(fails(std::string(1000, '(') + std::string(1000, ')')));
  CHECK(fails("abcdef", {.max_states = 3}));
  CHECK(fails("abcdef", {.max_table = 20}));
  CHECK(pattern("(a+)+$", true)->accepts("baaa"));
  CHECK(pattern("(x{0,100}){0,100}", true)->accepts("baaa"));
  const auto invalid = CharDfa::pattern("a)", true, {});
  REQUIRE_FALSE(invalid.ok());
  CHECK(invalid.error().kind == sgl::base::ErrorKind::kInvalid);
  CHECK(invalid.error().message.find("column 2") != std::string::npos);
}
