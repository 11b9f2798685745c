// Many pieces of work at once: a process each, or threads. Answers arrive in the caller's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tessera::sim {

struct WorkerLimits {
  int jobs = 1;
  double timeout_s = 0;           // of one piece; 0: none
  std::int64_t memory_bytes = 0;  // address space of one process; 0: unlimited
};

/// How one piece of work ended.
struct WorkEnd {
  std::int64_t item = 0;
  std::string answer;   // what the work returned
  std::string failure;  // why there is none; empty: there is
  double wall_s = 0;
  std::int64_t peak_bytes = 0;  // of its process
};

using Work = std::function<std::string(std::int64_t item)>;
using OnEnds = std::function<void(const std::vector<WorkEnd>&)>;  // as they come
/// Asked between pieces; true ends what runs and takes up nothing more.
using Stop = std::function<bool()>;

/// What a failure begins with whose cause lies outside the piece itself: worth another try.
constexpr const char* kKilled = "killed";

/// Each piece in a forked process of its own: it may crash, hang or exhaust memory, and dies with
/// its parent. A process that somebody else killed is tried again, twice. The caller must have no
/// other threads. False: stopped.
bool run_in_processes(const std::vector<std::int64_t>& items, const WorkerLimits& limits,
                      const Work& work, const OnEnds& on_ends, const Stop& stop);

/// Each piece in one of `limits.jobs` threads; exceptions are failures. False: stopped.
bool run_in_threads(const std::vector<std::int64_t>& items, const WorkerLimits& limits,
                    const Work& work, const OnEnds& on_ends, const Stop& stop);

}  // namespace tessera::sim
