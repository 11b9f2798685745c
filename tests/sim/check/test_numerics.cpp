// Elements, their patterns and their rounding.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "sim/check/numerics.h"
#include "sim/check/tensor_image.h"

using namespace tessera::sim;

TEST_CASE("every integer in range has one pattern and comes back") {
  for (const int bits : {2, 4, 8, 11}) {
    const Format format{bits, Numbers::kInteger};
    for (std::int64_t value = -largest(format); value <= largest(format); ++value) {
      const std::uint32_t pattern = encode(static_cast<double>(value), format);
      CHECK(pattern >> bits == 0);
      CHECK(decode(pattern, format) == static_cast<double>(value));
    }
  }
}

TEST_CASE("integers round ties to even and saturate") {
  const Format format{8, Numbers::kInteger};
  const auto stored = [&](double value) { return decode(encode(value, format), format); };
  CHECK(stored(2.5) == 2);
  CHECK(stored(3.5) == 4);
  CHECK(stored(-2.5) == -2);
  CHECK(stored(1000) == 127);
  CHECK(stored(-1000) == -127);
}

TEST_CASE("every finite FP16 and BF16 pattern comes back") {
  for (const Numbers numbers : {Numbers::kFp16, Numbers::kBf16}) {
    const Format format{16, numbers};
    const std::uint32_t infinity = numbers == Numbers::kFp16 ? 0x7C00 : 0x7F80;
    for (std::uint32_t pattern = 0; pattern < infinity; ++pattern) {
      if (encode(decode(pattern, format), format) != pattern) FAIL(pattern);
      const std::uint32_t negative = pattern | 0x8000;
      if (encode(decode(negative, format), format) != negative) FAIL(negative);
    }
  }
}

TEST_CASE("BF16 is the upper half of FP32 rounded to nearest even") {
  const Format format{16, Numbers::kBf16};
  CHECK(encode(1.0, format) == 0x3F80);
  CHECK(encode(1.0 + 0x1p-8, format) == 0x3F80);            // a tie goes to the even one below
  CHECK(encode(1.0 + 3 * 0x1p-8, format) == 0x3F82);        // and to the even one above
  CHECK(encode(1.0 + 0x1p-8 + 0x1p-40, format) == 0x3F81);  // just above the tie
  CHECK(encode(-2.0, format) == 0xC000);
  CHECK(encode(std::numeric_limits<double>::infinity(), format) == 0x7F7F);
}

TEST_CASE("FP16 has the values of IEEE 754") {
  const Format format{16, Numbers::kFp16};
  CHECK(encode(1.0, format) == 0x3C00);
  CHECK(encode(65504.0, format) == 0x7BFF);
  CHECK(encode(1e6, format) == 0x7BFF);
  CHECK(encode(0x1p-24, format) == 0x0001);  // the smallest subnormal
  CHECK(encode(0x1p-25, format) == 0x0000);  // half of it ties to even
  CHECK(encode(0x1p-14, format) == 0x0400);  // the smallest normal
  CHECK(encode(1.0 + 0x1p-11, format) == 0x3C00);
}

TEST_CASE("sums wrap at the width of an accumulator") {
  CHECK(wrapped(127, 8) == 127);
  CHECK(wrapped(128, 8) == -128);
  CHECK(wrapped((std::int64_t{1} << 31) + 5, 32) == -(std::int64_t{1} << 31) + 5);
}

TEST_CASE("weights stay so small that sums fit 32 bits") {
  const Format wide{16, Numbers::kInteger}, byte{8, Numbers::kInteger};
  for (const std::int64_t k : {1, 768, 3072, 16384}) {
    CHECK(weight_magnitude(wide, wide, k) * largest(wide) * k < std::int64_t{1} << 31);
    CHECK(weight_magnitude(byte, wide, k) * largest(wide) * k < std::int64_t{1} << 31);
  }
  CHECK(weight_magnitude(byte, byte, 768) == 127);
}

TEST_CASE("packed elements do not disturb their neighbours") {
  for (const int bits : {2, 3, 4, 8, 11, 16}) {
    tessera::workloads::ElementFormat format;
    format.bits = bits;
    TensorImage image(5, 7, format);
    CHECK(image.row_bytes == (7 * bits + 7) / 8);
    const std::uint32_t mask = (1U << bits) - 1;
    for (std::int64_t i = 0; i < 35; ++i) image.put(i, static_cast<std::uint32_t>(i * 77) & mask);
    for (std::int64_t i = 0; i < 35; ++i) {
      CHECK(image.get(i) == (static_cast<std::uint32_t>(i * 77) & mask));
    }
  }
  tessera::workloads::ElementFormat four_bits;
  four_bits.bits = 4;
  TensorImage nibbles(1, 4, four_bits);
  nibbles.put(0, 1);
  nibbles.put(1, 2);
  CHECK(nibbles.bytes[0] == 0x21);  // the first element in the lowest bits
}

TEST_CASE("operations follow their formulas") {
  const auto of = [](const std::string& operation, std::vector<std::vector<double>> operands) {
    return evaluate({operation}, {3, 0, std::move(operands), {}});
  };
  CHECK(of("add", {{1, 2}, {3, -4}}) == std::vector<double>{2, -1});
  CHECK(of("relu", {{-1, 2}}) == std::vector<double>{0, 2});
  CHECK(of("gelu", {{1}})[0] == Approx(0.841345));
  CHECK(of("silu_mul", {{1}, {2}})[0] == Approx(2 / (1 + std::exp(-1.0))));
  const std::vector<double> shares = of("softmax", {{0, 8, 16}});
  CHECK(shares[0] + shares[1] + shares[2] == Approx(3));
  CHECK(shares[2] / shares[1] == Approx(std::exp(1.0)));
  const std::vector<double> norm = of("layernorm", {{1, 2, 3, 4}});
  CHECK(norm[0] + norm[1] + norm[2] + norm[3] == Approx(0).margin(1e-12));
  const std::vector<double> turned = of("rope", {{1, 0}});  // row 3, pair 0: by 3 radians
  CHECK(turned[0] == Approx(std::cos(3.0)));
  CHECK(turned[1] == Approx(std::sin(3.0)));
}
