// Figures kept from one time to the next, beside their suite: SUITE.golden.json.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "sim/regress/suite.h"

namespace tessera::sim {

/// {schema: "tessera-goldens/1", runs: {NAME: {model_version, tool_version, figures: {TEXT: value},
/// config, totals, phases, operators}}}: with the figures, what it takes to say why they moved.
using Goldens = nlohmann::ordered_json;

/// "configs/regress/encoders.golden.json" of "configs/regress/encoders.yaml".
std::string golden_path(const std::string& suite_path);
/// Without runs where there is no file yet. Throws ConfigError for what is no goldens file.
Goldens read_goldens_file(const std::string& path);
/// As text for the file: what fits a line stands on one.
std::string goldens_text(const Goldens& goldens);

/// The entry of a run: `report` is its report.json. Figures that are not known are null.
Goldens golden_entry(const SuiteRun& run, const nlohmann::ordered_json& report);
/// A report.json that compare_json() takes, of an entry or of a report: operators summed over
/// layers.
nlohmann::ordered_json comparable(const std::string& name, const Goldens& entry);

}  // namespace tessera::sim
