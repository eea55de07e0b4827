// Encoding speed in MB/s (10^6 bytes of text per second, one thread, pre-tokenisation included), as one JSON object.
// usage: bench_tokenizer [TOKENIZERS_FOLDER [TEXT_FILE]]
#include "runtime/tokenizer/tokenizer.h"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "runtime/base/file.h"

namespace {

// About 8 MB of English-like text: 20,000 words of one to four syllables under Zipf's law, with punctuation.
std::string make_text() {
  std::mt19937_64 rng(7);
  const char* syllables[] = {"the", "an",  "in",  "er",  "on",  "re",  "con",  "ment", "tion", "al",
                             "ly",  "be",  "ing", "com", "ter", "est", "pro",  "ed",   "ver",  "un",
                             "sta", "gra", "mi",  "lo",  "per", "ra",  "sion", "ble"};
  std::vector<std::string> words;
  for (int i = 0; i < 20'000; ++i) {
    std::string word;
    for (std::size_t n = 1 + rng() % 4; n > 0; --n) word += syllables[rng() % std::size(syllables)];
    words.push_back(word);
  }
  std::string text;
  while (text.size() < 8'000'000) {
    const double u = static_cast<double>(rng() >> 11) * 0x1p-53;
    const auto rank = static_cast<std::size_t>(std::exp(u * std::log(static_cast<double>(words.size())))) - 1;
    std::string word = words[std::min(rank, words.size() - 1)];
    if (text.empty() || text.back() == '\n') word[0] = static_cast<char>(word[0] - 32);
    text += word;
    const auto mark = rng() % 100;
    text += mark < 8 ? ", " : mark < 14 ? ". " : mark < 15 ? ".\n\n" : mark < 16 ? " 1984 " : " ";
  }
  return text;
}

double seconds_of(const sgl::tokenizer::Tokenizer& tokenizer, const std::string& text, std::size_t& tokens) {
  const auto start = std::chrono::steady_clock::now();
  tokens = tokenizer.encode(text).size();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path folder = argc > 1 ? argv[1] : "build/test-tokenizers";
  std::string text;
  if (argc > 2) {
    auto read = sgl::base::read_file(argv[2]);
    if (!read) {
      std::fprintf(stderr, "bench_tokenizer: %s\n", read.error().message.c_str());
      return 1;
    }
    text = *std::move(read);
  } else {
    text = make_text();
  }
  nlohmann::ordered_json report;
  report["text_bytes"] = text.size();
  for (const char* name : {"qwen3", "llama3", "gemma3"}) {
    const auto start = std::chrono::steady_clock::now();
    auto tokenizer = sgl::tokenizer::Tokenizer::load(folder / name);
    const double load = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (!tokenizer) {
      report[name] = tokenizer.error().message;
      continue;
    }
    std::size_t tokens = 0;
    double best = 1e9;
    for (int run = 0; run < 3; ++run) best = std::min(best, seconds_of(**tokenizer, text, tokens));
    // One word without a place to cut: the worst case of the merge loop.
    const std::string word(1'000'000, 'a');
    std::size_t word_tokens = 0;
    const double long_word = seconds_of(**tokenizer, word, word_tokens);
    report[name] = {{"mb_per_s", static_cast<double>(text.size()) / 1e6 / best},
                    {"tokens", tokens},
                    {"load_s", load},
                    {"one_word_mb_per_s", 1.0 / long_word}};
  }
  std::puts(report.dump(1).c_str());
  return 0;
}
