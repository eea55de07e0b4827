#include "tools/sgl/constrain_record.h"

#include <fmt/format.h>
#include <zlib.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "runtime/constraint/grammar.h"
#include "runtime/constraint/json_schema.h"
#include "runtime/constraint/structural_tags.h"

namespace sgl::tools {

using base::Expected;
using base::Status;
using Json = nlohmann::ordered_json;

namespace {

Expected<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) return base::not_found(fmt::format("cannot read {}", path));
  return text.str();
}

Expected<ConstrainInstance> instance_of(const Json& json) {
  ConstrainInstance out;
  if (!json.is_object() || !json.contains("text") || !json.at("text").is_string()) {
    return base::invalid("expected an object {\"text\": \"…\"}");
  }
  out.text = json.at("text").get<std::string>();
  if (json.contains("valid")) {
    if (!json.at("valid").is_boolean()) return base::invalid("\"valid\" is true or false");
    out.valid = json.at("valid").get<bool>();
  }
  return out;
}

// The end of the JSON value that begins at `at`. Precondition: valid JSON.
std::size_t skip_value(std::string_view json, std::size_t at) {
  std::size_t depth = 0;
  for (; at < json.size(); ++at) {
    const char c = json[at];
    if (c == '"') {
      for (++at; at < json.size() && json[at] != '"'; ++at) at += json[at] == '\\' ? 1 : 0;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;
      if (--depth == 0) return at + 1;
    } else if (depth == 0 && (c == ',' || c == ':')) {
      return at;
    }
    if (depth == 0 && c == '"') return at + 1;
  }
  return at;
}

std::size_t skip_space(std::string_view json, std::size_t at) {
  while (at < json.size() && (json[at] == ' ' || json[at] == '\t' || json[at] == '\n' || json[at] == '\r')) ++at;
  return at;
}

Expected<ConstrainRecord> record_of(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return base::invalid("not a JSON object");
  ConstrainRecord out;
  if (json.contains("id")) out.id = json.at("id").is_string() ? json.at("id").get<std::string>() : json.at("id").dump();
  // As it is written: numbers would not survive being read and written.
  const auto schema = json_member(line, "schema");
  if (!schema) return base::invalid("no member \"schema\"");
  out.source = *schema;
  if (!json.contains("tests")) return out;
  if (!json.at("tests").is_array()) return base::invalid("\"tests\" is a list");
  for (const Json& test : json.at("tests")) {
    SGL_TRY(ConstrainInstance instance, instance_of(test));
    out.instances.push_back(std::move(instance));
  }
  return out;
}

Status read_instances(ConstrainRecord& record) {
  std::string line;
  std::ios::sync_with_stdio(false);
  for (std::int64_t number = 1; std::getline(std::cin, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    auto instance = instance_of(Json::parse(line, nullptr, false));
    if (!instance.ok()) {
      return base::invalid(fmt::format("line {} of standard input: {}", number, instance.error().message));
    }
    record.instances.push_back(std::move(instance).value());
  }
  return {};
}

}  // namespace

std::optional<std::string_view> json_member(std::string_view object, std::string_view key) {
  std::size_t at = skip_space(object, 0) + 1;
  std::optional<std::string_view> found;
  for (;;) {
    at = skip_space(object, at);
    if (at >= object.size() || object[at] != '"') return found;
    const std::size_t name_end = skip_value(object, at);
    const auto name = nlohmann::json::parse(object.substr(at, name_end - at), nullptr, false);
    const std::size_t begin = skip_space(object, skip_space(object, name_end) + 1);
    const std::size_t end = skip_value(object, begin);
    if (name.is_string() && name.get<std::string>() == key) found = object.substr(begin, end - begin);  // the last wins
    at = skip_space(object, end) + 1;
  }
}

Status each_line(const std::string& path, const std::function<Status(std::string_view)>& each) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (file == nullptr) return base::not_found(fmt::format("cannot read {}", path));
  std::string buffer, chunk(1 << 16, '\0');
  for (;;) {
    const int n = gzread(file.get(), chunk.data(), static_cast<unsigned>(chunk.size()));
    if (n < 0) return base::invalid(fmt::format("{} is not whole: its compressed data end early or are damaged", path));
    buffer.append(chunk, 0, static_cast<std::size_t>(n));
    std::size_t begin = 0;
    for (std::size_t end; (end = buffer.find('\n', begin)) != std::string::npos; begin = end + 1) {
      SGL_TRY_STATUS(each(std::string_view(buffer).substr(begin, end - begin)));
    }
    buffer.erase(0, begin);
    if (n > 0) continue;
    int code = Z_OK;
    (void)gzerror(file.get(), &code);
    if (code != Z_OK && code != Z_STREAM_END) {
      return base::invalid(fmt::format("{} is not whole: its compressed data end early or are damaged", path));
    }
    return buffer.empty() ? Status() : each(buffer);
  }
}

Status each_record(const ConstrainOptions& options, bool instances, const std::function<bool(ConstrainRecord)>& each) {
  if (options.suite.empty()) {
    ConstrainRecord record;
    if (!options.regex.empty()) {
      record.kind = SpecificationKind::kRegex;
      record.id = "regex";
      record.source = options.regex;
    } else {
      const std::pair<const std::string*, SpecificationKind> files[] = {{&options.schema, SpecificationKind::kSchema},
                                                                        {&options.grammar, SpecificationKind::kGrammar},
                                                                        {&options.tags, SpecificationKind::kTags}};
      for (const auto& [file, kind] : files) {
        if (!file->empty()) record.id = *file, record.kind = kind;
      }
      SGL_TRY(record.source, read_file(record.id));
    }
    if (instances) SGL_TRY_STATUS(read_instances(record));
    (void)each(std::move(record));
    return {};
  }
  std::int64_t number = 0;
  bool more = true;
  return each_line(options.suite, [&](std::string_view line) -> Status {
    ++number;
    if (!more || line.find_first_not_of(" \t\r") == std::string_view::npos) return {};
    auto record = record_of(line);
    if (!record.ok()) {
      return base::invalid(fmt::format("{}, line {}: {}", options.suite, number, record.error().message));
    }
    if (record->id.empty()) record->id = std::to_string(number);
    more = each(std::move(record).value());
    return {};
  });
}

namespace {

const char* status_name(constraint::SchemaStatus status) {
  switch (status) {
    case constraint::SchemaStatus::kOk:
      return "ok";
    case constraint::SchemaStatus::kUnsupported:
      return "unsupported";
    case constraint::SchemaStatus::kUnsatisfiable:
      return "unsatisfiable";
    case constraint::SchemaStatus::kInvalid:
      return "invalid";
    case constraint::SchemaStatus::kLimit:
      return "limit";
    case constraint::SchemaStatus::kTimeout:
      return "timeout";
  }
  return "invalid";
}

constraint::SchemaOptions schema_options(const ConstrainOptions& options) {
  constraint::SchemaOptions how;
  how.order = options.any_order ? constraint::PropertyOrder::kAny : constraint::PropertyOrder::kSchema;
  how.whitespace = options.any_whitespace ? constraint::Whitespace::kAny : constraint::Whitespace::kCompact;
  if (options.indent >= 0) how.whitespace = constraint::Whitespace::kIndent, how.indent = options.indent;
  how.unsupported = options.ignore_unsupported ? constraint::Unsupported::kIgnore : constraint::Unsupported::kError;
  how.formats = options.annotate_formats ? constraint::Formats::kAnnotate : constraint::Formats::kAssert;
  how.limits.time = std::chrono::milliseconds(static_cast<std::int64_t>(options.timeout * 1000));
  return how;
}

const char* status_name(constraint::GrammarStatus status) {
  switch (status) {
    case constraint::GrammarStatus::kOk:
      return "ok";
    case constraint::GrammarStatus::kUnsupported:
      return "unsupported";
    case constraint::GrammarStatus::kUnsatisfiable:
      return "unsatisfiable";
    case constraint::GrammarStatus::kInvalid:
      return "invalid";
    case constraint::GrammarStatus::kLimit:
      return "limit";
  }
  return "invalid";
}

ConstrainCompiled compiled_schema(constraint::SchemaResult made) {
  ConstrainCompiled out;
  out.status = status_name(made.status);
  out.pointer = std::move(made.pointer);
  out.message = std::move(made.message);
  out.ignored = std::move(made.ignored);
  out.constraint = std::move(made.constraint);
  return out;
}

ConstrainCompiled compile_expression(const ConstrainRecord& record) {
  ConstrainCompiled out;
  auto made = constraint::compile_regex(record.source);
  out.status = made.ok() ? "ok" : made.error().kind == base::ErrorKind::kLimit ? "limit" : "invalid";
  if (made.ok()) {
    out.constraint = std::move(made).value();
  } else {
    out.message = made.error().message;
  }
  return out;
}

ConstrainCompiled compile_grammar(const ConstrainRecord& record) {
  constraint::GrammarOptions how;
  if (record.id.ends_with(".gbnf")) how.syntax = constraint::GrammarSyntax::kGbnf;
  if (record.id.ends_with(".lark")) how.syntax = constraint::GrammarSyntax::kLark;
  constraint::GrammarResult made = constraint::compile_grammar(record.source, how);
  ConstrainCompiled out;
  out.status = status_name(made.status);
  if (made.line > 0) out.pointer = fmt::format("{}:{}", made.line, made.column);
  out.message = std::move(made.message);
  out.ignored = std::move(made.warnings);
  out.constraint = std::move(made.constraint);
  return out;
}

}  // namespace

ConstrainCompiled compile_record(const ConstrainRecord& record, const ConstrainOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  ConstrainCompiled out;
  switch (record.kind) {
    case SpecificationKind::kSchema:
      out = compiled_schema(constraint::compile_json_schema(record.source, schema_options(options)));
      break;
    case SpecificationKind::kRegex:
      out = compile_expression(record);
      break;
    case SpecificationKind::kGrammar:
      out = compile_grammar(record);
      break;
    case SpecificationKind::kTags:
      out = compiled_schema(constraint::compile_structural_tags_json(record.source, schema_options(options)));
      break;
  }
  out.us = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count();
  return out;
}

}  // namespace sgl::tools
