// load_run and load_hardware: from a subject and --set arguments to resolved structs.
#include <filesystem>
#include <map>
#include <mutex>

#include "sim/config/config.h"
#include "sim/config/hardware_fields.h"
#include "sim/config/resolve.h"
#include "sim/config/run_fields.h"
#include "sim/config/run_template.h"

namespace tessera::sim {

using config::ConfigKind;
using config::Json;
using config::RunSpec;
using config::Value;

/// Machines by file as the field table writes them, each read once; for several threads.
class NamedMachines {
 public:
  /// Null when the file is no machine by itself.
  Json of(const std::string& file) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto [at, is_new] = written_.try_emplace(file);
    if (is_new) at->second = read(file);
    return at->second;
  }

 private:
  static Json read(const std::string& file) {
    try {
      const Value named = config::load_tree(ConfigKind::kHardware, file);
      return config::hardware_table().write(config::read_hardware(named, "hardware"));
    } catch (const ConfigError&) {
      return nullptr;
    }
  }

  std::mutex mutex_;
  std::map<std::string, Json> written_;
};

namespace {

/// The plan's absolute path: beside the file that names it, or below the working directory.
std::string plan_path(const Value& run, const std::string& plan) {
  namespace fs = std::filesystem;
  if (plan.empty()) return "";
  const Value& written = *run.find("mapping")->find("plan");
  for (const fs::path& folder : {fs::path(written.position.source->directory), fs::path(".")}) {
    std::error_code error;
    const fs::path file = folder / plan;
    if (fs::exists(file, error) && !fs::is_directory(file, error)) {
      return fs::weakly_canonical(file).string();
    }
  }
  config::no_file(written.position, "mapping.plan", plan,
                  {fs::path(written.position.source->directory) / plan, plan});
}

/// As written, but never a path of this machine.
std::string portable(const std::string& plan) {
  const std::filesystem::path path = plan;
  return path.is_absolute() ? path.filename().string() : plan;
}

/// The file that gave the machine its name, else the one on the search path; empty when there is
/// none.
std::string named_file(const Value& hardware, const std::string& name) {
  const Value* written = hardware.find("name");
  if (!written || !written->file.empty()) return written ? written->file : "";
  for (const auto& [known, file] : config::known_configs(ConfigKind::kHardware)) {
    if (known == name) return file;
  }
  return "";
}

/// "edge_32x32 (changed)" when the machine is not the one that the name stands for.
std::string shown_name(const Value& tree, const hw::HardwareConfig& hardware,
                       NamedMachines& machines) {
  const std::string file = named_file(*tree.find("hardware"), hardware.name);
  if (file.empty()) return hardware.name;
  const bool changed = machines.of(file) != config::hardware_table().write(hardware);
  return changed ? hardware.name + " (changed)" : hardware.name;
}

/// Everything but the workload. `table`: of the keys that the resolved tree shows.
RunConfig make_machine_run(const RunSpec& spec, const Value& tree,
                           const config::Table<RunSpec>& table, NamedMachines& machines) {
  RunConfig run;
  run.name = spec.name;
  run.hardware = spec.hardware;
  run.hardware.name = shown_name(tree, spec.hardware, machines);
  run.precision = spec.precision.resolved();
  run.precision_name = workloads::pair_name({run.precision.weights, run.precision.activations});
  run.mapping.objective = spec.mapping.objective.config;
  run.mapping.pins = spec.mapping.pins;
  run.mapping.layout = spec.mapping.layout;
  run.mapping.residency = spec.mapping.residency;
  run.mapping.plan_file = plan_path(tree, spec.mapping.plan);
  run.ridge_at_peak = spec.roofline.at_peak;
  RunSpec shown = spec;
  shown.mapping.plan = portable(spec.mapping.plan);
  run.resolved = table.write(shown);
  return run;
}

RunConfig make_run(const RunSpec& spec, const Value& tree, NamedMachines& machines) {
  RunConfig run = make_machine_run(spec, tree, config::run_table(), machines);
  run.phases = spec.workload.phases;
  run.fusion = spec.fusion;
  run.fidelity = spec.fidelity;
  run.expectations = spec.expectations;
  return run;
}

}  // namespace

RunTemplate::RunTemplate(config::Value tree)
    : tree_(std::move(tree)), machines_(std::make_unique<NamedMachines>()) {}
RunTemplate::RunTemplate(RunTemplate&&) noexcept = default;
RunTemplate::~RunTemplate() = default;

RunConfig RunTemplate::resolve(const std::vector<config::Setting>& settings) const {
  Value tree = tree_;
  for (const config::Setting& setting : settings) config::apply_setting(tree, setting);
  return make_run(config::read_run(tree), tree, *machines_);
}

RunConfig load_run(const std::string& subject, const std::vector<std::string>& sets) {
  Value tree = config::load_tree(ConfigKind::kRun, subject);
  for (const std::string& set : sets) config::apply_set(tree, set);
  return RunTemplate(std::move(tree)).resolve({});
}

RunConfig load_machine_run(const std::string& hardware, const std::vector<std::string>& sets) {
  const Value machine = config::load_tree(ConfigKind::kHardware, hardware);
  Value tree = config::make_map(machine.position);
  tree.set("name", machine.position, config::make_scalar("gemm", machine.position));
  tree.set("hardware", machine.position, machine);
  for (const std::string& set : sets) config::apply_set(tree, set);
  NamedMachines machines;
  return make_machine_run(config::read_machine_run(tree), tree, config::machine_run_table(),
                          machines);
}

hw::HardwareConfig load_hardware(const std::string& subject, const std::vector<std::string>& sets) {
  const Value hardware = config::load_tree(ConfigKind::kHardware, subject);
  Value tree = config::make_map(hardware.position);
  tree.set("hardware", hardware.position, hardware);
  for (const std::string& set : sets) config::apply_set(tree, set);
  for (const config::MapEntry& entry : tree.entries) {
    if (entry.key == "hardware") continue;
    config::unknown_key(entry, "", {"hardware"}, config::run_table().elsewhere);
  }
  return config::read_hardware(*tree.find("hardware"), "hardware");
}

}  // namespace tessera::sim
