#include "workloads/families/vit.h"

#include <utility>

#include "workloads/families/blocks.h"

namespace tessera::workloads {
namespace {

/// Patches of each image into the rows behind its CLS row, straight from the Gemm.
Matrix embed_behind_cls(PhaseBuilder& phase, MatrixView patches) {
  const std::int64_t width = phase.model().hidden_size;
  const std::int64_t per_image = vit_patches(phase.model());
  const Matrix out = phase.add_activation("PatchEmbed.out", phase.rows(), width);
  patches.group = {phase.batch(), per_image * patches.cols};
  patches.rows = per_image;
  MatrixView rows = whole(out);
  rows.offset = width;
  rows.group = {phase.batch(), phase.tokens() * width};
  rows.rows = per_image;
  append_gemm(phase, "PatchEmbed", patches, rows);
  return out;
}

/// The CLS row in front of each image's patches. The row counts as gathered, not as a weight
/// (operators.csv).
void concat_cls(PhaseBuilder& phase, const Matrix& stream) {
  const TensorId cls = phase.add_table("CLS_concat.weight", {1, stream.cols});
  Operator op = phase.make("CLS_concat", OperatorKind::kCopy, "");
  op.m = phase.batch();
  op.n = stream.cols;
  op.inputs = {rows_per_request(cls, 0, {phase.batch(), 0}, 1, stream.cols)};
  op.outputs = {rows_per_request(stream.tensor, 0, {phase.batch(), phase.tokens() * stream.cols}, 1,
                                 stream.cols)};
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

}  // namespace

std::int64_t vit_patches(const ModelDescriptor& model) {
  const std::int64_t side = model.image_size / model.patch_size;
  return side * side;
}

std::int64_t vit_tokens(const ModelDescriptor& model) {
  return vit_patches(model) + (model.cls_token ? 1 : 0);
}

void append_vit(Graph& graph, const PhaseRequest& request) {
  const ModelDescriptor& model = request.model;
  PhaseBuilder phase(graph, request.phase, model, request.batch, vit_tokens(model));
  Matrix stream = embed_patches(phase);
  stream = add_positions(phase, stream, phase.tokens());
  stream = transformer_layers(phase, stream, KvSource::kProjections);
  stream = final_norm(phase, stream);
  if (model.num_labels > 0) {
    linear(phase, "Classifier", row_of_each_request(stream, phase.batch(), phase.tokens(), 0),
           model.num_labels);
  }
}

}  // namespace tessera::workloads
