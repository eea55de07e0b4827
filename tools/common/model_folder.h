// Which model a command uses: the one that is named, else the one that ships with the tools.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "runtime/base/expected.h"

namespace sgl::tools {

struct ModelFolder {
  std::string path;
  bool bundled = false;  // nobody named it
};

// What a command needs of a model. Decides only what is said when there is none.
enum class ModelNeed { kModel, kTokenizer };

// `given` (what --model names), else the environment variable SGL_MODEL, else the bundled model. What is named is not
// looked at. Error: nothing is named, and no bundled model is there.
base::Expected<ModelFolder> model_folder(const std::string& given, ModelNeed need = ModelNeed::kModel);

// The bundled model of an executable in `bin`: bin/../share/sgl/models/default where the tools are installed,
// bin/../../models/default in a build folder inside the repository. Nothing: neither holds a config.json.
std::optional<std::filesystem::path> bundled_model(const std::filesystem::path& bin);

// Says in one line on standard error that the model is the bundled one; nothing for one that was named.
void announce(const ModelFolder& folder);

}  // namespace sgl::tools
