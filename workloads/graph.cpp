#include "workloads/graph.h"

#include <utility>

#include <stdexcept>

namespace tessera::workloads {
namespace {

std::int64_t viewed_elements(const MatrixView& view) {
  return view.batch[0].count * view.batch[1].count * view.group.count * view.rows * view.cols;
}

std::int64_t distinct_steps(const Dim& dim) { return dim.stride == 0 ? 1 : dim.count; }

/// Elements of the tensor that the view touches; a step of stride 0 visits the same ones again.
std::int64_t distinct_elements(const MatrixView& view) {
  return distinct_steps(view.batch[0]) * distinct_steps(view.batch[1]) *
         distinct_steps(view.group) * distinct_steps({view.rows, view.row_stride}) * view.cols;
}

const Tensor& tensor_of(const MatrixView& view, const std::vector<Tensor>& tensors) {
  return tensors.at(static_cast<std::size_t>(view.tensor));
}

bool is_weight(const Tensor& tensor) {
  return tensor.cls == TensorClass::kWeights && !tensor.is_table;
}

}  // namespace

MatrixView in_repeat(MatrixView view, int repeat) {
  view.offset += repeat * view.repeat_stride;
  return view;
}

Operator in_repeat(Operator op, int repeat) {
  for (MatrixView& view : op.inputs) view = in_repeat(view, repeat);
  for (MatrixView& view : op.outputs) view = in_repeat(view, repeat);
  for (Operator& part : op.parts) part = in_repeat(std::move(part), repeat);
  return op;
}

bool is_gemm(const Operator& op) {
  return op.kind == OperatorKind::kGemm || op.kind == OperatorKind::kBatchedGemm;
}

bool uses_array(const Operator& op) { return is_gemm(op) || op.kind == OperatorKind::kAttention; }

std::int64_t columns_per_result(const Operator& op) { return op.n / op.outputs.at(0).cols; }

bool adds_residual(const Operator& op) { return is_gemm(op) && op.inputs.size() == 3; }

bool is_row_reduction(const Operator& op) {
  return op.kind == OperatorKind::kSoftmax || op.kind == OperatorKind::kLayerNorm ||
         op.kind == OperatorKind::kRmsNorm;
}

std::int64_t mac_count(const Operator& op) {
  std::int64_t macs = is_gemm(op) ? op.m * op.k * op.n * op.instances : 0;
  for (const Operator& part : op.parts) macs += mac_count(part);
  return macs;
}

std::int64_t weight_elements(const Operator& op, const std::vector<Tensor>& tensors) {
  std::int64_t elements = 0;
  for (const MatrixView& view : op.inputs) {
    if (is_weight(tensor_of(view, tensors))) {
      elements += distinct_elements(view);
    }
  }
  for (const TensorId parameter : op.parameters) {
    elements += element_count(tensors.at(static_cast<std::size_t>(parameter)));
  }
  return elements;
}

std::int64_t input_elements(const Operator& op, const std::vector<Tensor>& tensors) {
  std::int64_t elements = 0;
  for (const MatrixView& view : op.inputs) {
    const Tensor& tensor = tensor_of(view, tensors);
    if (tensor.is_table) {
      elements += viewed_elements(view);  // every gathered row moves
    } else if (!is_weight(tensor)) {
      elements += distinct_elements(view);
    }
  }
  return elements;
}

std::int64_t output_elements(const Operator& op) {
  std::int64_t elements = 0;
  for (const MatrixView& view : op.outputs) {
    elements += viewed_elements(view);
  }
  return elements;
}

std::int64_t effective_macs(const Operator& op) { return mac_count(op); }

const char* to_string(OperatorKind kind) {
  switch (kind) {
    case OperatorKind::kGemm:
      return "Gemm";
    case OperatorKind::kBatchedGemm:
      return "BatchedGemm";
    case OperatorKind::kSoftmax:
      return "Softmax";
    case OperatorKind::kLayerNorm:
      return "LayerNorm";
    case OperatorKind::kRmsNorm:
      return "RMSNorm";
    case OperatorKind::kGelu:
      return "GELU";
    case OperatorKind::kQuickGelu:
      return "QuickGELU";
    case OperatorKind::kSilu:
      return "SiLU";
    case OperatorKind::kSiluMul:
      return "SiLU_Mul";
    case OperatorKind::kGeluMul:
      return "GELU_Mul";
    case OperatorKind::kRelu:
      return "ReLU";
    case OperatorKind::kTanh:
      return "Tanh";
    case OperatorKind::kRope:
      return "RoPE";
    case OperatorKind::kAdd:
      return "Add";
    case OperatorKind::kScale:
      return "Scale";
    case OperatorKind::kTimeEmbed:
      return "TimeEmbed";
    case OperatorKind::kEmbedding:
      return "Embedding";
    case OperatorKind::kCopy:
      return "Copy";
    case OperatorKind::kAttention:
      return "Attention";
  }
  throw std::logic_error("unknown operator kind");
}

const char* csv_kind(const Operator& op) {
  switch (op.kind) {
    case OperatorKind::kGemm:
      return "gemm";
    case OperatorKind::kBatchedGemm:
      return "bmm";
    case OperatorKind::kSoftmax:
      return "softmax";
    case OperatorKind::kLayerNorm:
    case OperatorKind::kRmsNorm:
      return "norm";
    case OperatorKind::kGelu:
    case OperatorKind::kQuickGelu:
    case OperatorKind::kSilu:
    case OperatorKind::kSiluMul:
    case OperatorKind::kGeluMul:
    case OperatorKind::kRelu:
    case OperatorKind::kTanh:
    case OperatorKind::kTimeEmbed:
      return "act";
    case OperatorKind::kRope:
      return "rope";
    case OperatorKind::kAdd:
    case OperatorKind::kScale:
      return "eltwise";
    case OperatorKind::kEmbedding:
      return "embed";
    case OperatorKind::kCopy:
      return op.name == "KV_Write" ? "kv" : "layout";
    case OperatorKind::kAttention:
      return "attention";
  }
  throw std::logic_error("unknown operator kind");
}

const char* to_string(Mask mask) {
  switch (mask) {
    case Mask::kNone:
      return "none";
    case Mask::kFull:
      return "full";
    case Mask::kCausal:
      return "causal";
  }
  throw std::logic_error("unknown mask");
}

}  // namespace tessera::workloads
