// One execution of fused attention as commands, query block by query block.
#pragma once

#include "sim/lowering/operator_lowering.h"

namespace tessera::sim {

/// Walks heads and their blocks of query rows as one sequence. A step loads a block's queries (and
/// keys and values, block of keys by block of keys, where they change) and writes its scores,
/// beside the softmax of the block before it, then the context of that block. With one slot of
/// scores a block's softmax and context follow its own scores. Online, a step is a block of rows
/// against one block of keys: its softmax rescales what the context's sums hold of its rows.
class AttentionLowering : public OperatorLowering {
 public:
  AttentionLowering(CommandWriter& writer, const OperatorSite& site);
  bool emit() override;

 private:
  /// A block of query rows: which head, which rows of it.
  struct Block {
    std::int64_t number = 0;  // over all heads
    std::int64_t head = 0;
    std::int64_t row = 0, rows = 0;
  };
  /// Keys or values: which slot holds their next block.
  struct Streamed {
    const workloads::MatrixView* view = nullptr;
    Slots slots;
    std::int64_t turn = -1;
  };

  Block block(std::int64_t number) const;
  std::int64_t key_blocks() const;
  std::int64_t keys_of(std::int64_t block) const;
  int bits_of(const workloads::MatrixView& view) const;
  hw::TileOperand tile(const Slots& slots, std::int64_t slot, std::int64_t rows, std::int64_t cols,
                       int bits, hw::TrafficClass traffic) const;
  TileWindow rows_of(const Block& at, std::int64_t cols) const;
  hw::TileOperand load_queries(const Block& at);
  hw::TileOperand load_keys(Streamed& operand, const Block& at, std::int64_t keys);
  hw::TileOperand score_tile(const Block& at, std::int64_t keys, std::int64_t row,
                             std::int64_t rows) const;
  hw::GemmCommand gemm(const hw::TileOperand& a, const hw::TileOperand& b,
                       const workloads::Operator& part) const;
  hw::Epilogue epilogue(const workloads::Operator& part, hw::TileOperand output) const;
  bool emit_online();
  bool emit_ahead();
  bool emit_in_turn();
  void write_score_block(const Block& at, const hw::TileOperand& queries, std::int64_t keys);
  void write_scores_beside_softmax(std::int64_t number);
  std::int64_t softmax_commands(const Block& at) const;
  void write_softmax(const Block& at, std::int64_t first, std::int64_t last);
  void write_context(const Block& at);
  void write_context_block(const Block& at, std::int64_t keys);
  void store_context(const Block& at);
  hw::TileOperand sums_of(const Block& at) const;
  hw::TileOperand result_of(const Block& at) const;
  hw::TileOperand statistics_of(std::int64_t row, std::int64_t rows) const;
  void write_online_scores(std::int64_t step);
  void write_online_softmax(const Block& at, std::int64_t keys);
  void write_rescaling(const Block& at);

  CommandWriter& writer_;
  OperatorSite site_;
  const AttentionMapping& mapping_;
  const workloads::Operator &scores_, &context_;
  std::int64_t rows_, keys_, values_, heads_, blocks_;  // rows of a head; blocks in all
  std::int64_t step_ = 0;
  std::int64_t score_turn_ = -1;
  hw::TileOperand queries_;  // online: of the present block of rows
  Streamed k_, v_;
  int score_bits_, sum_bits_;
};

}  // namespace tessera::sim
