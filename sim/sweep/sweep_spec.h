// A sweep as read from its file: which run, which values, what is asked of each point.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/config/resolve.h"
#include "sim/sweep/amount.h"
#include "sim/sweep/question.h"

namespace tessera::sim {

enum class SweepStrategy { kGrid, kRandom, kSobol };
/// `kBoth`: analytical everywhere, transaction for the estimated front and its neighbours.
enum class SweepFidelity { kAnalytical, kTransaction, kBoth };
const char* to_string(SweepFidelity fidelity);
/// Of a name as to_string has it; nothing for the empty one.
std::optional<SweepFidelity> sweep_fidelity(const std::string& name);

/// One value of an axis: what each of its keys becomes.
struct AxisValue {
  std::string label;                  // as tables show it
  std::vector<config::Value> values;  // parallel to Axis::keys
  std::optional<double> number;       // in base units; of quantities and numbers
};

/// A key of the run under the sweep, or several that change together.
struct Axis {
  std::string name;
  std::vector<std::string> keys;  // as written
  std::vector<std::vector<config::KeyStep>> paths;
  std::vector<AxisValue> values;           // `times`: factors of the other axis' value
  int times = -1;                          // index of an axis before this one
  std::optional<config::Measure> measure;  // `times`: what the product counts
  std::optional<Condition> when;  // on an axis before this one; else the run keeps its own value
};

struct SweepObjective {
  Figure figure;
  bool maximize = false;
};

struct SweepSpec {
  std::string name, title;
  std::string path;   // of the file; "<stdin>" has no resume
  config::Value run;  // its tree
  std::vector<Axis> axes;
  std::vector<Requirement> require;
  std::vector<SweepObjective> objectives;
  SweepStrategy strategy = SweepStrategy::kGrid;
  std::int64_t points = 0;  // random, sobol
  std::uint64_t seed = 1;
  SweepFidelity fidelity = SweepFidelity::kTransaction;
};

}  // namespace tessera::sim
