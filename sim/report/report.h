// The report: counters joined with names. The only input of every writer. Field names are those of
// report.json (schema tessera-report/1). A quantity with no model behind it is nullopt, never 0.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "hw_models/counters.h"
#include "hw_models/dram_energy.h"
#include "sim/expressions/expectations.h"

namespace tessera::sim {

using hw::Bytes;
using hw::Cycles;

struct Bounds {
  Cycles compute_cycles = 0;    // MACs / peak MACs per cycle
  Cycles as_mapped_cycles = 0;  // array cycles of the mapping: padding, folds, short streams
  Cycles dram_cycles = 0;       // least bytes of any mapping (totals: their sum) / bandwidth limit
  Cycles dram_as_mapped_cycles =
      0;  // the plan's bus bytes / bandwidth limit, or the interconnect's time
  Cycles scratchpad_cycles = 0;  // busiest bank at its ports
  Cycles vector_cycles = 0;      // work of the vector unit
};

/// Cycles that each resource alone would need for its work.
struct Walls {
  double compute = 0;
  double dram = 0;  // at the ridge bandwidth
  double scratchpad = 0;
  double vector = 0;
};

struct Roofline {
  Walls walls;                       // ideal array cycles, compulsory bytes
  Walls as_mapped_walls;             // the mapping's array cycles and bus bytes
  Bytes bytes = 0;                   // the denominator of the intensity (phases, totals: summed)
  double operational_intensity = 0;  // ops per compulsory DRAM byte, 2MKN / (MK + KN + MN) in bytes
  double ridge = 0;                  // ops per byte
  std::string ridge_bandwidth = "peak";  // or "sustained"
  std::string bound;                     // compute | dram | scratchpad | vector, against the ridge
  double achieved_fraction = 0;          // of the roofline at this intensity
  std::string next_bound;
  double next_bound_distance = 0;  // 1 - next wall / limiting wall
  std::string as_mapped_bound;     // the same walls with the plan's traffic and array cycles
  std::string as_mapped_next_bound;
  double as_mapped_next_share = 0;  // next wall / limiting wall
};

struct MappingSummary {
  std::string dataflow;  // empty for vector operators
  std::int64_t tile_m = 0, tile_k = 0, tile_n = 0;
  std::string loop_order;  // "mnk", outer first
  std::vector<std::string> double_buffered, resident;
  Bytes dram_bytes = 0, least_dram_bytes = 0, lower_bound_bytes = 0;
  double gap = 0;                // dram_bytes / least_dram_bytes - 1
  Cycles analytical_cycles = 0;  // estimate for the operator alone and cold
};

/// One row: an operator (of one layer), a phase, or the whole run.
struct ReportRow {
  std::string name, phase;
  int layer = -1;
  int core = 0;
  std::string kind;
  std::int64_t m = 0, k = 0, n = 0;
  std::int64_t count = 0;            // executions x instances (operators)
  std::vector<std::string> members;  // operators fused into this one
  int repeat = 1;                    // phases
  std::string title, unit;           // phases
  std::int64_t units = 1;            // phases: images, prompts
  Cycles cycles = 0, span_cycles = 0;
  double time_s = 0;
  std::int64_t macs = 0;
  double utilization = 0;
  std::optional<double> energy_j;
  Bounds bounds;
  std::array<Cycles, hw::kCauses> attribution{};
  hw::TrafficByClass dram{};
  Bytes dram_bus_bytes = 0;
  std::array<hw::DramStream, hw::kTrafficClasses> dram_streams{};  // DRAM model timing
  std::vector<hw::TrafficByClass> buffers;
  Bytes compulsory_bytes = 0;    // inputs + weights + outputs once, but what is kept on chip
  Bytes fusion_saved_bytes = 0;  // intermediates that fusion keeps on chip, written and read once
  Bytes residency_saved_bytes = 0;  // operands and results that stay on chip, each once
  double reuse_weights = 0, reuse_activations = 0;
  Cycles vector_busy = 0, vector_hidden = 0;
  std::optional<Roofline> roofline;  // phases and totals: of their sums
  std::optional<MappingSummary> mapping;
};

struct BufferSummary {
  std::string name;
  Bytes capacity_bytes = 0, peak_bytes = 0;
  std::string first_size_that_changes;  // e.g. "1 MiB: MLP_FC2 moves 20.4 MB"; empty: not computed
};

/// What the DRAM took, of all operators and the time between them.
struct DramEnergyFigures {
  hw::DramJoules joules;
  bool by_command = true;  // else by bit
  std::string source;
};

/// Fidelity pe: all results of the array, held against a plain product.
struct ComputedProduct {
  std::uint64_t seed = 0;                             // of the operands
  std::int64_t results = 0;                           // compared, all equal
  Cycles first_row = 0, rows_end = 0, completed = 0;  // of the array alone
};

struct Report {
  /// False: an estimate in closed form. What only a simulation can know is then left 0 here and is
  /// null to readers: spans, attribution, traffic and peaks of buffers, hidden cycles, units.
  bool simulated = true;
  std::string tool_version, model_version, run_name, precision, hardware_name, fidelity;
  nlohmann::ordered_json config;
  ReportRow totals;
  std::vector<ReportRow> phases, operators;
  std::map<std::string, hw::UnitCounters> units;
  Cycles vector_hidden_cycles = 0, vector_exposed_cycles = 0;
  std::vector<BufferSummary> buffers;
  double dram_sustained_fraction = 0;  // useful bytes / (elapsed x peak)
  bool dram_has_rows = false;          // model timing: row hits, commands and streams are known
  std::int64_t dram_bursts = 0;
  Bytes dram_burst_bytes = 0;
  hw::DramCommandCounts dram_commands;
  std::optional<DramEnergyFigures> dram_energy;
  double peak_macs_per_cycle = 0, core_hz = 0, dram_peak_bytes_per_second = 0;
  std::vector<std::string> model_notes;  // what the model leaves out
  std::optional<ComputedProduct> computed;
  std::vector<expressions::ExpectationResult> expectations;
};

/// One simulated line of the "it would take" table.
struct WhatIf {
  std::string change;  // "hardware.vector.lanes: 64"
  bool feasible = true;
  std::string note;  // why not, or what moved most
  Cycles cycles = 0;
  double time_s = 0;
  Bytes dram_bytes = 0;
};

/// Figures of the host, never part of report.json.
struct HostFigures {
  double wall_s = 0, cpu_s = 0, map_s = 0;
  Bytes peak_memory = 0;
  bool simulated = true;  // else there are no simulated cycles and events
  double cycles_per_cpu_second = 0;
  std::int64_t events = 0;
};

}  // namespace tessera::sim
