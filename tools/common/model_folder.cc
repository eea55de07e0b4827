#include "tools/common/model_folder.h"

#include <fmt/format.h>

#include <cstdlib>

#include "tools/common/terminal.h"

namespace sgl::tools {
namespace {

namespace fs = std::filesystem;

// A path below the working directory is shown from there.
std::string shown(const std::string& path) {
  std::error_code error;
  const fs::path from_here = fs::path(path).lexically_proximate(fs::current_path(error));
  const bool below = !error && !from_here.empty() && *from_here.begin() != "..";
  return printable(below ? from_here.string() : path);
}

}  // namespace

std::optional<fs::path> bundled_model(const fs::path& bin) {
  // An installation first: a folder /models/default has nothing to do with /usr/bin.
  for (const char* below : {"../share/sgl/models/default", "../../models/default"}) {
    fs::path folder = (bin / below).lexically_normal();
    std::error_code ignored;
    if (fs::is_regular_file(folder / "config.json", ignored)) return folder;
  }
  return std::nullopt;
}

base::Expected<ModelFolder> model_folder(const std::string& given, ModelNeed need) {
  if (!given.empty()) return ModelFolder{given};
  const char* variable = std::getenv("SGL_MODEL");
  if (variable != nullptr && *variable != '\0') return ModelFolder{variable};
  std::error_code error;
  const fs::path executable = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    if (const auto folder = bundled_model(executable.parent_path())) return ModelFolder{folder->string(), true};
  }
  if (need == ModelNeed::kTokenizer) {
    return base::invalid(
        "no bundled model was found beside this program: pass --tokenizer DIR, a folder with tokenizer.json, or set "
        "SGL_MODEL to it");
  }
  return base::invalid(
      "no bundled model was found beside this program: pass --model DIR, a folder with config.json, tokenizer.json and "
      "model.safetensors as they come from Hugging Face, or set SGL_MODEL to it");
}

void announce(const ModelFolder& folder) {
  if (!folder.bundled) return;
  complain(fmt::format("no model is named, so the bundled one is used: {}", shown(folder.path)));
}

}  // namespace sgl::tools
