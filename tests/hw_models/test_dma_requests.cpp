// How commands are cut into requests.
#include <catch2/catch.hpp>
#include <random>

#include "hw_models/dma_requests.h"

using namespace tessera::hw;

namespace {

StridedRange rows_of(std::int64_t address, Bytes row, std::int64_t rows, Bytes stride) {
  StridedRange range;
  range.address = address;
  range.row_bytes = row;
  range.count[0] = rows;
  range.stride[0] = stride;
  return range;
}

/// Byte by byte: which requests and which bursts of each row are touched.
RequestRun counted(const StridedRange& range, Bytes request, Bytes burst) {
  RequestRun all;
  for (std::int64_t j = 0; j < range.count[1]; ++j) {
    for (std::int64_t i = 0; i < range.count[0]; ++i) {
      const std::int64_t first = range.address + j * range.stride[1] + i * range.stride[0];
      for (std::int64_t at = first; at < first + range.row_bytes; ++at) {
        if (at == first || at % request == 0) ++all.requests;
        if (at == first || at % burst == 0) all.bus += burst;
        ++all.useful;
      }
    }
  }
  return all;
}

}  // namespace

TEST_CASE("a row that begins inside an aligned piece takes one request more") {
  CHECK(all_requests(rows_of(0, 64, 4, 1024), 64, 16).requests == 4);
  CHECK(all_requests(rows_of(32, 64, 4, 1024), 64, 16).requests == 8);
  CHECK(all_requests(rows_of(0, 2560, 1, 0), 256, 64).requests == 10);
  CHECK(all_requests(rows_of(0, 64, 10, 64), 256, 64).requests == 10);  // rows are not joined
}

TEST_CASE("requests carry every byte once in whole bursts whatever the slices") {
  std::mt19937 random(7);
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (int i = 0; i < 3000; ++i) {
    StridedRange range = rows_of(pick(0, 700), pick(1, 600), pick(1, 6), 0);
    range.stride[0] = range.row_bytes + pick(0, 1) * pick(1, 300);
    range.count[1] = pick(1, 3);
    range.stride[1] = range.stride[0] * range.count[0] + pick(1, 400);
    const Bytes burst = 16 << pick(0, 2), request = burst << pick(0, 3);
    const RequestRun expected = counted(range, request, burst);
    RequestCutter cutter(range, request, burst);
    REQUIRE(cutter.requests_left() == expected.requests);
    RequestRun sum;
    while (!cutter.done()) {
      const std::int64_t most = pick(1, 9);
      const Bytes most_bytes = request * pick(1, 9);
      const RequestRun run = cutter.next(most, most_bytes);
      REQUIRE(run.requests >= 1);
      REQUIRE(run.requests <= most);
      REQUIRE(run.bus < most_bytes + request);
      sum.requests += run.requests;
      sum.bus += run.bus;
      sum.useful += run.useful;
    }
    REQUIRE(sum.requests == expected.requests);
    REQUIRE(sum.bus == expected.bus);
    REQUIRE(sum.useful == useful_bytes(range));
  }
}

TEST_CASE("a request of a power of two moves all of it") {
  const auto whole = [](std::int64_t address, Bytes row) {
    return all_requests(rows_of(address, row, 1, 0), 64, 16, RequestSizes::kPowersOfTwo);
  };
  CHECK(whole(0, 64).requests == 1);
  CHECK(whole(32, 64).requests == 2);  // 32 bytes each
  CHECK(whole(32, 64).bus == 64);
  CHECK(whole(0, 17).bus == 32);       // one of 32 holds them, one of 16 does not
  CHECK(whole(8, 17).requests == 1);   // bytes 8 .. 24
  CHECK(whole(24, 17).requests == 1);  // bytes 24 .. 40: one of 64
  CHECK(whole(24, 17).bus == 64);
  CHECK(whole(56, 17).requests == 2);  // across a multiple of 64
  CHECK(whole(56, 17).bus == 16 + 16);
}

TEST_CASE("requests of powers of two are aligned and carry every byte once") {
  std::mt19937 random(11);
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (int i = 0; i < 2000; ++i) {
    const StridedRange range = rows_of(pick(0, 300), pick(1, 200), pick(1, 5), pick(200, 300));
    RequestCutter cutter(range, 64, 8, RequestSizes::kPowersOfTwo);
    const std::int64_t expected = cutter.requests_left();
    std::int64_t requests = 0;
    Bytes useful = 0;
    while (!cutter.done()) {
      const RequestRun run = cutter.next(1, 64);
      REQUIRE(run.requests == 1);
      REQUIRE((run.bus & (run.bus - 1)) == 0);
      REQUIRE(run.bus >= 8);
      REQUIRE(run.bus <= 64);
      REQUIRE(run.address / run.bus == (run.address + run.useful - 1) / run.bus);  // inside one
      ++requests;
      useful += run.useful;
    }
    REQUIRE(requests == expected);
    REQUIRE(useful == useful_bytes(range));
  }
}
