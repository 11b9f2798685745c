// What the mapper needs to know of one Gemm operator: sizes, widths, layout in DRAM.
#pragma once

#include <string>
#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/mapper/plan.h"
#include "workloads/graph.h"

namespace tessera::sim {

/// A matrix as it lies in DRAM. `transposed`: stored columns are rows of the operand.
struct OperandLayout {
  int bits = 8;
  int group = 0, scale_bits = 0;  // of elements of a stored row that share a scale; 0: none
  bool transposed = false;
  Bytes pitch = 0;        // from stored row to stored row
  Bytes grain = 0;        // every matrix starts at a multiple of it; 0: on a burst
  bool gathered = false;  // rows lie scattered (an embedding table)
  bool on_chip = false;   // kept there: takes no slots, moves nothing
};

OperandLayout operand_layout(const workloads::Graph& graph, const workloads::MatrixView& view,
                             const KeptTensors& kept = {});

/// `instances` independent C[m,n] = A[m,k] B[k,n], groups already folded into m.
struct GemmProblem {
  std::int64_t m = 0, k = 0, n = 0;
  std::int64_t instances = 1;
  OperandLayout a, b, out, partial;
  /// Columns that make one result, see workloads::columns_per_result(); `out.bits` are the bits of
  /// a result by column, so that n columns of `out` take the bytes of their results.
  int columns_per_result = 1;
  bool residual = false;  // a matrix laid out as `out` is read, tile by tile, into the outputs slot
  std::string precision;
  hw::PairRate rate;
  std::vector<std::string> epilogue;  // keys of the vector unit's operation table
};

/// REQUIRES: is_gemm(op). Throws MappingError when the array cannot run the precision pair or the
/// vector unit lacks an epilogue operation.
GemmProblem gemm_problem(const workloads::Graph& graph, const workloads::Operator& op,
                         const hw::HardwareConfig& hardware, const KeptTensors& kept = {});

/// Problems with equal keys have equal mappings.
std::string shape_key(const GemmProblem& problem);
std::string shape_key(const OperandLayout& layout);

/// Throws MappingError naming `operation` and the known ones unless the vector unit knows it.
void require_operation(const hw::HardwareConfig& hardware, const std::string& who,
                       const std::string& operation);

/// Bytes of `cols` elements of `bits`, rounded up to whole bytes.
constexpr Bytes row_bytes(std::int64_t cols, int bits) { return hw::ceil_div(cols * bits, 8); }
/// The same of a stored row, scales included.
inline Bytes row_bytes(std::int64_t cols, const OperandLayout& layout) {
  const std::int64_t scales = layout.group > 0 ? hw::ceil_div(cols, layout.group) : 0;
  return hw::ceil_div(cols * layout.bits + scales * layout.scale_bits, 8);
}
/// Fewest elements of a stored row that begin on a whole byte and in a group of their own.
std::int64_t row_grain(const OperandLayout& layout);

/// "w8a8", "bf16": what the Gemm's right and left operand are stored as.
std::string precision_of(const workloads::Graph& graph, const workloads::Operator& op);

}  // namespace tessera::sim
