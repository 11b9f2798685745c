#include "hw_models/pe_grid.h"

#include <stdexcept>

namespace tessera::hw {

void Pe::reset(int row, int col, const ArrayConfig& array, bool results_stay,
               bool shifts_together) {
  row_ = row;
  col_ = col;
  results_stay_ = results_stay;
  shifts_together_ = shifts_together;
  omits_drain_ = array.drain == Drain::kOmitted;
  shift_out_ = array.result_side == ResultSide::kRows ? array.rows : array.cols;
  now_ = next_ = Registers();
  pipeline_.assign(static_cast<std::size_t>(array.pe_latency), Product());
  head_ = 0;
}

void Pe::evaluate(const Inputs& in) {
  next_ = now_;
  completed_ = PeResult();
  const Product product = through_pipeline(multiply(in));
  done_ = product.tag;
  load_block(in.load);
  if (results_stay_) {
    shift_results(in);
    add_to_total(product, in.shifts_left);
  } else {
    add_to_sum(product, in.sum);
  }
}

Pe::Product Pe::multiply(const Inputs& in) {
  next_.east = in.west;
  next_.south = in.north;
  Product product;
  product.tag = in.west.tag;
  if (!product.tag.valid) return product;
  if (results_stay_) {
    product.value = in.west.value * in.north;
    product.start = product.tag.clears ? 0 : now_.shadow;
    return product;
  }
  if (product.tag.first) next_.active = now_.shadow;
  product.value = in.west.value * next_.active;
  return product;
}

Pe::Product Pe::through_pipeline(const Product& entering) {
  if (pipeline_.empty()) return entering;
  const Product leaving = pipeline_[head_];
  pipeline_[head_] = entering;
  head_ = (head_ + 1) % pipeline_.size();
  return leaving;
}

void Pe::load_block(const Load& load) {
  next_.load = {load.valid, now_.shadow};
  if (load.valid) next_.shadow = load.value;
}

void Pe::add_to_sum(const Product& product, std::int64_t above) {
  next_.sum = PeResult();
  if (!product.tag.valid) return;
  next_.sum = {true, above + product.value, product.tag.fold, product.tag.row, col_};
}

void Pe::add_to_total(const Product& product, Cycles shifts_left) {
  if (!product.tag.valid) return;
  next_.total = (product.tag.first ? product.start : now_.total) + product.value;
  if (!product.tag.last) return;
  completed_ = {true, next_.total, product.tag.fold, row_, col_};
  if (!omits_drain_) send_out(shifts_left);
}

void Pe::send_out(Cycles shifts_left) {
  const bool occupied =
      shifts_together_ ? next_.out.valid || shifts_left > 1 : next_.shifts_left > 0;
  if (occupied) throw std::logic_error("a result overwrites one on its way out");
  next_.out = completed_;
  if (!shifts_together_) next_.shifts_left = shift_out_;
}

/// Each PE hands its results to the next one through a register between them, a cycle behind its
/// neighbour, or all of them shift at once.
void Pe::shift_results(const Inputs& in) {
  next_.passed = PeResult();
  if (shifts_together_) {
    if (in.shifts_left > 0) next_.out = in.neighbour;
    return;
  }
  if (now_.shifts_left == 0) return;
  next_.passed = now_.out;
  next_.out = in.neighbour;
  next_.shifts_left = now_.shifts_left - 1;
}

PeGrid::PeGrid(const ArrayConfig& array, bool results_stay)
    : rows_(array.rows),
      cols_(array.cols),
      broadcast_(array.delivery == OperandDelivery::kBroadcast),
      results_stay_(results_stay),
      omits_drain_(array.drain == Drain::kOmitted),
      shifts_together_(broadcast_ || (array.drain == Drain::kOverlapped &&
                                      array.result_registers == ResultRegisters::kSingle)),
      through_rows_(array.result_side == ResultSide::kRows),
      pes_(static_cast<std::size_t>(array.rows) * static_cast<std::size_t>(array.cols)),
      west_(static_cast<std::size_t>(array.rows)),
      north_(static_cast<std::size_t>(array.cols)),
      load_(static_cast<std::size_t>(array.cols)) {
  if (array.delivery == OperandDelivery::kSemiSystolic) {
    throw std::invalid_argument("the grid of PEs has no rings");
  }
  if (results_stay && !omits_drain_) shift_out_ = through_rows_ ? rows_ : cols_;
  for (int r = 0; r < rows_; ++r) {
    for (int c = 0; c < cols_; ++c) at(r, c).reset(r, c, array, results_stay, shifts_together_);
    west_delay_.emplace_back(broadcast_ ? 0 : static_cast<std::size_t>(r));
  }
  for (int c = 0; c < cols_; ++c) {
    north_delay_.emplace_back(broadcast_ ? 0 : static_cast<std::size_t>(c));
    load_delay_.emplace_back(broadcast_ ? 0 : static_cast<std::size_t>(c));
  }
}

Cycles PeGrid::result_interval() const {
  if (shift_out_ == 0) return 0;
  const Cycles skew = broadcast_ || !shifts_together_ ? 0 : rows_ + cols_ - 2;
  return shift_out_ + skew;
}

void PeGrid::clock(const EdgeInputs& inputs, std::vector<PeResult>& results) {
  skew_edges(inputs);
  if (inputs.tag.valid) ++rows_in_flight_;
  for (int r = 0; r < rows_; ++r) {
    for (int c = 0; c < cols_; ++c) at(r, c).evaluate(wires(r, c));
  }
  if (at(rows_ - 1, cols_ - 1).done().valid) --rows_in_flight_;
  collect(results);
  control_shifts();
  for (Pe& pe : pes_) pe.commit();
}

void PeGrid::skew_edges(const EdgeInputs& inputs) {
  for (std::size_t r = 0; r < west_.size(); ++r) {
    const std::int64_t value = inputs.tag.valid ? inputs.west[r] : 0;
    west_[r] = west_delay_[r].step({inputs.tag, value});
  }
  for (std::size_t c = 0; c < north_.size(); ++c) {
    const bool streams = inputs.tag.valid && results_stay_;
    north_[c] = north_delay_[c].step(streams ? inputs.north[c] : 0);
    load_[c] = load_delay_[c].step({inputs.load, inputs.load ? inputs.load_row[c] : 0});
  }
}

Pe::Inputs PeGrid::wires(int row, int col) const {
  Pe::Inputs in;
  const auto r = static_cast<std::size_t>(row);
  const auto c = static_cast<std::size_t>(col);
  in.west = col == 0 || broadcast_ ? west_[r] : at(row, col - 1).east();
  in.north = row == 0 || broadcast_ ? north_[c] : at(row - 1, col).south();
  if (row == 0) {
    in.load = load_[c];
  } else {
    const Pe& above = at(row - 1, col);
    // A broadcast array adds a column up in the cycle and moves its shadow registers together.
    in.sum = broadcast_ ? above.sum_wire().value : above.sum().value;
    in.load = broadcast_ ? Pe::Load{load_[c].valid, above.shadow()} : above.passed_load();
  }
  in.neighbour = from_neighbour(row, col);
  in.shifts_left = common_shifts_left_;
  return in;
}

const PeResult& PeGrid::from_neighbour(int row, int col) const {
  static const PeResult nothing;
  if ((through_rows_ ? row : col) == 0) return nothing;
  const Pe& before = through_rows_ ? at(row - 1, col) : at(row, col - 1);
  return shifts_together_ ? before.out() : before.passed_result();
}

void PeGrid::collect(std::vector<PeResult>& results) {
  if (!results_stay_) {
    for (int c = 0; c < cols_; ++c) {
      const PeResult& sum = at(rows_ - 1, c).sum_wire();
      if (sum.valid) results.push_back(sum);
    }
    return;
  }
  if (omits_drain_) {
    for (const Pe& pe : pes_) {
      if (pe.completed().valid) results.push_back(pe.completed());
    }
    return;
  }
  collect_leaving(results);
}

void PeGrid::collect_leaving(std::vector<PeResult>& results) {
  const int lines = through_rows_ ? cols_ : rows_;
  for (int i = 0; i < lines; ++i) {
    const Pe& edge = through_rows_ ? at(rows_ - 1, i) : at(i, cols_ - 1);
    if (shifts_together_) {
      if (common_shifts_left_ > 0 && edge.out().valid) results.push_back(edge.out());
    } else if (edge.passed_wire().valid) {
      results.push_back(edge.passed_wire());
    }
  }
}

/// The farthest PE's last result lets all of them shift.
void PeGrid::control_shifts() {
  if (common_shifts_left_ > 0) --common_shifts_left_;
  if (shifts_together_ && at(rows_ - 1, cols_ - 1).completed().valid) {
    common_shifts_left_ = shift_out_;
  }
}

}  // namespace tessera::hw
