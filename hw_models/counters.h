// Plain integer counters of a simulation: what the units count, without words or formats.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hw_models/dram_channel.h"
#include "hw_models/tile_program.h"
#include "hw_models/units.h"

namespace tessera::hw {

/// Who a cycle of the array belongs to. The order is the report's.
enum class Cause {
  kCompute,
  kPreload,
  kFillDrain,
  kWaitWeights,
  kWaitActivations,
  kWaitAccumulator,
  kWaitScratchpad,
  kWaitVector,
  kWaitStore,
  kWaitDispatch,
  kTail
};
constexpr int kCauses = 11;
const char* to_string(Cause cause);  // "compute", "wait_weights", ...

struct ReadWrite {
  Bytes read = 0;
  Bytes write = 0;
};

using TrafficByClass = std::array<ReadWrite, kTrafficClasses>;

/// One class of traffic of one operator at the DRAM.
struct DramStream {
  std::int64_t bursts = 0;
  std::int64_t activates = 0;  // rows opened for it
  Femtoseconds in_flight = 0;  // time with at least one of its requests at the DRAM
  DramStream& operator+=(const DramStream& other) {
    bursts += other.bursts;
    activates += other.activates;
    in_flight += other.in_flight;
    return *this;
  }
};

struct OperatorCounters {
  std::array<Cycles, kCauses> attribution{};  // sums to the operator's cycles
  Cycles first_command = -1;                  // core cycle its first command was dispatched
  Cycles last_retired = -1;
  std::int64_t macs = 0;
  std::int64_t executions = 0;                             // commands with `launches`
  TrafficByClass dram{};                                   // useful bytes
  Bytes dram_bus_bytes = 0;                                // whole bursts
  std::array<DramStream, kTrafficClasses> dram_streams{};  // timing model
  std::vector<TrafficByClass> buffers;                     // by buffer index
  std::vector<std::int64_t> buffer_accesses;               // by buffer index: bank accesses
  Cycles array_busy = 0;                                   // computing, preload, fill as executed
  Cycles vector_busy = 0;
  Cycles vector_hidden = 0;   // of vector_busy: while the array computed
  Cycles array_held_up = 0;   // cycles that a stream of the array lost to banks
  Cycles vector_held_up = 0;  // of vector_busy: lost to banks
  std::int64_t commands = 0;
};

struct UnitCounters {
  Cycles busy = 0;
  Cycles stalled = 0;  // has a command whose conditions are not met, or is held up by a bank
  Cycles idle = 0;     // busy + stalled + idle = elapsed
};

struct BufferCounters {
  Bytes peak = 0;  // largest footprint of one operator
  std::int64_t accesses = 0;
  std::int64_t conflict_cycles = 0;
};

struct Counters {
  Cycles total = 0;  // core cycles from start to the last retirement
  std::vector<OperatorCounters> operators;
  std::map<std::string, UnitCounters> units;  // "core0.array", "core0.dma0", "dram", ...
  std::vector<BufferCounters> buffers;
  std::int64_t dram_bursts = 0;
  Femtoseconds dram_busy = 0;  // data bus time; of reads alone where writes have their own path
  DramCommandCounts dram_commands;  // timing model
  std::map<std::string, std::int64_t> macs_by_precision;
  std::int64_t register_hops = 0;  // PE-to-PE operand moves, for energy
  std::int64_t events = 0;         // host statistics, not part of the report
};

}  // namespace tessera::hw
