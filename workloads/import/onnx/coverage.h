// Which operators can be costed, and why the others cannot.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "workloads/import/onnx/network.h"
#include "workloads/import/onnx/shape_rules.h"

namespace tessera::workloads::onnx {

/// Values of the inputs of a node of `network`.
Inputs inputs_of(const Network& network, const Node& node);
/// All inputs are constants: computed once, before the run.
bool is_precomputed(const Network& network, const Node& node);
/// Empty, or why `node` has no cost: "Conv (3x3, stride 1: no patch embedding)".
std::string why_unknown(const Network& network, const Node& node);
/// "FILE: cannot cost: 2 x LSTM, ...".
std::string unknown_message(const Network& network, const std::vector<std::string>& reasons);
/// MACs of a Conv; -1 for operators whose MACs cannot be told.
std::int64_t unknown_macs(const Network& network, const Node& node);
/// A Conv whose kernel steps by its own size without padding: a Gemm over patches.
bool is_patch_embedding(const Network& network, const Node& node);

/// Known indices that advance evenly.
struct EvenIndices {
  std::int64_t start = 0, step = 1, count = 0;
};
bool even_indices(const Value& indices, std::int64_t size, EvenIndices& out);

}  // namespace tessera::workloads::onnx
