#include "runtime/constraint/schema_refs.h"

#include <charconv>

namespace sgl::constraint {
namespace {

struct Uri {
  std::string_view scheme, authority, path;  // scheme with its colon, authority with its slashes
};

Uri split(std::string_view uri) {
  Uri out;
  const std::size_t colon = uri.find(':'), slash = uri.find('/');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon < slash)) {
    out.scheme = uri.substr(0, colon + 1);
    uri.remove_prefix(colon + 1);
  }
  if (uri.starts_with("//")) {
    const std::size_t end = std::min(uri.find('/', 2), uri.size());
    out.authority = uri.substr(0, end);
    uri.remove_prefix(end);
  }
  out.path = uri;
  return out;
}

// RFC 3986, 5.2.4.
std::string without_dots(std::string_view path) {
  std::string out;
  std::size_t at = 0;
  while (at <= path.size()) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    const bool last = end == path.size();
    if (part == "..") {
      if (out.size() > 1) out.resize(out.rfind('/', out.size() - 2) + 1);
    } else if (part != ".") {
      out += part;
      if (!last) out += '/';
    }
    at = end + 1;
  }
  return out;
}

// RFC 3986, 5.2, for references without a fragment.
std::string resolve(std::string_view base, std::string_view ref) {
  if (ref.empty()) return std::string(base);
  const Uri r = split(ref);
  if (!r.scheme.empty()) return std::string(ref);
  const Uri b = split(base);
  if (!r.authority.empty()) return std::string(b.scheme) + std::string(ref);
  std::string path;
  if (r.path.starts_with('/')) {
    path = r.path;
  } else {
    path = std::string(b.path.substr(0, b.path.rfind('/') + 1)) + std::string(r.path);
  }
  return std::string(b.scheme) + std::string(b.authority) + without_dots(path);
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr == text.data() + i + 3) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::pair<std::string_view, std::string_view> at_hash(std::string_view uri) {
  const std::size_t hash = uri.find('#');
  if (hash == std::string_view::npos) return {uri, {}};
  return {uri.substr(0, hash), uri.substr(hash + 1)};
}

}  // namespace

std::string escape_pointer(std::string_view key) {
  if (key.find_first_of("~/") == std::string_view::npos) return std::string(key);
  std::string out;
  for (char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

SchemaRefs::SchemaRefs(const Json& root, bool old_ids) : old_ids_(old_ids) {
  root_base_ = base_of(root, "");
  places_[""] = places_[root_base_] = {&root, "", root_base_};
  std::string pointer;
  collect(root, pointer, "");
}

const Json* SchemaRefs::member(const Json& object, std::string_view key) const {
  constexpr std::size_t kFew = 16;
  const auto& members = object.get_ref<const Json::object_t&>();
  if (members.size() <= kFew) {
    for (const auto& [name, value] : members) {
      if (name == key) return &value;
    }
    return nullptr;
  }
  const auto [index, fresh] = members_.try_emplace(&object);
  if (fresh) {
    for (const auto& [name, value] : members) index->second.try_emplace(name, &value);
  }
  const auto it = index->second.find(key);
  return it == index->second.end() ? nullptr : it->second;
}

const std::string* SchemaRefs::id_of(const Json& value) const {
  if (!value.is_object()) return nullptr;
  for (const char* key : {"$id", "id"}) {
    if (key[0] == 'i' && !old_ids_) break;
    const Json* id = member(value, key);
    if (id != nullptr && id->is_string()) return id->get_ptr<const std::string*>();
  }
  return nullptr;
}

std::string SchemaRefs::base_of(const Json& value, const std::string& base) const {
  const std::string* id = id_of(value);
  return id == nullptr ? base : resolve(base, at_hash(*id).first);
}

// The document's nesting is bounded (SchemaLimits::max_nesting), so recursion is.
void SchemaRefs::collect(const Json& value, std::string& pointer, const std::string& outer) {
  const std::size_t here = pointer.size();
  if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (!value[i].is_structured()) continue;
      pointer += "/" + std::to_string(i);
      collect(value[i], pointer, outer);
      pointer.resize(here);
    }
    return;
  }
  if (!value.is_object()) return;
  const std::string base = base_of(value, outer);
  if (const std::string* id = id_of(value)) {
    places_.try_emplace(base, SchemaPlace{&value, pointer, base});
    const std::string_view fragment = at_hash(*id).second;  // an anchor's spelling up to draft 7
    if (!fragment.empty()) places_.try_emplace(base + "#" + std::string(fragment), SchemaPlace{&value, pointer, base});
  }
  for (const auto& [key, child] : value.get_ref<const Json::object_t&>()) {
    if (key == "enum" || key == "const" || key == "default" || key == "examples") continue;
    if ((key == "$anchor" || key == "$dynamicAnchor") && child.is_string()) {
      places_.try_emplace(base + "#" + child.get<std::string>(), SchemaPlace{&value, pointer, base});
    }
    if (!child.is_structured()) continue;
    pointer += '/';
    pointer += escape_pointer(key);
    collect(child, pointer, base);
    pointer.resize(here);
  }
}

SchemaPlace SchemaRefs::at_pointer(const SchemaPlace& from, std::string_view pointer) const {
  SchemaPlace out = from;
  for (std::size_t at = 0; at < pointer.size();) {
    const std::size_t end = std::min(pointer.find('/', at + 1), pointer.size());
    std::string key;
    for (std::size_t i = at + 1; i < end; ++i) {
      const bool escaped = pointer[i] == '~' && i + 1 < end && (pointer[i + 1] == '0' || pointer[i + 1] == '1');
      key += escaped ? (pointer[++i] == '0' ? '~' : '/') : pointer[i];
    }
    if (const Json* value = out.value->is_object() ? member(*out.value, key) : nullptr; value != nullptr) {
      out.value = value;
    } else if (std::size_t index = 0;
               out.value->is_array() &&
               std::from_chars(key.data(), key.data() + key.size(), index).ptr == key.data() + key.size() &&
               !key.empty() && index < out.value->size()) {
      out.value = &(*out.value)[index];
    } else {
      return {};
    }
    out.pointer += "/" + escape_pointer(key);
    at = end;
    if (at < pointer.size()) out.base = base_of(*out.value, out.base);
  }
  return out;
}

SchemaPlace SchemaRefs::find(std::string_view ref, std::string_view base) const {
  const auto [uri, fragment] = at_hash(ref);
  const std::string target = resolve(base, uri);
  auto it = places_.find(target);
  if (it == places_.end() && target.ends_with('#')) it = places_.find(target.substr(0, target.size() - 1));
  if (fragment.empty() || fragment.starts_with('/')) {
    if (it == places_.end()) return {};
    return at_pointer(it->second, percent_decoded(fragment));
  }
  it = places_.find(target + "#" + std::string(fragment));
  return it == places_.end() ? SchemaPlace{} : it->second;
}

}  // namespace sgl::constraint
