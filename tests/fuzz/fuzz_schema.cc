// The first byte chooses order and white space, the rest is a JSON Schema. What compiles is walked with tokens chosen
// by the input: every mask is what trying every token says, a budget that was enough stays enough until the value is
// whole, and the value is accepted as a whole. All of it within the limits of time.
#include <chrono>
#include <memory>

#include "runtime/base/check.h"
#include "runtime/constraint/json_schema.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/vocabulary.h"

namespace {

using namespace sgl::constraint;

const std::shared_ptr<const Vocabulary>& vocabulary() {
  static const auto made =
      sgl::fuzz::vocabulary_of({"ab", "abc", "12",  "00",     "\":",      "\",\"", "{\"", "true", "null", "],[",
                                "  ", "\\u", "\\n", "\u00e9", "\xF0\x9F", "-1",    "0.",  "}}",   "a\"}", "\n  "});
  return made;
}

SchemaOptions options_of(std::uint8_t choice) {
  SchemaOptions out;
  out.order = (choice & 1) != 0 ? PropertyOrder::kAny : PropertyOrder::kSchema;
  constexpr Whitespace kAll[] = {Whitespace::kCompact, Whitespace::kAny, Whitespace::kIndent, Whitespace::kCompact};
  out.whitespace = kAll[choice >> 1 & 3];
  out.indent = choice >> 3 & 3;
  out.unsupported = (choice & 32) != 0 ? Unsupported::kIgnore : Unsupported::kError;
  out.limits.max_bytes = 8192, out.limits.max_nesting = 40, out.limits.max_goals = 2'000;
  out.limits.max_alternatives = 64, out.limits.max_states = 20'000, out.limits.max_frames = 20'000;
  out.limits.time = std::chrono::milliseconds(2'000);
  return out;
}

// A walk of at most `budget` tokens.
void walk(const std::shared_ptr<const Constraint>& constraint, std::int64_t budget, std::uint64_t random) {
  Matcher matcher(constraint, vocabulary());
  std::string text;
  for (std::int64_t left = budget; left > 0; --left) {
    const auto mask = matcher.mask();
    const auto within = matcher.mask_within(left - 1);
    const auto tried = matcher.mask_by_trial();
    if (!mask.ok() || !within.ok() || !tried.ok()) return;  // a limit, for this walk alone
    std::vector<TokenId> ids;
    for (std::size_t i = 0; i < (*mask)->size(); ++i) {
      const auto id = static_cast<TokenId>(i);
      SGL_ASSERT((*mask)->test(id) == tried->test(id));
      if (!(*within)->test(id)) continue;
      SGL_ASSERT((*mask)->test(id));
      ids.push_back(id);
    }
    if (ids.empty() && matcher.is_complete()) break;
    if (ids.empty()) {
      SGL_ASSERT(left == budget);  // too small from the beginning, or never
      return;
    }
    random = random * 6364136223846793005 + 1442695040888963407;
    const TokenId id = ids[static_cast<std::size_t>(random >> 33) % ids.size()];
    const std::size_t before = matcher.accepted();
    if (!matcher.accept(id)) return;  // at the limit of states
    SGL_ASSERT(matcher.accepted() == before + 1);
    if (vocabulary()->bytes(id).empty()) break;
    text += vocabulary()->bytes(id);
  }
  SGL_ASSERT(matcher.is_complete());
  SGL_ASSERT(accepts(*constraint, text));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const SchemaOptions options = options_of(data[0]);
  const SchemaResult made = compile_json_schema(sgl::fuzz::as_text(data + 1, size - 1), options);
  if (!made.ok()) {
    SGL_ASSERT(!made.message.empty());
    return 0;
  }
  std::uint64_t random = size;
  for (std::size_t i = 0; i < size; ++i) random = random * 31 + data[i];
  for (const std::int64_t budget : {3, 12, 40})
    walk(made.constraint, budget, random + static_cast<std::uint64_t>(budget));
  return 0;
}
