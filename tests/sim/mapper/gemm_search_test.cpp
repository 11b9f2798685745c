#include <catch2/catch.hpp>

#include <chrono>
#include <random>

#include "tests/sim/mapper/mapper_fixtures.h"

namespace tessera::sim {
namespace {

using namespace fixtures;

double megabytes(Bytes bytes) { return static_cast<double>(bytes) / 1e6; }

GemmResult search(const hw::HardwareConfig& hardware, const GemmProblem& problem,
                  const ObjectiveConfig& objective, const GemmPins& pins = {}, bool prune = true) {
  const GemmContext context(problem, hardware);
  return search_gemm(context, objective, pins, "vision.L0.Gemm", prune);
}

Bytes least(Bytes capacity, int accumulator_bits, std::int64_t m, std::int64_t k, std::int64_t n) {
  const hw::HardwareConfig hardware = unified(capacity, accumulator_bits);
  return search(hardware, gemm(m, k, n, 1, hardware), least_bytes_first()).cost.dram_bytes;
}

bool same(const GemmChoice& x, const GemmChoice& y) {
  return x.dataflow == y.dataflow && x.tile.m == y.tile.m && x.tile.k == y.tile.k &&
         x.tile.n == y.tile.n && x.order == y.order && x.resident_a == y.resident_a &&
         x.resident_b == y.resident_b && x.a == y.a && x.b == y.b &&
         x.accumulators == y.accumulators && x.outputs == y.outputs;
}

struct Shape {
  std::int64_t m, k, n, instances;
};
const std::vector<Shape> kEncoderShapes{
    {1024, 768, 768, 1},  {1024, 768, 3072, 1}, {1024, 3072, 768, 1}, {1024, 64, 1024, 12},
    {1024, 1024, 64, 12}, {50, 960, 320, 1},    {50, 960, 960, 1},    {50, 960, 2560, 1},
    {50, 2560, 960, 1},   {150, 64, 50, 5},     {150, 50, 64, 5},     {1, 960, 49152, 1}};

}  // namespace

TEST_CASE("least traffic of one 512 KiB scratchpad matches the published figures") {
  CHECK(megabytes(least(512 << 10, 8, 1024, 768, 768)) == Approx(2.75).margin(0.005));
  CHECK(megabytes(least(512 << 10, 8, 1024, 768, 3072)) == Approx(8.65).margin(0.005));
  CHECK(megabytes(least(512 << 10, 8, 1024, 3072, 768)) == Approx(8.65).margin(0.005));
  CHECK(megabytes(least(512 << 10, 32, 1024, 3072, 768)) == Approx(16.5).margin(0.05));
  CHECK(megabytes(least(512 << 10, 8, 50, 960, 2560)) == Approx(2.63).margin(0.005));
}

TEST_CASE("least traffic of one 64 KiB scratchpad matches the published figures") {
  CHECK(megabytes(least(64 << 10, 8, 1024, 768, 768)) == Approx(6.09).margin(0.005));
  CHECK(megabytes(least(64 << 10, 8, 1024, 768, 3072)) == Approx(22.81).margin(0.005));
  CHECK(megabytes(least(64 << 10, 8, 1024, 3072, 768)) == Approx(22.02).margin(0.005));
  CHECK(megabytes(least(64 << 10, 8, 50, 960, 2560)) == Approx(2.63).margin(0.005));
}

TEST_CASE("among equal traffic the fast tile wins not the sliver") {
  const hw::HardwareConfig hardware = unified(512 << 10, 8);
  const GemmProblem problem = gemm(1024, 768, 768, 1, hardware);
  const GemmResult result = search(hardware, problem, least_bytes_first());
  CHECK(result.choice.tile.n > 8);
  const GemmContext context(problem, hardware);
  GemmPins sliver;
  sliver.tile = {512, 768, 1};
  CHECK(search_gemm(context, least_bytes_first(), sliver, "x").cost.latency > result.cost.latency);
}

TEST_CASE("pruning changes neither the mapping nor its price") {
  std::mt19937 random(20);
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  int searched = 0;
  for (int trial = 0; trial < 120; ++trial) {
    const hw::HardwareConfig hardware = random_machine(random);
    GemmProblem problem = gemm(pick(1, 24), pick(1, 24), pick(1, 24), pick(1, 3), hardware);
    if (pick(0, 3) == 0) problem.b.bits = 4;
    const ObjectiveConfig objectives[] = {
        {}, fastest(), least_bytes_first(), {Objective::kDramBytes, 0.2, Objective::kLatency}};
    const ObjectiveConfig& objective = objectives[pick(0, 3)];
    INFO(problem.m << ' ' << problem.k << ' ' << problem.n << " trial " << trial);
    try {
      const GemmResult slow = search(hardware, problem, objective, {}, false);
      const GemmResult fast = search(hardware, problem, objective, {}, true);
      REQUIRE(fast.cost.latency == slow.cost.latency);
      REQUIRE(fast.cost.dram_bytes == slow.cost.dram_bytes);
      REQUIRE(fast.least_dram_bytes == slow.least_dram_bytes);
      REQUIRE(same(fast.choice, slow.choice));
      ++searched;
    } catch (const MappingError&) {
      REQUIRE_THROWS_AS(search(hardware, problem, objective, {}, true), MappingError);
    }
  }
  CHECK(searched > 60);
}

TEST_CASE("counting tile moves by loop position equals walking the loops") {
  std::mt19937 random(7);
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (int trial = 0; trial < 500; ++trial) {
    const reference::TiledGemm problem{pick(1, 12), pick(1, 12), pick(1, 12), 8, 8, 32, 8};
    reference::Tiling tiling;
    tiling.m = pick(1, static_cast<int>(problem.m));
    tiling.k = pick(1, static_cast<int>(problem.k));
    tiling.n = pick(1, static_cast<int>(problem.n));
    std::shuffle(tiling.order.begin(), tiling.order.end(), random);
    tiling.keep_a = pick(0, 1) != 0;
    tiling.keep_b = pick(0, 1) != 0;
    REQUIRE(reference::counted_bytes(problem, tiling) == reference::walked_bytes(problem, tiling));
  }
}

TEST_CASE("the priced bytes of a mapping equal a walk through its loops") {
  std::mt19937 random(11);
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  const hw::HardwareConfig hardware = edge();
  const char letters[] = {'m', 'k', 'n'};
  for (int trial = 0; trial < 500; ++trial) {
    const GemmProblem problem = gemm(pick(1, 12), pick(1, 12), pick(1, 12), 1, hardware);
    const GemmContext context(problem, hardware);
    GemmChoice choice;
    choice.tile = {pick(1, static_cast<int>(problem.m)), pick(1, static_cast<int>(problem.k)),
                   pick(1, static_cast<int>(problem.n))};
    std::shuffle(choice.order.begin(), choice.order.end(), random);
    choice.resident_a = pick(0, 1) != 0;
    choice.resident_b = pick(0, 1) != 0;
    reference::Tiling tiling{choice.tile.m,     choice.tile.k,    choice.tile.n, {},
                             choice.resident_a, choice.resident_b};
    for (std::size_t i = 0; i < 3; ++i) {
      tiling.order[i] = letters[static_cast<std::size_t>(choice.order[i])];
    }
    REQUIRE(gemm_cost(context, choice).dram_bytes ==
            reference::walked_bytes(tiled(problem), tiling));
  }
}

TEST_CASE("least traffic equals brute force over every tile size") {
  std::mt19937 random(3);
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (int trial = 0; trial < 60; ++trial) {
    hw::HardwareConfig hardware = random_machine(random);
    for (auto& b : hardware.buffers) b.width = 1;
    const GemmProblem problem = gemm(pick(1, 16), pick(1, 16), pick(1, 16), 1, hardware);
    const GemmContext context(problem, hardware);
    Bytes expected = -1;
    for (const hw::Dataflow dataflow : hardware.array.dataflows) {
      const Bytes bytes = reference::least_bytes(
          tiled(problem), pools_of(hardware, dataflow, context.in_place),
          {reference::every_size(problem.m), reference::every_size(problem.k),
           reference::every_size(problem.n)});
      if (bytes >= 0 && (expected < 0 || bytes < expected)) expected = bytes;
    }
    if (expected < 0) continue;
    REQUIRE(search(hardware, problem, least_bytes_first()).cost.dram_bytes == expected);
  }
}

TEST_CASE("least traffic of encoder shapes equals brute force") {
  const std::pair<Bytes, int> scratchpads[] = {
      {64 << 10, 8}, {64 << 10, 32}, {512 << 10, 8}, {4 << 20, 32}};
  for (const auto& [capacity, bits] : scratchpads) {
    const hw::HardwareConfig hardware = unified(capacity, bits);
    for (const Shape& shape : kEncoderShapes) {
      const GemmProblem problem = gemm(shape.m, shape.k, shape.n, shape.instances, hardware);
      const GemmContext context(problem, hardware);
      const Bytes expected = reference::least_bytes(
          tiled(problem), pools_of(hardware, hw::Dataflow::kWeightStationary, context.in_place),
          {reference::even_sizes(shape.m), reference::even_sizes(shape.k),
           reference::even_sizes(shape.n)});
      INFO(shape.m << ' ' << shape.k << ' ' << shape.n << " in " << capacity);
      CHECK(search(hardware, problem, least_bytes_first()).cost.dram_bytes ==
            shape.instances * expected);
    }
  }
}

TEST_CASE("cutting a product never saves array cycles") {
  std::mt19937 random(13);
  const auto pick = [&](std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(1, high)(random);
  };
  for (int trial = 0; trial < 1000; ++trial) {
    const hw::HardwareConfig hardware = random_machine(random);
    const GemmProblem problem = gemm(pick(80), pick(80), pick(80), 1, hardware);
    const GemmContext context(problem, hardware);
    const hw::Dataflow dataflow = hardware.array.dataflows.front();
    const TileShape tile{pick(problem.m), pick(problem.k), pick(problem.n)};
    const Cycles cut = array_totals(context, dataflow, tile).stream;
    REQUIRE(array_totals(context, dataflow, {tile.m, problem.k, problem.n}).stream <= cut);
    REQUIRE(array_totals(context, dataflow, {problem.m, problem.k, tile.n}).stream <= cut);
    REQUIRE(array_totals(context, dataflow, {tile.m, problem.k, tile.n}).stream <= cut);
  }
}

TEST_CASE("pruning prices far fewer mappings than there are") {
  const hw::HardwareConfig hardware = edge();
  const GemmProblem problem = gemm(96, 96, 96, 1, hardware);
  const auto seconds = [&](bool prune) {
    const auto start = std::chrono::steady_clock::now();
    search(hardware, problem, {}, {}, prune);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  CHECK(seconds(true) * 5 < seconds(false));
}

TEST_CASE("lower bound least traffic and chosen traffic are in order") {
  const hw::HardwareConfig hardware = edge();
  for (const Shape& shape : kEncoderShapes) {
    const GemmProblem problem = gemm(shape.m, shape.k, shape.n, shape.instances, hardware);
    const GemmContext context(problem, hardware);
    const GemmResult result = search_gemm(context, {}, {}, "x");
    CHECK(lower_bound_bytes(context) <= result.least_dram_bytes);
    CHECK(result.least_dram_bytes <= result.cost.dram_bytes);
    CHECK(result.cost.dram_bytes <= result.cost.bus_bytes);
  }
}

TEST_CASE("within trades a bounded share of latency for traffic") {
  const hw::HardwareConfig hardware = edge();
  const GemmProblem problem = gemm(1024, 768, 768, 1, hardware);
  const GemmResult strict = search(hardware, problem, fastest());
  Bytes before = strict.cost.dram_bytes;
  for (const double within : {0.002, 0.01, 0.05, 0.5}) {
    const GemmResult relaxed =
        search(hardware, problem, {Objective::kLatency, within, Objective::kDramBytes});
    CHECK(static_cast<double>(relaxed.cost.latency) <=
          static_cast<double>(strict.cost.latency) * (1 + within));
    CHECK(relaxed.cost.dram_bytes <= before);
    before = relaxed.cost.dram_bytes;
  }
  CHECK(before < strict.cost.dram_bytes);
}

TEST_CASE("a pinned part of a mapping is kept") {
  const hw::HardwareConfig hardware = edge();
  const GemmProblem problem = gemm(1024, 768, 768, 1, hardware);
  GemmPins pins;
  pins.tile.n = 100;
  pins.dataflow = hw::Dataflow::kOutputStationary;
  pins.order = {LoopDim::kN, LoopDim::kM, LoopDim::kK};
  pins.double_buffered = {true, false, true, false};
  pins.resident = {false, false};
  const GemmResult result = search(hardware, problem, {}, pins);
  CHECK(result.choice.tile.n == 100);
  CHECK(result.choice.dataflow == hw::Dataflow::kOutputStationary);
  CHECK(result.choice.order == *pins.order);
  CHECK(result.choice.a == 2);
  CHECK(result.choice.b == 1);
  CHECK(result.choice.accumulators == 2);
  CHECK(result.choice.outputs == 1);
  CHECK(result.cost.latency >= search(hardware, problem, {}).cost.latency);
  CHECK(result.least_dram_bytes == search(hardware, problem, {}).least_dram_bytes);
}

TEST_CASE("a pin that fits nothing says which buffer and what would fit") {
  const hw::HardwareConfig hardware = edge();
  const GemmProblem problem = gemm(1024, 768, 768, 1, hardware);
  GemmPins pins;
  pins.tile = {1024, 0, 768};
  try {
    search(hardware, problem, {}, pins);
    FAIL("must not fit");
  } catch (const MappingError& error) {
    const std::string text = error.what();
    CHECK(text.find("vision.L0.Gemm") != std::string::npos);
    CHECK(text.find("'accumulators'") != std::string::npos);
    CHECK(text.find(std::to_string(1024 * 768 * 4)) != std::string::npos);
    CHECK(text.find("would fit") != std::string::npos);
  }
}

TEST_CASE("a machine without room for one element is refused with the bytes it lacks") {
  hw::HardwareConfig hardware = edge();
  hardware.buffers[0].capacity = 16;
  const GemmProblem problem = gemm(4, 4, 4, 1, hardware);
  CHECK_THROWS_WITH(search(hardware, problem, {}),
                    Catch::Contains("needs 32 bytes of buffer 'weights', which has 16"));
}

TEST_CASE("more double buffering never raises the price") {
  std::mt19937 random(5);
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (int trial = 0; trial < 2000; ++trial) {
    const hw::HardwareConfig hardware = random_machine(random);
    const GemmProblem problem = gemm(pick(1, 60), pick(1, 60), pick(1, 60), pick(1, 3), hardware);
    const GemmContext context(problem, hardware);
    GemmChoice choice;
    choice.dataflow = hardware.array.dataflows.front();
    choice.tile = {pick(1, static_cast<int>(problem.m)), pick(1, static_cast<int>(problem.k)),
                   pick(1, static_cast<int>(problem.n))};
    std::shuffle(choice.order.begin(), choice.order.end(), random);
    choice.a = pick(1, 2);
    choice.b = pick(1, 2);
    choice.accumulators = pick(1, 2);
    choice.outputs = context.in_place ? 0 : pick(1, 2);
    const Cycles before = gemm_cost(context, choice).latency;
    for (int* slots : {&choice.a, &choice.b, &choice.accumulators, &choice.outputs}) {
      if (*slots != 1) continue;
      *slots = 2;
      REQUIRE(gemm_cost(context, choice).latency <= before);
      *slots = 1;
    }
  }
}

TEST_CASE("tile sizes are even cuts and their round-ups") {
  CHECK(tile_sizes(10, {}, 1) == std::vector<std::int64_t>{1, 2, 3, 4, 5, 10});
  CHECK(tile_sizes(10, {4}, 1) == std::vector<std::int64_t>{1, 2, 3, 4, 5, 8, 10});
  CHECK(tile_sizes(7, {}, 2) == std::vector<std::int64_t>{2, 4, 7});
}

}  // namespace tessera::sim
