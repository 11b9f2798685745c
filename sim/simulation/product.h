// A matrix product in numbers: random operands, the plain product, and whether results equal it.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <vector>

#include "hw_models/array_timing.h"

namespace tessera::sim {

using Matrix = std::vector<std::int64_t>;  // row by row

/// Results that are not the product.
class WrongProduct : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Product {
  hw::GemmShape shape;
  Matrix a;  // m x k
  Matrix b;  // k x n
  Matrix c;  // m x n, what the results are added to; empty: zero
};

struct OperandBits {
  int a = 8, b = 8, c = 16;  // of signed integers
};

/// Operands of `seed`, of the full range of their bits; the same on every host.
/// REQUIRES: k 2^(a + b - 2) below 2^62: sums are exact.
Product random_product(const hw::GemmShape& shape, const OperandBits& bits, bool accumulate,
                       std::uint64_t seed);

/// A B + C by three loops, in 64 bits.
Matrix plain_product(const Product& product);

/// Throws WrongProduct with the first wrong element and how many there are.
void check_product(const Product& product, const Matrix& results);

}  // namespace tessera::sim
