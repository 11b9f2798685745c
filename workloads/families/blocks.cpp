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

/// Q, K and V of one layer, rows of all requests, heads side by side in the columns.
struct Projections {
  Matrix q, k, v;
};

Projections project(PhaseBuilder& phase, const Matrix& in) {
  const ModelDescriptor& model = phase.model();
  const std::int64_t kv_width = model.num_key_value_heads * model.head_dim;
  const Matrix q = linear(phase, "Attn_Q", whole(in), model.num_attention_heads * model.head_dim);
  const Matrix k = linear(phase, "Attn_K", whole(in), kv_width);
  const Matrix v = linear(phase, "Attn_V", whole(in), kv_width);
  return {q, k, v};
}

Matrix like(PhaseBuilder& phase, const std::string& stem, const Matrix& matrix, TensorClass cls) {
  const TensorId tensor = phase.add_tensor(stem, {matrix.rows, matrix.cols}, cls);
  return {tensor, matrix.rows, matrix.cols};
}

/// Two column ranges of one logical row through one operator, each into its own tensor.
void append_pair(PhaseBuilder& phase, Operator op, const std::pair<Matrix, Matrix>& in,
                 const std::pair<Matrix, Matrix>& out) {
  op.m = in.first.rows;
  op.n = in.first.cols + in.second.cols;
  op.inputs = {whole(in.first), whole(in.second)};
  op.outputs = {whole(out.first), whole(out.second)};
  phase.append(std::move(op));
}

Projections rotate(PhaseBuilder& phase, const Projections& in) {
  const Matrix q = like(phase, "RoPE.q", in.q, TensorClass::kActivations);
  const Matrix k = like(phase, "RoPE.k", in.k, TensorClass::kActivations);
  append_pair(phase, phase.make("RoPE", OperatorKind::kRope, "rope"), {in.q, in.k}, {q, k});
  return {q, k, in.v};
}

Projections write_cache(PhaseBuilder& phase, const Projections& in) {
  const Matrix k = like(phase, "KV_Write.k", in.k, TensorClass::kKvCache);
  const Matrix v = like(phase, "KV_Write.v", in.v, TensorClass::kKvCache);
  append_pair(phase, phase.make("KV_Write", OperatorKind::kCopy, ""), {in.k, in.v}, {k, v});
  return {in.q, k, v};
}

/// A [requests * tokens, heads * head_dim] matrix as [tokens, head_dim] matrices: for each request
/// and KV head, `group` of them one after the other.
MatrixView heads_of(const PhaseBuilder& phase, const Matrix& matrix, std::int64_t group) {
  const ModelDescriptor& model = phase.model();
  MatrixView view = whole(matrix);
  view.batch = {Dim{phase.batch(), phase.tokens() * matrix.cols},
                Dim{model.num_key_value_heads, group * model.head_dim}};
  view.group = {group, model.head_dim};
  view.rows = phase.tokens();
  view.cols = model.head_dim;
  return view;
}

/// A [batch, heads, tokens, tokens] tensor as [tokens, tokens] matrices, in the order of heads_of.
MatrixView scores_of(const PhaseBuilder& phase, TensorId tensor) {
  const ModelDescriptor& model = phase.model();
  const std::int64_t matrix = phase.tokens() * phase.tokens();
  MatrixView view = whole({tensor, phase.tokens(), phase.tokens()});
  view.batch = {Dim{phase.batch(), model.num_attention_heads * matrix},
                Dim{model.num_key_value_heads, phase.group() * matrix}};
  view.group = {phase.group(), matrix};
  return view;
}

TensorId add_scores(PhaseBuilder& phase, const std::string& stem) {
  return phase.add_tensor(
      stem, {phase.batch(), phase.model().num_attention_heads, phase.tokens(), phase.tokens()},
      TensorClass::kActivations);
}

/// One Gemm for each request and query head; those that share a KV head form a group.
void append_head_gemm(PhaseBuilder& phase, Operator op, const MatrixView& a, const MatrixView& b,
                      const MatrixView& out) {
  op.m = a.rows;
  op.k = a.cols;
  op.n = out.cols;
  op.instances = phase.batch() * phase.model().num_attention_heads;
  op.group = phase.group();
  op.inputs = {a, b};
  op.outputs = {out};
  phase.append(std::move(op));
}

TensorId attention_scores(PhaseBuilder& phase, const Matrix& q, const Matrix& k) {
  const TensorId scores = add_scores(phase, "Attn_Scores.out");
  Operator op = phase.make("Attn_Scores", OperatorKind::kBatchedGemm, "");
  op.mask = phase.model().mask;
  MatrixView keys = heads_of(phase, k, 1);
  keys.transposed = true;
  append_head_gemm(phase, std::move(op), heads_of(phase, q, phase.group()), keys,
                   scores_of(phase, scores));
  return scores;
}

TensorId softmax(PhaseBuilder& phase, TensorId scores) {
  const TensorId shares = add_scores(phase, "Softmax.out");
  Operator op = phase.make("Softmax", OperatorKind::kSoftmax, "softmax");
  op.mask = phase.model().mask;
  op.m = phase.rows() * phase.model().num_attention_heads;
  op.n = phase.tokens();
  op.inputs = {whole({scores, op.m, op.n})};
  op.outputs = {whole({shares, op.m, op.n})};
  phase.append(std::move(op));
  return shares;
}

Matrix attention_context(PhaseBuilder& phase, TensorId shares, const Matrix& v) {
  const ModelDescriptor& model = phase.model();
  const Matrix context = phase.add_activation("Attn_Context.out", phase.rows(),
                                              model.num_attention_heads * model.head_dim);
  append_head_gemm(phase, phase.make("Attn_Context", OperatorKind::kBatchedGemm, ""),
                   scores_of(phase, shares), heads_of(phase, v, 1),
                   heads_of(phase, context, phase.group()));
  return context;
}

/// Attn_Q to Attn_Out.
Matrix attention(PhaseBuilder& phase, const Matrix& in, KvSource kv) {
  Projections projections = project(phase, in);
  if (phase.model().rope) {
    projections = rotate(phase, projections);
  }
  if (kv == KvSource::kCache) {
    projections = write_cache(phase, projections);
  }
  const TensorId shares = softmax(phase, attention_scores(phase, projections.q, projections.k));
  const Matrix context = attention_context(phase, shares, projections.v);
  return linear(phase, "Attn_Out", whole(context), phase.model().hidden_size);
}

Matrix gated_mlp(PhaseBuilder& phase, const Matrix& in) {
  const ModelDescriptor& model = phase.model();
  const ActivationNames act = gated_names(model.hidden_act);
  const Matrix gate = linear(phase, "MLP_Gate", whole(in), model.intermediate_size);
  const Matrix up = linear(phase, "MLP_Up", whole(in), model.intermediate_size);
  const Matrix product = elementwise(phase, act.name, act.kind, act.operation, {gate, up});
  return linear(phase, "MLP_Down", whole(product), model.hidden_size);
}

Matrix plain_mlp(PhaseBuilder& phase, const Matrix& in) {
  const ModelDescriptor& model = phase.model();
  const ActivationNames act = activation_names(model.hidden_act);
  const Matrix wide = linear(phase, "MLP_FC1", whole(in), model.intermediate_size);
  const Matrix active = elementwise(phase, act.name, act.kind, act.operation, {wide});
  return linear(phase, "MLP_FC2", whole(active), model.hidden_size);
}

Matrix mlp(PhaseBuilder& phase, const Matrix& in) {
  return phase.model().gated_mlp ? gated_mlp(phase, in) : plain_mlp(phase, in);
}

Matrix residual_add(PhaseBuilder& phase, const std::string& suffix, const Matrix& stream,
                    const Matrix& branch) {
  return elementwise(phase, "Residual_Add_" + suffix, OperatorKind::kAdd, "add", {stream, branch});
}

Matrix pre_norm_layer(PhaseBuilder& phase, Matrix stream, KvSource kv) {
  stream = residual_add(phase, "1", stream, attention(phase, norm(phase, "1", stream), kv));
  return residual_add(phase, "2", stream, mlp(phase, norm(phase, "2", stream)));
}

Matrix post_norm_layer(PhaseBuilder& phase, Matrix stream, KvSource kv) {
  stream = norm(phase, "1", residual_add(phase, "1", stream, attention(phase, stream, kv)));
  return norm(phase, "2", residual_add(phase, "2", stream, mlp(phase, stream)));
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

Matrix norm(PhaseBuilder& phase, const std::string& suffix, const Matrix& in) {
  const bool layer_norm = phase.model().norm == Norm::kLayerNorm;
  const std::string name = (layer_norm ? "LayerNorm_" : "RMSNorm_") + suffix;
  const Matrix out = phase.add_activation(name + ".out", in.rows, in.cols);
  Operator op = phase.make(name, layer_norm ? OperatorKind::kLayerNorm : OperatorKind::kRmsNorm,
                           layer_norm ? "layernorm" : "rmsnorm");
  op.m = in.rows;
  op.n = in.cols;
  op.inputs = {whole(in)};
  op.outputs = {whole(out)};
  op.parameters.push_back(phase.add_weight(name + ".weight", {in.cols}));
  if (layer_norm) {
    op.parameters.push_back(phase.add_weight(name + ".bias", {in.cols}));
  }
  phase.append(std::move(op));
  return out;
}

Matrix token_embedding(PhaseBuilder& phase) {
  const ModelDescriptor& model = phase.model();
  const TensorId table =
      phase.add_table("Token_Embed.weight", {model.vocab_size, model.hidden_size});
  const Matrix out = phase.add_activation("Token_Embed.out", phase.rows(), model.hidden_size);
  Operator op = phase.make("Token_Embed", OperatorKind::kEmbedding, "");
  op.m = out.rows;
  op.n = out.cols;
  MatrixView rows =
      rows_per_request(table, 0, {phase.batch(), 0}, phase.tokens(), model.hidden_size);
  if (phase.tokens() > model.vocab_size) {
    rows.row_stride = 0;  // fewer rows than tokens: stay inside the table
  }
  op.inputs = {rows};
  op.outputs = {rows_per_request(out.tensor, 0, {phase.batch(), phase.tokens() * out.cols},
                                 phase.tokens(), out.cols)};
  phase.append(std::move(op));
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
               rows_per_request(table, 0, {phase.batch(), 0}, phase.tokens(), in.cols)};
  op.outputs = {rows_per_request(out.tensor, 0, requests, phase.tokens(), in.cols)};
  phase.append(std::move(op));
  return out;
}

Matrix transformer_layers(PhaseBuilder& phase, Matrix stream, KvSource kv) {
  const bool pre_norm = phase.model().norm_position == NormPosition::kPre;
  for (int layer = 0; layer < phase.model().num_hidden_layers; ++layer) {
    phase.enter_layer(layer);
    stream = pre_norm ? pre_norm_layer(phase, stream, kv) : post_norm_layer(phase, stream, kv);
  }
  phase.enter_layer(-1);
  return stream;
}

Matrix final_norm(PhaseBuilder& phase, const Matrix& stream) {
  const ModelDescriptor& model = phase.model();
  const bool present = model.final_norm && model.norm_position == NormPosition::kPre;
  return present ? norm(phase, "final", stream) : stream;
}

}  // namespace tessera::workloads
