// Who a request comes from, and what that one may do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/expected.h"

namespace sgl::server {

enum class Scope : std::uint8_t {
  kGenerate,       // "generate": the native and the OpenAI dialect
  kProgramsRun,    // "programs:run"
  kProgramsWrite,  // "programs:write": store and delete programs
  kMetrics,        // "metrics"
  kAdmin,          // "admin": everything, and the tokens
};
constexpr std::size_t kScopeCount = 5;
std::string_view scope_name(Scope scope);
std::optional<Scope> scope_named(std::string_view name);

// A set of scopes.
class Scopes {
 public:
  Scopes() = default;
  static Scopes all() { return Scopes((1U << kScopeCount) - 1); }
  void add(Scope scope) { bits_ |= 1U << static_cast<unsigned>(scope); }
  // `admin` includes the others.
  bool has(Scope scope) const {
    return ((bits_ >> static_cast<unsigned>(scope)) & 1U) != 0 ||
           ((bits_ >> static_cast<unsigned>(Scope::kAdmin)) & 1U) != 0;
  }
  std::vector<std::string> names() const;
  // Errors: invalid, naming the unknown scope and the known ones.
  static base::Expected<Scopes> parse(const std::vector<std::string>& names);

 private:
  explicit Scopes(std::uint32_t bits) : bits_(bits) {}
  std::uint32_t bits_ = 0;
};

// 0: no limit.
struct Quotas {
  std::int64_t requests_per_minute = 0;
  std::int64_t tokens_per_minute = 0;  // prompt and generated
  std::int64_t tokens_per_day = 0;     // of UTC
  std::int64_t concurrent = 0;         // requests in work
  std::int64_t max_n = 0;              // `n` of one request
  std::int64_t max_forks = 0;          // forks of one program run
  std::int64_t max_context = 0;        // prompt and generated tokens of one request
  std::int64_t weight = 0;             // of the tenant among tenants that wait; 0: 1
};

struct Principal {
  std::string tenant = "default";  // the cache namespace and the unit of fairness
  std::string id;                  // for logs, quotas and usage: "sgl_ab12cd34", "jwt:subject", "cert:CN=…", "key"
  Scopes scopes;
  std::vector<std::string> models;    // allowed ones; empty: all
  std::vector<std::string> programs;  // names or ids; empty: all
  Quotas quotas;

  bool may_use_model(std::string_view name) const;
  bool may_use_program(std::string_view name_or_id) const;
};

}  // namespace sgl::server
