#include "sim/lowering/addresses.h"

#include <algorithm>

namespace tessera::sim {
namespace {

using workloads::MatrixView;
using workloads::Tensor;

/// Rows that are `row_stride` elements apart, from `element` on.
struct Run {
  std::int64_t element = 0;
  std::int64_t rows = 0;
};

/// Element offset of the first column of row `outer` x `row` of the window's matrix.
std::int64_t outer_offset(const MatrixView& view, const TileWindow& window, std::int64_t outer) {
  const std::int64_t group = outer % view.group.count;
  const std::int64_t matrix = window.all_matrices ? outer / view.group.count : window.batch;
  const std::int64_t b1 = matrix % view.batch[1].count;
  const std::int64_t b0 = matrix / view.batch[1].count;
  return view.offset + b0 * view.batch[0].stride + b1 * view.batch[1].stride +
         group * view.group.stride;
}

std::vector<Run> runs_of(const MatrixView& view, const Tensor& tensor, const TileWindow& window) {
  // Rows that do not start in one column of the tensor have no common distance in bytes.
  const bool even = view.row_stride % workloads::row_length(tensor) == 0;
  std::vector<Run> runs;
  for (std::int64_t row = window.row; row < window.row + window.rows;) {
    const std::int64_t outer = row / view.rows;
    const std::int64_t inner = row % view.rows;
    const std::int64_t rows =
        even ? std::min(view.rows - inner, window.row + window.rows - row) : 1;
    const std::int64_t element =
        outer_offset(view, window, outer) + inner * view.row_stride + window.col;
    const bool adjoins = even && !runs.empty() &&
                         runs.back().element + runs.back().rows * view.row_stride == element;
    if (adjoins) {
      runs.back().rows += rows;
    } else {
      runs.push_back({element, rows});
    }
    row += rows;
  }
  return runs;
}

Bytes byte_offset(std::int64_t element, const Tensor& tensor, const TensorAllocation& allocation) {
  const std::int64_t length = workloads::row_length(tensor);
  return element / length * allocation.pitch +
         workloads::bytes_before(tensor.format, element % length);
}

hw::Tiling tiling_of(const Tensor& tensor, const TensorAllocation& allocation) {
  if (allocation.layout == Layout::kRowMajor) return {};
  return {allocation.address, allocation.pitch, workloads::row_count(tensor), allocation.block_rows,
          allocation.block_width};
}

}  // namespace

bool overlap(const TensorBox& a, const TensorBox& b) {
  return a.row_begin < b.row_end && b.row_begin < a.row_end && a.col_begin < b.col_end &&
         b.col_begin < a.col_end;
}

std::vector<TilePiece> tile_pieces(const MatrixView& view, const Tensor& tensor,
                                   const TensorAllocation& allocation, const TileWindow& window,
                                   bool keep_rows) {
  const std::vector<Run> runs = runs_of(view, tensor, window);
  const auto at = [&](std::size_t run) {
    return byte_offset(runs[run].element, tensor, allocation);
  };
  std::vector<TilePiece> pieces;
  std::int64_t row = 0;
  for (std::size_t i = 0; i < runs.size();) {
    // Runs of equal length at a constant distance make one 3-D transfer.
    std::size_t end = i + 1;
    const Bytes stride = end < runs.size() ? at(end) - at(i) : 0;
    while (end < runs.size() && runs[end].rows == runs[i].rows && at(end) - at(end - 1) == stride) {
      ++end;
    }
    hw::StridedRange range;
    range.address = allocation.address + at(i);
    range.tiling = tiling_of(tensor, allocation);
    range.row_bytes = workloads::stored_bytes(tensor, 1, window.cols);
    range.count[0] = runs[i].rows;
    range.stride[0] = byte_offset(view.row_stride, tensor, allocation);
    range.count[1] = static_cast<std::int64_t>(end - i);
    range.stride[1] = stride;
    const std::int64_t rows = range.count[0] * range.count[1];
    pieces.push_back({keep_rows ? range : hw::coalesced(range), row, rows});
    row += rows;
    i = end;
  }
  return pieces;
}

hw::TileOperand kept_tile(const MatrixView& view, const Tensor& tensor, const Slots& kept,
                          const TileWindow& window) {
  const auto element = [&](std::int64_t row) {
    return outer_offset(view, window, row / view.rows) + row % view.rows * view.row_stride +
           window.col;
  };
  const std::int64_t bits = tensor.format.bits;
  const std::int64_t first = element(window.row);
  hw::TileOperand tile;
  tile.rows = window.rows;
  tile.cols = window.cols;
  tile.bits = tensor.format.bits;
  tile.transposed = view.transposed;
  const Bytes row = workloads::stored_bytes(tensor, 1, window.cols);
  tile.pitch = window.rows > 1 ? (element(window.row + 1) - first) * bits / 8 : row;
  tile.region = {kept.buffer, kept.offset + first * bits / 8, (window.rows - 1) * tile.pitch + row};
  return tile;
}

TensorBox tile_box(const MatrixView& view, const Tensor& tensor, const TileWindow& window) {
  const std::int64_t length = workloads::row_length(tensor);
  TensorBox box{INT64_MAX, 0, INT64_MAX, 0};
  const auto include = [&](std::int64_t element) {
    const std::int64_t row = element / length;
    const std::int64_t col = element % length;
    box.row_begin = std::min(box.row_begin, row);
    box.row_end = std::max(box.row_end, row + 1);
    box.col_begin = std::min(box.col_begin, col);
    box.col_end = std::max(box.col_end, col + window.cols);
  };
  for (const Run& run : runs_of(view, tensor, window)) {
    include(run.element);
    include(run.element + (run.rows - 1) * view.row_stride);
  }
  return box;
}

}  // namespace tessera::sim
