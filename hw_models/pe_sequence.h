// The control of the PE array: which row and which part of a block enters in each cycle, decided
// from counters and from what the grid reports.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "hw_models/pe_array.h"
#include "hw_models/pe_grid.h"

namespace tessera::hw {

/// One job as the array sees it: input stationary is weight stationary of the transposed product.
class PeOperands {
 public:
  PeOperands(Dataflow dataflow, const PeJob& job);
  std::int64_t down() const { return down_; }      // held by the rows of the array
  std::int64_t across() const { return across_; }  // held by its columns
  std::int64_t streamed() const { return streamed_; }
  /// Numbers outside the matrices are 0.
  std::int64_t west(std::int64_t row, std::int64_t step) const;
  std::int64_t north(std::int64_t step, std::int64_t col) const;
  std::int64_t block(std::int64_t row, std::int64_t col) const;
  std::int64_t* result(std::int64_t row, std::int64_t col);
  std::vector<std::int64_t> take_results() { return std::move(results_); }

 private:
  std::int64_t a(std::int64_t row, std::int64_t col) const;
  std::int64_t b(std::int64_t row, std::int64_t col) const;

  Dataflow dataflow_;
  const PeJob& job_;
  std::int64_t down_ = 0, across_ = 0, streamed_ = 0;
  std::vector<std::int64_t> results_;
};

/// A chain of jobs on one grid.
class PeSequence {
 public:
  PeSequence(const ArrayConfig& array, Dataflow dataflow, const std::vector<PeJob>& jobs);
  /// One clock cycle.
  void clock();
  bool finished() const;
  std::vector<PeOutcome> outcomes();

 private:
  struct Fold {
    int job = 0;
    std::int64_t down = 0, across = 0;  // first row and column of its block
    bool keeps = false;                 // the block of the fold ahead
    bool loads = false;                 // a block of its own
    bool clears = false;                // its results start from zero
    bool hands_on = false;              // its results stay for the next fold
    bool begins_job = false;
    bool ends_job = false;
    std::int64_t results_left = 0;
  };

  void plan_folds(int job);
  const PeJob& job_of(const Fold& fold) const { return jobs_[static_cast<std::size_t>(fold.job)]; }
  const Fold& fold(int index) const { return folds_[static_cast<std::size_t>(index)]; }
  bool has_next() const { return next_ < static_cast<int>(folds_.size()); }
  bool next_is_ready() const { return job_of(fold(next_)).ready <= now_; }

  void advance_stream();
  bool rows_done() const;
  bool may_start() const;
  bool array_is_free() const;
  void start_fold();
  void enter_row(EdgeInputs& inputs);
  void advance_load();
  bool may_load() const;
  bool last_block_begins() const;
  void enter_block(EdgeInputs& inputs);
  void take_in(const std::vector<PeResult>& results);
  void take_result(const PeResult& result);
  void enter_step(EdgeInputs& inputs);
  std::int64_t least_rows(const Fold& fold) const;
  Cycles load_cycles(const Fold& fold) const;
  std::int64_t result_cols(const Fold& fold) const;

  const ArrayConfig array_;
  const bool results_stay_;
  const std::vector<PeJob>& jobs_;
  std::vector<PeOperands> operands_;
  std::vector<PeOutcome> outcomes_;
  std::vector<Fold> folds_;
  const bool rings_;
  const std::int64_t cols_;  // of a block
  std::unique_ptr<PeFabric> fabric_;
  Cycles now_ = 0;

  // The stream: fold `next_ - 1` has started.
  int next_ = 0;
  bool enters_ = false;               // a row enters in this cycle
  std::int64_t rows_ = 0;             // of the present fold, fillers included
  std::int64_t streamed_ = 0;         // of the present fold, without
  std::int64_t entered_ = 0;          // of rows_
  Cycles since_start_ = 0;            // of the present fold
  Cycles since_end_ = 0;              // cycles without a row since its last one
  Cycles since_empty_ = 0;            // cycles without a row in the array
  bool padded_ = false;               // the padding in front of another block is over
  std::int64_t results_pending_ = 0;  // of started folds, not out of the array

  // The block for fold `next_`.
  std::int64_t loaded_rows_ = 0;
  Cycles load_cycles_ = 0;
  bool loading_ = false;
  bool loaded_ = false;
  bool missed_ = false;  // paired: not at hand when the last row block began
};

}  // namespace tessera::hw
