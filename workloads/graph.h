// Operators in topological order over tensors. Knows no hardware.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "workloads/tensor.h"

namespace tessera::workloads {

/// Field-standard operator kinds. `kCopy` moves rows without arithmetic (KV-cache write, CLS
/// concatenation); `kEmbedding` gathers rows of a table; `kScale` multiplies by a constant or by
/// one parameter a column; `kTimeEmbed` is sine and cosine of a time step; `kAttention` is made by
/// the fusion pass.
enum class OperatorKind {
  kGemm,
  kBatchedGemm,
  kSoftmax,
  kLayerNorm,
  kRmsNorm,
  kGelu,
  kQuickGelu,
  kSilu,
  kSiluMul,
  kGeluMul,
  kRelu,
  kTanh,
  kRope,
  kAdd,
  kScale,
  kTimeEmbed,
  kEmbedding,
  kCopy,
  kAttention
};

/// A strided dimension: `count` steps of `stride` elements.
struct Dim {
  std::int64_t count = 1;
  std::int64_t stride = 0;
};

/// How an operator sees (part of) a tensor as a batch of matrices. Element (b0, b1, g, r, c) of the
/// view lies at offset + b0*batch[0].stride + b1*batch[1].stride + g*group.stride
/// + r*row_stride + c (all in elements of the tensor). One matrix has group.count * rows rows
/// (row index = g * rows + r) and `cols` contiguous columns. `transposed`: the operator uses the
/// transpose of that matrix (keys in attention scores are stored [n][k] and used as [k][n]).
struct MatrixView {
  TensorId tensor = kNoTensor;
  std::int64_t offset = 0;
  std::array<Dim, 2> batch{};  // {requests of the batch, KV heads}
  Dim group{};                 // query heads that share one KV head; images whose rows do not
                               // follow each other evenly (PatchEmbed behind CLS rows)
  std::int64_t rows = 0;
  std::int64_t row_stride = 0;
  std::int64_t cols = 0;
  bool transposed = false;
  std::int64_t repeat_stride = 0;  // how far every repeat of the phase moves the view on
};

/// `view` in repeat `repeat` (from 0) of its phase.
MatrixView in_repeat(MatrixView view, int repeat);

/// How attention reduces a row of scores: whole rows, or block of keys by block of keys with a
/// running maximum and sum. `kAuto`: whoever maps it decides.
enum class Softmax { kThreePass, kOnline, kAuto };

enum class Mask { kNone, kFull, kCausal };

/// One arithmetic step that runs on results as they leave the accumulators.
struct EpilogueStep {
  std::string member;     // name of the graph operator it came from, e.g. "GELU"
  std::string operation;  // key of the vector unit's operation table, e.g. "gelu"
};

/// One operator execution of the graph (one layer, one repeat).
/// Gemm: C[m,n] = A[m,k] * B[k,n], `instances` independent ones (heads x batch; 1 for kGemm). With
/// gate and up fused, their columns come in turn, and each pair makes one result: outputs[0] has
/// n/2 columns. `group` query heads that share a KV head run as one Gemm of group*m rows: the
/// machine executes instances/group Gemms of (group*m, k, n). Others: m rows of n elements, k = 0,
/// instances = 1. Their views hold m rows over batch and group (b0, b1, g, r from outer to inner);
/// stride 0 repeats rows (positions for each request). Attention: O[m,v] = softmax(Q[m,k] * K[k,n])
/// * V[n,v], inputs {Q, K, V}, instances and group as of the two Gemms in `parts`; v =
/// outputs[0].cols. Scores and probabilities never leave the chip.
struct Operator {
  std::string name;   // printed kernel name, e.g. "Attn_Q"
  std::string phase;  // e.g. "vision"
  int layer = -1;     // -1 outside the layer stack
  OperatorKind kind = OperatorKind::kGemm;
  std::int64_t m = 0, k = 0, n = 0;
  std::int64_t instances = 1;
  std::int64_t group = 1;
  Mask mask = Mask::kNone;           // attention scores and softmax
  std::vector<MatrixView> inputs;    // Gemm: {A, B}, or with a residual addition {A, B, R}, R as C;
                                     // others: each input, rows x n, in order
  std::vector<MatrixView> outputs;   // one, but for RoPE and KV write (several column ranges)
  std::vector<TensorId> parameters;  // small weights besides the operands (norm scale and shift)
  std::string operation;             // key of the vector operation table; empty for Gemm and copies
  std::vector<EpilogueStep> epilogue;  // set by the fusion pass; Gemm kinds only
  std::vector<std::string> members;    // names of the operators fused into this one, itself first
  std::vector<MatrixView> kept;        // results of members that fusion keeps on chip
  std::vector<MatrixView> spared;      // operands that members would read again each on its own
  Softmax softmax = Softmax::kThreePass;  // of attention
  std::vector<Operator> parts;  // attention: scores, softmax, context as they stand unfused
};

/// `op` in repeat `repeat` (from 0) of its phase.
Operator in_repeat(Operator op, int repeat);

bool is_gemm(const Operator& op);
/// The array works for it.
bool uses_array(const Operator& op);
/// Softmax and norms: a row must be seen whole before any of its results can be written.
bool is_row_reduction(const Operator& op);
/// m*k*n*instances; of attention both Gemms; 0 for vector operators.
std::int64_t mac_count(const Operator& op);
/// Columns of the product that make one result: 2 with gate and up fused. REQUIRES: is_gemm(op).
std::int64_t columns_per_result(const Operator& op);
/// A Gemm whose epilogue begins with the addition of inputs[2].
bool adds_residual(const Operator& op);
/// Weight elements: the right operand if it is a weight tensor, parameters, tables excluded.
std::int64_t weight_elements(const Operator& op, const std::vector<Tensor>& tensors);
/// Activation (and KV) elements read, each distinct element once.
std::int64_t input_elements(const Operator& op, const std::vector<Tensor>& tensors);
std::int64_t output_elements(const Operator& op);
/// Time on the array is spent for these MACs (dense today: all of them).
std::int64_t effective_macs(const Operator& op);

/// A stretch of the workload. All repeats run on one machine without reset.
struct Phase {
  std::string name;   // "vision"
  std::string title;  // "SigLIP-B/16-512, 1 image"
  std::string unit;   // what one repeat yields: "image", "request", "prompt"
  int units = 1;      // how many of them (the batch)
  int repeat = 1;
  double not_before_s = 0.0;  // a request's arrival
  int first_operator = 0;     // [first, last) in Graph::operators
  int last_operator = 0;
};

struct Graph {
  std::vector<Tensor> tensors;
  std::vector<Operator> operators;
  std::vector<Phase> phases;
};

const char* to_string(OperatorKind kind);
/// The `kind` column of operators.csv: gemm, bmm, softmax, norm, act, rope, eltwise, embed, kv,
/// layout, attention.
const char* csv_kind(const Operator& op);
const char* to_string(Mask mask);

}  // namespace tessera::workloads
