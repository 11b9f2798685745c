#include "sim/simulation/pe_simulation.h"

#include <cstdlib>
#include <utility>

#include "hw_models/pe_array.h"

namespace tessera::sim {

PeProduct simulate_pes(const hw::ArrayConfig& array, hw::Dataflow dataflow,
                       const Product& product) {
  static bool ran = false;
  if (ran) throw std::logic_error("simulate_pes() runs once per process");
  ran = true;
  setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 0);
  hw::PeArray pes("pes");
  hw::PeJob job;
  job.shape = product.shape;
  job.a = product.a;
  job.b = product.b;
  job.c = product.c;
  hw::PeOutcome outcome = std::move(pes.run(array, dataflow, {job}).front());
  return {std::move(outcome.results), outcome.first_row, outcome.end, outcome.completed};
}

}  // namespace tessera::sim
