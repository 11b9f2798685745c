// Image encoders: SigLIP, ViT, DeiT.
#pragma once

#include <cstdint>

#include "workloads/graph.h"
#include "workloads/model_descriptor.h"

namespace tessera::workloads {

/// Whole patches of an image; pixels beyond them are cropped (384 / 14 gives 27 x 27).
std::int64_t vit_patches(const ModelDescriptor& model);
/// Rows of the residual stream of one image: patches and the CLS row.
std::int64_t vit_tokens(const ModelDescriptor& model);

/// PatchEmbed (a Gemm over patches), CLS_concat, PosEmbed_Add, the layers, LayerNorm_final, and a
/// Classifier on the first row of each image where num_labels > 0. Reads the activation tensor
/// "PHASE.PatchEmbed.in": patches already cut, [batch * patches, patch^2 * channels].
/// REQUIRES: a resolved, valid request.
void append_vit(Graph& graph, const PhaseRequest& request);

}  // namespace tessera::workloads
