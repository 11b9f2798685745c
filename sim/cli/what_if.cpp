#include "sim/cli/what_if.h"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <thread>
#include <utility>

#include "sim/config/config.h"
#include "sim/mapper/mapper.h"
#include "sim/pipeline.h"
#include "sim/report/format.h"
#include "sim/report/rows.h"

namespace tessera::sim {
namespace {

bool has_key(const nlohmann::ordered_json& tree, const std::string& path) {
  std::string pointer = "/" + path;
  std::replace(pointer.begin(), pointer.end(), '.', '/');
  return tree.contains(nlohmann::ordered_json::json_pointer(pointer));
}

std::string size_text(Bytes bytes) {
  constexpr Bytes kKib = 1024, kMib = kKib * kKib;
  if (bytes % kMib == 0) return std::to_string(bytes / kMib) + " MiB";
  if (bytes % kKib == 0) return std::to_string(bytes / kKib) + " KiB";
  return std::to_string(bytes) + " B";
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// "key: value" of "key=value".
std::string as_yaml(const std::string& set) {
  const std::size_t equals = set.find('=');
  return set.substr(0, equals) + ": " + set.substr(equals + 1);
}

/// A change whose child may still run; none when it cannot be made.
struct Trial {
  std::size_t index = 0;
  std::unique_ptr<IsolatedRun> run;
};

Trial start_trial(const std::string& subject, std::vector<std::string> sets,
                  const std::string& change, std::size_t index, TriedChange& tried) {
  sets.push_back(change);
  tried.change = as_yaml(change);
  Trial trial{index, nullptr};
  try {
    trial.run = std::make_unique<IsolatedRun>(prepare(load_run(subject, sets)));
  } catch (const ConfigError& error) {
    tried.reason = "not possible: " + first_line(error.what());
  } catch (const MappingError& error) {
    tried.reason = "does not fit: " + first_line(error.what());
  }
  return trial;
}

void finish_front(std::deque<Trial>& running, std::vector<TriedChange>& tried) {
  tried[running.front().index].report = running.front().run->wait();
  running.pop_front();
}

/// By operator that runs inside another one: that one's name.
std::map<std::string, std::string> fused_into(const Report& report) {
  std::map<std::string, std::string> owners;
  for (const auto& row : report.operators) {
    for (const std::string& member : row.members) owners[member] = row.name;
  }
  return owners;
}

/// Would this kind of fusion, now off, leave fewer operators?
bool fuses_more(const RunConfig& config, workloads::FusionSwitch workloads::Fusion::*kind) {
  if (config.fusion.*kind != workloads::FusionSwitch::kOff) return false;
  RunConfig tried = config;
  tried.fusion.*kind = workloads::FusionSwitch::kOn;
  return make_graph(tried).operators.size() < make_graph(config).operators.size();
}

}  // namespace

std::vector<std::string> what_if_changes(const RunConfig& config) {
  const hw::HardwareConfig& hardware = config.hardware;
  std::vector<std::string> changes;
  const auto offer = [&](const std::string& path, const std::string& value) {
    if (has_key(config.resolved, path)) changes.push_back(path + "=" + value);
  };
  const auto offer_fusion = [&](workloads::FusionSwitch workloads::Fusion::*kind,
                                const std::string& key) {
    if (fuses_more(config, kind)) offer("fusion." + key, "true");
  };
  offer_fusion(&workloads::Fusion::qkv, "qkv");
  if (!hardware.sequencer.loop.exists()) {
    offer_fusion(&workloads::Fusion::gate_up, "gate_up");
    offer_fusion(&workloads::Fusion::residual, "residual");
    offer_fusion(&workloads::Fusion::attention, "attention");
  }
  offer("hardware.vector.lanes", std::to_string(2 * hardware.vector.lanes));
  offer("hardware.array.cols", std::to_string(2 * hardware.array.cols));
  if (hardware.dram.standard != "custom") {
    offer("hardware.dram.channels", std::to_string(2 * hardware.dram.channels));
  }
  for (const auto& buffer : hardware.buffers) {
    offer("hardware.buffers." + buffer.name + ".capacity", size_text(2 * buffer.capacity));
  }
  if (config.precision_name == "w8a8" && hw::pair_rate(hardware.array, "w4a8")) {
    changes.push_back("precision.weights=int4");  // a key that the resolved tree may leave out
  }
  return changes;
}

std::string what_moved(const Report& base, const Report& changed) {
  using Causes = std::array<Cycles, hw::kCauses>;
  std::map<std::string, Causes> moved;
  for (const auto& row : changed.operators) {
    for (int c = 0; c < hw::kCauses; ++c) moved[row.name][c] += row.attribution[c];
  }
  const auto fused = fused_into(changed);
  for (const auto& row : base.operators) {
    const auto found = fused.find(row.name);
    const std::string& owner = found == fused.end() ? row.name : found->second;
    for (int c = 0; c < hw::kCauses; ++c) moved[owner][c] -= row.attribution[c];
  }
  std::string name;
  int cause = 0;
  Cycles most = 0;
  for (const auto& [operator_name, causes] : moved) {
    for (int c = 0; c < hw::kCauses; ++c) {
      if (std::abs(causes[c]) <= std::abs(most)) continue;
      most = causes[c];
      cause = c;
      name = operator_name;
    }
  }
  if (most == 0) return "no cycle moved";
  const Scale scale = cycle_scale(std::abs(static_cast<double>(most)));
  const std::string sign = most > 0 ? "+" : "";
  const std::string unit = scale.unit.substr(0, scale.unit.find(' '));
  const std::string why = base.simulated ? to_string(static_cast<hw::Cause>(cause)) : "estimate";
  return name + ": " + why + " " + sign +
         significant(static_cast<double>(most) / scale.divisor, 3) + " " + unit;
}

std::vector<TriedChange> try_changes(const std::string& subject,
                                     const std::vector<std::string>& sets,
                                     const std::vector<std::string>& changes) {
  const std::size_t jobs = std::max(1U, std::thread::hardware_concurrency());
  std::vector<TriedChange> tried(changes.size());
  std::deque<Trial> running;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Trial trial = start_trial(subject, sets, changes[i], i, tried[i]);
    if (trial.run) running.push_back(std::move(trial));
    if (running.size() >= jobs) finish_front(running, tried);
  }
  while (!running.empty()) finish_front(running, tried);
  return tried;
}

std::vector<WhatIf> what_if_lines(const std::vector<TriedChange>& tried, const Report& base) {
  std::vector<WhatIf> lines;
  for (const auto& one : tried) {
    WhatIf line;
    line.change = one.change;
    line.feasible = one.reason.empty();
    line.note = line.feasible ? what_moved(base, one.report) : one.reason;
    line.cycles = one.report.totals.cycles;
    line.time_s = one.report.totals.time_s;
    line.dram_bytes = moved_bytes(one.report.totals.dram);
    lines.push_back(line);
  }
  std::stable_sort(lines.begin(), lines.end(), [](const WhatIf& a, const WhatIf& b) {
    return a.feasible != b.feasible ? a.feasible : a.feasible && a.time_s < b.time_s;
  });
  return lines;
}

}  // namespace tessera::sim
