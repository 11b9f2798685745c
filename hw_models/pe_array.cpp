#include "hw_models/pe_array.h"

#include "hw_models/kernel/process.h"
#include "hw_models/pe_sequence.h"

namespace tessera::hw {
namespace {

/// Any period would do: the clock only counts.
sc_core::sc_time period() { return {1, sc_core::SC_NS}; }

}  // namespace

PeArray::PeArray(sc_core::sc_module_name name) : sc_module(name) {
  spawn_step([this] { clock_edge(); }, {&edge_});
}

PeArray::~PeArray() = default;

void PeArray::clock_edge() {
  if (!sequence_) return;
  sequence_->clock();
  if (!sequence_->finished()) edge_.notify(period());
}

std::vector<PeOutcome> PeArray::run(const ArrayConfig& array, Dataflow dataflow,
                                    const std::vector<PeJob>& jobs) {
  sequence_ = std::make_unique<PeSequence>(array, dataflow, jobs);
  edge_.notify(period());
  sc_core::sc_start();
  std::vector<PeOutcome> outcomes = sequence_->outcomes();
  sequence_.reset();
  return outcomes;
}

}  // namespace tessera::hw
