#include "sim/sweep/submit.h"

#include <fmt/format.h>

namespace tessera::sim {
namespace {

std::string shard_command(const Submission& s) {
  std::string command =
      fmt::format("{} sweep {} --out {} --resume --shard auto/{} --jobs {}", shell_word(s.program),
                  shell_word(s.config), shell_word(s.directory), s.shards, s.jobs);
  for (const std::string& argument : s.arguments) command += " " + shell_word(argument);
  return command;
}

/// Slurm: https://slurm.schedmd.com/sbatch.html
std::string slurm_head(const Submission& s) {
  return fmt::format(
      "#SBATCH --job-name=tessera-{}\n#SBATCH --array=0-{}\n#SBATCH --cpus-per-task={}\n"
      "#SBATCH --requeue\n#SBATCH --open-mode=append\n#SBATCH --output={}/slurm_%a.log\n",
      s.name, s.shards - 1, s.jobs, s.directory);
}

/// LSF: bsub(1); -r: rerun when the host fails.
std::string lsf_head(const Submission& s) {
  return fmt::format(
      "#BSUB -J \"tessera-{}[1-{}]\"\n#BSUB -n {}\n#BSUB -R \"span[hosts=1]\"\n#BSUB -r\n"
      "#BSUB -o {}/lsf_%I.log\n",
      s.name, s.shards, s.jobs, s.directory);
}

/// PBS Professional: qsub(1B); an array has at least two tasks, one task is a plain job.
std::string pbs_head(const Submission& s) {
  std::string head = fmt::format("#PBS -N tessera-{}\n", s.name.substr(0, 7));
  if (s.shards > 1) head += fmt::format("#PBS -J 1-{}\n", s.shards);
  return head + fmt::format("#PBS -l select=1:ncpus={}\n#PBS -r y\n#PBS -j oe\n#PBS -o {}\n",
                            s.jobs, s.directory);
}

}  // namespace

const std::vector<std::string>& submission_engines() {
  static const std::vector<std::string> all{"slurm", "lsf", "pbs", "mpi"};
  return all;
}

std::string shell_word(const std::string& word) {
  const char* const plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+%@";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string job_script(const Submission& s) {
  std::string script = "#!/bin/bash\n";
  if (s.engine == "slurm") script += slurm_head(s);
  if (s.engine == "lsf") script += lsf_head(s);
  if (s.engine == "pbs") script += pbs_head(s);
  script += fmt::format("# {} shards of the sweep {}; then: {} sweep merge {}\n", s.shards, s.name,
                        shell_word(s.program), shell_word(s.directory));
  if (s.engine == "pbs" && s.shards == 1) script += "export PBS_ARRAY_INDEX=1\n";
  const std::string launcher =
      s.engine == "mpi" ? fmt::format("mpirun -n {} ", s.shards) : std::string();
  return script + "exec " + launcher + shard_command(s) + "\n";
}

std::string submit_command(const Submission& s, const std::string& path) {
  const std::string script = shell_word(path);
  if (s.engine == "slurm") return "sbatch " + script;
  if (s.engine == "lsf") return "bsub < " + script;
  if (s.engine == "pbs") return "qsub " + script;
  return "bash " + script;
}

}  // namespace tessera::sim
