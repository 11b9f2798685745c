// The report as text, CSV and JSON, its comparison, and the stages of `describe`.
#pragma once

#include <iosfwd>
#include <limits>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "hw_models/hardware_config.h"
#include "hw_models/tile_program.h"
#include "sim/config/run_config.h"
#include "sim/mapper/plan.h"
#include "sim/report/report.h"
#include "workloads/graph.h"

namespace tessera::sim {

/// Joins counters with names.
Report make_report(const RunConfig& config, const workloads::Graph& graph, const Plan& plan,
                   const hw::Counters& counters);

struct TextOptions {
  int width = 100;   // 80 .. 160 columns
  bool all = false;  // every layer, not folded
  bool color = false;
};
std::string report_text(const Report& report, const std::vector<WhatIf>& what_ifs,
                        const TextOptions& options);
std::string host_footer(const HostFigures& host, int width = 100);
nlohmann::ordered_json host_json(const HostFigures& host);
nlohmann::ordered_json report_json(const Report& report);
/// One header row (JSON paths as headers, base units, a `run` column), a row per operator and
/// layer.
std::string report_csv(const Report& report);
/// JSON Schema (draft 2020-12) of report.json.
nlohmann::ordered_json report_schema();

/// What changed from a to b: in total, per operator, and which cause moved. `a` and `b` are
/// report.json documents; throws std::invalid_argument when one is not.
std::string compare_text(const nlohmann::ordered_json& a, const nlohmann::ordered_json& b,
                         const TextOptions& options);
nlohmann::ordered_json compare_json(const nlohmann::ordered_json& a,
                                    const nlohmann::ordered_json& b);

/// `format`: text | json | csv | yaml; text keeps within `width` columns (80 .. 160). The graph as
/// CSV has the columns of operators.csv.
std::string describe_graph(const workloads::Graph& graph, const std::string& format,
                           int width = 100);
std::string describe_plan(const workloads::Graph& graph, const Plan& plan,
                          const hw::HardwareConfig& hardware, const std::string& format,
                          int width = 100);
/// Streams the program command by command to `out` (memory stays flat); longer lines go on below,
/// indented.
void describe_program(hw::CommandSource& program, const workloads::Graph& graph,
                      const hw::HardwareConfig& hardware, const std::string& format,
                      std::ostream& out, int width = std::numeric_limits<int>::max());

}  // namespace tessera::sim
