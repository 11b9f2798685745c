#include "sim/pipeline.h"

#include <sys/resource.h>

#include <chrono>
#include <utility>

#include "sim/config/config.h"
#include "sim/lowering/lowering.h"
#include "sim/mapper/buffer_knees.h"
#include "sim/mapper/mapper.h"
#include "sim/report/writers.h"
#include "sim/simulation/simulate.h"
#include "workloads/model_descriptor.h"
#include "workloads/passes/passes.h"

namespace tessera::sim {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double cpu_seconds(const rusage& usage) {
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

workloads::Graph make_graph(const RunConfig& config) {
  workloads::Graph graph = workloads::build_graph(config.phases);
  graph = workloads::apply_precision(std::move(graph), config.precision);
  const auto pays = [&](const workloads::Graph& whole, const workloads::Operator& attention) {
    return fused_attention_pays(whole, attention, config.hardware, config.mapping.objective);
  };
  return workloads::fuse(std::move(graph), config.fusion, pays);
}

Plan make_plan(const RunConfig& config, const workloads::Graph& graph) {
  if (config.mapping.plan_file.empty()) {
    return map_graph(graph, config.hardware, config.mapping);
  }
  Plan plan = read_plan_file(config.mapping.plan_file, graph, config.hardware);
  validate_plan(plan, graph, config.hardware);
  return plan;
}

/// A plan from a file is the user's: other sizes do not change it.
std::vector<std::string> find_knees(const PreparedRun& run) {
  if (!run.config.mapping.plan_file.empty()) return {};
  return buffer_knees(run.graph, run.config.hardware, run.config.mapping, run.plan);
}

Report join(const PreparedRun& run, const hw::Counters& counters) {
  Report report = make_report(run.config, run.graph, run.plan, counters);
  for (std::size_t i = 0; i < run.knees.size(); ++i) {
    report.buffers[i].first_size_that_changes = run.knees[i];
  }
  return report;
}

int operator_count(const PreparedRun& run) { return static_cast<int>(run.graph.operators.size()); }

}  // namespace

PreparedRun prepare_graph(RunConfig config, workloads::Graph graph) {
  PreparedRun run;
  run.config = std::move(config);
  run.graph = std::move(graph);
  const Clock::time_point start = Clock::now();
  run.plan = make_plan(run.config, run.graph);
  run.map_seconds = seconds_since(start);
  return run;
}

PreparedRun prepare(RunConfig config) {
  workloads::Graph graph = make_graph(config);
  PreparedRun run = prepare_graph(std::move(config), std::move(graph));
  const Clock::time_point start = Clock::now();
  run.knees = find_knees(run);
  run.map_seconds += seconds_since(start);
  return run;
}

hw::Counters simulate_program(const PreparedRun& run, hw::CommandSource& program,
                              HostFigures* host) {
  const Clock::time_point start = Clock::now();
  hw::Counters counters = simulate(run.config.hardware, program, operator_count(run));
  if (host == nullptr) return counters;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  host->wall_s = seconds_since(start) + run.map_seconds;
  host->cpu_s = cpu_seconds(usage);
  host->map_s = run.map_seconds;
  host->peak_memory = usage.ru_maxrss * 1024;
  host->cycles_per_cpu_second =
      host->cpu_s > 0 ? static_cast<double>(counters.total) / host->cpu_s : 0;
  host->events = counters.events;
  return counters;
}

Report simulate_run(const PreparedRun& run, HostFigures* host) {
  const auto program = lower(run.graph, run.plan, run.config.hardware);
  return join(run, simulate_program(run, *program, host));
}

namespace {

IsolatedSimulation start_isolated(const PreparedRun& run) {
  const auto program = [&run] { return lower(run.graph, run.plan, run.config.hardware); };
  return IsolatedSimulation(run.config.hardware, program, operator_count(run));
}

}  // namespace

IsolatedRun::IsolatedRun(PreparedRun run)
    : run_(std::make_unique<const PreparedRun>(std::move(run))),
      simulation_(start_isolated(*run_)) {}

Report IsolatedRun::wait() { return join(*run_, simulation_.wait()); }

Report simulate_run_isolated(const PreparedRun& run) {
  return join(run, start_isolated(run).wait());
}

}  // namespace tessera::sim
