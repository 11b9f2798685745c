// Bursts per CPU second of one DRAM channel (targets: 3 M random, 40 M streaming) and whether its
// memory stays flat.
#include <benchmark/benchmark.h>

#include <random>

#include "hw_models/dram_channel.h"

namespace {

using namespace tessera::hw;

DramPolicy policy_of(bool per_bank) {
  DramPolicy policy;
  policy.refresh = per_bank ? DramRefresh::kPerBank : DramRefresh::kAllBank;
  return policy;
}

/// Keeps the read queue full of what `next` makes; counts bursts.
template <typename Next>
void run(benchmark::State& state, const DramDevice& device, Next next) {
  DramChannel channel(device, policy_of(device.t.refresh_bank > 0));
  std::vector<DramCompletion> done;
  DramClock now = 0;
  std::int64_t bursts = 0;
  DramAccess access = next();
  for (auto _ : state) {
    for (int i = 0; i < 1000; ++i) {
      while (!channel.has_space(access.is_write, access.bursts)) {
        // A request's time on the data bus: what a requester that sends such requests waits.
        now = std::max(now + (access.bursts - 1) * device.t.ccd_short, channel.next_command());
        channel.advance(now, done);
        done.clear();
      }
      channel.accept(access, now);
      bursts += access.bursts;
      access = next();
    }
  }
  state.counters["bursts"] =
      benchmark::Counter(static_cast<double>(bursts), benchmark::Counter::kIsRate);
  state.counters["peak"] = static_cast<double>(bursts) * device.t.burst / static_cast<double>(now) /
                           device.pseudo_channels;
}

const DramDevice& device_of(const benchmark::State& state) {
  return dram_devices()[static_cast<std::size_t>(state.range(0))];
}

void random_reads(benchmark::State& state) {
  const DramDevice& device = device_of(state);
  state.SetLabel(device.name);
  std::mt19937_64 engine(1);
  const DramAddressMap map(kDefaultDramOrder, BankHash::kRow, device, 1);
  run(state, device, [&] {
    const DramPlace at = map.place(static_cast<std::int64_t>(engine() & 0xfffffc0));
    return DramAccess{0, at.bank, at.row, false, 1};
  });
}

/// Requests of `bytes`, cut where the bank changes.
void streaming(benchmark::State& state) {
  const DramDevice& device = device_of(state);
  state.SetLabel(device.name);
  const DramAddressMap map(state.range(2) != 0 ? "ro-ba-bg-pc-co" : kDefaultDramOrder,
                           BankHash::kRow, device, 1);
  std::int64_t address = 0;
  const std::int64_t bytes = state.range(1);
  run(state, device, [&] {
    const DramPlace at = map.place(address);
    address = (address + bytes) & 0xfffffff;
    return DramAccess{0, at.bank, at.row, false, static_cast<int>(bytes / device.burst_bytes)};
  });
}

BENCHMARK(random_reads)->DenseRange(0, 5);
// Standard, bytes of a request, 1: rows contiguous.
BENCHMARK(streaming)->Args({1, 64, 0})->Args({1, 256, 0})->Args({1, 1024, 1})->Args({1, 2048, 1});
BENCHMARK(streaming)->Args({2, 128, 0})->Args({2, 1024, 1})->Args({4, 128, 0})->Args({4, 1024, 1});

}  // namespace

BENCHMARK_MAIN();
