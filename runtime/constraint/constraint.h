// The constraint engine's interface: a specification compiles into a machine over bytes; a matcher walks it and says,
// before every token, which tokens may come.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/expected.h"
#include "runtime/tokenizer/tokenizer.h"

namespace sgl::constraint {

using tokenizer::TokenId;

// A type of the language, as the constraint engine sees it. Children are indices into TypeSpec::nodes.
enum class SpecKind : std::uint8_t {
  kString,   // min_chars … max_chars code points (max < 0: unbounded), optional `pattern` and `format`
  kInt,      // decimal integer in [min_int, max_int], by default all of 64 bits; no "-0", no leading zeros
  kFloat,    // JSON number; with bounds a decimal number without exponent, compared exactly with the bound's shortest
             // text
  kBool,     // true | false
  kNull,     // null
  kLiteral,  // exactly this value: `text` is its JSON (`"A"`, `3`, `true`)
  kList,     // children[0] repeated min_items … max_items (max < 0: unbounded)
  kMap,      // object with any keys, each once, values children[0], min_items … max_items entries
  kRecord,   // fields in order; optional ones may be left out
  kUnion,    // any of children
  kRegex,    // text matching `pattern` (whole text, anchored)
  kGrammar,  // text that the grammar `pattern` (grammar.h) derives; only as the root, for its text is no JSON
  kJson,     // any JSON value; with a `pattern` one that this JSON Schema (json_schema.h) allows
};

struct SpecField {
  std::string name;
  std::uint32_t type = 0;
  bool optional = false;
};

struct SpecNode {
  SpecKind kind = SpecKind::kString;
  std::int64_t min_chars = 0, max_chars = -1;
  std::int64_t min_items = 0, max_items = -1;
  std::optional<std::int64_t> min_int, max_int;
  std::optional<double> min_float, max_float;
  std::string text;     // kLiteral: JSON
  std::string pattern;  // kRegex, kGrammar, kJson, and kString where present (JSON-Schema search semantics: unanchored)
  std::string format;   // kString: "date", "email", …; "" for none
  std::vector<std::uint32_t> children;
  std::vector<SpecField> fields;
};

struct TypeSpec {
  std::vector<SpecNode> nodes;  // may refer to each other cyclically (recursive types)
  std::uint32_t root = 0;
  // true: the text is compact JSON (strings quoted and escaped). false: a string, regex or string literal at the root
  // (or in a union at the root) is its bare characters; int, float, bool and null are the same either way, lists,
  // maps and records are JSON either way.
  bool json = false;
};

struct Limits {
  std::size_t max_pattern_bytes = 64 << 10;  // bytes; longer patterns are not written by people
  std::size_t max_states = 200'000;          // automaton states of one constraint; about 100 bytes each
  std::size_t max_nesting = 200;             // depth of types and groups; bounds the recursion of the compiler
};

// A set of tokens, one bit each.
class TokenMask {
 public:
  explicit TokenMask(std::size_t vocab_size = 0) : bits_((vocab_size + 63) / 64), size_(vocab_size) {}
  std::size_t size() const { return size_; }
  bool test(TokenId id) const {
    return (bits_[static_cast<std::size_t>(id) / 64] >> (static_cast<std::size_t>(id) % 64) & 1) != 0;
  }
  void set(TokenId id) {
    bits_[static_cast<std::size_t>(id) / 64] |= std::uint64_t{1} << (static_cast<std::size_t>(id) % 64);
  }
  std::span<const std::uint64_t> words() const { return bits_; }
  std::span<std::uint64_t> words() { return bits_; }
  std::size_t count() const;

 private:
  std::vector<std::uint64_t> bits_;
  std::size_t size_;
};

// The tokens of a tokenizer, arranged for mask computation (a byte trie). Built once per tokenizer, shared.
class Vocabulary {
 public:
  // Bytes of cached masks, least recently used go first: some ten thousand masks of a vocabulary of 150,000 tokens.
  static constexpr std::size_t kMaxMaskBytes = 256 << 20;

  static std::shared_ptr<const Vocabulary> build(std::shared_ptr<const tokenizer::Tokenizer> tokenizer);
  // For tests: token i appends bytes[i]; `eos` ends a text.
  static std::shared_ptr<const Vocabulary> from_bytes(std::vector<std::string> bytes, std::vector<TokenId> eos);
  ~Vocabulary();
  std::size_t size() const;
  std::string_view bytes(TokenId id) const;
  std::span<const TokenId> eos() const;

  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  explicit Vocabulary(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Compiled constraint, independent of any tokenizer. Immutable to callers (its lazily built states are internal and
// locked); share one among all matchers.
class Constraint {
 public:
  struct Impl;
  explicit Constraint(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  Impl& impl() const { return *impl_; }

 private:
  std::shared_ptr<Impl> impl_;
};

// Errors: `invalid` (malformed pattern with its column, unsupported construct, a type no text satisfies), `limit`.
// `made`: the states that compiling made, kept or not, are added there also when it fails; time goes with them.
base::Expected<std::shared_ptr<const Constraint>> compile_type(const TypeSpec& spec, const Limits& limits = {},
                                                               std::size_t* made = nullptr);
base::Expected<std::shared_ptr<const Constraint>> compile_regex(std::string_view pattern, const Limits& limits = {},
                                                                std::size_t* made = nullptr);
// Exactly one of the given texts. Used by select and by literal unions.
base::Expected<std::shared_ptr<const Constraint>> compile_choice(const std::vector<std::string>& texts,
                                                                 const Limits& limits = {});

// Does the whole text satisfy the constraint? No tokenizer needed. Bounds on white space are on what is generated, and
// counted where tokens end: here any run of it will do, so whatever a Matcher accepted is accepted.
bool accepts(const Constraint& constraint, std::string_view text);
// Can this text be continued to one that satisfies the constraint?
bool accepts_prefix(const Constraint& constraint, std::string_view text);
// Longest text in bytes that the constraint accepts; nullopt if unbounded (or over 2^40).
std::optional<std::uint64_t> max_length(const Constraint& constraint);
// Shortest accepted text in bytes from the beginning.
std::uint64_t min_length(const Constraint& constraint);
// States made so far, and about how much memory the constraint takes with them.
std::size_t state_count(const Constraint& constraint);
std::size_t memory_bytes(const Constraint& constraint);

class Machine;

// One generation's walk through a constraint. Not thread-safe; copying is O(1) and independent of the original.
class Matcher {
 public:
  // `healing`: bytes that the text must begin with before the constraint starts (token healing at a seam); they are
  // not part of the constrained value.
  Matcher(std::shared_ptr<const Constraint> constraint, std::shared_ptr<const Vocabulary> vocabulary,
          std::string_view healing = {});
  ~Matcher();
  Matcher(const Matcher&);
  Matcher(Matcher&&) noexcept;
  Matcher& operator=(const Matcher&);
  Matcher& operator=(Matcher&&) noexcept;

  // Tokens that may come next: those whose bytes keep the text completable, and the eos tokens iff is_complete().
  // The mask is cached per automaton state; the reference stays valid while this matcher lives and is not advanced.
  // Errors: `limit` when building the states for it crosses Limits::max_states.
  base::Expected<std::shared_ptr<const TokenMask>> mask();
  // Only the tokens after which the value can still be finished within `budget_tokens` further tokens (0: with this
  // one; the eos token is not counted). Finished means by the shortest text, cut into as few tokens as it can be. When
  // the mask for R remaining tokens (budget R-1) is not empty, following it keeps the next ones non-empty too, so
  // output cut at max_tokens is complete. Equal to mask() when the budget is ample.
  base::Expected<std::shared_ptr<const TokenMask>> mask_within(std::int64_t budget_tokens);
  // What mask() should be, found by walking every token byte by byte, with no trie, cache or knowledge of strings: for
  // comparison. O(bytes of the vocabulary). Errors: as mask().
  base::Expected<TokenMask> mask_by_trial() const;
  // Advances by a token (eos tokens are accepted iff complete). False, and no change, when it is not allowed.
  bool accept(TokenId id);
  // Undoes the last n accepted tokens. Precondition: n <= accepted().
  void rollback(std::size_t n);
  std::size_t accepted() const;
  // Bytes that must come next whatever is chosen (jump-forward); empty where there is a choice or the text may end.
  std::string forced_bytes();
  // The text so far satisfies the constraint.
  bool is_complete() const;
  // Complete, and nothing may follow.
  bool is_final();

  struct Stats {
    std::uint64_t masks = 0, hits = 0;  // asked for; found in the cache
  };
  const Stats& stats() const { return stats_; }

 private:
  // Where the walk stood after a token.
  struct Place {
    std::int32_t state = 0;    // of the machine
    std::uint32_t text = 0;    // what the machine keeps of the text (Machine::Walk)
    std::uint32_t healed = 0;  // bytes of the healing text that are there
    bool ended = false;        // an eos token came
  };
  struct Chunk;  // older places, shared by copies and never changed
  const Place& now() const { return recent_.back(); }
  base::Expected<std::shared_ptr<const TokenMask>> masked(std::optional<std::int64_t> budget);
  void push(const Place& place);

  std::shared_ptr<const Machine> machine_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  std::string healing_;
  std::vector<Place> recent_;  // at least one, at most a fixed number, so that copying takes constant time
  std::shared_ptr<const Chunk> older_;
  std::size_t accepted_ = 0;
  Stats stats_;
};

}  // namespace sgl::constraint
