// The DRAM model under reference patterns against the closed forms of its timings. Each form fails
// when one timing is wrong.
#include <catch2/catch.hpp>

#include "sim/dram/traffic.h"

using namespace tessera::hw;
using namespace tessera::sim;

namespace {

TrafficRules without_refresh() {
  TrafficRules rules;
  rules.policy.refresh = DramRefresh::kOff;
  return rules;
}

TrafficResult run(const DramDevice& device, const std::string& order, const std::string& pattern,
                  const TrafficRules& rules, BankHash hash = BankHash::kNone) {
  const DramAddressMap map(order, hash, device, 1);
  return run_traffic(device, 1, map, rules, dram_traffic(pattern, device.burst_bytes).bursts);
}

double sustained(const DramDevice& device, const std::string& order, const std::string& pattern,
                 const TrafficRules& rules, BankHash hash = BankHash::kNone) {
  return run(device, order, pattern, rules, hash).sustained_fraction;
}

DramDevice ddr4() { return *find_dram_device("DDR4-3200"); }

}  // namespace

TEST_CASE("streaming over bank groups loses refresh and 0 to 1 percent of the peak", "[dram]") {
  const auto lost = [](const DramDevice& device) {
    return 1.0 - static_cast<double>(device.t.refresh_all) / device.t.refresh_interval -
           sustained(device, kDefaultDramOrder, "seq_rd_4194304", {});
  };
  for (const char* name : {"DDR4-2400", "DDR4-3200", "LPDDR4-3200", "LPDDR4-4266"}) {
    INFO(name);
    const double rest = lost(*find_dram_device(name));
    CHECK(rest > 0.0);
    CHECK(rest < 0.02);
  }
  CHECK(lost(ddr4()) == Approx(0.004).margin(0.001));
  CHECK(sustained(ddr4(), kDefaultDramOrder, "seq_rd_4194304", without_refresh()) > 0.9995);

  DramDevice wrong = ddr4();
  wrong.t.refresh_all = wrong.t.refresh_all * 5 / 4;
  const double right_form = 1.0 - 576.0 / 12480 - 0.004;
  CHECK(sustained(wrong, kDefaultDramOrder, "seq_rd_4194304", {}) < right_form - 0.005);
}

TEST_CASE("streaming inside one bank group runs at burst over tCCD_L", "[dram]") {
  const std::string one_group = "bg-ro-ba-co";
  CHECK(sustained(ddr4(), one_group, "seq_rd_4194304", without_refresh()) ==
        Approx(4.0 / 8).epsilon(0.002));
  DramDevice wrong = ddr4();
  wrong.t.ccd_long = 7;
  CHECK(sustained(wrong, one_group, "seq_rd_4194304", without_refresh()) > 0.55);
}

TEST_CASE("random bursts are bound by four activates in tFAW", "[dram]") {
  const auto bound = [](const DramDevice& device) { return 4.0 * device.t.burst / device.t.faw; };
  CHECK(sustained(ddr4(), kDefaultDramOrder, "rand_2097152", without_refresh()) ==
        Approx(bound(ddr4())).epsilon(0.01));
  CHECK(sustained(ddr4(), kDefaultDramOrder, "rand_2097152", {}) == Approx(0.445).epsilon(0.01));
  DramDevice wrong = ddr4();
  wrong.t.faw = 31;
  CHECK(sustained(wrong, kDefaultDramOrder, "rand_2097152", without_refresh()) >
        1.05 * bound(ddr4()));
}

TEST_CASE("a power of two row pitch falls into one bank group unless hashed", "[dram]") {
  const std::string tiles = "tile_128_128_1024_2097152";
  CHECK(sustained(ddr4(), kDefaultDramOrder, tiles, {}) == Approx(0.50).margin(0.02));
  CHECK(sustained(ddr4(), kDefaultDramOrder, tiles, {}, BankHash::kColumn) > 0.8);
  CHECK(sustained(ddr4(), "ro-ba-bg-co", tiles, {}) > 0.94);
}

TEST_CASE("a pattern touches the bursts of its bytes in program order", "[dram]") {
  const DramTraffic tiles = dram_traffic("tile_2_32_96_192", 64);
  std::vector<std::int64_t> addresses;
  for (const TrafficBurst& burst : tiles.bursts) addresses.push_back(burst.address);
  // Rows of 32 bytes at 0, 96 (to 128), 32, 128, 64, 160.
  CHECK(addresses == std::vector<std::int64_t>{0, 64, 0, 128, 64, 128});
  CHECK(tiles.useful_bytes == 192);
  const DramTraffic mix = dram_traffic("mix_64_384_stagger", 64);
  REQUIRE(mix.bursts.size() == 6);
  CHECK(mix.bursts[2].is_write);
  CHECK(mix.bursts[2].address == 2 * (64 << 20) + 11 * 1024);
  CHECK(mix.bursts[3].address == 64);
  CHECK_FALSE(mix.bursts[3].is_write);
  CHECK(dram_traffic("seq_wr_100", 64).bursts.size() == 2);
  CHECK(dram_traffic("rand_128", 32).bursts.size() == 4);
}

TEST_CASE("commands of a stream are its bursts and rows", "[dram]") {
  const TrafficResult made = run(ddr4(), kDefaultDramOrder, "seq_rd_65536", without_refresh());
  CHECK(made.counts.reads == 1024);
  CHECK(made.counts.writes == 0);
  CHECK(made.counts.activates == ddr4().banks());  // 4 KiB of a row in each
  CHECK(made.row_hit_rate == Approx(1.0 - 16.0 / 1024));
  CHECK(made.sustained_fraction == Approx(4.0 * 1024 / static_cast<double>(made.clocks)));
  CHECK(made.mean_read_ns <= made.p99_read_ns);
}

TEST_CASE("one outstanding read waits for the one before", "[dram]") {
  TrafficRules one = without_refresh();
  one.queue_depth = 1;
  const TrafficResult made = run(ddr4(), kDefaultDramOrder, "seq_rd_8192", one);
  const DramTimings t = ddr4().t;
  // Row hits: read latency, burst and the response's clock each.
  CHECK(made.clocks >= 128 * (t.read_latency + t.burst + one.response_clocks));
  CHECK(made.sustained_fraction < 0.16);
}

TEST_CASE("ranks in turn leave the data bus idle for tRTRS", "[dram]") {
  DramDevice device = ddr4();
  device.ranks = 2;
  const std::string rank_by_burst = "bg-ro-ba-co-ra";  // in one bank group: tCCD_L is longer
  CHECK(sustained(device, rank_by_burst, "seq_rd_4194304", without_refresh()) ==
        Approx(4.0 / (4 + 2)).epsilon(0.01));
  device.t.rank_switch = 3;
  CHECK(sustained(device, rank_by_burst, "seq_rd_4194304", without_refresh()) ==
        Approx(4.0 / (4 + 3)).epsilon(0.01));
}

TEST_CASE("each rank has its own four activates in tFAW", "[dram]") {
  DramDevice device = ddr4();
  device.ranks = 2;
  device.t.faw = 96;  // far above what banks and data bus allow
  const double one_rank = 4.0 * device.t.burst / device.t.faw;
  CHECK(sustained(device, "ra-ro-ba-bg-co", "rand_2097152", without_refresh()) ==
        Approx(one_rank).epsilon(0.01));
  CHECK(sustained(device, "ro-ba-bg-ra-co", "rand_2097152", without_refresh()) ==
        Approx(2 * one_rank).epsilon(0.05));
}
