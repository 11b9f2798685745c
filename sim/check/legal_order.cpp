#include "sim/check/legal_order.h"

#include <algorithm>
#include <numeric>

namespace tessera::sim {

using hw::CommandId;

std::vector<CommandId> program_order(const std::vector<hw::Command>& program) {
  std::vector<CommandId> sequence(program.size());
  std::iota(sequence.begin(), sequence.end(), 0);
  return sequence;
}

std::vector<CommandId> random_legal_order(const std::vector<hw::Command>& program,
                                          const HappensBefore& order, std::mt19937_64& random) {
  constexpr unsigned kStay = 64;  // commands between changes of preference, on average
  std::vector<std::vector<CommandId>> queues(static_cast<std::size_t>(order.queues()));
  for (const hw::Command& command : program) {
    queues[static_cast<std::size_t>(order.queue(command.id))].push_back(command.id);
  }
  std::vector<std::size_t> heads(queues.size(), 0), preference(queues.size());
  std::iota(preference.begin(), preference.end(), std::size_t{0});
  std::vector<bool> done(program.size(), false);
  const auto ready = [&](std::size_t queue) {
    if (heads[queue] == queues[queue].size()) return false;
    const auto head = static_cast<std::size_t>(queues[queue][heads[queue]]);
    const auto& waits = program[head].waits;
    return std::all_of(waits.begin(), waits.end(), [&](const hw::Wait& wait) {
      return done[static_cast<std::size_t>(wait.command)];
    });
  };
  std::vector<CommandId> sequence;
  while (sequence.size() < program.size()) {
    if (sequence.empty() || random() % kStay == 0) {
      std::shuffle(preference.begin(), preference.end(), random);
    }
    const auto queue = *std::find_if(preference.begin(), preference.end(), ready);
    const CommandId id = queues[queue][heads[queue]++];
    done[static_cast<std::size_t>(id)] = true;
    sequence.push_back(id);
  }
  return sequence;
}

}  // namespace tessera::sim
