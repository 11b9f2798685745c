// The `timing` DRAM behind the machine, and its channels behind their queues.
#include <catch2/catch.hpp>
#include <memory>
#include <random>

#include "hw_models/dram_estimate.h"
#include "hw_models/dram_lane.h"
#include "sim/simulation/simulate.h"
#include "tests/support/tiny_machine.h"

using namespace tessera;
using hw::Bytes;
using hw::Counters;
using hw::Cycles;
using hw::DramClock;
using hw::HardwareConfig;
using hw::TrafficClass;
using test::ProgramWriter;

namespace {

constexpr hw::Femtoseconds kCoreCycle = 1'000'000;

/// The tiny machine in front of one DDR4-3200 channel without refresh: 64-byte bursts, tCK 625 ps.
HardwareConfig timing_machine(const char* standard = "DDR4-3200") {
  HardwareConfig machine = test::tiny_machine();
  hw::DramConfig& dram = machine.dram;
  dram.model = hw::DramModel::kTiming;
  dram.standard = standard;
  dram.device = *hw::find_dram_device(standard);
  dram.channels = dram.device.pseudo_channels;
  dram.peak_bytes_per_second = dram.device.peak_bytes_per_second();
  dram.burst = dram.device.burst_bytes;
  dram.row = dram.device.bursts_per_row * dram.burst;
  dram.order = hw::machine_dram_order(dram.device, 1);
  dram.policy.refresh = hw::DramRefresh::kOff;
  dram.controller_fs = 0;
  return machine;
}

Counters run(const std::vector<hw::Command>& commands, const HardwareConfig& machine,
             std::uint64_t noise = 0) {
  sim::SimulateOptions options;
  options.noise_seed = noise;
  return sim::simulate_isolated(
      machine, [&] { return std::make_unique<test::ListedProgram>(commands); }, 2, options);
}

Cycles core_cycles(DramClock clocks, const HardwareConfig& machine) {
  return hw::ceil_div(clocks * machine.dram.device.clock_fs, kCoreCycle);
}

const hw::DramStream& stream(const Counters& counters, int op, TrafficClass traffic) {
  return counters.operators[static_cast<std::size_t>(op)]
      .dram_streams[static_cast<std::size_t>(traffic)];
}

/// Loads `rows` rows of 256 bytes, `pitch` bytes apart.
std::vector<hw::Command> strided_load(std::int64_t rows, Bytes pitch) {
  ProgramWriter program;
  const auto load = program.load(0, 0, {1, 0, rows * 256}, TrafficClass::kWeights);
  hw::StridedRange& range = program.at(load).transfer.dram;
  range.row_bytes = 256;
  range.count[0] = rows;
  range.stride[0] = pitch;
  return program.take();
}

}  // namespace

TEST_CASE("a read of a closed bank takes activate, read and burst") {
  const HardwareConfig machine = timing_machine();
  const hw::DramTimings& t = machine.dram.device.t;
  ProgramWriter program;
  program.load(0, 0, {1, 0, 64}, TrafficClass::kWeights);
  const Counters counters = run(program.take(), machine);
  CHECK(counters.total == core_cycles(t.rcd_read + t.read_latency + t.burst, machine));
  CHECK(counters.dram_commands.activates == 1);
  CHECK(counters.dram_commands.reads == 1);
  CHECK(stream(counters, 0, TrafficClass::kWeights).bursts == 1);
  CHECK(stream(counters, 0, TrafficClass::kWeights).activates == 1);

  HardwareConfig slower = machine;
  slower.dram.controller_fs = 30 * kCoreCycle;
  ProgramWriter again;
  again.load(0, 0, {1, 0, 64}, TrafficClass::kWeights);
  CHECK(run(again.take(), slower).total == counters.total + 30);
}

TEST_CASE("a long load streams at the peak but for refresh") {
  HardwareConfig machine = timing_machine();
  const auto fraction = [&] {
    ProgramWriter program;
    for (int i = 0; i < 16; ++i) program.load(0, 0, {1, 0, 65536}, TrafficClass::kWeights);
    const Counters counters = run(program.take(), machine);
    CHECK(counters.dram_commands.reads == 16 * 65536 / 64);
    return 16.0 * 65536 / (static_cast<double>(counters.total) * 25.6);
  };
  CHECK(fraction() > 0.99);
  machine.dram.policy.refresh = hw::DramRefresh::kAllBank;
  const hw::DramTimings& t = machine.dram.device.t;
  const double refresh = static_cast<double>(t.refresh_all) / t.refresh_interval;
  CHECK(fraction() == Approx(1 - refresh).margin(0.015));
}

TEST_CASE("a store is done once it is in a write queue, and still written") {
  const HardwareConfig machine = timing_machine();
  ProgramWriter program;
  program.store(0, {0, 0, 64});
  program.load(1, 0, {1, 0, 64}, TrafficClass::kWeights);
  const Counters counters = run(program.take(), machine);
  const hw::DramTimings& t = machine.dram.device.t;
  CHECK(counters.operators[0].last_retired < core_cycles(t.rcd_write + t.write_latency, machine));
  CHECK(stream(counters, 0, TrafficClass::kOutputs).bursts == 1);
  CHECK(counters.dram_commands.writes == 1);
}

TEST_CASE("rows that fall into one bank group cost half, hashed rows do not") {
  HardwareConfig machine = timing_machine();
  const auto commands = strided_load(256, 4096);  // 256 B to a bank group, then the next: one group
  machine.dram.hash = hw::BankHash::kNone;
  const Counters bad = run(commands, machine);
  machine.dram.hash = hw::BankHash::kRow;
  const Counters hashed = run(commands, machine);
  const Counters contiguous = run(strided_load(256, 256), machine);
  CHECK(bad.total > 1.8 * static_cast<double>(contiguous.total));
  CHECK(hashed.total < bad.total);
}

TEST_CASE("a tile of a tiled matrix lies in fewer rows of the DRAM") {
  HardwareConfig machine = timing_machine();
  machine.dram.hash = hw::BankHash::kNone;
  auto commands = strided_load(64, 131072);  // each in another row of one bank
  const Counters row_major = run(commands, machine);
  commands[0].transfer.dram.tiling = {0, 131072, 64, 64, 256};
  const Counters tiled = run(commands, machine);
  CHECK(stream(row_major, 0, TrafficClass::kWeights).activates == 64);
  CHECK(stream(tiled, 0, TrafficClass::kWeights).activates == 16);  // 16 KiB: 1 KiB to each bank
  CHECK(tiled.total < row_major.total);
}

TEST_CASE("the timing DRAM does not depend on the order of events") {
  HardwareConfig machine = timing_machine("LPDDR5-6400");
  machine.dram.policy.refresh = hw::DramRefresh::kPerBank;
  ProgramWriter program;
  for (int i = 0; i < 20; ++i) {
    program.load(0, i % 2, {1, (i % 4) * 4096, 4096}, TrafficClass::kWeights);
    program.store(1, {0, (i % 4) * 2048, 2048});
  }
  const auto commands = program.take();
  const Counters plain = run(commands, machine);
  for (std::uint64_t noise = 1; noise <= 3; ++noise) {
    const Counters noisy = run(commands, machine, noise);
    CHECK(noisy.total == plain.total);
    CHECK(noisy.dram_commands.activates == plain.dram_commands.activates);
    CHECK(stream(noisy, 0, TrafficClass::kWeights).in_flight ==
          stream(plain, 0, TrafficClass::kWeights).in_flight);
  }
}

TEST_CASE("a stream is in flight while it has a request at the DRAM") {
  const HardwareConfig machine = timing_machine();
  ProgramWriter program;
  const auto first = program.load(0, 0, {1, 0, 64}, TrafficClass::kWeights);
  program.load(0, 0, {1, 0, 64}, TrafficClass::kWeights, {ProgramWriter::raw(first)});
  const Counters counters = run(program.take(), machine);
  const hw::DramTimings& t = machine.dram.device.t;
  const DramClock busy = t.rcd_read + 2 * (t.read_latency + t.burst);  // a miss, then a hit
  const hw::Femtoseconds in_flight = stream(counters, 0, TrafficClass::kWeights).in_flight;
  CHECK(in_flight >= busy * machine.dram.device.clock_fs);
  CHECK(in_flight < (busy + 4) * machine.dram.device.clock_fs);
  CHECK(stream(counters, 0, TrafficClass::kWeights).activates == 1);
}

namespace {

using Arrivals = std::vector<std::pair<hw::DramAccess, DramClock>>;

/// Single accesses anywhere: few hits, rows that compete.
Arrivals scattered(const hw::DramDevice& device, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  Arrivals arrivals;
  DramClock clock = 0;
  for (int i = 0; i < 3000; ++i) {
    clock += static_cast<DramClock>(engine() % 24);
    const auto bank = static_cast<int>(engine() % static_cast<unsigned>(device.banks()));
    arrivals.push_back({{i, bank, static_cast<std::int64_t>(engine() % 8), engine() % 3 == 0,
                         static_cast<int>(1 + engine() % 8)},
                        clock});
  }
  return arrivals;
}

/// Two streams of reads and one of writes over all banks, with pauses and jumps.
Arrivals streams(const hw::DramDevice& device, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  const hw::DramAddressMap map(hw::machine_dram_order(device, 1), hw::BankHash::kRow, device, 1);
  Arrivals arrivals;
  DramClock clock = 0;
  std::int64_t at[3] = {0, 1 << 26, 1 << 27};
  for (int i = 0; i < 1000; ++i) {
    const std::size_t stream = engine() % 3;
    clock += static_cast<DramClock>(engine() % (i % 10 == 0 ? 400 : 30));
    for (std::uint64_t piece = engine() % 8 + 1; piece > 0; --piece) {
      const hw::DramPlace place = map.place(at[stream]);
      const auto bursts = static_cast<int>(256 / device.burst_bytes);
      arrivals.push_back(
          {{static_cast<std::int64_t>(arrivals.size()), place.bank, place.row, stream == 2, bursts},
           clock});
      at[stream] += engine() % 50 == 0 ? 256 * 1000 : 256;
    }
  }
  return arrivals;
}

/// (token, first, last) of every read, and of every write as it enters its queue, told of all
/// arrivals of the next `step` clocks at a time.
auto completions(const hw::DramDevice& device, const hw::DramPolicy& policy,
                 const Arrivals& arrivals, DramClock step) {
  hw::DramLane lane(device, policy);
  hw::DramProgress progress;
  std::size_t next = 0;
  for (DramClock now = 0; progress.read.size() + progress.entered.size() < arrivals.size();
       now += step) {
    for (; next < arrivals.size() && arrivals[next].second <= now + step; ++next) {
      lane.add(arrivals[next].first, arrivals[next].second);
    }
    lane.run(now + step, progress);
  }
  std::vector<std::tuple<std::int64_t, DramClock, DramClock>> all;
  for (const auto* list : {&progress.read, &progress.entered}) {
    for (const hw::DramCompletion& each : *list) {
      all.emplace_back(each.token, each.first_beats, each.last_beats);
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

TEST_CASE("a channel can run ahead as far as its accesses are known") {
  for (const hw::DramDevice& device : hw::dram_devices()) {
    hw::DramPolicy policy{64, 64, 54, 12};
    const bool per_bank = device.t.refresh_bank_interval > 0;
    policy.refresh = per_bank ? hw::DramRefresh::kPerBank : hw::DramRefresh::kAllBank;
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      for (const Arrivals& arrivals : {scattered(device, seed), streams(device, seed)}) {
        INFO(device.name << ", seed " << seed << ", " << arrivals.size() << " accesses");
        const auto careful = completions(device, policy, arrivals, 1);
        for (const DramClock step : {7, 50, 1000, 1'000'000}) {
          CHECK((completions(device, policy, arrivals, step) == careful));
        }
      }
    }
  }
}

TEST_CASE("what prices expect of a DRAM is what streams through it") {
  const HardwareConfig machine = timing_machine();
  const double share = hw::estimate_sustained_fraction(machine.dram);
  CHECK(share > 0.7);
  CHECK(share < 1.0);
  HardwareConfig slow_turnaround = machine;
  slow_turnaround.dram.device.t.wtr_long *= 4;
  slow_turnaround.dram.device.t.wtr_short *= 4;
  CHECK(hw::estimate_sustained_fraction(slow_turnaround.dram) < share);
}
