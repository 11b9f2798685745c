// A tensor of the graph: shape, class and storage format. Knows no hardware.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tessera::workloads {

using Bytes = std::int64_t;
using TensorId = int;
constexpr TensorId kNoTensor = -1;

/// What a tensor is, independent of the operand position it takes: the right operand of an
/// attention score is a KV-cache tensor, not a weight.
enum class TensorClass { kWeights, kActivations, kKvCache };

enum class Encoding { kDense };  // the only one built; sparse encodings are a later choice

/// What the bits of an element mean. BF16: 8 bits of exponent; FP16 and FP32 as in IEEE 754.
enum class NumberKind { kInteger, kFloat, kBfloat };

/// Width and kind of one element: int4, int8, int16, fp16, bf16, fp32.
struct ElementType {
  int bits = 8;
  NumberKind kind = NumberKind::kInteger;
  constexpr ElementType(int width = 8, NumberKind number = NumberKind::kInteger)
      : bits(width), kind(number) {}
  bool operator==(const ElementType& other) const {
    return bits == other.bits && kind == other.kind;
  }
  bool operator!=(const ElementType& other) const { return !(*this == other); }
};
/// "int8", "bf16", "fp32".
std::string to_string(const ElementType& type);

/// Storage format of one element, as the precision pass sets it.
struct ElementFormat {
  int bits = 8;
  NumberKind kind = NumberKind::kInteger;
  bool is_signed = true;
  int group = 0;         // elements sharing one scale; 0 = one scale per tensor (not counted)
  int scale_bits = 0;    // bits of one scale
  double density = 1.0;  // share of stored elements; 1.0 for dense
  Encoding encoding = Encoding::kDense;
  ElementType type() const { return {bits, kind}; }
};

struct Tensor {
  std::string name;                 // unique in its graph, e.g. "vision.L3.Attn_Q.out"
  std::vector<std::int64_t> shape;  // row-major, last dimension contiguous
  TensorClass cls = TensorClass::kActivations;
  ElementFormat format;
  bool is_table = false;  // an embedding table: only gathered rows move
  bool is_state = false;  // operators write (part of) it, yet it holds data before the run
  bool own_bits = false;  // the model itself fixes format.bits: the precision pass leaves them
};

std::int64_t element_count(const Tensor& tensor);
/// Product of all dimensions but the last.
std::int64_t row_count(const Tensor& tensor);
/// Length of the last dimension.
std::int64_t row_length(const Tensor& tensor);

/// Bytes that a rows x cols tile of `tensor` takes: counted in bits, scales included, rounded up
/// to whole bytes per row. The only place where elements become bytes.
Bytes stored_bytes(const Tensor& tensor, std::int64_t rows, std::int64_t cols);
/// Bytes of a row in front of its element `col`: every group of elements lies behind its scale.
/// REQUIRES: `col` begins a group, and a whole byte.
Bytes bytes_before(const ElementFormat& format, std::int64_t col);
/// Bytes of the whole tensor.
Bytes stored_bytes(const Tensor& tensor);

const char* to_string(TensorClass cls);

}  // namespace tessera::workloads
