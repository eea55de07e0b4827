// Every example and every function of the standard library: compiled, interpreted, optimised and not.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "compiler/driver/driver.h"
#include "tests/diff/compare.h"
#include "tests/unit/exec/scripted_port.h"

namespace sgl::diff {
namespace {

using exec::test::Json;
using exec::test::ScriptedPort;

plan::Plan plan_of(const compiler::Compilation& compilation) {
  REQUIRE_MESSAGE(compilation.plan.has_value(),
                  compiler::render_text(compilation.sources, compilation.diagnostics.sorted(), false));
  return *compilation.plan;
}

compiler::CompileOptions optimising(bool on) {
  compiler::CompileOptions options;
  options.optimize = on;
  return options;
}

struct Plans {
  std::shared_ptr<const exec::LoadedPlan> reference, compiled, lowered;
};

// Runs in all ways with some seeds; gives the number of runs that returned a value.
int compare_runs(const Plans& plans, const std::string& program, const Json& args, std::uint64_t seeds) {
  int returned = 0;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    CAPTURE(program);
    CAPTURE(seed);
    exec::RunOptions options;
    options.trace = true;
    options.seed = seed;
    ScriptedPort port;
    const auto wanted = exec::test::run_program(plans.reference, port, program, args, options);
    const auto got = exec::test::run_program(plans.compiled, port, program, args, options);
    CHECK(report(got) == report(wanted));
    returned += wanted.value.ok() ? 1 : 0;
    ScriptedPort::Options seedless;
    seedless.use_seed = false;
    ScriptedPort plain(seedless);
    const auto optimised = exec::test::run_program(plans.reference, plain, program, args, options);
    const auto unoptimised = exec::test::run_program(plans.lowered, plain, program, args, options);
    CHECK(meaning(unoptimised) == meaning(optimised));
  }
  return returned;
}

std::vector<std::filesystem::path> examples() {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator("examples")) {
    if (entry.path().extension() == ".sgl") out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

TEST_CASE("examples") {
  constexpr std::uint64_t kSeeds = 10;
  const auto paths = examples();
  CHECK(paths.size() >= 10);
  for (const auto& path : paths) {
    CAPTURE(path.string());
    const plan::Plan plan = plan_of(*compiler::compile_file(path, compiler::Stage::kPlan));
    const plan::Plan lowered = plan_of(*compiler::compile_file(path, compiler::Stage::kPlan, optimising(false)));
    const Plans plans{load(plan, Mode::kInterpreted), load(plan, Mode::kCompiled), load(lowered, Mode::kInterpreted)};
    const std::string name = path.stem().string();
    REQUIRE(plan.find_program(name) != nullptr);
    std::ifstream file("examples/inputs/" + name + ".json");
    REQUIRE(file.good());
    CHECK(compare_runs(plans, name, Json::parse(file), kSeeds) > 0);
  }
}

// One program a module, which calls all that the module declares; `n` of them are called with odd arguments too.
constexpr const char* kLibrary = R"sgl(
import std.text
import std.list
import std.vote
import std.chat

program texts(s: string, t: string, n: int, items: list<string>) -> list<string> {
  return [
    text.join(items), text.join(items, t), text.bullets(items), text.bullets(items, t), text.numbered(items)
    text.numbered(items, n), text.words(s).join("|"), str(text.is_blank(s)), text.truncate(s, n), text.truncate(s, n, t)
    text.first_line(s), text.before(s, t), text.after(s, t), text.between(s, t, t), text.indent(s), text.indent(s, t)
    text.capitalize(s), text.strip_prefix(s, t), text.strip_suffix(s, t), text.pad_left(s, n), text.pad_right(s, n)
    str(text.count(s, "a" + t))
  ]
}

program lists(items: list<string>, others: list<string>, n: int, values: list<float>, ints: list<int>) -> list<string> {
  return [
    str(list.unique(items + others)), str(list.count(items, "a")), str(list.without(items, "a")), str(list.fill("x", n))
    str(list.flatten([items, others, []])), str(list.chunks(items, n)), str(list.zip(items, others))
    str(list.mean(values)), str(list.median(values)), str(list.argmax(values)), str(list.argmin(values)), str(list.floats(ints))
  ]
}

program votes(items: list<string>, ints: list<int>, values: list<float>) -> list<string> {
  return [
    str(vote.tally(items)), vote.majority(items), str(vote.majority_int(ints)), str(vote.share(items, "a"))
    str(vote.agreement(items)), vote.weighted(items, values)
  ]
}

program chats(history: list<chat.Turn>, question: string, options: list<string>) -> list<string> {
  chat.replay(history)
  let answer = chat.ask(question)
  let chosen = chat.choose(question, options)
  let sure = chat.yes_no(question)
  let mark = chat.rate(question)
  return [answer, chosen, str(sure), str(mark), chat.transcript(history)]
}
)sgl";

TEST_CASE("standard library") {
  const plan::Plan plan = plan_of(*compiler::compile_text("library.sgl", kLibrary, compiler::Stage::kPlan));
  const plan::Plan lowered =
      plan_of(*compiler::compile_text("library.sgl", kLibrary, compiler::Stage::kPlan, optimising(false)));
  const Plans plans{load(plan, Mode::kInterpreted), load(plan, Mode::kCompiled), load(lowered, Mode::kInterpreted)};
  const Json items[] = {Json::array(), Json::array({"a"}), Json::array({"b", "a", "b", "", "\u00e9\u00e9"})};
  const Json floats[] = {Json::array(), Json::array({0.5}), Json::array({2.5, -1.0, 2.5, 1e300})};
  const Json ints[] = {Json::array(), Json::array({3}), Json::array({1, 2, 2, 1})};
  const char* const texts[] = {"", "a", "  two words\nand a line\r\n", "h\u00e9llo w\u00f6rld aa"};
  int returned = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    for (const char* const s : texts) {
      for (const char* const t : texts) {
        for (const int n : {-1, 0, 1, 3, 30}) {
          returned += compare_runs(plans, "texts", Json{{"s", s}, {"t", t}, {"n", n}, {"items", items[i]}}, 1);
        }
      }
    }
    for (std::size_t j = 0; j < 3; ++j) {
      for (const int n : {-1, 0, 1, 2, 9}) {
        const Json args{{"items", items[i]}, {"others", items[j]}, {"n", n}, {"values", floats[j]}, {"ints", ints[i]}};
        returned += compare_runs(plans, "lists", args, 1);
      }
      returned += compare_runs(plans, "votes", Json{{"items", items[i]}, {"ints", ints[j]}, {"values", floats[j]}}, 1);
    }
  }
  CHECK(returned == 3 * 4 * 4 * 5 + 3 * 3 * 5 + 3 * 3);  // none of them can fail
  const Json turns = Json::parse(R"([{"role": "user", "text": "Hi"}, {"role": "assistant", "text": "Hello"}])");
  for (const Json& history : {Json::array(), turns}) {
    const Json args{{"history", history}, {"question", "Well?"}, {"options", {"one", "two", "twenty"}}};
    CHECK(compare_runs(plans, "chats", args, 10) == 10);
  }
}

}  // namespace
}  // namespace sgl::diff
