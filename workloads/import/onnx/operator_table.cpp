#include "workloads/import/onnx/operator_table.h"

#include <map>

namespace tessera::workloads::onnx {
namespace {

using Table = std::map<std::string, VectorRule>;

Table elementwise_table() {
  Table table{{"Gelu", {OperatorKind::kGelu, "gelu", "GELU"}},
              {"FastGelu", {OperatorKind::kGelu, "gelu", "GELU"}},
              {"QuickGelu", {OperatorKind::kQuickGelu, "quick_gelu", "QuickGELU"}},
              {"Silu", {OperatorKind::kSilu, "silu", "SiLU"}},
              {"Swish", {OperatorKind::kSilu, "silu", "SiLU"}},
              {"SiluMul", {OperatorKind::kSiluMul, "silu_mul", "SiLU_Mul"}},
              {"GeluMul", {OperatorKind::kGeluMul, "gelu_mul", "GELU_Mul"}},
              {"Rope", {OperatorKind::kRope, "rope", "RoPE"}},
              {"Relu", {OperatorKind::kRelu, "relu", "ReLU"}},
              {"Tanh", {OperatorKind::kTanh, "tanh", "Tanh"}}};
  for (const char* type :
       {"Sigmoid", "Erf", "Exp", "Log", "Sqrt", "Reciprocal", "Sin", "Cos", "Softplus",
        "HardSigmoid", "HardSwish", "Elu", "Mish", "Round", "Floor", "Ceil"}) {
    table[type] = {OperatorKind::kTanh, "tanh", type};
  }
  for (const char* type : {"Neg", "Abs", "Clip", "LeakyRelu", "Sign", "Not"}) {
    table[type] = {OperatorKind::kRelu, "relu", type};
  }
  for (const char* type :
       {"Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Mod", "Sum", "Mean", "Where", "Equal",
        "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "And", "Or", "Xor"}) {
    table[type] = {OperatorKind::kAdd, "add", type};
  }
  return table;
}

const VectorRule* find(const Table& table, const Node& node) {
  const bool known_domain = node.domain.empty() || node.domain == "com.microsoft";
  const auto found = table.find(node.type);
  return known_domain && found != table.end() ? &found->second : nullptr;
}

}  // namespace

const VectorRule* elementwise_rule(const Node& node) {
  static const Table table = elementwise_table();
  return find(table, node);
}

const VectorRule* row_rule(const Node& node) {
  static const Table table{
      {"Softmax", {OperatorKind::kSoftmax, "softmax", "Softmax"}},
      {"LogSoftmax", {OperatorKind::kSoftmax, "softmax", "LogSoftmax"}},
      {"LayerNormalization", {OperatorKind::kLayerNorm, "layernorm", "LayerNorm"}},
      {"RMSNormalization", {OperatorKind::kRmsNorm, "rmsnorm", "RMSNorm"}},
      {"SimplifiedLayerNormalization", {OperatorKind::kRmsNorm, "rmsnorm", "RMSNorm"}}};
  return find(table, node);
}

}  // namespace tessera::workloads::onnx
