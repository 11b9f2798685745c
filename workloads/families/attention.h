// Attention over rows that may lie in larger tensors: caches, prefixes.
#pragma once

#include <cstdint>
#include <string>

#include "workloads/families/blocks.h"

namespace tessera::workloads {

/// Rows [first, first + rows) of every `pitch` rows of a tensor of `cols` columns: one stretch for
/// each request of the batch.
struct Stretch {
  TensorId tensor = kNoTensor;
  std::int64_t cols = 0;
  std::int64_t first = 0, rows = 0, pitch = 0;
  std::int64_t repeat_rows = 0;  // every repeat of the phase moves on by so many rows
};

/// All of `matrix`, which holds `matrix.rows / batch` rows for each request.
Stretch all_of(const PhaseBuilder& phase, const Matrix& matrix);
/// As the operand of a plain Gemm, requests in the group dimension; of a vector operator, requests
/// in the batch dimension.
MatrixView gemm_view(const PhaseBuilder& phase, const Stretch& stretch);
MatrixView vector_view(const PhaseBuilder& phase, const Stretch& stretch);

/// Q, K and V of one layer, heads side by side in the columns.
struct Projections {
  Stretch q, k, v;
};

/// Attn_Q, Attn_K and Attn_V into tensors of their own.
Projections project(PhaseBuilder& phase, const Matrix& in);
/// RoPE over Q and K; K goes to `k_to` where it names a tensor, else into one of its own.
Projections rotate(PhaseBuilder& phase, const Projections& in, const Stretch& k_to = {});
/// `name` over the columns of one operand.
Stretch rotate_one(PhaseBuilder& phase, const std::string& name, const std::string& role,
                   const Stretch& in);
/// KV_Write: K and V into rows of the caches.
void write_cache(PhaseBuilder& phase, const Projections& in, const Stretch& k_to,
                 const Stretch& v_to);

/// How the operators of one attention are called: "MAP_" in front, "_self" behind.
struct AttentionNames {
  std::string front, behind;
};

/// Scores, Softmax and Context: every row of Q over all rows of K and V. With a causal mask the
/// last row of Q sees all keys. Returns the heads' results side by side.
Matrix attend(PhaseBuilder& phase, const Projections& in, const AttentionNames& names = {});

/// Where the layers' keys and values come from.
enum class KvSource { kProjections, kCache };

/// The KV caches of the layers: kv_length rows a request, of which the phase writes the last.
struct KvCache {
  Stretch k, v;  // the whole cache of each request
};
KvCache add_cache(PhaseBuilder& phase, std::int64_t rows, bool holds_earlier_rows);
/// Rows [first, first + rows) of each request.
Stretch part_of(Stretch stretch, std::int64_t first, std::int64_t rows);

/// Attn_Q to Attn_Out.
Matrix attention(PhaseBuilder& phase, const Matrix& in, KvSource kv);

}  // namespace tessera::workloads
