// The bytes of a constraint as `save` writes them, without the header whose checksum would refuse nearly every change:
// what is read is walked, and every mask is what trying every token says. The header's own reader gets the same bytes.
#include <chrono>
#include <memory>

#include "runtime/base/check.h"
#include "runtime/constraint/compiled.h"
#include "runtime/constraint/compiled_io.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/vocabulary.h"

namespace {

using namespace sgl::constraint;

const std::shared_ptr<const Vocabulary>& vocabulary() {
  static const auto made =
      sgl::fuzz::vocabulary_of({"ab", "12", "\":", "\",\"", "{\"", "true", "],[", "\\u", "\u00e9", "}}"});
  return made;
}

void walk(const std::shared_ptr<const Constraint>& constraint, std::uint64_t random) {
  Matcher matcher(constraint, vocabulary());
  for (int step = 0; step < 24; ++step) {
    const auto mask = matcher.mask();
    const auto tried = matcher.mask_by_trial();
    if (!mask.ok() || !tried.ok()) return;  // a limit, for this walk alone
    std::vector<TokenId> ids;
    for (std::size_t i = 0; i < (*mask)->size(); ++i) {
      const auto id = static_cast<TokenId>(i);
      SGL_ASSERT((*mask)->test(id) == tried->test(id));
      if ((*mask)->test(id)) ids.push_back(id);
    }
    if (ids.empty()) return;
    random = random * 6364136223846793005 + 1442695040888963407;
    const TokenId id = ids[static_cast<std::size_t>(random >> 33) % ids.size()];
    if (vocabulary()->bytes(id).empty() || !matcher.accept(id)) return;
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = sgl::fuzz::as_text(data, size);
  LoadLimits limits;
  limits.max_bytes = 16 << 10, limits.max_table = 200'000;
  limits.type.max_states = 20'000;
  limits.schema.max_states = 20'000, limits.schema.max_frames = 20'000;
  limits.schema.max_goals = 2'000, limits.schema.max_alternatives = 64;
  limits.schema.mask_time = std::chrono::milliseconds(2'000);
  SGL_ASSERT(!load(bytes, digest_of(std::string_view{"{}"}, SchemaOptions{}), limits).ok());

  CompiledReader in(bytes, limits);
  const std::shared_ptr<const Constraint> constraint = read_constraint(in, 1);
  SGL_ASSERT(!in.ok() || constraint != nullptr);
  if (!in.ok()) {
    SGL_ASSERT(!in.problem().empty());
    return 0;
  }
  std::uint64_t random = size;
  for (std::size_t i = 0; i < size; ++i) random = random * 31 + data[i];
  walk(constraint, random);
  return 0;
}
