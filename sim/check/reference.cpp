#include "sim/check/reference.h"

#include <algorithm>
#include <random>
#include <type_traits>
#include <utility>

#include "sim/check/online_softmax.h"

namespace tessera::sim {
namespace {

using workloads::MatrixView;
using workloads::Operator;

/// The element of the tensor at (matrix, row, col) of a view, row over its group dimension.
std::int64_t element_of(const MatrixView& view, std::int64_t matrix, std::int64_t row,
                        std::int64_t col) {
  const std::int64_t b0 = matrix / view.batch[1].count, b1 = matrix % view.batch[1].count;
  const std::int64_t g = row / view.rows, r = row % view.rows;
  return view.offset + b0 * view.batch[0].stride + b1 * view.batch[1].stride +
         g * view.group.stride + r * view.row_stride + col;
}

/// The same for an operator that counts rows over all matrices.
std::int64_t element_of_row(const MatrixView& view, std::int64_t row, std::int64_t col) {
  const std::int64_t per_matrix = view.group.count * view.rows;
  return element_of(view, row / per_matrix, row % per_matrix, col);
}

std::int64_t operand_magnitude(const workloads::Graph& graph, const MatrixView& view,
                               const Format& left, std::int64_t k, Numbers numbers) {
  const workloads::Tensor& tensor = graph.tensors[static_cast<std::size_t>(view.tensor)];
  const Format format = format_of(tensor, numbers);
  if (tensor.cls != workloads::TensorClass::kWeights) return largest(format);
  return weight_magnitude(format, left, k);
}

}  // namespace

double operator_scale(const workloads::Graph& graph, const Operator& op, Numbers numbers) {
  const auto format = [&](const MatrixView& view) {
    return format_of(graph.tensors[static_cast<std::size_t>(view.tensor)], numbers);
  };
  const Format a = format(op.inputs[0]), b = format(op.inputs[1]);
  return sum_scale(largest(a), operand_magnitude(graph, op.inputs[1], a, op.k, numbers),
                   a.is_float() || b.is_float(), op.k);
}

std::vector<std::string> operations_of(const Operator& op) {
  std::vector<std::string> operations;
  if (!workloads::is_gemm(op)) operations.push_back(op.operation);
  for (const workloads::EpilogueStep& step : op.epilogue) operations.push_back(step.operation);
  return operations;
}

Reference::Reference(const workloads::Graph& graph, Numbers numbers, int accumulator_bits,
                     std::uint64_t seed, std::vector<std::int64_t> key_blocks)
    : graph_(graph),
      numbers_(numbers),
      accumulator_bits_(accumulator_bits),
      produced_(graph.tensors.size(), false),
      key_blocks_(std::move(key_blocks)) {
  for (const Operator& op : graph.operators) {
    for (const MatrixView& view : op.outputs)
      produced_[static_cast<std::size_t>(view.tensor)] = true;
  }
  for (std::size_t i = 0; i < graph.tensors.size(); ++i) {
    const workloads::Tensor& tensor = graph.tensors[i];
    tensors_.emplace_back(workloads::row_count(tensor), workloads::row_length(tensor),
                          tensor.format.bits);
    produced_[i] = produced_[i] && !tensor.is_state;
    if (!produced_[i]) fill(static_cast<workloads::TensorId>(i), seed * 1'000'003 + i);
    if (tensor.is_state) state_[static_cast<workloads::TensorId>(i)] = tensors_[i];
  }
}

Format Reference::format(workloads::TensorId id) const {
  return format_of(graph_.tensors[static_cast<std::size_t>(id)], numbers_);
}

std::int64_t Reference::magnitude(workloads::TensorId id) const {
  std::int64_t most = largest(format(id));
  for (const Operator& op : graph_.operators) {
    if (!workloads::is_gemm(op) || op.inputs[1].tensor != id) continue;
    most = std::min(
        most, operand_magnitude(graph_, op.inputs[1], format(op.inputs[0].tensor), op.k, numbers_));
  }
  return most;
}

void Reference::fill(workloads::TensorId id, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  TensorImage& image = tensors_[static_cast<std::size_t>(id)];
  const Format elements = format(id);
  const std::int64_t most = magnitude(id);
  for (std::int64_t i = 0; i < image.rows * image.cols; ++i) {
    image.put(i, random_pattern(random(), elements, most));
  }
}

const TensorImage& Reference::before(workloads::TensorId id) const {
  const auto state = state_.find(id);
  return state == state_.end() ? tensor(id) : state->second;
}

const TensorImage& Reference::after(workloads::TensorId id, int op, int repeat) const {
  for (std::size_t i = 0; i < history_.size(); ++i) {
    const workloads::Phase& phase = graph_.phases[i];
    if (op < phase.first_operator || op >= phase.last_operator || history_[i].empty()) continue;
    return history_[i].at(static_cast<std::size_t>(repeat)).at(id);
  }
  return tensor(id);
}

Reference::Images Reference::outputs_of(const workloads::Phase& phase) const {
  Images images;
  for (int i = phase.first_operator; i < phase.last_operator; ++i) {
    for (const MatrixView& view : graph_.operators[static_cast<std::size_t>(i)].outputs) {
      images[view.tensor] = tensor(view.tensor);
    }
  }
  return images;
}

void Reference::run() {
  for (const workloads::Phase& phase : graph_.phases) {
    history_.emplace_back();
    for (int repeat = 0; repeat < phase.repeat; ++repeat) {
      for (int i = phase.first_operator; i < phase.last_operator; ++i) {
        const auto index = static_cast<std::size_t>(i);
        evaluate_operator(workloads::in_repeat(graph_.operators[index], repeat),
                          key_blocks_.empty() ? 0 : key_blocks_[index]);
      }
      if (phase.repeat > 1) history_.back().push_back(outputs_of(phase));
    }
  }
}

/// Of attention, what it replaces: through tensors that no program touches.
void Reference::evaluate_operator(const Operator& op, std::int64_t key_block) {
  if (key_block > 0) {
    online_attention(op, key_block);
  } else if (op.kind == workloads::OperatorKind::kAttention) {
    for (const Operator& part : op.parts) evaluate_operator(part, 0);
  } else if (workloads::is_gemm(op)) {
    gemm(op);
  } else {
    vector(op);
  }
}

void Reference::online_attention(const Operator& op, std::int64_t key_block) {
  const Operator& context = op.parts[2];
  const bool floats =
      format(context.inputs[0].tensor).is_float() || format(context.inputs[1].tensor).is_float();
  gemm(op.parts[0]);
  for (std::int64_t matrix = 0; matrix < op.instances / op.group; ++matrix) {
    for (std::int64_t row = 0; row < op.m * op.group; ++row) {
      floats ? online_row<float>(op, key_block, matrix, row)
             : online_row<std::int64_t>(op, key_block, matrix, row);
    }
  }
}

/// One query against its keys, block by block.
template <class Sum>
void Reference::online_row(const Operator& op, std::int64_t key_block, std::int64_t matrix,
                           std::int64_t row) {
  constexpr bool kFloats = std::is_same_v<Sum, float>;
  const Operator& context = op.parts[2];
  const MatrixView &scores = op.parts[0].outputs[0], &b = context.inputs[1],
                   &c = context.outputs[0];
  const Format fs = format(scores.tensor), fp = format(context.inputs[0].tensor);
  const Format fb = format(b.tensor), fc = format(c.tensor);
  std::vector<Sum> sums(static_cast<std::size_t>(context.n));
  RowStatistics statistics;
  for (std::int64_t first = 0; first < op.n; first += key_block) {
    std::vector<double> values;
    for (std::int64_t key = first; key < std::min(first + key_block, op.n); ++key) {
      const std::uint32_t score = tensor(scores.tensor).get(element_of(scores, matrix, row, key));
      values.push_back(decode(score, fs) * unit(fs));
    }
    online_softmax(values, statistics, op.n);
    for (Sum& sum : sums) {
      if constexpr (kFloats) {
        sum = rescaled(sum, statistics.factor);
      } else {
        sum = rescaled(wrapped(sum, accumulator_bits_), statistics.factor, accumulator_bits_);
      }
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto left = static_cast<Sum>(decode(encode(values[i] / unit(fp), fp), fp));
      const std::int64_t from = element_of(b, matrix, first + static_cast<std::int64_t>(i), 0);
      for (std::int64_t n = 0; n < context.n; ++n) {
        sums[static_cast<std::size_t>(n)] +=
            left * static_cast<Sum>(decode(tensor(b.tensor).get(from + n), fb));
      }
    }
  }
  const double scale = operator_scale(graph_, context, numbers_);
  for (std::int64_t n = 0; n < context.n; ++n) {
    Sum sum = sums[static_cast<std::size_t>(n)];
    if constexpr (!kFloats) sum = wrapped(sum, accumulator_bits_);
    tensors_[static_cast<std::size_t>(c.tensor)].put(
        element_of(c, matrix, row, n),
        finish_sum(scale * static_cast<double>(sum), operations_of(context), fc));
  }
}

void Reference::gemm(const Operator& op) {
  for (std::int64_t matrix = 0; matrix < op.instances / op.group; ++matrix) {
    for (std::int64_t row = 0; row < op.m * op.group; ++row) gemm_row(op, matrix, row);
  }
}

void Reference::gemm_row(const Operator& op, std::int64_t matrix, std::int64_t row) {
  const MatrixView &a = op.inputs[0], &b = op.inputs[1], &c = op.outputs[0];
  const Format fa = format(a.tensor), fb = format(b.tensor), fc = format(c.tensor);
  const bool floats = fa.is_float() || fb.is_float();
  std::vector<std::int64_t> sums(static_cast<std::size_t>(op.n));
  std::vector<float> float_sums(static_cast<std::size_t>(op.n));
  for (std::int64_t k = 0; k < op.k; ++k) {
    const double left = decode(tensor(a.tensor).get(a.transposed ? element_of(a, matrix, k, row)
                                                                 : element_of(a, matrix, row, k)),
                               fa);
    const TensorImage& right = tensor(b.tensor);
    const std::int64_t first = element_of(b, matrix, b.transposed ? 0 : k, b.transposed ? k : 0);
    const std::int64_t step = b.transposed ? element_of(b, matrix, 1, k) - first : 1;
    const bool even = !b.transposed || b.group.count == 1;
    for (std::int64_t n = 0; n < op.n; ++n) {
      const std::int64_t element = even ? first + n * step : element_of(b, matrix, n, k);
      const auto at = static_cast<std::size_t>(n);
      if (floats) {
        float_sums[at] += static_cast<float>(left * decode(right.get(element), fb));
      } else {
        sums[at] += static_cast<std::int64_t>(left) * decode_integer(right.get(element), fb.bits);
      }
    }
  }
  const double scale = operator_scale(graph_, op, numbers_);
  const std::vector<std::string> epilogue = operations_of(op);
  const std::int64_t columns = workloads::columns_per_result(op);
  double gate = 0;
  for (std::int64_t n = 0; n < op.n; ++n) {
    const auto at = static_cast<std::size_t>(n);
    const std::int64_t sum = wrapped(sums[at], accumulator_bits_);
    if (sum != sums[at] && accumulator_bits_ >= 32) {
      if (overflows_.empty() || overflows_.back() != op.name) overflows_.push_back(op.name);
    }
    const double value =
        scale * (floats ? static_cast<double>(float_sums[at]) : static_cast<double>(sum));
    if (columns == 2 && n % 2 == 0) {
      gate = value;
      continue;
    }
    std::uint32_t result = 0;
    if (workloads::adds_residual(op)) {
      const MatrixView& residual = op.inputs[2];
      const Format fr = format(residual.tensor);
      const std::uint32_t other = tensor(residual.tensor).get(element_of(residual, matrix, row, n));
      result = finish_pair(value, decode(other, fr) * unit(fr), epilogue, fc);
    } else {
      result =
          columns == 2 ? finish_pair(gate, value, epilogue, fc) : finish_sum(value, epilogue, fc);
    }
    tensors_[static_cast<std::size_t>(c.tensor)].put(element_of(c, matrix, row, n / columns),
                                                     result);
  }
}

void Reference::vector(const Operator& op) {
  const std::vector<std::string> operations = operations_of(op);
  for (std::int64_t row = 0; row < op.m; ++row) {
    RowSlice slice;
    slice.row = row;
    std::vector<std::uint32_t> patterns;  // of a copy
    for (const MatrixView& view : op.inputs) {
      // Views narrower than the operator lie side by side.
      const bool beside = view.cols < op.n && !slice.operands.empty();
      if (!beside) slice.operands.emplace_back();
      const Format elements = format(view.tensor);
      for (std::int64_t col = 0; col < view.cols; ++col) {
        const std::uint32_t pattern = tensor(view.tensor).get(element_of_row(view, row, col));
        patterns.push_back(pattern);
        slice.operands.back().push_back(decode(pattern, elements) * unit(elements));
      }
    }
    for (const workloads::TensorId id : op.parameters) {
      slice.parameters.emplace_back();
      for (std::int64_t col = 0; col < tensor(id).cols; ++col) {
        slice.parameters.back().push_back(decode(tensor(id).get(col), format(id)) *
                                          unit(format(id)));
      }
    }
    const bool copy = op.operation.empty();
    const std::vector<double> values = copy ? slice.operands[0] : evaluate(operations, slice);
    std::size_t next = 0;
    for (const MatrixView& view : op.outputs) {
      const Format elements = format(view.tensor);
      TensorImage& out = tensors_[static_cast<std::size_t>(view.tensor)];
      for (std::int64_t col = 0; col < view.cols; ++col, ++next) {
        out.put(element_of_row(view, row, col),
                copy ? patterns[next] : encode(values[next] / unit(elements), elements));
      }
    }
  }
}

}  // namespace tessera::sim
