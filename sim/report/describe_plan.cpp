// The plan as text, JSON, CSV and YAML: mapping, traffic and its gap per operator, tensors in DRAM.
#include <map>
#include <stdexcept>
#include <tuple>

#include <fmt/format.h>

#include "sim/report/csv.h"
#include "sim/report/format.h"
#include "sim/report/roofline.h"
#include "sim/report/writers.h"
#include "sim/report/yaml_text.h"

namespace tessera::sim {
namespace {

using Json = nlohmann::ordered_json;

std::string buffer_name(const hw::HardwareConfig& hardware, int buffer) {
  return buffer < 0 ? "" : hardware.buffers.at(buffer).name;
}

Json slots_json(const Slots& slots, const hw::HardwareConfig& hardware) {
  if (slots.count == 0) return nullptr;
  return {{"buffer", buffer_name(hardware, slots.buffer)},
          {"offset", slots.offset},
          {"bytes", slots.bytes},
          {"count", slots.count}};
}

Json slots_json(const std::vector<Slots>& all, const hw::HardwareConfig& hardware) {
  Json json = Json::array();
  for (const Slots& slots : all) json.push_back(slots_json(slots, hardware));
  return json;
}

Json gemm_json(const GemmMapping& gemm, const hw::HardwareConfig& hardware) {
  Json json;
  json["dataflow"] = to_string(gemm.dataflow);
  json["tile"] = {{"m", gemm.tile.m}, {"k", gemm.tile.k}, {"n", gemm.tile.n}};
  json["loop_order"] = loop_order_text(gemm.order);
  json["resident_a"] = gemm.resident_a;
  json["resident_b"] = gemm.resident_b;
  json["a"] = slots_json(gemm.a, hardware);
  json["b"] = slots_json(gemm.b, hardware);
  json["accumulators"] = slots_json(gemm.accumulators, hardware);
  json["outputs"] = slots_json(gemm.outputs, hardware);
  return json;
}

Json attention_json(const AttentionMapping& attention, const hw::HardwareConfig& hardware) {
  Json json;
  json["dataflow"] = to_string(attention.dataflow);
  json["rows"] = attention.rows;
  json["keys"] = attention.keys;
  json["softmax_rows"] = attention.softmax_rows;
  json["resident"] = attention.resident;
  json["q"] = slots_json(attention.q, hardware);
  json["k"] = slots_json(attention.k, hardware);
  json["v"] = slots_json(attention.v, hardware);
  json["scores"] = slots_json(attention.scores, hardware);
  json["score_sums"] = slots_json(attention.score_sums, hardware);
  json["sums"] = slots_json(attention.sums, hardware);
  json["outputs"] = slots_json(attention.outputs, hardware);
  json["online"] = attention.online;
  json["statistics"] = slots_json(attention.statistics, hardware);
  return json;
}

Json vector_json(const VectorMapping& vector, const hw::HardwareConfig& hardware) {
  Json json;
  json["block"] = {{"rows", vector.rows}, {"cols", vector.cols}};
  json["inputs"] = slots_json(vector.inputs, hardware);
  json["outputs"] = slots_json(vector.outputs, hardware);
  json["parameters"] = slots_json(vector.parameters, hardware);
  return json;
}

double gap_of(const OperatorPlan& plan) {
  return plan.least_dram_bytes > 0 ? ratio(plan.cost.dram_bytes, plan.least_dram_bytes) - 1.0 : 0.0;
}

Json operator_json(const OperatorPlan& plan, const hw::HardwareConfig& hardware) {
  Json json;
  json["name"] = plan.name;
  json["mapping"] = plan.is_gemm        ? gemm_json(plan.gemm, hardware)
                    : plan.is_attention ? attention_json(plan.attention, hardware)
                                        : vector_json(plan.vector, hardware);
  json["cost"] = {
      {"latency_cycles", plan.cost.latency},      {"array_cycles", plan.cost.array_cycles},
      {"vector_cycles", plan.cost.vector_cycles}, {"dram_cycles", plan.cost.dram_cycles},
      {"dram_bytes", plan.cost.dram_bytes},       {"bus_bytes", plan.cost.bus_bytes}};
  json["least_dram_bytes"] = plan.least_dram_bytes;
  json["lower_bound_bytes"] = plan.lower_bound_bytes;
  json["gap"] = plan.least_dram_bytes > 0 ? Json(gap_of(plan)) : Json(nullptr);
  json["pinned"] = plan.pinned;
  return json;
}

const char* lifetime_name(Lifetime lifetime) {
  switch (lifetime) {
    case Lifetime::kWeight:
      return "weight";
    case Lifetime::kActivation:
      return "activation";
    case Lifetime::kPersistent:
      return "persistent";
  }
  return "?";
}

Json tensor_json(const TensorAllocation& tensor, const hw::HardwareConfig& hardware) {
  Json json;
  json["name"] = tensor.name;
  json["address"] = tensor.address < 0 ? Json(nullptr) : Json(tensor.address);
  json["bytes"] = tensor.bytes;
  json["pitch"] = tensor.pitch;
  json["layout"] = tensor.layout == Layout::kRowMajor ? "row_major" : "tiled";
  json["block_rows"] = tensor.block_rows;
  json["block_width"] = tensor.block_width;
  json["alignment"] = tensor.alignment;
  json["lifetime"] = lifetime_name(tensor.lifetime);
  json["kept"] = slots_json(tensor.kept, hardware);
  json["first_use"] = tensor.first_use;
  json["last_use"] = tensor.last_use;
  return json;
}

Json plan_json(const Plan& plan, const hw::HardwareConfig& hardware) {
  Json json;
  json["schema"] = "tessera-plan/1";
  json["hardware"] = hardware.name;
  json["operators"] = Json::array();
  for (const auto& entry : plan.operators)
    json["operators"].push_back(operator_json(entry, hardware));
  json["tensors"] = Json::array();
  for (const auto& tensor : plan.tensors) {
    json["tensors"].push_back(tensor_json(tensor, hardware));
  }
  return json;
}

/// "1024x768x64 mnk", "8 rows x 1024", "64 rows x 192 keys"
std::string plan_tile_text(const OperatorPlan& plan) {
  if (plan.is_attention) {
    return fmt::format("{} rows x {} keys{}", plan.attention.rows, plan.attention.keys,
                       plan.attention.online ? ", online" : "");
  }
  if (!plan.is_gemm) return fmt::format("{} rows x {}", plan.vector.rows, plan.vector.cols);
  const GemmMapping& gemm = plan.gemm;
  return fmt::format("{}x{}x{} {}", gemm.tile.m, gemm.tile.k, gemm.tile.n,
                     loop_order_text(gemm.order));
}

/// "WS" of weight_stationary.
std::string flow_text(const OperatorPlan& plan) {
  if (!plan.is_gemm && !plan.is_attention) return "-";
  const std::string name = to_string(plan.is_gemm ? plan.gemm.dataflow : plan.attention.dataflow);
  const auto upper = [](char c) { return static_cast<char>(c - 'a' + 'A'); };
  return {upper(name[0]), upper(name[name.find('_') + 1])};
}

/// "a", "a+b" or "-", and whether the mapping is pinned.
std::string resident_text(const OperatorPlan& plan) {
  const GemmMapping& gemm = plan.gemm;
  std::string text = plan.is_gemm && gemm.resident_a ? "a" : "";
  if (plan.is_gemm && gemm.resident_b) text += text.empty() ? "b" : "+b";
  if (plan.is_attention && plan.attention.resident) text = "k+v";
  if (text.empty()) text = "-";
  return plan.pinned ? text + ", pinned" : text;
}

/// "b+acc": the operands with two slots.
std::string double_text(const OperatorPlan& plan) {
  if (!plan.is_gemm && !plan.is_attention) return "-";
  const GemmMapping& gemm = plan.gemm;
  std::string doubled;
  const auto note = [&](bool is_double, const std::string& name) {
    if (is_double) doubled += (doubled.empty() ? "" : "+") + name;
  };
  if (plan.is_attention) {
    for (const std::string& name : doubled_slots(plan.attention)) note(true, name);
    return doubled.empty() ? "-" : doubled;
  }
  note(gemm.a.count == 2 && !gemm.resident_a, "a");
  note(gemm.b.count == 2 && !gemm.resident_b, "b");
  note(gemm.accumulators.count == 2, "acc");
  note(gemm.outputs.count == 2, "out");
  return doubled.empty() ? "-" : doubled;
}

struct PlanRow {
  std::string name, shape;
  int layers = 0;
  const OperatorPlan* plan = nullptr;
};

/// Layers that are mapped alike share a row.
std::vector<PlanRow> fold_plan(const workloads::Graph& graph, const Plan& plan) {
  std::map<std::tuple<std::string, std::string, std::string>, std::size_t> position;
  std::vector<PlanRow> rows;
  for (std::size_t i = 0; i < plan.operators.size(); ++i) {
    const auto& op = graph.operators.at(i);
    const std::string shape = op.k > 0 ? fmt::format("({},{})x({},{})", op.m, op.k, op.k, op.n)
                                       : fmt::format("{} x {}", op.m, op.n);
    const OperatorPlan& entry = plan.operators[i];
    const std::string mapping =
        plan_tile_text(entry) + flow_text(entry) + resident_text(entry) + double_text(entry);
    const std::string name = op.phase + "." + op.name;
    const auto [at, is_new] = position.emplace(std::make_tuple(name, shape, mapping), rows.size());
    if (is_new) rows.push_back({name, shape, 0, &entry});
    ++rows[at->second].layers;
  }
  return rows;
}

std::string kilobytes(Bytes bytes) { return fixed(1e-3 * static_cast<double>(bytes), 1); }

std::string plan_text(const workloads::Graph& graph, const Plan& plan, int width) {
  std::vector<Column> columns{{"OPERATOR (each)", Align::kLeft, 0, {}},
                              {"x", Align::kRight, 0, {}},
                              {"(M,K)x(K,N)", Align::kLeft, 6, {}},
                              {"DRAM kB", Align::kRight, 0, {}},
                              {"least kB", Align::kRight, 4, {}},
                              {"bound kB", Align::kRight, 7, {}},
                              {"gap", Align::kRight, 0, {}},
                              {"cycles alone", Align::kRight, 3, {}},
                              {"m x k x n, order", Align::kLeft, 0, {}},
                              {"flow", Align::kLeft, 1, {}},
                              {"resident", Align::kLeft, 2, {}},
                              {"double", Align::kLeft, 5, {}}};
  for (const PlanRow& row : fold_plan(graph, plan)) {
    const OperatorPlan& entry = *row.plan;
    const std::vector<std::string> cells{row.name,
                                         grouped(row.layers),
                                         row.shape,
                                         kilobytes(entry.cost.dram_bytes),
                                         kilobytes(entry.least_dram_bytes),
                                         kilobytes(entry.lower_bound_bytes),
                                         entry.least_dram_bytes > 0 ? percent(gap_of(entry)) : "-",
                                         grouped(entry.cost.latency),
                                         plan_tile_text(entry),
                                         flow_text(entry),
                                         resident_text(entry),
                                         double_text(entry)};
    for (std::size_t c = 0; c < cells.size(); ++c) columns[c].cells.push_back(cells[c]);
  }
  Bytes end = 0;
  int kept = 0;
  for (const auto& tensor : plan.tensors) {
    if (tensor.address >= 0) end = std::max(end, tensor.address + tensor.bytes);
    kept += tensor.kept.count > 0;
  }
  std::string text = table(columns, width) + fmt::format("\n Tensors in DRAM end at {} MB.\n",
                                                         fixed(1e-6 * static_cast<double>(end), 3));
  if (kept > 0) text += fmt::format(" {} tensors stay on chip.\n", kept);
  return text;
}

/// Of attention: query rows x head dimension x keys.
TileShape tile_of(const OperatorPlan& plan, const workloads::Operator& op) {
  if (plan.is_gemm) return plan.gemm.tile;
  if (plan.is_attention) return {plan.attention.rows, op.k, plan.attention.keys};
  return {plan.vector.rows, 0, plan.vector.cols};
}

const char* dataflow_of(const OperatorPlan& plan) {
  if (plan.is_gemm) return to_string(plan.gemm.dataflow);
  return plan.is_attention ? to_string(plan.attention.dataflow) : "";
}

std::string plan_csv(const workloads::Graph& graph, const Plan& plan) {
  std::string csv =
      "name,m,k,n,dataflow,tile.m,tile.k,tile.n,loop_order,dram_bytes,least_dram_bytes,"
      "lower_bound_bytes,gap,array_cycles,vector_cycles,latency_cycles,pinned\n";
  for (std::size_t i = 0; i < plan.operators.size(); ++i) {
    const OperatorPlan& entry = plan.operators[i];
    const auto& op = graph.operators.at(i);
    const TileShape tile = tile_of(entry, op);
    csv += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", csv_cell(entry.name),
                       op.m, op.k, op.n, dataflow_of(entry), tile.m, tile.k, tile.n,
                       entry.is_gemm ? loop_order_text(entry.gemm.order) : "",
                       entry.cost.dram_bytes, entry.least_dram_bytes, entry.lower_bound_bytes,
                       entry.least_dram_bytes > 0 ? scalar_text(Json(gap_of(entry))) : "",
                       entry.cost.array_cycles, entry.cost.vector_cycles, entry.cost.latency,
                       entry.pinned);
  }
  return csv;
}

}  // namespace

std::string describe_plan(const workloads::Graph& graph, const Plan& plan,
                          const hw::HardwareConfig& hardware, const std::string& format) {
  return describe_plan(graph, plan, hardware, format, TextOptions{}.width);
}

std::string describe_plan(const workloads::Graph& graph, const Plan& plan,
                          const hw::HardwareConfig& hardware, const std::string& format,
                          int width) {
  if (format == "text") return plan_text(graph, plan, width);
  if (format == "csv") return plan_csv(graph, plan);
  if (format == "json") return plan_json(plan, hardware).dump(2) + "\n";
  if (format == "yaml") return yaml_text(plan_json(plan, hardware));
  throw std::invalid_argument("no plan as " + format);
}

}  // namespace tessera::sim
