// Binary and text form: round trips, golden lines, refusals.
#include <doctest/doctest.h>

#include <bit>
#include <set>
#include <string>

#include "runtime/base/sha256.h"
#include "runtime/plan/codec.h"
#include "runtime/plan/json_form.h"
#include "runtime/plan/text.h"
#include "sample_plan.h"

using namespace sgl::plan;

namespace {

// `payload` behind a header that fits it.
std::string with_header(const std::string& payload) {
  std::string out = "SGLPLAN\n";
  for (int i = 0; i < 4; ++i) out += static_cast<char>(i == 0 ? 2 : 0);
  for (int i = 0; i < 8; ++i) out += static_cast<char>(payload.size() >> (8 * i) & 0xFF);
  const auto digest = sgl::base::sha256(payload);
  out.append(digest.begin(), digest.end());
  return out + payload;
}

std::string decode_error(const std::string& bytes) {
  const auto plan = decode(bytes);
  return plan.ok() ? "accepted" : plan.error().message;
}

std::string form_error_of(const Json& form) {
  const auto plan = read_plan(form);
  return plan.ok() ? "accepted" : plan.error().message;
}

std::string parse_error(const std::string& text) {
  const auto plan = parse(text);
  return plan.ok() ? "accepted" : plan.error().message;
}

}  // namespace

TEST_CASE("the sample holds every operation and verifies") {
  const Plan plan = sample_plan();
  const auto status = verify(plan);
  INFO((status.ok() ? "" : status.error().message));
  REQUIRE(status.ok());
  std::set<Op> ops;
  for (const Inst& inst : plan.functions[kMain].code) ops.insert(inst.op);
  CHECK(ops.size() == kOps.size());
}

TEST_CASE("the tables are indexed by their enumerations") {
  for (std::size_t i = 0; i < kOps.size(); ++i) CHECK(static_cast<std::size_t>(kOps[i].op) == i);
  for (std::size_t i = 0; i < kBuiltins.size(); ++i) CHECK(static_cast<std::size_t>(kBuiltins[i].id) == i);
}

TEST_CASE("binary form round trips and is deterministic") {
  const Plan plan = sample_plan();
  const std::string bytes = encode(plan);
  CHECK(looks_like_plan(bytes));
  CHECK(bytes == encode(plan));
  const auto back = decode(bytes);
  REQUIRE(back.ok());
  CHECK(encode(*back) == bytes);
  CHECK(plan_form(*back) == plan_form(plan));
  CHECK(decode(encode(Plan{})).ok());
}

TEST_CASE("text form round trips both ways") {
  const Plan plan = sample_plan();
  const std::string text = print(plan);
  const auto back = parse(text);
  INFO((back.ok() ? text : back.error().message));
  REQUIRE(back.ok());
  CHECK(encode(*back) == encode(plan));
  CHECK(print(*back) == text);
  CHECK(parse("plan 2\n").ok());
}

TEST_CASE("compiled constraints keep their bytes") {
  const Plan plan = sample_plan();
  REQUIRE(plan.constraints.size() == 2);
  const auto binary = decode(encode(plan));
  const auto text = parse(print(plan));
  REQUIRE((binary.ok() && text.ok()));
  for (const Plan* back : {&binary.value(), &text.value()}) {
    REQUIRE(back->constraints.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(back->constraints[i].type == plan.constraints[i].type);
      CHECK(back->constraints[i].bytes == plan.constraints[i].bytes);
    }
  }
  CHECK(print(plan).find("constraint 0 = {\"bytes\":\"AGFueSD_IGJ5dGVz\",\"type\":4}\n") != std::string::npos);
  Json form = plan_form(plan);
  form["constraints"][1]["bytes"] = "AG=";
  CHECK(form_error_of(form) == "constraints 1: 'bytes' must be base64url");
  form["constraints"][1] = {{"bytes", ""}};
  CHECK(form_error_of(form) == "constraints 1: 'type' is missing");
  Plan without = plan;
  without.constraints.clear();
  CHECK(print(without).find("constraint") == std::string::npos);
  CHECK_FALSE(plan_form(without).contains("constraints"));
}

TEST_CASE("numbers keep their bits") {
  const Plan plan = sample_plan();
  const auto binary = decode(encode(plan));
  const auto text = parse(print(plan));
  REQUIRE((binary.ok() && text.ok()));
  for (const Plan* back : {&binary.value(), &text.value()}) {
    for (std::size_t i = 0; i < plan.constants.size(); ++i) {
      const Constant &a = plan.constants[i], &b = back->constants[i];
      CHECK(a.kind == b.kind);
      CHECK(a.number == b.number);
      CHECK(std::bit_cast<std::uint64_t>(a.real) == std::bit_cast<std::uint64_t>(b.real));
      CHECK(a.text == b.text);
    }
    CHECK(back->types[12].min_int == plan.types[12].min_int);
    CHECK(back->types[18].min_float == plan.types[18].min_float);
    CHECK(back->types[18].max_float == plan.types[18].max_float);
  }
}

TEST_CASE("operand lists out of order survive the text form") {
  Plan plan = sample_plan();
  Function& main = plan.functions[kMain];
  // Two instructions share a list, and the last entry belongs to none.
  main.args.push_back(0);
  Inst& second = main.code[index_of(plan, Op::kGen) + 1];
  second.b = main.code[index_of(plan, Op::kCall)].b;
  REQUIRE(verify(plan).ok());
  const std::string text = print(plan);
  const auto back = parse(text);
  INFO((back.ok() ? "" : back.error().message));
  REQUIRE(back.ok());
  CHECK(encode(*back) == encode(plan));
  CHECK(print(*back) == text);
}

TEST_CASE("instructions read well") {
  const Plan plan = sample_plan();
  const Function& main = plan.functions[kMain];
  auto shown = [&](Op op) { return print_inst(plan, main, index_of(plan, op)); };
  CHECK(shown(Op::kConst) == "const        r2, k4");
  CHECK(shown(Op::kAddI) == "add.i        r5, r4, r1");
  CHECK(shown(Op::kConcat) == "concat       r2, [r0, r2, r3]");
  CHECK(shown(Op::kFormat) == "format       r2, r6, r3");
  CHECK(print_inst(plan, main, index_of(plan, Op::kFormat) + 1) == "format       r2, r4, _");
  CHECK(shown(Op::kRecordNew) == "record       r10, t10, [r4, r6]");
  CHECK(shown(Op::kField) == "field        r4, r10, 0");
  CHECK(shown(Op::kBuiltin) == "builtin      r2, replace, [r2, r2, r2]");
  CHECK(shown(Op::kRoleBegin) == "role         user");
  CHECK(shown(Op::kRoleEnd) == "end_role");
  CHECK(shown(Op::kGen) == "gen          r4, g0, [r6, r10]");
  CHECK(shown(Op::kSelect) == "select       r2, s0, [r3, r10]");
  CHECK(shown(Op::kParallel) == "parallel     r10, p0, [r2]");
  CHECK(shown(Op::kBranch) == "branch       r8, ->3, ->4");
  CHECK(print_inst(plan, main, 9999) == "?");
}

TEST_CASE("an unverified plan prints without harm") {
  Plan plan = sample_plan();
  Function& main = plan.functions[kMain];
  main.code[0].op = static_cast<Op>(200);
  main.code[index_of(plan, Op::kConcat)].c = 0xFFFFFFF0;
  main.code[index_of(plan, Op::kBuiltin)].a = 7777;
  main.positions.clear();
  main.kind = static_cast<FunctionKind>(9);
  main.regs[0] = static_cast<Rep>(9);
  plan.types[0].kind = static_cast<TypeKind>(77);
  plan.constants[4].text = "\xFF\xFE";
  CHECK(print(plan).find("?200") != std::string::npos);
  CHECK_FALSE(parse(print(plan)).ok());
  CHECK_FALSE(decode(encode(plan)).ok());
}

TEST_CASE("decode names what is wrong with a file") {
  const std::string good = encode(sample_plan());
  CHECK(decode_error("") == "not a plan: it does not begin with SGLPLAN");
  CHECK(decode_error("SGLPLAN\n\x01") == "the plan is truncated in its header");
  std::string bytes = good;
  bytes[8] = 3;
  CHECK(decode_error(bytes) == "the plan is of version 3, this runtime reads version 2");
  CHECK(decode_error(good.substr(0, 30)) == "the plan is truncated in its header");
  const std::string size = std::to_string(good.size() - 52);
  CHECK(decode_error(good.substr(0, good.size() - 1)) ==
        "the plan is truncated: " + std::to_string(good.size() - 53) + " bytes of " + size);
  CHECK(decode_error(good + "x") == "the plan is too long: " + std::to_string(good.size() - 51) + " bytes of " + size);
  bytes = good;
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  CHECK(decode_error(bytes) == "the plan is damaged: its checksum does not match");
  PlanLimits tiny;
  tiny.types = 3;
  CHECK(decode(good, tiny).error().message == "the plan has 22 types, over the limit of 3");
}

TEST_CASE("hostile CBOR is refused before it is read") {
  const std::string malformed = "the plan's payload is malformed CBOR";
  using namespace std::string_literals;
  for (const std::string& payload :
       {""s, std::string(200'000, '\x81'), std::string(200'000, '\x7F'), std::string(200'000, '\x5F'),
        std::string(200'000, '\x9F'), std::string(200'000, '\xC1'), "\x9B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s,
        "\x9B\x00\x00\x00\x0F\xFF\xFF\xFF\xFF"s, "\xBB\x80\x00\x00\x00\x00\x00\x00\x00"s,
        "\x7B\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s, "\xA1\x01\x02"s, "\xA0\xA0"s, "\xF9\x00\x00"s,
        "\x3B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s, "\x41x"s, "\xFB\x00"s, "\x1C"s, "\xFF"s}) {
    CHECK(decode_error(with_header(payload)) == malformed);
  }
  CHECK(decode_error(with_header("\xA0")) == "accepted");
  CHECK(decode_error(with_header("\x80")) == "plan: must be an object");
}

TEST_CASE("a faulty section is named with index and field") {
  const Json good = plan_form(sample_plan());
  auto with = [&](const char* pointer, Json value) {
    Json form = good;
    form[Json::json_pointer(pointer)] = std::move(value);
    return form_error_of(form);
  };
  CHECK(with("/compiler", 3) == "plan: 'compiler' must be a string");
  CHECK(with("/extra", 3) == "plan: unknown field 'extra'");
  CHECK(with("/files", "x") == "plan: 'files' must be a list");
  CHECK(with("/files/0", 1) == "files 0: must be a string");
  CHECK(with("/types/3", 1) == "types 3: must be an object");
  CHECK(with("/types/3/kind", "blob") == "types 3: 'kind' cannot be 'blob'");
  CHECK(with("/types/3/min_size", 1.5) == "types 3: 'min_size' must be an integer of 64 bits");
  CHECK(with("/types/3/max_int", 18446744073709551615u) == "types 3: 'max_int' must be an integer of 64 bits");
  CHECK(with("/types/3/min_float", 1) == "types 3: 'min_float' must be a float");
  CHECK(with("/types/3/color", 1) == "types 3: unknown field 'color'");
  CHECK(with("/types/5/args", Json::array({-2})) == "types 5: 'args' must be a list of numbers below 2^32");
  CHECK(with("/types/6/literal", Json::array()) == "types 6: 'literal' must be an integer of 64 bits");
  CHECK(with("/types/10/fields/1/optional", 1) == "types 10, fields 1: 'optional' must be true or false");
  CHECK(with("/types/10/fields/1", Json::object()) == "types 10, fields 1: 'type' is missing");
  CHECK(with("/constants/2", 18446744073709551615u) == "constants 2: must be an integer of 64 bits");
  CHECK(with("/constants/2", Json::array()) == "constants 2: must be an object");
  CHECK(with("/constants/5", Json::object()) == "constants 5: 'items' is missing");
  CHECK(with("/functions/1/kind", nullptr) == "functions 1: 'kind' must be a string");
  CHECK(with("/functions/1/regs", "bx") == "functions 1: 'regs' may hold only the letters b i f l");
  CHECK(with("/functions/1/result", "bb") == "functions 1: 'result' must be one letter");
  CHECK(with("/functions/1/code", Json::array({1, 2})) == "functions 1: 'code' is not a multiple of 5 numbers");
  CHECK(with("/functions/1/code/0", 99) == "functions 1: 'code' has an unknown operation");
  CHECK(with("/functions/1/positions/0", "x") == "functions 1: 'positions' must be a list of numbers below 2^32");
  CHECK(with("/gens/0/options/0", "heat") == "gens 0, options 0: must be the name of an option");
  CHECK(with("/selects/0/method", "best") == "selects 0: 'method' cannot be 'best'");
  CHECK(with("/parallels/0/entries/1/function", -5) ==
        "parallels 0, entries 1: 'function' must be a number below 2^32");
  CHECK(with("/programs/0/params/0/type", "s") == "programs 0, params 0: 'type' must be a number below 2^32");
  CHECK(with("/programs/0/limits/tokens", "s") == "limits of program 0: 'tokens' must be an integer of 64 bits");
  CHECK(with("/programs/0/bounds", 1) == "bounds of program 0: must be an object");
  CHECK(with("/programs/0/prefix/0/role", "tool") == "programs 0, prefix 0: 'role' cannot be 'tool'");
}

TEST_CASE("parse names the line") {
  const std::string head = "plan 2\ntype 0 = {\"kind\":\"int\"}\n# a comment\n\n";
  const std::string function =
      head + "function 0 = {\"kind\":\"fn\",\"params\":1,\"regs\":\"i\",\"result\":\"i\",\"result_type\":0}\n";
  CHECK(parse_error(function + "  0  return r0") == "accepted");
  CHECK(parse_error("") == "line 1: 'plan 2' is missing");
  CHECK(parse_error("plan 3") == "line 1: the plan is of version 3, this runtime reads version 2");
  CHECK(parse_error("hello") == "line 1: not a plan: no 'plan <version>'");
  CHECK(parse_error(head + "blob 1 = 2") == "line 5: unknown section 'blob'");
  CHECK(parse_error(head + "type 3 = {}") == "line 5: type 3: expected 1");
  CHECK(parse_error(head + "type x = {}") == "line 5: type: a number is missing");
  CHECK(parse_error(head + "type 1 {}") == "line 5: type 1: '=' is missing");
  CHECK(parse_error(head + "type 1 = {") == "line 5: not a JSON value");
  CHECK(parse_error(head + "type 1 = {}") == "line 5: type 1: 'kind' is missing");
  CHECK(parse_error(head + "const 0 = " + std::string(100'000, '[')) ==
        "line 5: the JSON value is nested too deep, or the plan is too large");
  CHECK(parse_error(head + "compiler 3") == "line 5: compiler: must be a string");
  CHECK(parse_error(head + "  0 return r0") == "line 5: an instruction outside a function");
  CHECK(parse_error(function + " 1 return r0") == "line 6: instruction 1: expected 0");
  CHECK(parse_error(function + " 0 leap r0") == "line 6: instruction 0: unknown operation 'leap'");
  CHECK(parse_error(function + " 0 return k0") == "line 6: an operand 'r<number>' is missing at 'k0'");
  CHECK(parse_error(function + " 0 add.i r0 r0") == "line 6: instruction 0: ',' is missing");
  CHECK(parse_error(function + " 0 return r0 @1") == "line 6: a position is written @file:line:column");
  CHECK(parse_error(function + " 0 return r0 r1") == "line 6: unexpected 'r1' after the instruction");
  CHECK(parse_error(function + " 0 builtin r0, leap, []") == "line 6: unknown built-in 'leap'");
  CHECK(parse_error(function + " 0 role tool") == "line 6: unknown role 'tool'");
  CHECK(parse_error(function + " 0 list r0, [r0 r0]") == "line 6: ',' or ']' is missing in a list");
  CHECK(parse_error(function + " 0 list r0, [r0]+3") ==
        "line 6: the list at 3 does not agree with 'args' of the function");
  CHECK(parse_error(function) == "function 0 '': has no code");
}
