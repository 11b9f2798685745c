// One execution of a Gemm operator as commands, tile by tile.
#pragma once

#include "sim/lowering/operator_lowering.h"

namespace tessera::sim {

/// Walks instances and the three tile loops of the mapping. A tile moves only when its index
/// differs from the previous iteration's; a resident tile moves once; unfinished results leave as
/// partial sums and come back; finished ones leave through the epilogue.
class GemmLowering : public OperatorLowering {
 public:
  GemmLowering(CommandWriter& writer, const OperatorSite& site);
  bool emit() override;

 private:
  struct Index {
    std::int64_t m = 0, k = 0, n = 0;
    bool operator==(const Index& o) const { return m == o.m && k == o.k && n == o.n; }
  };
  /// A ring of slots, or one slot per tile.
  struct Ring {
    Slots slots;
    std::int64_t turn = -1;
    hw::Region at(std::int64_t slot, Bytes bytes) const;
    hw::Region current(Bytes bytes) const { return at(turn % slots.count, bytes); }
  };
  /// An operand: which slot holds its present tile.
  struct Operand {
    const workloads::MatrixView* view = nullptr;
    Ring ring;
    bool resident = false;
    bool stays = false;        // stationary in the array
    std::vector<bool> loaded;  // resident: by tile
    hw::TileOperand tile;      // of the present iteration
  };

  bool advance();
  void begin_instance();
  Index index() const;
  std::int64_t at(LoopDim dim) const;     // index of the present tile
  std::int64_t first(LoopDim dim) const;  // its first row or column
  std::int64_t size(LoopDim dim, std::int64_t at) const;
  /// The present tile of a matrix whose rows and columns run along these loops.
  TileWindow window(LoopDim rows, LoopDim cols) const;
  void load_operand(Operand& operand, const TileWindow& stored, std::int64_t tile,
                    std::int64_t tiles, bool changed);
  void load_a(bool changed);
  void load_b(bool changed);
  bool last_k() const;
  void enter_result();
  void leave_result();
  TensorBox result_box() const;
  hw::GemmCommand command() const;
  hw::Region next_output(Bytes bytes) const;
  void load_residual();
  TileWindow result_window() const;
  void store_result();

  CommandWriter& writer_;
  OperatorSite site_;
  const GemmMapping& mapping_;
  std::int64_t total_m_, total_k_, total_n_, instances_;
  Index tiles_;  // number of tiles
  std::int64_t instance_ = 0;
  std::int64_t loop_[3] = {0, 0, 0};  // outer to inner
  bool started_ = false, fresh_ = true;
  Index at_, before_;
  Operand a_, b_;
  Ring results_, outputs_;
  std::vector<std::int64_t> k_done_;  // by result tile of this instance
  int result_bits_ = 32, output_bits_ = 8;
  std::int64_t columns_per_result_ = 1;
  std::string precision_;
};

}  // namespace tessera::sim
