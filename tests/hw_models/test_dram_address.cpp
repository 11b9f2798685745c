// Bit orders of DRAM addresses.
#include <catch2/catch.hpp>
#include <set>
#include <stdexcept>
#include <tuple>

#include "hw_models/dram_address.h"

using namespace tessera::hw;

namespace {
DramPlace place(const std::string& order, std::int64_t address, int channels = 1,
                BankHash hash = BankHash::kNone) {
  return DramAddressMap(order, hash, *find_dram_device("DDR4-3200"), channels).place(address);
}
}  // namespace

TEST_CASE("the default order changes the bank group every 256 B", "[dram]") {
  CHECK(place(kDefaultDramOrder, 0).bank == 0);
  CHECK(place(kDefaultDramOrder, 255).bank == 0);
  CHECK(place(kDefaultDramOrder, 255).column == 3);
  CHECK(place(kDefaultDramOrder, 256).bank == 4);     // the next group, 4 banks each
  CHECK(place(kDefaultDramOrder, 1024).bank == 1);    // then the next bank
  CHECK(place(kDefaultDramOrder, 4096).column == 4);  // then the high column bits
  CHECK(place(kDefaultDramOrder, 131072).row == 1);
}

TEST_CASE("channels take bursts in turn unless the order says otherwise", "[dram]") {
  CHECK(place("ro-ba-bg-co", 64, 2).channel == 1);
  CHECK(place("ro-ba-bg-co", 128, 2).column == 1);
  CHECK(place("ch-ro-ba-bg-co", 64, 2).channel == 0);
}

TEST_CASE("a hash of row bits moves the bank and keeps places distinct", "[dram]") {
  CHECK(place(kDefaultDramOrder, 131072, 1, BankHash::kRow).bank == 4);
  for (const BankHash hash : {BankHash::kNone, BankHash::kRow, BankHash::kColumn}) {
    std::set<std::tuple<int, std::int64_t, int>> seen;
    const DramAddressMap map(kDefaultDramOrder, hash, *find_dram_device("DDR4-3200"), 1);
    for (std::int64_t address = 0; address < (1 << 20); address += 64) {
      const DramPlace at = map.place(address);
      CHECK(seen.insert({at.bank, at.row, at.column}).second);
    }
  }
}

TEST_CASE("an order must name every bit once", "[dram]") {
  CHECK_THROWS_AS(place("ro-ba-co", 0), std::invalid_argument);
  CHECK_THROWS_AS(place("ro-ba-bg-co-co", 0), std::invalid_argument);
  CHECK_THROWS_AS(place("ro-ba-bg-xx-co", 0), std::invalid_argument);
  CHECK_THROWS_AS(place("ro-cohi-ba-bg-co[1:", 0), std::invalid_argument);
  CHECK_NOTHROW(place("ro-ra-ba-bg-co", 0));
}

TEST_CASE("hashed channels take every pitch in turn, and every burst has a place of its own") {
  const DramDevice device = *find_dram_device("LPDDR5-6400");
  const std::string order = machine_dram_order(device, 4);
  CHECK(order == "ro-cohi-ba-bg-ch-co[2:0]");
  const DramAddressMap plain(order, BankHash::kRow, device, 4);
  const DramAddressMap hashed(order, BankHash::kRow, device, 4, true);
  for (const std::int64_t pitch : {1024, 2048, 2560, 4096, 65536}) {
    std::set<int> in_plain, in_hashed;
    for (std::int64_t row = 0; row < 64; ++row) {
      in_plain.insert(plain.place(row * pitch).channel);
      in_hashed.insert(hashed.place(row * pitch).channel);
    }
    INFO(pitch);
    CHECK(in_hashed.size() == 4);
    if (pitch % 1024 == 0) CHECK(in_plain.size() == 1);
  }
  std::set<std::tuple<int, int, std::int64_t, int>> places;
  constexpr std::int64_t kBursts = 1 << 16;
  for (std::int64_t burst = 0; burst < kBursts; ++burst) {
    const DramPlace place = hashed.place(burst * 32);
    places.insert({place.channel, place.bank, place.row, place.column});
  }
  CHECK(places.size() == kBursts);
  CHECK_THROWS_AS(
      DramAddressMap("ro-ch[1:1]-cohi-ba-bg-ch[0:0]-co[2:0]", BankHash::kRow, device, 4, true),
      std::invalid_argument);
}

TEST_CASE("a machine's default order keeps 256 bytes in a bank") {
  for (const DramDevice& device : dram_devices()) {
    const DramAddressMap map(machine_dram_order(device, 2), BankHash::kRow, device, 2);
    INFO(device.name);
    CHECK(map.piece_bytes() == 256);
    CHECK(DramAddressMap("ro-ba-bg-co-ch-pc", BankHash::kNone, device, 2).piece_bytes() ==
          device.burst_bytes);
  }
}

TEST_CASE("a rank has bits of its own, the top ones unless the order says otherwise", "[dram]") {
  DramDevice device = *find_dram_device("DDR4-3200");
  device.ranks = 2;
  const auto bank = [&](const std::string& order, std::int64_t address) {
    return DramAddressMap(order, BankHash::kNone, device, 1).place(address).bank;
  };
  const std::int64_t one_rank =
      static_cast<std::int64_t>(device.rows) * device.bursts_per_row * 16 * device.burst_bytes;
  CHECK(bank(kDefaultDramOrder, one_rank - 256) == 15);
  CHECK(bank(kDefaultDramOrder, one_rank) == 16);
  CHECK(bank("ro-ra-ba-bg-co", 16 * 8192) == 16);
  CHECK(bank("ro-cohi-ba-bg-ra-co[1:0]", 256) == 16);
  CHECK(place("ro-ra-ba-bg-co", 16 * 8192).row == 1);  // one rank: no bits
}
