// A run as resolved from YAML: plain structs, no optionals left.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "hw_models/hardware_config.h"
#include "sim/expressions/expectations.h"
#include "sim/mapper/plan.h"
#include "workloads/model_descriptor.h"
#include "workloads/passes/passes.h"

namespace tessera::sim {

enum class Objective { kLatency, kDramBytes };
/// `kAnalytical`: bounds and an estimate in closed form, without a simulation.
enum class Fidelity { kTransaction, kAnalytical };
const char* to_string(Fidelity fidelity);  // "transaction", "analytical"

/// What stays on chip from one operator to the next: what pays, or nothing.
enum class ResidencyChoice { kAuto, kNone };

/// Default: the least DRAM traffic within 1 % of the best latency.
struct ObjectiveConfig {
  Objective minimize = Objective::kLatency;
  double within = 0.01;  // share; 0 for the strict optimum
  Objective then = Objective::kDramBytes;
};

/// Fixes part of the mapping of every operator whose qualified name matches `pattern`
/// (`*` any characters; a pattern without a dot matches the bare operator name). 0 / empty = free.
struct MappingPin {
  std::string pattern;
  std::string dataflow;  // "weight_stationary", ...
  std::int64_t tile_m = 0, tile_k = 0, tile_n = 0;
  std::string loop_order;                    // permutation of "mkn", outer first
  std::vector<std::string> double_buffered;  // of "a", "b", "accumulators", "outputs"
  bool has_double_buffered = false;
  std::vector<std::string> resident;  // of "a", "b"
  bool has_resident = false;
};

/// How tensors lie in DRAM, by class; tables of embeddings are always row major. Tiled: blocks of
/// `block_rows` rows by the largest power of two of bytes, at most `block_width`, that divides a
/// row; rows that no whole DRAM burst divides stay row major.
struct LayoutConfig {
  Layout weights = Layout::kRowMajor, activations = Layout::kRowMajor, kv_cache = Layout::kRowMajor;
  std::int64_t block_rows = 64;
  std::int64_t block_width = 256;
};

struct MappingConfig {
  ObjectiveConfig objective;
  std::vector<MappingPin> pins;
  LayoutConfig layout;
  ResidencyChoice residency = ResidencyChoice::kNone;
  std::string plan_file;  // absolute or empty
};

struct RunConfig {
  std::string name;  // stem of the file
  hw::HardwareConfig hardware;
  std::vector<workloads::PhaseRequest> phases;
  workloads::Precision precision;
  std::string precision_name = "w8a8";
  workloads::Fusion fusion;
  MappingConfig mapping;
  Fidelity fidelity = Fidelity::kTransaction;
  std::vector<expressions::Expectation> expectations;  // of its report
  bool ridge_at_peak = true;        // roofline ridge: peak or sustained bandwidth
  nlohmann::ordered_json resolved;  // the one tree, for the report and `describe`
};

}  // namespace tessera::sim
