// CPU seconds and memory of whole shipped runs, mapping included, each in a child of its own; and
// the kernel's events (target for siglip_edge: at most 2 s, 200 MB, 10 M events).
#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "sim/config/config.h"
#include "sim/pipeline.h"

namespace {

using namespace tessera;

/// Runs in a child; returns its resource usage and its count of events.
rusage run_once(const std::string& name, std::int64_t& events) {
  int ends[2];
  if (pipe(ends) != 0) std::abort();
  const pid_t child = fork();
  if (child == 0) {
    sim::HostFigures host;
    sim::simulate_run(sim::prepare(sim::load_run(name)), &host);
    const bool sent = write(ends[1], &host.events, sizeof host.events) == sizeof host.events;
    _exit(sent ? 0 : 1);
  }
  rusage usage{};
  int status = 0;
  wait4(child, &status, 0, &usage);
  if (read(ends[0], &events, sizeof events) != sizeof events) std::abort();
  close(ends[0]);
  close(ends[1]);
  return usage;
}

double seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
}

void simulate_shipped(benchmark::State& state, const std::string& name) {
  std::int64_t events = 0;
  double cpu = 0, memory = 0;
  for (auto _ : state) {
    const rusage usage = run_once(name, events);
    cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    memory = static_cast<double>(usage.ru_maxrss) / 1024;
    state.SetIterationTime(cpu);
  }
  state.counters["memory_MiB"] = memory;
  state.counters["events"] = static_cast<double>(events);
  state.counters["events_per_cpu_s"] = static_cast<double>(events) / cpu;
}
BENCHMARK_CAPTURE(simulate_shipped, siglip_edge, "siglip_edge")
    ->UseManualTime()
    ->Iterations(3)
    ->Unit(benchmark::kSecond);
BENCHMARK_CAPTURE(simulate_shipped, smollm2_edge, "smollm2_edge")
    ->UseManualTime()
    ->Iterations(3)
    ->Unit(benchmark::kSecond);
BENCHMARK_CAPTURE(simulate_shipped, smolvla_encoders_edge, "smolvla_encoders_edge")
    ->UseManualTime()
    ->Iterations(3)
    ->Unit(benchmark::kSecond);

}  // namespace

BENCHMARK_MAIN();
