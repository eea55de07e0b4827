// Tiny models with random weights, written as Hugging Face folders: for tests of the model and of everything above it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace sgl::test {

struct RandomModelSpec {
  std::string architecture = "LlamaForCausalLM";
  std::size_t vocab = 300, hidden = 48, layers = 2, heads = 4, kv_heads = 2, head_dim = 12, intermediate = 80;
  std::size_t context = 512;
  double rope_theta = 10000.0;
  std::string rope_scaling;           // JSON object, "" for none
  bool rope_parameters = false;       // write it under the newer name
  std::size_t window = 0;             // sliding_window, 0 for none
  std::size_t max_window_layers = 0;  // Qwen: the layers before this one attend to everything
  bool tied = false, attention_bias = false, mlp_bias = false;
  std::string dtype = "F32";  // F32, F16 or BF16
  std::size_t shards = 1;
  std::uint32_t seed = 1;
  double spread = 1.0;  // scale of the weights: larger, more peaked distributions
};

struct RandomTensor {
  std::vector<std::size_t> shape;
  std::vector<float> values;  // exactly what the file holds
};

struct RandomModel {
  RandomModelSpec spec;
  std::map<std::string, RandomTensor> tensors;
};

// The config.json of a spec.
std::string config_json(const RandomModelSpec& spec);

// Writes config.json and the weights into `folder` (created).
RandomModel write_random_model(const RandomModelSpec& spec, const std::filesystem::path& folder);

// Serialises tensors as safetensors. dtype as in the spec; values must be exact in it.
std::string safetensors_bytes(const std::map<std::string, RandomTensor>& tensors, const std::string& dtype);

// A new folder below the system's temporary one, removed with its content by the destructor.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A tokenizer.json without merges: byte b is token b + 3, after <unk>, <s> and </s>; `extra` pieces (ASCII) follow
// from id 259, each built by merging its characters from left to right (so all their beginnings are needed, too).
std::string byte_tokenizer_json(const std::vector<std::string>& extra = {});

}  // namespace sgl::test
