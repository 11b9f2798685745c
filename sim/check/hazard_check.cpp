#include "sim/check/hazard_check.h"

#include <algorithm>

namespace tessera::sim {

using hw::Command;
using hw::CommandId;
using workloads::TensorId;

HazardCheck::HazardCheck(const workloads::Graph& graph, const Plan& plan,
                         const hw::HardwareConfig& hardware, const HappensBefore& order,
                         FaultLog& faults)
    : graph_(graph),
      plan_(plan),
      hardware_(hardware),
      order_(order),
      faults_(faults),
      spaces_(hardware.buffers.size() + 1) {
  find_constants();
}

/// Most of DRAM holds weights that nobody writes: their readers need not be remembered.
void HazardCheck::find_constants() {
  produced_.assign(graph_.tensors.size(), false);
  IntervalMap<char> written;
  for (const workloads::Operator& op : graph_.operators) {
    for (const workloads::MatrixView& view : op.outputs) {
      const auto id = static_cast<std::size_t>(view.tensor);
      produced_[id] = !graph_.tensors[id].is_state;
      const TensorAllocation& place = plan_.tensors[id];
      written.assign(place.address, place.address + place.bytes, 0);
    }
  }
  for (const OperatorPlan& op : plan_.operators) {
    if (!op.is_gemm || op.gemm.spill_address < 0) continue;
    written.assign(op.gemm.spill_address, op.gemm.spill_address + op.gemm.spill_bytes, 0);
  }
  for (const TensorAllocation& place : plan_.tensors) {
    bool shared = place.address < 0;
    written.update(place.address, place.address + place.bytes,
                   [&](std::int64_t, std::int64_t, char) { shared = true; });
    constant_.push_back(!shared);
  }
}

std::string HazardCheck::place(int space, std::int64_t at) const {
  if (space != kDramSpace) {
    return "byte " + std::to_string(at) + " of buffer '" +
           hardware_.buffers[static_cast<std::size_t>(space)].name + "'";
  }
  return "DRAM byte " + std::to_string(at);
}

void HazardCheck::fault(FaultKind kind, CommandId id, const std::string& what) {
  faults_.add({kind, id, hw::kNoCommand,
               faults_.shows() ? order_.text(id, graph_) + " " + what : std::string()});
}

bool HazardCheck::add(const Command& command, const OperatorExecution& execution,
                      const OperatorExecutions& executions) {
  accesses_.clear();
  append_accesses(command, accesses_);
  for (const Access& access : accesses_) {
    if (!inside(access, command.id)) return false;
  }
  bool all_inside = true;
  for (const Access& access : accesses_) {
    if (access.begin == access.end) continue;
    if (access.space != kDramSpace) {
      touch(access, command);
    } else if (!touch_dram(access, command, execution, executions)) {
      all_inside = false;
    }
  }
  return all_inside;
}

bool HazardCheck::inside(const Access& access, CommandId id) {
  if (access.space == kDramSpace) return true;
  const auto& buffer = hardware_.buffers[static_cast<std::size_t>(access.space)];
  if (access.begin >= 0 && access.end <= buffer.capacity) return true;
  fault(FaultKind::kOutside, id,
        "touches bytes " + std::to_string(access.begin) + " to " + std::to_string(access.end) +
            ", outside buffer '" + buffer.name + "' of " + std::to_string(buffer.capacity));
  return false;
}

void HazardCheck::look(CommandId first, CommandId second, const Access& access, std::int64_t at,
                       const char* hazard) {
  if (first < 0 || first == second) return;
  ++pairs_;
  if (order_.ordered(first, second)) return;
  if (std::find(told_.begin(), told_.end(), std::make_pair(first, second)) != told_.end()) return;
  if (told_.size() < 1000) told_.emplace_back(first, second);
  std::string text;
  if (faults_.shows()) {
    text = order_.text(second, graph_) + " may " + hazard + " " + order_.text(first, graph_) +
           " at " + place(access.space, at) +
           ": nothing orders them; it needs a wait for command " + std::to_string(first);
  }
  faults_.add({FaultKind::kUnordered, second, first, std::move(text)});
}

void HazardCheck::read(Use& use, const Access& access, std::int64_t at, CommandId id) {
  if (!(access.partial_sums && use.partial_sums)) {
    look(use.writer, id, access, at, "read too early what is written by");
  }
  if (access.partial_sums) return;  // it writes the same bytes itself
  const int queue = order_.queue(id);
  for (auto& [reading, latest] : use.readers) {
    if (reading == queue) {
      latest = id;
      return;
    }
  }
  use.readers.emplace_back(queue, id);
}

void HazardCheck::touch(const Access& access, const Command& command) {
  IntervalMap<Use>& space = spaces_[static_cast<std::size_t>(access.space + 1)];
  const CommandId id = command.id;
  if (!access.write) {
    space.fill(access.begin, access.end, {}, [](std::int64_t, std::int64_t) {});
    std::int64_t unwritten = -1;
    space.update(access.begin, access.end, [&](std::int64_t begin, std::int64_t, Use& use) {
      if (use.writer < 0 && unwritten < 0) unwritten = begin;
      read(use, access, begin, id);
    });
    if (access.space != kDramSpace && unwritten >= 0) {
      fault(FaultKind::kUnwritten, id,
            "reads " + place(access.space, unwritten) + ", which nobody has written");
    }
    return;
  }
  space.update(access.begin, access.end, [&](std::int64_t begin, std::int64_t, const Use& use) {
    if (!(access.partial_sums && use.partial_sums)) {
      look(use.writer, id, access, begin, "overwrite too early what is written by");
    }
    for (const auto& [queue, reader] : use.readers) {
      if (reader != id) look(reader, id, access, begin, "overwrite too early what is read by");
    }
  });
  Use use;
  use.writer = id;
  use.partial_sums = access.partial_sums && !command.gemm.epilogue;
  space.assign(access.begin, access.end, use);
}

std::vector<TensorId> HazardCheck::tensors_of(int op, bool written) const {
  const workloads::Operator& site = graph_.operators[static_cast<std::size_t>(op)];
  std::vector<TensorId> tensors;
  for (const workloads::MatrixView& view : written ? site.outputs : site.inputs) {
    tensors.push_back(view.tensor);
  }
  if (!written) {
    tensors.insert(tensors.end(), site.parameters.begin(), site.parameters.end());
  }
  return tensors;
}

TensorId HazardCheck::tensor_at(const std::vector<TensorId>& among, const Access& access) const {
  for (const TensorId id : among) {
    const TensorAllocation& place = plan_.tensors[static_cast<std::size_t>(id)];
    if (access.begin >= place.address && access.end <= place.address + place.bytes) return id;
  }
  return workloads::kNoTensor;
}

bool HazardCheck::touch_dram(const Access& access, const Command& command,
                             const OperatorExecution& execution,
                             const OperatorExecutions& executions) {
  const std::int64_t scratch = execution.spill_address;
  if (command.transfer.traffic == hw::TrafficClass::kPartialSums) {
    const bool fits =
        scratch >= 0 && access.begin >= scratch && access.end <= scratch + execution.spill_bytes;
    if (fits) {
      touch(access, command);
    } else {
      fault(FaultKind::kOutside, command.id,
            "moves partial sums at " + place(kDramSpace, access.begin) +
                ", outside its operator's scratch");
    }
    return fits;
  }
  const TensorId tensor = tensor_at(tensors_of(command.op, access.write), access);
  if (tensor == workloads::kNoTensor) {
    fault(FaultKind::kOutside, command.id,
          std::string(access.write ? "writes " : "reads ") + place(kDramSpace, access.begin) +
              ", outside its operator's tensors");
    return false;
  }
  if (!access.write && constant_[static_cast<std::size_t>(tensor)]) return true;
  touch(access, command);
  IntervalMap<Use>& dram = spaces_[0];
  dram.update(access.begin, access.end, [&](std::int64_t begin, std::int64_t, Use& use) {
    if (access.write) {
      use.tensor = tensor;
      use.execution = execution.number;
    } else {
      check_source(use, tensor, begin, command, execution, executions);
    }
  });
  return true;
}

/// A load finds its operator's operand: of the right tensor, by the right execution of its
/// producer.
void HazardCheck::check_source(const Use& use, TensorId tensor, std::int64_t at,
                               const Command& command, const OperatorExecution& execution,
                               const OperatorExecutions& executions) {
  const auto name = [&](TensorId id) {
    return "tensor '" + graph_.tensors[static_cast<std::size_t>(id)].name + "'";
  };
  if (use.writer < 0) {
    if (!produced_[static_cast<std::size_t>(tensor)]) return;
    return fault(
        FaultKind::kUnwritten, command.id,
        "reads " + place(kDramSpace, at) + " of " + name(tensor) + ", which nobody has written");
  }
  const int writer = order_.op(use.writer);
  const int wanted = executions.source_of(command.op, execution.number, writer);
  const bool right = wanted == OperatorExecutions::kAny || use.execution == wanted;
  if (use.tensor == tensor && right) return;
  std::string text;
  if (faults_.shows()) {
    const std::string found = use.tensor < 0         ? "partial sums"
                              : use.tensor == tensor ? "an old value"
                                                     : name(use.tensor);
    text = "reads " + place(kDramSpace, at) + " of " + name(tensor) + " and finds " + found +
           " there, left by " + order_.text(use.writer, graph_);
  }
  fault(FaultKind::kStale, command.id, text);
}

}  // namespace tessera::sim
