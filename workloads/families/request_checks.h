// Fills what a phase request leaves open and refuses what is inconsistent.
#pragma once

#include "workloads/model_descriptor.h"

namespace tessera::workloads {

/// KV heads, head width and tokens that are 0 take their defaults: all heads, hidden_size / heads,
/// the model's own sequence length. REQUIRES: num_attention_heads > 0 or the request is invalid.
PhaseRequest resolve(PhaseRequest request);

/// Throws std::invalid_argument "MODEL: REASON" for the first inconsistency of a resolved request.
void check(const PhaseRequest& request);

}  // namespace tessera::workloads
