// Reading configurations: YAML files, names on the search path, `base:`, `--set`, defaults.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "sim/config/run_config.h"
#include "sim/mapper/plan.h"
#include "workloads/graph.h"

namespace tessera::sim {

/// What is wrong with a configuration, ready to print:
/// "file:line:column: error: ...", the offending line, a caret, what is allowed, the nearest key.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Reads the run `subject`: a name on the search path, a file path, or "-" for standard input.
/// `sets` are "path.to.key=value" changes to the resolved tree. Throws ConfigError.
RunConfig load_run(const std::string& subject, const std::vector<std::string>& sets = {});
/// Reads a hardware description alone, by name or path.
hw::HardwareConfig load_hardware(const std::string& subject,
                                 const std::vector<std::string>& sets = {});

/// A run whose operators the caller brings: the machine `hardware` (a name or path) and what `sets`
/// change of hardware, precision, mapping and roofline. No phases; whether the array can run the
/// precision is the caller's question. Throws ConfigError.
RunConfig load_machine_run(const std::string& hardware, const std::vector<std::string>& sets = {});

/// The reference figures (CSV) that ship, sorted by name.
std::vector<std::string> shipped_references();
/// The file that `word` means: relative to ./ , for a bare name also below the entries of
/// $TESSERA_CONFIG_PATH, their reference/, and among the shipped ones. Throws ConfigError.
std::string find_reference(const std::string& word);

/// A model's config.json as Hugging Face or LeRobot publish it.
struct HfImport {
  std::string file;             // "-": standard input
  std::string vlm;              // SmolVLA: config.json of its vlm_model_name; empty: a known one
  std::string part;             // "vision", "text"; empty: all
  std::int64_t image_size = 0;  // 0: the config's
};
/// The descriptor it becomes, as YAML. Throws ConfigError.
std::string import_hf_model(const HfImport& request);

struct ListEntry {
  std::string name;  // stem
  std::string path;
  std::string question;  // the first comment line of the file: what question it answers
};
/// `kind`: "hardware", "models", "runs", "sweeps", "suites". Throws ConfigError for another
/// kind.
std::vector<ListEntry> list_configs(const std::string& kind);

/// JSON Schema (draft 2020-12) of a "run", "hardware" or "model" file, from the field table.
nlohmann::ordered_json config_schema(const std::string& kind);
/// The reference page docs/configuration.md, from the same table.
std::string config_reference();

/// A model file of family graph.
std::string write_graph_yaml(const workloads::Graph& graph, const std::string& title);

/// The plan as YAML, to be edited and read back.
std::string write_plan_yaml(const Plan& plan, const hw::HardwareConfig& hardware);
/// Reads a plan for `graph`; every operator and tensor by name. Throws ConfigError.
Plan read_plan_file(const std::string& path, const workloads::Graph& graph,
                    const hw::HardwareConfig& hardware);

}  // namespace tessera::sim
