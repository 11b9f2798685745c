// What Tessera knows of each reference engine: its machine, how a row is run, what it must reach.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/config/run_config.h"
#include "sim/validation/reference.h"

namespace tessera::sim {

/// How a row is run.
enum class Scenario {
  kResident,        // operands in the scratchpads, result stays in the accumulators
  kMemoryToMemory,  // mapped, loaded, stored
  kLoads            // A, then B, as square blocks; nothing computes
};

/// A limit on the errors of some rows of an engine.
struct Limit {
  std::string rows;  // which: "", "full tiles"
  std::function<bool(const ReferenceCase&)> applies;
  double mean = -1, worst = -1;  // percent; negative: no limit
};

/// What TIMING.md asks for.
struct Target {
  std::string text;    // empty: none is set
  bool exact = false;  // every figure to the cycle
  std::vector<Limit> limits;
  /// Where slower memory makes the reference faster by more than this share, it must make us
  /// faster. 0: not asked.
  double slower_is_faster = 0;
};

using SetsOf = std::function<std::vector<std::string>(const ReferenceCase&)>;
using PinOf = std::function<MappingPin(const ReferenceCase&)>;

struct EngineRule {
  std::string pattern;  // of the engine's name, `*` any characters
  Scenario scenario = Scenario::kResident;
  /// Hardware that may stand for it, the first known one is taken. {rows}, {cols}, {dataflow} are
  /// the row's; a trailing `*` is the first name that begins so.
  std::vector<std::string> presets;
  /// Gemmini: the same for rows whose name or notes tell of the build of 64 KiB. Empty: one build.
  std::vector<std::string> small_build;
  std::string precision = "w8a8";
  bool accumulate = false;
  bool by_dataflow = false;        // every dataflow is a line of its own
  bool unlimited_buffers = false;  // the reference streams from outside: buffers grow as needed
  hw::Cycles printed_less = 0;     // what the reference prints is so much less than the count
  SetsOf sets;                     // --set arguments of a row; may be empty
  PinOf pin;                       // memory to memory: what is fixed of the mapping; may be empty
  Target target;
};

/// All rules of computing engines; the first that matches counts.
const std::vector<EngineRule>& engine_rules();

/// The rule of `reference`, or nullptr for an unknown engine and for memories.
const EngineRule* rule_of(const ReferenceCase& reference);

/// The rule of an engine that is the user's own, who names its machine: by the end of its name
/// `_array` (resident), `_dma` (loads), else memory to memory; the width by `dtype`; no target.
EngineRule own_engine_rule(const ReferenceCase& reference);

/// Names of hardware that may stand for the row, in order, placeholders filled in; none where the
/// row is of a build that has no machine.
std::vector<std::string> presets_of(const EngineRule& rule, const ReferenceCase& reference);

/// "ws", "os" or "is" of "WS", "OS-semi"; "ws" when the row gives none.
std::string dataflow_of(const ReferenceCase& reference);

}  // namespace tessera::sim
