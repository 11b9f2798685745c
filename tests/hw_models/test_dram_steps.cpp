// A DRAM channel books runs of commands where nothing can come between. Whether it may is told by
// the same channel advanced clock by clock, which cannot.
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "hw_models/dram_channel.h"

using namespace tessera::hw;

namespace {

constexpr int kAccesses = 300;

/// Accesses of up to 256 B: streams in turn, tiles of a power of two pitch, or random.
class Traffic {
 public:
  Traffic(const DramDevice& device, std::uint64_t seed)
      : device_(device), map_(order(seed), hash(seed), device, 1), engine_(seed) {
    streams_ = one_of({0, 1, 3});
    chunk_ = one_of({1, 2, 4, 8}) * device.burst_bytes;
    stride_ = one_of({1, 1, 16}) * chunk_;
    writes_ = one_of({0, 1, 2, 4});
  }

  DramAccess next() {
    const std::int64_t turn = count_ / 16;
    std::int64_t address = static_cast<std::int64_t>(engine_() & 0xfffffff) & -chunk_;
    if (streams_ > 0) address = count_ * stride_ + turn % streams_ * (64 << 20);
    const DramPlace at = map_.place(address);
    const bool is_write = streams_ > 1 ? turn % 3 == 2 : static_cast<int>(engine_() % 4) < writes_;
    const int bursts = static_cast<int>(chunk_ / device_.burst_bytes);
    return {count_++, at.bank, at.row, is_write, bursts};
  }
  int gap() { return static_cast<int>(engine_() % 400 == 0 ? engine_() % 20'000 : engine_() % 30); }
  int one_of(std::initializer_list<int> values) {
    return *(values.begin() + engine_() % values.size());
  }

 private:
  static std::string order(std::uint64_t seed) {
    const std::string orders[]{kDefaultDramOrder, "ro-ra-ba-bg-pc-co", "ro-cohi-ba-bg-ra-co[1:0]"};
    return orders[seed % 3];
  }
  static BankHash hash(std::uint64_t seed) { return static_cast<BankHash>(seed / 3 % 3); }

  const DramDevice& device_;
  DramAddressMap map_;
  std::mt19937_64 engine_;
  int streams_ = 0, writes_ = 0;
  Bytes chunk_ = 0, stride_ = 0;
  std::int64_t count_ = 0;
};

DramPolicy random_policy(const DramDevice& device, Traffic& traffic) {
  DramPolicy policy;
  policy.drain_above = traffic.one_of({4, 16, 26});
  policy.drain_to = traffic.one_of({0, 2, 3});
  policy.refresh = static_cast<DramRefresh>(traffic.one_of({0, 1, 2}));
  if (device.t.refresh_bank == 0) policy.refresh = DramRefresh::kAllBank;
  policy.stagger_refresh = traffic.one_of({0, 1}) != 0;
  return policy;
}

struct Channel {
  Channel(const DramDevice& device, const DramPolicy& policy) : channel(device, policy) {}
  void advance_by_clocks(DramClock from, DramClock until) {
    for (DramClock clock = from; clock <= until; ++clock) channel.advance(clock, done);
  }
  DramChannel channel;
  std::vector<DramCompletion> done;
};

bool same(const DramCompletion& one, const DramCompletion& other) {
  return one.token == other.token && one.is_write == other.is_write &&
         one.accepted == other.accepted && one.first_beats == other.first_beats &&
         one.last_beats == other.last_beats;
}

bool same(const DramCommandCounts& one, const DramCommandCounts& other) {
  return one.activates == other.activates && one.precharges == other.precharges &&
         one.reads == other.reads && one.writes == other.writes &&
         one.refreshes_all == other.refreshes_all && one.refreshes_bank == other.refreshes_bank;
}

void compare_steps(const DramDevice& device, std::uint64_t seed) {
  Traffic traffic(device, seed);
  const DramPolicy policy = random_policy(device, traffic);
  Channel runs(device, policy), steps(device, policy);
  DramClock now = 0;
  for (int i = 0; i < kAccesses; ++i) {
    const DramAccess access = traffic.next();
    const auto has_space = [&](const Channel& of) {
      return of.channel.has_space(access.is_write, access.bursts);
    };
    for (DramClock wait = traffic.gap(); wait > 0 || !has_space(runs); wait = traffic.gap() % 64) {
      steps.advance_by_clocks(now, now + wait);
      runs.channel.advance(now + wait, runs.done);
      now += wait + 1;
      REQUIRE(has_space(runs) == has_space(steps));
      REQUIRE(runs.channel.next_command() == steps.channel.next_command());
      if (has_space(runs)) break;
    }
    runs.channel.accept(access, now);
    steps.channel.accept(access, now);
  }
  runs.channel.advance(now + 50'000, runs.done);
  steps.advance_by_clocks(now, now + 50'000);
  REQUIRE(runs.done.size() == kAccesses);
  CHECK(std::equal(runs.done.begin(), runs.done.end(), steps.done.begin(), steps.done.end(),
                   [](const auto& one, const auto& other) { return same(one, other); }));
  CHECK(same(runs.channel.counts(), steps.channel.counts()));
}

}  // namespace

TEST_CASE("a channel told of a long time does what it does clock by clock", "[dram]") {
  for (DramDevice device : dram_devices()) {
    for (const int ranks : {1, 2}) {
      device.ranks = ranks;
      for (std::uint64_t seed = 0; seed < 36; ++seed) {
        INFO(device.name << ", " << ranks << " ranks, seed " << seed);
        compare_steps(device, seed);
      }
    }
  }
}
