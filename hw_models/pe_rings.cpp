#include "hw_models/pe_rings.h"

#include <stdexcept>

namespace tessera::hw {

PeRings::PeRings(const ArrayConfig& array)
    : rows_(array.rows),
      cols_(array.cols),
      stages_(array.stages),
      omits_drain_(array.drain == Drain::kOmitted),
      registers_(array.result_registers),
      adders_(static_cast<std::size_t>(array.rows) * static_cast<std::size_t>(array.cols)) {
  for (Adder& adder : adders_) adder.stages.resize(static_cast<std::size_t>(stages_));
  for (int c = 0; c < cols_; ++c) column_delay_.emplace_back(static_cast<std::size_t>(c * stages_));
  for (int r = 0; r < rows_; ++r) {
    exit_delay_.emplace_back(static_cast<std::size_t>(array.pe_latency));
  }
}

/// Results of a fold leave in as many cycles as there are rows; with one set of registers the ring
/// must have given all of its results before.
Cycles PeRings::result_interval() const {
  if (omits_drain_) return 0;
  return rows_ + (registers_ == ResultRegisters::kSingle ? cols_ * stages_ - 1 : 0);
}

PeRings::ColumnInputs PeRings::column_inputs(const EdgeInputs& inputs, int col) const {
  ColumnInputs in;
  in.tag = inputs.tag;
  if (!in.tag.valid) return in;
  in.b = inputs.north[static_cast<std::size_t>(col)];
  in.start = inputs.start;
  for (int r = 0; r < rows_; ++r) {
    in.a.push_back(inputs.west[static_cast<std::size_t>(r * cols_ + col)]);
  }
  return in;
}

void PeRings::clock(const EdgeInputs& inputs, std::vector<PeResult>& results) {
  if (inputs.tag.valid) ++in_flight_;
  for (int c = 0; c < cols_; ++c) {
    const ColumnInputs in =
        column_delay_[static_cast<std::size_t>(c)].step(column_inputs(inputs, c));
    for (int r = 0; r < rows_; ++r) evaluate(r, c, in);
  }
  commit();
  store_row(results);
  collect(results);
}

void PeRings::evaluate(int row, int col, const ColumnInputs& in) {
  Adder& adder = at(row, col);
  adder.next = Sum();
  if (!in.tag.valid) return;
  const auto r = static_cast<std::size_t>(row);
  if (in.tag.loads_a) adder.a = in.a[r];
  const Sum& ahead = at(row, col == 0 ? cols_ - 1 : col - 1).stages.back();
  const bool starts = col == 0 && in.tag.first;
  const std::int64_t before = !starts ? ahead.value : in.tag.clears ? 0 : in.start[r];
  adder.next = {in.tag, before + adder.a * in.b};
}

void PeRings::commit() {
  for (Adder& adder : adders_) {
    adder.stages.pop_back();
    adder.stages.insert(adder.stages.begin(), adder.next);
  }
}

/// One row a cycle of the oldest fold that was complete before this cycle.
void PeRings::store_row(std::vector<PeResult>& results) {
  if (tiles_.empty() || !tiles_.front().complete) return;
  Tile& tile = tiles_.front();
  const std::int64_t row = rows_ - tile.rows_left;
  for (const PeResult& result : tile.results) {
    if (result.row == row) results.push_back(result);
  }
  if (--tile.rows_left == 0) tiles_.pop_front();
}

void PeRings::collect(std::vector<PeResult>& results) {
  for (int r = 0; r < rows_; ++r) {
    const Sum leaving =
        exit_delay_[static_cast<std::size_t>(r)].step(at(r, cols_ - 1).stages.back());
    if (!leaving.tag.valid) continue;
    if (r == 0) --in_flight_;
    const int col = static_cast<int>(leaving.tag.row % (cols_ * stages_));
    if (!leaving.tag.last || col >= leaving.tag.cols) continue;
    const PeResult result{true, leaving.value, leaving.tag.fold, r, col};
    if (omits_drain_) {
      results.push_back(result);
      continue;
    }
    if (tiles_.empty() || tiles_.back().complete) tiles_.push_back({{}, false, rows_});
    if (tiles_.size() > 2) throw std::logic_error("a third fold's results have no registers");
    tiles_.back().results.push_back(result);
    if (r == rows_ - 1 && col == leaving.tag.cols - 1) tiles_.back().complete = true;
  }
}

}  // namespace tessera::hw
