// One execution of a Gemm operator on a machine with a hardware loop: tiles in small commands.
#pragma once

#include <vector>

#include "sim/lowering/operator_lowering.h"

namespace tessera::sim {

/// Walks instances and tiles (m, n, k from outer to inner). Inside a tile Gemms run over k, n, m
/// from outer to inner, blocks of at most loop.m x loop.k x loop.n; a block of the stationary
/// operand stays for the Gemms that share it, where the array holds all of it. An operand lies on
/// chip block by block. Load commands take rows of one block and `loop.row` bytes of each; the
/// operand whose next block lies at the smaller k goes first, of two at the same k the streamed
/// one, but for the very first load, which is of the stationary one. Results leave once their last
/// k is done: a vector command through the staging slots and a store, `loop.row` bytes a row,
/// columns outside, rows inside. The first load of a tile on each queue waits until the tile
/// `loop.tiles_in_flight` before it is stored.
class LoopLowering : public OperatorLowering {
 public:
  LoopLowering(CommandWriter& writer, const OperatorSite& site);
  bool emit() override;

 private:
  /// Extent of a dimension: of the operator, a tile, a block.
  struct Dim {
    std::int64_t total = 0, tile = 0, block = 0;
    std::int64_t at = 0;  // present tile
    std::int64_t tiles() const { return hw::ceil_div(total, tile); }
    std::int64_t first() const { return at * tile; }
    std::int64_t size() const { return std::min(tile, total - first()); }
    std::int64_t blocks() const { return hw::ceil_div(size(), block); }
    std::int64_t block_size(std::int64_t i) const { return std::min(block, size() - i * block); }
  };
  /// An operand as it is stored: rows and columns along two of the dimensions.
  struct Operand {
    const workloads::MatrixView* view = nullptr;
    Slots slots;
    int bits = 8;
    Dim* rows = nullptr;
    Dim* cols = nullptr;
    std::int64_t wide = 1;  // column blocks of one load
    int queue = 0;
    hw::TrafficClass traffic = hw::TrafficClass::kActivations;
    std::int64_t loaded = 0;  // loads of this tile written so far
  };
  /// One load command: a row block and some column blocks.
  struct BlockLoad {
    std::int64_t row = 0, col = 0, cols = 0;
  };
  struct Block {
    std::int64_t m = 0, k = 0, n = 0;
  };

  bool advance();
  void walk_tile();
  void load_for(const Block& gemm);
  bool is_loaded(const Operand& operand, const Block& gemm) const;
  bool streamed_goes_first() const;
  std::int64_t loads_of(const Operand& operand) const;
  BlockLoad load_at(const Operand& operand, std::int64_t index) const;
  std::int64_t k_of(const Operand& operand, std::int64_t index) const;
  void wait_for_room(const Operand& operand);
  void write_load(Operand& operand);
  hw::Region block_region(const Operand& operand, std::int64_t row, std::int64_t col,
                          std::int64_t cols) const;
  hw::TileOperand operand_at(const Operand& operand, std::int64_t row, std::int64_t col) const;
  hw::TileOperand result_at(std::int64_t m, std::int64_t n, std::int64_t columns) const;
  void write_gemm(const Block& gemm);
  bool keeps(const hw::GemmCommand& gemm);
  void store_results();
  void store_block(std::int64_t m, std::int64_t n, std::int64_t wide);
  void write_store(const hw::TileOperand& staged, std::int64_t m, std::int64_t first);

  CommandWriter& writer_;
  OperatorSite site_;
  const GemmMapping& mapping_;
  Dim m_, k_, n_;
  Operand a_, b_;
  bool a_stays_ = false;
  int result_bits_ = 32, output_bits_ = 8;
  std::string precision_;
  std::int64_t instances_ = 0, instance_ = 0;
  std::int64_t tile_ = -1;             // tiles walked so far, over all instances
  std::int64_t results_ = -1;          // result tiles begun so far
  std::int64_t stores_ = 0;            // staging slots used so far
  hw::Region stationary_;              // of the Gemm ahead
  std::vector<hw::CommandId> stored_;  // last command of each tile
};

}  // namespace tessera::sim
