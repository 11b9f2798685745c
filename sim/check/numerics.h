// What every operation computes, element by element: one definition for the interpreter of programs
// and for the plain reference. Pure.
//
// These are the numbers of the check, not of a model: data are random, scales are powers of two
// that keep values spread over the range of their format, so that a wrong element shows.
//
// Elements. Integers of 2 to 16 bits, two's complement, packed without gaps within a row, the first
// element in the lowest bits. 16-bit elements may be BF16 or FP16 instead (Numbers). An element
// stands for the real number element * unit(format).
//
// Products. Integers: exact sums, kept modulo 2^(width of an accumulator) in two's complement.
// BF16, FP16: a product is exact in FP32; every addition rounds to nearest even in FP32; products
// of a result are added one by one in ascending order of k, whatever the tiles. (An array adds
// within a column first; the order is a convention that makes tilings comparable, bit for bit.)
//
// Stores round to nearest even, ties to even, and saturate. In between, operations work in double.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "workloads/graph.h"

namespace tessera::sim {

/// What 16-bit elements are. All others are integers.
enum class Numbers { kInteger, kBf16, kFp16 };
const char* to_string(Numbers numbers);

/// How one element is stored.
struct Format {
  int bits = 8;
  Numbers numbers = Numbers::kInteger;  // never a float but for 16 bits
  bool is_float() const { return numbers != Numbers::kInteger; }
};
Format format_of(const workloads::Tensor& tensor, Numbers numbers);
Format format_of(int bits, Numbers numbers);

/// The largest integer that an element may take: 2^(bits-1) - 1, but at most 2^10, so that sums of
/// products of two activations fit 32 bits up to 2048 of them.
std::int64_t largest(const Format& format);
/// The real number that integer 1 stands for: activations span -4 to 4. Floats: 1.
double unit(const Format& format);

/// A stored pattern of `format.bits` bits and its number.
double decode(std::uint32_t pattern, const Format& format);
/// Rounded to nearest even, saturated.
std::uint32_t encode(double value, const Format& format);
/// The integer of a pattern. REQUIRES: !format.is_float().
std::int32_t decode_integer(std::uint32_t pattern, int bits);
/// `value` modulo 2^bits in two's complement.
std::int64_t wrapped(std::int64_t value, int bits);

/// Random data: integers of at most `magnitude`; floats of 7 random bits and one of 4 exponents.
std::uint32_t random_pattern(std::uint64_t random, const Format& format, std::int64_t magnitude);
/// How large weights may be for sums of k products with `left` to fit 32 bits.
std::int64_t weight_magnitude(const Format& weight, const Format& left, std::int64_t k);

/// The power of two that makes sums of k products about as spread as an activation.
double sum_scale(std::int64_t left_magnitude, std::int64_t right_magnitude, bool floats,
                 std::int64_t k);

/// Columns of one row of a vector operator, from column `first` on. `operands`: the values of each
/// operand; views narrower than the row lie side by side and make one operand. `parameters`: norm
/// scale, then shift, of these columns.
struct RowSlice {
  std::int64_t row = 0;  // of all rows of the operator
  std::int64_t first = 0;
  std::vector<std::vector<double>> operands, parameters;
};
/// `operations` one after the other on each column. An operation of two operands takes what the one
/// before it left and the next operand. Softmax and norms need the whole row. Formulas:
///   requantise x | add (a + b) / 2 | relu max(x, 0) | tanh tanh(x) | gelu x/2 (1 + erf(x / sqrt
///   2)) quick_gelu x / (1 + exp(-1.702 x)) | silu x / (1 + exp(-x)) | silu_mul silu(a) b gelu_mul
///   gelu(a) b | softmax n exp((x - max) / 8) / sum exp((x - max) / 8), n columns, no mask
///   layernorm (x - mean) / deviation (1 + scale / 8) + shift / 8
///   rmsnorm x / root mean square (1 + scale / 8)
///   rope: columns 2i and 2i + 1 turned by row / 10000^((2i mod 64) / 64) radians
///   anything else: x / 2 + x^2 / 8 + 1/4 of the sum of its operands, a stand-in (has_formula())
std::vector<double> evaluate(const std::vector<std::string>& operations, RowSlice slice);
bool has_formula(const std::string& operation);
/// Needs whole rows.
bool reduces_rows(const std::vector<std::string>& operations);
/// Columns 2i and 2i + 1 must come together.
bool turns_pairs(const std::vector<std::string>& operations);
/// A result of a Gemm: its sum of products, scaled, through the steps of its epilogue.
std::uint32_t finish_sum(double scaled_sum, const std::vector<std::string>& epilogue,
                         const Format& output);
/// The same where the first step joins two values: two columns, or a sum and a residual.
std::uint32_t finish_pair(double first, double second, const std::vector<std::string>& epilogue,
                          const Format& output);

}  // namespace tessera::sim
