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

/// Storage format of one element, as the precision pass sets it.
struct ElementFormat {
  int bits = 8;
  bool is_signed = true;
  int group = 0;         // elements sharing one scale; 0 = one scale per tensor (not counted)
  int scale_bits = 0;    // bits of one scale
  double density = 1.0;  // share of stored elements; 1.0 for dense
  Encoding encoding = Encoding::kDense;
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
/// Bytes of the whole tensor.
Bytes stored_bytes(const Tensor& tensor);

const char* to_string(TensorClass cls);

}  // namespace tessera::workloads
