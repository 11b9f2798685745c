#include "sim/config/graph_fields.h"

#include <map>

#include "sim/config/config.h"
#include "sim/config/yaml_writer.h"
#include "workloads/import/check_graph.h"

namespace tessera::sim::config {

namespace {

using workloads::Dim;
using workloads::Family;
using workloads::Graph;
using workloads::MatrixView;
using workloads::ModelDescriptor;
using workloads::Operator;
using workloads::OperatorKind;
using workloads::Tensor;
using workloads::TensorClass;

constexpr std::int64_t kMost = 1'000'000'000'000;

/// Tensors go by name in files, by index in graphs.
struct ViewSpec {
  std::string tensor;
  MatrixView view;
};

struct OperatorSpec {
  Operator op;
  std::vector<ViewSpec> inputs, outputs;
  std::vector<std::string> parameters;
};

struct GraphSpec {
  std::vector<Tensor> tensors;
  std::vector<OperatorSpec> operators;
};

Codec<std::int64_t> size_from(std::int64_t low) { return integer(low, kMost); }

template <class T>
Codec<std::vector<T>> sequence(Codec<T> item) {
  Codec<std::vector<T>> codec;
  codec.parse = [=](const Value& value, const std::string& path) {
    if (value.kind != ValueKind::kList) not_allowed(value, path, "a list");
    std::vector<T> all;
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      all.push_back(item.parse(value.items[i], path + "." + std::to_string(i)));
    }
    return all;
  };
  codec.print = [=](const std::vector<T>& all) {
    Json list = Json::array();
    for (const T& each : all) list.push_back(item.print(each));
    return list;
  };
  codec.schema = {{"type", "array"}, {"items", item.schema}};
  codec.allowed = "list";
  return codec;
}

/// [count, stride].
Codec<Dim> step_codec() {
  const auto sizes = sequence(size_from(0));
  Codec<Dim> codec;
  codec.parse = [=](const Value& value, const std::string& path) {
    const std::vector<std::int64_t> pair = sizes.parse(value, path);
    if (pair.size() != 2 || pair[0] < 1) not_allowed(value, path, "[count, stride]");
    return Dim{pair[0], pair[1]};
  };
  codec.print = [](const Dim& dim) { return Json::array({dim.count, dim.stride}); };
  codec.schema = sizes.schema;
  codec.allowed = "[count, stride]";
  return codec;
}

bool is_single(const Dim& dim) { return dim.count == 1; }

Field<ViewSpec> batch_field() {
  const auto steps = sequence(step_codec());
  Field<ViewSpec> made;
  made.key = "batch";
  made.allowed = "[[count, stride], [count, stride]]";
  made.help = "Matrices: requests and heads.";
  made.fallback = "one matrix";
  made.read = [=](const Value& value, const std::string& path, ViewSpec& out) {
    const std::vector<Dim> dims = steps.parse(value, path);
    if (dims.size() != 2) not_allowed(value, path, "two of [count, stride]");
    out.view.batch = {dims[0], dims[1]};
  };
  made.write = [=](const ViewSpec& spec) {
    const auto& batch = spec.view.batch;
    if (is_single(batch[0]) && is_single(batch[1])) return Json();
    return steps.print({batch[0], batch[1]});
  };
  made.schema = steps.schema;
  return made;
}

Field<ViewSpec> group_field() {
  const Codec<Dim> step = step_codec();
  Field<ViewSpec> made;
  made.key = "group";
  made.allowed = step.allowed;
  made.help = "Stretches of rows: query heads of one KV head, images.";
  made.fallback = "one";
  made.read = [=](const Value& value, const std::string& path, ViewSpec& out) {
    out.view.group = step.parse(value, path);
  };
  made.write = [=](const ViewSpec& spec) {
    return is_single(spec.view.group) ? Json() : step.print(spec.view.group);
  };
  made.schema = step.schema;
  return made;
}

/// A field of the view inside a ViewSpec.
template <class T>
Field<ViewSpec> view_field(const std::string& key, T MatrixView::*member, const Codec<T>& codec,
                           const std::string& help) {
  Field<ViewSpec> made;
  made.key = key;
  made.allowed = codec.allowed;
  made.help = help;
  made.read = [=](const Value& value, const std::string& path, ViewSpec& out) {
    out.view.*member = codec.parse(value, path);
  };
  made.write = [=](const ViewSpec& spec) { return codec.print(spec.view.*member); };
  made.schema = codec.schema;
  return made;
}

template <class S>
Field<S> left_out_at_default(Field<S> made) {
  const Json standard = made.write(S{});
  made.write = [write = made.write, standard](const S& values) {
    const Json written = write(values);
    return written == standard ? Json() : written;
  };
  if (made.fallback.empty()) made.fallback = default_text(standard);
  return made;
}

Codec<ViewSpec> view_codec() {
  Table<ViewSpec> table{
      {field("tensor", &ViewSpec::tensor, text("text"), "Its name.").needed(),
       left_out_at_default(
           view_field("offset", &MatrixView::offset, size_from(0), "First element.")),
       batch_field(), group_field(),
       view_field("rows", &MatrixView::rows, size_from(1), "Rows.").needed(),
       view_field("row_stride", &MatrixView::row_stride, size_from(0), "Elements from row to row.")
           .needed(),
       view_field("cols", &MatrixView::cols, size_from(1), "Neighbouring elements of a row.")
           .needed(),
       left_out_at_default(view_field("transposed", &MatrixView::transposed, boolean(),
                                      "Used as the transpose of the matrix that it stores."))},
      {}};
  return record(table);
}

Codec<OperatorKind> kind_codec() {
  std::vector<std::pair<std::string, OperatorKind>> kinds;
  for (int i = 0; i <= static_cast<int>(OperatorKind::kCopy); ++i) {
    const auto kind = static_cast<OperatorKind>(i);
    kinds.emplace_back(workloads::to_string(kind), kind);
  }
  return choice<OperatorKind>(kinds);
}

template <class T, class C>
Field<OperatorSpec> operator_field(const std::string& key, T Operator::*member,
                                   const Codec<C>& codec, const std::string& help) {
  Field<OperatorSpec> made;
  made.key = key;
  made.allowed = codec.allowed;
  made.help = help;
  made.read = [=](const Value& value, const std::string& path, OperatorSpec& out) {
    out.op.*member = static_cast<T>(codec.parse(value, path));
  };
  made.write = [=](const OperatorSpec& spec) {
    return codec.print(static_cast<C>(spec.op.*member));
  };
  made.schema = codec.schema;
  return made;
}

Codec<OperatorSpec> operator_codec() {
  using workloads::Mask;
  const auto mask =
      choice<Mask>({{"none", Mask::kNone}, {"full", Mask::kFull}, {"causal", Mask::kCausal}});
  const auto views = sequence(view_codec());
  Table<OperatorSpec> table{
      {operator_field("name", &Operator::name, text("text"), "Printed name.").needed(),
       left_out_at_default(operator_field("layer", &Operator::layer, integer(-1, 100'000),
                                          "-1: outside the layers.")),
       operator_field("kind", &Operator::kind, kind_codec(), "What it does.").needed(),
       operator_field("m", &Operator::m, size_from(1), "Rows.").needed(),
       left_out_at_default(
           operator_field("k", &Operator::k, size_from(0), "The reduction of a Gemm.")),
       operator_field("n", &Operator::n, size_from(1), "Columns.").needed(),
       left_out_at_default(
           operator_field("instances", &Operator::instances, size_from(1), "Independent Gemms.")),
       left_out_at_default(operator_field("group", &Operator::group, size_from(1),
                                          "Query heads that share a KV head.")),
       left_out_at_default(operator_field("mask", &Operator::mask, mask, "Of scores and softmax.")),
       left_out_at_default(operator_field("operation", &Operator::operation, text("text"),
                                          "Key of hardware.vector.operations; absent: none.")),
       field("inputs", &OperatorSpec::inputs, views, "Views of tensors; a Gemm's A and B.")
           .needed(),
       field("outputs", &OperatorSpec::outputs, views, "Views of tensors.").needed(),
       left_out_at_default(field("parameters", &OperatorSpec::parameters, sequence(text("text")),
                                 "Small weights beside the operands."))},
      {}};
  table.fields[9].fallback = "none";
  table.fields[12].fallback = "none";
  return record(table);
}

Codec<Tensor> tensor_codec() {
  const auto cls = choice<TensorClass>({{"weights", TensorClass::kWeights},
                                        {"activations", TensorClass::kActivations},
                                        {"kv_cache", TensorClass::kKvCache}});
  Field<Tensor> bits;
  const auto width = choice<int>({{"4", 4}, {"8", 8}, {"16", 16}, {"32", 32}});
  bits.key = "bits";
  bits.allowed = width.allowed;
  bits.help = "Width that the model itself fixes (quantised models).";
  bits.fallback = "the run's precision";
  bits.read = [=](const Value& value, const std::string& path, Tensor& out) {
    out.format.bits = width.parse(value, path);
    out.own_bits = true;
  };
  bits.write = [](const Tensor& tensor) {
    return tensor.own_bits ? Json(tensor.format.bits) : Json();
  };
  bits.schema = {{"enum", Json::array({4, 8, 16, 32})}};
  Table<Tensor> table{
      {field("name", &Tensor::name, text("text"), "Unique.").needed(),
       field("shape", &Tensor::shape, sequence(size_from(1)), "Row-major.").needed(),
       left_out_at_default(field("class", &Tensor::cls, cls, "What it is.")), bits,
       left_out_at_default(
           field("table", &Tensor::is_table, boolean(), "Only gathered rows of it move."))},
      {}};
  return record(table);
}

// ---- from names to indices ----------------------------------------------------------------------

using TensorIndex = std::map<std::string, workloads::TensorId>;

workloads::TensorId index_of(const std::string& name, const TensorIndex& index,
                             const Position& position, const std::string& path) {
  const auto found = index.find(name);
  if (found != index.end()) return found->second;
  fail(position, path, "there is no tensor called '" + name + "'");
}

TensorIndex read_tensors(const GraphSpec& spec, const Value& list, const std::string& path) {
  TensorIndex index;
  for (std::size_t i = 0; i < spec.tensors.size(); ++i) {
    const Tensor& tensor = spec.tensors[i];
    const std::string fault = workloads::fault_of(tensor);
    const bool fresh = index.emplace(tensor.name, static_cast<int>(i)).second;
    if (!fault.empty()) fail(list.items[i].position, path, "'" + tensor.name + "' " + fault);
    if (!fresh) fail(list.items[i].position, path, "'" + tensor.name + "' appears twice");
  }
  return index;
}

Operator read_operator(const OperatorSpec& spec, const TensorIndex& index, const Position& position,
                       const std::string& path) {
  Operator op = spec.op;
  op.members = {op.name};
  for (const auto& [specs, views] :
       {std::pair{&spec.inputs, &op.inputs}, std::pair{&spec.outputs, &op.outputs}}) {
    for (const ViewSpec& each : *specs) {
      views->push_back(each.view);
      views->back().tensor = index_of(each.tensor, index, position, path);
    }
  }
  for (const std::string& name : spec.parameters) {
    op.parameters.push_back(index_of(name, index, position, path));
  }
  return op;
}

Graph read_graph(const Value& value, const std::string& path, const GraphSpec& spec) {
  Graph graph;
  const Value& tensors = *value.find("tensors");
  const Value& operators = *value.find("operators");
  const TensorIndex index = read_tensors(spec, tensors, join_path(path, "tensors"));
  graph.tensors = spec.tensors;
  const std::string below = join_path(path, "operators");
  if (spec.operators.empty()) fail(operators.position, below, "lists no operator");
  for (std::size_t i = 0; i < spec.operators.size(); ++i) {
    const Position& position = operators.items[i].position;
    graph.operators.push_back(read_operator(spec.operators[i], index, position, below));
    const Operator& op = graph.operators.back();
    const std::string fault = workloads::fault_of(op, graph.tensors);
    if (!fault.empty()) fail(position, below, "'" + op.name + "': " + fault);
  }
  const std::string fault = workloads::fault_of(graph);
  if (!fault.empty()) fail(value.position, path, fault);
  return graph;
}

GraphSpec spec_of(const Graph& graph) {
  GraphSpec spec;
  spec.tensors = graph.tensors;
  const auto name = [&](workloads::TensorId id) {
    return graph.tensors.at(static_cast<std::size_t>(id)).name;
  };
  for (const Operator& op : graph.operators) {
    OperatorSpec each;
    each.op = op;
    for (const MatrixView& view : op.inputs) each.inputs.push_back({name(view.tensor), view});
    for (const MatrixView& view : op.outputs) each.outputs.push_back({name(view.tensor), view});
    for (const workloads::TensorId id : op.parameters) each.parameters.push_back(name(id));
    spec.operators.push_back(std::move(each));
  }
  return spec;
}

Table<GraphSpec> graph_table() {
  return {{field("tensors", &GraphSpec::tensors, sequence(tensor_codec()),
                 "name, shape, class, bits, table.")
               .needed(),
           field("operators", &GraphSpec::operators, sequence(operator_codec()),
                 "In topological order: name, layer, kind, m, k, n, instances, group, mask, "
                 "operation, inputs, outputs, parameters.")
               .needed()},
          {}};
}

Field<ModelDescriptor> graph_field() {
  const Table<GraphSpec> table = graph_table();
  Field<ModelDescriptor> made;
  made.key = "graph";
  made.allowed = "mapping";
  made.help = "Operators over tensors, as `tessera import onnx` writes them.";
  made.required = true;
  made.read = [=](const Value& value, const std::string& path, ModelDescriptor& out) {
    GraphSpec spec;
    table.read(value, path, spec);
    out.graph = std::make_shared<const Graph>(read_graph(value, path, spec));
  };
  made.write = [=](const ModelDescriptor& model) {
    return model.graph ? table.write(spec_of(*model.graph)) : Json();
  };
  made.schema = table.schema();
  made.rows = table.rows();
  return made;
}

}  // namespace

const Table<ModelDescriptor>& graph_model_table() {
  using S = ModelDescriptor;
  static const Table<S> table{
      {field("name", &S::name, text("text"), "What plans and reports call it.")
           .fallback_is("the file's name"),
       field("title", &S::title, text("text"), "For the head of a report.").fallback_is("the name"),
       field("family", &S::family, choice<Family>({{"graph", Family::kGraph}}),
             "Operators instead of a description.")
           .needed(),
       graph_field()},
      {}};
  return table;
}

bool is_graph_model(const Value& value) {
  const Value* family = value.find("family");
  return family != nullptr && family->is_scalar() && family->text == "graph";
}

ModelDescriptor read_graph_model(const Value& value, const std::string& path) {
  ModelDescriptor model;
  graph_model_table().read(value, path, model);
  if (model.name.empty()) model.name = "inline";
  if (model.title.empty()) model.title = model.name;
  return model;
}

}  // namespace tessera::sim::config

namespace tessera::sim {

std::string write_graph_yaml(const workloads::Graph& graph, const std::string& title) {
  workloads::ModelDescriptor model;
  model.title = title;
  model.family = workloads::Family::kGraph;
  model.graph = std::make_shared<const workloads::Graph>(graph);
  config::Json tree = config::graph_model_table().write(model);
  tree.erase("name");  // the file's
  return config::yaml_text(tree);
}

}  // namespace tessera::sim
