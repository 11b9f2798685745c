#include "sim/cli/gemm_command.h"

#include <algorithm>
#include <iostream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/cli/output.h"
#include "sim/config/config.h"
#include "sim/gemm_run.h"
#include "sim/report/format.h"
#include "sim/report/gemm_writers.h"

namespace tessera::sim {
namespace {

/// The pair of --precision, which must be one of the array's.
void set_precision(RunConfig& machine, const std::string& pair) {
  const auto& throughput = machine.hardware.array.throughput;
  std::vector<std::string> known;
  for (const auto& [name, macs] : throughput) known.push_back(name);
  if (throughput.count(pair) == 0) {
    throw UsageError(fmt::format("--precision '{}': the array of {} runs {}", pair,
                                 machine.hardware.name, fmt::join(known, ", ")));
  }
  machine.precision_name = pair;
  const workloads::OperandTypes types = workloads::operand_types(pair);
  machine.precision = {types.weights, types.activations, types.activations};
  machine.resolved["precision"]["default"] = pair;
}

void check_fidelity(const std::string& fidelity) {
  const std::vector<std::string> known{"transaction", "pe", "analytical"};
  if (std::find(known.begin(), known.end(), fidelity) != known.end()) return;
  const std::string near = nearest(fidelity, known);
  throw UsageError(fmt::format("--fidelity '{}': fidelities are {}{}", fidelity,
                               fmt::join(known, ", "),
                               near.empty() ? "" : "; did you mean '" + near + "'?"));
}

GemmRequest gemm_request(const CommandLine& line) {
  if (line.hardware.size() != 1) {
    throw UsageError(
        "'tessera gemm' needs one --hardware: a name (tessera list hardware) or a file");
  }
  check_fidelity(line.fidelity);
  GemmRequest request;
  request.shape = parse_gemm_shape(line.subjects[0]);
  if (!line.dataflow.empty()) request.dataflow = parse_dataflow(line.dataflow);
  request.computed = line.fidelity == "pe";
  request.resident = line.resident || request.computed;
  request.accumulate = line.accumulate;
  request.machine = load_machine_run(line.hardware[0], line.sets);
  if (!line.precision.empty()) set_precision(request.machine, line.precision);
  return request;
}

}  // namespace

void gemm_command(const CommandLine& line) {
  const PreparedGemm gemm = prepare_gemm(gemm_request(line));
  const bool simulated = line.fidelity == "transaction";
  HostFigures host;
  const Report report = simulated               ? simulate_gemm(gemm, &host)
                        : line.fidelity == "pe" ? pe_gemm(gemm)
                                                : analytical_gemm(gemm);
  if (line.format == "json") {
    write_stdout(gemm_json(report).dump(2) + "\n");
    if (simulated) std::cerr << host_footer(host);
    return;
  }
  write_stdout(gemm_text(report, {text_width(line.width), line.all, use_color()}));
}

}  // namespace tessera::sim
