// The closed forms against the array simulated PE by PE and clock by clock, on random chains.
#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <stdexcept>
#include <vector>

#include "hw_models/array_timing.h"
#include "hw_models/pe_array.h"
#include "hw_models/pe_grid.h"

using namespace tessera::hw;

namespace {

using Matrix = std::vector<std::int64_t>;

struct Chain {
  ArrayConfig array;
  Dataflow dataflow = Dataflow::kWeightStationary;
  std::vector<PeJob> jobs;
};

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }
  bool coin() { return pick(0, 1) != 0; }
  template <class E>
  E any_of(std::initializer_list<E> choices) {
    return choices.begin()[pick(0, static_cast<int>(choices.size()) - 1)];
  }
  Matrix matrix(std::int64_t rows, std::int64_t cols) {
    Matrix values(static_cast<std::size_t>(rows * cols));
    for (std::int64_t& value : values) value = pick(-128, 127);
    return values;
  }

 private:
  std::mt19937 engine_;
};

ArrayConfig any_array(Random& random) {
  ArrayConfig array;
  array.rows = random.pick(1, 8);
  array.cols = random.pick(1, 8);
  const int kind = random.pick(0, 5);
  if (kind == 0) array.delivery = OperandDelivery::kBroadcast;
  if (kind == 1) {
    array.delivery = OperandDelivery::kSemiSystolic;
    array.cols = random.pick(1, 3);
    array.stages = random.pick(1, 4);
  }
  array.preload = random.any_of({Preload::kExposed, Preload::kOverlapped, Preload::kPaired});
  array.fill = random.any_of({Fill::kPerChain, Fill::kPerFold});
  array.drain = random.any_of({Drain::kExposed, Drain::kOverlapped, Drain::kOmitted});
  array.result_registers = random.any_of({ResultRegisters::kSingle, ResultRegisters::kDouble});
  array.result_side = random.any_of({ResultSide::kRows, ResultSide::kCols});
  array.result_preload = random.any_of({ResultPreload::kAccumulating, ResultPreload::kAlways});
  array.pe_latency = random.coin() ? 0 : random.pick(1, 5);
  array.stream_multiple = random.any_of({1, 1, array.rows, array.rows, random.pick(1, 8)});
  array.stream_minimum = random.coin() ? 1 : random.pick(1, 6);
  return array;
}

/// n is a multiple of `grain`: in a chain, rings that hold different numbers of results would have
/// to wait for each other behind the drain, which no closed form says.
PeJob any_job(Random& random, int most, int grain) {
  PeJob job;
  const int n = grain > 1 ? grain * random.pick(1, 2) : random.pick(1, most);
  job.shape = {random.pick(1, most), random.pick(1, most), n};
  const GemmShape& s = job.shape;
  job.a = random.matrix(s.m, s.k);
  job.b = random.matrix(s.k, s.n);
  if (random.coin()) job.c = random.matrix(s.m, s.n);
  return job;
}

/// The job ahead consists of one fold, whose block `job` keeps.
void keep_block(Random& random, const ArrayConfig& array, Dataflow dataflow, PeJob& ahead,
                PeJob& job) {
  GemmShape& s = ahead.shape;
  const auto cut = [](std::int64_t& size, int most) { size = std::min<std::int64_t>(size, most); };
  if (dataflow == Dataflow::kOutputStationary) {
    cut(s.m, array.rows);
  } else {
    cut(s.k, array.rows);
  }
  cut(dataflow == Dataflow::kInputStationary ? s.m : s.n, static_cast<int>(block_cols(array)));
  ahead.a = random.matrix(s.m, s.k);
  ahead.b = random.matrix(s.k, s.n);
  if (!ahead.c.empty()) ahead.c = random.matrix(s.m, s.n);
  job.keeps_stationary = true;
  std::int64_t& streamed = dataflow == Dataflow::kOutputStationary  ? job.shape.k
                           : dataflow == Dataflow::kInputStationary ? job.shape.n
                                                                    : job.shape.m;
  const std::int64_t own = streamed;
  job.shape = ahead.shape;
  streamed = own;
  job.a =
      dataflow == Dataflow::kInputStationary ? ahead.a : random.matrix(job.shape.m, job.shape.k);
  job.b =
      dataflow == Dataflow::kWeightStationary ? ahead.b : random.matrix(job.shape.k, job.shape.n);
  job.c.clear();
  if (dataflow != Dataflow::kOutputStationary && random.coin()) {
    job.c = random.matrix(job.shape.m, job.shape.n);
  }
}

Chain any_chain(Random& random) {
  Chain chain;
  chain.array = any_array(random);
  chain.dataflow = static_cast<Dataflow>(random.pick(0, 2));
  const bool rings = chain.array.delivery == OperandDelivery::kSemiSystolic;
  if (rings) chain.dataflow = Dataflow::kOutputStationary;
  const int length = random.coin() ? 1 : random.pick(2, 5);
  for (int i = 0; i < length; ++i) {
    chain.jobs.push_back(
        any_job(random, length == 1 ? 20 : 12,
                rings && length > 1 ? static_cast<int>(block_cols(chain.array)) : 1));
    const bool follows_one_fold =
        i > 0 && !chain.jobs[static_cast<std::size_t>(i - 1)].keeps_stationary;
    // A ring keeps its sums only while it turns: its jobs do not share them.
    if (!rings && follows_one_fold && random.pick(0, 3) == 0) {
      keep_block(random, chain.array, chain.dataflow, chain.jobs[static_cast<std::size_t>(i - 1)],
                 chain.jobs.back());
    }
  }
  // Operands come early, late, or just in time.
  Cycles ready = random.pick(0, 5);
  for (PeJob& job : chain.jobs) {
    job.ready = ready;
    if (random.coin()) ready += random.pick(0, 60);
  }
  return chain;
}

struct Times {
  Cycles first_row = 0, end = 0, completed = 0;
};

/// The chain as MacArray spends it: closed forms only.
std::vector<Times> closed_form(const Chain& chain, const ArrayConfig& array) {
  ArrayChain rule(array);
  std::vector<Times> times;
  for (std::size_t i = 0; i < chain.jobs.size(); ++i) {
    const PeJob& job = chain.jobs[i];
    const ArrayCost cost =
        array_cost(array, chain.dataflow, job.shape, 1.0, !job.c.empty(), job.keeps_stationary);
    Times t;
    t.first_row = rule.earliest_stream(cost, job.ready, job.keeps_stationary);
    t.end = t.first_row + cost.stream() - cost.successor_wait;
    t.completed = t.end + cost.drain;
    rule.ended(cost, t.end);
    times.push_back(t);
  }
  return times;
}

bool stays_for_the_next(const Chain& chain, std::size_t i) {
  return chain.dataflow == Dataflow::kOutputStationary && i + 1 < chain.jobs.size() &&
         chain.jobs[i + 1].keeps_stationary;
}

bool agree(const Chain& chain, const std::vector<Times>& closed,
           const std::vector<PeOutcome>& simulated) {
  for (std::size_t i = 0; i < closed.size(); ++i) {
    if (closed[i].first_row != simulated[i].first_row || closed[i].end != simulated[i].end) {
      return false;
    }
    if (!stays_for_the_next(chain, i) && closed[i].completed != simulated[i].completed) {
      return false;
    }
  }
  return true;
}

/// A B + C, the plain way; results that stayed in the PEs are the next job's C.
std::vector<Matrix> products(const Chain& chain) {
  std::vector<Matrix> all;
  for (std::size_t i = 0; i < chain.jobs.size(); ++i) {
    const PeJob& job = chain.jobs[i];
    const GemmShape& s = job.shape;
    Matrix c = job.c;
    if (i > 0 && stays_for_the_next(chain, i - 1)) c = all[i - 1];
    c.resize(static_cast<std::size_t>(s.m * s.n));
    for (std::int64_t m = 0; m < s.m; ++m) {
      for (std::int64_t n = 0; n < s.n; ++n) {
        for (std::int64_t k = 0; k < s.k; ++k) {
          c[static_cast<std::size_t>(m * s.n + n)] += job.a[static_cast<std::size_t>(m * s.k + k)] *
                                                      job.b[static_cast<std::size_t>(k * s.n + n)];
        }
      }
    }
    all.push_back(std::move(c));
  }
  return all;
}

void describe(const Chain& chain, const std::vector<Times>& closed,
              const std::vector<PeOutcome>& simulated) {
  const ArrayConfig& a = chain.array;
  UNSCOPED_INFO(to_string(chain.dataflow)
                << " R " << a.rows << " C " << a.cols << " delivery "
                << static_cast<int>(a.delivery) << " preload " << static_cast<int>(a.preload)
                << " fill " << static_cast<int>(a.fill) << " drain " << static_cast<int>(a.drain)
                << " registers " << static_cast<int>(a.result_registers) << " side "
                << static_cast<int>(a.result_side) << " result preload "
                << static_cast<int>(a.result_preload) << " latency " << a.pe_latency << " multiple "
                << a.stream_multiple << " minimum " << a.stream_minimum);
  for (std::size_t i = 0; i < chain.jobs.size(); ++i) {
    const PeJob& job = chain.jobs[i];
    UNSCOPED_INFO("  m " << job.shape.m << " k " << job.shape.k << " n " << job.shape.n
                         << " accumulate " << !job.c.empty() << " keeps " << job.keeps_stationary
                         << " ready " << job.ready << ": closed " << closed[i].first_row << " "
                         << closed[i].end << " " << closed[i].completed << " simulated "
                         << simulated[i].first_row << " " << simulated[i].end << " "
                         << simulated[i].completed);
  }
}

}  // namespace

TEST_CASE("closed forms are what the PEs do, to the cycle and to the number") {
  PeArray pes("pes");
  Random random(20);
  for (int i = 0; i < 10000; ++i) {
    const Chain chain = any_chain(random);
    const std::vector<Times> closed = closed_form(chain, chain.array);
    const std::vector<PeOutcome> simulated = pes.run(chain.array, chain.dataflow, chain.jobs);
    const std::vector<Matrix> expected = products(chain);
    describe(chain, closed, simulated);
    INFO("case " << i);
    REQUIRE(agree(chain, closed, simulated));
    for (std::size_t j = 0; j < expected.size(); ++j) {
      if (!stays_for_the_next(chain, j)) REQUIRE(simulated[j].results == expected[j]);
    }
  }
}

TEST_CASE("an option that the closed form gets wrong shows against the PEs") {
  PeArray pes("pes");
  using Change = void (*)(ArrayConfig&);
  const std::vector<Change> changes{
      [](ArrayConfig& a) {
        a.delivery = a.delivery == OperandDelivery::kSystolic ? OperandDelivery::kBroadcast
                                                              : OperandDelivery::kSystolic;
      },
      [](ArrayConfig& a) {
        a.preload = a.preload == Preload::kExposed ? Preload::kOverlapped : Preload::kExposed;
      },
      [](ArrayConfig& a) {
        a.preload = a.preload == Preload::kPaired ? Preload::kOverlapped : Preload::kPaired;
      },
      [](ArrayConfig& a) { a.fill = a.fill == Fill::kPerFold ? Fill::kPerChain : Fill::kPerFold; },
      [](ArrayConfig& a) {
        a.drain = a.drain == Drain::kExposed ? Drain::kOverlapped : Drain::kExposed;
      },
      [](ArrayConfig& a) {
        a.drain = a.drain == Drain::kOmitted ? Drain::kOverlapped : Drain::kOmitted;
      },
      [](ArrayConfig& a) {
        a.result_registers = a.result_registers == ResultRegisters::kSingle
                                 ? ResultRegisters::kDouble
                                 : ResultRegisters::kSingle;
      },
      [](ArrayConfig& a) {
        a.result_side = a.result_side == ResultSide::kRows ? ResultSide::kCols : ResultSide::kRows;
      },
      [](ArrayConfig& a) {
        a.result_preload = a.result_preload == ResultPreload::kAlways ? ResultPreload::kAccumulating
                                                                      : ResultPreload::kAlways;
      },
      [](ArrayConfig& a) { ++a.pe_latency; },
      [](ArrayConfig& a) { ++a.stages; },
      [](ArrayConfig& a) { ++a.stream_multiple; },
      [](ArrayConfig& a) { ++a.stream_minimum; },
  };
  std::vector<int> caught(changes.size());
  Random random(21);
  for (int i = 0; i < 600; ++i) {
    const Chain chain = any_chain(random);
    const std::vector<PeOutcome> simulated = pes.run(chain.array, chain.dataflow, chain.jobs);
    for (std::size_t j = 0; j < changes.size(); ++j) {
      ArrayConfig changed = chain.array;
      changes[j](changed);
      if (!agree(chain, closed_form(chain, changed), simulated)) ++caught[j];
    }
  }
  for (std::size_t j = 0; j < changes.size(); ++j) {
    INFO("change " << j);
    CHECK(caught[j] >= 10);
  }
}

TEST_CASE("a chain run again on the same array takes the same cycles") {
  PeArray pes("pes");
  Random random(22);
  const Chain first = any_chain(random);
  const auto before = pes.run(first.array, first.dataflow, first.jobs);
  for (int i = 0; i < 20; ++i) {
    const Chain other = any_chain(random);
    pes.run(other.array, other.dataflow, other.jobs);
  }
  const auto after = pes.run(first.array, first.dataflow, first.jobs);
  for (std::size_t j = 0; j < before.size(); ++j) {
    CHECK(before[j].completed == after[j].completed);
    CHECK(before[j].results == after[j].results);
  }
}

TEST_CASE("results of two folds one cycle closer than the interval collide in the PEs") {
  ArrayConfig array;
  array.rows = 3;
  array.cols = 4;
  for (const ResultRegisters registers : {ResultRegisters::kSingle, ResultRegisters::kDouble}) {
    array.result_registers = registers;
    const Cycles interval = PeGrid(array, true).result_interval();
    CHECK(interval == (registers == ResultRegisters::kSingle ? 3 + 4 - 2 + 3 : 3));
    for (const Cycles distance : {interval, interval - 1}) {
      PeGrid grid(array, true);
      std::vector<PeResult> results;
      const auto two_folds = [&] {
        for (Cycles now = 0; now < 4 * interval; ++now) {
          EdgeInputs inputs;
          inputs.tag.valid = inputs.tag.first = inputs.tag.clears = inputs.tag.last =
              now == 0 || now == distance;
          inputs.tag.fold = now == 0 ? 0 : 1;
          inputs.west.assign(3, 1);
          inputs.north.assign(4, 1);
          grid.clock(inputs, results);
        }
      };
      if (distance == interval) {
        CHECK_NOTHROW(two_folds());
        CHECK(results.size() == 2 * 3 * 4);
      } else {
        CHECK_THROWS_AS(two_folds(), std::logic_error);
      }
    }
  }
}

TEST_CASE("an idle array between two commands costs what the first one did") {
  PeArray pes("pes");
  Random random(23);
  for (int i = 0; i < 200; ++i) {
    Chain chain = any_chain(random);
    chain.jobs.resize(1);
    chain.jobs[0].keeps_stationary = false;
    chain.jobs[0].ready = 0;
    const Cycles alone = pes.run(chain.array, chain.dataflow, chain.jobs)[0].completed;
    chain.jobs.push_back(chain.jobs[0]);
    chain.jobs[1].ready = alone + 10;
    const auto outcome = pes.run(chain.array, chain.dataflow, chain.jobs);
    CHECK(outcome[0].completed == alone);
    CHECK(outcome[1].completed == alone + 10 + alone);
  }
}
