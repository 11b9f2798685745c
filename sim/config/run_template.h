// A run read once and resolved again and again under other values: what a sweep does.
#pragma once

#include <memory>
#include <vector>

#include "sim/config/resolve.h"
#include "sim/config/run_config.h"

namespace tessera::sim {

class NamedMachines;

class RunTemplate {
 public:
  /// `tree`: of a run, as load_tree and load_run_tree give it.
  explicit RunTemplate(config::Value tree);
  RunTemplate(RunTemplate&&) noexcept;
  ~RunTemplate();

  /// The run under `settings`, made in their order: exactly what load_run gives with the same
  /// values. Throws ConfigError. May be called from several threads at once.
  RunConfig resolve(const std::vector<config::Setting>& settings) const;

 private:
  config::Value tree_;
  std::unique_ptr<NamedMachines> machines_;  // what it knows only grows
};

}  // namespace tessera::sim
