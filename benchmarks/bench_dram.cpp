// Bursts per CPU second of one DRAM channel (targets: 3 M random, 40 M streaming) and the share of
// the peak that they reach. Accesses are made before the clock runs.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>

#include "hw_models/dram_channel.h"

namespace {

using namespace tessera::hw;

constexpr Bytes kMiB = 1024 * 1024;
constexpr std::size_t kAccesses = 1 << 16;

struct Traffic {
  explicit Traffic(const DramDevice& of, const char* order = kDefaultDramOrder)
      : device(of), map(order, BankHash::kRow, of, 1) {}
  /// Every burst of [address, address + bytes), joined where bank and row stay.
  void add(std::int64_t address, Bytes bytes, bool is_write) {
    std::vector<DramAccess> chunk;
    for (Bytes done = 0; done < bytes; done += device.burst_bytes) {
      const DramPlace at = map.place(address + done);
      const auto same = [&](const DramAccess& each) {
        return each.bank == at.bank && each.row == at.row;
      };
      const auto found = std::find_if(chunk.begin(), chunk.end(), same);
      if (found == chunk.end()) {
        chunk.push_back({0, at.bank, at.row, is_write, 1});
      } else {
        ++found->bursts;
      }
    }
    accesses.insert(accesses.end(), chunk.begin(), chunk.end());
  }
  bool is_full() const { return accesses.size() >= kAccesses; }

  const DramDevice& device;
  DramAddressMap map;
  std::vector<DramAccess> accesses;
};

/// Keeps the queues full; counts bursts.
void run(benchmark::State& state, const Traffic& traffic) {
  const DramDevice& device = traffic.device;
  state.SetLabel(device.name);
  DramPolicy policy;
  policy.refresh = device.t.refresh_bank > 0 ? DramRefresh::kPerBank : DramRefresh::kAllBank;
  DramChannel channel(device, policy);
  std::vector<DramCompletion> done;
  DramClock now = 0;
  std::int64_t bursts = 0;
  std::size_t cursor = 0;
  for (auto _ : state) {
    for (int i = 0; i < 1000; ++i) {
      const DramAccess& access = traffic.accesses[cursor];
      cursor = (cursor + 1) % traffic.accesses.size();
      while (!channel.has_space(access.is_write, access.bursts)) {
        // A request's time on the data bus: what a requester that sends such requests waits.
        now = std::max(now + access.bursts * device.t.burst, channel.next_command());
        channel.advance(now, done);
        done.clear();
      }
      channel.accept(access, now);
      bursts += access.bursts;
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
  Traffic traffic(device_of(state));
  std::mt19937_64 engine(1);
  const std::int64_t last = 256 * kMiB - traffic.device.burst_bytes;
  while (!traffic.is_full()) {
    traffic.add(static_cast<std::int64_t>(engine()) & last, traffic.device.burst_bytes, false);
  }
  run(state, traffic);
}

/// Chunks of range(1) bytes in order.
void stream(benchmark::State& state, const char* order) {
  Traffic traffic(device_of(state), order);
  const Bytes bytes = state.range(1);
  for (Bytes at = 0; !traffic.is_full(); at += bytes) traffic.add(at, bytes, false);
  run(state, traffic);
}

void streaming(benchmark::State& state) { stream(state, kDefaultDramOrder); }
void streaming_in_rows(benchmark::State& state) { stream(state, "ro-ba-bg-pc-co"); }

/// Two streams of reads and one of writes, 4 KiB of each in turn, in chunks of 256 B.
void mixed_streams(benchmark::State& state) {
  constexpr Bytes kTurn = 4096, kChunk = 256;
  Traffic traffic(device_of(state));
  for (Bytes turn = 0; !traffic.is_full(); turn += kTurn) {
    for (int which = 0; which < 3; ++which) {
      for (Bytes at = turn; at < turn + kTurn; at += kChunk) {
        traffic.add(which * 64 * kMiB + at, kChunk, which == 2);
      }
    }
  }
  run(state, traffic);
}

BENCHMARK(random_reads)->DenseRange(0, 5);
BENCHMARK(streaming)->ArgsProduct({{0, 1, 2, 3, 4, 5}, {256}})->Args({1, 64})->Args({4, 32});
BENCHMARK(streaming_in_rows)->Args({1, 1024})->Args({2, 1024})->Args({4, 1024})->Args({5, 256});
BENCHMARK(mixed_streams)->DenseRange(0, 5);

}  // namespace

BENCHMARK_MAIN();
