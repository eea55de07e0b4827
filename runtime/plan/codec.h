// The binary form of a plan, `.sglp`.
//
// Layout: 8 bytes magic "SGLPLAN\n", u32 little-endian version, u64 little-endian payload size, 32 bytes SHA-256 of
// the payload, then the payload: one CBOR (RFC 8949) map with a section per member of Plan.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/expected.h"
#include "runtime/plan/plan.h"
#include "runtime/plan/verify.h"

namespace sgl::plan {

// Deterministic: equal plans give equal bytes.
std::string encode(const Plan& plan);

// Decodes and verifies. Errors: `invalid` with a reason (not a plan, another version, truncated, checksum, malformed
// section and its name, or what `verify` says). Never crashes on any bytes.
base::Expected<Plan> decode(std::string_view bytes, const PlanLimits& limits = {});

// Do these bytes begin like a plan file?
bool looks_like_plan(std::string_view bytes);

}  // namespace sgl::plan
