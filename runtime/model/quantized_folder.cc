#include "runtime/model/quantized_folder.h"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "kernels/quant.h"
#include "runtime/base/file.h"
#include "runtime/gguf/gguf.h"
#include "runtime/model/config.h"
#include "runtime/model/weights.h"

namespace sgl::model {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using base::invalid;

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kMaxConfigBytes = std::size_t{16} << 20;

struct Tensor {
  std::string name;
  const char* dtype;
  std::size_t shape;  // one dimension: packed tensors have no other
  std::string_view bytes;
};

std::string_view view(const void* data, std::size_t bytes) {
  return {static_cast<const char*>(data), bytes};
}

// Packed matrices first: their sizes are multiples of 64, so that each begins aligned without holes.
std::vector<Tensor> tensors_of(const Weights& weights) {
  std::vector<Tensor> out;
  for (const auto& [name, m] : weights.matrices) {
    const std::size_t bytes = kernels::packed_bytes(m.type, m.n, m.k);
    out.push_back({name, "U8", bytes, view(m.data, bytes)});
  }
  for (const auto& [name, v] : weights.vectors) out.push_back({name, "F32", v.size(), view(v.data(), v.size_bytes())});
  return out;
}

std::string header_of(const std::vector<Tensor>& tensors, WeightFormat format) {
  Json header;
  header["__metadata__"] = {{"format", "sgl-packed"},
                            {"weights", std::string(format_name(format))},
                            {"layout_version", std::to_string(kernels::kPackedLayoutVersion)}};
  std::uint64_t at = 0;
  for (const Tensor& t : tensors) {
    header[t.name] = {{"dtype", t.dtype}, {"shape", {t.shape}}, {"data_offsets", {at, at + t.bytes.size()}}};
    at += t.bytes.size();
  }
  std::string text = header.dump();
  text.append((kAlignment - (8 + text.size()) % kAlignment) % kAlignment, ' ');
  return text;
}

base::Expected<std::uint64_t> write_weights(const fs::path& path, const Weights& weights, WeightFormat format) {
  const std::vector<Tensor> tensors = tensors_of(weights);
  const std::string header = header_of(tensors, format);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  for (std::size_t i = 0; i < 8; ++i) file.put(static_cast<char>(header.size() >> (8 * i) & 0xFF));
  file << header;
  std::uint64_t bytes = 8 + header.size();
  for (const Tensor& t : tensors) {
    file.write(t.bytes.data(), static_cast<std::streamsize>(t.bytes.size()));
    bytes += t.bytes.size();
  }
  file.close();
  if (!file) return invalid(fmt::format("cannot write '{}'", path.string()));
  return bytes;
}

base::Expected<std::string> quantized_config(const std::string& text, WeightFormat format) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return invalid("config.json is not a JSON object");
  json["quantization_config"] = {
      {"quant_method", std::string(kQuantMethod)},   {"format", std::string(format_name(format))},
      {"bits", format == WeightFormat::kQ8 ? 8 : 4}, {"group_size", kernels::kQuantGroup},
      {"symmetric", format != WeightFormat::kQ4A},   {"layout_version", kernels::kPackedLayoutVersion}};
  return json.dump(2) + "\n";
}

// Tokenizer, templates, card: everything but weights in any format and what is written anew.
base::Status copy_others(const fs::path& source, const fs::path& target) {
  std::error_code error;
  for (fs::directory_iterator it(source, error), end; !error && it != end; it.increment(error)) {
    const fs::path name = it->path().filename(), ending = name.extension();
    std::error_code ignored;
    if (!it->is_regular_file(ignored) || name == "config.json" || name == "model.safetensors.index.json" ||
        ending == ".safetensors" || ending == ".bin" || ending == ".gguf" || ending == ".pt" || ending == ".pth") {
      continue;
    }
    fs::copy_file(it->path(), target / name, fs::copy_options::overwrite_existing, error);
    if (error) return invalid(fmt::format("cannot copy '{}': {}", name.string(), error.message()));
  }
  if (error) return invalid(fmt::format("cannot read '{}': {}", source.string(), error.message()));
  return {};
}

base::Status make_folder(const fs::path& target) {
  std::error_code error;
  fs::create_directories(target, error);
  if (error) return invalid(fmt::format("cannot create the folder '{}': {}", target.string(), error.message()));
  const bool empty = fs::is_empty(target, error);
  if (error || !empty) return invalid(fmt::format("the folder '{}' is not empty", target.string()));
  return {};
}

}  // namespace

base::Expected<QuantizedSummary> write_quantized(const fs::path& source, const fs::path& target, WeightFormat format) {
  if (format == WeightFormat::kAsStored) return invalid("name the format to quantise to: q8, q4 or q4a");
  if (gguf::is_gguf(source)) {
    return invalid(
        fmt::format("'{}' is a GGUF file; only a model folder can be written anew, load the file with --quantize",
                    source.string()));
  }
  SGL_TRY(const std::string text, base::read_file(source / "config.json", kMaxConfigBytes));
  SGL_TRY(const Config config, parse_config(text));
  if (config.stored != WeightFormat::kAsStored) {
    return invalid(fmt::format("the model is quantised already ({})", format_name(config.stored)));
  }
  SGL_TRY(const std::string new_config, quantized_config(text, format));
  SGL_TRY(auto tensors, open_safetensors(source, config));
  base::ThreadPool pool(0);
  SGL_TRY(const Weights weights, load_weights(std::move(tensors), config, format, pool));
  SGL_TRY_STATUS(make_folder(target));
  QuantizedSummary out;
  for (const auto& [name, m] : weights.matrices) out.parameters += m.n * m.k;
  SGL_TRY(out.bytes, write_weights(target / "model.safetensors", weights, format));
  SGL_TRY_STATUS(copy_others(source, target));
  SGL_TRY_STATUS(base::write_file_atomic(target / "config.json", new_config));
  return out;
}

}  // namespace sgl::model
