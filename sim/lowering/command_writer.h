// Writes commands into the program: numbers them, finds their waits.
#pragma once

#include <deque>
#include <vector>

#include "hw_models/hardware_config.h"
#include "hw_models/tile_program.h"
#include "sim/lowering/addresses.h"
#include "sim/lowering/hazards.h"
#include "sim/mapper/plan.h"
#include "workloads/graph.h"

namespace tessera::sim {

/// What the lowering of one operator execution reads.
struct OperatorSite {
  const workloads::Operator& op;
  const OperatorPlan& plan;
  int index = 0;  // in Graph::operators
};

class CommandWriter {
 public:
  CommandWriter(const workloads::Graph& graph, const Plan& plan,
                const hw::HardwareConfig& hardware);

  static constexpr int kStationaryQueue = 0;
  /// The load queue whose turn it is among those of streamed operands.
  int streamed_queue();

  /// Starts the execution of operator `index` in repeat `repeat` of its phase; its first command
  /// carries the launch.
  void begin_operator(int index, int repeat, hw::Femtoseconds not_before);

  /// Loads a window of a view into `region`, one command per strided piece, on `queue`.
  void load(const workloads::MatrixView& view, const TileWindow& window, const hw::Region& region,
            int queue);
  /// Loads a window of a view as blocks of `block_row` bytes a row.
  void load_blocks(const workloads::MatrixView& view, const TileWindow& window,
                   const hw::Region& region, Bytes block_row, int queue);
  /// Stores blocks of `block_row` bytes a row to a window of a view.
  void store_blocks(const workloads::MatrixView& view, const TileWindow& window,
                    const hw::Region& region, Bytes block_row);
  /// The next command also waits for `id`, whatever their bytes.
  void wait_also(hw::CommandId id) { also_ = id; }
  hw::CommandId last_id() const { return next_id_ - 1; }

  /// Stores `region` to a window of a view.
  void store(const workloads::MatrixView& view, const TileWindow& window, const hw::Region& region,
             bool from_accumulators);
  /// Whole tensors back to back (parameters).
  void load_tensor(workloads::TensorId tensor, const hw::Region& region, int queue);
  /// Partial sums: the box `tile` of a row-major result of `result_cols` columns at accumulator
  /// width, which lies in the operator's scratch. Loaded on the queue of streamed operands.
  void load_partial(const TensorBox& tile, std::int64_t result_cols, const hw::Region& region);
  void store_partial(const TensorBox& tile, std::int64_t result_cols, const hw::Region& region);
  void gemm(hw::GemmCommand command);
  void vector(hw::VectorCommand command);

  std::deque<hw::Command>& ready() { return ready_; }
  const workloads::Graph& graph() const { return graph_; }
  const Plan& plan() const { return plan_; }
  const hw::HardwareConfig& hardware() const { return hardware_; }
  hw::TrafficClass load_class(workloads::TensorId tensor) const;
  /// The region that holds the tensor on chip; null: it lies in DRAM.
  const Slots* kept(workloads::TensorId tensor) const;
  int accumulator_bits() const;

 private:
  int store_queue();
  void load_pieces(const workloads::MatrixView& view, const TileWindow& window,
                   const hw::Region& region, Bytes block_row, int queue);
  void store_pieces(const workloads::MatrixView& view, const TileWindow& window,
                    const hw::Region& region, Bytes block_row, bool from_accumulators);
  hw::Command make(hw::CommandKind kind, int queue);
  void push(hw::Command command, const WaitList& waits);
  void renew_outputs(int index, int repeat);
  bool starts_generation(int index, int repeat, const workloads::MatrixView& output) const;
  void renew_scratch(int index);
  LatestByQueue earlier_users(std::int64_t address, Bytes bytes) const;
  hw::StridedRange spilled(const TensorBox& tile, std::int64_t result_cols) const;
  TensorTracker& tracker(workloads::TensorId tensor);
  /// A tensor kept on chip that the present operator reads or writes.
  struct KeptTensor {
    workloads::TensorId id = workloads::kNoTensor;
    hw::Region region;
    Bytes pitch = 0;
  };
  void find_kept(const workloads::Operator& op);
  const KeptTensor* kept_at(const hw::TileOperand& operand) const;
  static TensorBox box_in(const KeptTensor& kept, const hw::TileOperand& operand);
  void read_operand(const hw::TileOperand& operand, int queue, hw::CommandId id, WaitList& waits);
  void write_operand(const hw::TileOperand& operand, int queue, hw::CommandId id, WaitList& waits);
  RegionTracker& regions(const hw::Region& region);

  const workloads::Graph& graph_;
  const Plan& plan_;
  const hw::HardwareConfig& hardware_;
  std::vector<RegionTracker> buffers_;
  std::vector<TensorTracker> tensors_;
  std::vector<KeptTensor> kept_;              // of the present operator
  std::vector<int> first_writer_;             // by tensor: operator index, -1: none
  TensorTracker partial_sums_;                // of the present operator
  std::vector<LatestByQueue> scratch_users_;  // by operator
  std::deque<hw::Command> ready_;
  hw::CommandId next_id_ = 0;
  hw::CommandId also_ = hw::kNoCommand;
  int op_ = -1;
  bool launch_ = false;
  hw::Femtoseconds not_before_ = 0;
  int load_turn_ = 0, store_turn_ = 0;
};

}  // namespace tessera::sim
