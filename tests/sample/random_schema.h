// Random JSON Schemas (draft 7), the same for the same seed.
#pragma once

#include <nlohmann/json.hpp>
#include <random>
#include <string>

namespace sgl::tests {

class RandomSchema {
 public:
  explicit RandomSchema(std::uint64_t seed) : random_(seed) {}
  // A whole schema, with definitions. Many are satisfiable, not all.
  nlohmann::ordered_json make();

 private:
  using Json = nlohmann::ordered_json;
  int below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  bool chance(int percent) { return below(100) < percent; }
  std::string name();
  Json schema(int depth);
  Json string();
  Json number(bool integer);
  Json array(int depth);
  Json object(int depth);
  Json combined(int depth);
  Json value(int depth);

  std::mt19937_64 random_;
};

}  // namespace sgl::tests
