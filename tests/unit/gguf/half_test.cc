#include "runtime/base/half.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using sgl::base::float_to_half;
using sgl::base::half_to_float;

TEST_CASE("every half survives the way to float and back") {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = half_to_float(half);
    if (std::isnan(value)) {
      CHECK(std::isnan(half_to_float(float_to_half(value))));
    } else if (float_to_half(value) != half) {
      FAIL("half " << bits << " became " << float_to_half(value));
    }
  }
  CHECK(half_to_float(0x3C00) == 1.0F);
  CHECK(half_to_float(0xC000) == -2.0F);
  CHECK(half_to_float(0x0001) == std::ldexp(1.0F, -24));
  CHECK(half_to_float(0x7BFF) == 65504.0F);
}

TEST_CASE("floats between two halves go to the nearer one, ties to the even one") {
  for (unsigned bits = 0; bits < 0x7BFF; ++bits) {
    const auto low = static_cast<std::uint16_t>(bits), high = static_cast<std::uint16_t>(bits + 1);
    const float a = half_to_float(low), b = half_to_float(high), middle = a + (b - a) / 2;
    const std::uint16_t even = bits % 2 == 0 ? low : high;
    const bool right = float_to_half(middle) == even && float_to_half(std::nextafter(middle, a)) == low &&
                       float_to_half(std::nextafter(middle, b)) == high && float_to_half(-middle) == (even | 0x8000);
    if (!right) FAIL("around half " << bits);
  }
  CHECK(float_to_half(65519.996F) == 0x7BFF);
  CHECK(float_to_half(65520.0F) == 0x7C00);
  CHECK(float_to_half(std::numeric_limits<float>::infinity()) == 0x7C00);
  CHECK(float_to_half(std::numeric_limits<float>::denorm_min()) == 0);
}
