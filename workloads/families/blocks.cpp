#include "workloads/families/blocks.h"

#include <stdexcept>
#include <utility>

namespace tessera::workloads {
namespace {

struct ActivationNames {
  const char* name;  // printed
  OperatorKind kind;
  const char* operation;  // key of the vector unit's table
};

ActivationNames activation_names(Activation activation) {
  switch (activation) {
    case Activation::kGelu:
    case Activation::kGeluTanh:
      return {"GELU", OperatorKind::kGelu, "gelu"};
    case Activation::kQuickGelu:
      return {"QuickGELU", OperatorKind::kQuickGelu, "quick_gelu"};
    case Activation::kSilu:
      return {"SiLU", OperatorKind::kSilu, "silu"};
    case Activation::kRelu:
      return {"ReLU", OperatorKind::kRelu, "relu"};
  }
  throw std::logic_error("unknown activation");
}

ActivationNames gated_names(Activation activation) {
  if (activation == Activation::kSilu) {
    return {"SiLU_Mul", OperatorKind::kSiluMul, "silu_mul"};
  }
  return {"GELU_Mul", OperatorKind::kGeluMul, "gelu_mul"};
}

Matrix gated_mlp(PhaseBuilder& phase, const Matrix& in) {
  const ModelDescriptor& model = phase.model();
  const ActivationNames act = gated_names(model.hidden_act);
  const Matrix gate = linear(phase, "MLP_Gate", whole(in), model.intermediate_size);
  const Matrix up = linear(phase, "MLP_Up", whole(in), model.intermediate_size);
  const Matrix product = elementwise(phase, act.name, act.kind, act.operation, {gate, up});
  return linear(phase, "MLP_Down", whole(product), model.hidden_size);
}

Matrix plain_mlp(PhaseBuilder& phase, const Matrix& in, const std::string& front) {
  const ModelDescriptor& model = phase.model();
  const ActivationNames act = activation_names(model.hidden_act);
  const Matrix wide = linear(phase, front + "MLP_FC1", whole(in), model.intermediate_size);
  const Matrix active = elementwise(phase, front + act.name, act.kind, act.operation, {wide});
  return linear(phase, front + "MLP_FC2", whole(active), model.hidden_size);
}

}  // namespace

void append_gemm(PhaseBuilder& phase, const std::string& name, const MatrixView& a,
                 const MatrixView& out) {
  Operator op = phase.make(name, OperatorKind::kGemm, "");
  op.m = matrix_rows(a);
  op.k = a.cols;
  op.n = out.cols;
  const TensorId weight = phase.add_weight(name + ".weight", {op.k, op.n});
  op.inputs = {a, whole({weight, op.k, op.n})};
  op.outputs = {out};
  phase.append(std::move(op));
}

Matrix linear(PhaseBuilder& phase, const std::string& name, const MatrixView& a,
              std::int64_t width) {
  const Matrix out = phase.add_activation(name + ".out", matrix_rows(a), width);
  append_gemm(phase, name, a, whole(out));
  return out;
}

Matrix elementwise(PhaseBuilder& phase, const std::string& name, OperatorKind kind,
                   const std::string& operation, const std::vector<Matrix>& inputs) {
  const Matrix out = phase.add_activation(name + ".out", inputs.at(0).rows, inputs.at(0).cols);
  Operator op = phase.make(name, kind, operation);
  op.m = out.rows;
  op.n = out.cols;
  for (const Matrix& input : inputs) {
    op.inputs.push_back(whole(input));
  }
  op.outputs = {whole(out)};
  phase.append(std::move(op));
  return out;
}

Matrix mlp(PhaseBuilder& phase, const Matrix& in, const std::string& front) {
  return phase.model().gated_mlp ? gated_mlp(phase, in) : plain_mlp(phase, in, front);
}

Matrix residual_add(PhaseBuilder& phase, const std::string& suffix, const Matrix& stream,
                    const Matrix& branch) {
  return elementwise(phase, "Residual_Add_" + suffix, OperatorKind::kAdd, "add", {stream, branch});
}

std::string norm_name(const PhaseBuilder& phase, const std::string& suffix) {
  return (phase.model().norm == Norm::kLayerNorm ? "LayerNorm_" : "RMSNorm_") + suffix;
}

void append_norm(PhaseBuilder& phase, const std::string& name, const MatrixView& in,
                 const MatrixView& out) {
  const bool layer_norm = phase.model().norm == Norm::kLayerNorm;
  Operator op = phase.make(name, layer_norm ? OperatorKind::kLayerNorm : OperatorKind::kRmsNorm,
                           layer_norm ? "layernorm" : "rmsnorm");
  op.m = all_rows(in);
  op.n = in.cols;
  op.inputs = {in};
  op.outputs = {out};
  op.parameters.push_back(phase.add_weight(name + ".weight", {in.cols}));
  if (layer_norm) {
    op.parameters.push_back(phase.add_weight(name + ".bias", {in.cols}));
  }
  phase.append(std::move(op));
}

Matrix norm_rows(PhaseBuilder& phase, const std::string& name, const MatrixView& in) {
  const Matrix out = phase.add_activation(name + ".out", all_rows(in), in.cols);
  append_norm(phase, name, in, whole(out));
  return out;
}

Matrix norm(PhaseBuilder& phase, const std::string& suffix, const Matrix& in) {
  return norm_rows(phase, norm_name(phase, suffix), whole(in));
}

void append_scale(PhaseBuilder& phase, const std::string& name, const MatrixView& in,
                  const MatrixView& out) {
  Operator op = phase.make(name, OperatorKind::kScale, "scale");
  op.m = all_rows(in);
  op.n = in.cols;
  op.inputs = {in};
  op.outputs = {out};
  phase.append(std::move(op));
}

Matrix embed_scale(PhaseBuilder& phase, const Matrix& in) {
  const Matrix out = phase.add_activation("Embed_Scale.out", in.rows, in.cols);
  append_scale(phase, "Embed_Scale", whole(in), whole(out));
  return out;
}

Matrix layer_scale(PhaseBuilder& phase, const std::string& suffix, const Matrix& in) {
  const std::string name = "LayerScale_" + suffix;
  const Matrix out = phase.add_activation(name + ".out", in.rows, in.cols);
  Operator op = phase.make(name, OperatorKind::kScale, "scale");
  op.m = in.rows;
  op.n = in.cols;
  op.inputs = {whole(in)};
  op.outputs = {whole(out)};
  op.parameters = {phase.add_weight(name + ".weight", {in.cols})};
  phase.append(std::move(op));
  return out;
}

TensorId add_token_table(PhaseBuilder& phase) {
  const ModelDescriptor& model = phase.model();
  return phase.add_table("Token_Embed.weight", {model.vocab_size, model.hidden_size});
}

void append_token_embedding(PhaseBuilder& phase, TensorId table, std::int64_t tokens,
                            const MatrixView& out) {
  const ModelDescriptor& model = phase.model();
  Operator op = phase.make("Token_Embed", OperatorKind::kEmbedding, "");
  op.m = phase.batch() * tokens;
  op.n = model.hidden_size;
  MatrixView rows = rows_per_request(table, 0, {phase.batch(), 0}, tokens, model.hidden_size);
  if (tokens > model.vocab_size) {
    rows.row_stride = 0;  // fewer rows than tokens: stay inside the table
  }
  op.inputs = {rows};
  op.outputs = {out};
  phase.append(std::move(op));
}

Matrix token_embedding(PhaseBuilder& phase) {
  const TensorId table = add_token_table(phase);
  const Matrix out =
      phase.add_activation("Token_Embed.out", phase.rows(), phase.model().hidden_size);
  append_token_embedding(phase, table, phase.tokens(),
                         rows_per_request(out.tensor, 0, {phase.batch(), phase.tokens() * out.cols},
                                          phase.tokens(), out.cols));
  return out;
}

Matrix add_positions(PhaseBuilder& phase, const Matrix& in, std::int64_t positions) {
  const TensorId table = phase.add_weight("PosEmbed_Add.weight", {positions, in.cols});
  const Matrix out = phase.add_activation("PosEmbed_Add.out", in.rows, in.cols);
  const Dim requests{phase.batch(), phase.tokens() * in.cols};
  Operator op = phase.make("PosEmbed_Add", OperatorKind::kAdd, "add");
  op.m = in.rows;
  op.n = in.cols;
  op.inputs = {rows_per_request(in.tensor, 0, requests, phase.tokens(), in.cols),
               rows_per_request(table, (phase.kv_length() - phase.tokens()) * in.cols,
                                {phase.batch(), 0}, phase.tokens(), in.cols)};
  op.outputs = {rows_per_request(out.tensor, 0, requests, phase.tokens(), in.cols)};
  phase.append(std::move(op));
  return out;
}

Matrix final_norm(PhaseBuilder& phase, const Matrix& stream) {
  const ModelDescriptor& model = phase.model();
  const bool present = model.final_norm && model.norm_position == NormPosition::kPre;
  return present ? norm(phase, "final", stream) : stream;
}

}  // namespace tessera::workloads
