#include "tools/common/load_model.h"

#include <future>
#include <utility>

namespace sgl::tools {

base::Expected<LoadedModel> load_model(const std::string& path, const model::LoadOptions& options) {
  LoadedModel out;
  auto reading = std::async(std::launch::async, [&]() -> base::Expected<void> {
    SGL_TRY(out.tokenizer, tokenizer::Tokenizer::load(path));
    out.vocabulary = constraint::Vocabulary::build(out.tokenizer);
    return {};
  });
  auto model = model::Model::load(path, options);
  const base::Expected<void> read = reading.get();
  if (!model.ok()) return std::move(model).error();
  if (!read.ok()) return read.error();
  out.model = std::move(model).value();
  return out;
}

}  // namespace sgl::tools
