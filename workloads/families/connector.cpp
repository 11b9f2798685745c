#include "workloads/families/connector.h"

#include <utility>

#include "workloads/families/stage.h"
#include "workloads/families/vit.h"

namespace tessera::workloads {
namespace {

/// `block` x `block` neighbouring patches side by side in one row.
Matrix pixel_shuffle(PhaseBuilder& phase, const Stretch& patches, std::int64_t block) {
  const std::int64_t side = phase.model().image_size / phase.model().patch_size;
  const std::int64_t width = patches.cols;
  const std::int64_t row = block * block * width;  // of the result
  const std::int64_t across = side / block;
  const Matrix out =
      phase.add_activation("Pixel_Shuffle.out", phase.batch() * across * across, row);
  Operator op = phase.make("Pixel_Shuffle", OperatorKind::kCopy, "");
  op.m = phase.batch() * patches.rows;
  op.n = width;
  op.inputs = {vector_view(phase, patches)};
  // Patches in their own order: block row, patch row in it, block, patch in it.
  MatrixView view = whole(out);
  view.batch = {Dim{phase.batch() * across, across * row}, Dim{block, block * width}};
  view.group = {across, row};
  view.rows = block;
  view.row_stride = width;
  view.cols = width;
  op.outputs = {view};
  phase.append(std::move(op));
  return out;
}

PhaseRequest image_request(const PhaseRequest& request, const ImageSite& site,
                           const std::string& name) {
  PhaseRequest images;
  images.phase = site.front + name;
  images.model = *request.model.vision;
  images.model.title = request.model.title;
  images.batch = request.batch;
  images.repeat = static_cast<int>(site.images) * request.repeat;
  return images;
}

}  // namespace

std::int64_t visual_tokens(const ModelDescriptor& vision, const ConnectorDescriptor& connector) {
  return vit_patches(vision) / (connector.pixel_shuffle * connector.pixel_shuffle);
}

void append_connector(PhaseBuilder& phase, const ConnectorDescriptor& connector,
                      const Stretch& patches, const Stretch& tokens) {
  const MatrixView rows = connector.pixel_shuffle > 1
                              ? whole(pixel_shuffle(phase, patches, connector.pixel_shuffle))
                              : gemm_view(phase, patches);
  if (!connector.embed_scale) {
    return append_gemm(phase, "Connector", rows, gemm_view(phase, tokens));
  }
  const Matrix projected = linear(phase, "Connector", rows, tokens.cols);
  append_scale(phase, "Embed_Scale", vector_view(phase, all_of(phase, projected)),
               vector_view(phase, tokens));
}

void append_image_phases(Graph& graph, const PhaseRequest& request, const ImageSite& site) {
  const std::int64_t patches = vit_patches(*request.model.vision);
  PhaseRequest vision = image_request(request, site, "vision");
  vision.not_before_s = request.not_before_s;
  const PhaseRequest connector = image_request(request, site, "connector");
  PhaseBuilder tower(graph, vision, vit_tokens(vision.model));
  const Matrix encoded = tower.add_activation("Images", request.batch * site.images * patches,
                                              vision.model.hidden_size);
  Stretch rows = part_of(all_of(tower, encoded), 0, patches);
  rows.repeat_rows = site.images > 1 ? patches : 0;
  append_stage(graph, vision, "image", "", [&] { append_vit_tower(tower, rows); });
  append_stage(graph, connector, "image", "", [&] {
    PhaseBuilder phase(graph, connector, patches);
    append_connector(phase, request.model.connector, rows, site.tokens);
  });
}

}  // namespace tessera::workloads
