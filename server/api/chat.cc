#include "server/api/chat.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace sgl::server {
namespace {

// Text parts of a content list, joined; other parts are refused.
std::optional<std::string> content_text(Fields& fields, const Json& content, const std::string& where) {
  if (content.is_null()) return "";
  if (content.is_string()) return content.get<std::string>();
  const auto refuse = [&](std::string message) -> std::optional<std::string> {
    fields.fail("messages", std::move(message));
    fields.point(where);
    return std::nullopt;
  };
  if (!content.is_array()) return refuse("'content' must be a string or a list of parts");
  std::string out;
  for (const Json& part : content) {
    const bool text = part.is_object() && part.contains("text") && part["text"].is_string() &&
                      (text_member(part, "type", "text") == "text" || text_member(part, "type") == "input_text");
    if (!text) return refuse("only parts of type 'text' are supported: this server has language models only");
    out += part["text"].get<std::string>();
  }
  return out;
}

void read_message(Fields& fields, const Json& message, std::size_t index, Chat& out) {
  const std::string where = fmt::format("/messages/{}", index);
  const auto refuse = [&](const std::string& place, std::string text) {
    fields.fail("messages", std::move(text));
    fields.point(where + place);
  };
  if (!message.is_object()) return refuse("", "a message must be an object");
  if (!message.contains("role") || !message["role"].is_string()) return refuse("/role", "a message needs a 'role'");
  std::string role = message["role"].get<std::string>();
  if (role == "developer") role = "system";
  if (role != "system" && role != "user" && role != "assistant" && role != "tool") {
    return refuse("/role", fmt::format("unknown role '{}'; roles are system, developer, user, assistant, tool", role));
  }
  const auto content = content_text(fields, message.value("content", Json()), where + "/content");
  if (!content) return;
  Json rendered = {{"role", role}, {"content", *content}};
  if (message.contains("tool_calls") && message["tool_calls"].is_array()) {
    // Written out as the model wrote them, so that every template shows them.
    std::string text = *content;
    for (const Json& call : message["tool_calls"]) {
      const Json function = call.is_object() ? call.value("function", Json::object()) : Json();
      if (!function.is_object() || !function.contains("name") || !function["name"].is_string()) {
        return refuse("/tool_calls", "a tool call needs 'function' with 'name' and 'arguments'");
      }
      Json arguments = function.value("arguments", Json::object());
      if (arguments.is_string()) {
        Json parsed;
        if (!parse_json(arguments.get<std::string>(), parsed)) arguments = std::move(parsed);
      }
      text += fmt::format("{}{}{}", kToolCallBegin, dump({{"name", function["name"]}, {"arguments", arguments}}),
                          kToolCallEnd);
    }
    rendered["content"] = text;
  }
  if (message.contains("name") && message["name"].is_string()) rendered["name"] = message["name"];
  out.messages.push_back(std::move(rendered));
}

bool is_function_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
}

// `written`: of `parameters`, as the client wrote them.
std::string schema_text(const Json& parameters, std::string_view written) {
  std::string out = base::json_compact(written);
  if (parameters.contains("type")) return out;
  out.pop_back();
  return out + (parameters.empty() ? "" : ",") + R"("type":"object"})";
}

void read_tools(Fields& fields, Chat& out) {
  const Json* tools = fields.array("tools");
  if (tools == nullptr) return;
  constexpr std::size_t kMaxTools = 1024;
  if (tools->size() > kMaxTools) return fields.fail("tools", fmt::format("'tools' has at most {}", kMaxTools));
  const std::vector<std::string_view> texts = base::json_items(fields.source({"tools"}));
  for (std::size_t i = 0; i < tools->size(); ++i) {
    const Json& tool = (*tools)[i];
    const Json function = tool.is_object() ? tool.value("function", Json()) : Json();
    const bool good = tool.is_object() && text_member(tool, "type") == "function" && function.is_object() &&
                      function.contains("name") && function["name"].is_string();
    if (!good) {
      fields.fail("tools", "a tool must be {\"type\": \"function\", \"function\": {\"name\": …, \"parameters\": …}}");
      return fields.point(fmt::format("/tools/{}", i));
    }
    Tool one{function["name"].get<std::string>(), "", function.value("parameters", Json::object()), ""};
    if (function.contains("description") && function["description"].is_string()) {
      one.description = function["description"].get<std::string>();
    }
    const bool twice =
        std::any_of(out.tools.begin(), out.tools.end(), [&](const Tool& t) { return t.name == one.name; });
    if (twice || !one.parameters.is_object()) {
      fields.fail("tools", twice ? fmt::format("two tools are called '{}'", one.name)
                                 : "'parameters' must be a JSON Schema object");
      return fields.point(fmt::format("/tools/{}/function", i));
    }
    if (one.parameters.contains("properties") && !one.parameters["properties"].is_object()) {
      fields.fail("tools", "'properties' must be an object from names of arguments to their schemas");
      return fields.point(fmt::format("/tools/{}/function/parameters/properties", i));
    }
    if (!is_function_name(one.name)) {
      fields.fail("tools", "the name of a function has 1 to 64 letters, digits, '_' and '-'");
      return fields.point(fmt::format("/tools/{}/function/name", i));
    }
    one.schema =
        schema_text(one.parameters,
                    function.contains("parameters") ? base::json_slice(texts.at(i), {"function", "parameters"}) : "{}");
    out.tools.push_back(std::move(one));
  }
}

void read_choice(Fields& fields, Chat& out) {
  const Json* choice = fields.any("tool_choice");
  out.choice = out.tools.empty() ? ToolChoice::kNone : ToolChoice::kAuto;
  if (choice == nullptr) return;
  if (choice->is_string()) {
    const std::string word = choice->get<std::string>();
    if (word == "none") {
      out.choice = ToolChoice::kNone;
    } else if (word == "required" && !out.tools.empty()) {
      out.choice = ToolChoice::kRequired;
    } else if (word != "auto") {
      fields.fail("tool_choice", out.tools.empty() ? "'tool_choice' needs 'tools'"
                                                   : "'tool_choice' must be none, auto, required or a function");
    }
    return;
  }
  const Json function = choice->is_object() ? choice->value("function", Json()) : Json();
  const std::string name = function.is_object() && function.contains("name") && function["name"].is_string()
                               ? function["name"].get<std::string>()
                               : std::string();
  const bool known = std::any_of(out.tools.begin(), out.tools.end(), [&](const Tool& t) { return t.name == name; });
  if (!known)
    return fields.fail("tool_choice", fmt::format("'tool_choice' names '{}', which is not among 'tools'", name));
  out.choice = ToolChoice::kNamed;
  out.named = name;
}

// "name(city: string, nights: integer): What it does."
std::string describe(const Tool& tool) {
  std::string parameters;
  const Json properties = tool.parameters.value("properties", Json::object());
  if (properties.is_object()) {
    for (const auto& [name, schema] : properties.items()) {
      const std::string type = schema.is_object() && schema.contains("type") && schema["type"].is_string()
                                   ? schema["type"].get<std::string>()
                                   : std::string("any");
      parameters += fmt::format("{}{}: {}", parameters.empty() ? "" : ", ", name, type);
    }
  }
  return fmt::format("{}({}){}{}", tool.name, parameters, tool.description.empty() ? "" : ": ", tool.description);
}

}  // namespace

Chat read_chat(Fields& fields) {
  Chat out;
  const Json* messages = fields.array("messages");
  if (messages == nullptr || messages->empty()) {
    fields.fail("messages", "'messages' must be a list with at least one message");
    return out;
  }
  for (std::size_t i = 0; i < messages->size() && fields.ok(); ++i) read_message(fields, (*messages)[i], i, out);
  read_tools(fields, out);
  read_choice(fields, out);
  out.parallel_calls = fields.flag("parallel_tool_calls").value_or(true);
  if (const Json* variables = fields.object("chat_template_kwargs")) out.template_variables = *variables;
  return out;
}

base::Expected<std::vector<engine::TokenId>> chat_tokens(Service& service, const Chat& chat) {
  Json messages = chat.messages;
  tokenizer::ChatRenderOptions options;
  options.add_generation_prompt = true;
  options.bos_token = std::string(service.engine->tokenizer().bos_text());
  options.eos_token = std::string(service.engine->tokenizer().eos_text());
  options.variables = chat.template_variables;
  if (chat.choice != ToolChoice::kNone) {
    if (service.chat_template_text.find("tools") != std::string::npos) {
      Json tools = Json::array();
      for (const Tool& tool : chat.tools) {
        tools.push_back(
            {{"type", "function"},
             {"function", {{"name", tool.name}, {"description", tool.description}, {"parameters", tool.parameters}}}});
      }
      options.variables["tools"] = std::move(tools);
    } else {
      std::string text = "Tools:";
      for (const Tool& tool : chat.tools) text += "\n" + describe(tool);
      const bool has_system = !messages.empty() && messages[0]["role"] == "system";
      if (has_system) {
        messages[0]["content"] = messages[0]["content"].get<std::string>() + "\n" + text;
      } else {
        messages.insert(messages.begin(),
                        Json{{"role", "system"}, {"content", "Use a tool to help the user.\n" + text}});
      }
    }
  }
  SGL_TRY(const auto rendered, service.chat_template->render_marked_json(messages, options));
  return tokenizer::encode_rendered(service.engine->tokenizer(), rendered);
}

std::string tool_call_schema(const Chat& chat) {
  std::string options;
  std::size_t count = 0;
  for (const Tool& tool : chat.tools) {
    if (chat.choice == ToolChoice::kNamed && tool.name != chat.named) continue;
    // Names of functions need no escapes.
    options += fmt::format(R"({}{{"type":"object","properties":{{"name":{{"const":"{}"}},"arguments":{}}},)"
                           R"("required":["name","arguments"],"additionalProperties":false}})",
                           count++ == 0 ? "" : ",", tool.name, tool.schema);
  }
  return count == 1 ? options : fmt::format(R"({{"anyOf":[{}]}})", options);
}

}  // namespace sgl::server
