// A regression suite as its file writes it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/config/resolve.h"
#include "sim/config/run_template.h"
#include "sim/expressions/expectations.h"
#include "sim/expressions/expression.h"

namespace tessera::sim {

/// A figure whose value is kept from one time to the next: `latency_cycles`, `dram_bytes within
/// 1 %`.
struct GoldenFigure {
  expressions::Figure figure;
  config::Position position;
};

struct SuiteRun {
  std::string name;
  std::shared_ptr<const RunTemplate> run;  // as named, without the changes
  std::vector<config::Setting> settings;   // the suite's, then its own
  std::vector<expressions::Expectation> expectations;
  std::vector<GoldenFigure> goldens;
  config::Position position;
};

struct Suite {
  std::string name;  // stem of the file
  std::string file;  // as messages call it
  std::string path;
  std::vector<SuiteRun> runs;                       // in the order of the file
  std::vector<expressions::Expectation> relations;  // paths begin with a run's name
  std::vector<std::string> validated;  // patterns of engines whose targets have to hold
};

/// `subject`: a suite's name (tessera list suites), its file, or a directory, of which every .yaml.
/// Throws ConfigError.
std::vector<Suite> load_suites(const std::string& subject);

/// JSON Schema of a suite file.
nlohmann::ordered_json suite_schema();

}  // namespace tessera::sim
