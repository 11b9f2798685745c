#include "sim/cli/regress_command.h"

#include <algorithm>
#include <iostream>
#include <thread>

#include "sim/cli/output.h"
#include "sim/config/config.h"
#include "sim/regress/regress_writers.h"

namespace tessera::sim {
namespace {

constexpr int kAllHold = 0, kSomeFailed = 1;

/// Every shipped suite when none is named.
std::vector<Suite> suites_of(const std::vector<std::string>& subjects) {
  std::vector<std::string> files = subjects;
  if (files.empty()) {
    for (const ListEntry& entry : list_configs("suites")) files.push_back(entry.path);
  }
  std::vector<Suite> suites;
  for (const std::string& file : files) {
    for (Suite& suite : load_suites(file)) suites.push_back(std::move(suite));
  }
  return suites;
}

RegressOptions regress_options(const CommandLine& line) {
  RegressOptions options;
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  options.jobs = line.jobs > 0 ? line.jobs : cores;
  options.filter = line.filter;
  return options;
}

/// The goldens that changed, all or none.
void update(const std::vector<Suite>& suites, const std::vector<SuiteOutcome>& outcomes) {
  std::vector<OutputFile> files;
  for (std::size_t i = 0; i < suites.size(); ++i) {
    if (suites[i].runs.empty()) continue;
    const std::string path = golden_path(suites[i].path);
    const Goldens goldens = updated_goldens(suites[i], outcomes[i]);
    if (goldens == read_goldens_file(path)) continue;
    files.push_back({path, goldens_text(goldens)});
  }
  write_files(files);
  for (const OutputFile& file : files) std::cerr << "wrote " << file.path << "\n";
  if (files.empty()) std::cerr << "the goldens stay as they are\n";
}

bool all_hold(const std::vector<SuiteOutcome>& outcomes, bool with_goldens) {
  return std::all_of(outcomes.begin(), outcomes.end(),
                     [&](const SuiteOutcome& suite) { return suite.holds(with_goldens); });
}

}  // namespace

int regress_command(const CommandLine& line) {
  const std::vector<Suite> suites = suites_of(line.subjects);
  const std::vector<SuiteOutcome> outcomes = run_suites(suites, regress_options(line));
  if (line.format == "json") {
    write_stdout(regress_json(outcomes).dump(2) + "\n");
  } else {
    write_stdout(regress_text(outcomes, {text_width(line.width), line.all, use_color()}));
  }
  if (!line.junit.empty()) write_file(line.junit, regress_junit(outcomes));
  if (line.update) update(suites, outcomes);
  return all_hold(outcomes, !line.update) ? kAllHold : kSomeFailed;
}

}  // namespace tessera::sim
