// Clock edges and transfer times: integers, never an accumulated period.
#include <catch2/catch.hpp>
#include <random>

#include "hw_models/dram_controller.h"
#include "hw_models/units.h"

using tessera::hw::Clock;
using tessera::hw::Femtoseconds;

namespace {

constexpr std::int64_t kFsPerSecond = 1'000'000'000'000'000;
const std::int64_t kFrequencies[] = {1,
                                     50'000'000,
                                     333'333'333,
                                     799'999'999,
                                     800'000'000,
                                     933'333'334,
                                     1'000'000'000,
                                     1'066'666'667,
                                     1'600'000'000,
                                     2'400'000'000,
                                     7'000'000'001};

/// ceil(n * 10^15 / f) without the closed form: whole seconds first, the rest in 128 bits.
Femtoseconds edge_of(std::int64_t n, std::int64_t hz) {
  const Femtoseconds seconds = n / hz * kFsPerSecond;
  const __int128 rest = static_cast<__int128>(n % hz) * kFsPerSecond;
  return seconds + static_cast<Femtoseconds>(rest / hz + (rest % hz != 0 ? 1 : 0));
}

}  // namespace

TEST_CASE("a clock edge lies at the exact time rounded up to a femtosecond") {
  std::mt19937_64 random(1);
  for (const std::int64_t hz : kFrequencies) {
    const Clock clock(hz);
    INFO("hz " << hz);
    CHECK(clock.edge(0) == 0);
    CHECK(clock.edge(hz) == kFsPerSecond);  // a second is a whole number of cycles, no drift
    for (int i = 0; i < 500; ++i) {
      const auto n = static_cast<std::int64_t>(random() % (hz < 1000 ? 1000 : 1'000'000'000));
      CHECK(clock.edge(n) == edge_of(n, hz));
    }
  }
  CHECK(Clock(800'000'000).edge(3) == 3'750'000);
  CHECK(Clock(1'600'000'000).edge(1) == 625'000);
  CHECK(Clock(333'333'333).edge(1) == 3'000'001);  // 3000000.003 rounded up
}

TEST_CASE("the edge at or after a time and the edge at or before it enclose the time") {
  std::mt19937_64 random(2);
  for (const std::int64_t hz : kFrequencies) {
    const Clock clock(hz);
    INFO("hz " << hz);
    for (int i = 0; i < 2000; ++i) {
      const auto t =
          static_cast<Femtoseconds>(random() % (i < 100 ? 100'000'000 : 1'000 * kFsPerSecond));
      const std::int64_t after = clock.edge_at_or_after(t);
      const std::int64_t before = clock.edge_at_or_before(t);
      REQUIRE(clock.edge(after) >= t);
      if (after > 0) REQUIRE(clock.edge(after - 1) < t);
      REQUIRE(clock.edge(before) <= t);
      REQUIRE(clock.edge(before + 1) > t);
      REQUIRE((after == before || after == before + 1));
    }
  }
}

TEST_CASE("the edge found at the time of an edge is that edge") {
  std::mt19937_64 random(3);
  for (const std::int64_t hz : kFrequencies) {
    const Clock clock(hz);
    INFO("hz " << hz);
    for (int i = 0; i < 2000; ++i) {
      const auto n = static_cast<std::int64_t>(random() % (hz < 1000 ? 1000 : 1'000'000'000));
      REQUIRE(clock.edge_at_or_after(clock.edge(n)) == n);
      REQUIRE(clock.edge_at_or_before(clock.edge(n)) == n);
      REQUIRE(clock.edge_at_or_after(clock.edge(n) + 1) == n + 1);
      if (n > 0) REQUIRE(clock.edge_at_or_before(clock.edge(n) - 1) == n - 1);
    }
  }
}

TEST_CASE("a transfer takes its bytes over the bandwidth rounded up to a femtosecond") {
  using tessera::hw::transfer_time;
  CHECK(transfer_time(0, 16'000'000'000) == 0);
  CHECK(transfer_time(64, 25'600'000'000) == 2'500'000);
  CHECK(transfer_time(1, 3) == kFsPerSecond / 3 + 1);
  CHECK(transfer_time(3, 3) == kFsPerSecond);
  std::mt19937_64 random(4);
  for (int i = 0; i < 2000; ++i) {
    const auto bytes = static_cast<std::int64_t>(random() % (1 << 30));
    const auto rate = static_cast<std::int64_t>(1'000'000 + random() % 2'000'000'000'000);
    const __int128 exact = static_cast<__int128>(bytes) * kFsPerSecond;
    const __int128 time = transfer_time(bytes, rate);
    REQUIRE(time * rate >= exact);
    REQUIRE((time - 1) * rate < exact);
  }
}
