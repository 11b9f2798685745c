#include "sim/check/happens_before.h"

#include <algorithm>

#include "sim/mapper/plan.h"

namespace tessera::sim {

using hw::CommandId;

HappensBefore::HappensBefore(const hw::HardwareConfig& hardware)
    : loads_(hardware.dma.load_queues),
      stores_(hardware.dma.store_queues),
      width_(static_cast<std::size_t>(loads_ + stores_ + 2)),
      ahead_(width_, hw::kNoCommand) {}

int HappensBefore::queue_of(const hw::Command& command) const {
  switch (command.kind) {
    case hw::CommandKind::kLoad:
      return command.queue;
    case hw::CommandKind::kStore:
      return loads_ + command.queue;
    case hw::CommandKind::kGemm:
      return loads_ + stores_;
    case hw::CommandKind::kVector:
      break;
  }
  return loads_ + stores_ + 1;
}

bool HappensBefore::has_queue(const hw::Command& command) const {
  const bool load = command.kind == hw::CommandKind::kLoad;
  const bool store = command.kind == hw::CommandKind::kStore;
  const int queues = load ? loads_ : store ? stores_ : 1;
  return command.queue >= 0 && command.queue < queues;
}

void HappensBefore::merge(CommandId* mine, CommandId other) const {
  const CommandId* theirs = &clocks_[static_cast<std::size_t>(other) * width_];
  for (std::size_t i = 0; i < width_; ++i) mine[i] = std::max(mine[i], theirs[i]);
}

void HappensBefore::add(const hw::Command& command) {
  const CommandId id = size();
  const int own = has_queue(command) ? queue_of(command) : 0;
  known_.push_back({command.kind, own, command.op});
  clocks_.resize(clocks_.size() + width_, hw::kNoCommand);
  CommandId* mine = &clocks_[static_cast<std::size_t>(id) * width_];
  CommandId& ahead = ahead_[static_cast<std::size_t>(own)];
  if (ahead >= 0) merge(mine, ahead);
  ahead = id;
  for (const hw::Wait& wait : command.waits) {
    if (wait.command < 0 || wait.command >= id) continue;
    merge(mine, wait.command);
    CommandId& latest = mine[queue(wait.command)];
    latest = std::max(latest, wait.command);
  }
}

std::string HappensBefore::queue_name(int queue) const {
  if (queue < loads_) return "load queue " + std::to_string(queue);
  if (queue < loads_ + stores_) return "store queue " + std::to_string(queue - loads_);
  return queue == loads_ + stores_ ? "array" : "vector unit";
}

std::string HappensBefore::text(CommandId id, const workloads::Graph& graph) const {
  if (id < 0 || id >= size()) return "command " + std::to_string(id);
  const int index = op(id);
  const bool named = index >= 0 && static_cast<std::size_t>(index) < graph.operators.size();
  const std::string who =
      named ? qualified_name(graph.operators[static_cast<std::size_t>(index)]) : "no operator";
  return std::string(hw::to_string(kind(id))) + " " + std::to_string(id) + " of " + who + " (" +
         queue_name(queue(id)) + ")";
}

}  // namespace tessera::sim
