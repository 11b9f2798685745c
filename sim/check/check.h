// Does a program compute the right thing? Hazards and the flow of data for every program, values
// for those that are small enough. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "hw_models/tile_program.h"
#include "sim/check/fault.h"
#include "sim/check/numerics.h"
#include "sim/mapper/plan.h"
#include "workloads/graph.h"

namespace tessera::sim {

struct CheckOptions {
  std::int64_t max_macs = 2'000'000'000;  // values are computed up to here
  int orders = 2;                         // legal orders besides program order
  std::uint64_t seed = 1;                 // of data and orders
  Numbers numbers = Numbers::kInteger;    // what 16-bit elements are
  bool values = true;
  std::size_t shown = 10;  // faults with a text
};

struct CheckResult {
  std::int64_t commands = 0;
  std::array<std::int64_t, 4> commands_of{};  // by CommandKind
  std::int64_t pairs = 0;                     // conflicting accesses that were found in order
  std::int64_t macs = 0;                      // of the program
  bool values_checked = false;
  std::string why_not;             // values were not checked
  std::int64_t values = 0;         // elements compared, in one order
  int orders = 0;                  // orders in which the program was executed
  std::vector<std::string> notes;  // e.g. stand-ins for operations without a formula
  FaultLog faults{10};
  bool passed() const { return faults.total() == 0; }
};

/// Checks `program`, which is a lowering of `plan`, or claims to be.
CheckResult check_program(const workloads::Graph& graph, const Plan& plan,
                          const hw::HardwareConfig& hardware, hw::CommandSource& program,
                          const CheckOptions& options = {});

}  // namespace tessera::sim
