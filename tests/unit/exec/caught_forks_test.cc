// What a program may still do once it has caught the failure of a fork.
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/unit/exec/echoing.h"

namespace sgl::exec::test {
namespace {

// Catches the failure of a fork, forks and generates again:
//   limits { tokens: 400, forks: 12 }
//   "All:"
//   try {
//     parallel for item in items {
//       "{item}"
//       gen a: string
//       if a == "bad" { fail item }
//       let parts = parallel for part in [1, 2] { yield part }
//       yield a
//     }
//     return "none failed"
//   } catch e { "{e.message}" }
//   let three = parallel for part in [1, 2, 3] { yield part }
//   gen rest: string with max_tokens = 1000
//   return rest
constexpr const char* kAgain = R"(plan 2
compiler "test"
file 0 = "again.sgl"
type 0 = {"kind":"string"}
type 1 = {"args":[0],"kind":"list"}
type 2 = {"fields":[{"name":"kind","type":0},{"name":"message","type":0},{"name":"line","type":3}],"kind":"record"}
type 3 = {"kind":"int"}
const 0 = "All:"
const 1 = 0
const 2 = "bad"
const 3 = 1
const 4 = 2
const 5 = "the end of the fork was reached without a value"
const 6 = "none failed"
const 7 = 3
const 8 = 1000
const 9 = "the end of the function was reached without a value"
gen 0 = {"name":"a","type":0}
gen 1 = {"max_tokens":1000,"name":"rest","options":["max_tokens"],"type":0}
program 0 = {"bounds":{"forks":12,"generated_tokens":400},"function":0,"limits":{"forks":12,"tokens":400},"name":"again","params":[{"name":"items","type":1}],"prefix":[{"text":"All:"}],"result":0}
function 0 = {"kind":"program","name":"again","params":1,"regs":"bbibiibb","result":"b","result_type":0}
    0  const        r1, k0                          @0:3:3
    1  text         r1                              @0:3:3
    2  try          r1, ->9, t2                     @0:4:3
    3  const        r2, k1                          @0:5:5
    4  parallel_for r3, f1, [r0, r2]                @0:5:5
    5  const        r3, k6                          @0:12:12
    6  return       r3                              @0:12:5
    7  end_try                                      @0:12:5
    8  jump         ->11                            @0:12:5
    9  field        r3, r1, 1                       @0:14:7
   10  text         r3                              @0:14:5
   11  const        r2, k3                          @0:16:37
   12  const        r4, k4                          @0:16:40
   13  const        r5, k7                          @0:16:43
   14  list         r6, [r2, r4, r5]                @0:16:36
   15  const        r5, k1                          @0:16:15
   16  parallel_for r7, f3, [r6, r5]                @0:16:15
   17  move         r3, r7                          @0:16:3
   18  const        r5, k8                          @0:17:38
   19  gen          r7, g1, [r5]                    @0:17:3
   20  return       r7                              @0:18:3
   21  const        r6, k9                          @0:19:1
   22  fail         r6                              @0:19:1
function 1 = {"kind":"fork","name":"again.parallel","params":2,"regs":"bibbliibb","result":"b","result_type":0}
    0  text         r0                              @0:6:7
    1  gen          r2, g0, []                      @0:7:7
    2  const        r3, k2                          @0:8:15
    3  eq           r4, r2, r3                      @0:8:10
    4  branch       r4, ->5, ->6                    @0:8:7
    5  fail         r0                              @0:8:23
    6  const        r5, k3                          @0:9:41
    7  const        r6, k4                          @0:9:44
    8  list         r7, [r5, r6]                    @0:9:40
    9  const        r6, k1                          @0:9:19
   10  parallel_for r8, f2, [r7, r6]                @0:9:19
   11  return       r2                              @0:10:7
function 2 = {"kind":"fork","name":"again.parallel.parallel","params":2,"regs":"iib","result":"i","result_type":3}
    0  return       r0                              @0:9:49
function 3 = {"kind":"fork","name":"again.parallel","params":2,"regs":"iib","result":"i","result_type":3}
    0  return       r0                              @0:16:48
)";

// limits { tokens: 200 }
// "All:"
// for n in range(1000) {
//   try {
//     parallel for item in ["badx", "long"] {
//       "{item}"
//       gen a: string
//       if a == "bad" { fail item }
//       yield a
//     }
//   } catch e { }
// }
// return 1
constexpr const char* kWasteful = R"(plan 2
compiler "test"
file 0 = "wasteful.sgl"
type 0 = {"kind":"int"}
type 1 = {"fields":[{"name":"kind","type":2},{"name":"message","type":2},{"name":"line","type":0}],"kind":"record"}
type 2 = {"kind":"string"}
const 0 = "All:"
const 1 = 0
const 2 = 1000
const 3 = 1
const 4 = "badx"
const 5 = "long"
const 6 = "bad"
const 7 = "the end of the fork was reached without a value"
const 8 = "the end of the function was reached without a value"
gen 0 = {"name":"a","type":2}
program 0 = {"bounds":{"forks":2000,"generated_tokens":200,"generations":2000},"function":0,"limits":{"tokens":200},"name":"wasteful","prefix":[{"text":"All:"}],"result":0}
function 0 = {"kind":"program","name":"wasteful","regs":"biiilbbi","result":"i","result_type":0}
    0  const        r0, k0                          @0:3:3
    1  text         r0                              @0:3:3
    2  const        r1, k1                          @0:4:3
    3  const        r2, k2                          @0:4:18
    4  const        r3, k3                          @0:4:3
    5  lt.i         r4, r1, r2                      @0:4:3
    6  branch       r4, ->7, ->17                   @0:4:3
    7  try          r0, ->15, t1                    @0:5:5
    8  const        r5, k4                          @0:6:29
    9  const        r6, k5                          @0:6:37
   10  list         r6, [r5, r6]                    @0:6:28
   11  const        r7, k1                          @0:6:7
   12  parallel_for r5, f1, [r6, r7]                @0:6:7
   13  end_try                                      @0:6:7
   14  jump         ->15                            @0:6:7
   15  add.i        r1, r1, r3                      @0:6:7
   16  jump         ->5                             @0:6:7
   17  const        r3, k3                          @0:14:10
   18  return       r3                              @0:14:3
   19  const        r5, k8                          @0:15:1
   20  fail         r5                              @0:15:1
function 1 = {"kind":"fork","name":"wasteful.parallel","params":2,"regs":"bibbl","result":"b","result_type":2}
    0  text         r0                              @0:7:9
    1  gen          r2, g0, []                      @0:8:9
    2  const        r3, k6                          @0:9:17
    3  eq           r4, r2, r3                      @0:9:12
    4  branch       r4, ->5, ->6                    @0:9:9
    5  fail         r0                              @0:9:25
    6  return       r2                              @0:10:9
)";

// program forking() -> int {
//   limits { forks: 40 }
//   "All:"
//   for n in range(1000) {
//     try {
//       parallel for item in ["badx", "long"] {
//         if item == "long" {
//           let parts = parallel for part in range(10) { yield part }
//           yield "long"
//         }
//         "{item}"
//         gen a: string
//         fail a
//       }
//     } catch e {
//       if e.kind == "limit" { fail e.message }
//     }
//   }
//   return 1
// }
constexpr const char* kForking = R"(plan 2
compiler "test"
file 0 = "forking.sgl"
type 0 = {"kind":"int"}
type 1 = {"fields":[{"name":"kind","type":2},{"name":"message","type":2},{"name":"line","type":0}],"kind":"record"}
type 2 = {"kind":"string"}
const 0 = "All:"
const 1 = 0
const 2 = 1000
const 3 = 1
const 4 = "badx"
const 5 = "long"
const 6 = 10
const 7 = "the end of the fork was reached without a value"
const 8 = "limit"
const 9 = "the end of the function was reached without a value"
gen 0 = {"name":"a","type":2}
program 0 = {"bounds":{"forks":40,"generated_tokens":512000,"generations":2000},"function":0,"limits":{"forks":40},"name":"forking","prefix":[{"text":"All:"}],"result":0}
function 0 = {"kind":"program","name":"forking","regs":"biiilbbil","result":"i","result_type":0}
    0  const        r0, k0                          @0:3:3
    1  text         r0                              @0:3:3
    2  const        r1, k1                          @0:4:3
    3  const        r2, k2                          @0:4:18
    4  const        r3, k3                          @0:4:3
    5  lt.i         r4, r1, r2                      @0:4:3
    6  branch       r4, ->7, ->23                   @0:4:3
    7  try          r0, ->15, t1                    @0:5:5
    8  const        r5, k4                          @0:6:29
    9  const        r6, k5                          @0:6:37
   10  list         r6, [r5, r6]                    @0:6:28
   11  const        r7, k1                          @0:6:7
   12  parallel_for r5, f1, [r6, r7]                @0:6:7
   13  end_try                                      @0:6:7
   14  jump         ->21                            @0:6:7
   15  field        r5, r0, 0                       @0:16:10
   16  const        r6, k8                          @0:16:20
   17  eq           r8, r5, r6                      @0:16:10
   18  branch       r8, ->19, ->21                  @0:16:7
   19  field        r6, r0, 1                       @0:16:35
   20  fail         r6                              @0:16:30
   21  add.i        r1, r1, r3                      @0:16:30
   22  jump         ->5                             @0:16:30
   23  const        r3, k3                          @0:19:10
   24  return       r3                              @0:19:3
   25  const        r6, k9                          @0:20:1
   26  fail         r6                              @0:20:1
function 1 = {"kind":"fork","name":"forking.parallel","params":2,"regs":"biblibb","result":"b","result_type":2}
    0  const        r2, k5                          @0:7:20
    1  eq           r3, r0, r2                      @0:7:12
    2  branch       r3, ->3, ->9                    @0:7:9
    3  const        r4, k6                          @0:8:50
    4  builtin      r5, range, [r4]                 @0:8:44
    5  const        r4, k1                          @0:8:23
    6  parallel_for r6, f2, [r5, r4]                @0:8:23
    7  const        r6, k5                          @0:9:17
    8  return       r6                              @0:9:11
    9  text         r0                              @0:11:9
   10  gen          r6, g0, []                      @0:12:9
   11  fail         r6                              @0:13:9
function 2 = {"kind":"fork","name":"forking.parallel.parallel","params":2,"regs":"iib","result":"i","result_type":0}
    0  return       r0                              @0:8:56
)";

TEST_CASE("what is left after a caught failure of a fork does not depend on how fast its siblings were") {
  const std::vector<std::string> items = {"aaaa", "bx", "cccc", "dddd"};
  std::vector<std::size_t> order(items.size());
  std::iota(order.begin(), order.end(), 0U);
  std::int64_t fuel_used = 0;
  do {
    HeldRun run(kAgain, "again", {{"items", items}});
    for (const std::size_t index : order) {
      answer_item(run.port, items[index]);
      run.poll();
    }
    REQUIRE(run.port.held() == 1);
    // "aaaa" and "bad" count, and of the forks those of the first.
    CHECK(run.port.held_max_tokens(0) == 400 - 4 - 3);
    run.port.answer_all();
    run.executor.run();
    CHECK(outcome(run.result) == "\"bad\"");
    if (fuel_used == 0) fuel_used = run.result.fuel_used;
    CHECK(run.result.fuel_used == fuel_used);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("a program cannot generate without end beside forks that fail") {
  HeldRun run(kWasteful, "wasteful", Json::object());
  while (run.port.held() > 0) {
    run.port.answer(run.port.held() - 1);  // "long" before the one that fails
    run.poll();
  }
  // Each round wastes 4 tokens and spends 3: the 51st would waste more than 200.
  CHECK(outcome(run.result) == "limit: forks beside failed ones spent as much as the program may in all");
  CHECK(run.result.usage.generated_tokens == 51 * 7);
}

TEST_CASE("a program cannot fork without end beside forks that fail") {
  HeldRun run(kForking, "forking", Json::object());
  while (run.executor.active() > 0) {
    run.port.answer_all();
    run.poll();
  }
  // Each round spends 2 forks and wastes 10: the fifth would waste more than 40.
  CHECK(outcome(run.result) == "limit: forks beside failed ones spent as much as the program may in all");
  CHECK(run.result.forks == 5 * 12);
}

}  // namespace
}  // namespace sgl::exec::test
