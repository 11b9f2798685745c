#include "sim/validation/engines.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "sim/gemm_run.h"
#include "sim/mapper/pins.h"
#include "workloads/passes/passes.h"

namespace tessera::sim {
namespace {

using Case = ReferenceCase;
using Sets = std::vector<std::string>;

// ----------------------------------------------------------------- hardware keys that rows change

constexpr const char* kPeLatency = "hardware.array.pe_latency";  // cycles of a PE's pipeline
constexpr const char* kStages = "hardware.array.stages";         // registers of a PE, semi-systolic
constexpr std::int64_t kRoundTrip = 7;                           // of Gemmini's bus, beyond mem_lat
constexpr double kClock = 1e9;                                   // of every engine, in hertz

Sets sides(const Case& row) {
  return {fmt::format("hardware.array.rows={}", row.rows),
          fmt::format("hardware.array.cols={}", row.cols)};
}

/// SCALE-Sim: any array, any dataflow.
Sets scale_sim_sets(const Case& row) {
  Sets sets = sides(row);
  sets.push_back(fmt::format("hardware.array.dataflows=[{}]",
                             hw::to_string(parse_dataflow(dataflow_of(row)))));
  return sets;
}

/// axis_sa: LM cycles of the multiplier, LA of the adder.
Sets axis_sets(const Case& row) {
  Sets sets = sides(row);
  const std::int64_t latency = row.notes.integer("LM", 1) + row.notes.integer("LA", 1);
  sets.push_back(fmt::format("{}={} cycles", kPeLatency, latency));
  return sets;
}

/// RedMulE's tile has W rows and H (P + 1) columns.
std::int64_t redmule_columns(const Case& row) { return row.cols * (row.notes.integer("P", 3) + 1); }

/// RedMulE: W rows of H FMAs with P pipeline registers, on one port of a tile row of FP16.
Sets redmule_sets(const Case& row) {
  Sets sets = sides(row);
  sets.push_back(fmt::format("{}={}", kStages, row.notes.integer("P", 3) + 1));
  sets.push_back(fmt::format("hardware.buffers.scratchpad.width={} B", 2 * redmule_columns(row)));
  return sets;
}

/// Gemmini's bench: a memory of `mem_lat` cycles that sends D bytes every `cycles_per_beat`. The
/// presets' interconnect has no latency of its own, so the bus's cycles are the memory's.
Sets gemmini_memory_sets(const Case& row) {
  const double beat = static_cast<double>(row.notes.integer("cycles_per_beat", 1));
  return {"hardware.dram.standard=custom",
          fmt::format("hardware.dram.latency={} ns", row.notes.integer("mem_lat", 20) + kRoundTrip),
          fmt::format("hardware.dram.peak={} B/s", std::llround(row.rows * kClock / beat))};
}

// -------------------------------------------------------------------------------- mappings of rows

/// Gemmini's hardware loop: notes `tile=IxJxK` in blocks of D x D, whole tiles double buffered,
/// i, j, k from outer to inner. Free without a tile.
MappingPin gemmini_loop_pin(const Case& row) {
  MappingPin pin;
  pin.pattern = "*";
  pin.dataflow = "weight_stationary";
  const std::string tile = row.notes.value("tile");
  if (tile.empty()) return pin;
  const hw::GemmShape blocks = parse_gemm_shape(tile);  // I x J x K, read as m x k x n
  pin.tile_m = blocks.m * row.rows;
  pin.tile_n = blocks.k * row.rows;
  pin.tile_k = blocks.n * row.rows;
  pin.loop_order = "mnk";
  pin.double_buffered = {"a", "b", "accumulators", "outputs"};
  pin.has_double_buffered = true;
  pin.has_resident = true;  // none
  return pin;
}

/// ONNXim: coarse tiles, a tile's whole K is loaded before it starts.
MappingPin onnxim_pin(const Case& row) {
  MappingPin pin;
  pin.pattern = "*";
  pin.dataflow = "weight_stationary";
  pin.tile_k = row.shape.k;
  return pin;
}

// ----------------------------------------------------------------------------------------- targets

Target exact() { return {"0 cycles", true, {}, 0}; }

Target redmule_target() {
  const auto full = [](const Case& row) {
    return row.shape.m % row.rows == 0 && row.shape.n % redmule_columns(row) == 0;
  };
  const auto large = [](const Case& row) {
    return row.shape.m >= row.rows && row.shape.n >= redmule_columns(row);
  };
  return {"full tiles <= 1 %; M >= W and N >= D: mean <= 2 %, worst <= 10 %",
          false,
          {{"full tiles", full, -1, 1}, {"M >= W, N >= D", large, 2, 10}},
          0};
}

Target gemmini_loop_target() {
  return {"mean <= 5 %, worst <= 15 %, and faster where slower memory is",
          false,
          {{"", nullptr, 5, 15}},
          0.02};
}

// ------------------------------------------------------------------------------------- the engines

EngineRule scale_sim() {
  EngineRule rule;
  rule.pattern = "scale-sim*";
  rule.presets = {"scalesim_{dataflow}", "scalesim_{rows}x{cols}", "scalesim_*"};
  rule.by_dataflow = true;
  rule.unlimited_buffers = true;
  rule.printed_less = 1;  // it prints the index of the last cycle
  rule.sets = scale_sim_sets;
  rule.target = exact();
  return rule;
}

EngineRule gemmini(const char* pattern, Scenario scenario) {
  EngineRule rule;
  rule.pattern = pattern;
  rule.scenario = scenario;
  rule.presets = {"gemmini_{rows}x{cols}"};
  rule.small_build = {"gemmini_{rows}x{cols}_small"};
  return rule;
}

EngineRule gemmini_array() {
  EngineRule rule = gemmini("gemmini*_array", Scenario::kResident);
  rule.by_dataflow = true;
  rule.target = exact();
  return rule;
}

EngineRule gemmini_loop() {
  EngineRule rule = gemmini("gemmini*_loop", Scenario::kMemoryToMemory);
  rule.sets = gemmini_memory_sets;
  rule.pin = gemmini_loop_pin;
  rule.target = gemmini_loop_target();
  return rule;
}

EngineRule gemmini_dma() {
  EngineRule rule = gemmini("gemmini*_dma", Scenario::kLoads);
  rule.sets = gemmini_memory_sets;
  return rule;
}

EngineRule axis_sa() {
  EngineRule rule;
  rule.pattern = "axis_sa*";
  rule.presets = {"axis_sa"};
  rule.unlimited_buffers = true;  // operands come by AXI streams
  rule.sets = axis_sets;
  rule.target = exact();
  return rule;
}

EngineRule redmule() {
  EngineRule rule;
  rule.pattern = "redmule*";
  rule.presets = {"redmule_w{rows}_h{cols}", "redmule_w12_h4"};
  rule.precision = "w16a16";
  rule.accumulate = true;  // Z = X W + Z
  rule.unlimited_buffers = true;
  rule.sets = redmule_sets;
  rule.target = redmule_target();
  return rule;
}

EngineRule onnxim() {
  EngineRule rule;
  rule.pattern = "onnxim";
  rule.scenario = Scenario::kMemoryToMemory;
  rule.presets = {"onnxim_tpuv4"};
  rule.precision = "w16a16";
  rule.pin = onnxim_pin;
  rule.target = {"worst <= 7 %", false, {{"", nullptr, -1, 7}}, 0};
  return rule;
}

enum class Build { kDefault, kSmall, kUnknown };

std::string lowercase(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// What stands between an engine's size and its scenario: "s" of gemmini16s_loop, "64k" of
/// gemmini16_64k_array, "" of gemmini16_loop.
std::string build_word(const std::string& engine) {
  const std::string family = "gemmini";
  std::string word = engine.substr(family.size(), engine.rfind('_') - family.size());
  word.erase(0, word.find_first_not_of("0123456789"));
  word.erase(0, word.find_first_not_of('_'));
  return lowercase(word);
}

/// Gemmini's builds: the published default says nothing; the one of half the scratchpad and its own
/// start-up says so in the engine's name or in the notes.
Build gemmini_build(const Case& row) {
  static const std::set<std::string> kSmallWords{"s", "small", "c", "64k", "64kib", "b64"};
  const Notes& notes = row.notes;
  const bool small_notes = notes.value("startup") == "14" || notes.value("build") == "small" ||
                           notes.value("spad") == "64KiB" || notes.has("spad 64KiB");
  const std::string word = build_word(row.engine);
  if (kSmallWords.count(word) != 0) return Build::kSmall;
  if (!word.empty()) return Build::kUnknown;
  if (small_notes) return Build::kSmall;
  return notes.has("build") && notes.value("build") != "default" ? Build::kUnknown
                                                                 : Build::kDefault;
}

std::string filled(std::string name, const Case& row) {
  const auto fill = [&](const std::string& key, const std::string& value) {
    const std::size_t at = name.find(key);
    if (at != std::string::npos) name.replace(at, key.size(), value);
  };
  fill("{rows}", std::to_string(row.rows));
  fill("{cols}", std::to_string(row.cols));
  fill("{dataflow}", dataflow_of(row));
  return name;
}

}  // namespace

const std::vector<EngineRule>& engine_rules() {
  static const std::vector<EngineRule> rules{
      gemmini_array(), gemmini_loop(), gemmini_dma(), axis_sa(), redmule(), scale_sim(), onnxim()};
  return rules;
}

const EngineRule* rule_of(const ReferenceCase& reference) {
  if (reference.kind == ReferenceKind::kDram) return nullptr;
  for (const EngineRule& rule : engine_rules()) {
    if (matches(rule.pattern, reference.engine)) return &rule;
  }
  return nullptr;
}

EngineRule own_engine_rule(const ReferenceCase& reference) {
  EngineRule rule;
  rule.pattern = "*";
  rule.scenario = matches("*_array", reference.engine) ? Scenario::kResident
                  : matches("*_dma", reference.engine) ? Scenario::kLoads
                                                       : Scenario::kMemoryToMemory;
  for (const int bits : {4, 16}) {
    if (matches(fmt::format("*{}", bits), reference.dtype)) {
      rule.precision = workloads::pair_name({bits, bits});
    }
  }
  return rule;
}

std::vector<std::string> presets_of(const EngineRule& rule, const ReferenceCase& reference) {
  const Build build = rule.small_build.empty() ? Build::kDefault : gemmini_build(reference);
  if (build == Build::kUnknown) return {};
  std::vector<std::string> names;
  for (const std::string& name : build == Build::kSmall ? rule.small_build : rule.presets) {
    names.push_back(filled(name, reference));
  }
  return names;
}

std::string dataflow_of(const ReferenceCase& reference) {
  const std::string name = lowercase(reference.dataflow.substr(0, reference.dataflow.find('-')));
  return name.empty() ? "ws" : name;
}

}  // namespace tessera::sim
