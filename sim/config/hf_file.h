// A model's config.json in place of a descriptor.
#pragma once

#include <memory>
#include <string>

#include "sim/config/value.h"
#include "workloads/import/hf_config.h"

namespace tessera::sim::config {

/// Is the text of `source` JSON that is no descriptor (which has the key `family`)?
bool is_hf_config(const Source& source);
/// Reads the JSON text and imports it. Throws ConfigError at the line and column of what is wrong.
workloads::ModelDescriptor import_hf_text(const std::shared_ptr<const Source>& source,
                                          const workloads::HfOptions& options);
/// The tree of a descriptor whose every value stands at the start of `source`.
Value model_tree(const workloads::ModelDescriptor& model,
                 const std::shared_ptr<const Source>& source);

}  // namespace tessera::sim::config
