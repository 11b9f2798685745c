#include "workloads/families/decoder.h"

#include "workloads/families/layers.h"

namespace tessera::workloads {
namespace {

void append_lm_head(PhaseBuilder& phase, const Matrix& stream) {
  const ModelDescriptor& model = phase.model();
  if (model.lm_head == LmHead::kNone) {
    return;
  }
  const MatrixView rows =
      model.lm_head == LmHead::kAllTokens
          ? whole(stream)
          : row_of_each_request(stream, phase.batch(), phase.tokens(), phase.tokens() - 1);
  linear(phase, "LM_Head", rows, model.vocab_size);
}

}  // namespace

void append_decoder(Graph& graph, const PhaseRequest& request) {
  const ModelDescriptor& model = request.model;
  PhaseBuilder phase(graph, request, request.tokens);
  Matrix stream = token_embedding(phase);
  if (model.embed_scale) {
    stream = embed_scale(phase, stream);
  }
  if (!model.rope) {
    stream = add_positions(phase, stream, model.max_position_embeddings);
  }
  append_decoder_layers(phase, stream);
}

void append_decoder_layers(PhaseBuilder& phase, const Matrix& stream) {
  const Matrix last = transformer_layers(phase, stream, KvSource::kCache);
  append_lm_head(phase, final_norm(phase, last));
}

}  // namespace tessera::workloads
