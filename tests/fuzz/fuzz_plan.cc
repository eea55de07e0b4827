// Any bytes as a binary plan, as they are and as the payload behind a correct header (else the checksum would keep the
// fuzzer out). What is accepted must survive both forms unchanged, and can be executed.
#include "runtime/base/check.h"
#include "runtime/base/sha256.h"
#include "runtime/plan/codec.h"
#include "runtime/plan/text.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/run_plan.h"

namespace {

using namespace sgl;

std::string with_header(std::string_view payload) {
  std::string out = "SGLPLAN\n";
  const auto little_endian = [&](std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
  };
  little_endian(plan::kPlanVersion, 4);
  little_endian(payload.size(), 8);
  for (const std::uint8_t byte : base::sha256(payload)) out.push_back(static_cast<char>(byte));
  return out.append(payload);
}

void decode(std::string_view bytes) {
  const auto decoded = plan::decode(bytes);
  if (!decoded.ok()) return;
  const std::string encoded = plan::encode(*decoded);
  const auto again = plan::decode(encoded);
  SGL_ASSERT(again.ok());
  SGL_ASSERT(plan::encode(*again) == encoded);
  const auto parsed = plan::parse(plan::print(*decoded));
  SGL_ASSERT(parsed.ok());
  SGL_ASSERT(plan::encode(*parsed) == encoded);
  fuzz::run_plan(*decoded);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fuzz::as_text(data, size);
  decode(bytes);
  decode(with_header(bytes));
  return 0;
}
