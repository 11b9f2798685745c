#include "workloads/families/smolvla.h"

#include <utility>
#include <vector>

#include "workloads/families/connector.h"
#include "workloads/families/layers.h"
#include "workloads/families/stage.h"
#include "workloads/families/vlm.h"

namespace tessera::workloads {
namespace {

/// What the denoising steps read of one text layer, prefix rows first.
struct LayerKv {
  KvCache cache;
  Stretch cross_k, cross_v;  // hoisted projections
};

PhaseRequest stage_request(const PhaseRequest& request, const std::string& name,
                           const ModelDescriptor& model, std::int64_t tokens) {
  PhaseRequest stage = request;
  stage.phase = name_in_front(request) + name;
  stage.model = model;
  stage.model.title = request.model.title;
  stage.tokens = tokens;
  stage.not_before_s = 0;
  return stage;
}

Stretch project_cross(PhaseBuilder& phase, const std::string& name, const Stretch& in,
                      std::int64_t width) {
  return all_of(phase, linear(phase, name, gemm_view(phase, in), width));
}

/// The text side: fills the keys and values of every layer.
class Prefix {
 public:
  Prefix(Graph& graph, const PhaseRequest& request)
      : request_(request),
        stage_(
            stage_request(request, "prefix", *request.model.text, smolvla_prefix_tokens(request))),
        phase_(graph, stage_, stage_.tokens),
        stream_(phase_.add_activation("Tokens", phase_.rows(), stage_.model.hidden_size)) {}

  const PhaseRequest& stage() const { return stage_; }
  Stretch rows(std::int64_t first, std::int64_t count) const {
    return part_of(all_of(phase_, stream_), first, count);
  }

  std::vector<LayerKv> append() {
    embed();
    std::vector<LayerKv> layers;
    Matrix stream = stream_;
    for (int layer = 0; layer < stage_.model.num_hidden_layers; ++layer) {
      phase_.enter_layer(layer);
      layers.push_back(append_layer(layer, stream));
    }
    phase_.enter_layer(-1);
    if (request_.dead_work == Effort::kComputed) {
      final_norm(phase_, stream);
    }
    return layers;
  }

 private:
  /// State and language behind the images, which the connector has written.
  void embed() {
    const std::int64_t state_row = stage_.tokens - 1;
    const Matrix state =
        phase_.add_activation("State_proj.in", phase_.batch(), request_.model.max_state_dim);
    append_gemm(phase_, "State_proj", whole(state), gemm_view(phase_, rows(state_row, 1)));
    append_token_embedding(phase_, add_token_table(phase_), request_.tokens,
                           vector_view(phase_, rows(state_row - request_.tokens, request_.tokens)));
  }

  LayerKv append_layer(int layer, Matrix& stream) {
    const bool last = layer + 1 == stage_.model.num_hidden_layers;
    const Matrix in = norm(phase_, "1", stream);
    if (last && request_.dead_work == Effort::kSkipped) {
      return append_keys_alone(layer, in);
    }
    const Projections projected = rotate(phase_, project(phase_, in));
    const LayerKv kv = write(layer, projected);
    const Matrix context =
        attend(phase_, {projected.q, prefix_part(kv.cache.k), prefix_part(kv.cache.v)});
    stream = finish_pre_norm_layer(
        phase_, stream, linear(phase_, "Attn_Out", whole(context), stage_.model.hidden_size));
    return kv;
  }

  /// The last layer's keys and values, all that anyone reads of it.
  LayerKv append_keys_alone(int layer, const Matrix& in) {
    const std::int64_t width = stage_.model.num_key_value_heads * stage_.model.head_dim;
    Projections projected;
    projected.k = all_of(phase_, linear(phase_, "Attn_K", whole(in), width));
    projected.v = all_of(phase_, linear(phase_, "Attn_V", whole(in), width));
    projected.k = rotate_one(phase_, "RoPE", "k", projected.k);
    return write(layer, projected);
  }

  Stretch prefix_part(const Stretch& cache) const { return part_of(cache, 0, stage_.tokens); }

  LayerKv write(int layer, const Projections& projected) {
    const bool read = layer % expert_stride(request_.model) == 0;
    const bool self = read && is_self_layer(request_.model, layer);
    LayerKv kv;
    kv.cache = add_cache(phase_, stage_.tokens + (self ? request_.model.chunk_size : 0), false);
    write_cache(phase_, projected, prefix_part(kv.cache.k), prefix_part(kv.cache.v));
    if (read && !self && request_.cross_kv == CrossKv::kHoisted) {
      const ModelDescriptor& expert = *request_.model.expert;
      const std::int64_t width = expert.num_key_value_heads * expert.head_dim;
      kv.cross_k = project_cross(phase_, "Cross_K_proj", kv.cache.k, width);
      kv.cross_v = project_cross(phase_, "Cross_V_proj", kv.cache.v, width);
    }
    return kv;
  }

  const PhaseRequest& request_;
  PhaseRequest stage_;
  PhaseBuilder phase_;
  Matrix stream_;
};

/// One denoising step of the action expert.
class Denoise {
 public:
  Denoise(Graph& graph, const PhaseRequest& request, std::int64_t prefix_tokens)
      : request_(request),
        stage_(stage_request(request, "denoise", *request.model.expert, request.model.chunk_size)),
        phase_(graph, stage_, stage_.tokens),
        prefix_tokens_(prefix_tokens) {
    stage_.repeat = static_cast<int>(request.steps) * request.repeat;
  }

  const PhaseRequest& stage() const { return stage_; }

  void append(const std::vector<LayerKv>& layers) {
    const Matrix actions = state("Actions", request_.model.max_action_dim);
    Matrix stream = embed(actions);
    const auto stride = static_cast<std::size_t>(expert_stride(request_.model));
    for (std::size_t layer = 0; layer < layers.size(); layer += stride) {
      phase_.enter_layer(static_cast<int>(layer / stride));
      stream = append_layer(is_self_layer(request_.model, static_cast<std::int64_t>(layer)),
                            layers[layer], stream);
    }
    phase_.enter_layer(-1);
    const Matrix velocity = linear(phase_, "Action_out_proj", whole(final_norm(phase_, stream)),
                                   request_.model.max_action_dim);
    update(actions, velocity);
  }

 private:
  /// Rows that are there before the first step.
  Matrix state(const std::string& stem, std::int64_t cols) {
    return {phase_.add_tensor(stem, {phase_.rows(), cols}, TensorClass::kActivations, true),
            phase_.rows(), cols};
  }

  /// Actions and time side by side, then an MLP over both. The time's row is computed once; its
  /// copies in the other rows are not modelled (operators.csv counts one).
  Matrix embed(const Matrix& actions) {
    const std::int64_t width = stage_.model.hidden_size;
    const Matrix joined = state("Action_time_mlp_in.in", 2 * width);
    MatrixView left = whole(joined);
    left.cols = width;
    append_gemm(phase_, "Action_in_proj", whole(actions), left);
    MatrixView time = left;
    time.offset = width;
    time.rows = 1;
    embed_time(time);
    const Matrix wide = linear(phase_, "Action_time_mlp_in", whole(joined), width);
    const Matrix active = elementwise(phase_, "SiLU", OperatorKind::kSilu, "silu", {wide});
    return linear(phase_, "Action_time_mlp_out", whole(active), width);
  }

  void embed_time(const MatrixView& out) {
    const Matrix phases = phase_.add_activation("Time_Embed.in", 1, out.cols);
    Operator op = phase_.make("Time_Embed", OperatorKind::kTimeEmbed, "sin_cos");
    op.m = 1;
    op.n = out.cols;
    op.inputs = {whole(phases)};
    op.outputs = {out};
    phase_.append(std::move(op));
  }

  Matrix append_layer(bool self, const LayerKv& kv, const Matrix& stream) {
    const Matrix in = norm(phase_, "1", stream);
    const std::int64_t width = stage_.model.num_attention_heads * stage_.model.head_dim;
    const Stretch q = all_of(phase_, linear(phase_, "Attn_Q", whole(in), width));
    const Matrix context = self ? attend_self(in, q, kv) : attend_cross(q, kv);
    return finish_pre_norm_layer(
        phase_, stream, linear(phase_, "Attn_Out", whole(context), stage_.model.hidden_size));
  }

  /// Over the prefix's keys and the actions' own, which every step writes behind them.
  Matrix attend_self(const Matrix& in, const Stretch& q, const LayerKv& kv) {
    const Stretch k_rows = part_of(kv.cache.k, prefix_tokens_, stage_.tokens);
    const Stretch v_rows = part_of(kv.cache.v, prefix_tokens_, stage_.tokens);
    const Stretch k = all_of(phase_, linear(phase_, "Attn_K", whole(in), k_rows.cols));
    append_gemm(phase_, "Attn_V", whole(in), gemm_view(phase_, v_rows));
    const Projections rotated = rotate(phase_, {q, k, v_rows}, k_rows);
    return attend(phase_, {rotated.q, kv.cache.k, kv.cache.v}, {"", "_self"});
  }

  Matrix attend_cross(const Stretch& q, const LayerKv& kv) {
    Stretch k = kv.cross_k, v = kv.cross_v;
    if (request_.cross_kv == CrossKv::kRecomputed) {
      const std::int64_t width = stage_.model.num_key_value_heads * stage_.model.head_dim;
      k = project_cross(phase_, "Cross_K_proj", kv.cache.k, width);
      v = project_cross(phase_, "Cross_V_proj", kv.cache.v, width);
    }
    const Stretch rotated = rotate_one(phase_, "RoPE_Q_only", "q", q);
    return attend(phase_, {rotated, k, v}, {"", "_cross"});
  }

  /// One Euler step: actions + dt * velocity, in place.
  void update(const Matrix& actions, const Matrix& velocity) {
    Operator op = phase_.make("Euler_Update", OperatorKind::kAdd, "add");
    op.m = actions.rows;
    op.n = actions.cols;
    op.inputs = {whole(actions), whole(velocity)};
    op.outputs = {whole(actions)};
    phase_.append(std::move(op));
  }

  const PhaseRequest& request_;
  PhaseRequest stage_;
  PhaseBuilder phase_;
  std::int64_t prefix_tokens_;
};

}  // namespace

std::int64_t smolvla_prefix_tokens(const PhaseRequest& request) {
  const ModelDescriptor& model = request.model;
  return request.images * visual_tokens(*model.vision, model.connector) + request.tokens + 1;
}

bool is_self_layer(const ModelDescriptor& model, std::int64_t layer) {
  const std::int64_t every = model.self_attn_every_n_layers;
  return every > 0 && layer % every == 0;
}

std::int64_t expert_stride(const ModelDescriptor& model) {
  return model.text->num_hidden_layers / model.expert->num_hidden_layers;
}

void append_smolvla(Graph& graph, const PhaseRequest& request) {
  const std::int64_t per_camera = visual_tokens(*request.model.vision, request.model.connector);
  Prefix prefix(graph, request);
  Stretch camera = prefix.rows(0, per_camera);
  camera.repeat_rows = request.images > 1 ? per_camera : 0;
  append_image_phases(graph, request, {name_in_front(request), request.images, camera});
  std::vector<LayerKv> layers;
  append_stage(graph, prefix.stage(), "request", counted(prefix.stage().tokens, "token"),
               [&] { layers = prefix.append(); });
  graph.phases.back().part = "text";
  Denoise denoise(graph, request, prefix.stage().tokens);
  append_stage(graph, denoise.stage(), "step", counted(denoise.stage().tokens, "action"),
               [&] { denoise.append(layers); });
  graph.phases.back().part = "expert";
}

}  // namespace tessera::workloads
