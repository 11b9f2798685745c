// What a Gemm costs the array, against a model that walks from fold to fold.
#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "hw_models/array_timing.h"

using namespace tessera::hw;

namespace {

struct Case {
  ArrayConfig array;
  Dataflow dataflow = Dataflow::kWeightStationary;
  GemmShape shape;
  bool accumulate = false;
};

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }
  bool coin() { return pick(0, 1) != 0; }
  Case any() {
    Case c;
    c.array.rows = pick(1, 20);
    c.array.cols = pick(1, 20);
    c.array.preload = coin() ? Preload::kOverlapped : Preload::kExposed;
    c.array.fill = coin() ? Fill::kPerChain : Fill::kPerFold;
    c.array.drain = coin() ? Drain::kOverlapped : Drain::kExposed;
    c.dataflow = static_cast<Dataflow>(pick(0, 2));
    c.shape = {pick(1, 70), pick(1, 70), pick(1, 70)};
    c.accumulate = pick(0, 1) != 0;
    return c;
  }

 private:
  std::mt19937 engine_;
};

/// One stationary block and what streams past it.
struct Fold {
  Cycles rows = 0;  // streamed
};

/// Counts blocks by walking over them: no division.
std::vector<Fold> folds_of(const Case& c) {
  const bool output_stationary = c.dataflow == Dataflow::kOutputStationary;
  const bool input_stationary = c.dataflow == Dataflow::kInputStationary;
  const std::int64_t down = output_stationary ? c.shape.m : c.shape.k;
  const std::int64_t across = input_stationary ? c.shape.m : c.shape.n;
  const std::int64_t streamed = output_stationary  ? c.shape.k
                                : input_stationary ? c.shape.n
                                                   : c.shape.m;
  std::vector<Fold> folds;
  for (std::int64_t i = 0; i < down; i += c.array.rows) {
    for (std::int64_t j = 0; j < across; j += c.array.cols) folds.push_back({streamed});
  }
  return folds;
}

/// Nothing overlaps.
void expose(ArrayConfig& array) {
  array.preload = Preload::kExposed;
  array.fill = Fill::kPerFold;
  array.drain = Drain::kExposed;
}

/// Cycles from the command's start to its last result, alone on the array. A fold starts when its
/// block is loaded and the fold before has made room: an overlapped block loads from the start of
/// the fold before, an exposed one once there is room; overlapped results leave within one fold,
/// exposed ones, and the skew of a fold that waits for the array to empty, come before.
Cycles walk(const Case& c) {
  const bool output_stationary = c.dataflow == Dataflow::kOutputStationary;
  const Cycles load = output_stationary && !c.accumulate ? 0 : c.array.rows;
  const Cycles shift = output_stationary ? c.array.rows : 0;
  const Cycles skew = c.array.rows + c.array.cols - 2;
  Cycles loaded = load;  // the present fold's block is in place
  Cycles room = 0;       // the array, and its result registers, can take the present fold
  Cycles last_result = 0;
  for (const Fold& fold : folds_of(c)) {
    const Cycles start = std::max(loaded, room);
    const Cycles end = start + fold.rows;
    last_result = end + skew + shift;
    room = end + (c.array.fill == Fill::kPerFold ? skew : 0);
    if (c.array.drain == Drain::kExposed) {
      room += shift;
    } else {
      room = std::max(room, start + shift);
    }
    loaded = (c.array.preload == Preload::kOverlapped ? start : room) + load;
  }
  return last_result;
}

Cycles alone(const ArrayCost& cost) {
  return cost.preload + cost.stream() - cost.successor_wait + cost.drain;
}

ArrayCost cost_of(const Case& c) {
  return array_cost(c.array, c.dataflow, c.shape, 1.0, c.accumulate);
}

void describe(const Case& c) {
  UNSCOPED_INFO("R " << c.array.rows << " C " << c.array.cols << " dataflow "
                     << to_string(c.dataflow) << " preload " << static_cast<int>(c.array.preload)
                     << " fill " << static_cast<int>(c.array.fill) << " drain "
                     << static_cast<int>(c.array.drain) << " m " << c.shape.m << " k " << c.shape.k
                     << " n " << c.shape.n << " accumulate " << c.accumulate);
}

}  // namespace

TEST_CASE("a Gemm alone takes as long as its folds one after the other") {
  Random random(1);
  for (int i = 0; i < 6000; ++i) {
    const Case c = random.any();
    describe(c);
    REQUIRE(alone(cost_of(c)) == walk(c));
  }
}

TEST_CASE("with nothing overlapped weight and input stationary folds follow SCALE Sim") {
  Random random(2);
  for (int i = 0; i < 2000; ++i) {
    Case c = random.any();
    expose(c.array);
    c.dataflow = random.pick(0, 1) != 0 ? Dataflow::kWeightStationary : Dataflow::kInputStationary;
    const std::vector<Fold> folds = folds_of(c);
    const Cycles fold = 2 * c.array.rows + c.array.cols + folds[0].rows - 2;
    describe(c);
    REQUIRE(alone(cost_of(c)) == static_cast<Cycles>(folds.size()) * fold);
    REQUIRE(cost_of(c).folds == static_cast<std::int64_t>(folds.size()));
  }
}

TEST_CASE("with nothing overlapped an output stationary fold drains through its rows") {
  Random random(3);
  for (int i = 0; i < 2000; ++i) {
    Case c = random.any();
    expose(c.array);
    c.dataflow = Dataflow::kOutputStationary;
    c.accumulate = false;
    const Cycles fold = 2 * c.array.rows + c.array.cols + c.shape.k - 2;
    describe(c);
    REQUIRE(alone(cost_of(c)) == static_cast<Cycles>(folds_of(c).size()) * fold);
  }
}

TEST_CASE("a chain of blocks follows the resident formula of Gemmini") {
  // T = 13 + R + 2D, R = It Jt Kt D + M_last: blocks of D x D, M_last the rows of the last one. The
  // machine's own drain is 2D - 2: the two cycles belong to the accumulators.
  for (const int d : {8, 16}) {
    ArrayConfig array;
    array.rows = array.cols = d;
    for (std::int64_t m = 4; m <= 5 * d; m += 3) {
      const std::int64_t rest = m % d == 0 ? d : m % d;
      if (rest < 4) continue;
      const std::int64_t blocks_m = ceil_div(m, d);
      for (std::int64_t others = 1; others <= 6; ++others) {  // Jt Kt
        Cycles total = 15 + d;
        ArrayCost last;
        for (std::int64_t j = 0; j < others; ++j) {
          for (std::int64_t i = 0; i < blocks_m; ++i) {
            const std::int64_t rows = i == blocks_m - 1 ? rest : d;
            last = array_cost(array, Dataflow::kWeightStationary, {rows, d, d}, 1.0, false);
            total += last.stream();
          }
        }
        total += last.drain - last.successor_wait;
        const Cycles resident = blocks_m * others * d + rest;
        // The last block of rows is short: what follows it waits for a whole block all the same.
        REQUIRE(total == 13 + resident + 2 * d);
      }
    }
  }
}

TEST_CASE("streamed rows times block area covers every multiplication") {
  Random random(4);
  for (int i = 0; i < 2000; ++i) {
    const Case c = random.any();
    const ArrayCost cost = cost_of(c);
    const std::int64_t macs = c.shape.m * c.shape.k * c.shape.n;
    const std::int64_t offered = cost.compute * c.array.rows * c.array.cols;
    describe(c);
    REQUIRE(offered >= macs);
    // Equal exactly when both stationary dimensions are whole multiples of the array.
    const bool output_stationary = c.dataflow == Dataflow::kOutputStationary;
    const bool input_stationary = c.dataflow == Dataflow::kInputStationary;
    const std::int64_t down = output_stationary ? c.shape.m : c.shape.k;
    const std::int64_t across = input_stationary ? c.shape.m : c.shape.n;
    const bool whole = down % c.array.rows == 0 && across % c.array.cols == 0;
    REQUIRE((offered == macs) == whole);
    // Operands that enter: every element of the streamed one once a fold across, results once a
    // pass over K.
    REQUIRE(cost.a_reads >= c.shape.m * c.shape.k);
    REQUIRE(cost.b_reads >= c.shape.k * c.shape.n);
    REQUIRE(cost.result_writes % (c.shape.m * c.shape.n) == 0);
    const std::int64_t reads = cost.result_writes - c.shape.m * c.shape.n;
    REQUIRE(cost.result_reads == reads + (c.accumulate ? c.shape.m * c.shape.n : 0));
  }
}

TEST_CASE("input stationary is weight stationary of the transposed problem") {
  Random random(5);
  for (int i = 0; i < 2000; ++i) {
    Case c = random.any();
    c.dataflow = Dataflow::kInputStationary;
    Case t = c;
    t.dataflow = Dataflow::kWeightStationary;
    std::swap(t.shape.m, t.shape.n);
    const ArrayCost is = cost_of(c);
    const ArrayCost ws = cost_of(t);
    describe(c);
    REQUIRE(alone(is) == alone(ws));
    REQUIRE(is.compute == ws.compute);
    REQUIRE(is.fold_wait == ws.fold_wait);
    REQUIRE(is.a_reads == ws.b_reads);
    REQUIRE(is.b_reads == ws.a_reads);
    REQUIRE(is.result_writes == ws.result_writes);
    REQUIRE(is.result_reads == ws.result_reads);
    REQUIRE(is.first_result == ws.first_result);
  }
}

TEST_CASE("overlapping more never makes a Gemm slower") {
  Random random(6);
  for (int i = 0; i < 2000; ++i) {
    Case c = random.any();
    expose(c.array);
    describe(c);
    Cycles before = alone(cost_of(c));
    const auto expect_no_slower = [&] {
      const Cycles now = alone(cost_of(c));
      REQUIRE(now <= before);
      before = now;
    };
    c.array.preload = Preload::kPaired;
    expect_no_slower();
    c.array.preload = Preload::kOverlapped;
    expect_no_slower();
    c.array.fill = Fill::kPerChain;
    expect_no_slower();
    c.array.drain = Drain::kOverlapped;
    expect_no_slower();
    c.array.result_registers = ResultRegisters::kSingle;
    REQUIRE(alone(cost_of(c)) >= before);
    c.array.result_registers = ResultRegisters::kDouble;
    c.array.drain = Drain::kOmitted;
    expect_no_slower();
  }
}

TEST_CASE("two multiplications per cell and cycle halve the streamed rows rounded up") {
  ArrayConfig array;
  array.rows = array.cols = 8;
  for (std::int64_t m = 1; m <= 40; ++m) {
    const ArrayCost one = array_cost(array, Dataflow::kWeightStationary, {m, 24, 16}, 1.0, false);
    const ArrayCost two = array_cost(array, Dataflow::kWeightStationary, {m, 24, 16}, 2.0, false);
    CHECK(one.compute == 3 * 2 * m);
    CHECK(two.compute == 3 * 2 * ((m + 1) / 2));
  }
}

TEST_CASE("a Gemm reads its operands one array vector at a time") {
  ArrayConfig array;
  array.rows = 8;
  array.cols = 4;
  const OperandWidths widths{32, 32, 16, 8, 8, 32};
  // Weight stationary: 20 = 8 + 8 + 4 rows of K, 10 = 4 + 4 + 2 columns of N, 64 rows stream by.
  const ArrayAccesses ws =
      array_accesses(array, Dataflow::kWeightStationary, {64, 20, 10}, widths, false);
  CHECK(ws.a == 3 * 3 * 64);  // one access a cycle: 8 or 4 bytes of a 32-byte word
  CHECK(ws.b == 20 * 3);      // every row of each block
  // Results: 4 + 4 + 2 columns are 16, 16 and 8 bytes; written in each of 3 passes, read in 2.
  CHECK(ws.c == 64 * 3 * (3 + 2));
  const ArrayAccesses more =
      array_accesses(array, Dataflow::kWeightStationary, {64, 20, 10}, widths, true);
  CHECK(more.c == 64 * 3 * (3 + 3));
  // Output stationary: 64 = 8 blocks of M, 3 of N; a column of A and a row of B a cycle.
  const ArrayAccesses os =
      array_accesses(array, Dataflow::kOutputStationary, {64, 20, 10}, widths, false);
  CHECK(os.a == 8 * 3 * 20);
  CHECK(os.b == 8 * 3 * 20);
  CHECK(os.c == 64 * 3);
}

TEST_CASE("every cycle that an operand row enters is at least one access") {
  Random random(7);
  for (int i = 0; i < 2000; ++i) {
    const Case c = random.any();
    OperandWidths widths;
    widths.a = 1 << random.pick(0, 6);
    widths.b = 1 << random.pick(0, 6);
    widths.c = 1 << random.pick(2, 7);
    const ArrayCost cost = cost_of(c);
    const ArrayAccesses found = array_accesses(c.array, c.dataflow, c.shape, widths, c.accumulate);
    describe(c);
    const bool input_stationary = c.dataflow == Dataflow::kInputStationary;
    REQUIRE((input_stationary ? found.b : found.a) >= cost.compute);
    // No access carries more than its width.
    REQUIRE(found.a * widths.a >= cost.a_reads);
    REQUIRE(found.b * widths.b >= cost.b_reads);
    REQUIRE(found.c * widths.c >= 4 * (cost.result_reads + cost.result_writes));
  }
}

TEST_CASE("a stream that banks hold up moves its successor by the same cycles") {
  Random random(8);
  for (int i = 0; i < 2000; ++i) {
    Case c = random.any();
    c.array.preload = static_cast<Preload>(random.pick(0, 2));
    const ArrayCost cost = cost_of(c);
    const Cycles end = cost.stream() - cost.successor_wait;
    const auto next_after = [&](Cycles held_up) {
      ArrayChain chain(c.array);
      chain.ended(cost, 1000 + end + held_up);
      return chain.earliest_stream(cost, 0, false);
    };
    const Cycles held_up = random.pick(1, 50);
    describe(c);
    REQUIRE(next_after(held_up) == next_after(0) + held_up);
  }
}

TEST_CASE("a block at hand when the last row block begins loads beside it, a cycle later behind") {
  ArrayConfig array;
  array.rows = array.cols = 8;
  array.preload = Preload::kPaired;
  array.stream_multiple = 8;
  array.stream_minimum = 4;
  const ArrayCost cost = array_cost(array, Dataflow::kWeightStationary, {18, 8, 8}, 1.0, false);
  const Cycles start = 100;
  const Cycles last_block = start + 16;  // rows 16 and 17, and two more to make the minimum of 4
  CHECK(cost.stream() - cost.successor_wait == 20);
  ArrayChain chain(array);
  chain.ended(cost, start + 20);
  CHECK(chain.earliest_stream(cost, last_block, false) == last_block + 8);
  CHECK(chain.earliest_stream(cost, last_block + 1, false) == start + 20 + 8);
  CHECK(chain.earliest_stream(cost, start + 30, false) == start + 30 + 8);
}

TEST_CASE("a command that keeps the block ahead follows at once") {
  ArrayConfig array;
  array.rows = array.cols = 8;
  array.preload = Preload::kPaired;
  array.stream_multiple = 8;
  array.stream_minimum = 4;
  const ArrayCost one = array_cost(array, Dataflow::kWeightStationary, {1, 8, 8}, 1.0, false);
  const ArrayCost kept =
      array_cost(array, Dataflow::kWeightStationary, {1, 8, 8}, 1.0, false, true);
  CHECK(kept.preload == 0);
  ArrayChain chain(array);
  chain.ended(one, 104);
  CHECK(chain.earliest_stream(kept, 0, true) == 104);
  CHECK(chain.earliest_stream(kept, 110, true) == 110);
  CHECK(chain.earliest_stream(one, 0, false) == 108);  // 100 + 8: a row block of its own
}

TEST_CASE("a ring of partial sums streams a group of K once for each of its results") {
  ArrayConfig array;
  array.rows = 12;
  array.cols = 4;
  array.stages = 4;
  array.delivery = OperandDelivery::kSemiSystolic;
  const auto cost = [&](GemmShape shape, bool accumulate) {
    return array_cost(array, Dataflow::kOutputStationary, shape, 1.0, accumulate);
  };
  // ceil(64/12) ceil(64/16) tiles of K = 64 steps of 4 cycles.
  CHECK(cost({64, 64, 64}, true).compute == 6 * 4 * 64 * 4);
  CHECK(cost({64, 63, 64}, true).compute == 6 * 4 * 64 * 4);
  CHECK(cost({64, 64, 64}, true).fold_wait == 0);
  CHECK(cost({12, 64, 16}, false).preload == 12);           // X
  CHECK(cost({12, 64, 16}, true).preload == 3 * 12);        // X, and both sets of Y
  CHECK(cost({5, 64, 16}, false).preload == 5);             // the rows of X there are
  CHECK(cost({12, 64, 16}, true).drain == 16 - 1 + 12);     // round the ring, then Z row by row
  CHECK(cost({12, 64, 16 + 3}, true).drain == 3 - 1 + 12);  // the last ring holds 3 results
}

TEST_CASE("rings use their port in every row and every step of the padded K") {
  ArrayConfig array;
  array.rows = 12;
  array.cols = 4;
  array.stages = 4;
  array.delivery = OperandDelivery::kSemiSystolic;
  const OperandWidths widths{32, 32, 32, 16, 16, 16};
  const ArrayAccesses found =
      array_accesses(array, Dataflow::kOutputStationary, {30, 17, 40}, widths, true);
  CHECK(found.a == 36 * 2 * 3);       // 17 elements of K are two pieces of 16; three rings of N
  CHECK(found.b == 20 * 3 * 3);       // K padded to 20; three blocks of rows, three of columns
  CHECK(found.c == 2 * 36 * 3 - 12);  // read and written; the last 12 rows leave with the drain
}

TEST_CASE(
    "narrow weights wait for their dequantisation where it is slower than the array takes them") {
  ArrayConfig array;
  array.rows = array.cols = 8;
  array.throughput = {{"w16a16", 0.25}, {"bf16", 1.0}};
  array.dequantise = 4;
  CHECK_FALSE(pair_rate(array, "w8a8"));
  CHECK_FALSE(pair_rate(array, "w16a8"));
  REQUIRE(pair_rate(array, "w4a16"));
  CHECK(pair_rate(array, "w4a16")->macs_per_pe == 0.25);
  CHECK(pair_rate(array, "w4bf16")->right_per_cycle == 4);
  CHECK(pair_rate(array, "bf16")->right_per_cycle == 0);

  const GemmShape shape{100, 16, 16};
  const auto cost = [&](Dataflow dataflow, const char* pair) {
    return array_cost(array, dataflow, shape, *pair_rate(array, pair), false);
  };
  // A block of 8 x 8 weights in 16 cycles instead of 8; the rows of A stream as before.
  CHECK(cost(Dataflow::kWeightStationary, "bf16").preload == 8);
  CHECK(cost(Dataflow::kWeightStationary, "w4bf16").preload == 16);
  CHECK(cost(Dataflow::kWeightStationary, "w4bf16").compute == 4 * 100);
  // A row of 8 weights every other cycle.
  CHECK(cost(Dataflow::kOutputStationary, "bf16").compute == 13 * 2 * 16);
  CHECK(cost(Dataflow::kOutputStationary, "w4bf16").compute == 2 * 13 * 2 * 16);
}
