#include "sim/mapper/buffer_knees.h"

#include <cmath>
#include <map>

#include "sim/mapper/mapper.h"

namespace tessera::sim {
namespace {

constexpr int kLargestFactor = 16;
constexpr int kKnee = 20;  // 1 / 5 %

/// What all layers of one operator cost.
struct Total {
  Cycles latency = 0;
  Bytes bytes = 0;
};

std::map<std::string, Total> totals_by_name(const workloads::Graph& graph, const Plan& plan) {
  std::map<std::string, Total> totals;
  for (std::size_t i = 0; i < plan.operators.size(); ++i) {
    Total& total = totals[graph.operators[i].name];
    total.latency += plan.operators[i].cost.latency;
    total.bytes += plan.operators[i].cost.dram_bytes;
  }
  return totals;
}

std::string size_text(Bytes bytes) {
  constexpr Bytes kKib = 1024, kMib = 1024 * 1024;
  if (bytes % kMib == 0) return std::to_string(bytes / kMib) + " MiB";
  if (bytes % kKib == 0) return std::to_string(bytes / kKib) + " KiB";
  return std::to_string(bytes) + " B";
}

std::string percent(double share) { return std::to_string(std::lround(100 * share)) + " %"; }

/// The operator that gains most bytes, or most cycles where no bytes change; empty without a gain.
std::string largest_gain(const std::map<std::string, Total>& before,
                         const std::map<std::string, Total>& after) {
  std::string by_bytes, by_cycles;
  Bytes most_bytes = 0;
  Cycles most_cycles = 0;
  for (const auto& [name, old] : before) {
    const Total& now = after.at(name);
    if (old.bytes - now.bytes > most_bytes) {
      most_bytes = old.bytes - now.bytes;
      by_bytes = name + " would move " +
                 percent(static_cast<double>(most_bytes) / static_cast<double>(old.bytes)) +
                 " less";
    }
    if (old.latency - now.latency > most_cycles) {
      most_cycles = old.latency - now.latency;
      by_cycles = name + " would take " +
                  percent(static_cast<double>(most_cycles) / static_cast<double>(old.latency)) +
                  " less time";
    }
  }
  return by_bytes.empty() ? by_cycles : by_bytes;
}

/// The analytical model is good to 5 %: a smaller change is no knee.
bool differs(const std::map<std::string, Total>& before,
             const std::map<std::string, Total>& after) {
  for (const auto& [name, old] : before) {
    const Total& now = after.at(name);
    if (kKnee * (old.bytes - now.bytes) > old.bytes) return true;
    if (kKnee * (old.latency - now.latency) > old.latency) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> buffer_knees(const workloads::Graph& graph,
                                      const hw::HardwareConfig& hardware,
                                      const MappingConfig& config, const Plan& plan) {
  const auto before = totals_by_name(graph, plan);
  std::vector<std::string> knees;
  for (std::size_t i = 0; i < hardware.buffers.size(); ++i) {
    knees.emplace_back();
    for (int factor = 2; factor <= kLargestFactor && knees.back().empty(); factor *= 2) {
      hw::HardwareConfig larger = hardware;
      larger.buffers[i].capacity *= factor;
      const auto after = totals_by_name(graph, map_graph(graph, larger, config));
      if (differs(before, after)) {
        knees.back() = size_text(larger.buffers[i].capacity) + ": " + largest_gain(before, after);
      }
    }
  }
  return knees;
}

}  // namespace tessera::sim
