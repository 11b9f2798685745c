#include "workloads/families/attention.h"

#include <algorithm>
#include <utility>

namespace tessera::workloads {
namespace {

/// Query rows of one block when the causal half is skipped.
constexpr std::int64_t kCausalBlock = 128;

bool is_whole(const Stretch& stretch) {
  return stretch.first == 0 && stretch.rows == stretch.pitch && stretch.repeat_rows == 0;
}

std::int64_t kv_width(const PhaseBuilder& phase) {
  return phase.model().num_key_value_heads * phase.model().head_dim;
}

std::int64_t q_width(const PhaseBuilder& phase) {
  return phase.model().num_attention_heads * phase.model().head_dim;
}

Stretch projected(PhaseBuilder& phase, const std::string& name, const Matrix& in,
                  std::int64_t width) {
  return all_of(phase, linear(phase, name, whole(in), width));
}

Stretch like(PhaseBuilder& phase, const std::string& stem, const Stretch& in) {
  return all_of(phase, phase.add_activation(stem, phase.batch() * in.rows, in.cols));
}

/// Two column ranges of one logical row through one operator, each into its own tensor.
void append_pair(PhaseBuilder& phase, Operator op, const std::pair<Stretch, Stretch>& in,
                 const std::pair<Stretch, Stretch>& out) {
  op.m = phase.batch() * in.first.rows;
  op.n = in.first.cols + in.second.cols;
  op.inputs = {vector_view(phase, in.first), vector_view(phase, in.second)};
  op.outputs = {vector_view(phase, out.first), vector_view(phase, out.second)};
  phase.append(std::move(op));
}

/// [rows, head_dim] matrices: for each request and KV head, `group` of them one after the other.
MatrixView heads_of(const PhaseBuilder& phase, const Stretch& stretch, std::int64_t group) {
  const ModelDescriptor& model = phase.model();
  MatrixView view = whole({stretch.tensor, stretch.rows, stretch.cols});
  view.offset = stretch.first * stretch.cols;
  view.batch = {Dim{phase.batch(), stretch.pitch * stretch.cols},
                Dim{model.num_key_value_heads, group * model.head_dim}};
  view.group = {group, model.head_dim};
  view.cols = model.head_dim;
  return view;
}

/// Scores of one attention: a [batch, heads, queries, keys] tensor.
struct Scores {
  TensorId tensor = kNoTensor;
  std::int64_t queries = 0, keys = 0;
};

Scores add_scores(PhaseBuilder& phase, const std::string& stem, std::int64_t queries,
                  std::int64_t keys) {
  return {phase.add_tensor(stem, {phase.batch(), phase.model().num_attention_heads, queries, keys},
                           TensorClass::kActivations),
          queries, keys};
}

/// [queries, keys] matrices in the order of heads_of.
MatrixView matrices_of(const PhaseBuilder& phase, const Scores& scores) {
  const ModelDescriptor& model = phase.model();
  const std::int64_t matrix = scores.queries * scores.keys;
  MatrixView view = whole({scores.tensor, scores.queries, scores.keys});
  view.batch = {Dim{phase.batch(), model.num_attention_heads * matrix},
                Dim{model.num_key_value_heads, phase.group() * matrix}};
  view.group = {phase.group(), matrix};
  return view;
}

/// All rows of all heads.
MatrixView rows_of(const PhaseBuilder& phase, const Scores& scores) {
  const std::int64_t rows = phase.batch() * phase.model().num_attention_heads * scores.queries;
  return whole({scores.tensor, rows, scores.keys});
}

/// One Gemm for each request and query head; those that share a KV head form a group.
void append_head_gemm(PhaseBuilder& phase, Operator op, const MatrixView& a, const MatrixView& b,
                      const MatrixView& out) {
  op.m = a.rows;
  op.k = a.cols;
  op.n = out.cols;
  op.instances = phase.batch() * phase.model().num_attention_heads;
  op.group = phase.group();
  op.inputs = {a, b};
  op.outputs = {out};
  phase.append(std::move(op));
}

std::string called(const AttentionNames& names, const std::string& name) {
  return names.front + name + names.behind;
}

Scores attention_scores(PhaseBuilder& phase, const Stretch& q, const Stretch& k,
                        const std::string& name) {
  const Scores scores = add_scores(phase, name + ".out", q.rows, k.rows);
  Operator op = phase.make(name, OperatorKind::kBatchedGemm, "");
  op.mask = phase.model().mask;
  MatrixView keys = heads_of(phase, k, 1);
  keys.transposed = true;
  append_head_gemm(phase, std::move(op), heads_of(phase, q, phase.group()), keys,
                   matrices_of(phase, scores));
  return scores;
}

/// One value for each head, query and key (T5), the same for all layers and requests.
Scores add_bias(PhaseBuilder& phase, const Scores& scores, const std::string& name) {
  const std::int64_t rows = phase.model().num_attention_heads * scores.queries;
  const TensorId bias = phase.shared_weight("Attn_Bias.weight", {rows, scores.keys});
  const Scores sums = add_scores(phase, name + ".out", scores.queries, scores.keys);
  const Dim requests{phase.batch(), rows * scores.keys};
  Operator op = phase.make(name, OperatorKind::kAdd, "add");
  op.m = phase.batch() * rows;
  op.n = scores.keys;
  op.inputs = {rows_per_request(scores.tensor, 0, requests, rows, scores.keys),
               rows_per_request(bias, 0, {phase.batch(), 0}, rows, scores.keys)};
  op.outputs = {rows_per_request(sums.tensor, 0, requests, rows, scores.keys)};
  phase.append(std::move(op));
  return sums;
}

Scores softmax(PhaseBuilder& phase, const Scores& scores, const std::string& name) {
  const Scores shares = add_scores(phase, name + ".out", scores.queries, scores.keys);
  Operator op = phase.make(name, OperatorKind::kSoftmax, "softmax");
  op.mask = phase.model().mask;
  op.inputs = {rows_of(phase, scores)};
  op.outputs = {rows_of(phase, shares)};
  op.m = op.inputs[0].rows;
  op.n = scores.keys;
  phase.append(std::move(op));
  return shares;
}

/// The softmax of the scores of one attention.
Scores attention_shares(PhaseBuilder& phase, const Stretch& q, const Stretch& k,
                        const AttentionNames& names) {
  Scores scores = attention_scores(phase, q, k, called(names, "Attn_Scores"));
  if (phase.model().relative_attention_num_buckets > 0) {
    scores = add_bias(phase, scores, called(names, "Attn_Bias_Add"));
  }
  return softmax(phase, scores, called(names, "Softmax"));
}

void append_context(PhaseBuilder& phase, const Scores& shares, const Stretch& v,
                    const Stretch& context, const AttentionNames& names) {
  append_head_gemm(phase, phase.make(called(names, "Attn_Context"), OperatorKind::kBatchedGemm, ""),
                   matrices_of(phase, shares), heads_of(phase, v, 1),
                   heads_of(phase, context, phase.group()));
}

Matrix add_context(PhaseBuilder& phase, const Stretch& q, const AttentionNames& names) {
  return phase.add_activation(called(names, "Attn_Context") + ".out", phase.batch() * q.rows,
                              q_width(phase));
}

/// Blocks of queries, each over the keys that its last row sees.
Matrix attend_causally(PhaseBuilder& phase, const Projections& in, const AttentionNames& names) {
  const Matrix context = add_context(phase, in.q, names);
  const std::int64_t before = in.k.rows - in.q.rows;
  int block = 0;
  for (std::int64_t first = 0; first < in.q.rows; first += kCausalBlock, ++block) {
    const std::int64_t rows = std::min(kCausalBlock, in.q.rows - first);
    const std::int64_t keys = before + first + rows;
    const AttentionNames of_block{names.front, names.behind + "_" + std::to_string(block)};
    const Scores shares =
        attention_shares(phase, part_of(in.q, first, rows), part_of(in.k, 0, keys), of_block);
    append_context(phase, shares, part_of(in.v, 0, keys),
                   part_of(all_of(phase, context), first, rows), of_block);
  }
  return context;
}

Stretch cache_of(PhaseBuilder& phase, const std::string& stem, std::int64_t rows, bool is_state) {
  const TensorId tensor = phase.add_tensor(stem, {phase.batch() * rows, kv_width(phase)},
                                           TensorClass::kKvCache, is_state);
  return {tensor, kv_width(phase), 0, rows, rows};
}

}  // namespace

Stretch all_of(const PhaseBuilder& phase, const Matrix& matrix) {
  const std::int64_t rows = matrix.rows / phase.batch();
  return {matrix.tensor, matrix.cols, 0, rows, rows};
}

Stretch part_of(Stretch stretch, std::int64_t first, std::int64_t rows) {
  stretch.first += first;
  stretch.rows = rows;
  return stretch;
}

MatrixView gemm_view(const PhaseBuilder& phase, const Stretch& stretch) {
  if (is_whole(stretch)) {
    return whole({stretch.tensor, phase.batch() * stretch.rows, stretch.cols});
  }
  MatrixView view = whole({stretch.tensor, stretch.rows, stretch.cols});
  view.offset = stretch.first * stretch.cols;
  view.group = {phase.batch(), stretch.pitch * stretch.cols};
  view.repeat_stride = stretch.repeat_rows * stretch.cols;
  return view;
}

MatrixView vector_view(const PhaseBuilder& phase, const Stretch& stretch) {
  MatrixView view = gemm_view(phase, stretch);
  std::swap(view.group, view.batch[0]);
  return view;
}

Projections project(PhaseBuilder& phase, const Matrix& in) {
  const Stretch q = projected(phase, "Attn_Q", in, q_width(phase));
  const Stretch k = projected(phase, "Attn_K", in, kv_width(phase));
  const Stretch v = projected(phase, "Attn_V", in, kv_width(phase));
  return {q, k, v};
}

Projections rotate(PhaseBuilder& phase, const Projections& in, const Stretch& k_to) {
  const Stretch q = like(phase, "RoPE.q", in.q);
  const Stretch k = k_to.tensor == kNoTensor ? like(phase, "RoPE.k", in.k) : k_to;
  append_pair(phase, phase.make("RoPE", OperatorKind::kRope, "rope"), {in.q, in.k}, {q, k});
  return {q, k, in.v};
}

Stretch rotate_one(PhaseBuilder& phase, const std::string& name, const std::string& role,
                   const Stretch& in) {
  const Stretch out = like(phase, name + "." + role, in);
  Operator op = phase.make(name, OperatorKind::kRope, "rope");
  op.m = phase.batch() * in.rows;
  op.n = in.cols;
  op.inputs = {vector_view(phase, in)};
  op.outputs = {vector_view(phase, out)};
  phase.append(std::move(op));
  return out;
}

void write_cache(PhaseBuilder& phase, const Projections& in, const Stretch& k_to,
                 const Stretch& v_to) {
  append_pair(phase, phase.make("KV_Write", OperatorKind::kCopy, ""), {in.k, in.v}, {k_to, v_to});
}

Matrix attend(PhaseBuilder& phase, const Projections& in, const AttentionNames& names) {
  const bool skips = phase.model().mask == Mask::kCausal && phase.skips_causal_half();
  if (skips && in.q.rows > kCausalBlock) return attend_causally(phase, in, names);
  const Scores shares = attention_shares(phase, in.q, in.k, names);
  const Matrix context = add_context(phase, in.q, names);
  append_context(phase, shares, in.v, all_of(phase, context), names);
  return context;
}

KvCache add_cache(PhaseBuilder& phase, std::int64_t rows, bool holds_earlier_rows) {
  const Stretch k = cache_of(phase, "KV_Write.k", rows, holds_earlier_rows);
  const Stretch v = cache_of(phase, "KV_Write.v", rows, holds_earlier_rows);
  return {k, v};
}

Matrix attention(PhaseBuilder& phase, const Matrix& in, KvSource kv) {
  Projections projections = project(phase, in);
  if (phase.model().rope) {
    projections = rotate(phase, projections);
  }
  if (kv == KvSource::kCache) {
    const std::int64_t earlier = phase.kv_length() - phase.tokens();
    const KvCache cache = add_cache(phase, phase.kv_length(), earlier > 0);
    write_cache(phase, projections, part_of(cache.k, earlier, phase.tokens()),
                part_of(cache.v, earlier, phase.tokens()));
    projections = {projections.q, cache.k, cache.v};
  }
  const Matrix context = attend(phase, projections);
  return linear(phase, "Attn_Out", whole(context), phase.model().hidden_size);
}

}  // namespace tessera::workloads
