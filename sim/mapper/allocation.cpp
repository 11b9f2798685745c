#include "sim/mapper/allocation.h"

#include <algorithm>

#include "sim/mapper/gemm_problem.h"

namespace tessera::sim {
namespace {

using workloads::Tensor;
using workloads::TensorClass;

/// First and last operator that touches a tensor; who writes and reads it.
struct Usage {
  int first = -1, last = -1;
  bool written = false, read = false;
};

void touch(Usage& usage, int op) {
  if (usage.first < 0) usage.first = op;
  usage.last = op;
}

/// What a repeated phase reads but does not write itself, and state, is read again in every repeat:
/// it lives until the phase's last operator.
void keep_over_repeats(const workloads::Graph& graph, std::vector<Usage>& usages) {
  for (const workloads::Phase& phase : graph.phases) {
    if (phase.repeat <= 1) continue;
    for (int i = phase.first_operator; i < phase.last_operator; ++i) {
      for (const auto& view : graph.operators[static_cast<std::size_t>(i)].inputs) {
        Usage& usage = usages.at(static_cast<std::size_t>(view.tensor));
        const bool from_outside = !usage.written || usage.first < phase.first_operator ||
                                  graph.tensors.at(static_cast<std::size_t>(view.tensor)).is_state;
        if (from_outside) usage.last = std::max(usage.last, phase.last_operator - 1);
      }
    }
  }
}

/// What every repeat of a phase adds a part to is there from the phase's first operator on.
void keep_earlier_repeats(const workloads::Graph& graph, std::vector<Usage>& usages) {
  for (const workloads::Phase& phase : graph.phases) {
    for (int i = phase.first_operator; i < phase.last_operator; ++i) {
      for (const auto& view : graph.operators[static_cast<std::size_t>(i)].outputs) {
        if (view.repeat_stride == 0) continue;
        Usage& usage = usages.at(static_cast<std::size_t>(view.tensor));
        usage.first = std::min(usage.first, phase.first_operator);
      }
    }
  }
}

std::vector<Usage> usages_of(const workloads::Graph& graph) {
  std::vector<Usage> usages(graph.tensors.size());
  const auto of = [&](workloads::TensorId id) -> Usage& {
    return usages.at(static_cast<std::size_t>(id));
  };
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    const auto& op = graph.operators[i];
    for (const auto& view : op.inputs) {
      touch(of(view.tensor), static_cast<int>(i));
      of(view.tensor).read = true;
    }
    for (const workloads::TensorId id : op.parameters) {
      touch(of(id), static_cast<int>(i));
      of(id).read = true;
    }
    for (const auto& view : op.outputs) {
      touch(of(view.tensor), static_cast<int>(i));
      of(view.tensor).written = true;
    }
  }
  keep_over_repeats(graph, usages);
  keep_earlier_repeats(graph, usages);
  return usages;
}

Lifetime lifetime_of(const Tensor& tensor) {
  switch (tensor.cls) {
    case TensorClass::kWeights:
      return Lifetime::kWeight;
    case TensorClass::kKvCache:
      return Lifetime::kPersistent;
    case TensorClass::kActivations:
      break;
  }
  return tensor.is_table ? Lifetime::kWeight : Lifetime::kActivation;
}

TensorAllocation described(const Tensor& tensor, const Usage& usage, int last_operator,
                           Bytes alignment) {
  TensorAllocation allocation;
  allocation.name = tensor.name;
  allocation.pitch = workloads::stored_bytes(tensor, 1, workloads::row_length(tensor));
  allocation.bytes = workloads::row_count(tensor) * allocation.pitch;
  allocation.alignment = alignment;
  allocation.lifetime = lifetime_of(tensor);
  const bool whole_run = allocation.lifetime != Lifetime::kActivation;
  const bool from_start = whole_run || !usage.written || tensor.is_state;
  allocation.first_use = from_start ? 0 : usage.first;
  allocation.last_use = whole_run || !usage.read ? last_operator : usage.last;
  return allocation;
}

Layout layout_of(const Tensor& tensor, const LayoutConfig& layout) {
  if (tensor.is_table) return Layout::kRowMajor;
  switch (tensor.cls) {
    case TensorClass::kWeights:
      return layout.weights;
    case TensorClass::kKvCache:
      return layout.kv_cache;
    case TensorClass::kActivations:
      break;
  }
  return layout.activations;
}

void lay_out(const Tensor& tensor, const LayoutConfig& layout, Bytes burst,
             TensorAllocation& allocation) {
  if (layout_of(tensor, layout) != Layout::kTiled || allocation.pitch == 0) return;
  Bytes width = layout.block_width;
  while (allocation.pitch % width != 0) width /= 2;
  if (width < burst) return;
  allocation.layout = Layout::kTiled;
  allocation.block_rows = layout.block_rows;
  allocation.block_width = width;
}

/// Memory that is taken and given back; the lowest gap that is large enough is used.
class FirstFit {
 public:
  FirstFit(std::int64_t base, Bytes alignment) : base_(base), alignment_(alignment) {}

  std::int64_t take(Bytes bytes, int until) {
    std::int64_t address = base_;
    auto at = blocks_.begin();
    for (; at != blocks_.end() && at->begin < address + bytes; ++at) {
      address = hw::round_up(at->end, alignment_);
    }
    blocks_.insert(at, {address, address + bytes, until});
    return address;
  }

  /// Gives back what was needed until before operator `now`.
  void release(int now) {
    const auto dead = [&](const Block& block) { return block.until < now; };
    blocks_.erase(std::remove_if(blocks_.begin(), blocks_.end(), dead), blocks_.end());
  }

 private:
  struct Block {
    std::int64_t begin, end;
    int until;
  };
  std::int64_t base_;
  Bytes alignment_;
  std::vector<Block> blocks_;  // by address
};

/// Weights and persistent state one behind the other; returns the end.
std::int64_t place_permanent(std::vector<TensorAllocation>& tensors,
                             const std::vector<Usage>& usages, Bytes alignment) {
  std::int64_t next = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (usages[i].first < 0 || tensors[i].lifetime == Lifetime::kActivation) continue;
    tensors[i].address = next;
    next = hw::round_up(next + tensors[i].bytes, alignment);
  }
  return next;
}

/// Activations and scratch, in the order in which operators need them.
void place_activations(std::vector<TensorAllocation>& tensors, const std::vector<Usage>& usages,
                       std::vector<OperatorPlan>& operators, FirstFit memory) {
  std::vector<std::vector<std::size_t>> starts(operators.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (usages[i].first < 0 || tensors[i].lifetime != Lifetime::kActivation) continue;
    if (tensors[i].kept.count > 0) continue;
    starts.at(static_cast<std::size_t>(tensors[i].first_use)).push_back(i);
  }
  for (std::size_t op = 0; op < operators.size(); ++op) {
    const int now = static_cast<int>(op);
    memory.release(now);
    for (const std::size_t i : starts[op]) {
      tensors[i].address = memory.take(tensors[i].bytes, tensors[i].last_use);
    }
    GemmMapping& gemm = operators[op].gemm;
    if (gemm.spill_bytes > 0) gemm.spill_address = memory.take(gemm.spill_bytes, now);
  }
}

}  // namespace

std::vector<TensorAllocation> allocate_tensors(const workloads::Graph& graph,
                                               const hw::HardwareConfig& hardware,
                                               const LayoutConfig& layout,
                                               std::vector<OperatorPlan>& operators,
                                               const KeptTensors& kept) {
  const std::vector<Usage> usages = usages_of(graph);
  const Bytes alignment = std::max<Bytes>(1, hardware.dram.row);
  const int last = static_cast<int>(graph.operators.size()) - 1;
  std::vector<TensorAllocation> tensors;
  for (std::size_t i = 0; i < graph.tensors.size(); ++i) {
    tensors.push_back(described(graph.tensors[i], usages[i], last, alignment));
    if (is_kept(kept, static_cast<workloads::TensorId>(i))) {
      tensors.back().kept = kept[i];
      continue;
    }
    lay_out(graph.tensors[i], layout, hardware.dram.burst, tensors.back());
  }
  for (std::size_t i = 0; i < operators.size(); ++i) {
    GemmMapping& gemm = operators[i].gemm;
    gemm.spill_address = -1;
    gemm.spill_bytes =
        operators[i].is_gemm ? spill_bytes_needed(graph.operators[i], gemm, hardware) : 0;
  }
  const std::int64_t base = place_permanent(tensors, usages, alignment);
  place_activations(tensors, usages, operators, FirstFit(base, alignment));
  return tensors;
}

Bytes spill_bytes_needed(const workloads::Operator& op, const GemmMapping& mapping,
                         const hw::HardwareConfig& hardware) {
  const std::int64_t m = op.m * op.group;
  const bool cut = mapping.tile.k < op.k;
  const bool m_many = mapping.tile.m < m, n_many = mapping.tile.n < op.n;
  LoopDim inner = LoopDim::kK;
  for (const LoopDim dim : mapping.order) {
    const bool many = dim == LoopDim::kM ? m_many : dim == LoopDim::kK ? cut : n_many;
    if (many) inner = dim;
  }
  if (!cut || inner == LoopDim::kK) return 0;
  const auto buffer = static_cast<std::size_t>(hw::buffer_of(hardware, hw::Role::kAccumulators));
  return op.instances / op.group * m * row_bytes(op.n, hardware.buffers[buffer].element_bits);
}

std::int64_t end_of_memory(const Plan& plan, const hw::HardwareConfig& hardware) {
  std::int64_t end = 0;
  for (const TensorAllocation& tensor : plan.tensors) {
    if (tensor.address >= 0) end = std::max(end, tensor.address + tensor.bytes);
  }
  for (const OperatorPlan& op : plan.operators) {
    if (op.gemm.spill_address >= 0) {
      end = std::max(end, op.gemm.spill_address + op.gemm.spill_bytes);
    }
  }
  return hw::round_up(end, std::max<Bytes>(1, hardware.dram.row));
}

}  // namespace tessera::sim
