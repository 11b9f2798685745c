#include "workloads/families/layers.h"

namespace tessera::workloads {
namespace {

Matrix scaled(PhaseBuilder& phase, const std::string& suffix, const Matrix& branch) {
  return phase.model().layer_scale ? layer_scale(phase, suffix, branch) : branch;
}

Matrix pre_norm_layer(PhaseBuilder& phase, const Matrix& stream, KvSource kv) {
  return finish_pre_norm_layer(phase, stream, attention(phase, norm(phase, "1", stream), kv));
}

Matrix post_norm_layer(PhaseBuilder& phase, Matrix stream, KvSource kv) {
  stream = norm(phase, "1", residual_add(phase, "1", stream, attention(phase, stream, kv)));
  return norm(phase, "2", residual_add(phase, "2", stream, mlp(phase, stream)));
}

}  // namespace

Matrix finish_pre_norm_layer(PhaseBuilder& phase, const Matrix& stream, const Matrix& attention) {
  const Matrix middle = residual_add(phase, "1", stream, scaled(phase, "1", attention));
  const Matrix branch = mlp(phase, norm(phase, "2", middle));
  return residual_add(phase, "2", middle, scaled(phase, "2", branch));
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

}  // namespace tessera::workloads
