#include "runtime/model/formats.h"

#include <fmt/format.h>

namespace sgl::model {

std::string_view format_name(WeightFormat format) {
  switch (format) {
    case WeightFormat::kAsStored:
      return "none";
    case WeightFormat::kQ8:
      return "q8";
    case WeightFormat::kQ4:
      return "q4";
    case WeightFormat::kQ4A:
      return "q4a";
  }
  return "none";
}

std::string_view format_name(KvFormat format) {
  if (format == KvFormat::kQ8) return "q8";
  return format == KvFormat::kF32 ? "f32" : "f16";
}

base::Expected<WeightFormat> parse_weight_format(std::string_view name) {
  for (const auto f : {WeightFormat::kAsStored, WeightFormat::kQ8, WeightFormat::kQ4, WeightFormat::kQ4A}) {
    if (format_name(f) == name) return f;
  }
  return base::invalid(fmt::format("there is no weight format '{}'; there are none, q8, q4 and q4a", name));
}

base::Expected<std::optional<KvFormat>> parse_kv_format(std::string_view name) {
  if (name == "auto") return std::optional<KvFormat>();
  for (const auto f : {KvFormat::kF32, KvFormat::kF16, KvFormat::kQ8}) {
    if (format_name(f) == name) return std::optional(f);
  }
  return base::invalid(fmt::format("there is no format '{}' of the KV cache; there are auto, f32, f16 and q8", name));
}

}  // namespace sgl::model
