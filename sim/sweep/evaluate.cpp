#include "sim/sweep/evaluate.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <map>
#include <stdexcept>

#include "sim/config/config.h"
#include "sim/mapper/planned_traffic.h"
#include "sim/report/roofline.h"
#include "sim/report/rows.h"

namespace tessera::sim {
namespace {

using Json = nlohmann::ordered_json;

Answers answers_of(const SweepSpec& spec, const PointView& view) {
  Answers answers;
  for (const SweepObjective& each : spec.objectives) {
    answers.objectives.push_back(answer(each.figure, view));
  }
  for (const Requirement& each : spec.require) {
    const Judged judged = judge(each, view);
    answers.requirements.push_back(judged.value);
    answers.misses.push_back(judged.miss);
  }
  return answers;
}

/// The report of a run that takes no longer than its tallest bound. Phases and operators may hide
/// behind one another, so that nothing bounds them: they take next to nothing.
Report at_bounds(Report report) {
  const auto take = [&](ReportRow& row, Cycles cycles) {
    row.utilization = ratio(row.utilization * static_cast<double>(row.cycles), double(cycles));
    row.cycles = cycles;
    row.time_s = static_cast<double>(cycles) / report.core_hz;
  };
  const Bounds& bounds = report.totals.bounds;
  take(report.totals, std::max({bounds.compute_cycles, bounds.dram_cycles, bounds.vector_cycles}));
  for (ReportRow& row : report.phases) take(row, 1);
  for (ReportRow& row : report.operators) take(row, 1);
  return report;
}

/// What the inputs of an operator are called.
std::string input_name(const workloads::Operator& op, const workloads::Graph& graph,
                       std::size_t input) {
  if (op.kind == workloads::OperatorKind::kAttention) {
    return input == 0 ? "queries" : input == 1 ? "keys" : "values";
  }
  const auto& tensor = graph.tensors.at(static_cast<std::size_t>(op.inputs.at(input).tensor));
  if (tensor.cls == workloads::TensorClass::kWeights) return "weights";
  return input == 0 ? "activations" : "right operand";
}

/// Operands by name; of several layers the one that is loaded most often.
std::vector<Residence> residence_of(const PreparedRun& run) {
  std::vector<Residence> all;
  std::map<std::string, std::size_t> places;
  const auto note = [&](const std::string& operand, std::int64_t loads) {
    const auto [at, is_new] = places.emplace(operand, all.size());
    if (is_new) all.push_back({operand, loads});
    all[at->second].loads = std::max(all[at->second].loads, loads);
  };
  for (std::size_t i = 0; i < run.graph.operators.size(); ++i) {
    const workloads::Operator& op = run.graph.operators[i];
    if (!uses_array(op)) continue;
    const PlannedTraffic traffic =
        planned_traffic(run.graph, op, run.plan.operators[i], run.config.hardware);
    const std::string name = op.phase + "." + op.name + " ";
    for (std::size_t k = 0; k < traffic.loads.size(); ++k) {
      note(name + input_name(op, run.graph, k), traffic.loads[k].times);
    }
    if (!op.outputs.empty()) note(name + "partial sums", traffic.partial > 0 ? 2 : 1);
  }
  return all;
}

/// The message of a ConfigError alone: rows of a table do not say on which machine it was.
std::string without_place(const std::string& what) {
  const std::string mark = "error: ";
  const std::size_t begin = what.find(mark);
  const std::string message = begin == std::string::npos ? what : what.substr(begin + mark.size());
  return message.substr(0, message.find('\n'));
}

Json json_of(const Answers& answers) {
  return {{"objectives", answers.objectives},
          {"requirements", answers.requirements},
          {"misses", answers.misses}};
}

Answers answers_in(const Json& json) {
  return {json.at("objectives").get<std::vector<double>>(),
          json.at("requirements").get<std::vector<double>>(),
          json.at("misses").get<std::vector<double>>()};
}

}  // namespace

std::string write_figures(const PointFigures& figures) {
  Json json = {{"time_s", figures.time_s},
               {"cycles", figures.cycles},
               {"macs", figures.macs},
               {"utilization", figures.utilization},
               {"dram_bytes", figures.dram_bytes},
               {"least_dram_bytes", figures.least_dram_bytes},
               {"lower_bound_bytes", figures.lower_bound_bytes},
               {"bound", figures.bound},
               {"answers", json_of(figures.answers)}};
  if (figures.optimistic) json["optimistic"] = json_of(*figures.optimistic);
  Json& residence = json["loads"] = Json::object();
  for (const Residence& each : figures.residence) residence[each.operand] = each.loads;
  return json.dump();
}

PointFigures read_figures(const std::string& text, bool with_residence) {
  const Json json = Json::parse(text);
  PointFigures figures;
  figures.time_s = json.at("time_s");
  figures.cycles = json.at("cycles");
  figures.macs = json.at("macs");
  figures.utilization = json.at("utilization");
  figures.dram_bytes = json.at("dram_bytes");
  figures.least_dram_bytes = json.at("least_dram_bytes");
  figures.lower_bound_bytes = json.at("lower_bound_bytes");
  figures.bound = json.at("bound");
  figures.answers = answers_in(json.at("answers"));
  if (json.contains("optimistic")) figures.optimistic = answers_in(json.at("optimistic"));
  if (!with_residence) return figures;
  for (const auto& [operand, loads] : json.at("loads").items()) {
    figures.residence.push_back({operand, loads.get<std::int64_t>()});
  }
  return figures;
}

PointFigures point_figures(const SweepSpec& spec, const PreparedRun& run, const Report& report) {
  PointFigures figures;
  const ReportRow& totals = report.totals;
  figures.time_s = totals.time_s;
  figures.cycles = totals.cycles;
  figures.macs = totals.macs;
  figures.utilization = totals.utilization;
  figures.dram_bytes = moved_bytes(totals.dram);
  for (const ReportRow& row : report.operators) {
    figures.least_dram_bytes += row.mapping->least_dram_bytes;
    figures.lower_bound_bytes += row.mapping->lower_bound_bytes;
  }
  figures.bound = totals.roofline->as_mapped_bound;
  figures.answers = answers_of(spec, PointView(report));
  if (spec.fidelity == SweepFidelity::kBoth && !report.simulated) {
    const Report bound = at_bounds(report);
    figures.optimistic = answers_of(spec, PointView(bound));
  }
  figures.residence = residence_of(run);
  return figures;
}

std::string evaluate_point(const Sweep& sweep, std::int64_t id, Fidelity fidelity) {
  if (fidelity != Fidelity::kAnalytical) act_on_fault(id);
  try {
    const PreparedRun run = prepare(sweep.run_of(id, fidelity), Knees::kNone);
    const Report report = simulate_run(run);
    return key_of(run.config) + "\n" + write_figures(point_figures(sweep.spec(), run, report));
  } catch (const ConfigError& error) {
    throw std::runtime_error(without_place(error.what()));
  }
}

void act_on_fault(std::int64_t id) {
  const char* const faults = std::getenv("TESSERA_SWEEP_FAULT");
  if (faults == nullptr) return;
  const std::string list = "," + std::string(faults) + ",";
  const auto asked = [&](const std::string& what) {
    return list.find("," + what + ":" + std::to_string(id) + ",") != std::string::npos;
  };
  if (asked("segfault")) {
    std::signal(SIGSEGV, SIG_DFL);
    std::raise(SIGSEGV);
  }
  if (asked("hang")) {
    volatile bool forever = true;
    while (forever) {
    }
  }
  if (asked("memory")) {
    std::vector<std::string> hoard;
    while (true) hoard.emplace_back(std::size_t{64} << 20, 'x');
  }
}

}  // namespace tessera::sim
