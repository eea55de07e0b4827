#include "runtime/plan/json_form.h"

#include <array>
#include <cmath>
#include <optional>
#include <span>

#include "runtime/plan/form_reader.h"
#include "runtime/plan/form_writer.h"

namespace sgl::plan {

using base::Status;

namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 12> kTypeKinds = {"null", "bool",   "int",   "float", "string",  "literal",
                                                         "list", "record", "union", "regex", "grammar", "json"};

std::span<const std::string_view> option_names() {
  static const auto kNames = [] {
    std::array<std::string_view, static_cast<std::size_t>(GenOption::kLogprobs) + 1> names;
    for (std::size_t i = 0; i < names.size(); ++i) names[i] = gen_option_name(static_cast<GenOption>(i));
    return names;
  }();
  return kNames;
}

std::span<const std::string_view> method_names() {
  static const auto kNames = [] {
    std::array<std::string_view, static_cast<std::size_t>(SelectMethod::kUnconditionalLikelihoodNormalized) + 1> names;
    for (std::size_t i = 0; i < names.size(); ++i) names[i] = select_method_name(static_cast<SelectMethod>(i));
    return names;
  }();
  return kNames;
}

Json field_form(const Field& field) {
  FormWriter out;
  out.text("name", field.name);
  out.id("type", field.type);
  out.flag("optional", field.optional);
  out.text("doc", field.doc);
  return out.take();
}

Status read_field(const Json& form, const Place& place, Field& out) {
  FormReader in(form, place);
  in.text("name", out.name);
  in.id("type", out.type);
  in.flag("optional", out.optional);
  in.text("doc", out.doc);
  return in.finish();
}

Json literal_form(const Literal& literal) {
  switch (literal.kind) {
    case Literal::Kind::kString:
      return literal.text;
    case Literal::Kind::kInt:
      return literal.number;
    case Literal::Kind::kBool:
      return literal.number != 0;
  }
  return nullptr;
}

void read_literal(FormReader& in, Literal& out) {
  const Json* value = in.any("literal");
  if (value == nullptr) return;
  if (value->is_string()) {
    out = {Literal::Kind::kString, value->get_ref<const std::string&>(), 0};
  } else if (value->is_boolean()) {
    out = {Literal::Kind::kBool, "", value->get<bool>() ? 1 : 0};
  } else {
    out.kind = Literal::Kind::kInt;
    in.integer("literal", out.number);
  }
}

Json entry_form(const ParallelSpec::Entry& entry) {
  FormWriter out;
  out.text("name", entry.name);
  out.id("function", entry.function);
  out.integer("args", entry.arg_count);
  return out.take();
}

Status read_entry(const Json& form, const Place& place, ParallelSpec::Entry& out) {
  FormReader in(form, place);
  in.text("name", out.name);
  in.id("function", out.function);
  in.index("args", out.arg_count);
  return in.finish();
}

}  // namespace

Json form_of(const Type& type) {
  FormWriter out;
  out.set("kind", name_in(kTypeKinds, type.kind));
  out.text("name", type.name);
  out.text("doc", type.doc);
  out.integer("min_size", type.min_size);
  out.integer("max_size", type.max_size, -1);
  out.integer("min_int", type.min_int);
  out.integer("max_int", type.max_int);
  out.real("min_float", type.min_float);
  out.real("max_float", type.max_float);
  out.text("pattern", type.pattern);
  out.text("format", type.format);
  if (type.kind == TypeKind::kLiteral) out.set("literal", literal_form(type.literal));
  out.list("args", type.args, [](TypeId id) { return index_form(id.value); });
  out.list("fields", type.fields, field_form);
  return out.take();
}

Status read_form(const Json& form, const Place& place, Type& out) {
  FormReader in(form, place);
  in.required("kind");
  in.choice("kind", kTypeKinds, out.kind);
  in.text("name", out.name);
  in.text("doc", out.doc);
  in.integer("min_size", out.min_size);
  in.integer("max_size", out.max_size);
  in.integer("min_int", out.min_int);
  in.integer("max_int", out.max_int);
  in.real("min_float", out.min_float);
  in.real("max_float", out.max_float);
  in.text("pattern", out.pattern);
  in.text("format", out.format);
  if (out.kind == TypeKind::kLiteral) {
    in.required("literal");
    read_literal(in, out.literal);
  }
  in.ids("args", out.args);
  in.list("fields", out.fields, read_field);
  return in.finish();
}

Json form_of(const Constant& constant) {
  const auto item_form = [](ConstId id) { return index_form(id.value); };
  FormWriter out;
  switch (constant.kind) {
    case Constant::Kind::kNull:
      return nullptr;
    case Constant::Kind::kBool:
      return constant.number != 0;
    case Constant::Kind::kInt:
      return constant.number;
    case Constant::Kind::kString:
      return constant.text;
    case Constant::Kind::kFloat:
      if (std::isfinite(constant.real)) return constant.real;
      out.set("float", real_form(constant.real));
      break;
    case Constant::Kind::kRecord:
      out.id("record", constant.type);
      [[fallthrough]];
    case Constant::Kind::kList:
      out.set("items", Json::array());
      out.list("items", constant.items, item_form);
      break;
  }
  return out.take();
}

Status read_form(const Json& form, const Place& place, Constant& out) {
  using Kind = Constant::Kind;
  if (form.is_null()) {
    out.kind = Kind::kNull;
  } else if (form.is_boolean()) {
    out.kind = Kind::kBool;
    out.number = form.get<bool>() ? 1 : 0;
  } else if (form.is_number_float()) {
    out.kind = Kind::kFloat;
    out.real = form.get<double>();
  } else if (form.is_number()) {
    out.kind = Kind::kInt;
    out.number = form.get<std::int64_t>();
    if (form.is_number_unsigned() && out.number < 0) return form_error(place, "must be an integer of 64 bits");
  } else if (form.is_string()) {
    out.kind = Kind::kString;
    out.text = form.get_ref<const std::string&>();
  } else {
    FormReader in(form, place);
    if (in.has("float")) {
      out.kind = Kind::kFloat;
      std::optional<double> real;
      in.real("float", real);
      out.real = real.value_or(0);
    } else {
      out.kind = in.has("record") ? Kind::kRecord : Kind::kList;
      in.required("items");
      in.ids("items", out.items);
      if (out.kind == Kind::kRecord) in.id("record", out.type);
    }
    return in.finish();
  }
  return {};
}

Json form_of(const GenSpec& spec) {
  FormWriter out;
  out.text("name", spec.name);
  out.id("type", spec.type);
  out.list("options", spec.options, [](GenOption option) { return name_in(option_names(), option); });
  out.integer("max_tokens", spec.max_tokens);
  out.flag("many", spec.many);
  out.flag("logprobs", spec.logprobs);
  return out.take();
}

Status read_form(const Json& form, const Place& place, GenSpec& out) {
  FormReader in(form, place);
  in.text("name", out.name);
  in.id("type", out.type);
  in.list("options", out.options, [](const Json& item, const Place& at, GenOption& option) -> Status {
    const auto names = option_names();
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!item.is_string() || item.get_ref<const std::string&>() != names[i]) continue;
      option = static_cast<GenOption>(i);
      return {};
    }
    return form_error(at, "must be the name of an option");
  });
  in.integer("max_tokens", out.max_tokens);
  in.flag("many", out.many);
  in.flag("logprobs", out.logprobs);
  return in.finish();
}

Json form_of(const SelectSpec& spec) {
  FormWriter out;
  out.text("name", spec.name);
  out.set("method", name_in(method_names(), spec.method));
  out.flag("scores", spec.scores);
  return out.take();
}

Status read_form(const Json& form, const Place& place, SelectSpec& out) {
  FormReader in(form, place);
  in.text("name", out.name);
  in.choice("method", method_names(), out.method);
  in.flag("scores", out.scores);
  return in.finish();
}

Json form_of(const ParallelSpec& spec) {
  FormWriter out;
  out.id("type", spec.type);
  out.list("entries", spec.entries, entry_form);
  return out.take();
}

Status read_form(const Json& form, const Place& place, ParallelSpec& out) {
  FormReader in(form, place);
  in.id("type", out.type);
  in.list("entries", out.entries, read_entry);
  return in.finish();
}

}  // namespace sgl::plan
