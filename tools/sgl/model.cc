#include "runtime/model/model.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/base/file.h"
#include "runtime/gguf/gguf.h"
#include "runtime/model/config.h"
#include "runtime/model/kv_store.h"
#include "runtime/model/quantized_folder.h"
#include "runtime/model/safetensors.h"
#include "runtime/tokenizer/tokenizer.h"
#include "tools/common/exit_codes.h"
#include "tools/common/model_folder.h"
#include "tools/common/terminal.h"
#include "tools/sgl/commands.h"

namespace sgl::tools {

using Json = nlohmann::ordered_json;

namespace {

int refuse(const base::Error& error) {
  complain(error.message);
  return kUsage;
}

// Numbers of all weights, by type. Errors: as parse_safetensors and gguf::File::open.
base::Expected<std::map<std::string, std::uint64_t>> count_weights(const std::filesystem::path& folder) {
  std::map<std::string, std::uint64_t> counts;
  if (gguf::is_gguf(folder)) {
    SGL_TRY(const gguf::File file, gguf::File::open(folder));
    for (const auto& [name, tensor] : file.contents().tensors) {
      std::uint64_t size = 1;
      for (const std::uint64_t n : tensor.shape) size *= n;
      counts[std::string(gguf::facts(tensor.type).name)] += size;
    }
    return counts;
  }
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() != ".safetensors") continue;
    SGL_TRY(const base::MappedFile file, base::MappedFile::open(it->path()));
    SGL_TRY(const model::TensorMap tensors, model::parse_safetensors(file.bytes(), it->path().string()));
    for (const auto& [name, tensor] : tensors) {
      std::uint64_t size = 1;
      for (const std::uint64_t n : tensor.shape) size *= n;
      counts[tensor.dtype] += size;
    }
  }
  return counts;
}

// "BPE over bytes" and the like, from tokenizer.json.
std::string tokenizer_kind(const std::filesystem::path& folder) {
  if (gguf::is_gguf(folder)) {
    const auto file = gguf::File::open(folder);
    const auto model = file.ok() ? file->contents().text("tokenizer.ggml.model")
                                 : base::Expected<std::optional<std::string_view>>(file.error());
    if (!model.ok() || !*model) return "unknown";
    return **model == "llama" ? "BPE with byte fallback" : "BPE over bytes";
  }
  const auto text = base::read_file(folder / "tokenizer.json");
  const Json json = text.ok() ? Json::parse(*text, nullptr, false) : Json();
  if (!json.is_object() || !json.contains("model") || !json.at("model").is_object()) return "unknown";
  const Json& model = json.at("model");
  const std::string type = model.contains("type") && model.at("type").is_string() ? model.at("type").get<std::string>() : "BPE";
  const bool fallback = model.contains("byte_fallback") && model.at("byte_fallback").is_boolean() &&
                        model.at("byte_fallback").get<bool>();
  return type + (fallback ? " with byte fallback" : " over bytes");
}

base::Expected<Json> describe(const std::string& folder) {
  SGL_TRY(const auto model, model::Model::load(folder));
  SGL_TRY(const auto tokenizer, tokenizer::Tokenizer::load(folder));
  SGL_TRY(const auto counts, count_weights(folder));
  const model::Config& config = model->config();
  std::uint64_t most = 0;
  std::string dtype;
  for (const auto& [type, count] : counts) {
    if (count > most) {
      most = count;
      dtype = type;
    }
  }
  Json out;
  out["architecture"] = config.architecture_name;
  out["parameters"] = model->parameters();
  out["dtype"] = config.stored == model::WeightFormat::kAsStored ? dtype : std::string(format_name(config.stored));
  out["layers"] = config.layers;
  out["hidden"] = config.hidden;
  out["intermediate"] = config.intermediate;
  out["heads"] = config.heads;
  out["kv_heads"] = config.kv_heads;
  out["head_dim"] = config.head_dim;
  out["context"] = config.context;
  out["vocabulary"] = config.vocab_size;
  out["tokenizer"] = tokenizer_kind(folder);
  out["tokenizer_vocabulary"] = tokenizer->vocab_size();
  out["chat_template"] = tokenizer->chat_template().has_value();
  out["kv_bytes_per_token"] = model->kv_bytes_per_token();
  return out;
}

base::Expected<std::vector<std::int32_t>> parse_ids(std::string_view text) {
  std::vector<std::int32_t> ids;
  const Json json = Json::parse(fmt::format("[{}]", text), nullptr, false);
  if (!json.is_array() || json.empty()) return base::invalid("--ids must be numbers separated by commas, e.g. 1,403,407");
  for (const Json& item : json) {
    if (!item.is_number_integer() || item.get<std::int64_t>() < 0 || item.get<std::int64_t>() > INT32_MAX) {
      return base::invalid(fmt::format("--ids: {} is not a token id", item.dump()));
    }
    ids.push_back(item.get<std::int32_t>());
  }
  return ids;
}

base::Expected<std::vector<std::int32_t>> logits_tokens(const LogitsCommand& command, const std::string& folder) {
  if (!command.ids.empty()) return parse_ids(command.ids);
  if (command.text.empty()) return base::invalid("pass --ids 1,403,407 or --text 'Once upon a time'");
  SGL_TRY(const auto tokenizer, tokenizer::Tokenizer::load(folder));
  auto tokens = tokenizer->encode(command.text, {.parse_added_tokens = true, .add_special = true});
  if (tokens.empty()) return base::invalid("the text has no tokens");
  return tokens;
}

// NumPy's format, version 1.0 (numpy.lib.format): magic, version, header length, a Python dictionary padded so that the
// data begins at a multiple of 64 bytes.
std::string npy_header(std::size_t rows, std::size_t columns) {
  std::string dictionary = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
  const std::size_t unpadded = 10 + dictionary.size() + 1;
  dictionary.append((64 - unpadded % 64) % 64, ' ');
  dictionary += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(dictionary.size() & 0xFF);
  header += static_cast<char>(dictionary.size() >> 8);
  return header + dictionary;
}

base::Status write_logits(const LogitsCommand& command, const model::Model& model, std::span<const std::int32_t> tokens) {
  const model::Config& config = model.config();
  if (tokens.size() > config.context) {
    return base::over_limit(fmt::format("{} tokens are more than the model's context of {}", tokens.size(), config.context));
  }
  std::ofstream file(command.output, std::ios::binary | std::ios::trunc);
  if (!file) return base::invalid(fmt::format("cannot write '{}': {}", command.output, std::strerror(errno)));
  file << npy_header(command.last ? 1 : tokens.size(), config.vocab_size);
  constexpr std::size_t kChunk = 256;  // tokens of one pass: bounds the logits held in memory
  base::ThreadPool pool(command.threads);
  const auto kv = model.make_kv(tokens.size());
  std::vector<std::uint32_t> slots(tokens.size());
  std::iota(slots.begin(), slots.end(), 0U);
  std::vector<float> logits;
  for (std::size_t done = 0; done < tokens.size();) {
    const std::size_t count = std::min(kChunk, tokens.size() - done);
    const bool ends = done + count == tokens.size();
    model::Slice slice;
    slice.tokens = tokens.subspan(done, count);
    slice.start = static_cast<std::int64_t>(done);
    slice.slots = std::span<const std::uint32_t>(slots).first(done + count);
    slice.logits = command.last ? (ends ? 1 : 0) : count;
    logits.resize(slice.logits * config.vocab_size);
    SGL_TRY_STATUS(model.forward({&slice, 1}, *kv, logits, pool));
    // Floats are little-endian on every machine that this builds for.
    file.write(reinterpret_cast<const char*>(logits.data()), static_cast<std::streamsize>(logits.size() * sizeof(float)));
    done += count;
  }
  file.close();
  if (!file) return base::invalid(fmt::format("cannot write '{}'", command.output));
  return {};
}

}  // namespace

int model_info(const ModelInfoCommand& command) {
  const auto folder = model_folder(command.folder);
  if (!folder.ok()) return refuse(folder.error());
  announce(*folder);
  const auto facts = describe(folder->path);
  if (!facts.ok()) return refuse(facts.error());
  const Json& json = *facts;
  if (command.json) return print_out(json.dump() + "\n");
  std::string out;
  for (const auto& [name, value] : json.items()) {
    std::string title = name;
    std::replace(title.begin(), title.end(), '_', ' ');
    const std::string shown = value.is_boolean()  ? (value.get<bool>() ? "yes" : "no")
                              : value.is_string() ? printable(value.get<std::string>())
                                                  : value.dump();
    out += fmt::format("{:<21} {}\n", title, shown);
  }
  return print_out(out);
}

int model_logits(const LogitsCommand& command) {
  const auto folder = model_folder(command.folder);
  if (!folder.ok()) return refuse(folder.error());
  announce(*folder);
  const auto tokens = logits_tokens(command, folder->path);
  if (!tokens.ok()) return refuse(tokens.error());
  const auto options = command.load.options();
  if (!options.ok()) return refuse(options.error());
  const auto model = model::Model::load(folder->path, *options);
  if (!model.ok()) return refuse(model.error());
  const base::Status written = write_logits(command, **model, *tokens);
  return written.ok() ? kOk : refuse(written.error());
}

int model_quantize(const QuantizeCommand& command) {
  const auto format = model::parse_weight_format(command.format);
  if (!format.ok()) return refuse(format.error());
  const auto written = model::write_quantized(command.source, command.target, *format);
  if (!written.ok()) return refuse(written.error());
  return print_out(fmt::format("{} million weights in {:.1f} MB\n", (written->parameters + 500'000) / 1'000'000,
                               static_cast<double>(written->bytes) / 1e6));
}

}  // namespace sgl::tools
