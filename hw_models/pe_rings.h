// Rows of PEs in which partial sums go round, register by register (semi-systolic delivery).
#pragma once

#include <deque>
#include <vector>

#include "hw_models/pe_grid.h"

namespace tessera::hw {

/// rows x cols multiply-adders of `stages` registers each. A sum passes those of its row one after
/// the other and comes back to the first; an element of A stays while a ring's length of elements
/// of B passes. Complete results leave row by row.
class PeRings : public PeFabric {
 public:
  explicit PeRings(const ArrayConfig& array);
  void clock(const EdgeInputs& inputs, std::vector<PeResult>& results) override;
  std::int64_t rows_in_flight() const override { return in_flight_; }
  Cycles result_interval() const override;
  Cycles shift_out() const override { return omits_drain_ ? 0 : rows_; }

 private:
  struct Sum {
    RowTag tag;
    std::int64_t value = 0;
  };
  /// One multiply-adder.
  struct Adder {
    std::int64_t a = 0;
    std::vector<Sum> stages;
    Sum next;  // what enters the first stage at the edge
  };
  /// What reaches a column of adders in one cycle.
  struct ColumnInputs {
    RowTag tag;
    std::vector<std::int64_t> a;      // by row, with the first result of a group
    std::int64_t b = 0;               // for all rows
    std::vector<std::int64_t> start;  // by row, what the sums start from
  };
  /// The results of a fold on their way out.
  struct Tile {
    std::vector<PeResult> results;
    bool complete = false;
    int rows_left = 0;
  };

  Adder& at(int row, int col) { return adders_[static_cast<std::size_t>(row * cols_ + col)]; }
  ColumnInputs column_inputs(const EdgeInputs& inputs, int col) const;
  void evaluate(int row, int col, const ColumnInputs& in);
  void commit();
  void store_row(std::vector<PeResult>& results);
  void collect(std::vector<PeResult>& results);

  int rows_, cols_, stages_;
  bool omits_drain_;
  ResultRegisters registers_;
  std::vector<Adder> adders_;
  std::vector<DelayLine<ColumnInputs>> column_delay_;
  std::vector<DelayLine<Sum>> exit_delay_;  // pe_latency, by row
  std::deque<Tile> tiles_;
  std::int64_t in_flight_ = 0;
};

}  // namespace tessera::hw
