// Stored programs and background runs.
#include <doctest/doctest.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>

#include "runtime/constraint/compiled.h"
#include "runtime/constraint/plan_constraints.h"
#include "runtime/constraint/plan_types.h"
#include "runtime/plan/codec.h"
#include "server/jobs/program_store.h"
#include "server/jobs/run_store.h"

using namespace sgl;
using namespace sgl::server;

namespace {

constexpr const char* kSource = "program main(n: int) -> int { return n + 1 }\n";

StoredRun queued(const std::string& id, const std::string& key = "") {
  StoredRun run;
  run.id = id;
  run.tenant = "t";
  run.plan = std::string("\0\1\2", 3);
  run.request = "{}";
  run.status = "queued";
  run.idempotency_key = key;
  run.created = std::time(nullptr);
  return run;
}

Compiled compile(ProgramStore& store, const std::string& bytes) {
  auto made = store.compile("a", bytes);
  REQUIRE(made.ok());
  return std::move(*made);
}

}  // namespace

TEST_CASE("programs are compiled, named, versioned, kept apart by tenant") {
  CompileGate gate;
  auto store = ProgramStore::open(":memory:", gate);
  REQUIRE(store.ok());
  const Compiled one = compile(**store, kSource);
  REQUIRE_FALSE(one.failure);
  CHECK(compile(**store, one.plan_bytes).id == one.id);
  const auto first = (*store)->put("a", "inc", one);
  REQUIRE(first.ok());
  CHECK(first->version == 1);
  CHECK((*store)->put("a", "inc", one)->version == 1);
  const Compiled two = compile(**store, "program main(n: int) -> int { return n + 2 }\n");
  CHECK((*store)->put("a", "inc", two)->version == 2);
  CHECK((*store)->get("a", "inc")->id == two.id);
  CHECK((*store)->get("a", "inc@1")->id == one.id);
  CHECK((*store)->get("a", one.id)->version == 1);
  CHECK_FALSE((*store)->get("b", "inc").ok());
  CHECK_FALSE((*store)->get("a", "inc@9").ok());
  CHECK_FALSE((*store)->get("a", "inc@x").ok());
  CHECK_FALSE((*store)->remove("b", "inc").ok());
  REQUIRE((*store)->remove("a", "inc").ok());
  CHECK((*store)->list("a")->empty());
}

TEST_CASE("a source that was sent before is not compiled again, and needs no turn") {
  CompileGate gate({.at_once = 1, .patience = std::chrono::milliseconds(0)});
  auto store = ProgramStore::open(":memory:", gate);
  REQUIRE(store.ok());
  const std::string warned = "program main(n: int) -> int {\n  return n + 1\n  return n\n}\n";
  const Compiled first = compile(**store, warned);
  REQUIRE_FALSE(first.failure);
  REQUIRE_FALSE(first.warnings.empty());
  auto turn = gate.enter("other");
  REQUIRE(turn.ok());
  const Compiled again = compile(**store, warned);
  CHECK(again.plan == first.plan);
  CHECK(again.id == first.id);
  CHECK(again.plan_bytes == first.plan_bytes);
  CHECK(again.warnings == first.warnings);
  const auto other = (*store)->compile("a", kSource);
  REQUIRE_FALSE(other.ok());
  CHECK(other.error().kind == base::ErrorKind::kUnavailable);
}

TEST_CASE("compiled constraints of a submitted plan are not used") {
  CompileGate gate;
  auto store = ProgramStore::open(":memory:", gate);
  REQUIRE(store.ok());
  const Compiled plain =
      compile(**store, "program main() -> string { assistant { gen a: regex(/[a-c]{4}/) }\n return a }\n");
  REQUIRE_MESSAGE(!plain.failure, plain.failure->diagnostics.dump());
  auto plan = plan::decode(plain.plan_bytes);
  REQUIRE(plan.ok());
  REQUIRE(constraint::carry_constraints(*plan).ok());
  REQUIRE(plan->constraints.size() == 1);
  // Those of another pattern, which nothing in the plan shows.
  const auto other = constraint::compile_regex("[x-z]{4}");
  REQUIRE(other.ok());
  const auto spec = constraint::spec_of(*plan, plan->constraints[0].type, false);
  const auto forged = constraint::save(**other, constraint::digest_of(spec));
  REQUIRE(forged.ok());
  plan->constraints[0].bytes = *forged;
  const Compiled sent = compile(**store, plan::encode(*plan));
  REQUIRE_FALSE(sent.failure);
  CHECK(sent.id == plain.id);
  CHECK(sent.plan_bytes == plain.plan_bytes);
  CHECK(sent.plan->plan().constraints.empty());
  REQUIRE((*store)->put("a", "letters", sent).ok());
  const auto stored = (*store)->get("a", "letters");
  REQUIRE(stored.ok());
  CHECK(stored->plan->plan().constraints.empty());
}

TEST_CASE("the bounds of a submitted plan are those of its code, whatever it says") {
  CompileGate gate;
  auto store = ProgramStore::open(":memory:", gate);
  REQUIRE(store.ok());
  const Compiled plain = compile(**store, "program main() -> string { assistant { gen a: string }\n return a }\n");
  REQUIRE_FALSE(plain.failure);
  REQUIRE(plain.plan->plan().programs[0].bounds.generated_tokens == 256);
  auto plan = plan::decode(plain.plan_bytes);
  REQUIRE(plan.ok());
  plan->programs[0].bounds.generated_tokens = 0;
  const Compiled sent = compile(**store, plan::encode(*plan));
  REQUIRE_FALSE(sent.failure);
  CHECK(sent.plan->plan().programs[0].bounds.generated_tokens == 256);
  CHECK(sent.id == plain.id);
}

TEST_CASE("a plan without a program is refused") {
  CompileGate gate;
  auto store = ProgramStore::open(":memory:", gate);
  REQUIRE(store.ok());
  const Compiled nothing = compile(**store, plan::encode(plan::Plan{}));
  REQUIRE(nothing.failure);
  CHECK(nothing.failure->message == "the plan has no program");
}

TEST_CASE("a submitted program reaches no file; mistakes have their place") {
  CompileGate gate;
  auto store = ProgramStore::open(":memory:", gate);
  REQUIRE(store.ok());
  const Compiled import = compile(**store, "import \"/etc/passwd\" as p\nprogram main() -> int { return 1 }\n");
  REQUIRE(import.failure);
  CHECK(import.failure->diagnostics.dump().find("files cannot be imported here") != std::string::npos);
  const Compiled schema = compile(**store, "program main(s: json_schema(\"/etc/passwd\")) -> int { return 1 }\n");
  REQUIRE(schema.failure);
  CHECK(schema.failure->diagnostics.dump().find("files cannot be read here") != std::string::npos);
  const Compiled slip = compile(**store, "program main() -> int { return nn }\n");
  REQUIRE(slip.failure);
  REQUIRE(slip.failure->diagnostics.size() == 1);
  CHECK(slip.failure->diagnostics[0]["line"] == 1);
  CHECK(compile(**store, "SGLPLAN\n broken").failure);
  CHECK_FALSE(compile(**store, "import std.text\nprogram main() -> string { return \"a\" }\n").failure);
}

TEST_CASE("a run is accepted once, finished once, and found again after a restart") {
  const auto path =
      (std::filesystem::temp_directory_path() / ("sgl-runs-" + std::to_string(getpid()) + ".db")).string();
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path + end);
  {
    auto store = RunStore::open(path);
    REQUIRE(store.ok());
    CHECK_FALSE((*store)->add(queued("r1", "k"))->has_value());
    CHECK((*store)->add(queued("r2", "k"))->value().id == "r1");
    CHECK_FALSE((*store)->add(queued("r3"))->has_value());
    REQUIRE((*store)->set_running("r1").ok());
    CHECK(*(*store)->finish("r1", "succeeded", "{\"a\":1}"));
    CHECK_FALSE(*(*store)->finish("r1", "failed", "{\"a\":2}"));
  }
  auto store = RunStore::open(path);
  REQUIRE(store.ok());
  const auto unfinished = (*store)->unfinished();
  REQUIRE(unfinished.ok());
  REQUIRE(unfinished->size() == 1);
  CHECK(unfinished->front() == std::pair<std::string, std::string>("t", "r3"));
  CHECK((*store)->get("t", "r3")->plan == std::string("\0\1\2", 3));
  CHECK((*store)->find("t", "k")->value().id == "r1");
  CHECK_FALSE((*store)->find("t", "")->has_value());
  CHECK_FALSE((*store)->find("other", "k")->has_value());
  // What only a run in work needs is gone.
  CHECK((*store)->get("t", "r1")->plan.empty());
  CHECK((*store)->get("t", "r1")->request == "{}");
  CHECK((*store)->get("t", "r1")->outcome == "{\"a\":1}");
  CHECK_FALSE((*store)->get("other", "r1").ok());
  REQUIRE((*store)->forget_old(std::time(nullptr) + 8 * 86'400).ok());
  CHECK_FALSE((*store)->get("t", "r1").ok());
  CHECK((*store)->get("t", "r3").ok());
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path + end);
}
