#include "sim/gemm_run.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/lowering/lowering.h"
#include "sim/mapper/mapper.h"
#include "sim/report/writers.h"
#include "sim/simulation/pe_simulation.h"
#include "workloads/passes/passes.h"

namespace tessera::sim {
namespace {

using hw::Role;

constexpr const char* kOperator = "Gemm";
constexpr const char* kPhase = "gemm";
constexpr std::uint64_t kPeSeed = 1;  // of the operands of pe_gemm()
constexpr int kPeResultBits = 16;     // of what its results are added to

// ------------------------------------------------------------------------------------ the graph

workloads::MatrixView add_tensor(workloads::Graph& graph, const std::string& name,
                                 std::int64_t rows, std::int64_t cols, workloads::TensorClass cls) {
  workloads::Tensor tensor;
  tensor.name = std::string(kPhase) + "." + name;
  tensor.shape = {rows, cols};
  tensor.cls = cls;
  graph.tensors.push_back(tensor);
  workloads::MatrixView view;
  view.tensor = static_cast<workloads::TensorId>(graph.tensors.size()) - 1;
  view.rows = rows;
  view.row_stride = cols;
  view.cols = cols;
  return view;
}

workloads::Graph one_gemm(const hw::GemmShape& s, const workloads::Precision& precision) {
  using workloads::TensorClass;
  workloads::Graph graph;
  workloads::Operator op;
  op.name = kOperator;
  op.phase = kPhase;
  op.m = s.m;
  op.k = s.k;
  op.n = s.n;
  op.inputs = {add_tensor(graph, "A", s.m, s.k, TensorClass::kActivations),
               add_tensor(graph, "B", s.k, s.n, TensorClass::kWeights)};
  op.outputs = {add_tensor(graph, "C", s.m, s.n, TensorClass::kActivations)};
  graph.operators = {op};
  workloads::Phase phase;
  phase.name = kPhase;
  phase.title = shape_text(s);
  phase.unit = "product";
  phase.last_operator = 1;
  graph.phases = {phase};
  return workloads::fuse(workloads::apply_precision(std::move(graph), precision), {});
}

// ------------------------------------------------------------------------------------- resident

const hw::BufferConfig& buffer_at(const hw::HardwareConfig& hardware, int index) {
  return hardware.buffers[static_cast<std::size_t>(index)];
}

/// A buffer's bytes, taken from the bottom and from the top.
struct Room {
  Bytes bottom = 0, top = 0;
  std::vector<std::string> holds;
};

/// Regions of A, B and C in the buffers of their roles.
class Placement {
 public:
  explicit Placement(const hw::HardwareConfig& hardware)
      : hardware_(hardware), rooms_(hardware.buffers.size()) {}

  hw::Region bottom(Role role, Bytes bytes, const char* operand) {
    Room& room = enter(role, operand);
    const Bytes offset = room.bottom;
    room.bottom += rounded(role, bytes);
    return {hw::buffer_of(hardware_, role), offset, bytes};
  }
  hw::Region top(Role role, Bytes bytes, const char* operand) {
    Room& room = enter(role, operand);
    room.top += rounded(role, bytes);
    const int buffer = hw::buffer_of(hardware_, role);
    return {buffer, buffer_at(hardware_, buffer).capacity - room.top, bytes};
  }

  void require_fit() const {
    std::string missing;
    for (std::size_t i = 0; i < rooms_.size(); ++i) {
      const hw::BufferConfig& buffer = hardware_.buffers[i];
      const Bytes needed = rooms_[i].bottom + rooms_[i].top;
      if (needed <= buffer.capacity) continue;
      missing += fmt::format("{}{} {} {} bytes of buffer '{}', which has {}: {} bytes too many",
                             missing.empty() ? "" : "; ", fmt::join(rooms_[i].holds, " and "),
                             rooms_[i].holds.size() > 1 ? "need" : "needs", needed, buffer.name,
                             buffer.capacity, needed - buffer.capacity);
    }
    if (!missing.empty()) throw GemmError("--resident does not fit: " + missing);
  }

 private:
  Room& enter(Role role, const char* operand) {
    Room& room = rooms_[static_cast<std::size_t>(hw::buffer_of(hardware_, role))];
    room.holds.push_back(operand);
    return room;
  }
  /// Whole accesses, so that no two operands share one.
  Bytes rounded(Role role, Bytes bytes) const {
    const Bytes width = buffer_at(hardware_, hw::buffer_of(hardware_, role)).width;
    return hw::ceil_div(bytes, width) * width;
  }

  const hw::HardwareConfig& hardware_;
  std::vector<Room> rooms_;
};

hw::TileOperand tile_of(std::int64_t rows, std::int64_t cols, int bits, hw::TrafficClass traffic) {
  hw::TileOperand tile;
  tile.rows = rows;
  tile.cols = cols;
  tile.bits = bits;
  tile.pitch = hw::ceil_div(cols * bits, 8);
  tile.traffic = traffic;
  return tile;
}

/// The operands of `command` in the buffers of their roles.
void place(const hw::HardwareConfig& hardware, hw::GemmCommand& command) {
  const bool swapped = command.dataflow == hw::Dataflow::kInputStationary;
  const Role a_role = swapped ? Role::kStationary : Role::kActivations;
  const Role b_role = swapped ? Role::kActivations : Role::kStationary;
  const auto bytes = [](const hw::TileOperand& tile) { return tile.pitch * tile.rows; };
  Placement placement(hardware);
  command.a.region = placement.bottom(a_role, bytes(command.a), "A");
  command.c.region = placement.bottom(Role::kAccumulators, bytes(command.c), "C");
  command.b.region = placement.top(b_role, bytes(command.b), "B");
  placement.require_fit();
}

hw::Command resident_command(const GemmRequest& request, hw::Dataflow dataflow) {
  const hw::HardwareConfig& hardware = request.machine.hardware;
  const workloads::Precision& precision = request.machine.precision;
  const hw::GemmShape& s = request.shape;
  const int accumulators = hw::buffer_of(hardware, Role::kAccumulators);
  hw::Command command;
  command.id = 0;
  command.kind = hw::CommandKind::kGemm;
  command.op = 0;
  hw::GemmCommand& gemm = command.gemm;
  gemm.m = s.m;
  gemm.k = s.k;
  gemm.n = s.n;
  gemm.dataflow = dataflow;
  gemm.precision = request.machine.precision_name;
  gemm.accumulate = request.accumulate;
  gemm.a = tile_of(s.m, s.k, precision.activations.bits, hw::TrafficClass::kActivations);
  gemm.b = tile_of(s.k, s.n, precision.weights.bits, hw::TrafficClass::kWeights);
  gemm.c = tile_of(s.m, s.n, buffer_at(hardware, accumulators).element_bits,
                   hw::TrafficClass::kPartialSums);
  place(hardware, gemm);
  return command;
}

hw::ArrayCost cost_of(const hw::HardwareConfig& hardware, const hw::GemmCommand& gemm) {
  return hw::array_cost(hardware.array, gemm.dataflow, {gemm.m, gemm.k, gemm.n},
                        hw::pair_rate(hardware.array, gemm.precision).value(), gemm.accumulate);
}

/// What a resident product takes beside the array's own cycles: dispatch, start-up, the buffers.
Cycles around_array(const hw::HardwareConfig& hardware, const hw::GemmCommand& gemm) {
  const auto latency = [&](const hw::TileOperand& tile) {
    return buffer_at(hardware, tile.region.buffer).latency;
  };
  return hardware.sequencer.dispatch + hardware.array.startup +
         std::max(latency(gemm.a), latency(gemm.b)) + latency(gemm.c);
}

/// Dispatch to last result of a resident product that no bank holds up.
Cycles resident_latency(const hw::HardwareConfig& hardware, const hw::GemmCommand& gemm) {
  const hw::ArrayCost cost = cost_of(hardware, gemm);
  return around_array(hardware, gemm) + cost.preload + cost.stream() - cost.successor_wait +
         cost.drain;
}

/// The plan that says of a resident product what a report shows: one tile, no traffic.
Plan resident_plan(const workloads::Graph& graph, const hw::HardwareConfig& hardware,
                   const hw::GemmCommand& gemm) {
  Plan plan;
  plan.operators.resize(1);
  OperatorPlan& only = plan.operators.front();
  only.name = workloads::qualified_name(graph.operators.front());
  only.gemm.dataflow = gemm.dataflow;
  only.gemm.tile = {gemm.m, gemm.k, gemm.n};
  const auto slot = [](const hw::TileOperand& tile) {
    return Slots{tile.region.buffer, tile.region.offset, tile.region.bytes, 1};
  };
  only.gemm.a = slot(gemm.a);
  only.gemm.b = slot(gemm.b);
  only.gemm.accumulators = slot(gemm.c);
  only.gemm.resident_a = only.gemm.resident_b = true;
  only.cost.array_cycles = cost_of(hardware, gemm).stream();
  only.cost.latency = resident_latency(hardware, gemm);
  plan.tensors.resize(graph.tensors.size());
  return plan;
}

/// The one command of a resident product.
class OneCommand : public hw::CommandSource {
 public:
  explicit OneCommand(hw::Command command) : command_(std::move(command)) {}
  std::optional<hw::Command> next() override { return std::exchange(command_, std::nullopt); }

 private:
  std::optional<hw::Command> command_;
};

/// Nothing crosses the DRAM, so nothing is compulsory and there is no roofline.
void forget_dram(Report& report) {
  const auto forget = [](ReportRow& row) {
    row.compulsory_bytes = 0;
    row.roofline.reset();
  };
  forget(report.totals);
  for (ReportRow& row : report.phases) forget(row);
  for (ReportRow& row : report.operators) forget(row);
}

// -------------------------------------------------------------------------------------- request

[[noreturn]] void refuse_shape(const std::string& text, const std::string& why) {
  throw GemmError(
      fmt::format("'{}' is not a product: {}; write MxKxN, each 1 .. {}, "
                  "for example 64x256x96",
                  text, why, kMostGemmSide));
}

std::int64_t side_of(const std::string& word, const std::string& text) {
  const bool digits = !word.empty() && word.find_first_not_of("0123456789") == std::string::npos;
  if (!digits) refuse_shape(text, word.empty() ? "a size is missing" : "'" + word + "' is no size");
  if (word.size() > 10) refuse_shape(text, word + " is too large");
  const std::int64_t side = std::stoll(word);
  if (side == 0) refuse_shape(text, "a size is 0");
  if (side > kMostGemmSide) refuse_shape(text, word + " is too large");
  return side;
}

std::string known_dataflows(const hw::ArrayConfig& array) {
  std::vector<std::string> names;
  for (const hw::Dataflow each : array.dataflows) names.emplace_back(hw::to_string(each));
  return fmt::format("{}", fmt::join(names, ", "));
}

void check_precision(const RunConfig& machine) {
  const auto& throughput = machine.hardware.array.throughput;
  if (throughput.count(machine.precision_name) != 0) return;
  std::vector<std::string> pairs;
  for (const auto& [pair, macs] : throughput) pairs.push_back(pair);
  throw GemmError(fmt::format("the array of {} cannot run {}; it runs {}", machine.hardware.name,
                              machine.precision_name, fmt::join(pairs, ", ")));
}

/// The PEs make one MAC a cycle, whatever the widths.
void check_pe_throughput(const RunConfig& machine) {
  const auto& throughput = machine.hardware.array.throughput;
  const double macs = throughput.at(machine.precision_name);
  if (macs == 1.0) return;
  std::vector<std::string> pairs;
  for (const auto& [pair, each] : throughput) {
    if (each == 1.0) pairs.push_back(pair);
  }
  throw GemmError(fmt::format(
      "--fidelity pe computes one MAC a PE and cycle; the array of {} makes {} of {} "
      "(allowed: {})",
      machine.hardware.name, macs, machine.precision_name,
      pairs.empty() ? "a machine with throughput 1" : fmt::format("{}", fmt::join(pairs, ", "))));
}

void check_request(const GemmRequest& request) {
  const hw::ArrayConfig& array = request.machine.hardware.array;
  check_precision(request.machine);
  const auto& known = array.dataflows;
  if (request.dataflow && std::find(known.begin(), known.end(), *request.dataflow) == known.end()) {
    throw GemmError(fmt::format("the array of {} has no dataflow {}; it has {}",
                                request.machine.hardware.name, hw::to_string(*request.dataflow),
                                known_dataflows(array)));
  }
  if (request.accumulate && !request.resident) {
    throw GemmError(
        "--accumulate adds to results that are in the accumulators: it needs --resident");
  }
  if (request.resident && !request.machine.mapping.plan_file.empty()) {
    throw GemmError("--resident runs one command: it takes no mapping.plan");
  }
  if (!request.computed) return;
  check_pe_throughput(request.machine);
  check_pe_size(array, request.dataflow.value_or(known.front()), request.shape);
}

void note_request(GemmRequest& request) {
  const auto dataflow = request.dataflow ? nlohmann::ordered_json(hw::to_string(*request.dataflow))
                                         : nlohmann::ordered_json(nullptr);
  request.machine.resolved["gemm"] = {
      {"m", request.shape.m}, {"k", request.shape.k},         {"n", request.shape.n},
      {"dataflow", dataflow}, {"resident", request.resident}, {"accumulate", request.accumulate}};
  if (!request.dataflow) return;
  MappingPin pin;
  pin.pattern = kOperator;
  pin.dataflow = hw::to_string(*request.dataflow);
  request.machine.mapping.pins.push_back(pin);
}

/// A report of which only the sum of the cycles is known.
Report report_of_cycles(const PreparedGemm& gemm, Cycles cycles) {
  const hw::HardwareConfig& hardware = gemm.run.config.hardware;
  hw::Counters counters;
  counters.operators.resize(1);
  counters.operators[0].macs = workloads::mac_count(gemm.run.graph.operators[0]);
  // One cause stands for all: writers leave causes out.
  counters.operators[0].attribution[0] = counters.total = cycles;
  counters.operators[0].buffer_accesses.resize(hardware.buffers.size());
  return gemm_report(gemm, counters);
}

}  // namespace

// ------------------------------------------------------------------------------------ interface

std::string shape_text(const hw::GemmShape& shape) {
  return fmt::format("{}x{}x{}", shape.m, shape.k, shape.n);
}

hw::GemmShape parse_gemm_shape(const std::string& text) {
  std::vector<std::string> words{""};
  for (const char c : text) {
    if (c == 'x') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  if (words.size() != 3) refuse_shape(text, fmt::format("it has {} sizes", words.size()));
  const hw::GemmShape shape{side_of(words[0], text), side_of(words[1], text),
                            side_of(words[2], text)};
  if (shape.m * shape.k > kMostGemmMacs / shape.n) {
    refuse_shape(text, fmt::format("more than {} MACs", kMostGemmMacs));
  }
  return shape;
}

hw::Dataflow parse_dataflow(const std::string& text) {
  using hw::Dataflow;
  static const std::array<std::pair<const char*, Dataflow>, 3> kShort{
      {{"ws", Dataflow::kWeightStationary},
       {"os", Dataflow::kOutputStationary},
       {"is", Dataflow::kInputStationary}}};
  for (const auto& [name, dataflow] : kShort) {
    if (text == name || text == hw::to_string(dataflow)) return dataflow;
  }
  throw GemmError("'" + text +
                  "' is not a dataflow: weight_stationary (ws), output_stationary (os), "
                  "input_stationary (is)");
}

PreparedGemm prepare_gemm(GemmRequest request) {
  check_request(request);
  workloads::Graph graph = one_gemm(request.shape, request.machine.precision);
  note_request(request);
  PreparedGemm gemm;
  if (!request.resident) {
    gemm.run = prepare_graph(std::move(request.machine), std::move(graph));
    return gemm;
  }
  const auto& dataflows = request.machine.hardware.array.dataflows;
  gemm.resident = resident_command(request, request.dataflow.value_or(dataflows.front()));
  gemm.run.config = std::move(request.machine);
  gemm.run.graph = std::move(graph);
  gemm.run.plan = resident_plan(gemm.run.graph, gemm.run.config.hardware, gemm.resident->gemm);
  return gemm;
}

std::unique_ptr<hw::CommandSource> gemm_program(const PreparedGemm& gemm) {
  if (gemm.resident) return std::make_unique<OneCommand>(*gemm.resident);
  return lower(gemm.run.graph, gemm.run.plan, gemm.run.config.hardware);
}

Report gemm_report(const PreparedGemm& gemm, const hw::Counters& counters) {
  Report report = make_report(gemm.run.config, gemm.run.graph, gemm.run.plan, counters);
  if (gemm.resident) forget_dram(report);
  return report;
}

Report simulate_gemm(const PreparedGemm& gemm, HostFigures* host) {
  const auto program = gemm_program(gemm);
  return gemm_report(gemm, simulate_program(gemm.run, *program, host));
}

IsolatedSimulation start_gemm(const PreparedGemm& gemm) {
  return IsolatedSimulation(
      gemm.run.config.hardware, [&gemm] { return gemm_program(gemm); }, 1);
}

Report analytical_gemm(const PreparedGemm& gemm) {
  Report report = report_of_cycles(gemm, gemm.run.plan.operators[0].cost.latency);
  report.fidelity = "analytical";
  report.simulated = false;
  return report;
}

void check_pe_size(const hw::ArrayConfig& array, hw::Dataflow dataflow,
                   const hw::GemmShape& shape) {
  constexpr double kPeClocksPerSecond = 2e8;  // PEs moved on by one clock; of a 3 GHz host core
  const std::int64_t macs = shape.m * shape.k * shape.n;
  if (macs <= kMostPeMacs) return;
  const hw::ArrayCost cost = hw::array_cost(array, dataflow, shape, 1.0, false);
  const double pe_clocks =
      static_cast<double>(cost.preload + cost.stream() + cost.drain) * array.rows * array.cols;
  throw GemmError(fmt::format(
      "--fidelity pe computes every MAC: {} has {} of them, more than {}; it would take about "
      "{:.0f} s",
      shape_text(shape), macs, kMostPeMacs, pe_clocks / kPeClocksPerSecond));
}

Report pe_gemm(const PreparedGemm& gemm) {
  const hw::HardwareConfig& hardware = gemm.run.config.hardware;
  const hw::GemmCommand& command = gemm.resident.value().gemm;
  const Product product =
      random_product({command.m, command.k, command.n},
                     {command.a.bits, command.b.bits, kPeResultBits}, command.accumulate, kPeSeed);
  const PeProduct pes = simulate_pes(hardware.array, command.dataflow, product);
  check_product(product, pes.results);
  Report report = report_of_cycles(gemm, around_array(hardware, command) + pes.completed);
  report.fidelity = "pe";
  report.simulated = false;
  report.computed = ComputedProduct{kPeSeed, static_cast<std::int64_t>(pes.results.size()),
                                    pes.first_row, pes.rows_end, pes.completed};
  return report;
}

}  // namespace tessera::sim
