// Job scripts that run the shards of one sweep under a batch system or MPI.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tessera::sim {

struct Submission {
  std::string engine;     // "slurm", "lsf", "pbs", "mpi"
  std::string name;       // of the sweep
  std::string program;    // absolute path of tessera
  std::string config;     // absolute path of the sweep file
  std::string directory;  // absolute: stores, logs and the script
  std::int64_t shards = 1;
  int jobs = 1;                        // processes of one shard
  std::vector<std::string> arguments;  // passed on: --set, --timeout, --memory
};

const std::vector<std::string>& submission_engines();

/// A script that may be requeued and resubmitted: every shard goes on where it was.
std::string job_script(const Submission& submission);
/// What hands the script `path` to the engine, as a shell reads it.
std::string submit_command(const Submission& submission, const std::string& path);

/// `word` as one word of a shell command.
std::string shell_word(const std::string& word);

}  // namespace tessera::sim
