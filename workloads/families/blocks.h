// The blocks that all transformer families share. Each appends its operators to the phase and
// returns the matrix that it leaves behind.
#pragma once

#include <string>
#include <vector>

#include "workloads/families/phase_builder.h"

namespace tessera::workloads {

/// Where attention reads K and V from: the projections, or a cache that KV_Write fills.
enum class KvSource { kProjections, kCache };

/// out = a * W, W a [a.cols, out.cols] row-major weight "NAME.weight". `out` is the view written.
void append_gemm(PhaseBuilder& phase, const std::string& name, const MatrixView& a,
                 const MatrixView& out);
/// append_gemm into a new matrix "NAME.out".
Matrix linear(PhaseBuilder& phase, const std::string& name, const MatrixView& a,
              std::int64_t width);

/// One result of the shape of the first input; all inputs are read whole.
Matrix elementwise(PhaseBuilder& phase, const std::string& name, OperatorKind kind,
                   const std::string& operation, const std::vector<Matrix>& inputs);

/// "LayerNorm_SUFFIX" or "RMSNorm_SUFFIX" over each row.
Matrix norm(PhaseBuilder& phase, const std::string& suffix, const Matrix& in);

/// Token_Embed: one row of the [vocab_size, hidden_size] table for each token. Which rows is not
/// modelled: the view walks the first rows of the table.
Matrix token_embedding(PhaseBuilder& phase);
/// PosEmbed_Add: the first `tokens` rows of a [positions, hidden_size] weight, for each request.
Matrix add_positions(PhaseBuilder& phase, const Matrix& in, std::int64_t positions);

/// All layers of the stack: pre- or post-norm attention and MLP with their residuals.
Matrix transformer_layers(PhaseBuilder& phase, Matrix stream, KvSource kv);

/// norm "final" where the model has one (pre-norm stacks only), else `stream` itself.
Matrix final_norm(PhaseBuilder& phase, const Matrix& stream);

}  // namespace tessera::workloads
