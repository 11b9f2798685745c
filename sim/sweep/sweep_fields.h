// The keys of a sweep file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/config/fields.h"
#include "sim/sweep/axis_values.h"
#include "sim/sweep/sweep_spec.h"

namespace tessera::sim {

struct StrategySpec {
  SweepStrategy kind = SweepStrategy::kGrid;
  std::int64_t points = 0;
  std::int64_t seed = 1;
};

/// A sweep as written in its file.
struct SweepText {
  std::string name, title;
  config::Value run;
  std::vector<std::pair<std::string, AxisText>> axes;
  std::vector<config::Position> axis_positions;
  config::Value require, minimize, maximize;
  StrategySpec strategy;
  SweepFidelity fidelity = SweepFidelity::kTransaction;
};

const config::Table<SweepText>& sweep_table();

/// Reads the sweep `subject` (a name on the search path, a path, or "-"), its run under `sets`, at
/// `fidelity` where it is given.
/// Checks axes and questions as far as text alone allows. Throws ConfigError.
SweepSpec load_sweep(const std::string& subject, const std::vector<std::string>& sets = {},
                     const std::optional<SweepFidelity>& fidelity = std::nullopt);

/// JSON Schema of a sweep file, and the reference of its keys in Markdown.
nlohmann::ordered_json sweep_schema();
std::string sweep_reference();

}  // namespace tessera::sim
