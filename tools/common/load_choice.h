// How a command's options say that a model is loaded.
#pragma once

#include <string>

#include "runtime/base/expected.h"
#include "runtime/model/formats.h"

namespace sgl::tools {

struct LoadChoice {
  std::string quantize = "none";        // none, q8, q4, q4a
  std::string kv_cache_dtype = "auto";  // auto, f32, f16, q8

  // Errors: `invalid`, listing what there is.
  base::Expected<model::LoadOptions> options() const {
    model::LoadOptions out;
    SGL_TRY(out.weights, model::parse_weight_format(quantize));
    SGL_TRY(out.kv, model::parse_kv_format(kv_cache_dtype));
    return out;
  }
};

// Help of the options, the same wherever a model is loaded.
constexpr const char* kQuantizeHelp =
    "quantise the model's matrices while loading: q8 (8 bits), q4 (4 bits) or q4a (4 bits with a minimum per group); "
    "none: as stored";
constexpr const char* kKvCacheHelp =
    "keys and values in the cache: f32, f16 in half the memory, or q8 in about a quarter; auto: f16, or f32 for "
    "weights "
    "of 32 bits";

}  // namespace sgl::tools
