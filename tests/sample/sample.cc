// Generates values of random schemas as a model with random logits would, under every order and white space policy and
// every token budget from 1 to enough, and writes them as JSON lines for validators:
//   {"id", "schema"} then {"id", "text", "policy", "budget"} …, last {"summary": …}
//
// usage: constrain_sample --tokenizer DIR [--seed N] [--instances N] [--schemas FILE]
// --schemas: one JSON Schema a line, or records with a member "schema", instead of random ones.
// Exit code 1: a generation got stuck, or was invalid for valijson where this program was built with it.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <string>

#include "runtime/constraint/json_schema.h"
#include "tests/sample/random_schema.h"
#include "tests/sample/valijson_check.h"

namespace {

using namespace sgl;
using namespace sgl::constraint;
using Json = nlohmann::ordered_json;

struct Options {
  std::string tokenizer, schemas;
  std::uint64_t seed = 1;
  std::size_t instances = 1000;
};

struct Policy {
  const char* name;
  PropertyOrder order;
  Whitespace whitespace;
  int indent = 2;
};
constexpr Policy kPolicies[] = {
    {"schema order, compact", PropertyOrder::kSchema, Whitespace::kCompact},
    {"any order, compact", PropertyOrder::kAny, Whitespace::kCompact},
    {"schema order, any space", PropertyOrder::kSchema, Whitespace::kAny},
    {"any order, any space", PropertyOrder::kAny, Whitespace::kAny},
    {"schema order, indented", PropertyOrder::kSchema, Whitespace::kIndent},
    {"any order, indented", PropertyOrder::kAny, Whitespace::kIndent, 4},
};

std::uint64_t mixed(std::uint64_t x) {
  x ^= x >> 30, x *= 0xbf58476d1ce4e5b9;
  x ^= x >> 27, x *= 0x94d049bb133111eb;
  return x ^ x >> 31;
}

class Sampler {
 public:
  Sampler(std::shared_ptr<const Vocabulary> vocabulary, std::uint64_t seed)
      : vocabulary_(std::move(vocabulary)), seed_(seed) {
    for (std::size_t i = 0; i < vocabulary_->size(); ++i) {
      const std::string_view bytes = vocabulary_->bytes(static_cast<TokenId>(i));
      marks_.push_back(bytes.empty() || bytes.find_first_of("\"}],:") != std::string_view::npos);
    }
  }

  enum class Outcome { kText, kRefused, kStuck, kLimit };
  // At most `budget` tokens. `hurry`: how much logits favour quotes, brackets and the end, 0 … 3.
  Outcome generate(const std::shared_ptr<const Constraint>& constraint, std::int64_t budget, int hurry,
                   std::string& text, std::size_t& tokens) {
    Matcher matcher(constraint, vocabulary_);
    text.clear();
    tokens = 0;
    for (std::int64_t left = budget; left > 0; --left) {
      const auto mask = matcher.mask_within(left - 1);
      if (!mask.ok()) return Outcome::kLimit;
      const TokenId id = best(**mask, hurry);
      if (id < 0) return matcher.is_complete() ? Outcome::kText : left == budget ? Outcome::kRefused : Outcome::kStuck;
      if (!matcher.accept(id)) {
        text += " … then refused: ";
        text += vocabulary_->bytes(id);
        return Outcome::kStuck;
      }
      const auto eos = vocabulary_->eos();
      if (std::find(eos.begin(), eos.end(), id) != eos.end()) return Outcome::kText;
      text += vocabulary_->bytes(id);
      ++tokens;
    }
    return matcher.is_complete() ? Outcome::kText : Outcome::kStuck;
  }

 private:
  // The token of the greatest logit, which are random numbers of 16 bits.
  TokenId best(const TokenMask& mask, int hurry) {
    ++step_;
    TokenId out = -1;
    std::uint64_t greatest = 0;
    const auto words = mask.words();
    for (std::size_t w = 0; w < words.size(); ++w) {
      for (std::uint64_t word = words[w]; word != 0; word &= word - 1) {
        const auto id = static_cast<TokenId>(w * 64 + static_cast<std::size_t>(__builtin_ctzll(word)));
        std::uint64_t logit = mixed(seed_ ^ step_ * 0x9e3779b97f4a7c15 ^ static_cast<std::uint64_t>(id) << 40) % 65536;
        if (marks_[static_cast<std::size_t>(id)]) logit += static_cast<std::uint64_t>(hurry) * 16384;
        if (logit + 1 > greatest) greatest = logit + 1, out = id;
      }
    }
    return out;
  }

  std::shared_ptr<const Vocabulary> vocabulary_;
  std::uint64_t seed_, step_ = 0;
  std::vector<bool> marks_;
};

struct Totals {
  std::size_t schemas = 0, refused_schemas = 0, instances = 0, too_small = 0, too_careful = 0, stuck = 0, limits = 0;
  std::size_t invalid = 0, checked = 0;
  std::map<std::string, std::size_t> reasons;
};

void put(const Json& line) {
  std::cout << line.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
}

// All budgets from 1 to a few beyond the first that is enough, then some ample ones.
void sample_policy(std::size_t id, const std::string& schema, const Policy& policy, Sampler& sampler,
                   tests::ValijsonCheck& check, Totals& totals) {
  SchemaOptions options;
  options.order = policy.order, options.whitespace = policy.whitespace, options.indent = policy.indent;
  options.limits.time = std::chrono::milliseconds(2000);
  const SchemaResult made = compile_json_schema(schema, options);
  if (!made.ok()) {
    ++totals.reasons[made.status == SchemaStatus::kUnsatisfiable ? "unsatisfiable" : made.message];
    return;
  }
  std::int64_t enough = 0, refused = 0, longest_refused = 0;
  std::size_t fewest = SIZE_MAX;
  std::set<std::string> seen;
  const auto attempt = [&](std::int64_t budget, int hurry) {
    std::string text;
    std::size_t tokens = 0;
    switch (sampler.generate(made.constraint, budget, hurry, text, tokens)) {
      case Sampler::Outcome::kRefused:
        ++totals.too_small, ++refused;
        longest_refused = budget;
        return;
      case Sampler::Outcome::kStuck:
        ++totals.stuck;
        put({{"id", id}, {"stuck", text}, {"policy", policy.name}, {"budget", budget}});
        return;
      case Sampler::Outcome::kLimit:
        ++totals.limits;
        return;
      case Sampler::Outcome::kText:
        break;
    }
    if (enough == 0) enough = budget;
    fewest = std::min(fewest, tokens);
    ++totals.instances;
    if (!seen.insert(text).second) return;  // counted, but the same text need not be validated twice
    put({{"id", id}, {"text", text}, {"policy", policy.name}, {"budget", budget}});
    if (check.usable() && tests::ValijsonCheck::readable(text)) {
      ++totals.checked;
      if (!check.valid(text)) {
        ++totals.invalid;
        put({{"id", id}, {"invalid", text}, {"policy", policy.name}, {"budget", budget}});
      }
    }
  };
  constexpr std::int64_t kMost = 120;
  for (std::int64_t budget = 1; budget <= kMost && (enough == 0 || budget < enough + 6); ++budget)
    attempt(budget, static_cast<int>(budget % 4));
  for (const std::int64_t more : {10, 25, 60}) attempt(enough + more, 1 + static_cast<int>(more % 3));
  // A budget was called too small though a text that fits exists.
  if (fewest != SIZE_MAX && static_cast<std::int64_t>(fewest) <= longest_refused) {
    ++totals.too_careful;
    put({{"id", id}, {"careful", longest_refused}, {"tokens", fewest}, {"policy", policy.name}});
  }
}

void sample_schema(const std::string& schema, Sampler& sampler, Totals& totals) {
  const std::size_t id = totals.schemas++, before = totals.instances;
  put({{"id", id}, {"schema", Json::parse(schema)}});
  tests::ValijsonCheck check(schema);
  for (const Policy& policy : kPolicies) sample_policy(id, schema, policy, sampler, check, totals);
  if (totals.instances == before) ++totals.refused_schemas;
}

bool parse(int argc, char** argv, Options& out) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i], value = argv[i + 1];
    if (name == "--tokenizer")
      out.tokenizer = value;
    else if (name == "--seed")
      out.seed = std::stoull(value);
    else if (name == "--instances")
      out.instances = std::stoull(value);
    else if (name == "--schemas")
      out.schemas = value;
    else
      return false;
  }
  return argc % 2 == 1 && !out.tokenizer.empty();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::cerr << "usage: constrain_sample --tokenizer DIR [--seed N] [--instances N] [--schemas FILE]\n";
    return 2;
  }
  auto tokenizer = tokenizer::Tokenizer::load(options.tokenizer);
  if (!tokenizer.ok()) {
    std::cerr << "constrain_sample: " << tokenizer.error().message << "\n";
    return 2;
  }
  Sampler sampler(Vocabulary::build(*tokenizer), options.seed);
  Totals totals;
  if (options.schemas.empty()) {
    for (std::uint64_t n = 0; totals.instances < options.instances; ++n)
      sample_schema(tests::RandomSchema(options.seed * 1'000'003 + n).make().dump(), sampler, totals);
  } else {
    std::ifstream file(options.schemas);
    for (std::string line; totals.instances < options.instances && std::getline(file, line);) {
      const Json record = Json::parse(line, nullptr, false);
      if (record.is_discarded()) continue;
      const bool wrapped = record.is_object() && record.contains("schema") && record.contains("id");
      sample_schema(wrapped ? record.at("schema").dump() : line, sampler, totals);
    }
  }
  Json reasons = Json::object();
  for (const auto& [reason, count] : totals.reasons) reasons[reason] = count;
  put({{"summary",
        {{"schemas", totals.schemas},
         {"without_instances", totals.refused_schemas},
         {"instances", totals.instances},
         {"budgets_too_small", totals.too_small},
         {"too_careful", totals.too_careful},
         {"stuck", totals.stuck},
         {"limits", totals.limits},
         {"valijson_checked", totals.checked},
         {"valijson_invalid", totals.invalid},
         {"not_compiled", reasons}}}});
  return totals.stuck + totals.invalid == 0 ? 0 : 1;
}
