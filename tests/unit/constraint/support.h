// Shared by the constraint engine's unit tests.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "runtime/constraint/constraint.h"

using namespace sgl::constraint;

using ConstraintPtr = std::shared_ptr<const Constraint>;

inline ConstraintPtr regex(std::string_view pattern, const Limits& limits = {}) {
  auto made = compile_regex(pattern, limits);
  REQUIRE_MESSAGE(made.ok(), pattern << ": " << made.error().message);
  return *made;
}

// Whether the text can be generated a byte at a time.
inline bool generates(const ConstraintPtr& constraint, std::string_view text) {
  std::vector<std::string> bytes;
  for (int b = 0; b < 256; ++b) bytes.emplace_back(1, static_cast<char>(b));
  Matcher matcher(constraint, Vocabulary::from_bytes(std::move(bytes), {}));
  for (char c : text) {
    if (!matcher.accept(static_cast<TokenId>(static_cast<unsigned char>(c)))) return false;
  }
  return matcher.is_complete();
}

// Makes type specifications.
struct Spec {
  TypeSpec spec{};

  std::uint32_t add(SpecNode node) {
    spec.nodes.push_back(std::move(node));
    return static_cast<std::uint32_t>(spec.nodes.size() - 1);
  }
  std::uint32_t kind(SpecKind k) {
    SpecNode n;
    n.kind = k;
    return add(n);
  }
  std::uint32_t string(std::int64_t min = 0, std::int64_t max = -1, std::string pattern = "", std::string format = "") {
    SpecNode n;
    n.min_chars = min, n.max_chars = max, n.pattern = std::move(pattern), n.format = std::move(format);
    return add(n);
  }
  std::uint32_t integer(std::optional<std::int64_t> min = {}, std::optional<std::int64_t> max = {}) {
    SpecNode n;
    n.kind = SpecKind::kInt, n.min_int = min, n.max_int = max;
    return add(n);
  }
  std::uint32_t real(std::optional<double> min = {}, std::optional<double> max = {}) {
    SpecNode n;
    n.kind = SpecKind::kFloat, n.min_float = min, n.max_float = max;
    return add(n);
  }
  std::uint32_t literal(std::string json) {
    SpecNode n;
    n.kind = SpecKind::kLiteral, n.text = std::move(json);
    return add(n);
  }
  std::uint32_t list(std::uint32_t item, std::int64_t min = 0, std::int64_t max = -1) {
    SpecNode n;
    n.kind = SpecKind::kList, n.children = {item}, n.min_items = min, n.max_items = max;
    return add(n);
  }
  std::uint32_t map(std::uint32_t value, std::int64_t min = 0, std::int64_t max = -1) {
    SpecNode n;
    n.kind = SpecKind::kMap, n.children = {value}, n.min_items = min, n.max_items = max;
    return add(n);
  }
  std::uint32_t one_of(std::vector<std::uint32_t> children) {
    SpecNode n;
    n.kind = SpecKind::kUnion, n.children = std::move(children);
    return add(n);
  }
  std::uint32_t record(std::vector<SpecField> fields) {
    SpecNode n;
    n.kind = SpecKind::kRecord, n.fields = std::move(fields);
    return add(n);
  }
  TypeSpec with_root(std::uint32_t root, bool json) {
    TypeSpec out = spec;
    out.root = root;
    out.json = json;
    return out;
  }
  ConstraintPtr compile(std::uint32_t root, bool json = false, const Limits& limits = {}) {
    auto made = compile_type(with_root(root, json), limits);
    REQUIRE_MESSAGE(made.ok(), made.error().message);
    return *made;
  }
  std::string error(std::uint32_t root, bool json = false, const Limits& limits = {}) {
    auto made = compile_type(with_root(root, json), limits);
    REQUIRE_FALSE(made.ok());
    return made.error().message;
  }
};

// All bytes, some longer tokens, and an eos token with the last id.
inline std::shared_ptr<const Vocabulary> small_vocabulary(bool all_bytes = true) {
  std::vector<std::string> bytes;
  for (int b = all_bytes ? 0 : 0x20; b < (all_bytes ? 256 : 0x7F); ++b) bytes.emplace_back(1, static_cast<char>(b));
  for (const char* text :
       {"ab",  "abc", "abcd", "12",  "123",  "00",  "\":",    "\",\"",      "{\"",      "}",  "true", "false", "null",
        "],[", "  ",  "\\u",  "\\n", "name", "age", "\u00e9", "\U0001F600", "\xF0\x9F", "-1", "0.",   "}}",    "a"}) {
    bytes.emplace_back(text);
  }
  bytes.emplace_back("");
  const auto eos = static_cast<TokenId>(bytes.size() - 1);
  return Vocabulary::from_bytes(std::move(bytes), {eos});
}
