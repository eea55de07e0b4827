// Which model a command uses. That nothing is found is tested end to end, with a copy of the program.
#include "tools/common/model_folder.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace sgl;
namespace fs = std::filesystem;

namespace {

// A folder of its own for one test.
struct Scratch {
  fs::path path = fs::temp_directory_path() / ("sgl-model-folder-" + std::to_string(getpid()));
  Scratch() { fs::create_directories(path); }
  ~Scratch() { fs::remove_all(path); }
  fs::path model(const fs::path& below) const {
    fs::create_directories(path / below);
    std::ofstream(path / below / "config.json") << "{}";
    return path / below;
  }
};

}  // namespace

TEST_CASE("the bundled model of a build folder and of an installation") {
  const Scratch scratch;
  fs::create_directories(scratch.path / "build" / "bin");
  CHECK_FALSE(tools::bundled_model(scratch.path / "build" / "bin").has_value());
  fs::create_directories(scratch.path / "models" / "default");
  CHECK_FALSE(tools::bundled_model(scratch.path / "build" / "bin").has_value());  // a folder, but no model
  const fs::path repository = scratch.model("models/default");
  CHECK(tools::bundled_model(scratch.path / "build" / "bin") == repository);
  const fs::path installed = scratch.model("build/share/sgl/models/default");
  CHECK(tools::bundled_model(scratch.path / "build" / "bin") == installed);
}

TEST_CASE("what is named wins: the option, then the variable") {
  setenv("SGL_MODEL", "from/the/variable", 1);
  auto folder = tools::model_folder("given");
  REQUIRE(folder.ok());
  CHECK(folder->path == "given");
  CHECK_FALSE(folder->bundled);
  folder = tools::model_folder("");
  REQUIRE(folder.ok());
  CHECK(folder->path == "from/the/variable");
  CHECK_FALSE(folder->bundled);
  setenv("SGL_MODEL", "", 1);
  folder = tools::model_folder("");
  CHECK(folder.ok() == (tools::bundled_model(fs::read_symlink("/proc/self/exe").parent_path()).has_value()));
  if (folder.ok()) CHECK(folder->bundled);
  unsetenv("SGL_MODEL");
}
