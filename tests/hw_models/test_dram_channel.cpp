// The edges of the DRAM channel. Closed forms of its timings: tests/sim/dram.
#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "hw_models/dram_channel.h"

using namespace tessera::hw;

namespace {

DramDevice ddr4() { return *find_dram_device("DDR4-3200"); }

/// Clocks of a read that finds another row open on an otherwise idle channel.
DramClock conflict_read_clocks(const DramDevice& device) {
  DramPolicy policy;
  policy.refresh = DramRefresh::kOff;
  DramChannel channel(device, policy);
  std::vector<DramCompletion> done;
  channel.accept({0, 0, 1, false, 1}, 0);
  channel.advance(1000, done);
  channel.accept({1, 0, 2, false, 1}, 1001);
  channel.advance(3000, done);
  return done.at(1).last_beats - done.at(1).accepted;
}

}  // namespace

TEST_CASE("a conflict read on an idle channel takes tRP tRCD RL and the burst", "[dram]") {
  CHECK(conflict_read_clocks(ddr4()) == 22 + 22 + 22 + 4);
  for (const DramDevice& device : dram_devices()) {
    INFO(device.name);
    CHECK(conflict_read_clocks(device) == device.unloaded_read_clocks());
    DramDevice wrong = device;
    ++wrong.t.rcd_read;
    CHECK(conflict_read_clocks(wrong) == device.unloaded_read_clocks() + 1);
  }
}

TEST_CASE("a read that meets a refresh waits for its end", "[dram]") {
  const DramDevice device = ddr4();
  const DramClock due = device.t.refresh_interval;
  const auto last_beat = [&](DramClock accepted) {
    DramChannel channel(device, DramPolicy());
    std::vector<DramCompletion> done;
    channel.advance(accepted - 1, done);
    channel.accept({0, 0, 1, false, 1}, accepted);
    channel.advance(due + 2000, done);
    return done.at(0).last_beats;
  };
  const DramClock read = device.t.rcd_read + device.t.read_latency + device.t.burst;
  CHECK(last_beat(due - device.t.rcd_read - 1) == due - device.t.rcd_read - 1 + read);
  CHECK(last_beat(due) == due + device.t.refresh_all + read);
  CHECK(last_beat(due + device.t.refresh_all) == due + device.t.refresh_all + read);
}

TEST_CASE("idle time costs nothing and counts its refreshes", "[dram]") {
  for (const DramRefresh refresh : {DramRefresh::kAllBank, DramRefresh::kPerBank}) {
    const DramDevice device = *find_dram_device("LPDDR4-3200");
    DramPolicy policy;
    policy.refresh = refresh;
    DramChannel channel(device, policy);
    std::vector<DramCompletion> done;
    channel.accept({0, 3, 1, false, 1}, 0);
    const DramClock end = 10'000'000'000'000;  // 6250 s
    channel.advance(end, done);
    CHECK(done.size() == 1);
    const bool all = refresh == DramRefresh::kAllBank;
    CHECK((all ? channel.counts().refreshes_all : channel.counts().refreshes_bank) ==
          end / (all ? device.t.refresh_interval : device.t.refresh_bank_interval));
  }
}

TEST_CASE("a run of bursts is served like its bursts one by one", "[dram]") {
  std::mt19937_64 engine(7);
  for (const DramDevice& device : dram_devices()) {
    INFO(device.name);
    DramChannel runs(device, DramPolicy()), singles(device, DramPolicy());
    std::vector<DramCompletion> run_done, single_done;
    DramClock now = 0;
    for (int i = 0; i < 2000; ++i) {
      DramAccess access{i, static_cast<int>(engine() % device.banks()),
                        static_cast<std::int64_t>(engine() % 3), engine() % 3 == 0,
                        static_cast<int>(engine() % 6) + 1};
      for (; !runs.has_space(access.is_write, access.bursts); ++now) {
        runs.advance(now, run_done);
        singles.advance(now, single_done);
      }
      runs.accept(access, now);
      const int bursts = access.bursts;
      access.bursts = 1;
      for (int burst = 0; burst < bursts; ++burst) singles.accept(access, now);
      now += static_cast<DramClock>(engine() % 8);
    }
    runs.advance(now + 100'000, run_done);
    singles.advance(now + 100'000, single_done);
    REQUIRE(run_done.size() == 2000);
    std::vector<DramClock> last(2000, 0);
    for (const DramCompletion& each : single_done) {
      DramClock& clock = last[static_cast<std::size_t>(each.token)];
      clock = std::max(clock, each.last_beats);
    }
    for (const DramCompletion& each : run_done) {
      REQUIRE(each.last_beats == last[static_cast<std::size_t>(each.token)]);
    }
  }
}

TEST_CASE("bursts of a pseudo channel never overlap on its data bus", "[dram]") {
  std::mt19937_64 engine(3);
  for (const DramDevice& device : dram_devices()) {
    INFO(device.name);
    DramChannel channel(device, DramPolicy());
    std::vector<DramCompletion> done;
    std::vector<int> bank_of;
    DramClock now = 0;
    for (int i = 0; i < 5000; ++i) {
      const DramAccess access{i, static_cast<int>(engine() % device.banks()),
                              static_cast<std::int64_t>(engine() % 4), engine() % 3 == 0, 1};
      for (; !channel.has_space(access.is_write); ++now) channel.advance(now, done);
      channel.accept(access, now);
      bank_of.push_back(access.bank);
    }
    channel.advance(now + 100'000, done);
    REQUIRE(done.size() == 5000);
    std::vector<std::vector<DramClock>> ends(static_cast<std::size_t>(device.pseudo_channels));
    for (const DramCompletion& each : done) {
      const int bank = bank_of[static_cast<std::size_t>(each.token)];
      ends[static_cast<std::size_t>(bank / device.banks_per_rank())].push_back(each.last_beats);
    }
    for (std::vector<DramClock>& of_rank : ends) {
      std::sort(of_rank.begin(), of_rank.end());
      for (std::size_t i = 1; i < of_rank.size(); ++i) {
        REQUIRE(of_rank[i] - of_rank[i - 1] >= device.t.burst);
      }
    }
  }
}

TEST_CASE("a refresh stops its own rank only", "[dram]") {
  DramDevice device = ddr4();
  device.ranks = 2;
  const DramClock due = device.t.refresh_interval / 2;  // of rank 0; rank 1 half an interval later
  const auto clocks = [&](int bank, DramClock accepted) {
    DramChannel channel(device, DramPolicy());
    std::vector<DramCompletion> done;
    channel.advance(accepted - 1, done);
    channel.accept({0, bank, 1, false, 1}, accepted);
    channel.advance(accepted + 2000, done);
    return done.at(0).last_beats - accepted;
  };
  const DramClock read = device.t.rcd_read + device.t.read_latency + device.t.burst;
  CHECK(clocks(0, due) == device.t.refresh_all + read);
  CHECK(clocks(16, due) == 1 + read);  // the refresh command takes the bus for a clock
  CHECK(clocks(16, due + 1) == read);
  CHECK(clocks(0, 2 * due + 1) == read);
  CHECK(clocks(16, 2 * due) == device.t.refresh_all + read);
}

TEST_CASE("a read of another rank waits for the data bus, not for tWTR", "[dram]") {
  DramDevice device = ddr4();
  device.ranks = 2;
  device.t.rank_switch = 4;  // so that the command bus is not what it waits for
  DramPolicy policy;
  policy.refresh = DramRefresh::kOff;
  const auto from_write_to_read = [&](int read_bank) {
    DramChannel channel(device, policy);
    std::vector<DramCompletion> done;
    channel.accept({0, read_bank, 1, false, 1}, 0);  // opens the row
    channel.advance(100, done);
    channel.accept({1, 0, 1, true, 1}, 101);
    channel.advance(101 + device.t.rcd_write, done);
    channel.accept({2, read_bank, 1, false, 1}, 101 + device.t.rcd_write + 1);
    channel.advance(1000, done);
    return done.at(2).last_beats - done.at(1).last_beats;
  };
  CHECK(from_write_to_read(16) == device.t.rank_switch + device.t.burst);
  CHECK(from_write_to_read(4) == device.t.wtr_short + device.t.read_latency + device.t.burst);
}

TEST_CASE("a channel has at most 64 banks", "[dram]") {
  DramDevice device = ddr4();
  device.ranks = 4;
  CHECK_NOTHROW(DramChannel(device, DramPolicy()));
  device.ranks = 8;
  CHECK_THROWS_AS(DramChannel(device, DramPolicy()), std::invalid_argument);
}
