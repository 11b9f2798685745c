// One execution of a vector or copy operator as commands, block by block.
#pragma once

#include <vector>

#include "sim/lowering/operator_lowering.h"

namespace tessera::sim {

/// Blocks of rows are loaded, computed and stored. A row that does not fit is cut in columns; a
/// reduction over rows then reads it once per pass and writes it in the last. Copies have no vector
/// command: they store what was loaded.
class VectorLowering : public OperatorLowering {
 public:
  VectorLowering(CommandWriter& writer, const OperatorSite& site);
  bool emit() override;

 private:
  /// The columns of a view that a block touches.
  struct Columns {
    std::int64_t first = 0;  // in the view
    std::int64_t count = 0;
  };
  bool advance();
  void load_parameters();
  std::vector<Columns> columns_of(const std::vector<workloads::MatrixView>& views) const;
  TileWindow window(const Columns& columns) const;
  hw::TileOperand operand(const workloads::MatrixView& view, const Slots& slots,
                          const Columns& columns, bool written) const;
  void emit_copy(const std::vector<hw::TileOperand>& inputs, const std::vector<Columns>& columns);
  void emit_vector(std::vector<hw::TileOperand> inputs);

  CommandWriter& writer_;
  OperatorSite site_;
  const VectorMapping& mapping_;
  std::int64_t passes_ = 1;
  bool started_ = false;
  std::int64_t row_ = 0, col_ = 0, pass_ = 0, block_ = 0;
  hw::TileOperand parameters_;
};

}  // namespace tessera::sim
