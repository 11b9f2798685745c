// Strided ranges: useful bytes, joined rows, bytes on the bus.
#include <catch2/catch.hpp>
#include <random>
#include <set>
#include <vector>

#include "hw_models/tile_program.h"

using namespace tessera::hw;

namespace {

/// First bytes of the rows, in order.
std::vector<std::int64_t> rows_of(const StridedRange& range) {
  std::vector<std::int64_t> rows;
  for (std::int64_t j = 0; j < range.count[1]; ++j) {
    for (std::int64_t i = 0; i < range.count[0]; ++i) {
      rows.push_back(range.address + j * range.stride[1] + i * range.stride[0]);
    }
  }
  return rows;
}

std::vector<std::int64_t> bytes_of(const StridedRange& range) {
  std::vector<std::int64_t> bytes;
  for (const std::int64_t row : rows_of(range)) {
    for (Bytes b = 0; b < range.row_bytes; ++b) bytes.push_back(row + b);
  }
  return bytes;
}

/// Whole bursts of every row, byte by byte.
Bytes brute_bus_bytes(const StridedRange& range, Bytes burst) {
  Bytes total = 0;
  for (const std::int64_t row : rows_of(range)) {
    std::set<std::int64_t> bursts;
    for (Bytes b = 0; b < range.row_bytes; ++b) bursts.insert((row + b) / burst);
    total += static_cast<Bytes>(bursts.size()) * burst;
  }
  return total;
}

StridedRange any_range(std::mt19937& random) {
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  StridedRange range;
  range.address = pick(0, 500);
  range.row_bytes = pick(1, 90);
  range.count[0] = pick(1, 5);
  range.count[1] = pick(1, 4);
  // Often adjacent, often a multiple of the burst.
  const int kind = pick(0, 2);
  range.stride[0] = kind == 0 ? range.row_bytes : kind == 1 ? 128 : pick(90, 200);
  const Bytes plane = range.stride[0] * range.count[0];
  range.stride[1] = pick(0, 1) != 0 ? plane : plane + 64 * pick(0, 3);
  return range;
}

}  // namespace

TEST_CASE("joining adjacent rows keeps every byte in its place") {
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    const StridedRange range = any_range(random);
    const StridedRange joined = coalesced(range);
    REQUIRE(bytes_of(joined) == bytes_of(range));
    REQUIRE(useful_bytes(joined) == useful_bytes(range));
    REQUIRE(useful_bytes(range) == static_cast<Bytes>(bytes_of(range).size()));
    REQUIRE(joined.count[0] * joined.count[1] <= range.count[0] * range.count[1]);
  }
}

TEST_CASE("a contiguous tile is one row") {
  StridedRange range;
  range.row_bytes = 16;
  range.count[0] = 8;
  range.stride[0] = 16;
  range.count[1] = 4;
  range.stride[1] = 128;
  const StridedRange joined = coalesced(range);
  CHECK(joined.row_bytes == 512);
  CHECK(joined.count[0] == 1);
  CHECK(joined.count[1] == 1);
}

TEST_CASE("every row takes whole bursts on the bus") {
  std::mt19937 random(2);
  for (int i = 0; i < 3000; ++i) {
    const StridedRange range = any_range(random);
    for (const Bytes burst : {1, 16, 32, 64}) {
      const Bytes bus = bus_bytes(range, burst);
      REQUIRE(bus == brute_bus_bytes(range, burst));
      REQUIRE(bus >= useful_bytes(range));
      REQUIRE(bus % burst == 0);
    }
  }
}

TEST_CASE("a tiled matrix puts every byte somewhere else, and blocks together") {
  for (const std::int64_t rows : {1, 63, 64, 150}) {
    const Tiling tiling{4096, 768, rows, 64, 256};
    std::set<std::int64_t> places;
    for (std::int64_t at = 0; at < rows * 768; ++at) places.insert(tiling.place(4096 + at));
    REQUIRE(places.size() == static_cast<std::size_t>(rows * 768));
    CHECK(*places.begin() == 4096);
    CHECK(*places.rbegin() == 4096 + rows * 768 - 1);
  }
  const Tiling tiling{4096, 768, 150, 64, 256};
  const auto offset = [&](std::int64_t row, std::int64_t column) {
    return tiling.place(4096 + row * 768 + column) - 4096;
  };
  CHECK(offset(1, 0) == 256);                       // the next row of the block
  CHECK(offset(0, 256) == 64 * 256);                // the next block
  CHECK(offset(64, 0) == 64 * 768);                 // the next strip
  CHECK(offset(128, 256) == 128 * 768 + 22 * 256);  // of 22 rows
  CHECK(offset(5, 300) == 64 * 256 + 5 * 256 + 44);
}
