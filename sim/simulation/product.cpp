#include "sim/simulation/product.h"

#include <random>

#include <fmt/format.h>

namespace tessera::sim {
namespace {

std::size_t index(std::int64_t row, std::int64_t cols, std::int64_t col) {
  return static_cast<std::size_t>(row * cols + col);
}

Matrix random_matrix(std::int64_t rows, std::int64_t cols, int bits, std::mt19937_64& random) {
  const std::uint64_t values = std::uint64_t{1} << bits;
  Matrix matrix(static_cast<std::size_t>(rows * cols));
  // The engine's own bits: distributions differ from library to library.
  for (std::int64_t& value : matrix) {
    value = static_cast<std::int64_t>(random() % values) - static_cast<std::int64_t>(values / 2);
  }
  return matrix;
}

}  // namespace

Product random_product(const hw::GemmShape& shape, const OperandBits& bits, bool accumulate,
                       std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Product product;
  product.shape = shape;
  product.a = random_matrix(shape.m, shape.k, bits.a, random);
  product.b = random_matrix(shape.k, shape.n, bits.b, random);
  if (accumulate) product.c = random_matrix(shape.m, shape.n, bits.c, random);
  return product;
}

Matrix plain_product(const Product& product) {
  const hw::GemmShape& s = product.shape;
  Matrix c = product.c;
  c.resize(static_cast<std::size_t>(s.m * s.n));
  for (std::int64_t m = 0; m < s.m; ++m) {
    for (std::int64_t k = 0; k < s.k; ++k) {
      const std::int64_t a = product.a[index(m, s.k, k)];
      for (std::int64_t n = 0; n < s.n; ++n) {
        c[index(m, s.n, n)] += a * product.b[index(k, s.n, n)];
      }
    }
  }
  return c;
}

void check_product(const Product& product, const Matrix& results) {
  const Matrix expected = plain_product(product);
  if (results.size() != expected.size()) {
    throw WrongProduct(fmt::format("the array gave {} results, the product has {}", results.size(),
                                   expected.size()));
  }
  std::size_t wrong = 0, first = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i] == expected[i]) continue;
    if (wrong++ == 0) first = i;
  }
  if (wrong == 0) return;
  const auto cols = static_cast<std::size_t>(product.shape.n);
  throw WrongProduct(fmt::format(
      "{} of {} results of the array are wrong: the first, C[{}][{}], is {}, the "
      "product has {}",
      wrong, results.size(), first / cols, first % cols, results[first], expected[first]));
}

}  // namespace tessera::sim
