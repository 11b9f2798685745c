// From image rows to tokens of a text model.
#pragma once

#include "workloads/families/attention.h"

namespace tessera::workloads {

/// Tokens that one image becomes.
std::int64_t visual_tokens(const ModelDescriptor& vision, const ConnectorDescriptor& connector);

/// Pixel_Shuffle (from 2 on), Connector and Embed_Scale: `patches`, the rows of one image of each
/// request, become the rows `tokens`. The builder's model is the vision tower.
/// REQUIRES: patches form a square that pixel_shuffle divides.
void append_connector(PhaseBuilder& phase, const ConnectorDescriptor& connector,
                      const Stretch& patches, const Stretch& tokens);

/// What the phases of images share: the `images` images of each request, one after the other.
struct ImageSite {
  std::string front;  // in front of the phases' names
  std::int64_t images = 1;
  Stretch tokens;  // the first image's rows in the text model's stream
};

/// The phases "vision" and "connector", each repeated for every image: images flow from one to the
/// next through DRAM, side by side.
void append_image_phases(Graph& graph, const PhaseRequest& request, const ImageSite& site);

}  // namespace tessera::workloads
