#include "sim/pipeline.h"

#include <sys/resource.h>

#include <chrono>
#include <utility>

#include "sim/analytical_run.h"
#include "sim/config/config.h"
#include "sim/expressions/document.h"
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

Report with_knees(Report report, const PreparedRun& run) {
  for (std::size_t i = 0; i < run.knees.size(); ++i) {
    report.buffers[i].first_size_that_changes = run.knees[i];
  }
  return report;
}

Report join(const PreparedRun& run, const hw::Counters& counters) {
  return with_knees(make_report(run.config, run.graph, run.plan, counters), run);
}

bool is_analytical(const PreparedRun& run) { return run.config.fidelity == Fidelity::kAnalytical; }

Report report_of_plan(const PreparedRun& run) {
  return with_knees(analytical_report(run.config, run.graph, run.plan), run);
}

int operator_count(const PreparedRun& run) { return static_cast<int>(run.graph.operators.size()); }

}  // namespace

workloads::Graph make_graph(const RunConfig& config) {
  workloads::Graph graph = workloads::build_graph(config.phases);
  graph = workloads::apply_precision(std::move(graph), config.precision);
  return workloads::fuse(std::move(graph), config.fusion,
                         fusion_judge(config.hardware, config.mapping.objective));
}

PreparedRun prepare_graph(RunConfig config, workloads::Graph graph) {
  PreparedRun run;
  run.config = std::move(config);
  run.graph = std::move(graph);
  const Clock::time_point start = Clock::now();
  run.plan = make_plan(run.config, run.graph);
  run.map_seconds = seconds_since(start);
  return run;
}

PreparedRun prepare(RunConfig config, Knees knees) {
  workloads::Graph graph = make_graph(config);
  PreparedRun run = prepare_graph(std::move(config), std::move(graph));
  if (knees == Knees::kNone) return run;
  const Clock::time_point start = Clock::now();
  run.knees = find_knees(run);
  run.map_seconds += seconds_since(start);
  return run;
}

namespace {

/// What this process has used so far, `wall_s` since its plan was asked for.
HostFigures host_figures(const PreparedRun& run, double wall_s) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  HostFigures host;
  host.wall_s = wall_s + run.map_seconds;
  host.cpu_s = cpu_seconds(usage);
  host.map_s = run.map_seconds;
  host.peak_memory = usage.ru_maxrss * 1024;
  return host;
}

}  // namespace

hw::Counters simulate_program(const PreparedRun& run, hw::CommandSource& program,
                              HostFigures* host) {
  const Clock::time_point start = Clock::now();
  hw::Counters counters = simulate(run.config.hardware, program, operator_count(run));
  if (host == nullptr) return counters;
  *host = host_figures(run, seconds_since(start));
  host->cycles_per_cpu_second =
      host->cpu_s > 0 ? static_cast<double>(counters.total) / host->cpu_s : 0;
  host->events = counters.events;
  return counters;
}

Report simulate_run(const PreparedRun& run, HostFigures* host) {
  if (is_analytical(run)) {
    const Clock::time_point start = Clock::now();
    Report report = report_of_plan(run);
    if (host != nullptr) *host = host_figures(run, seconds_since(start));
    if (host != nullptr) host->simulated = false;
    return report;
  }
  const auto program = lower(run.graph, run.plan, run.config.hardware);
  return join(run, simulate_program(run, *program, host));
}

namespace {

/// A report in closed form has every path of a simulated one but those of units.
class EstimatedReport : public expressions::Environment {
 public:
  explicit EstimatedReport(nlohmann::ordered_json report)
      : document_(std::move(report)), environment_(document_) {}
  std::optional<expressions::Datum> lookup(const expressions::Path& path) const override {
    return path.front().name == "units" ? std::nullopt : environment_.lookup(path);
  }

 private:
  const nlohmann::ordered_json document_;
  const expressions::ReportEnvironment environment_;
};

}  // namespace

void check_expectations(const PreparedRun& run) {
  if (run.config.expectations.empty()) return;
  expressions::check_meaning(run.config.expectations,
                             EstimatedReport(report_json(report_of_plan(run))));
}

void judge_expectations(const RunConfig& config, Report& report) {
  if (config.expectations.empty()) return;
  const nlohmann::ordered_json document = report_json(report);
  report.expectations =
      expressions::judge(config.expectations, expressions::ReportEnvironment(document));
}

namespace {

IsolatedSimulation start_isolated(const PreparedRun& run) {
  const auto program = [&run] { return lower(run.graph, run.plan, run.config.hardware); };
  return IsolatedSimulation(run.config.hardware, program, operator_count(run));
}

}  // namespace

IsolatedRun::IsolatedRun(PreparedRun run)
    : run_(std::make_unique<const PreparedRun>(std::move(run))) {
  if (!is_analytical(*run_)) simulation_.emplace(start_isolated(*run_));
}

Report IsolatedRun::wait() {
  return simulation_ ? join(*run_, simulation_->wait()) : report_of_plan(*run_);
}

Report simulate_run_isolated(const PreparedRun& run) {
  return is_analytical(run) ? report_of_plan(run) : join(run, start_isolated(run).wait());
}

}  // namespace tessera::sim
