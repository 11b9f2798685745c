// What paths mean over a report.json document and a resolved configuration.
//
//   latency, latency_cycles, throughput, dram_bytes   of the run
//   phases.NAME.FIGURE       a phase's row; FIGURE is a path in it, or one of the four above
//   operators.PATTERN.FIGURE  rows whose name matches (phase.Llayer.name; a pattern without a dot:
//                             the bare name): counts are summed, other figures have to agree
//   hardware.sram_bytes, hardware.pe_count            of the machine
//   any other path in the report (totals.utilization), or else in the configuration
//   (hardware.dram.channels, workload.tokens)
#pragma once

#include <optional>

#include <nlohmann/json.hpp>

#include "sim/expressions/expression.h"

namespace tessera::sim::expressions {

/// Of a resolved configuration alone: what is known before a run.
class ConfigEnvironment : public Environment {
 public:
  /// `config`: as RunConfig::resolved; has to stay.
  explicit ConfigEnvironment(const nlohmann::ordered_json& config) : config_(config) {}
  std::optional<Datum> lookup(const Path& path) const override;

  /// All of its paths are the configuration's.
  bool knows(const Expression& expression) const;

 private:
  const nlohmann::ordered_json& config_;
};

/// Of a report.json document, with its configuration.
class ReportEnvironment : public Environment {
 public:
  /// `report`: has to stay.
  explicit ReportEnvironment(const nlohmann::ordered_json& report) : report_(report) {}
  std::optional<Datum> lookup(const Path& path) const override;

 private:
  const nlohmann::ordered_json& report_;
};

}  // namespace tessera::sim::expressions
