#include "sim/mapper/residency.h"

#include <algorithm>

#include "sim/mapper/allocation.h"
#include "sim/mapper/machine_rates.h"
#include "sim/mapper/mapper.h"
#include "sim/mapper/placement.h"

namespace tessera::sim {
namespace {

using workloads::Graph;
using workloads::MatrixView;
using workloads::Operator;
using workloads::OperatorKind;
using workloads::Tensor;
using workloads::TensorId;

Bytes kept_bytes(const Tensor& tensor) {
  return workloads::row_count(tensor) *
         workloads::stored_bytes(tensor, 1, workloads::row_length(tensor));
}

/// Rows of the view at one distance: over its group, and with `all_matrices` over its batch too.
bool has_even_rows(const MatrixView& view, bool all_matrices) {
  std::vector<workloads::Dim> dims{{view.rows, view.row_stride}, view.group};
  if (all_matrices) dims.insert(dims.end(), {view.batch[1], view.batch[0]});
  std::int64_t rows = 1, stride = 0;
  for (const workloads::Dim& dim : dims) {
    if (dim.count == 1) continue;
    if (rows == 1) {
      stride = dim.stride;
    } else if (dim.stride != rows * stride) {
      return false;
    }
    rows *= dim.count;
  }
  return rows == 1 || stride > 0;
}

bool works_in_rows(const Operator& op) {
  return workloads::is_gemm(op) || op.kind == OperatorKind::kAttention || !op.operation.empty();
}

bool can_write(const Operator& op, const MatrixView& view) {
  // A residual is loaded into the slot of the results that it joins.
  return works_in_rows(op) && view.repeat_stride == 0 && !workloads::adds_residual(op) &&
         has_even_rows(view, !workloads::uses_array(op));
}

bool can_read(const Operator& op, std::size_t input) {
  const MatrixView& view = op.inputs[input];
  const bool left = input == 0 && !view.transposed;
  return works_in_rows(op) && view.repeat_stride == 0 && (left || !workloads::uses_array(op)) &&
         has_even_rows(view, !workloads::uses_array(op));
}

/// Who writes and reads a tensor, and whether it could stay.
struct Use {
  bool allowed = true;
  int writers = 0, readers = 0;
  int first_read = -1, first_write = -1;
};

bool can_be_held(const Tensor& tensor) {
  const std::int64_t bits = workloads::row_length(tensor) * tensor.format.bits;
  return tensor.cls == workloads::TensorClass::kActivations && !tensor.is_table &&
         !tensor.is_state && tensor.format.group == 0 && bits % 8 == 0;
}

std::vector<Use> uses_of(const Graph& graph) {
  std::vector<Use> uses(graph.tensors.size());
  const auto of = [&](TensorId id) -> Use& { return uses.at(static_cast<std::size_t>(id)); };
  for (std::size_t i = 0; i < graph.tensors.size(); ++i) {
    uses[i].allowed = can_be_held(graph.tensors[i]);
  }
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    const Operator& op = graph.operators[i];
    for (std::size_t input = 0; input < op.inputs.size(); ++input) {
      Use& use = of(op.inputs[input].tensor);
      use.allowed = use.allowed && can_read(op, input);
      if (use.readers++ == 0) use.first_read = static_cast<int>(i);
    }
    for (const TensorId id : op.parameters) of(id).allowed = false;
    for (const MatrixView& view : op.outputs) {
      Use& use = of(view.tensor);
      use.allowed = use.allowed && can_write(op, view);
      if (use.writers++ == 0) use.first_write = static_cast<int>(i);
    }
  }
  for (Use& use : uses) {
    use.allowed =
        use.allowed && use.writers > 0 && use.readers > 0 && use.first_write < use.first_read;
  }
  return uses;
}

struct Life {
  int first = 0, last = 0;  // operators, inclusive
  bool meets(const Life& other) const { return first <= other.last && other.first <= last; }
};

struct Resident {
  TensorId tensor = workloads::kNoTensor;
  Life life;
  Bytes bytes = 0;
};

/// Times that each operator is executed.
std::vector<std::int64_t> executions(const Graph& graph) {
  std::vector<std::int64_t> times(graph.operators.size(), 1);
  for (const workloads::Phase& phase : graph.phases) {
    for (int i = phase.first_operator; i < phase.last_operator; ++i) {
      times[static_cast<std::size_t>(i)] = phase.repeat;
    }
  }
  return times;
}

bool in_one_phase(const Graph& graph, const Life& life) {
  return std::any_of(graph.phases.begin(), graph.phases.end(), [&](const auto& phase) {
    return phase.first_operator <= life.first && life.last < phase.last_operator;
  });
}

class Chooser {
 public:
  Chooser(const Graph& graph, const hw::HardwareConfig& hardware, const ObjectiveConfig& objective,
          const MapBesideKept& map, std::vector<OperatorPlan>& operators)
      : graph_(graph),
        objective_(objective),
        map_(map),
        operators_(operators),
        times_(executions(graph)),
        buffer_(role_buffers(hardware).activations),
        width_(hardware.buffers[static_cast<std::size_t>(buffer_)].width),
        capacity_(hardware.buffers[static_cast<std::size_t>(buffer_)].capacity / width_ * width_) {
    chosen_.kept.resize(graph.tensors.size());
    chosen_.room.assign(graph.operators.size(), capacity_);
    for (const OperatorPlan& op : operators) cold_.push_back(op.cost.latency);
  }

  Residency choose(std::vector<Resident> candidates) {
    std::stable_sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
      return a.life.last - a.life.first < b.life.last - b.life.first;
    });
    for (const Resident& candidate : candidates) consider(candidate);
    return std::move(chosen_);
  }

 private:
  struct Placed {
    Life life;
    Bytes begin = 0, end = 0;
  };

  /// The highest place that is free as long as the candidate lives; negative: none.
  Bytes place_for(const Resident& candidate) const {
    const Bytes bytes = hw::round_up(candidate.bytes, width_);
    Bytes end = capacity_;
    for (bool moved = true; moved && end >= bytes;) {
      moved = false;
      for (const Placed& placed : placed_) {
        const bool clash =
            placed.life.meets(candidate.life) && placed.begin < end && end - bytes < placed.end;
        if (!clash) continue;
        end = placed.begin;
        moved = true;
      }
    }
    return end - bytes;
  }

  void consider(const Resident& candidate) {
    const Bytes offset = place_for(candidate);
    if (offset <= 0) return;
    Slots& region = chosen_.kept[static_cast<std::size_t>(candidate.tensor)];
    region =
        kept_region(graph_.tensors[static_cast<std::size_t>(candidate.tensor)], buffer_, offset);
    std::vector<OperatorPlan> trial;
    if (!map_life(candidate.life, offset, trial) || !pays(candidate.life, trial)) {
      region = {};
      return;
    }
    placed_.push_back({candidate.life, offset, offset + hw::round_up(region.bytes, width_)});
    for (std::size_t i = 0; i < trial.size(); ++i) {
      const std::size_t op = static_cast<std::size_t>(candidate.life.first) + i;
      operators_[op] = std::move(trial[i]);
      chosen_.room[op] = std::min(chosen_.room[op], offset);
    }
  }

  bool map_life(const Life& life, Bytes offset, std::vector<OperatorPlan>& trial) const {
    for (int i = life.first; i <= life.last; ++i) {
      const auto op = static_cast<std::size_t>(i);
      auto mapped = map_(graph_.operators[op], chosen_.kept, std::min(chosen_.room[op], offset));
      if (!mapped) return false;
      trial.push_back(std::move(*mapped));
    }
    return true;
  }

  /// Fewer bytes, and no longer than cold within the tolerance.
  bool pays(const Life& life, const std::vector<OperatorPlan>& trial) const {
    Cycles cold = 0, latency = 0;
    Bytes before = 0, after = 0;
    for (std::size_t i = 0; i < trial.size(); ++i) {
      const std::size_t op = static_cast<std::size_t>(life.first) + i;
      cold += times_[op] * cold_[op];
      latency += times_[op] * trial[i].cost.latency;
      before += times_[op] * operators_[op].cost.dram_bytes;
      after += times_[op] * trial[i].cost.dram_bytes;
    }
    const double most = static_cast<double>(cold) * (1 + objective_.within);
    return after < before && static_cast<double>(latency) <= most;
  }

  const Graph& graph_;
  const ObjectiveConfig& objective_;
  const MapBesideKept& map_;
  std::vector<OperatorPlan>& operators_;
  std::vector<std::int64_t> times_;
  int buffer_;
  Bytes width_, capacity_;
  std::vector<Cycles> cold_;
  std::vector<Placed> placed_;
  Residency chosen_;
};

}  // namespace

bool can_stay(const Graph& graph, TensorId tensor) {
  return uses_of(graph).at(static_cast<std::size_t>(tensor)).allowed;
}

Slots kept_region(const Tensor& tensor, int buffer, Bytes offset) {
  return {buffer, offset, kept_bytes(tensor), 1};
}

Residency choose_residency(const Graph& graph, const hw::HardwareConfig& hardware,
                           const ObjectiveConfig& objective, const MapBesideKept& map,
                           std::vector<OperatorPlan>& operators) {
  const RoleBuffers roles = role_buffers(hardware);
  if (roles.activations != roles.outputs || hardware.sequencer.loop.exists()) return {};
  const std::vector<Use> uses = uses_of(graph);
  std::vector<OperatorPlan> scratch = operators;  // placing tensors notes their partial sums
  const auto tensors = allocate_tensors(graph, hardware, {}, scratch);
  std::vector<Resident> candidates;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Life life{tensors[i].first_use, tensors[i].last_use};
    if (!uses[i].allowed || !in_one_phase(graph, life)) continue;
    candidates.push_back({static_cast<TensorId>(i), life, kept_bytes(graph.tensors[i])});
  }
  return Chooser(graph, hardware, objective, map, operators).choose(std::move(candidates));
}

void check_kept(const Plan& plan, const Graph& graph, const hw::HardwareConfig& hardware) {
  const auto require = [](bool condition, const std::string& who, const std::string& what) {
    if (!condition) throw MappingError(who + ": " + what);
  };
  const RoleBuffers roles = role_buffers(hardware);
  const std::vector<Use> uses = uses_of(graph);
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    const TensorAllocation& tensor = plan.tensors[i];
    if (tensor.kept.count == 0) continue;
    const Life life{tensor.first_use, tensor.last_use};
    const bool possible = uses[i].allowed && in_one_phase(graph, life) &&
                          roles.activations == roles.outputs && !hardware.sequencer.loop.exists();
    require(possible, tensor.name, "cannot be kept on chip");
    const Slots whole = kept_region(graph.tensors[i], roles.activations, tensor.kept.offset);
    require(tensor.kept.buffer == whole.buffer && tensor.kept.bytes == whole.bytes &&
                tensor.kept.count == 1,
            tensor.name,
            "is kept in one region of " + std::to_string(whole.bytes) +
                " bytes in the buffer of activations");
    for (std::size_t j = 0; j < i; ++j) {
      const TensorAllocation& other = plan.tensors[j];
      if (other.kept.count == 0 || !life.meets({other.first_use, other.last_use})) continue;
      require(apart(tensor.kept, other.kept), tensor.name,
              "overlaps " + other.name + " on chip while both are alive");
    }
    for (int op = std::max(0, life.first);
         op <= life.last && op < static_cast<int>(plan.operators.size()); ++op) {
      const OperatorPlan& user = plan.operators[static_cast<std::size_t>(op)];
      for (const Slots* slots : slots_of(user)) {
        require(slots->buffer != whole.buffer || apart(*slots, tensor.kept), user.name,
                "its slots overlap " + tensor.name + ", which is kept on chip");
      }
    }
  }
}

}  // namespace tessera::sim
