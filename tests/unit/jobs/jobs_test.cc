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

// A background run of this tenant that ends with an outcome of so many bytes.
void finish(RunStore& store, const std::string& tenant, const std::string& id, std::size_t bytes) {
  StoredRun run = queued(id);
  run.tenant = tenant;
  REQUIRE(store.add(run).ok());
  REQUIRE(*store.finish(id, "succeeded", std::string(bytes, 'x')));
}

// Which of these runs of the tenant are still there, by their numbers.
std::string kept(RunStore& store, const std::string& tenant, int runs) {
  std::string out;
  for (int i = 1; i <= runs; ++i) {
    if (store.get(tenant, tenant + std::to_string(i)).ok()) out += std::to_string(i);
  }
  return out;
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

TEST_CASE("finished runs have so many bytes on disk, and a tenant has half of them") {
  const auto opened = RunStore::open(":memory:", 20'000);
  REQUIRE(opened.ok());
  RunStore& store = **opened;
  StoredRun waiting = queued("a9");
  waiting.tenant = "a";
  waiting.plan = std::string(50'000, 'p');  // what waits has its own limit
  REQUIRE(store.add(waiting).ok());
  finish(store, "a", "a1", 4'000);
  finish(store, "a", "a2", 4'000);
  CHECK(kept(store, "a", 3) == "12");
  finish(store, "a", "a3", 4'000);
  CHECK(kept(store, "a", 3) == "23");
  CHECK(store.get("a", "a9").ok());
  // Others are not touched by one that keeps much, and where all keep too much, it is one that keeps most.
  finish(store, "b", "b1", 1'000);
  finish(store, "b", "b2", 4'000);
  finish(store, "c", "c1", 6'000);
  CHECK(kept(store, "a", 3) == "3");
  CHECK(kept(store, "b", 2) == "12");
  CHECK(kept(store, "c", 1) == "1");
  // One that is too large for its tenant stays until the next one ends.
  finish(store, "c", "c2", 50'000);
  CHECK(kept(store, "c", 2) == "2");
  CHECK(kept(store, "a", 3) + kept(store, "b", 2) == "312");
  finish(store, "b", "b3", 100);
  CHECK(kept(store, "c", 2).empty());
  CHECK(kept(store, "a", 3) + kept(store, "b", 3) == "3123");
  // What was forgotten for its age takes no room.
  REQUIRE(store.forget_old(std::time(nullptr) + 8 * 86'400).ok());
  finish(store, "a", "a4", 4'000);
  finish(store, "a", "a5", 4'000);
  CHECK(kept(store, "a", 5) == "45");
}

TEST_CASE("a store that keeps more than it may makes room when it is opened, one of an earlier version too") {
  const auto path =
      (std::filesystem::temp_directory_path() / ("sgl-kept-" + std::to_string(getpid()) + ".db")).string();
  const auto remove = [&] {
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path + end);
  };
  for (const bool earlier : {false, true}) {
    CAPTURE(earlier);
    remove();
    {
      const auto store = RunStore::open(path);
      REQUIRE(store.ok());
      for (int i = 1; i <= 5; ++i) finish(**store, "a", "a" + std::to_string(i), 4'000);
      CHECK(kept(**store, "a", 5) == "12345");
    }
    if (earlier) {
      auto db = Database::open(path);
      REQUIRE(db.ok());
      REQUIRE((*db)->execute("DROP TRIGGER kept_more; DROP TRIGGER kept_less; DROP TABLE kept").ok());
    }
    {
      const auto store = RunStore::open(path, 20'000);
      REQUIRE(store.ok());
      CHECK(kept(**store, "a", 5) == "45");
      finish(**store, "a", "a6", 4'000);
      CHECK(kept(**store, "a", 6) == "56");
      finish(**store, "a", "a7", 50'000);
    }
    const auto store = RunStore::open(path, 20'000);
    REQUIRE(store.ok());
    CHECK(kept(**store, "a", 7) == "7");
  }
  remove();
}
