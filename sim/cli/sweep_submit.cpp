#include "sim/cli/sweep_submit.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/cli/output.h"
#include "sim/sweep/submit.h"
#include "sim/sweep/sweep_fields.h"

namespace tessera::sim {
namespace {

Submission submission_of(const CommandLine& line) {
  Submission made;
  made.engine = line.engine;
  const auto& known = submission_engines();
  if (std::find(known.begin(), known.end(), line.engine) == known.end()) {
    throw UsageError(
        fmt::format("--engine '{}': engines are {}", line.engine, fmt::join(known, ", ")));
  }
  if (line.subjects.size() != 2 || line.subjects[1] == "-") {
    throw UsageError("'tessera sweep submit' takes one sweep file");
  }
  const SweepSpec spec = load_sweep(line.subjects[1], line.sets);
  made.name = spec.name;
  made.config = std::filesystem::absolute(spec.path).lexically_normal().string();
  made.program = std::filesystem::read_symlink("/proc/self/exe").string();
  const std::filesystem::path directory = line.out.empty() ? spec.name + ".sweep" : line.out;
  made.directory = std::filesystem::absolute(directory).lexically_normal().string();
  made.shards = line.shards;
  made.jobs = std::max(1, line.jobs);
  if (!line.sweep_fidelity.empty()) made.arguments = {"--fidelity", line.sweep_fidelity};
  for (const std::string& set : line.sets) {
    made.arguments.emplace_back("--set");
    made.arguments.push_back(set);
  }
  for (const auto& [name, value] :
       {std::pair{"--timeout", line.timeout}, {"--memory", line.memory}}) {
    made.arguments.emplace_back(name);
    made.arguments.push_back(std::to_string(value));
  }
  return made;
}

}  // namespace

int submit_sweep(const CommandLine& line) {
  const Submission submission = submission_of(line);
  const std::string script = job_script(submission);
  if (line.dry_run) {
    write_stdout(script);
    return 0;
  }
  prepare_directory(submission.directory);
  const std::string path = submission.directory + "/submit_" + submission.engine + ".sh";
  write_file(path, script);
  const std::string command = submit_command(submission, path);
  std::cerr << command << "\n";
  if (std::system(command.c_str()) == 0) return 0;
  std::cerr << "tessera: '" << command << "' failed; the script is in " << path << "\n";
  return 1;
}

}  // namespace tessera::sim
