// From a reference figure to a simulation that answers it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/config/run_config.h"
#include "sim/simulation/simulate.h"
#include "sim/validation/engines.h"

namespace tessera::sim {

/// A row that cannot be compared, and why.
class NotComparable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// `--hardware ENGINE=NAME`: engines that match `pattern` run on `hardware`.
struct HardwareOverride {
  std::string pattern, hardware;
};

/// Machines by name and changes, each read once.
class Machines {
 public:
  /// Throws NotComparable when no preset is known or a change cannot be made.
  const RunConfig& find(const std::vector<std::string>& names,
                        const std::vector<std::string>& sets);

 private:
  std::string known(const std::vector<std::string>& names);

  std::vector<std::string> known_names_;
  std::map<std::string, RunConfig> machines_;
  std::map<std::string, std::string> failures_;
};

/// A figure's run, ready to simulate; its cycles are the count of the machine less `printed_less`.
struct CaseRun {
  hw::HardwareConfig hardware;
  std::function<std::unique_ptr<hw::CommandSource>()> program;
  hw::Cycles printed_less = 0;
};

/// The row as its engine's rule runs it; not a memory's. Throws NotComparable.
CaseRun prepare_case(const ReferenceCase& reference, const std::vector<HardwareOverride>& overrides,
                     Machines& machines);

/// Loads of A (m x k), then of B (k x n), as blocks of `side` x `side` bytes, row of blocks after
/// row of blocks, through one queue; in the buffer of the activations, from its start again when it
/// is full.
std::vector<hw::Command> block_loads(const hw::HardwareConfig& hardware, const hw::GemmShape& shape,
                                     std::int64_t side);

}  // namespace tessera::sim
