#include "sim/check/numerics.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace tessera::sim {
namespace {

/// A binary floating-point format with subnormals; the largest exponent is kept for infinities.
struct FloatLayout {
  int mantissa = 7, exponent = 8;
  int bias() const { return (1 << (exponent - 1)) - 1; }
  double most() const {
    return std::ldexp(2.0 - std::ldexp(1.0, -mantissa), (1 << exponent) - 2 - bias());
  }
};

FloatLayout float_layout(Numbers numbers) {
  return numbers == Numbers::kBf16 ? FloatLayout{7, 8} : FloatLayout{10, 5};
}

std::uint32_t encode_float(double value, const FloatLayout& layout) {
  const std::uint32_t sign = std::signbit(value) ? 1U : 0U;
  const double size = std::min(std::fabs(value), layout.most());
  const int least = 1 - layout.bias();  // exponent of subnormals
  const int exponent = size == 0 ? least : std::max(least, std::ilogb(size));
  const double steps = std::nearbyint(std::ldexp(size, layout.mantissa - exponent));
  // Rounding up to the next power of two carries into the exponent by itself.
  auto pattern = static_cast<std::uint32_t>(steps);
  if (steps >= std::ldexp(1.0, layout.mantissa)) {
    pattern += static_cast<std::uint32_t>(exponent - least) << layout.mantissa;
  }
  return sign << (layout.mantissa + layout.exponent) | pattern;
}

double decode_float(std::uint32_t pattern, const FloatLayout& layout) {
  const std::uint32_t mantissa = pattern & ((1U << layout.mantissa) - 1);
  const int exponent = static_cast<int>(pattern >> layout.mantissa & ((1U << layout.exponent) - 1));
  const bool normal = exponent > 0;
  const double steps = normal ? mantissa + std::ldexp(1.0, layout.mantissa) : mantissa;
  const double size = std::ldexp(steps, (normal ? exponent : 1) - layout.bias() - layout.mantissa);
  return pattern >> (layout.mantissa + layout.exponent) & 1U ? -size : size;
}

double gelu(double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2.0))); }
double silu(double x) { return x / (1 + std::exp(-x)); }

using Row = std::vector<double>;

void softmax(Row& row) {
  const double largest = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (double& x : row) {
    x = std::exp((x - largest) / 8);
    sum += x;
  }
  for (double& x : row) x *= static_cast<double>(row.size()) / sum;
}

void normalise(Row& row, bool centred, const Row& scale, const Row& shift) {
  const auto count = static_cast<double>(row.size());
  double mean = 0, squares = 0;
  for (const double x : row) mean += centred ? x / count : 0;
  for (const double x : row) squares += (x - mean) * (x - mean) / count;
  const double root = std::sqrt(squares + 1e-6);
  for (std::size_t i = 0; i < row.size(); ++i) {
    row[i] = (row[i] - mean) / root * (1 + (scale.empty() ? 0 : scale[i] / 8)) +
             (shift.empty() ? 0 : shift[i] / 8);
  }
}

void turn_pairs(Row& values, std::int64_t row, std::int64_t first) {
  for (std::size_t i = 0; i + 1 < values.size(); i += 2) {
    const auto col = static_cast<double>((first + static_cast<std::int64_t>(i)) % 64);
    const double angle = static_cast<double>(row) / std::pow(10000.0, col / 64);
    const double x = values[i], y = values[i + 1];
    values[i] = x * std::cos(angle) - y * std::sin(angle);
    values[i + 1] = x * std::sin(angle) + y * std::cos(angle);
  }
}

/// By a constant, or by one factor a column.
void scale(Row& row, const Row& factors) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    row[i] *= factors.empty() ? 0.75 : 1 + factors[i] / 8;
  }
}

using Unary = double (*)(double);
Unary unary(const std::string& operation) {
  if (operation == "requantise") return [](double x) { return x; };
  if (operation == "relu") return [](double x) { return x > 0 ? x : 0; };
  if (operation == "tanh") return [](double x) { return std::tanh(x); };
  if (operation == "gelu") return gelu;
  if (operation == "silu") return silu;
  if (operation == "sin_cos") return [](double x) { return std::sin(x); };
  if (operation == "quick_gelu") return [](double x) { return x / (1 + std::exp(-1.702 * x)); };
  return nullptr;
}

using Binary = double (*)(double, double);
Binary binary(const std::string& operation) {
  if (operation == "add") return [](double a, double b) { return (a + b) / 2; };
  if (operation == "silu_mul") return [](double a, double b) { return silu(a) * b; };
  if (operation == "gelu_mul") return [](double a, double b) { return gelu(a) * b; };
  return nullptr;
}

bool normalises(const std::string& operation) {
  return operation == "layernorm" || operation == "rmsnorm";
}

/// What the operations have not used yet.
struct Unused {
  std::size_t operand = 1, parameter = 0;
};

Row take(const std::vector<Row>& from, std::size_t& next) {
  return next < from.size() ? from[next++] : Row();
}

void stand_in(Row& values, const RowSlice& slice, Unused& unused) {
  for (double& x : values) x = x / 2 + x * x / 8;
  while (unused.operand < slice.operands.size()) {
    const Row& other = slice.operands[unused.operand++];
    for (std::size_t i = 0; i < values.size(); ++i) values[i] += other[i] / 4;
  }
}

void step(const std::string& operation, const RowSlice& slice, Row& values, Unused& unused) {
  if (const Unary f = unary(operation)) {
    for (double& x : values) x = f(x);
  } else if (const Binary g = binary(operation)) {
    const Row other = take(slice.operands, unused.operand);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = g(values[i], other.empty() ? values[i] : other[i]);
    }
  } else if (operation == "softmax") {
    softmax(values);
  } else if (normalises(operation)) {
    const bool centred = operation == "layernorm";
    const Row scale = take(slice.parameters, unused.parameter);
    normalise(values, centred, scale, centred ? take(slice.parameters, unused.parameter) : Row());
  } else if (operation == "scale") {
    scale(values, take(slice.parameters, unused.parameter));
  } else if (operation == "rope") {
    turn_pairs(values, slice.row, slice.first);
  } else {
    stand_in(values, slice, unused);
  }
}

bool any_of(const std::vector<std::string>& operations, bool (*f)(const std::string&)) {
  return std::any_of(operations.begin(), operations.end(), f);
}

}  // namespace

const char* to_string(Numbers numbers) {
  switch (numbers) {
    case Numbers::kInteger:
      return "integer";
    case Numbers::kBf16:
      return "bf16";
    case Numbers::kFp16:
      return "fp16";
  }
  return "?";
}

Format format_of(int bits, Numbers numbers) {
  return {bits, bits == 16 ? numbers : Numbers::kInteger};
}

Format format_of(const workloads::Tensor& tensor, Numbers numbers) {
  return format_of(tensor.format.bits, numbers);
}

std::int64_t largest(const Format& format) {
  if (format.is_float()) return 1;
  return std::max<std::int64_t>(
      1, std::min<std::int64_t>((std::int64_t{1} << (format.bits - 1)) - 1, 1 << 10));
}

double unit(const Format& format) {
  return format.is_float() ? 1.0 : 4.0 / static_cast<double>(largest(format));
}

std::int32_t decode_integer(std::uint32_t pattern, int bits) {
  return static_cast<std::int32_t>(pattern << (32 - bits)) >> (32 - bits);
}

double decode(std::uint32_t pattern, const Format& format) {
  if (format.is_float()) return decode_float(pattern, float_layout(format.numbers));
  return decode_integer(pattern, format.bits);
}

std::uint32_t encode(double value, const Format& format) {
  if (format.is_float()) return encode_float(value, float_layout(format.numbers));
  const auto most = static_cast<double>(largest(format));
  const auto rounded = static_cast<std::int32_t>(std::nearbyint(std::clamp(value, -most, most)));
  return static_cast<std::uint32_t>(rounded) & (0xFFFFFFFFU >> (32 - format.bits));
}

std::int64_t wrapped(std::int64_t value, int bits) {
  const int unused = 64 - bits;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(value) << unused) >> unused;
}

std::uint32_t random_pattern(std::uint64_t random, const Format& format, std::int64_t magnitude) {
  if (format.is_float()) {
    const double steps = static_cast<double>(random % 255) - 127;
    return encode(std::ldexp(steps, static_cast<int>(random / 255 % 4) - 8), format);
  }
  const auto span = static_cast<std::uint64_t>(2 * magnitude + 1);
  return encode(static_cast<double>(random % span) - static_cast<double>(magnitude), format);
}

std::int64_t weight_magnitude(const Format& weight, const Format& left, std::int64_t k) {
  if (weight.is_float() || left.is_float()) return largest(weight);
  const std::int64_t fits = ((std::int64_t{1} << 31) - 1) / (largest(left) * k);
  return std::clamp<std::int64_t>(fits, 1, largest(weight));
}

double sum_scale(std::int64_t left_magnitude, std::int64_t right_magnitude, bool floats,
                 std::int64_t k) {
  // Uniform data of magnitude x have a root mean square of x / sqrt 3; activations of 4 / sqrt 3.
  const double sizes =
      floats ? 3.0 : static_cast<double>(left_magnitude) * static_cast<double>(right_magnitude);
  const double spread = std::sqrt(static_cast<double>(k)) * sizes / std::sqrt(3.0) / 4;
  return std::exp2(-std::round(std::log2(spread)));
}

bool has_formula(const std::string& operation) {
  return unary(operation) != nullptr || binary(operation) != nullptr || normalises(operation) ||
         operation == "softmax" || operation == "rope" || operation == "scale";
}

bool reduces_rows(const std::vector<std::string>& operations) {
  return any_of(operations, [](const std::string& o) { return o == "softmax" || normalises(o); });
}

bool turns_pairs(const std::vector<std::string>& operations) {
  return any_of(operations, [](const std::string& o) { return o == "rope"; });
}

std::vector<double> evaluate(const std::vector<std::string>& operations, RowSlice slice) {
  Row values = slice.operands.empty() ? Row() : slice.operands[0];
  Unused unused;
  for (const std::string& operation : operations) step(operation, slice, values, unused);
  return values;
}

std::uint32_t finish_sum(double scaled_sum, const std::vector<std::string>& epilogue,
                         const Format& output) {
  double value = scaled_sum;
  for (const std::string& operation : epilogue) {
    if (const Unary f = unary(operation)) {
      value = f(value);
    } else {
      value = evaluate({operation}, {0, 0, {{value}}, {}})[0];
    }
  }
  return encode(value / unit(output), output);
}

std::uint32_t finish_pair(double first, double second, const std::vector<std::string>& epilogue,
                          const Format& output) {
  const double joined = evaluate({epilogue.at(0)}, {0, 0, {{first}, {second}}, {}})[0];
  return finish_sum(joined, {epilogue.begin() + 1, epilogue.end()}, output);
}

}  // namespace tessera::sim
