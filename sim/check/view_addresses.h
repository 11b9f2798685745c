// Where the elements of a view lie in DRAM, in bits, and back. Pure; written apart from the
// lowering's addresses.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "hw_models/tile_program.h"
#include "sim/mapper/plan.h"
#include "workloads/graph.h"

namespace tessera::sim {

/// An element of a view: which matrix (over the batch dimensions), row (over the group), column.
struct ElementPlace {
  std::int64_t matrix = 0, row = 0, col = 0;
};

class ViewAddresses {
 public:
  ViewAddresses(const workloads::MatrixView& view, const workloads::Tensor& tensor,
                const TensorAllocation& allocation);

  std::int64_t matrices() const { return view_.batch[0].count * view_.batch[1].count; }
  std::int64_t rows() const { return view_.group.count * view_.rows; }
  std::int64_t cols() const { return view_.cols; }
  int bits() const { return format_.bits; }
  /// The operand's elements and scales lie as the view's.
  bool stores_like(const hw::TileOperand& operand) const {
    return operand.bits == format_.bits && operand.group == format_.group &&
           operand.scale_bits == format_.scale_bits;
  }
  /// The operator of a vector command counts rows over all matrices.
  std::int64_t all_rows() const { return matrices() * rows(); }
  ElementPlace in_row(std::int64_t row, std::int64_t col) const {
    return {row / rows(), row % rows(), col};
  }
  std::int64_t row_of(const ElementPlace& place) const { return place.matrix * rows() + place.row; }
  /// No two rows lie at one place.
  bool distinct() const;
  /// Bits from the start of DRAM.
  std::int64_t bit_address(const ElementPlace& place) const;
  /// The element at `bit`; of several views of one element the first. Nullopt: none starts there.
  std::optional<ElementPlace> find(std::int64_t bit) const;
  /// All bytes of the view, row by row, [begin, end).
  std::vector<std::pair<std::int64_t, std::int64_t>> row_bytes() const;

 private:
  struct Row {
    std::int64_t bit = 0;
    std::int64_t index = 0;  // matrix * rows + row
    bool operator<(const Row& other) const {
      return bit != other.bit ? bit < other.bit : index < other.index;
    }
  };
  void sort_rows() const;

  workloads::MatrixView view_;
  std::int64_t row_length_, address_, pitch_;
  workloads::ElementFormat format_;
  mutable std::vector<Row> sorted_;  // filled when first asked for
};

}  // namespace tessera::sim
