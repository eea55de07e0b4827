// Everything that a model's files are read for, side by side.
#pragma once

#include <memory>
#include <string>

#include "runtime/base/expected.h"
#include "runtime/constraint/constraint.h"
#include "runtime/model/model.h"
#include "runtime/tokenizer/tokenizer.h"

namespace sgl::tools {

struct LoadedModel {
  std::shared_ptr<const model::Model> model;
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer;
  std::shared_ptr<const constraint::Vocabulary> vocabulary;  // of the tokenizer, for the engine
};

// The tokenizer and its vocabulary take a second or so of one core, packing the weights much of the others; so one more
// thread runs while it loads. Errors: those of Model::load, before those of Tokenizer::load.
base::Expected<LoadedModel> load_model(const std::string& path, const model::LoadOptions& options);

}  // namespace sgl::tools
