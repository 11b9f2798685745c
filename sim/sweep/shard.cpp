// Which part of a sweep this process is to do.
#include <cstdlib>
#include <stdexcept>

#include <fmt/format.h>

#include "sim/sweep/run_sweep.h"

namespace tessera::sim {
namespace {

/// A variable of an engine that counts its tasks.
struct TaskVariable {
  const char* name;
  std::int64_t first;
};

/// Slurm's array tasks are submitted from 0, LSF's and PBS's from 1 (LSF sets 0 outside arrays).
constexpr TaskVariable kVariables[] = {{"SLURM_ARRAY_TASK_ID", 0},
                                       {"LSB_JOBINDEX", 1},
                                       {"PBS_ARRAY_INDEX", 1},
                                       {"PBS_ARRAYID", 1},
                                       {"OMPI_COMM_WORLD_RANK", 0}};

/// -1 where the text is no number.
std::int64_t number_in(const std::string& text) {
  const bool digits = !text.empty() && text.size() < 10 &&
                      text.find_first_not_of("0123456789") == std::string::npos;
  return digits ? std::stoll(text) : -1;
}

}  // namespace

Shard parse_shard(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::int64_t number = number_in(text.substr(0, slash));
  const std::int64_t count = slash == std::string::npos ? -1 : number_in(text.substr(slash + 1));
  if (number < 1 || count < 1 || number > count) {
    throw std::invalid_argument(
        fmt::format("--shard '{}': write i/N with i from 1 to N, for example 3/8", text));
  }
  return {number - 1, count};
}

std::int64_t shard_index_from_environment(std::string& source) {
  for (const TaskVariable& variable : kVariables) {
    const char* const value = std::getenv(variable.name);
    if (value == nullptr) continue;
    const std::int64_t number = number_in(value);
    if (number < variable.first) continue;
    source = variable.name;
    return number - variable.first;
  }
  return -1;
}

}  // namespace tessera::sim
