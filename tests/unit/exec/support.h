// Plans and values for the tests of execution, made without the compiler.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/exec/executor.h"
#include "runtime/exec/state.h"

namespace sgl::exec::test {

using Json = nlohmann::ordered_json;

// Programs: ask() -> string; each(items, bound) -> list<string>, which fails with the item where the answer is "bad";
// spin(n) and grow(n) -> int, loops without and with allocation; several() -> list<string> with n = 3;
// choose(options) -> string.
std::shared_ptr<const LoadedPlan> sample_programs();

// A machine with plenty of fuel over a plan of types only: 0 string, 1 int, 2 float, 3 bool, 4 null, 5 list<int>(1..3),
// 6 Point { x: int(0..9), y?: string }, 7 "A" | 3 | null, 8 list<Point>, 9 string(max_chars: 2), 10 regex([a-c]+),
// 11 list<string>, 12 Chain { next?: Chain }, 16 json, 17 json_schema("a.json"), 18 Expr = { left: Expr, right: Expr, op: "add" } |
// { left: Expr, right: Expr, op: "mul" } | { value: int }, 24 the same with regex([a-c]+) and string(min_chars: 3) in
// place of the literals, 28 Data = null | int | list<Data>, 30 float(0.5..0.9). Its heap is the thread's while it lives.
struct Machinery {
  Machinery();
  ~Machinery() { current_heap() = nullptr; }
  Machinery(const Machinery&) = delete;
  Machinery& operator=(const Machinery&) = delete;

  // Compact JSON of a value.
  std::string text(const Value& value) const;
  // Forgets the last failure.
  void forget();

  plan::Plan plan;
  Image image;
  Machine machine;
};

// Numbers, texts, bools and lists of them.
Value value_of(const Json& json);

// One run: starts, runs to the end, gives the result.
RunResult run_program(const std::shared_ptr<const LoadedPlan>& plan, ModelPort& port, const std::string& program,
                      const Json& args, const RunOptions& options = {});

// "[…]" for a value, "limit: message" for a failure.
std::string outcome(const RunResult& result);

}  // namespace sgl::exec::test
