// The processing elements of the array, register by register, computing real numbers. Each clock
// edge every PE works out its next registers from its neighbours' present ones, then all take them
// at once.
#pragma once

#include <cstdint>
#include <vector>

#include "hw_models/hardware_config.h"

namespace tessera::hw {

/// Travels with an operand row through the array.
struct RowTag {
  bool valid = false;
  bool first = false;    // of a fold with a block of its own: takes the block out of the shadow
  bool last = false;     // the results that stay in the PEs are complete behind it
  bool clears = false;   // with `first`: results start from zero, no block was loaded
  bool loads_a = false;  // rings: the first result of a group of K, takes new elements of A
  int cols = 0;          // rings: results in use
  int fold = 0;
  std::int64_t row = 0;
};

/// A number on its way to its result.
struct PeResult {
  bool valid = false;
  std::int64_t value = 0;
  int fold = 0;
  std::int64_t row = 0;  // of the stream (weights stay) or of the array (results stay)
  int col = 0;
};

/// What enters the array in one cycle, before the skew at its edges.
struct EdgeInputs {
  RowTag tag;
  std::vector<std::int64_t> west;   // by row; with `tag`
  std::vector<std::int64_t> north;  // by column; with `tag`, where results stay
  bool load = false;
  std::vector<std::int64_t> load_row;  // by column: pushes the shadow registers down one row
  std::vector<std::int64_t> start;     // rings, by row: what a result starts from
};

/// The registers of an array, whatever their order.
class PeFabric {
 public:
  virtual ~PeFabric() = default;
  /// One cycle. `inputs` enter at its beginning; results that have left the array by its end are
  /// appended to `results`. Throws std::logic_error when a result overwrites one that has not left.
  virtual void clock(const EdgeInputs& inputs, std::vector<PeResult>& results) = 0;
  /// Rows that have entered and not passed the farthest PE.
  virtual std::int64_t rows_in_flight() const = 0;
  /// Cycles between two folds' last rows that the result chain needs.
  virtual Cycles result_interval() const = 0;
  /// Steps in which results leave.
  virtual Cycles shift_out() const = 0;
};

/// Registers of one PE. Which of them work depends on what stays in place.
class Pe {
 public:
  struct Operand {
    RowTag tag;
    std::int64_t value = 0;
  };
  struct Load {
    bool valid = false;
    std::int64_t value = 0;
  };
  /// Wires into the PE during one cycle.
  struct Inputs {
    Operand west;
    std::int64_t north = 0;
    std::int64_t sum = 0;  // partial sum from the PE above, weights stay
    Load load;
    PeResult neighbour;      // result of the neighbour it shifts from
    Cycles shifts_left = 0;  // all PEs shift together, this cycle and so many in all
  };

  void reset(int row, int col, const ArrayConfig& array, bool results_stay, bool shifts_together);
  /// Works out the registers behind this cycle.
  void evaluate(const Inputs& in);
  void commit() { now_ = next_; }

  // Registers as of this cycle.
  const Operand& east() const { return now_.east; }
  std::int64_t south() const { return now_.south; }
  const PeResult& sum() const { return now_.sum; }
  const Load& passed_load() const { return now_.load; }
  std::int64_t shadow() const { return now_.shadow; }
  const PeResult& passed_result() const { return now_.passed; }
  const PeResult& out() const { return now_.out; }
  // Wires out of the PE in this cycle: what its registers take at the edge.
  const PeResult& sum_wire() const { return next_.sum; }
  const PeResult& passed_wire() const { return next_.passed; }
  const PeResult& completed() const { return completed_; }
  const RowTag& done() const { return done_; }

 private:
  struct Registers {
    Operand east;                         // operand on its way along the row
    std::int64_t south = 0;               // operand on its way down the column, results stay
    PeResult sum;                         // partial sum on its way down, weights stay
    std::int64_t active = 0, shadow = 0;  // the block that works; the one that loads
    Load load;                            // on its way to the PE below
    std::int64_t total = 0;               // results stay
    PeResult out, passed;                 // results on their way out
    Cycles shifts_left = 0;
  };
  /// A product in the PE's pipeline.
  struct Product {
    RowTag tag;
    std::int64_t value = 0;
    std::int64_t start = 0;  // with tag.first: what the results start from
  };

  Product multiply(const Inputs& in);
  Product through_pipeline(const Product& entering);
  void load_block(const Load& load);
  void add_to_sum(const Product& product, std::int64_t above);
  void add_to_total(const Product& product, Cycles shifts_left);
  void send_out(Cycles shifts_left);
  void shift_results(const Inputs& in);

  int row_ = 0, col_ = 0;
  bool results_stay_ = false;
  bool shifts_together_ = false;
  bool omits_drain_ = false;
  Cycles shift_out_ = 0;
  Registers now_, next_;
  std::vector<Product> pipeline_;
  std::size_t head_ = 0;
  PeResult completed_;  // of this cycle: a result that has been completed in place
  RowTag done_;         // of this cycle: the row whose product has been added
};

/// A shift register of fixed length; length 0 is a wire.
template <class T>
class DelayLine {
 public:
  explicit DelayLine(std::size_t length) : slots_(length) {}
  T step(const T& entering) {
    if (slots_.empty()) return entering;
    T leaving = slots_[head_];
    slots_[head_] = entering;
    head_ = (head_ + 1) % slots_.size();
    return leaving;
  }

 private:
  std::vector<T> slots_;
  std::size_t head_ = 0;
};

/// rows x cols PEs, the skew registers at their edges and the chain on which results leave.
class PeGrid : public PeFabric {
 public:
  /// REQUIRES: delivery systolic or broadcast.
  PeGrid(const ArrayConfig& array, bool results_stay);
  void clock(const EdgeInputs& inputs, std::vector<PeResult>& results) override;
  std::int64_t rows_in_flight() const override { return rows_in_flight_; }
  Cycles result_interval() const override;
  Cycles shift_out() const override { return shift_out_; }

 private:
  Pe& at(int row, int col) { return pes_[static_cast<std::size_t>(row * cols_ + col)]; }
  Pe::Inputs wires(int row, int col) const;
  const Pe& at(int row, int col) const { return pes_[static_cast<std::size_t>(row * cols_ + col)]; }
  void skew_edges(const EdgeInputs& inputs);
  const PeResult& from_neighbour(int row, int col) const;
  void collect(std::vector<PeResult>& results);
  void collect_leaving(std::vector<PeResult>& results);
  void control_shifts();

  int rows_, cols_;
  bool broadcast_, results_stay_, omits_drain_, shifts_together_, through_rows_;
  Cycles shift_out_ = 0;
  std::vector<Pe> pes_;
  std::vector<DelayLine<Pe::Operand>> west_delay_;
  std::vector<DelayLine<std::int64_t>> north_delay_;
  std::vector<DelayLine<Pe::Load>> load_delay_;
  std::vector<Pe::Operand> west_;    // behind the skew registers
  std::vector<std::int64_t> north_;  // the same
  std::vector<Pe::Load> load_;       // the same
  std::int64_t rows_in_flight_ = 0;
  Cycles common_shifts_left_ = 0;  // all PEs shift together
};

}  // namespace tessera::hw
