// The blocks that all transformer families share. Each appends its operators to the phase and
// returns the matrix that it leaves behind.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "workloads/families/phase_builder.h"

namespace tessera::workloads {

/// out = a * W, W a [a.cols, out.cols] row-major weight "NAME.weight". `out` is the view written.
void append_gemm(PhaseBuilder& phase, const std::string& name, const MatrixView& a,
                 const MatrixView& out);
/// append_gemm into a new matrix "NAME.out".
Matrix linear(PhaseBuilder& phase, const std::string& name, const MatrixView& a,
              std::int64_t width);

/// One result of the shape of the first input; all inputs are read whole.
Matrix elementwise(PhaseBuilder& phase, const std::string& name, OperatorKind kind,
                   const std::string& operation, const std::vector<Matrix>& inputs);

/// "LayerNorm_SUFFIX" or "RMSNorm_SUFFIX", after the model's norm.
std::string norm_name(const PhaseBuilder& phase, const std::string& suffix);
/// norm_name over each row.
Matrix norm(PhaseBuilder& phase, const std::string& suffix, const Matrix& in);
/// The model's norm as `name`, into a new matrix or into `out`.
Matrix norm_rows(PhaseBuilder& phase, const std::string& name, const MatrixView& in);
void append_norm(PhaseBuilder& phase, const std::string& name, const MatrixView& in,
                 const MatrixView& out);

/// Every element times one constant.
void append_scale(PhaseBuilder& phase, const std::string& name, const MatrixView& in,
                  const MatrixView& out);
Matrix embed_scale(PhaseBuilder& phase, const Matrix& in);
/// "LayerScale_SUFFIX": every column times a parameter.
Matrix layer_scale(PhaseBuilder& phase, const std::string& suffix, const Matrix& in);

/// Token_Embed: one row of the [vocab_size, hidden_size] table for each token. Which rows is not
/// modelled: the view walks the first rows of the table.
Matrix token_embedding(PhaseBuilder& phase);
/// The same for `tokens` tokens of each request, into the rows `out`.
void append_token_embedding(PhaseBuilder& phase, TensorId table, std::int64_t tokens,
                            const MatrixView& out);
TensorId add_token_table(PhaseBuilder& phase);
/// PosEmbed_Add: `tokens` rows of a [positions, hidden_size] weight, the last that kv_length
/// reaches, for each request.
Matrix add_positions(PhaseBuilder& phase, const Matrix& in, std::int64_t positions);

/// MLP_FC1, activation, MLP_FC2; gated: MLP_Gate, MLP_Up, their product, MLP_Down. `front` stands
/// in front of the names. REQUIRES: no `front` with a gated MLP.
Matrix mlp(PhaseBuilder& phase, const Matrix& in, const std::string& front = {});
Matrix residual_add(PhaseBuilder& phase, const std::string& suffix, const Matrix& stream,
                    const Matrix& branch);

/// norm "final" where the model has one (pre-norm stacks only), else `stream` itself.
Matrix final_norm(PhaseBuilder& phase, const Matrix& stream);

}  // namespace tessera::workloads
