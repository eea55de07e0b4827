#include "server/auth/principal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sgl::server {
namespace {

constexpr std::array<std::string_view, kScopeCount> kNames = {"generate", "programs:run", "programs:write", "metrics",
                                                              "admin"};

bool listed(const std::vector<std::string>& list, std::string_view name) {
  return list.empty() || std::find(list.begin(), list.end(), name) != list.end();
}

}  // namespace

std::string_view scope_name(Scope scope) {
  return kNames[static_cast<std::size_t>(scope)];
}

std::optional<Scope> scope_named(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Scope>(i);
  }
  return std::nullopt;
}

std::vector<std::string> Scopes::names() const {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (((bits_ >> i) & 1U) != 0) out.emplace_back(kNames[i]);
  }
  return out;
}

base::Expected<Scopes> Scopes::parse(const std::vector<std::string>& names) {
  Scopes out;
  for (const std::string& name : names) {
    const auto scope = scope_named(name);
    if (!scope) {
      return base::invalid(fmt::format("there is no scope '{}'; scopes are {}", name, fmt::join(kNames, ", ")));
    }
    out.add(*scope);
  }
  return out;
}

bool Principal::may_use_model(std::string_view name) const {
  return listed(models, name);
}
bool Principal::may_use_program(std::string_view name_or_id) const {
  return listed(programs, name_or_id);
}

}  // namespace sgl::server
