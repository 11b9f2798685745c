// Which bytes a command touches. Pure.
#pragma once

#include <string>
#include <vector>

#include "hw_models/tile_program.h"

namespace tessera::sim {

constexpr int kDramSpace = -1;

/// Bytes [begin, end) of a buffer or of DRAM.
struct Access {
  int space = kDramSpace;  // index of a buffer, or kDramSpace
  std::int64_t begin = 0, end = 0;
  bool write = false;
  /// A Gemm at its own partial sums. The array adds them up in its own order: a Gemm needs no token
  /// for what an earlier Gemm without epilogue left there. Behind an epilogue it does, since the
  /// epilogue reads while the next Gemm already runs.
  bool partial_sums = false;
};

/// All accesses of `command`, reads first. Rows that follow each other without a gap are one; a
/// row takes whole bytes. A Gemm that keeps its stationary block does not read it again.
/// REQUIRES: size_mistake(command) is empty.
void append_accesses(const hw::Command& command, std::vector<Access>& accesses);

/// What is wrong with the sizes in `command`, all by themselves; empty: nothing. `buffers`: how
/// many there are.
std::string size_mistake(const hw::Command& command, int buffers);

/// The operand that stays in the array: B, A, or the result.
const hw::TileOperand& stationary_operand(const hw::GemmCommand& gemm);

/// Of a vector command that finishes the results of a hardware loop: the blocks of `block` columns
/// that lie one behind the other in its operand; the operand itself where `block` is 0.
std::vector<hw::TileOperand> blocks_of(const hw::TileOperand& operand, std::int64_t block);

}  // namespace tessera::sim
