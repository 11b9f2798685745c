#include "workloads/tensor.h"

#include <stdexcept>

namespace tessera::workloads {
namespace {

std::int64_t ceil_div(std::int64_t value, std::int64_t divisor) {
  return (value + divisor - 1) / divisor;
}

std::int64_t scale_count(const ElementFormat& format, std::int64_t cols) {
  return format.group > 0 ? ceil_div(cols, format.group) : 0;
}

}  // namespace

std::int64_t element_count(const Tensor& tensor) { return row_count(tensor) * row_length(tensor); }

std::int64_t row_count(const Tensor& tensor) {
  std::int64_t rows = 1;
  for (std::size_t i = 0; i + 1 < tensor.shape.size(); ++i) {
    rows *= tensor.shape[i];
  }
  return rows;
}

std::int64_t row_length(const Tensor& tensor) {
  return tensor.shape.empty() ? 1 : tensor.shape.back();
}

Bytes stored_bytes(const Tensor& tensor, std::int64_t rows, std::int64_t cols) {
  const ElementFormat& format = tensor.format;
  const std::int64_t row_bits = cols * format.bits + scale_count(format, cols) * format.scale_bits;
  return rows * ceil_div(row_bits, 8);
}

Bytes bytes_before(const ElementFormat& format, std::int64_t col) {
  return (col * format.bits + scale_count(format, col) * format.scale_bits) / 8;
}

Bytes stored_bytes(const Tensor& tensor) {
  return stored_bytes(tensor, row_count(tensor), row_length(tensor));
}

std::string to_string(const ElementType& type) {
  const char* const kind = type.kind == NumberKind::kInteger ? "int"
                           : type.kind == NumberKind::kFloat ? "fp"
                                                             : "bf";
  return kind + std::to_string(type.bits);
}

const char* to_string(TensorClass cls) {
  switch (cls) {
    case TensorClass::kWeights:
      return "weights";
    case TensorClass::kActivations:
      return "activations";
    case TensorClass::kKvCache:
      return "kv_cache";
  }
  throw std::logic_error("unknown tensor class");
}

}  // namespace tessera::workloads
