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

std::vector<Run> runs_of(const MatrixView& view, const TileWindow& window) {
  std::vector<Run> runs;
  for (std::int64_t row = window.row; row < window.row + window.rows;) {
    const std::int64_t outer = row / view.rows;
    const std::int64_t inner = row % view.rows;
    const std::int64_t rows = std::min(view.rows - inner, window.row + window.rows - row);
    const std::int64_t element =
        outer_offset(view, window, outer) + inner * view.row_stride + window.col;
    const bool adjoins =
        !runs.empty() && runs.back().element + runs.back().rows * view.row_stride == element;
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
  return element / length * allocation.pitch + element % length * tensor.format.bits / 8;
}

/// Distance in bytes of two elements whose distance is `stride` elements.
Bytes byte_stride(std::int64_t stride, const Tensor& tensor, const TensorAllocation& allocation) {
  return stride >= 0 ? byte_offset(stride, tensor, allocation)
                     : -byte_offset(-stride, tensor, allocation);
}

}  // namespace

bool overlap(const TensorBox& a, const TensorBox& b) {
  return a.row_begin < b.row_end && b.row_begin < a.row_end && a.col_begin < b.col_end &&
         b.col_begin < a.col_end;
}

std::vector<TilePiece> tile_pieces(const MatrixView& view, const Tensor& tensor,
                                   const TensorAllocation& allocation, const TileWindow& window) {
  const std::vector<Run> runs = runs_of(view, window);
  std::vector<TilePiece> pieces;
  std::int64_t row = 0;
  for (std::size_t i = 0; i < runs.size();) {
    // Runs of equal length at a constant distance make one 3-D transfer.
    std::size_t end = i + 1;
    const std::int64_t stride = end < runs.size() ? runs[end].element - runs[i].element : 0;
    while (end < runs.size() && runs[end].rows == runs[i].rows &&
           runs[end].element - runs[end - 1].element == stride) {
      ++end;
    }
    hw::StridedRange range;
    range.address = allocation.address + byte_offset(runs[i].element, tensor, allocation);
    range.row_bytes = workloads::stored_bytes(tensor, 1, window.cols);
    range.count[0] = runs[i].rows;
    range.stride[0] = byte_stride(view.row_stride, tensor, allocation);
    range.count[1] = static_cast<std::int64_t>(end - i);
    range.stride[1] = byte_stride(stride, tensor, allocation);
    const std::int64_t rows = range.count[0] * range.count[1];
    pieces.push_back({hw::coalesced(range), row, rows});
    row += rows;
    i = end;
  }
  return pieces;
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
  for (const Run& run : runs_of(view, window)) {
    include(run.element);
    include(run.element + (run.rows - 1) * view.row_stride);
  }
  return box;
}

}  // namespace tessera::sim
