// The program, command by command.
#include <limits>
#include <ostream>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/report/csv.h"
#include "sim/report/format.h"
#include "sim/report/writers.h"
#include "sim/report/yaml_text.h"

namespace tessera::sim {
namespace {

using Json = nlohmann::ordered_json;
using hw::Command;
using hw::CommandKind;

/// Names that commands need.
struct Names {
  const workloads::Graph& graph;
  const hw::HardwareConfig& hardware;

  std::string op(int index) const {
    return index < 0 ? "" : qualified_name(graph.operators.at(index));
  }
  std::string buffer(int index) const { return index < 0 ? "" : hardware.buffers.at(index).name; }
  std::string region(const hw::Region& region) const {
    return fmt::format("{}[{},{})", buffer(region.buffer), region.offset,
                       region.offset + region.bytes);
  }
};

const char* hazard_name(hw::Hazard hazard) {
  switch (hazard) {
    case hw::Hazard::kReadAfterWrite:
      return "raw";
    case hw::Hazard::kWriteAfterRead:
      return "war";
    case hw::Hazard::kWriteAfterWrite:
      return "waw";
  }
  return "?";
}

std::string waits_text(const Command& command) {
  std::string text;
  for (const auto& wait : command.waits) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : " ", hazard_name(wait.hazard), wait.command);
  }
  return text;
}

std::string transfer_text(const Command& command, const Names& names) {
  const auto& transfer = command.transfer;
  const auto& dram = transfer.dram;
  return fmt::format("{} dram {} {}x{}x{} B {} {}", to_string(transfer.traffic), dram.address,
                     dram.count[1], dram.count[0], dram.row_bytes,
                     command.kind == CommandKind::kLoad ? "->" : "<-",
                     names.region(transfer.region));
}

std::string gemm_text(const hw::GemmCommand& gemm, const Names& names) {
  std::string text = fmt::format(
      "{}x{}x{} {} {} {} a {} b {} c {}", gemm.m, gemm.k, gemm.n, gemm.precision,
      to_string(gemm.dataflow), gemm.accumulate ? "accumulate" : "overwrite",
      names.region(gemm.a.region), names.region(gemm.b.region), names.region(gemm.c.region));
  if (gemm.keeps_stationary) text += " keeps";
  if (!gemm.epilogue) return text;
  return text + " +" + fmt::format("{}", fmt::join(gemm.epilogue->operations, "+")) +
         (gemm.epilogue->adds_output ? " with -> " : " -> ") +
         names.region(gemm.epilogue->output.region);
}

std::string vector_text(const hw::VectorCommand& vector, const Names& names) {
  std::string text =
      fmt::format("{} {} x {}", fmt::join(vector.operations, "+"), vector.rows, vector.cols);
  for (const auto& input : vector.inputs) text += " " + names.region(input.region);
  for (const auto& output : vector.outputs) text += " -> " + names.region(output.region);
  return text;
}

std::string work_text(const Command& command, const Names& names) {
  if (command.kind == CommandKind::kGemm) return gemm_text(command.gemm, names);
  if (command.kind == CommandKind::kVector) return vector_text(command.vector, names);
  return transfer_text(command, names);
}

Json region_json(const hw::Region& region, const Names& names) {
  return {
      {"buffer", names.buffer(region.buffer)}, {"offset", region.offset}, {"bytes", region.bytes}};
}

Json operand_json(const hw::TileOperand& operand, const Names& names) {
  Json json = region_json(operand.region, names);
  json["rows"] = operand.rows;
  json["cols"] = operand.cols;
  json["pitch"] = operand.pitch;
  json["bits"] = operand.bits;
  json["transposed"] = operand.transposed;
  return json;
}

Json transfer_json(const hw::TransferCommand& transfer, const Names& names) {
  const auto& dram = transfer.dram;
  return {{"traffic", to_string(transfer.traffic)},
          {"dram",
           {{"address", dram.address},
            {"row_bytes", dram.row_bytes},
            {"count", Json::array({dram.count[0], dram.count[1]})},
            {"stride", Json::array({dram.stride[0], dram.stride[1]})}}},
          {"region", region_json(transfer.region, names)},
          {"block_row_bytes", transfer.block_row_bytes}};
}

Json gemm_json(const hw::GemmCommand& gemm, const Names& names) {
  Json json = {{"m", gemm.m},
               {"k", gemm.k},
               {"n", gemm.n},
               {"dataflow", to_string(gemm.dataflow)},
               {"precision", gemm.precision},
               {"a", operand_json(gemm.a, names)},
               {"b", operand_json(gemm.b, names)},
               {"c", operand_json(gemm.c, names)},
               {"accumulate", gemm.accumulate},
               {"keeps_stationary", gemm.keeps_stationary}};
  json["epilogue"] = nullptr;
  if (gemm.epilogue) {
    json["epilogue"] = {{"operations", gemm.epilogue->operations},
                        {"output", operand_json(gemm.epilogue->output, names)},
                        {"adds_output", gemm.epilogue->adds_output}};
  }
  return json;
}

Json vector_json(const hw::VectorCommand& vector, const Names& names) {
  Json json = {{"operations", vector.operations},
               {"rows", vector.rows},
               {"cols", vector.cols},
               {"pass_share", vector.pass_share}};
  json["inputs"] = Json::array();
  for (const auto& input : vector.inputs) json["inputs"].push_back(operand_json(input, names));
  json["outputs"] = Json::array();
  for (const auto& output : vector.outputs) json["outputs"].push_back(operand_json(output, names));
  return json;
}

Json command_json(const Command& command, const Names& names) {
  Json json = {{"id", command.id},
               {"kind", to_string(command.kind)},
               {"core", command.core},
               {"queue", command.queue},
               {"operator", names.op(command.op)},
               {"launches", command.launches},
               {"not_before_fs", command.not_before}};
  json["waits"] = Json::array();
  for (const auto& wait : command.waits) {
    json["waits"].push_back({{"command", wait.command},
                             {"hazard", hazard_name(wait.hazard)},
                             {"accumulators", wait.accumulators}});
  }
  switch (command.kind) {
    case CommandKind::kGemm:
      json["gemm"] = gemm_json(command.gemm, names);
      break;
    case CommandKind::kVector:
      json["vector"] = vector_json(command.vector, names);
      break;
    default:
      json["transfer"] = transfer_json(command.transfer, names);
  }
  return json;
}

std::string text_line(const Command& command, const Names& names, int width) {
  constexpr int kIndent = 22;  // of what goes on below: the operator's column
  const std::string waits = waits_text(command);
  const std::string line = fmt::format(
      "{:>8}  {:<6} q{}  {:<28} {}{}{}", command.id, to_string(command.kind), command.queue,
      names.op(command.op), work_text(command, names), waits.empty() ? "" : "  waits ", waits);
  return wrap(line, kIndent, width);
}

std::string csv_line(const Command& command, const Names& names) {
  return fmt::format("{},{},{},{},{},{},{},{}\n", command.id, to_string(command.kind), command.core,
                     command.queue, csv_cell(names.op(command.op)), command.launches,
                     csv_cell(waits_text(command)), csv_cell(work_text(command, names)));
}

std::string command_text(const Command& command, const Names& names, const std::string& format,
                         int width) {
  if (format == "text") return text_line(command, names, width);
  if (format == "csv") return csv_line(command, names);
  if (format == "yaml") return yaml_text(Json::array({command_json(command, names)}));
  return (command.id == 0 ? "\n" : ",\n") + command_json(command, names).dump();
}

}  // namespace

void describe_program(hw::CommandSource& program, const workloads::Graph& graph,
                      const hw::HardwareConfig& hardware, const std::string& format,
                      std::ostream& out, int width) {
  if (format != "text" && format != "csv" && format != "json" && format != "yaml") {
    throw std::invalid_argument("no program as " + format);
  }
  const Names names{graph, hardware};
  if (format == "csv") out << "id,kind,core,queue,operator,launches,waits,work\n";
  if (format == "json") out << "[";
  while (out.good()) {  // a reader that went away ends the stream
    const auto command = program.next();
    if (!command) break;
    out << command_text(*command, names, format, width);
  }
  if (format == "json") out << "\n]\n";
}

}  // namespace tessera::sim
