// The straight line: load -> graph -> plan -> program -> simulate -> report.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/config/run_config.h"
#include "sim/mapper/plan.h"
#include "sim/report/report.h"
#include "sim/simulation/simulate.h"
#include "workloads/graph.h"

namespace tessera::sim {

/// A run up to the point where the machine takes over.
struct PreparedRun {
  RunConfig config;
  workloads::Graph graph;  // after all passes
  Plan plan;
  std::vector<std::string> knees;  // by buffer: which size first changes the plan
  double map_seconds = 0;          // host time of the mapper, for the footer
};

/// Are the knees of buffers wanted? They take some mappings more.
enum class Knees { kFound, kNone };

/// The graph behind all passes.
workloads::Graph make_graph(const RunConfig& config);

/// Graph, passes, plan (mapped, or read from mapping.plan).
PreparedRun prepare(RunConfig config, Knees knees = Knees::kFound);
/// The same for `graph`, which is there after all passes; without knees.
PreparedRun prepare_graph(RunConfig config, workloads::Graph graph);

/// The report at the run's fidelity. Simulates in this process: once only. `host` may be null.
Report simulate_run(const PreparedRun& run, HostFigures* host = nullptr);

/// Simulates `program` for `run` in this process: once only. `host` may be null.
hw::Counters simulate_program(const PreparedRun& run, hw::CommandSource& program,
                              HostFigures* host);

/// Fails early: what the run expects names figures that its report will have. Throws ConfigError.
void check_expectations(const PreparedRun& run);
/// Judges what the run expects of `report` and notes it there. Throws ConfigError.
void judge_expectations(const RunConfig& config, Report& report);

/// A run that simulates in a child of its own, beside others; an analytical one needs none.
class IsolatedRun {
 public:
  explicit IsolatedRun(PreparedRun run);
  /// Waits for the child. Once.
  Report wait();

 private:
  std::unique_ptr<const PreparedRun> run_;
  std::optional<IsolatedSimulation> simulation_;  // none: analytical
};

/// Starts one and waits for it.
Report simulate_run_isolated(const PreparedRun& run);

}  // namespace tessera::sim
