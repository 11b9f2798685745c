// Who gets how much of a bank: bytes by bank, shares of streams, conflicts with the DMA.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "hw_models/bank_sharing.h"
#include "hw_models/kernel/paced_work.h"

using namespace tessera::hw;

namespace {

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::int64_t pick(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(engine_);
  }

 private:
  std::mt19937_64 engine_;
};

BufferConfig buffer(Random& random) {
  BufferConfig b;
  b.banks = static_cast<int>(random.pick(1, 9));
  b.capacity = b.banks * random.pick(1, 300) + random.pick(0, b.banks - 1);
  b.bank_mapping = random.pick(0, 1) != 0 ? BankMapping::kInterleaved : BankMapping::kBlocked;
  b.interleave = random.pick(1, 40);
  return b;
}

Region region_in(const BufferConfig& b, Random& random) {
  Region region{0, 0, random.pick(1, b.capacity)};
  region.offset = random.pick(0, b.capacity - region.bytes);
  return region;
}

/// Byte by byte. Blocked: equal blocks, the last bank takes what does not divide.
std::map<int, Bytes> bytes_by_bank(const BufferConfig& b, const Region& region) {
  std::map<int, Bytes> found;
  for (Bytes at = region.offset; at < region.offset + region.bytes; ++at) {
    Bytes bank = 0;
    if (b.bank_mapping == BankMapping::kInterleaved) {
      bank = at / b.interleave % b.banks;
    } else {
      bank = std::min<Bytes>(at / (b.capacity / b.banks), b.banks - 1);
    }
    ++found[static_cast<int>(bank)];
  }
  return found;
}

}  // namespace

TEST_CASE("every byte of a region lies in exactly one bank") {
  Random random(1);
  for (int i = 0; i < 2000; ++i) {
    const BufferConfig b = buffer(random);
    const Region region = region_in(b, random);
    std::map<int, Bytes> found;
    Bytes sum = 0;
    for (const BankShare& share : bank_shares(b, region)) {
      REQUIRE(share.bytes > 0);
      REQUIRE(found.count(share.bank) == 0);
      found[share.bank] = share.bytes;
      sum += share.bytes;
    }
    REQUIRE(sum == region.bytes);
    REQUIRE(found == bytes_by_bank(b, region));
  }
}

TEST_CASE("accesses spread over the banks as the bytes do and never grow") {
  Random random(2);
  for (int i = 0; i < 1000; ++i) {
    const BufferConfig b = buffer(random);
    const Region region = region_in(b, random);
    const std::int64_t accesses = random.pick(1, 5000);
    const Cycles cycles = random.pick(1, 5000);
    std::vector<BankRate> rates;
    add_rates(rates, b, region, accesses, cycles);
    const std::map<int, Bytes> bytes = bytes_by_bank(b, region);
    double total = 0;
    for (const BankRate& rate : rates) {
      const double exact = static_cast<double>(accesses) *
                           static_cast<double>(bytes.at(rate.bank)) /
                           static_cast<double>(region.bytes) / static_cast<double>(cycles);
      REQUIRE(static_cast<double>(rate.rate) <= exact * kFullRate + 1e-6 * kFullRate);
      REQUIRE(static_cast<double>(rate.rate) > exact * kFullRate - 1.001);
      total += static_cast<double>(rate.rate) / kFullRate;
    }
    REQUIRE(total <= static_cast<double>(accesses) / static_cast<double>(cycles) + 1e-6);
    // A second operand in the same banks adds to the same entries.
    const std::vector<BankRate> once = rates;
    add_rates(rates, b, region, accesses, cycles);
    REQUIRE(rates.size() == once.size());
    for (std::size_t j = 0; j < rates.size(); ++j) REQUIRE(rates[j].rate == 2 * once[j].rate);
  }
}

namespace {

Rate granted(const BankDemand& demand, Rate speed) {
  return demand.rate * std::min(speed, demand.pace) / kFullRate;
}

}  // namespace

TEST_CASE("a bank grants no more than its ports and wastes nothing that is asked for") {
  Random random(3);
  for (int i = 0; i < 20000; ++i) {
    std::vector<BankDemand> demands;
    for (std::int64_t users = random.pick(1, 5); users > 0; --users) {
      const auto user = static_cast<BankUser>(random.pick(0, 2));
      const Rate pace = random.pick(0, 3) == 0 ? random.pick(0, kFullRate) : kFullRate;
      demands.push_back({user, random.pick(0, 2 * kFullRate), pace});
    }
    const int ports = static_cast<int>(random.pick(1, 2));
    const auto policy = static_cast<BankPolicy>(random.pick(0, 2));
    const std::vector<Rate> speeds = share_bank(demands, ports, policy);
    Rate wanted = 0, taken = 0;
    bool all_at_full_speed = true;
    for (std::size_t j = 0; j < demands.size(); ++j) {
      REQUIRE(speeds[j] >= 0);
      REQUIRE(speeds[j] <= kFullRate);
      wanted += granted(demands[j], kFullRate);
      taken += granted(demands[j], speeds[j]);
      all_at_full_speed = all_at_full_speed && speeds[j] >= demands[j].pace;
    }
    INFO("case " << i << " wanted " << wanted << " taken " << taken << " ports " << ports);
    const auto users = static_cast<Rate>(demands.size());
    REQUIRE(taken <= kFullRate * ports);
    if (wanted <= kFullRate * ports) REQUIRE(all_at_full_speed);
    const Rate rounding = 8 * users;
    const bool everyone_at_work =
        std::all_of(demands.begin(), demands.end(),
                    [](const BankDemand& demand) { return demand.pace == kFullRate; });
    if (everyone_at_work) REQUIRE(taken >= std::min(wanted, kFullRate * ports) - rounding);
  }
}

TEST_CASE("users of one kind take turns at a bank") {
  const Rate half = kFullRate / 2;
  const std::vector<Rate> speeds =
      share_bank({{BankUser::kDma, kFullRate}, {BankUser::kDma, half}, {BankUser::kArray, half}}, 1,
                 BankPolicy::kDmaFirst);
  CHECK(speeds[0] == half);
  CHECK(speeds[1] == kFullRate);
  CHECK(speeds[2] == 0);  // the DMA takes all of the bank
}

TEST_CASE("the bank policy decides who is served first") {
  const std::vector<BankDemand> both{{BankUser::kArray, kFullRate}, {BankUser::kDma, kFullRate}};
  const auto speeds = [&](BankPolicy policy) { return share_bank(both, 1, policy); };
  CHECK(speeds(BankPolicy::kDmaFirst) == std::vector<Rate>{0, kFullRate});
  CHECK(speeds(BankPolicy::kArrayFirst) == std::vector<Rate>{kFullRate * 63 / 64, kFullRate / 64});
  CHECK(speeds(BankPolicy::kRoundRobin) == std::vector<Rate>{kFullRate / 2, kFullRate / 2});
  // Round robin: who asks for less than half gets it.
  const std::vector<Rate> fair = share_bank(
      {{BankUser::kArray, kFullRate}, {BankUser::kDma, kFullRate / 4}}, 1, BankPolicy::kRoundRobin);
  CHECK(fair == std::vector<Rate>{kFullRate * 3 / 4, kFullRate});
  const Rate quarter = kFullRate / 4;
  const std::vector<Rate> units =
      share_bank({{BankUser::kArray, 3 * quarter}, {BankUser::kVector, 2 * quarter}}, 1,
                 BankPolicy::kArrayFirst);
  CHECK(units == std::vector<Rate>{kFullRate, kFullRate / 2});
}

TEST_CASE("what the array leaves because another buffer holds it up goes to others") {
  const std::vector<BankDemand> demands{{BankUser::kArray, kFullRate, kFullRate / 4},
                                        {BankUser::kVector, kFullRate, kFullRate}};
  const std::vector<Rate> speeds = share_bank(demands, 1, BankPolicy::kArrayFirst);
  CHECK(speeds[0] == kFullRate * 63 / 64);  // what it would get, were it not held up
  CHECK(speeds[1] == kFullRate * 3 / 4);
}

TEST_CASE("a full bank costs nothing and one access more slows somebody down") {
  for (const BankPolicy policy :
       {BankPolicy::kDmaFirst, BankPolicy::kRoundRobin, BankPolicy::kArrayFirst}) {
    for (const Rate array : {kFullRate / 4, kFullRate / 2, kFullRate}) {
      const auto slowest = [&](Rate dma) {
        const std::vector<Rate> speeds =
            share_bank({{BankUser::kArray, array}, {BankUser::kDma, dma}}, 1, policy);
        return std::min(speeds[0], speeds[1]);
      };
      CHECK(slowest(kFullRate - array) == kFullRate);
      CHECK(slowest(kFullRate - array + 4) < kFullRate);
    }
  }
}

TEST_CASE("work at half speed takes twice as long and loses half of it") {
  PacedWork work;
  work.start(100, 40);
  CHECK(work.end() == 140);
  work.set_speed(0, kFullRate / 2, 110);  // 30 cycles of work left
  CHECK(work.end() == 170);
  work.set_speed(0, kFullRate, 130);  // 20 left
  CHECK(work.end() == 150);
  work.set_speed(0, 0, 135);  // 15 left
  CHECK(work.end() == kNever);
  work.set_speed(0, kFullRate, 142);
  CHECK(work.end() == 157);
  CHECK(work.finish(157) == 157 - 100 - 40);
}

TEST_CASE("the slowest buffer sets the pace") {
  PacedWork work;
  work.start(0, 100);
  work.set_speed(0, kFullRate / 2, 0);
  work.set_speed(1, kFullRate / 4, 0);
  CHECK(work.end() == 400);
  work.set_speed(1, kFullRate, 200);  // 50 cycles of work left at half speed
  CHECK(work.end() == 300);
  CHECK(work.finish(300) == 200);
}

TEST_CASE("cycles lost are what work took beyond its cycles whatever slows it") {
  Random random(5);
  for (int i = 0; i < 2000; ++i) {
    PacedWork work;
    const Cycles begin = random.pick(0, 100), cycles = random.pick(1, 400);
    work.start(begin, cycles);
    Cycles now = begin;
    for (int change = 0; change < 5; ++change) {
      now = random.pick(now, now + 60);
      if (now >= work.end()) break;
      work.set_speed(static_cast<int>(random.pick(0, 1)), kFullRate >> random.pick(0, 3), now);
    }
    const Cycles end = work.end();
    REQUIRE(work.finish(end) == end - begin - cycles);
  }
}
