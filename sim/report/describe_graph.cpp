// The graph as text, JSON, CSV and YAML.
#include <algorithm>
#include <map>
#include <stdexcept>
#include <tuple>

#include <fmt/format.h>

#include "sim/report/csv.h"
#include "sim/report/format.h"
#include "sim/report/writers.h"
#include "sim/report/yaml_text.h"

namespace tessera::sim {
namespace {

using Json = nlohmann::ordered_json;
using workloads::Graph;
using workloads::MatrixView;
using workloads::Operator;
using workloads::Phase;

/// Operators of one phase with the same name and shape.
struct FoldedOperator {
  const Operator* first = nullptr;
  std::int64_t count = 0, macs = 0, weights = 0, inputs = 0, outputs = 0;
};

std::vector<FoldedOperator> fold_phase(const Graph& graph, const Phase& phase) {
  using Key = std::tuple<std::string, std::int64_t, std::int64_t, std::int64_t>;
  std::map<Key, std::size_t> position;
  std::vector<FoldedOperator> folded;
  for (int i = phase.first_operator; i < phase.last_operator; ++i) {
    const Operator& op = graph.operators[i];
    const auto [at, is_new] = position.emplace(Key{op.name, op.m, op.k, op.n}, folded.size());
    if (is_new) folded.push_back({&op, 0, 0, 0, 0, 0});
    FoldedOperator& sum = folded[at->second];
    sum.count += op.instances;
    sum.macs += mac_count(op);
    sum.weights += weight_elements(op, graph.tensors);
    sum.inputs += input_elements(op, graph.tensors);
    sum.outputs += output_elements(op);
  }
  return folded;
}

/// Rows of one request in the first layer (else in the first operator): tokens, patches.
std::int64_t sequence_length(const Graph& graph, const Phase& phase) {
  if (phase.first_operator >= phase.last_operator) return 0;
  const auto begin = graph.operators.begin() + phase.first_operator;
  const auto end = graph.operators.begin() + phase.last_operator;
  const auto layered = std::find_if(begin, end, [](const Operator& op) { return op.layer >= 0; });
  return (layered == end ? begin : layered)->m / std::max(1, phase.units);
}

/// "SigLIP-B/16-512" of "SigLIP-B/16-512, 1 image".
std::string model_of(const Phase& phase) { return phase.title.substr(0, phase.title.find(", ")); }

std::string graph_csv(const Graph& graph) {
  std::string csv =
      "model,phase,batch,seq,operator,kind,M,K,N,count,macs,weight_elems,in_elems,out_elems\n";
  for (const Phase& phase : graph.phases) {
    const std::string head =
        fmt::format("{},{},{},{}", csv_cell(model_of(phase)), csv_cell(phase.name), phase.units,
                    sequence_length(graph, phase));
    for (const FoldedOperator& row : fold_phase(graph, phase)) {
      const Operator& op = *row.first;
      csv +=
          fmt::format("{},{},{},{},{},{},{},{},{},{},{}\n", head, csv_cell(op.name), csv_kind(op),
                      op.m, op.k, op.n, row.count, row.macs, row.weights, row.inputs, row.outputs);
    }
  }
  return csv;
}

std::string epilogue_text(const Operator& op) {
  std::string text;
  for (const auto& step : op.epilogue) text += (text.empty() ? "" : "+") + step.operation;
  return text;
}

std::string phase_text(const Graph& graph, const Phase& phase, int width) {
  std::vector<Column> columns{
      {"OPERATOR", Align::kLeft, 0, {}},  {"kind", Align::kLeft, 5, {}},
      {"x", Align::kRight, 0, {}},        {"M", Align::kRight, 0, {}},
      {"K", Align::kRight, 0, {}},        {"N", Align::kRight, 0, {}},
      {"M MACs", Align::kRight, 1, {}},   {"weight elems", Align::kRight, 2, {}},
      {"in elems", Align::kRight, 4, {}}, {"out elems", Align::kRight, 3, {}},
      {"epilogue", Align::kLeft, 6, {}}};
  std::int64_t macs = 0;
  for (const FoldedOperator& row : fold_phase(graph, phase)) {
    const Operator& op = *row.first;
    macs += row.macs;
    const std::vector<std::string> cells{op.name,
                                         csv_kind(op),
                                         grouped(row.count),
                                         grouped(op.m),
                                         grouped(op.k),
                                         grouped(op.n),
                                         fixed(1e-6 * static_cast<double>(row.macs), 1),
                                         grouped(row.weights),
                                         grouped(row.inputs),
                                         grouped(row.outputs),
                                         epilogue_text(op)};
    for (std::size_t c = 0; c < cells.size(); ++c) columns[c].cells.push_back(cells[c]);
  }
  return flow("",
              {phase.name, phase.title, fmt::format("x {}", phase.repeat),
               fixed(1e-6 * static_cast<double>(macs), 1) + " M MACs"},
              width) +
         table(columns, width) + "\n";
}

Json view_json(const MatrixView& view, const Graph& graph) {
  Json json = {{"tensor", graph.tensors.at(view.tensor).name},
               {"offset", view.offset},
               {"rows", view.rows},
               {"row_stride", view.row_stride},
               {"cols", view.cols}};
  Json batch = Json::array();
  for (const auto& dim : view.batch) batch.push_back(Json::array({dim.count, dim.stride}));
  json["batch"] = batch;
  json["group"] = Json::array({view.group.count, view.group.stride});
  json["transposed"] = view.transposed;
  if (view.repeat_stride != 0) json["repeat_stride"] = view.repeat_stride;
  return json;
}

Json views_json(const std::vector<MatrixView>& views, const Graph& graph) {
  Json json = Json::array();
  for (const auto& view : views) json.push_back(view_json(view, graph));
  return json;
}

Json operator_json(const Operator& op, const Graph& graph) {
  Json json = {{"name", op.name},
               {"phase", op.phase},
               {"layer", op.layer},
               {"kind", to_string(op.kind)},
               {"m", op.m},
               {"k", op.k},
               {"n", op.n},
               {"instances", op.instances},
               {"group", op.group},
               {"mask", to_string(op.mask)},
               {"macs", mac_count(op)},
               {"operation", op.operation}};
  json["inputs"] = views_json(op.inputs, graph);
  json["outputs"] = views_json(op.outputs, graph);
  json["parameters"] = Json::array();
  for (const auto id : op.parameters) json["parameters"].push_back(graph.tensors.at(id).name);
  json["epilogue"] = Json::array();
  for (const auto& step : op.epilogue) {
    json["epilogue"].push_back({{"member", step.member}, {"operation", step.operation}});
  }
  json["members"] = op.members;
  return json;
}

Json tensor_json(const workloads::Tensor& tensor) {
  return {{"name", tensor.name},
          {"shape", tensor.shape},
          {"class", to_string(tensor.cls)},
          {"bits", tensor.format.bits},
          {"signed", tensor.format.is_signed},
          {"group", tensor.format.group},
          {"scale_bits", tensor.format.scale_bits},
          {"density", tensor.format.density},
          {"is_table", tensor.is_table},
          {"bytes", stored_bytes(tensor)}};
}

Json graph_json(const Graph& graph) {
  Json json;
  json["schema"] = "tessera-graph/1";
  json["phases"] = Json::array();
  for (const Phase& phase : graph.phases) {
    json["phases"].push_back({{"name", phase.name},
                              {"title", phase.title},
                              {"unit", phase.unit},
                              {"units", phase.units},
                              {"repeat", phase.repeat},
                              {"not_before_s", phase.not_before_s},
                              {"first_operator", phase.first_operator},
                              {"last_operator", phase.last_operator}});
  }
  json["operators"] = Json::array();
  for (const Operator& op : graph.operators) json["operators"].push_back(operator_json(op, graph));
  json["tensors"] = Json::array();
  for (const auto& tensor : graph.tensors) json["tensors"].push_back(tensor_json(tensor));
  return json;
}

}  // namespace

std::string describe_graph(const Graph& graph, const std::string& format, int width) {
  if (format == "csv") return graph_csv(graph);
  if (format == "json") return graph_json(graph).dump(2) + "\n";
  if (format == "yaml") return yaml_text(graph_json(graph));
  if (format != "text") throw std::invalid_argument("no graph as " + format);
  std::string text;
  for (const Phase& phase : graph.phases) text += phase_text(graph, phase, width);
  return text;
}

}  // namespace tessera::sim
