#include "workloads/families/vit.h"

#include <utility>

#include "workloads/families/layers.h"

namespace tessera::workloads {
namespace {

/// Rows in front of the patches.
std::int64_t rows_in_front(const ModelDescriptor& model) {
  return model.cls_token ? 1 + model.extra_tokens : 0;
}

/// Patches of each image into the rows behind its CLS row, straight from the Gemm.
Matrix embed_behind_cls(PhaseBuilder& phase, MatrixView patches) {
  const std::int64_t width = phase.model().hidden_size;
  const std::int64_t per_image = vit_patches(phase.model());
  const Matrix out = phase.add_activation("PatchEmbed.out", phase.rows(), width);
  patches.group = {phase.batch(), per_image * patches.cols};
  patches.rows = per_image;
  MatrixView rows = whole(out);
  rows.offset = rows_in_front(phase.model()) * width;
  rows.group = {phase.batch(), phase.tokens() * width};
  rows.rows = per_image;
  append_gemm(phase, "PatchEmbed", patches, rows);
  return out;
}

/// The rows in front of each image's patches. They count as gathered, not as weights
/// (operators.csv).
void concat_cls(PhaseBuilder& phase, const Matrix& stream) {
  const std::int64_t rows = rows_in_front(phase.model());
  const TensorId cls = phase.add_table("CLS_concat.weight", {rows, stream.cols});
  Operator op = phase.make("CLS_concat", OperatorKind::kCopy, "");
  op.m = phase.batch() * rows;
  op.n = stream.cols;
  op.inputs = {rows_per_request(cls, 0, {phase.batch(), 0}, rows, stream.cols)};
  op.outputs = {rows_per_request(stream.tensor, 0, {phase.batch(), phase.tokens() * stream.cols},
                                 rows, stream.cols)};
  phase.append(std::move(op));
}

Matrix embed_patches(PhaseBuilder& phase) {
  const ModelDescriptor& model = phase.model();
  const std::int64_t patch_values = model.patch_size * model.patch_size * model.num_channels;
  const Matrix patches =
      phase.add_activation("PatchEmbed.in", phase.batch() * vit_patches(model), patch_values);
  if (!model.cls_token) {
    return linear(phase, "PatchEmbed", whole(patches), model.hidden_size);
  }
  const Matrix stream = embed_behind_cls(phase, whole(patches));
  concat_cls(phase, stream);
  return stream;
}

/// The residual stream behind the last layer.
Matrix encode(PhaseBuilder& phase) {
  Matrix stream = add_positions(phase, embed_patches(phase), phase.tokens());
  if (phase.model().embed_norm) {
    stream = norm(phase, "pre", stream);
  }
  return transformer_layers(phase, stream, KvSource::kProjections);
}

/// SigLIP's pooling: one learnt query for each image, an input of the graph, attends to all rows.
void append_map_head(PhaseBuilder& phase, const Matrix& stream) {
  const std::int64_t width = phase.model().hidden_size;
  const Matrix probe = phase.add_activation("MAP_Q_proj.in", phase.batch(), width);
  Projections projections;
  projections.q = all_of(phase, linear(phase, "MAP_Q_proj", whole(probe), width));
  projections.k = all_of(phase, linear(phase, "MAP_K_proj", whole(stream), width));
  projections.v = all_of(phase, linear(phase, "MAP_V_proj", whole(stream), width));
  const Matrix context = attend(phase, projections, {"MAP_", ""});
  const Matrix pooled = linear(phase, "MAP_Out_proj", whole(context), width);
  mlp(phase, norm_rows(phase, "MAP_LayerNorm", whole(pooled)), "MAP_");
}

/// The first row of each image.
MatrixView first_rows(const PhaseBuilder& phase, const Matrix& stream) {
  return row_of_each_request(stream, phase.batch(), phase.tokens(), 0);
}

void append_heads(PhaseBuilder& phase, const Matrix& stream, const MatrixView& pooled) {
  const ModelDescriptor& model = phase.model();
  if (model.pooling == Pooling::kMap) {
    append_map_head(phase, stream);
  }
  if (model.projection_dim > 0) {
    linear(phase, "Visual_projection", pooled, model.projection_dim);
  }
  if (model.num_labels > 0) {
    linear(phase, "Classifier", pooled, model.num_labels);
  }
}

}  // namespace

std::int64_t vit_patches(const ModelDescriptor& model) {
  const std::int64_t side = model.image_size / model.patch_size;
  return side * side;
}

std::int64_t vit_tokens(const ModelDescriptor& model) {
  return vit_patches(model) + rows_in_front(model);
}

void append_vit(Graph& graph, const PhaseRequest& request) {
  PhaseBuilder phase(graph, request, vit_tokens(request.model));
  const Matrix stream = encode(phase);
  if (request.model.pooled_norm) {
    const Matrix pooled = norm_rows(phase, norm_name(phase, "final"), first_rows(phase, stream));
    return append_heads(phase, stream, whole(pooled));
  }
  const Matrix normed = final_norm(phase, stream);
  append_heads(phase, normed, first_rows(phase, normed));
}

void append_vit_tower(PhaseBuilder& phase, const Stretch& out) {
  const Matrix stream = encode(phase);
  append_norm(phase, norm_name(phase, "final"), vector_view(phase, all_of(phase, stream)),
              vector_view(phase, out));
}

}  // namespace tessera::workloads
