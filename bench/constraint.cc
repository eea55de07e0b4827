// Mask times of the constraint engine on real vocabularies, as one JSON object: microseconds per mask, mean and 99th
// percentile, when the mask is computed (first time a state is met) and over whole generations with the cache.
// usage: bench_constraint [TOKENIZERS_FOLDER]
#include "runtime/constraint/constraint.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>

namespace {

using namespace sgl::constraint;
using Clock = std::chrono::steady_clock;

double micros(Clock::time_point since) {
  return std::chrono::duration<double, std::micro>(Clock::now() - since).count();
}

TypeSpec record_spec() {
  TypeSpec spec;
  const auto add = [&](SpecNode n) {
    spec.nodes.push_back(std::move(n));
    return static_cast<std::uint32_t>(spec.nodes.size() - 1);
  };
  SpecNode name, age, tag, tags, role, root;
  name.max_chars = 40;
  age.kind = SpecKind::kInt, age.min_int = 0, age.max_int = 150;
  tags.kind = SpecKind::kList, tags.max_items = 5;
  role.kind = SpecKind::kUnion;
  for (const char* text : {"\"admin\"", "\"user\"", "\"guest\""}) {
    SpecNode literal;
    literal.kind = SpecKind::kLiteral, literal.text = text;
    role.children.push_back(add(literal));
  }
  root.kind = SpecKind::kRecord;
  root.fields = {{"name", add(name), false}, {"age", add(age), false}, {"role", add(role), false}};
  tags.children = {add(tag)};
  root.fields.push_back({"tags", add(tags), true});
  spec.root = add(root);
  spec.json = true;
  return spec;
}

nlohmann::ordered_json summary(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  const double sum = std::accumulate(times.begin(), times.end(), 0.0);
  return {{"masks", times.size()},
          {"mean_us", sum / static_cast<double>(times.size())},
          {"p50_us", times[times.size() / 2]},
          {"p99_us", times[times.size() * 99 / 100]},
          {"max_us", times.back()}};
}

// Generates texts by random tokens among the allowed ones, preferring to go on to an end.
nlohmann::ordered_json measure(const std::shared_ptr<const Constraint>& constraint,
                               const std::shared_ptr<const Vocabulary>& vocabulary) {
  std::mt19937_64 rng(3);
  std::vector<double> first, all;
  for (int round = 0; round < 20; ++round) {
    Matcher matcher(constraint, vocabulary);
    for (int left = 100; left > 0; --left) {
      const auto start = Clock::now();
      const auto mask = matcher.mask_within(left - 1);
      const double time = micros(start);
      if (!mask.ok()) return mask.error().message;
      (round == 0 ? first : all).push_back(time);
      std::vector<TokenId> ids;
      for (std::size_t i = 0; i < (*mask)->size(); ++i) {
        if ((*mask)->test(static_cast<TokenId>(i))) ids.push_back(static_cast<TokenId>(i));
      }
      if (ids.empty() || !matcher.accept(ids[rng() % ids.size()]) || matcher.is_final()) break;
    }
  }
  return {{"first_generation", summary(first)}, {"later_generations", summary(all)}};
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path folder = argc > 1 ? argv[1] : "build/test-tokenizers";
  nlohmann::ordered_json report;
  for (const char* name : {"qwen3", "llama3", "gemma3"}) {
    auto tokenizer = sgl::tokenizer::Tokenizer::load(folder / name);
    if (!tokenizer) {
      report[name] = tokenizer.error().message;
      continue;
    }
    auto start = Clock::now();
    const auto vocabulary = Vocabulary::build(*tokenizer);
    report[name]["trie_ms"] = micros(start) / 1000;
    TypeSpec json;
    json.nodes.emplace_back();
    json.nodes[0].kind = SpecKind::kJson;
    TypeSpec bounded;
    bounded.nodes.emplace_back();
    bounded.nodes[0].max_chars = 200;
    const std::pair<const char*, sgl::base::Expected<std::shared_ptr<const Constraint>>> cases[] = {
        {"record", compile_type(record_spec())},
        {"json", compile_type(json)},
        {"string_200", compile_type(bounded)},
        {"email", compile_regex("[a-z0-9._]+@[a-z0-9]+(\\.[a-z]{2,4}){1,3}")}};
    for (const auto& [label, constraint] : cases) report[name][label] = measure(*constraint, vocabulary);
    start = Clock::now();
    const auto compiled = compile_type(record_spec());
    report[name]["compile_record_us"] = micros(start);
  }
  std::puts(report.dump(1).c_str());
  return 0;
}
