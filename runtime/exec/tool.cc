// Calls of tools: from registers to JSON, and from the answer to a value.
#include <fmt/format.h>

#include "runtime/base/json.h"
#include "runtime/exec/convert.h"
#include "runtime/exec/ops.h"
#include "runtime/exec/strand.h"

namespace sgl::exec {
namespace {

// {"name": value, …} of the arguments.
base::Expected<std::string> arguments_json(const plan::Plan& plan, const plan::Tool& tool, Frame& frame,
                                           const plan::Inst& inst) {
  std::string out = "{";
  for (std::uint32_t i = 0; i < inst.c; ++i) {
    SGL_TRY(const std::string value, to_json_text(plan, frame.regs()[frame.function->args[inst.b + i]]));
    out += fmt::format("{}{}:{}", i == 0 ? "" : ",", nlohmann::json(tool.params[i].name).dump(), value);
  }
  return out + "}";
}

}  // namespace

bool Executor::Impl::begin_tool(Strand& strand, const plan::Inst& inst) {
  Instance& instance = *strand.instance;
  Machine& machine = instance.machine;
  const plan::Tool& tool = program().tools[inst.a];
  ToolPort* const tools = instance.options.tools;
  if (tools == nullptr) {
    return machine.fail(
        base::ErrorKind::kFailed,
        fmt::format("tool '{}' is bound to nothing; the operator binds tools in tools.toml", tool.name));
  }
  auto arguments = arguments_json(program(), tool, *strand.top, inst);
  if (!arguments.ok()) return machine.fail(arguments.error().kind, arguments.error().message);
  ++instance.result.tool_calls;
  trace(strand, fmt::format("tool {} {}", tool.name, *arguments));
  strand.pending = std::make_unique<Pending>();
  strand.pending->outstanding = 1;
  // The answer may come before `call` returns; it is read only by this thread, later.
  const ToolCallId id = tools->call({tool.name, std::move(*arguments)},
                                    [box = mailbox, at = &strand](base::Expected<std::string> answer) {
                                      Mail mail;
                                      mail.strand = at;
                                      mail.answer = std::move(answer);
                                      box->post(std::move(mail));
                                    });
  strand.pending->tool = id;
  return true;
}

bool Executor::Impl::end_tool(Strand& strand, base::Expected<std::string> answer) {
  Machine& machine = strand.instance->machine;
  const plan::Tool& tool = program().tools[strand.top->function->code[strand.top->pc].a];
  strand.pending.reset();
  if (!answer.ok()) return machine.fail(answer.error().kind, answer.error().message);
  trace(strand, fmt::format("answer {} {}", tool.name, *answer));
  nlohmann::ordered_json json;
  if (base::parse_json(*answer, json))
    return machine.fail(base::ErrorKind::kFailed, fmt::format("tool '{}': the answer is not JSON", tool.name));
  auto value = value_from_json(program(), tool.result, json, "answer");
  if (!value.ok())
    return machine.fail(base::ErrorKind::kFailed, fmt::format("tool '{}': {}", tool.name, value.error().message));
  if (!made(machine, *value)) return false;
  complete(strand, std::move(*value));
  return true;
}

}  // namespace sgl::exec
