// Models of an image and a text part: CLIP, SigLIP; SmolVLM, PaliGemma.
#pragma once

#include "workloads/graph.h"
#include "workloads/model_descriptor.h"

namespace tessera::workloads {

/// The phases "vision" and "text_encode", which share nothing.
void append_dual_encoder(Graph& graph, const PhaseRequest& request);

/// The phases "vision" and "connector" for each image, then "prefill" over the images' tokens and
/// `tokens` tokens of text. REQUIRES: a resolved, valid request.
void append_vlm(Graph& graph, const PhaseRequest& request);

/// "" or "NAME_": in front of the names of a composite's phases.
std::string name_in_front(const PhaseRequest& request);

}  // namespace tessera::workloads
