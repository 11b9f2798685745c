// The key `precision` of a run.
#pragma once

#include "hw_models/hardware_config.h"
#include "sim/config/fields.h"
#include "workloads/passes/passes.h"

namespace tessera::sim::config {

/// As given; a type of 0 bits: not given.
struct PrecisionSpec {
  std::string pair = "w8a8";
  workloads::ElementType weights = 0, activations = 0, kv_cache = 0, softmax = 0, norm = 0;
  workloads::QuantisationGroups groups;
  std::vector<workloads::PrecisionRule> rules;

  /// What was not given is the pair's; softmax and norms then read what others do.
  workloads::Precision resolved() const;
};

/// A name (w8a8), or a mapping whose keys with a dot or a star are patterns of operators.
PrecisionSpec read_precision(const Value& value, const std::string& path);
Json write_precision(const PrecisionSpec& spec);
Json precision_schema();
std::vector<DocRow> precision_rows();

/// Throws ConfigError at `value` unless the array runs every pair that the precision asks for.
void check_precision(const PrecisionSpec& spec, const hw::HardwareConfig& hardware,
                     const Value& value);

}  // namespace tessera::sim::config
