#include "workloads/families/bert.h"

#include <utility>

#include "workloads/families/layers.h"

namespace tessera::workloads {
namespace {

/// The embedding of type 0 on every row.
Matrix add_types(PhaseBuilder& phase, const Matrix& in) {
  const TensorId table =
      phase.add_weight("TypeEmbed_Add.weight", {phase.model().type_vocab_size, in.cols});
  const Matrix out = phase.add_activation("TypeEmbed_Add.out", in.rows, in.cols);
  MatrixView type_row = whole({table, in.rows, in.cols});
  type_row.row_stride = 0;
  Operator op = phase.make("TypeEmbed_Add", OperatorKind::kAdd, "add");
  op.m = in.rows;
  op.n = in.cols;
  op.inputs = {whole(in), type_row};
  op.outputs = {whole(out)};
  phase.append(std::move(op));
  return out;
}

Matrix embed(PhaseBuilder& phase) {
  const ModelDescriptor& model = phase.model();
  Matrix stream = token_embedding(phase);
  if (model.relative_attention_num_buckets == 0) {
    stream = add_positions(phase, stream, model.max_position_embeddings);
  }
  if (model.type_vocab_size > 0) {
    stream = add_types(phase, stream);
  }
  return model.norm_position == NormPosition::kPost ? norm(phase, "embed", stream) : stream;
}

void append_pooler(PhaseBuilder& phase, const Matrix& stream) {
  const Matrix pooled =
      linear(phase, "Pooler", row_of_each_request(stream, phase.batch(), phase.tokens(), 0),
             phase.model().hidden_size);
  elementwise(phase, "Tanh", OperatorKind::kTanh, "tanh", {pooled});
}

}  // namespace

void append_bert(Graph& graph, const PhaseRequest& request) {
  PhaseBuilder phase(graph, request, request.tokens);
  Matrix stream = transformer_layers(phase, embed(phase), KvSource::kProjections);
  stream = final_norm(phase, stream);
  if (request.model.pooler) {
    append_pooler(phase, stream);
  }
  if (request.model.projection_dim > 0) {
    // CLIP's EOS token and SigLIP's pad both stand last when the text fills its tokens.
    linear(phase, "Text_projection",
           row_of_each_request(stream, phase.batch(), phase.tokens(), phase.tokens() - 1),
           request.model.projection_dim);
  }
}

}  // namespace tessera::workloads
