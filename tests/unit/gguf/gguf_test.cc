#include "runtime/gguf/gguf.h"

#include <doctest/doctest.h>

#include <cstring>
#include <random>
#include <string>

#include "runtime/gguf/writer.h"

using namespace sgl::gguf;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// Metadata of every kind that the writer knows, and two tensors.
std::string sample() {
  static const std::string a(24, '\x01'), b(34 * 2, '\x02');
  Writer w;
  const std::string texts[] = {"x", "", "yz"};
  const float numbers[] = {1.5F, -2.0F};
  const std::int32_t counts[] = {3, -4};
  w.text("general.architecture", "llama");
  w.count("n", 7);
  w.number("f", 0.25F);
  w.flag("yes", true);
  w.texts("texts", texts);
  w.numbers("numbers", numbers);
  w.counts("counts", counts);
  w.tensor("a", Type::kF32, {2, 3}, bytes_of(a));
  w.tensor("b", Type::kQ8_0, {2, 32}, bytes_of(b));
  std::string out = w.header() + a;
  out.resize((out.size() + 31) / 32 * 32);
  return out + b;
}

std::string error_of(const std::string& file, const Limits& limits = {}) {
  const auto parsed = parse(bytes_of(file), "m.gguf", limits);
  return parsed.ok() ? "" : parsed.error().message;
}

std::string changed(std::string file, std::size_t at, std::string_view bytes) {
  return file.replace(at, bytes.size(), bytes);
}

}  // namespace

TEST_CASE("metadata and tensors are read as they were written") {
  const std::string file = sample();
  const auto parsed = parse(bytes_of(file), "m.gguf");
  REQUIRE_MESSAGE(parsed.ok(), parsed.error().message);
  const Contents& c = *parsed;
  CHECK(c.version == 3);
  CHECK(**c.text("general.architecture") == "llama");
  CHECK(**c.count("n") == 7);
  CHECK(**c.number("f") == 0.25);
  CHECK(**c.number("n") == 7.0);
  CHECK(**c.flag("yes"));
  CHECK(**c.array<std::string_view>("texts") == std::vector<std::string_view>{"x", "", "yz"});
  CHECK(**c.array<double>("numbers") == std::vector<double>{1.5, -2.0});
  CHECK(**c.array<std::int64_t>("counts") == std::vector<std::int64_t>{3, -4});
  REQUIRE(c.tensor("a") != nullptr);
  CHECK(c.tensor("a")->shape == std::vector<std::uint64_t>{2, 3});
  CHECK(c.tensor("a")->bytes.size() == 24);
  REQUIRE(c.tensor("b") != nullptr);
  CHECK(c.tensor("b")->type == Type::kQ8_0);
  CHECK(static_cast<char>(c.tensor("b")->bytes[67]) == '\x02');
  CHECK(!c.text("absent")->has_value());
  CHECK(*c.array<double>("absent") == nullptr);
  CHECK(c.text("n").error().message == "the metadata 'n' is not a text");
  CHECK(c.count("f").error().message == "the metadata 'f' is not a whole number from 0 on");
  CHECK(!c.array<double>("texts").ok());
}

TEST_CASE("a file cut anywhere is an error, never a crash") {
  const std::string file = sample();
  for (std::size_t size = 0; size < file.size(); ++size) {
    if (error_of(file.substr(0, size)).empty()) FAIL("cut at " << size);
  }
}

TEST_CASE("a file with any byte changed is read or refused") {
  const std::string file = sample();
  std::mt19937 rng(1);
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (int k = 0; k < 8; ++k) error_of(changed(file, i, std::string(1, static_cast<char>(rng()))));
  }
}

TEST_CASE("errors say what is wrong") {
  const std::string file = sample();
  CHECK(error_of("{}") == "'m.gguf' does not begin with GGUF's magic bytes");
  CHECK(error_of(changed(file, 4, {"\0\0\0\3", 4})) == "'m.gguf' is big-endian, which is not supported");
  CHECK(error_of(changed(file, 4, {"\1\0\0\0", 4})) == "'m.gguf' has version 1; supported are 2 and 3");
  CHECK(error_of(changed(file, 8, std::string(8, '\x7F'))).find("the limits are") != std::string::npos);
  CHECK(error_of(file, {.max_text = 3}).find("has a text of 20 bytes; the limit is 3") != std::string::npos);
  CHECK(error_of(file, {.max_array = 2}).find("has a list of 3 items; the limit is 2") != std::string::npos);
  const std::size_t name = file.find("\x01\0\0\0\0\0\0\0b", 0, 9);
  REQUIRE(name != std::string::npos);
  CHECK(error_of(changed(file, name + 8, "a")) == "'m.gguf' tensor 'a' is named twice");
  const std::size_t type = name + 9 + 4 + 16;
  CHECK(error_of(changed(file, type, "\x63")) == "'m.gguf' tensor 'b' has the type 99, which is not known here");
  CHECK(error_of(changed(file, type, "\x0C")).find("not a multiple of the 256 of a Q4_K block") != std::string::npos);
  CHECK(error_of(changed(file, type + 4, {"\0", 1})) == "'m.gguf' tensor 'b' overlaps another");
  CHECK(error_of(changed(file, type + 4, {"\1", 1})).find("not at a multiple of 32") != std::string::npos);
  CHECK(error_of(changed(file, type + 5, {"\1", 1})).find("lies outside the file") != std::string::npos);
}
