// Elements become bytes: in bits, scales included, rounded up per row.
#include <catch2/catch.hpp>
#include <string>

#include "workloads/tensor.h"

namespace tessera::workloads {
namespace {

Tensor matrix(std::int64_t rows, std::int64_t cols, int bits) {
  Tensor tensor;
  tensor.shape = {rows, cols};
  tensor.format.bits = bits;
  return tensor;
}

}  // namespace

TEST_CASE("rows are all dimensions but the last") {
  Tensor tensor;
  tensor.shape = {2, 3, 5, 7};
  CHECK(row_count(tensor) == 30);
  CHECK(row_length(tensor) == 7);
  CHECK(element_count(tensor) == 210);
}

TEST_CASE("a vector is one row") {
  Tensor tensor;
  tensor.shape = {9};
  CHECK(row_count(tensor) == 1);
  CHECK(row_length(tensor) == 9);
}

TEST_CASE("eight bit elements take a byte each") {
  CHECK(stored_bytes(matrix(10, 7, 8)) == 70);
  CHECK(stored_bytes(matrix(10, 7, 8), 3, 5) == 15);
}

TEST_CASE("four bit rows of odd width round up to whole bytes") {
  CHECK(stored_bytes(matrix(3, 8, 4)) == 3 * 4);
  CHECK(stored_bytes(matrix(3, 7, 4)) == 3 * 4);
  CHECK(stored_bytes(matrix(3, 9, 4)) == 3 * 5);
  CHECK(stored_bytes(matrix(3, 1, 4)) == 3);
}

TEST_CASE("six bit rows are counted in bits before they are rounded") {
  CHECK(stored_bytes(matrix(1, 4, 6)) == 3);
  CHECK(stored_bytes(matrix(1, 5, 6)) == 4);
  CHECK(stored_bytes(matrix(2, 5, 6)) == 8);
}

TEST_CASE("every started group of a row stores its scale") {
  Tensor tensor = matrix(2, 64, 4);
  tensor.format.group = 32;
  tensor.format.scale_bits = 16;
  CHECK(stored_bytes(tensor) == 2 * (32 + 2 * 2));
  CHECK(stored_bytes(tensor, 1, 33) == (33 * 4 + 2 * 16 + 7) / 8);
  CHECK(stored_bytes(tensor, 1, 32) == 16 + 2);
  CHECK(stored_bytes(tensor, 1, 1) == 3);
}

TEST_CASE("one scale for the whole tensor is not counted") {
  Tensor tensor = matrix(2, 64, 4);
  tensor.format.scale_bits = 16;
  CHECK(stored_bytes(tensor) == 64);
}

TEST_CASE("an empty tile takes no bytes") {
  CHECK(stored_bytes(matrix(4, 4, 8), 0, 4) == 0);
  CHECK(stored_bytes(matrix(4, 4, 8), 4, 0) == 0);
}

TEST_CASE("tensor classes have names") {
  CHECK(std::string(to_string(TensorClass::kWeights)) == "weights");
  CHECK(std::string(to_string(TensorClass::kActivations)) == "activations");
  CHECK(std::string(to_string(TensorClass::kKvCache)) == "kv_cache");
}

}  // namespace tessera::workloads
