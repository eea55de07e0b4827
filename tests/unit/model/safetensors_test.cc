#include "runtime/model/safetensors.h"

#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <random>

#include "runtime/model/model.h"
#include "tests/unit/model/random_model.h"

using namespace sgl;

namespace {

std::string file_of(const std::string& header, std::size_t data, std::uint64_t length) {
  std::string out(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<char>(length >> (8 * i) & 0xFF);
  return out + header + std::string(data, 'x');
}

std::string error_of(const std::string& bytes) {
  const auto parsed = model::parse_safetensors({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}, "w");
  return parsed.ok() ? "" : parsed.error().message;
}

std::string error_of(const std::string& header, std::size_t data) {
  return error_of(file_of(header, data, header.size()));
}

std::string tensor(const char* shape, const char* offsets, const char* dtype = "F32") {
  return std::string(R"({"dtype":")") + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

}  // namespace

TEST_CASE("safetensors: well-formed headers") {
  CHECK(error_of("{}", 0).empty());
  CHECK(error_of(R"({"__metadata__":{"a":"b"},"t":)" + tensor("[2,3]", "[0,24]") + "}  ", 24).empty());
  CHECK(error_of(R"({"a":)" + tensor("[]", "[0,4]") + R"(,"z":)" + tensor("[0]", "[4,4]") + "}", 4).empty());
}

TEST_CASE("safetensors: every lie in the header is refused with a sentence") {
  const auto has = [](const std::string& error, const char* part) { return error.find(part) != std::string::npos; };
  CHECK(error_of("abc") == "'w' is truncated: it has no safetensors header");
  CHECK(has(error_of(file_of("{}", 0, 100)), "truncated inside its header"));
  CHECK(has(error_of(file_of("{}", 0, ~std::uint64_t{0})), "over the limit"));
  CHECK(has(error_of("[]", 0), "not a JSON object"));
  CHECK(has(error_of("{\"t\":", 0), "not a JSON object"));
  CHECK(has(error_of(R"({"t":3})", 0), "not described by an object"));
  CHECK(has(error_of(R"({"t":{"shape":[1],"data_offsets":[0,4]}})", 4), "no dtype"));
  CHECK(has(error_of(R"({"t":)" + tensor("[1]", "[0,4]", "F99") + "}", 4), "unknown dtype 'F99'"));
  CHECK(has(error_of(R"({"t":)" + tensor("3", "[0,4]") + "}", 4), "no shape"));
  CHECK(has(error_of(R"({"t":)" + tensor("[-1]", "[0,4]") + "}", 4), "not a whole number"));
  CHECK(has(error_of(R"({"t":)" + tensor("[1.0]", "[0,4]") + "}", 4), "not a whole number"));
  CHECK(has(error_of(R"({"t":)" + tensor("[1,1,1,1,1,1,1,1,1]", "[0,4]") + "}", 4), "too many dimensions"));
  CHECK(has(error_of(R"({"t":)" + tensor("[4294967296,4294967296]", "[0,0]") + "}", 0), "overflows"));
  CHECK(has(error_of(R"({"t":)" + tensor("[1]", "[0]") + "}", 4), "no data_offsets"));
  CHECK(has(error_of(R"({"t":)" + tensor("[1]", "[0,8]") + "}", 4), "outside the file"));
  CHECK(has(error_of(R"({"t":)" + tensor("[1]", "[4,0]") + "}", 4), "outside the file"));
  CHECK(has(error_of(R"({"t":)" + tensor("[2]", "[0,4]") + "}", 4), "has 4 bytes where its shape needs 8"));
  CHECK(has(error_of(R"({"a":)" + tensor("[1]", "[0,4]") + R"(,"b":)" + tensor("[1]", "[2,6]") + "}", 6), "overlaps"));
  CHECK(has(error_of(R"({"a":)" + tensor("[1]", "[0,4]") + R"(,"b":)" + tensor("[1]", "[8,12]") + "}", 12), "hole"));
  CHECK(has(error_of(R"({"a":)" + tensor("[1]", "[0,4]") + "}", 9), "5 bytes follow the last tensor"));
  CHECK(
      has(error_of(R"({"a":)" + tensor("[1]", "[0,4]") + R"(,"a":)" + tensor("[1]", "[4,8]") + "}", 8), "named twice"));
  std::string deep = R"({"t":)";
  for (int i = 0; i < 100000; ++i) deep += '[';
  CHECK_FALSE(error_of(deep, 0).empty());
}

TEST_CASE("safetensors: mutated and truncated files never crash") {
  const std::string good =
      test::safetensors_bytes({{"a", {{2, 3}, std::vector<float>(6)}}, {"b", {{4}, std::vector<float>(4)}}}, "F32");
  CHECK(error_of(good).empty());
  for (std::size_t n = 0; n < good.size(); ++n) CHECK_FALSE(error_of(good.substr(0, n)).empty());
  std::mt19937 rng(11);
  for (int i = 0; i < 5000; ++i) {
    std::string bytes = good;
    for (unsigned n = 0; n < 1 + rng() % 3; ++n) {
      const std::size_t at = rng() % bytes.size();
      bytes[at] = static_cast<char>(rng() % 2 != 0 ? "0123456789[]{},:\"-"[rng() % 18] : static_cast<char>(rng()));
    }
    const auto parsed = model::parse_safetensors({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}, "w");
    if (!parsed.ok()) continue;
    for (const auto& [name, view] : *parsed) {  // what was accepted lies inside the file
      CHECK(view.bytes.data() + view.bytes.size() <= reinterpret_cast<const std::byte*>(bytes.data()) + bytes.size());
    }
  }
}

TEST_CASE("model folders: one clear sentence per mistake") {
  const auto error = [](const std::filesystem::path& folder) {
    const auto m = model::Model::load(folder);
    return m.ok() ? std::string() : m.error().message;
  };
  const auto has = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  const test::TemporaryFolder folder;
  CHECK(has(error(folder.path() / "absent"), "config.json"));
  test::RandomModel m = test::write_random_model({}, folder.path());
  CHECK(error(folder.path()).empty());
  const auto rewrite = [&](const auto& tensors) {
    std::ofstream(folder.path() / "model.safetensors", std::ios::binary) << test::safetensors_bytes(tensors, "F32");
  };
  auto tensors = m.tensors;
  tensors.erase("model.norm.weight");
  rewrite(tensors);
  CHECK(error(folder.path()) == "the weights have no tensor 'model.norm.weight'");
  tensors = m.tensors;
  tensors["model.norm.weight"].shape = {6, 8};
  rewrite(tensors);
  CHECK(error(folder.path()) == "tensor 'model.norm.weight' has the shape [6, 8], but config.json asks for [48]");
  std::filesystem::remove(folder.path() / "model.safetensors");
  CHECK(has(error(folder.path()), "model.safetensors"));
  const auto index = [&](const char* text) {
    std::ofstream(folder.path() / "model.safetensors.index.json") << text;
    return error(folder.path());
  };
  CHECK(has(index(R"({"weight_map": {"a": "../secret"}})"), "is not a file name"));
  CHECK(has(index(R"({"weight_map": {"a": 3}})"), "is not a string"));
  CHECK(has(index("[]"), "no object 'weight_map'"));
  CHECK(has(index(R"({"weight_map": {"a": "part.safetensors"}})"), "part.safetensors"));
}
