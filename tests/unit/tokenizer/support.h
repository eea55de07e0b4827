// Shared by the tokenizer's unit tests.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "runtime/tokenizer/tokenizer.h"

// Where scripts/fetch_test_tokenizers.sh put the real tokenizers.
inline std::filesystem::path test_tokenizers() {
  const char* folder = std::getenv("SGL_TEST_TOKENIZERS");
  return folder != nullptr ? folder : "build/test-tokenizers";
}

// A small byte-level tokenizer: the 256 bytes, some merges, two added tokens.
inline nlohmann::json byte_level_json() {
  // The alphabet of GPT-2.
  nlohmann::json vocab = nlohmann::json::object();
  const auto utf8 = [](unsigned c) {
    std::string out;
    if (c < 0x80) return std::string(1, static_cast<char>(c));
    out.push_back(static_cast<char>(0xC0 | c >> 6));
    out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
    return out;
  };
  unsigned next = 256;
  for (unsigned b = 0; b < 256; ++b) {
    const bool printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
    vocab[utf8(printable ? b : next++)] = b;
  }
  nlohmann::json merges = nlohmann::json::array();
  int id = 256;
  for (const auto& [left, right] :
       {std::pair("h", "e"), {"l", "l"}, {"he", "ll"}, {"hell", "o"}, {"\u0120", "hello"}}) {
    vocab[std::string(left) + right] = id++;
    merges.push_back({left, right});
  }
  return {{"version", "1.0"},
          {"added_tokens",
           {{{"id", 261}, {"content", "<|end|>"}, {"special", true}, {"normalized", false}},
            {{"id", 262}, {"content", "<tool>"}, {"special", false}, {"normalized", false}}}},
          {"normalizer", nullptr},
          {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}},
          {"post_processor", nullptr},
          {"decoder", {{"type", "ByteLevel"}}},
          {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", merges}}}};
}

// A small SentencePiece-style tokenizer with byte fallback, as Llama 2 has it.
inline nlohmann::json sentencepiece_json() {
  nlohmann::json vocab = {{"<unk>", 0}, {"<s>", 1}, {"</s>", 2}};
  const char* hex = "0123456789ABCDEF";
  for (int b = 0; b < 256; ++b) vocab[std::string("<0x") + hex[b / 16] + hex[b % 16] + ">"] = 3 + b;
  int id = 259;
  for (const char* piece : {"\u2581", "h", "e", "l", "o", "w", "r", "d", "he", "ll", "hell", "hello", "\u2581hello"}) {
    vocab[piece] = id++;
  }
  const nlohmann::json added = {
      {{"id", 0}, {"content", "<unk>"}, {"special", true}, {"normalized", false}},
      {{"id", 1}, {"content", "<s>"}, {"special", true}, {"normalized", false}},
      {{"id", 2}, {"content", "</s>"}, {"special", true}, {"normalized", false}},
  };
  const nlohmann::json sign = {{"String", "\u2581"}};
  return {{"added_tokens", added},
          {"normalizer",
           {{"type", "Sequence"},
            {"normalizers",
             {{{"type", "Prepend"}, {"prepend", "\u2581"}},
              {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "\u2581"}}}}}},
          {"post_processor",
           {{"type", "TemplateProcessing"},
            {"single", {{{"SpecialToken", {{"id", "<s>"}}}}, {{"Sequence", {{"id", "A"}}}}}},
            {"special_tokens", {{"<s>", {{"id", "<s>"}, {"ids", {1}}}}}}}},
          {"decoder",
           {{"type", "Sequence"},
            {"decoders",
             {{{"type", "Replace"}, {"pattern", sign}, {"content", " "}},
              {{"type", "ByteFallback"}},
              {{"type", "Fuse"}},
              {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}}}}},
          {"model",
           {{"type", "BPE"},
            {"unk_token", "<unk>"},
            {"fuse_unk", true},
            {"byte_fallback", true},
            {"vocab", vocab},
            {"merges", {"h e", "l l", "he ll", "hell o", "\u2581 hello"}}}}};
}
