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

TEST_CASE("streams on one bank never get more than its ports") {
  Random random(3);
  for (int i = 0; i < 4000; ++i) {
    std::vector<Rate> rates;
    for (std::int64_t users = random.pick(1, 3); users > 0; --users) {
      rates.push_back(random.pick(0, 3 * kFullRate));
    }
    const Rate capacity = kFullRate * random.pick(1, 2);
    const int first = static_cast<int>(random.pick(-1, static_cast<int>(rates.size()) - 1));
    const std::vector<Rate> speeds = share_bank(rates, capacity, first);
    Rate wanted = 0, granted = 0, starving = 0;
    for (std::size_t j = 0; j < rates.size(); ++j) {
      REQUIRE(speeds[j] > 0);
      REQUIRE(speeds[j] <= kFullRate);
      wanted += rates[j];
      granted += rates[j] * speeds[j] / kFullRate;
      if (speeds[j] == kFullRate / 64) starving += rates[j] / 64;
    }
    if (wanted <= capacity) {
      for (const Rate speed : speeds) REQUIRE(speed == kFullRate);
      continue;
    }
    // Beyond the ports only what keeps a user behind the first one from starving for ever.
    REQUIRE(granted <= capacity + (first >= 0 ? starving : 0));
    if (first < 0) {
      for (const Rate speed : speeds) REQUIRE(speed == speeds[0]);
      REQUIRE(granted > capacity - static_cast<Rate>(4 * rates.size()) - wanted / kFullRate);
    } else {
      const auto head = static_cast<std::size_t>(first);
      const Rate served = rates[head] * speeds[head] / kFullRate;
      REQUIRE(served >= std::min(rates[head], capacity) - 4);  // nobody comes before it
    }
  }
}

TEST_CASE("the array first policy leaves the vector unit what the array does not use") {
  const Rate quarter = kFullRate / 4;
  const std::vector<Rate> speeds = share_bank({3 * quarter, 2 * quarter}, kFullRate, 0);
  CHECK(speeds[0] == kFullRate);
  CHECK(speeds[1] == kFullRate / 2);  // a quarter of the bank for a stream that wants two
  const std::vector<Rate> equal = share_bank({3 * quarter, 3 * quarter}, kFullRate, -1);
  CHECK(equal[0] == kFullRate * 2 / 3);
  CHECK(equal[1] == kFullRate * 2 / 3);
}

TEST_CASE("a full bank costs nothing and one access more stalls somebody") {
  for (const int ports : {1, 2}) {
    for (const Rate stream : {kFullRate / 4, kFullRate / 2, kFullRate}) {
      const Cycles cycles = 64;
      const std::int64_t room = (kFullRate * ports - stream) * cycles / kFullRate;
      for (const BankPolicy policy :
           {BankPolicy::kDmaFirst, BankPolicy::kRoundRobin, BankPolicy::kArrayFirst}) {
        if (room > 0) {
          const DmaConflict full = dma_conflict(room, cycles, stream, ports, policy);
          CHECK(full.stream_stall == 0);
          CHECK(full.dma_delay == 0);
        }
        const DmaConflict more = dma_conflict(room + 1, cycles, stream, ports, policy);
        CHECK(more.stream_stall + more.dma_delay > 0);
      }
    }
  }
}

TEST_CASE("a bank serves no more accesses than ports and cycles allow") {
  Random random(4);
  for (int i = 0; i < 20000; ++i) {
    const std::int64_t accesses = random.pick(1, 600);
    const Cycles cycles = random.pick(1, 600);
    const int ports = static_cast<int>(random.pick(1, 2));
    const Rate stream = random.pick(0, kFullRate * ports);
    const auto policy = static_cast<BankPolicy>(random.pick(0, 2));
    const DmaConflict conflict = dma_conflict(accesses, cycles, stream, ports, policy);
    INFO("accesses " << accesses << " cycles " << cycles << " ports " << ports << " stream "
                     << stream << " policy " << static_cast<int>(policy));
    REQUIRE(conflict.stream_stall >= 0);
    REQUIRE(conflict.dma_delay >= 0);
    // All of the piece's accesses happen in its own time and the delay; the streams run but for
    // their stall.
    const Cycles taken = cycles + conflict.dma_delay;
    REQUIRE(conflict.stream_stall <= taken);
    const double streamed = static_cast<double>(taken - conflict.stream_stall) *
                            static_cast<double>(stream) / kFullRate;
    const double offered = static_cast<double>(taken * ports);
    // Whole cycles: one cycle of the streams, and the rounding of rates, may be missing.
    const double rounding =
        static_cast<double>(stream) / kFullRate + static_cast<double>(taken) / kFullRate + 1e-9;
    REQUIRE(static_cast<double>(accesses) + streamed <= offered + rounding);
  }
}

TEST_CASE("the bank policy decides who loses") {
  // 64 accesses in 64 cycles beside a stream that takes the whole single-ported bank.
  const DmaConflict dma = dma_conflict(64, 64, kFullRate, 1, BankPolicy::kDmaFirst);
  CHECK(dma.stream_stall == 64);
  CHECK(dma.dma_delay == 0);
  const DmaConflict fair = dma_conflict(64, 64, kFullRate, 1, BankPolicy::kRoundRobin);
  CHECK(fair.dma_delay == 64);     // every second cycle of 128
  CHECK(fair.stream_stall == 64);  // and the streams the others
  const DmaConflict array = dma_conflict(64, 64, kFullRate, 1, BankPolicy::kArrayFirst);
  CHECK(array.dma_delay == 64 * 64 - 64);  // only the share that keeps it from starving
  CHECK(array.stream_stall == 64);
  // Nobody streams: nobody loses.
  const DmaConflict idle = dma_conflict(64, 64, 0, 1, BankPolicy::kDmaFirst);
  CHECK(idle.stream_stall == 0);
  CHECK(idle.dma_delay == 0);
  // A piece that comes faster than the port takes it is late all by itself.
  CHECK(dma_conflict(128, 64, 0, 1, BankPolicy::kDmaFirst).dma_delay == 64);
  CHECK(dma_conflict(128, 64, 0, 2, BankPolicy::kDmaFirst).dma_delay == 0);
}

TEST_CASE("work at half speed takes twice as long and loses half of it") {
  PacedWork work;
  work.start(100, 40);
  CHECK(work.end() == 140);
  work.set_speed(0, kFullRate / 2, 110);  // 30 cycles of work left
  CHECK(work.end() == 170);
  work.set_speed(0, kFullRate, 130);  // 20 left
  CHECK(work.end() == 150);
  work.stall(7, 135);
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
      if (random.pick(0, 1) != 0) {
        work.stall(random.pick(1, 20), now);
      } else {
        work.set_speed(static_cast<int>(random.pick(0, 1)), kFullRate >> random.pick(0, 3), now);
      }
    }
    const Cycles end = work.end();
    REQUIRE(work.finish(end) == end - begin - cycles);
  }
}
