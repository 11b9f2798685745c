// Milliseconds the mapper takes for one shape (target: at most 5 ms each).
#include <benchmark/benchmark.h>

#include "sim/config/config.h"
#include "tests/support/single_operator.h"

namespace {

using namespace tessera;

void map_gemm(benchmark::State& state) {
  const hw::HardwareConfig hardware = sim::load_hardware("edge_32x32");
  const workloads::Graph graph = test::gemm_graph(state.range(0), state.range(1), state.range(2));
  for (auto _ : state) {
    benchmark::DoNotOptimize(sim::map_graph(graph, hardware, {}));
  }
}
BENCHMARK(map_gemm)
    ->Args({1024, 768, 768})
    ->Args({1024, 768, 3072})
    ->Args({1024, 3072, 768})
    ->Args({1024, 64, 1024})
    ->Args({1024, 1024, 64})
    ->Args({50, 960, 960})
    ->Args({50, 960, 2560})
    ->Args({50, 2560, 960})
    ->Args({1, 960, 49152})
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
