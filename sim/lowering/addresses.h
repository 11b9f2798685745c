// Where a tile of a view lies in DRAM. Pure.
#pragma once

#include <vector>

#include "hw_models/tile_program.h"
#include "sim/mapper/plan.h"
#include "workloads/graph.h"

namespace tessera::sim {

/// Rows [row, row + rows) x columns [col, col + cols) of one matrix of a view, as stored (before a
/// transposition). Rows are counted over the view's group dimension; with `all_matrices` over its
/// batch dimensions as well (vector operators see one long matrix).
struct TileWindow {
  std::int64_t batch = 0;  // index of the matrix, row-major over the batch dimensions
  bool all_matrices = false;
  std::int64_t row = 0, rows = 0;
  std::int64_t col = 0, cols = 0;
};

/// One strided transfer and the rows of the tile it carries.
struct TilePiece {
  hw::StridedRange dram;
  std::int64_t first_row = 0;  // within the tile
  std::int64_t rows = 0;
};

/// A box of a tensor: rows and columns of its last dimension, half open.
struct TensorBox {
  std::int64_t row_begin = 0, row_end = 0, col_begin = 0, col_end = 0;
  bool operator==(const TensorBox& o) const {
    return row_begin == o.row_begin && row_end == o.row_end && col_begin == o.col_begin &&
           col_end == o.col_end;
  }
};
bool overlap(const TensorBox& a, const TensorBox& b);

/// The transfers that move a window, as few as strides allow. Rows that adjoin in DRAM become one
/// row, unless `keep_rows`.
std::vector<TilePiece> tile_pieces(const workloads::MatrixView& view,
                                   const workloads::Tensor& tensor,
                                   const TensorAllocation& allocation, const TileWindow& window,
                                   bool keep_rows = false);
/// The window as a tile of the region that holds the whole tensor on chip. REQUIRES: its rows lie
/// at one distance.
hw::TileOperand kept_tile(const workloads::MatrixView& view, const workloads::Tensor& tensor,
                          const Slots& kept, const TileWindow& window);
/// The smallest box that holds a window: hazards over DRAM are decided on boxes.
TensorBox tile_box(const workloads::MatrixView& view, const workloads::Tensor& tensor,
                   const TileWindow& window);

}  // namespace tessera::sim
