// The plain reference: the graph, operator by operator, on whole tensors. Knows no program, no plan
// and no machine.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/check/numerics.h"
#include "sim/check/tensor_image.h"
#include "workloads/graph.h"

namespace tessera::sim {

/// The scale of an operator's sums of products, as both sides apply it.
double operator_scale(const workloads::Graph& graph, const workloads::Operator& op,
                      Numbers numbers);
/// The vector operations of an operator, in order.
std::vector<std::string> operations_of(const workloads::Operator& op);

class Reference {
 public:
  /// Random data for every tensor that no operator writes, and for state. `accumulator_bits`: sums
  /// wrap there.
  /// `key_blocks`: by operator, how many keys online softmax takes at once (it rounds after each
  /// block, so its values depend on that), 0 elsewhere; empty: nowhere.
  Reference(const workloads::Graph& graph, Numbers numbers, int accumulator_bits,
            std::uint64_t seed, std::vector<std::int64_t> key_blocks = {});
  /// Evaluates every phase as often as it repeats.
  void run();
  const TensorImage& tensor(workloads::TensorId id) const {
    return tensors_[static_cast<std::size_t>(id)];
  }
  /// The tensor before the run. REQUIRES: !produced(id).
  const TensorImage& before(workloads::TensorId id) const;
  /// The tensor once repeat `repeat` of the phase of operator `op` has finished.
  const TensorImage& after(workloads::TensorId id, int op, int repeat) const;
  /// Is every element that is read written first?
  bool produced(workloads::TensorId id) const { return produced_[static_cast<std::size_t>(id)]; }
  /// Operators whose integer sums left an accumulator of 32 bits or more.
  const std::vector<std::string>& overflows() const { return overflows_; }

 private:
  void fill(workloads::TensorId id, std::uint64_t seed);
  std::int64_t magnitude(workloads::TensorId id) const;
  using Images = std::map<workloads::TensorId, TensorImage>;
  void evaluate_operator(const workloads::Operator& op, std::int64_t key_block);
  void online_attention(const workloads::Operator& op, std::int64_t key_block);
  template <class Sum>
  void online_row(const workloads::Operator& op, std::int64_t key_block, std::int64_t matrix,
                  std::int64_t row);
  Images outputs_of(const workloads::Phase& phase) const;
  void gemm(const workloads::Operator& op);
  void gemm_row(const workloads::Operator& op, std::int64_t matrix, std::int64_t row);
  void vector(const workloads::Operator& op);
  Format format(workloads::TensorId id) const;

  const workloads::Graph& graph_;
  Numbers numbers_;
  int accumulator_bits_;
  std::vector<TensorImage> tensors_;
  std::vector<bool> produced_;
  std::vector<std::int64_t> key_blocks_;
  Images state_;                              // before the run
  std::vector<std::vector<Images>> history_;  // by phase that repeats and repeat: its outputs
  std::vector<std::string> overflows_;
};

}  // namespace tessera::sim
