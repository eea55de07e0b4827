// The JSON Schema Test Suite (draft 2020-12, required tests): every answer right, or the group's schema refused. Which
// groups are refused is a baseline that may only shrink: tests/baselines/json_schema_suite.txt. To rewrite it:
//   SGL_UPDATE_BASELINES=1 build/bin/unit_constraint -tc='*test suite*'
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "runtime/constraint/compiled.h"
#include "runtime/constraint/json_schema.h"
#include "runtime/constraint/number_dfa.h"
#include "tests/unit/constraint/support.h"

namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr const char* kBaseline = "tests/baselines/json_schema_suite.txt";

fs::path suite_folder() {
  const char* given = std::getenv("SGL_SCHEMA_SUITE");
  return given != nullptr ? fs::path(given) : fs::path("../shared/data/json-schema-test-suite");
}

// The value as text; numbers without exponents, because a restricted number has none.
std::string spelled(const Json& value) {
  std::string out;
  if (value.is_array()) {
    for (const Json& item : value) out += (out.empty() ? "" : ",") + spelled(item);
    return "[" + out + "]";
  }
  if (value.is_object()) {
    for (const auto& [key, item] : value.items())
      out += (out.empty() ? "" : ",") + Json(key).dump() + ":" + spelled(item);
    return "{" + out + "}";
  }
  out = value.dump();
  if (!value.is_number_float() || out.find('e') == std::string::npos) return out;
  const auto decimal = Decimal::parse(out);
  REQUIRE(decimal.has_value());
  std::string digits = decimal->digits;
  const auto scale = static_cast<std::size_t>(decimal->scale);
  if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
  if (scale > 0) digits.insert(digits.size() - scale, ".");
  return (decimal->negative ? "-" : "") + digits;
}

struct Tally {
  std::map<std::string, std::string> refused;  // group to why
  std::size_t groups = 0, right = 0;
};

// Byte by byte through the text, as far as it is accepted: a constraint that was saved and loaded gives the same masks.
void compare_loaded(const std::string& name, const ConstraintPtr& constraint, const ConstraintPtr& loaded,
                    std::string_view text) {
  static const auto kVocabulary = small_vocabulary();
  Matcher first(constraint, kVocabulary), second(loaded, kVocabulary);
  for (std::size_t i = 0;; ++i) {
    const auto a = first.mask(), b = second.mask();
    REQUIRE(a.ok() == b.ok());
    if (!a.ok()) return;
    CHECK_MESSAGE(std::ranges::equal((*a)->words(), (*b)->words()), name << ": " << text.substr(0, i));
    if (i == text.size()) return;
    const auto byte = static_cast<TokenId>(static_cast<unsigned char>(text[i]));
    const bool accepted = first.accept(byte);
    CHECK(second.accept(byte) == accepted);
    if (!accepted) return;
  }
}

ConstraintPtr reloaded(const Constraint& constraint) {
  const auto bytes = save(constraint, sgl::base::Sha256{});
  REQUIRE(bytes.ok());
  const auto made = load(*bytes, sgl::base::Sha256{});
  REQUIRE_MESSAGE(made.ok(), made.error().message);
  return *made;
}

void run_file(const fs::path& path, Tally& tally) {
  const Json groups = Json::parse(std::ifstream(path));
  for (const Json& group : groups) {
    const std::string name = path.filename().string() + ": " + group.at("description").get<std::string>();
    ++tally.groups;
    SchemaOptions options;
    options.order = PropertyOrder::kAny;
    options.whitespace = Whitespace::kAny;
    // The required tests have `format` as an annotation.
    if (path.stem() == "format") options.formats = Formats::kAnnotate;
    const SchemaResult made = compile_json_schema(group.at("schema").dump(), options);
    const ConstraintPtr loaded = made.ok() ? reloaded(*made.constraint) : nullptr;
    bool all_right = true;
    for (const Json& test : group.at("tests")) {
      const bool valid = test.at("valid").get<bool>();
      // A schema that no value satisfies is right to be refused, if no test says otherwise.
      if (made.status == SchemaStatus::kUnsatisfiable) {
        CHECK_MESSAGE(!valid, name << ", " << test.at("description") << ": the schema is said to be unsatisfiable");
        continue;
      }
      if (!made.ok()) continue;
      const std::string text = spelled(test.at("data"));
      compare_loaded(name, made.constraint, loaded, text);
      const bool right = accepts(*made.constraint, text) == valid;
      CHECK_MESSAGE(right, name << ", " << test.at("description") << ": " << text.substr(0, 200) << " is "
                                << (valid ? "valid but rejected" : "invalid but accepted"));
      all_right = all_right && right;
    }
    if (made.ok() || made.status == SchemaStatus::kUnsatisfiable) {
      tally.right += all_right ? 1 : 0;
      continue;
    }
    CHECK_MESSAGE(!made.message.empty(), name);
    const bool refusal = made.status == SchemaStatus::kUnsupported || made.status == SchemaStatus::kLimit;
    CHECK_MESSAGE(refusal, name << ": " << made.message);
    tally.refused[name] = made.pointer + ": " + made.message;
  }
}

void check_baseline(const Tally& tally) {
  if (std::getenv("SGL_UPDATE_BASELINES") != nullptr) {
    std::ofstream file(kBaseline);
    file << "# Groups of the JSON Schema Test Suite whose schema is refused; "
            "tests/unit/constraint/schema_suite_test.cc.\n";
    for (const auto& [name, why] : tally.refused) file << name << "\n";
    return;
  }
  std::ifstream file(kBaseline);
  REQUIRE_MESSAGE(file.good(), kBaseline);
  std::set<std::string> known;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') known.insert(line);
  }
  for (const auto& [name, why] : tally.refused) {
    CHECK_MESSAGE(known.contains(name), "newly refused: " << name << " at " << why);
  }
  for (const std::string& name : known) {
    CHECK_MESSAGE(tally.refused.contains(name), "no longer refused, so the baseline shrinks: " << name);
  }
}

}  // namespace

TEST_CASE("JSON Schema test suite: every answer right, or refused as the baseline says") {
  if (!fs::is_directory(suite_folder())) {
    MESSAGE("skipped: there is no " << suite_folder().string() << "; SGL_SCHEMA_SUITE names its folder");
    return;
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(suite_folder())) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  Tally tally;
  for (const fs::path& path : files) run_file(path, tally);
  MESSAGE(tally.right << " of " << tally.groups << " groups fully right, " << tally.refused.size() << " refused");
  CHECK(tally.right * 383 >= 300 * tally.groups);
  check_baseline(tally);
}
