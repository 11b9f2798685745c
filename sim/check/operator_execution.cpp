#include "sim/check/operator_execution.h"

#include <algorithm>

namespace tessera::sim {

int ProductSets::with(int set, std::int64_t begin, std::int64_t end) {
  const std::array<std::int64_t, 3> key{set, begin, end};
  const auto known = known_.find(key);
  if (known != known_.end()) return known->second;
  Ranges ranges = sets_[static_cast<std::size_t>(set)];
  auto next = ranges.lower_bound(begin);
  if (next != ranges.end() && next->first < end) return -1;
  const bool joins_next = next != ranges.end() && next->first == end;
  const std::int64_t last = joins_next ? next->second : end;
  if (joins_next) next = ranges.erase(next);
  if (next != ranges.begin()) {
    const auto before = std::prev(next);
    if (before->second > begin) return -1;
    if (before->second == begin) {
      begin = before->first;
      ranges.erase(before);
    }
  }
  ranges[begin] = last;
  const auto [it, fresh] = numbers_.emplace(ranges, static_cast<int>(sets_.size()));
  if (fresh) sets_.push_back(ranges);
  known_[key] = it->second;
  return it->second;
}

bool ProductSets::complete(int set, std::int64_t k) const {
  const Ranges& ranges = sets_[static_cast<std::size_t>(set)];
  return ranges.size() == 1 && ranges.begin()->first == 0 && ranges.begin()->second == k;
}

OperatorExecutions::OperatorExecutions(const workloads::Graph& graph, const Plan& plan,
                                       const hw::HardwareConfig& hardware)
    : graph_(graph), plan_(plan), started_(graph.operators.size(), 0) {
  const int buffer = hw::buffer_of(hardware, hw::Role::kAccumulators);
  accumulator_bits_ = hardware.buffers[static_cast<std::size_t>(buffer)].element_bits;
}

OperatorExecution& OperatorExecutions::of(int op) {
  const auto found = open_.find(op);
  if (found != open_.end()) return found->second;
  OperatorExecution& made = open_[op];
  made.op = op;
  made.number = ++started_[static_cast<std::size_t>(op)];
  made.site = &graph_.operators[static_cast<std::size_t>(op)];
  const auto addresses = [&](const workloads::MatrixView& view) {
    const auto id = static_cast<std::size_t>(view.tensor);
    return ViewAddresses(workloads::in_repeat(view, made.number - 1), graph_.tensors[id],
                         plan_.tensors[id]);
  };
  for (const workloads::MatrixView& view : made.site->inputs) {
    made.inputs.push_back(addresses(view));
  }
  for (const workloads::MatrixView& view : made.site->outputs) {
    made.outputs.push_back(addresses(view));
    for (const auto& [begin, end] : made.outputs.back().row_bytes()) {
      made.owed.assign(begin, end, 0);
      made.stored_to.assign(begin, end, 0);
    }
  }
  if (!workloads::uses_array(*made.site)) return made;
  made.macs = workloads::mac_count(*made.site);
  const GemmMapping& gemm = plan_.operators[static_cast<std::size_t>(op)].gemm;
  made.spill_address = gemm.spill_address;
  made.spill_bytes = gemm.spill_bytes;
  made.spill_bits = accumulator_bits_;
  const std::int64_t widest = std::max(made.site->n, made.site->outputs[0].cols);
  made.spill_pitch = hw::ceil_div(widest * accumulator_bits_, 8);
  return made;
}

void OperatorExecutions::close_if_finished(int op) {
  const auto found = open_.find(op);
  if (found != open_.end() && found->second.finished()) open_.erase(found);
}

int OperatorExecutions::phase_of(int op) const {
  for (std::size_t i = 0; i < graph_.phases.size(); ++i) {
    const workloads::Phase& phase = graph_.phases[i];
    if (op >= phase.first_operator && op < phase.last_operator) return static_cast<int>(i);
  }
  return -1;
}

int OperatorExecutions::asked(int op) const {
  const int phase = phase_of(op);
  return phase < 0 ? 0 : graph_.phases[static_cast<std::size_t>(phase)].repeat;
}

int OperatorExecutions::source_of(int reader, int number, int writer) const {
  const int reads = phase_of(reader), writes = phase_of(writer);
  if (reads == writes) return writer < reader ? number : number - 1;
  const auto& outputs = graph_.operators[static_cast<std::size_t>(writer)].outputs;
  const bool adds = std::any_of(outputs.begin(), outputs.end(),
                                [](const auto& view) { return view.repeat_stride != 0; });
  if (adds && writes < reads) return kAny;
  return writes < reads ? asked(writer) : 0;
}

}  // namespace tessera::sim
