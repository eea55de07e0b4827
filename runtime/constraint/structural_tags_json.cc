#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "runtime/constraint/schema_refs.h"
#include "runtime/constraint/structural_tags.h"

namespace sgl::constraint {
namespace {

// The deepest bracket of JSON text; the library's functions on values recurse.
std::size_t nesting(std::string_view text) {
  std::size_t depth = 0, deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      i += c == '\\' ? 1 : 0;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

class TagsReader {
 public:
  TagsReader(const SchemaOptions& options, const GrammarLimits& limits) : options_(options), limits_(limits) {}

  SchemaResult run(std::string_view text) {
    if (text.size() > options_.limits.max_bytes || nesting(text) > options_.limits.max_nesting) {
      fail(SchemaStatus::kLimit, "",
           fmt::format("more than {} bytes or nested more than {} deep", options_.limits.max_bytes,
                       options_.limits.max_nesting));
      return std::move(out_);
    }
    JsonFault fault;
    if (const std::optional<Json> json = read_json(text, fault)) {
      read(*json);
    } else {
      fail(fault.too_large ? SchemaStatus::kUnsupported : SchemaStatus::kInvalid, fault.pointer, fault.why);
    }
    if (!out_.ok()) return std::move(out_);
    auto made = compile_structural_tags(tags_, limits_);
    if (made.ok()) {
      out_.constraint = std::move(made).value();
    } else {
      const bool limit = made.error().kind == base::ErrorKind::kLimit;
      fail(limit ? SchemaStatus::kLimit : SchemaStatus::kInvalid, "", made.error().message);
    }
    return std::move(out_);
  }

 private:
  // Keeps the first problem only. False, for `return fail(…)`.
  bool fail(SchemaStatus status, std::string pointer, std::string message) {
    if (out_.ok()) out_.status = status, out_.pointer = std::move(pointer), out_.message = std::move(message);
    return false;
  }
  bool invalid(std::string pointer, std::string message) {
    return fail(SchemaStatus::kInvalid, std::move(pointer), std::move(message));
  }

  bool read(const Json& json) {
    if (!json.is_object()) return invalid("", "expected an object");
    if (!json.contains("tags")) return invalid("", "'tags' is missing");
    for (const auto& [key, value] : json.items()) {
      const std::string pointer = "/" + key;
      if (key == "tags") {
        if (!value.is_array()) return invalid(pointer, "expected a list");
        for (std::size_t i = 0; i < value.size(); ++i) {
          if (!tag(value[i], fmt::format("/tags/{}", i))) return false;
        }
      } else if (key == "triggers") {
        if (!value.is_array()) return invalid(pointer, "expected a list");
        for (std::size_t i = 0; i < value.size(); ++i) {
          if (!string(value[i], fmt::format("/triggers/{}", i), tags_.triggers.emplace_back())) return false;
        }
      } else if (key == "at_least_one" || key == "stop_after_first") {
        if (!value.is_boolean()) return invalid(pointer, "expected true or false");
        (key == "at_least_one" ? tags_.at_least_one : tags_.stop_after_first) = value.get<bool>();
      } else {
        return invalid(pointer, fmt::format("unknown member '{}'", key));
      }
    }
    return true;
  }

  bool string(const Json& json, const std::string& pointer, std::string& out) {
    if (!json.is_string()) return invalid(pointer, "expected a string");
    out = json.get<std::string>();
    return true;
  }

  bool tag(const Json& json, const std::string& pointer) {
    if (!json.is_object()) return invalid(pointer, "expected an object");
    for (const char* key : {"begin", "content"}) {
      if (!json.contains(key)) return invalid(pointer, fmt::format("'{}' is missing", key));
    }
    StructuralTag tag;
    for (const auto& [key, value] : json.items()) {
      const std::string at = fmt::format("{}/{}", pointer, key);
      if (key == "begin" || key == "end") {
        if (!string(value, at, key == "begin" ? tag.begin : tag.end)) return false;
      } else if (key == "content") {
        if (!content(value, at, tag.content)) return false;
      } else {
        return invalid(at, fmt::format("unknown member '{}'", key));
      }
    }
    tags_.tags.push_back(std::move(tag));
    return true;
  }

  bool content(const Json& json, const std::string& pointer, std::shared_ptr<const Constraint>& out) {
    if (!json.is_object() || json.size() != 1) {
      return invalid(pointer, "expected an object with one member: schema, regex or grammar");
    }
    const std::string& kind = json.begin().key();
    const Json& value = json.begin().value();
    const std::string at = fmt::format("{}/{}", pointer, kind);
    if (kind == "schema") {
      // The limit of time is one for all tags.
      SchemaOptions options = options_;
      const auto spent = std::chrono::steady_clock::now() - begun_;
      options.limits.time -=
          std::min(options.limits.time, std::chrono::duration_cast<std::chrono::milliseconds>(spent));
      SchemaResult made = compile_json_schema(json_text(value), options);
      for (const std::string& ignored : made.ignored) out_.ignored.push_back(at + ignored);
      if (!made.ok()) return fail(made.status, at + made.pointer, made.message);
      out = std::move(made.constraint);
      return true;
    }
    std::string text;
    if (kind != "regex" && kind != "grammar") return invalid(at, fmt::format("unknown kind of content '{}'", kind));
    if (!string(value, at, text)) return false;
    if (kind == "regex") {
      auto made = compile_regex(text);
      if (made.ok()) {
        out = std::move(made).value();
        return true;
      }
      const bool limit = made.error().kind == base::ErrorKind::kLimit;
      return fail(limit ? SchemaStatus::kLimit : SchemaStatus::kInvalid, at, made.error().message);
    }
    GrammarOptions how;
    how.limits = limits_;
    GrammarResult made = compile_grammar(text, how);
    if (!made.ok())
      return fail(schema_status(made.status), at, fmt::format("{}:{}: {}", made.line, made.column, made.message));
    out = std::move(made.constraint);
    return true;
  }

  static SchemaStatus schema_status(GrammarStatus status) {
    switch (status) {
      case GrammarStatus::kUnsupported:
        return SchemaStatus::kUnsupported;
      case GrammarStatus::kUnsatisfiable:
        return SchemaStatus::kUnsatisfiable;
      case GrammarStatus::kLimit:
        return SchemaStatus::kLimit;
      default:
        return SchemaStatus::kInvalid;
    }
  }

  const SchemaOptions& options_;
  const GrammarLimits& limits_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  StructuralTags tags_;
  SchemaResult out_;
};

}  // namespace

SchemaResult compile_structural_tags_json(std::string_view json, const SchemaOptions& options,
                                          const GrammarLimits& limits) {
  return TagsReader(options, limits).run(json);
}

}  // namespace sgl::constraint
