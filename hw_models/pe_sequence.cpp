#include "hw_models/pe_sequence.h"

#include <algorithm>

#include "hw_models/pe_rings.h"

namespace tessera::hw {
namespace {

std::int64_t element(const std::vector<std::int64_t>& matrix, std::int64_t rows, std::int64_t cols,
                     std::int64_t row, std::int64_t col) {
  if (row >= rows || col >= cols || matrix.empty()) return 0;
  return matrix[static_cast<std::size_t>(row * cols + col)];
}

}  // namespace

PeOperands::PeOperands(Dataflow dataflow, const PeJob& job)
    : dataflow_(dataflow), job_(job), results_(job.c) {
  const GemmShape& s = job.shape;
  results_.resize(static_cast<std::size_t>(s.m * s.n));
  down_ = dataflow == Dataflow::kOutputStationary ? s.m : s.k;
  across_ = dataflow == Dataflow::kInputStationary ? s.m : s.n;
  streamed_ = dataflow == Dataflow::kOutputStationary  ? s.k
              : dataflow == Dataflow::kInputStationary ? s.n
                                                       : s.m;
}

std::int64_t PeOperands::a(std::int64_t row, std::int64_t col) const {
  return element(job_.a, job_.shape.m, job_.shape.k, row, col);
}

std::int64_t PeOperands::b(std::int64_t row, std::int64_t col) const {
  return element(job_.b, job_.shape.k, job_.shape.n, row, col);
}

std::int64_t PeOperands::west(std::int64_t row, std::int64_t step) const {
  switch (dataflow_) {
    case Dataflow::kWeightStationary:
      return a(step, row);
    case Dataflow::kInputStationary:
      return b(row, step);
    case Dataflow::kOutputStationary:
      break;
  }
  return a(row, step);
}

std::int64_t PeOperands::north(std::int64_t step, std::int64_t col) const { return b(step, col); }

std::int64_t PeOperands::block(std::int64_t row, std::int64_t col) const {
  switch (dataflow_) {
    case Dataflow::kWeightStationary:
      return b(row, col);
    case Dataflow::kInputStationary:
      return a(col, row);
    case Dataflow::kOutputStationary:
      break;
  }
  return element(job_.c, job_.shape.m, job_.shape.n, row, col);
}

std::int64_t* PeOperands::result(std::int64_t row, std::int64_t col) {
  if (dataflow_ == Dataflow::kInputStationary) std::swap(row, col);
  if (row >= job_.shape.m || col >= job_.shape.n) return nullptr;
  return &results_[static_cast<std::size_t>(row * job_.shape.n + col)];
}

PeSequence::PeSequence(const ArrayConfig& array, Dataflow dataflow, const std::vector<PeJob>& jobs)
    : array_(array),
      results_stay_(dataflow == Dataflow::kOutputStationary),
      jobs_(jobs),
      outcomes_(jobs.size()),
      rings_(array.delivery == OperandDelivery::kSemiSystolic),
      cols_(block_cols(array)) {
  if (rings_) {
    fabric_ = std::make_unique<PeRings>(array);
  } else {
    fabric_ = std::make_unique<PeGrid>(array, results_stay_);
  }
  for (const PeJob& job : jobs) operands_.emplace_back(dataflow, job);
  for (std::size_t i = 0; i < jobs.size(); ++i) plan_folds(static_cast<int>(i));
}

void PeSequence::plan_folds(int job) {
  const PeOperands& operands = operands_[static_cast<std::size_t>(job)];
  const PeJob& own = jobs_[static_cast<std::size_t>(job)];
  const auto behind = static_cast<std::size_t>(job) + 1;
  const bool accumulates = !own.c.empty() || array_.result_preload == ResultPreload::kAlways;
  const std::size_t first = folds_.size();
  for (std::int64_t down = 0; down < operands.down(); down += array_.rows) {
    for (std::int64_t across = 0; across < operands.across(); across += cols_) {
      Fold fold;
      fold.job = job;
      fold.down = down;
      fold.across = across;
      fold.keeps = own.keeps_stationary && folds_.size() == first;
      fold.clears = results_stay_ && !accumulates;
      fold.loads = !fold.keeps && (rings_ || !fold.clears);
      folds_.push_back(fold);
    }
  }
  folds_[first].begins_job = true;
  Fold& last = folds_.back();
  last.ends_job = true;
  last.hands_on = results_stay_ && behind < jobs_.size() && jobs_[behind].keeps_stationary;
}

/// Rows that enter for a fold, fillers included: the last row block is not shorter than the
/// minimum; of K, whole multiples.
std::int64_t PeSequence::least_rows(const Fold& fold) const {
  const std::int64_t streamed = operands_[static_cast<std::size_t>(fold.job)].streamed();
  if (rings_) return round_up(streamed, array_.cols) * array_.stages;
  std::int64_t in_last_block = streamed;
  while (in_last_block > array_.rows) in_last_block -= array_.rows;
  std::int64_t rows = streamed;
  for (; in_last_block < array_.stream_minimum; ++in_last_block) ++rows;
  while (results_stay_ && rows % array_.stream_multiple != 0) ++rows;
  return rows;
}

/// A row of a block a cycle. Rings load rows of A, behind them rows of results: for the first fold
/// of a job the rows of A there are, and both sets of double registers.
Cycles PeSequence::load_cycles(const Fold& fold) const {
  if (!rings_) return array_.rows;
  const PeOperands& operands = operands_[static_cast<std::size_t>(fold.job)];
  const Cycles results = fold.clears ? 0 : array_.rows;
  if (!fold.begins_job) return array_.rows + results;
  const int sets = array_.result_registers == ResultRegisters::kDouble ? 2 : 1;
  return std::min<std::int64_t>(array_.rows, operands.down()) + sets * results;
}

std::int64_t PeSequence::result_cols(const Fold& fold) const {
  if (!rings_) return cols_;
  const std::int64_t across = operands_[static_cast<std::size_t>(fold.job)].across();
  return std::min(cols_, across - fold.across);
}

void PeSequence::clock() {
  advance_stream();
  advance_load();
  EdgeInputs inputs;
  if (enters_) rings_ ? enter_step(inputs) : enter_row(inputs);
  if (loading_) enter_block(inputs);
  since_empty_ = enters_ || fabric_->rows_in_flight() > 0 ? 0 : since_empty_ + 1;
  std::vector<PeResult> results;
  fabric_->clock(inputs, results);
  take_in(results);
  ++now_;
}

bool PeSequence::finished() const { return !has_next() && rows_done() && results_pending_ == 0; }

std::vector<PeOutcome> PeSequence::outcomes() {
  for (std::size_t i = 0; i < outcomes_.size(); ++i) {
    outcomes_[i].results = operands_[i].take_results();
  }
  return std::move(outcomes_);
}

// ---- the stream ---------------------------------------------------------------------------------

bool PeSequence::rows_done() const { return next_ == 0 || entered_ == rows_; }

void PeSequence::advance_stream() {
  if (rings_ ? rows_done()
             : since_start_ >= streamed_ && since_start_ % array_.stream_multiple == 0) {
    padded_ = true;
  }
  if (may_start()) start_fold();
  enters_ = !rows_done();
}

bool PeSequence::may_start() const {
  if (!has_next() || !next_is_ready() || !rows_done()) return false;
  const Fold& next = fold(next_);
  if (next.keeps) return array_.fill == Fill::kPerChain || fabric_->rows_in_flight() == 0;
  if (!next.loads) return array_is_free();
  return loaded_ && (array_.preload == Preload::kExposed || array_is_free());
}

/// The fold ahead, and the results in front of the next one's, are out of the way.
bool PeSequence::array_is_free() const {
  if (next_ == 0) return true;
  if (!rows_done() || !(padded_ || missed_)) return false;
  if (array_.fill == Fill::kPerFold && fabric_->rows_in_flight() > 0) return false;
  if (array_.drain == Drain::kOverlapped) {
    return since_end_ + least_rows(fold(next_)) >= fabric_->result_interval();
  }
  const Cycles since = array_.fill == Fill::kPerFold ? since_empty_ : since_end_;
  return since >= fabric_->shift_out();
}

void PeSequence::start_fold() {
  Fold& started = folds_[static_cast<std::size_t>(next_++)];
  rows_ = least_rows(started);
  streamed_ = operands_[static_cast<std::size_t>(started.job)].streamed();
  entered_ = since_start_ = 0;
  padded_ = loaded_ = missed_ = false;
  const std::int64_t leaving = results_stay_ ? (started.hands_on ? 0 : array_.rows) : rows_;
  started.results_left = leaving * result_cols(started);
  results_pending_ += started.results_left;
  if (started.begins_job) outcomes_[static_cast<std::size_t>(started.job)].first_row = now_;
}

void PeSequence::enter_row(EdgeInputs& inputs) {
  const Fold& present = fold(next_ - 1);
  const PeOperands& operands = operands_[static_cast<std::size_t>(present.job)];
  inputs.tag.valid = true;
  inputs.tag.first = entered_ == 0 && !present.keeps;
  inputs.tag.clears = present.clears;
  inputs.tag.last = results_stay_ && entered_ == rows_ - 1 && !present.hands_on;
  inputs.tag.fold = next_ - 1;
  inputs.tag.row = entered_;
  for (int r = 0; r < array_.rows; ++r) {
    inputs.west.push_back(operands.west(present.down + r, entered_));
  }
  for (int c = 0; results_stay_ && c < array_.cols; ++c) {
    inputs.north.push_back(operands.north(entered_, present.across + c));
  }
}

/// Step i of a fold on rings: result i mod D of group i / D of K.
void PeSequence::enter_step(EdgeInputs& inputs) {
  const Fold& present = fold(next_ - 1);
  const PeOperands& operands = operands_[static_cast<std::size_t>(present.job)];
  const std::int64_t k = entered_ / cols_ * array_.cols;
  const std::int64_t column = entered_ % cols_;
  inputs.tag.valid = true;
  inputs.tag.first = entered_ < cols_ && !present.keeps;
  inputs.tag.clears = present.clears;
  inputs.tag.loads_a = column == 0;
  inputs.tag.last = entered_ >= rows_ - cols_ && !present.hands_on;
  inputs.tag.fold = next_ - 1;
  inputs.tag.row = entered_;
  inputs.tag.cols = static_cast<int>(result_cols(present));
  for (int r = 0; r < array_.rows; ++r) {
    const std::int64_t row = present.down + r;
    inputs.start.push_back(operands.block(row, present.across + column));
    for (int h = 0; h < array_.cols; ++h) inputs.west.push_back(operands.west(row, k + h));
  }
  for (int h = 0; h < array_.cols; ++h) {
    inputs.north.push_back(operands.north(k + h, present.across + column));
  }
}

// ---- the block for the next fold ----------------------------------------------------------------

void PeSequence::advance_load() {
  if (loading_ && loaded_rows_ == load_cycles_) loading_ = false;
  if (array_.preload == Preload::kPaired && enters_ && last_block_begins() &&
      !(has_next() && next_is_ready())) {
    missed_ = true;
  }
  if (loading_ || !may_load()) return;
  loading_ = true;
  loaded_rows_ = 0;
  load_cycles_ = load_cycles(fold(next_));
}

/// The present fold's last row block (at most as many rows as the array has) begins in this cycle.
bool PeSequence::last_block_begins() const {
  if (rings_) return entered_ == 0;
  const std::int64_t rows = results_stay_ ? rows_ : streamed_;
  return entered_ % array_.rows == 0 && rows > entered_ && rows - entered_ <= array_.rows;
}

bool PeSequence::may_load() const {
  if (!has_next() || !fold(next_).loads || loaded_ || !next_is_ready()) return false;
  if (next_ == 0) return true;
  switch (array_.preload) {
    case Preload::kExposed:
      return array_is_free();
    case Preload::kPaired:
      return missed_ ? rows_done() : enters_ && last_block_begins();
    case Preload::kOverlapped:
      break;
  }
  return true;
}

void PeSequence::enter_block(EdgeInputs& inputs) {
  ++loaded_rows_;
  if (rings_) return;  // its elements come with the steps that use them
  const Fold& next = fold(next_);
  const PeOperands& operands = operands_[static_cast<std::size_t>(next.job)];
  const std::int64_t row = next.down + array_.rows - loaded_rows_;  // the last one first
  inputs.load = true;
  for (int c = 0; c < array_.cols; ++c) {
    inputs.load_row.push_back(operands.block(row, next.across + c));
  }
}

// ---- the end of a cycle -------------------------------------------------------------------------

void PeSequence::take_in(const std::vector<PeResult>& results) {
  ++since_start_;
  since_end_ = enters_ ? 0 : since_end_ + 1;
  if (enters_) ++entered_;
  if (loading_ && loaded_rows_ == load_cycles_) loaded_ = true;
  if (enters_ && rows_done()) {
    PeOutcome& outcome = outcomes_[static_cast<std::size_t>(fold(next_ - 1).job)];
    outcome.end = outcome.completed = now_ + 1;
  }
  for (const PeResult& result : results) take_result(result);
}

void PeSequence::take_result(const PeResult& result) {
  Fold& from = folds_[static_cast<std::size_t>(result.fold)];
  const std::int64_t row = results_stay_ ? from.down + result.row : result.row;
  std::int64_t* place =
      operands_[static_cast<std::size_t>(from.job)].result(row, from.across + result.col);
  if (place != nullptr) *place = (results_stay_ ? 0 : *place) + result.value;
  --from.results_left;
  --results_pending_;
  PeOutcome& outcome = outcomes_[static_cast<std::size_t>(from.job)];
  if (from.ends_job) outcome.completed = std::max(outcome.completed, now_ + 1);
}

}  // namespace tessera::hw
