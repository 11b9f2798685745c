// Runs a program on the modelled machine.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "hw_models/counters.h"
#include "hw_models/hardware_config.h"
#include "hw_models/tile_program.h"
#include "sim/simulation/isolated_call.h"

namespace tessera::sim {

struct SimulateOptions {
  /// Tests only: unrelated SystemC events that must change nothing (0: none).
  std::uint64_t noise_seed = 0;
};

/// Elaborates the machine, feeds it `program` (operators 0 .. operator_count-1) and returns its
/// counters. Once per process: a second call throws std::logic_error. A deadlock throws
/// std::runtime_error naming who waits for whom.
hw::Counters simulate(const hw::HardwareConfig& hardware, hw::CommandSource& program,
                      int operator_count, const SimulateOptions& options = {});

/// The same in a forked child, any number of times, several at once.
class IsolatedSimulation {
 public:
  /// Starts the child; `make_program` runs there. Throws std::runtime_error when it cannot fork.
  IsolatedSimulation(const hw::HardwareConfig& hardware,
                     const std::function<std::unique_ptr<hw::CommandSource>()>& make_program,
                     int operator_count, const SimulateOptions& options = {});
  /// Waits for the child. Once. Throws std::runtime_error with the child's message when it failed.
  hw::Counters wait();

 private:
  IsolatedCall call_;
};

/// Starts one and waits for it.
hw::Counters simulate_isolated(
    const hw::HardwareConfig& hardware,
    const std::function<std::unique_ptr<hw::CommandSource>()>& make_program, int operator_count,
    const SimulateOptions& options = {});

}  // namespace tessera::sim
