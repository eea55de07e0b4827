#include "runtime/plan/codec.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "runtime/base/base64.h"
#include "runtime/base/sha256.h"
#include "runtime/plan/json_form.h"

namespace sgl::plan {
namespace {

constexpr std::string_view kMagic = "SGLPLAN\n";
constexpr std::size_t kVersionAt = 8, kSizeAt = 12, kDigestAt = 20, kHeaderSize = 52;
static_assert(kMagic.size() == kVersionAt && kDigestAt + sizeof(base::Sha256) == kHeaderSize);

void append_little_endian(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
}

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(bytes[i]);
  return value;
}

std::string_view digest_bytes(const base::Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::size_t max_payload(const PlanLimits& limits) {
  // The longest form of an instruction with its position is 40 bytes, of an operand 5; the fields of an entry, names
  // of fields included, stay below 256 bytes, and a type has at most a constraint beside it.
  return limits.text_bytes + base::base64url_size(limits.constraint_bytes) + 40 * limits.code + 5 * limits.args +
         256 * (2 * limits.types + limits.constants + limits.functions + limits.programs);
}

// Walks CBOR without recursion and accepts only what `encode` writes: definite lengths, no tags, no byte strings, no
// floats of 16 bits, text as keys. The library's reader recurses and allocates as the bytes tell it, so bytes from
// outside pass here first.
class CborScan {
 public:
  CborScan(std::string_view bytes, std::size_t max_values) : bytes_(bytes), values_left_(max_values) {}

  // One whole value and nothing after it.
  bool accepts() {
    std::vector<Open> open = {{1, false}};
    while (!open.empty()) {
      if (open.back().left == 0) {
        open.pop_back();
        continue;
      }
      Open& top = open.back();
      const bool key = top.map && top.left % 2 == 0;
      --top.left;
      const std::optional<Open> inner = item(key);
      if (failed_) return false;
      if (inner) open.push_back(*inner);
      if (open.size() > kMaxDepth + 1) return false;
    }
    return at_ == bytes_.size();
  }

 private:
  struct Open {
    std::size_t left = 0;  // items, keys included
    bool map = false;
  };

  std::optional<Open> fail() {
    failed_ = true;
    return std::nullopt;
  }

  // Reads one item's head (and a string's text). An array or map that it opens is returned.
  std::optional<Open> item(bool key) {
    if (at_ >= bytes_.size() || values_left_ == 0) return fail();
    --values_left_;
    const auto first = static_cast<std::uint8_t>(bytes_[at_++]);
    const unsigned major = first >> 5, low = first & 31;
    if (key && major != 3) return fail();
    if (major == 7) return simple(low);
    std::uint64_t number = low;
    if (low > 27) return fail();  // 31 is an indefinite length
    if (low >= 24) {
      const std::size_t bytes = std::size_t{1} << (low - 24);
      if (bytes > left()) return fail();
      number = 0;
      for (std::size_t i = 0; i < bytes; ++i) number = number << 8 | static_cast<std::uint8_t>(bytes_[at_++]);
    }
    switch (major) {
      case 0:
        return std::nullopt;
      case 1:
        return number >> 63 == 0 ? std::nullopt : fail();  // below the integers of 64 bits
      case 3:
        if (number > left()) return fail();
        at_ += number;
        return std::nullopt;
      case 4:
        return number <= left() ? std::optional(Open{number, false}) : fail();
      case 5:
        return number <= left() / 2 ? std::optional(Open{2 * number, true}) : fail();
      default:
        return fail();
    }
  }

  std::optional<Open> simple(unsigned low) {
    constexpr unsigned kFalse = 20, kTrue = 21, kNull = 22, kFloat32 = 26, kFloat64 = 27;
    if (low == kFalse || low == kTrue || low == kNull) return std::nullopt;
    if (low != kFloat32 && low != kFloat64) return fail();
    const std::size_t bytes = low == kFloat32 ? 4 : 8;
    if (bytes > left()) return fail();
    at_ += bytes;
    return std::nullopt;
  }

  std::size_t left() const { return bytes_.size() - at_; }

  std::string_view bytes_;
  std::size_t at_ = 0;
  std::size_t values_left_;
  bool failed_ = false;
};

}  // namespace

std::string encode(const Plan& plan) {
  // nlohmann::json keeps object keys sorted, which makes the payload a function of the plan.
  std::string payload;
  Json::to_cbor(plan_form(plan), payload);
  std::string out(kMagic);
  append_little_endian(out, kPlanVersion, kSizeAt - kVersionAt);
  append_little_endian(out, payload.size(), kDigestAt - kSizeAt);
  out += digest_bytes(base::sha256(payload));
  return out + payload;
}

bool looks_like_plan(std::string_view bytes) {
  return bytes.starts_with(kMagic);
}

base::Expected<Plan> decode(std::string_view bytes, const PlanLimits& limits) {
  if (!looks_like_plan(bytes)) return base::invalid("not a plan: it does not begin with SGLPLAN");
  if (bytes.size() < kSizeAt) return base::invalid("the plan is truncated in its header");
  const std::uint64_t version = little_endian(bytes.substr(kVersionAt, kSizeAt - kVersionAt));
  if (version != kPlanVersion) {
    return base::invalid(
        fmt::format("the plan is of version {}, this runtime reads version {}", version, kPlanVersion));
  }
  if (bytes.size() < kHeaderSize) return base::invalid("the plan is truncated in its header");
  const std::uint64_t size = little_endian(bytes.substr(kSizeAt, kDigestAt - kSizeAt));
  const std::string_view payload = bytes.substr(kHeaderSize);
  if (size != payload.size()) {
    return base::invalid(fmt::format("the plan is {}: {} bytes of {}", payload.size() < size ? "truncated" : "too long",
                                     payload.size(), size));
  }
  if (payload.size() > max_payload(limits)) {
    return base::invalid(fmt::format("the plan has {} bytes, over the limit of {}", size, max_payload(limits)));
  }
  if (digest_bytes(base::sha256(payload)) != bytes.substr(kDigestAt, sizeof(base::Sha256))) {
    return base::invalid("the plan is damaged: its checksum does not match");
  }
  if (!CborScan(payload, max_values(limits)).accepts()) return base::invalid("the plan's payload is malformed CBOR");
  const Json form = Json::from_cbor(payload.begin(), payload.end(), true, false);
  if (form.is_discarded()) return base::invalid("the plan's payload is malformed CBOR");
  SGL_TRY(Plan plan, read_plan(form));
  SGL_TRY_STATUS(verify(plan, limits));
  return plan;
}

}  // namespace sgl::plan
