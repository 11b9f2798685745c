// The keys of a run and of a model descriptor.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/config/fields.h"
#include "sim/config/precision_fields.h"
#include "sim/config/run_config.h"

namespace tessera::sim::config {

/// The workload as configured: one request (`single`), or phases by name.
struct WorkloadSpec {
  bool single = true;
  std::vector<workloads::PhaseRequest> phases;
};

/// `then` follows `minimize` unless given.
struct ObjectiveSpec {
  ObjectiveConfig config;
  bool then_given = false;
};

struct MappingSpec {
  ObjectiveSpec objective;
  std::vector<MappingPin> pins;
  LayoutConfig layout;
  ResidencyChoice residency = ResidencyChoice::kNone;
  std::string plan;  // as written
};

struct RooflineSpec {
  bool at_peak = true;
};

/// A run as written in its file, names resolved to mappings.
struct RunSpec {
  std::string name;
  hw::HardwareConfig hardware;
  WorkloadSpec workload;
  PrecisionSpec precision;
  workloads::Fusion fusion;
  MappingSpec mapping;
  Fidelity fidelity = Fidelity::kTransaction;
  RooflineSpec roofline;
  std::vector<expressions::Expectation> expectations;
};

const Table<RunSpec>& run_table();

/// Reads the one tree of a run: defaults filled in, checked as a whole. Throws ConfigError.
RunSpec read_run(const Value& value);

/// The keys of a run that says nothing of a workload: the caller brings the operators.
const Table<RunSpec>& machine_run_table();
/// As read_run, for such a run. The precision is not checked against the array.
RunSpec read_machine_run(const Value& value);

}  // namespace tessera::sim::config
