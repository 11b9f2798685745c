// Image encoders: SigLIP, ViT, DeiT, CLIP, DINOv2.
#pragma once

#include <cstdint>

#include "workloads/families/attention.h"
#include "workloads/graph.h"
#include "workloads/model_descriptor.h"

namespace tessera::workloads {

/// Whole patches of an image; pixels beyond them are cropped (384 / 14 gives 27 x 27).
std::int64_t vit_patches(const ModelDescriptor& model);
/// Rows of the residual stream of one image: patches, the CLS row, what stands behind it.
std::int64_t vit_tokens(const ModelDescriptor& model);

/// PatchEmbed (a Gemm over patches), CLS_concat, PosEmbed_Add, LayerNorm_pre, the layers,
/// LayerNorm_final, and what reads the result: the MAP head, Visual_projection, Classifier. Reads
/// the activation tensor "PHASE.PatchEmbed.in": patches already cut, [batch * patches, patch^2 *
/// channels].
/// REQUIRES: a resolved, valid request.
void append_vit(Graph& graph, const PhaseRequest& request);

/// The same up to LayerNorm_final, which writes `out`: rows of a tensor that others read.
void append_vit_tower(PhaseBuilder& phase, const Stretch& out);

}  // namespace tessera::workloads
