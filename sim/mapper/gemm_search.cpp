#include "sim/mapper/gemm_search.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "sim/mapper/mapper.h"
#include "sim/mapper/no_fit.h"

namespace tessera::sim {
namespace {

using hw::ceil_div;
using Order = std::array<LoopDim, 3>;

constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();
constexpr LoopDim M = LoopDim::kM;
constexpr LoopDim K = LoopDim::kK;
constexpr LoopDim N = LoopDim::kN;
/// By preference among equals: with K outside, a partial sum returns as late as possible.
constexpr std::array<Order, 6> kOrders{
    {{K, M, N}, {K, N, M}, {M, N, K}, {N, M, K}, {M, K, N}, {N, K, M}}};

constexpr int kLoopOrderIndex = 2;  // kLoopOrder
static_assert(kOrders[kLoopOrderIndex][0] == kLoopOrder[0] &&
              kOrders[kLoopOrderIndex][1] == kLoopOrder[1]);

/// Loops with more than one iteration, outer first, as a number.
int significant(const Order& order, const TileShape& counts) {
  int code = 0;
  for (const LoopDim dim : order) {
    const std::int64_t count = dim == M ? counts.m : dim == K ? counts.k : counts.n;
    if (count > 1) code = code * 4 + static_cast<int>(dim) + 1;
  }
  return code;
}

/// Orders that differ in cost. Without resident operands only the innermost loop matters; with
/// them the outer loops decide when a resident operand is first needed.
std::vector<int> distinct_orders(const TileShape& counts, bool resident) {
  std::vector<int> orders, seen;
  for (int i = 0; i < 6; ++i) {
    const int code = significant(kOrders[static_cast<std::size_t>(i)], counts);
    const int key = resident ? code : code % 4;
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) continue;
    seen.push_back(key);
    orders.push_back(i);
  }
  return orders;
}

std::int64_t metric_of(Objective objective, Cycles latency, Bytes bytes) {
  return objective == Objective::kLatency ? latency : bytes;
}

struct Candidate {
  GemmChoice choice;
  MappingCost cost;
  int order = 0;
  int dataflow = 0;
  int doubled = 0;  // bit i: slot i (a, b, accumulators, outputs) double buffered
};

/// Total order: no two candidates are equal, so that plans are stable.
auto rank(Objective objective, const Candidate& c) {
  const TileShape& tile = c.choice.tile;
  return std::make_tuple(metric_of(objective, c.cost.latency, c.cost.dram_bytes), c.cost.latency,
                         c.cost.bus_bytes, -tile.k, -tile.n, -tile.m, c.order,
                         c.choice.resident_a + c.choice.resident_b, c.choice.resident_b, c.dataflow,
                         -c.doubled);
}

/// The best candidate so far, within limits of latency and bytes.
struct Incumbent {
  Objective objective = Objective::kLatency;
  Cycles max_latency = kUnlimited;
  Bytes max_bytes = kUnlimited;
  bool bytes_only = false;  // only the least bytes are asked for: latencies are not priced
  std::optional<Candidate> best;

  /// May a candidate that is at least so slow and moves at least so many bytes still win?
  bool admits(Cycles latency, Bytes bytes) const {
    if (latency > max_latency || bytes > max_bytes) return false;
    if (!best) return true;
    if (bytes_only) return bytes < best->cost.dram_bytes;
    return std::make_pair(metric_of(objective, latency, bytes), latency) <=
           std::make_pair(metric_of(objective, best->cost.latency, best->cost.dram_bytes),
                          best->cost.latency);
  }
  /// Can nothing win whose metric is at least `floor`?
  bool closed_at(std::int64_t floor) const {
    return objective == Objective::kLatency ? !admits(floor, 0) : !admits(0, floor);
  }
  void offer(const Candidate& candidate) {
    if (!admits(candidate.cost.latency, candidate.cost.dram_bytes)) return;
    if (best && !(rank(objective, candidate) < rank(objective, *best))) return;
    best = candidate;
  }
};

/// A result tile with what no mapping of it can beat.
struct Pair {
  std::int64_t m = 0, n = 0;
  std::int64_t k = 0;  // the largest that fits
  Cycles latency_floor = 0;
  Bytes bytes_floor = 0;
  std::pair<std::int64_t, std::int64_t> floors(Objective objective) const {
    if (objective == Objective::kLatency) return {latency_floor, bytes_floor};
    return {bytes_floor, latency_floor};
  }
};

class GemmSearch {
 public:
  GemmSearch(const GemmContext& context, const GemmPins& pins, bool prune)
      : context_(context), problem_(context.problem), pins_(pins), prune_(prune) {
    sizes_ = candidate_sizes(context);
    const std::int64_t pinned[3] = {pins.tile.m, pins.tile.k, pins.tile.n};
    for (std::size_t i = 0; i < 3; ++i) {
      if (pinned[i] > 0) sizes_[i] = {pinned[i]};
    }
    const auto& dataflows = context.hardware.array.dataflows;
    for (std::size_t i = 0; i < dataflows.size(); ++i) {
      if (pins.dataflow && dataflows[i] != *pins.dataflow) continue;
      // What is kept lies in the buffer of activations, not in that of stationary operands.
      if (problem_.a.on_chip && dataflows[i] == hw::Dataflow::kInputStationary) continue;
      dataflows_.push_back({dataflows[i], static_cast<int>(i)});
    }
    measure_matrices();
    measure_overhead();
    make_pairs();
  }

  /// Looks for a better candidate within the limits of `incumbent`.
  void improve(Incumbent& incumbent) {
    const Objective objective = incumbent.objective;
    std::vector<Pair> pairs;
    std::copy_if(pairs_.begin(), pairs_.end(), std::back_inserter(pairs), [&](const Pair& pair) {
      return !prune_ || incumbent.admits(pair.latency_floor, pair.bytes_floor);
    });
    std::stable_sort(pairs.begin(), pairs.end(), [&](const Pair& x, const Pair& y) {
      return x.floors(objective) < y.floors(objective);
    });
    for (const Pair& pair : pairs) {
      if (prune_) {
        if (incumbent.closed_at(pair.floors(objective).first)) break;
        if (!incumbent.admits(pair.latency_floor, pair.bytes_floor)) continue;
      }
      explore_pair(pair, incumbent);
    }
  }

 private:
  struct Flow {
    hw::Dataflow dataflow;
    int index;
  };
  /// What all candidates of one tile and dataflow share.
  struct TileFacts {
    Flow flow;
    TileShape tile, counts;
    SlotPlan slots;
    ArrayTotals array;
    EpilogueTotals epilogue;
    GemmPasses passes;
  };

  void make_pairs() {
    const std::vector<Cycles> array_m = array_floors(sizes_[0], true);
    const std::vector<Cycles> array_n = array_floors(sizes_[2], false);
    const std::vector<Bytes> padding = padding_floors();
    for (std::size_t i = 0; i < sizes_[0].size(); ++i) {
      std::size_t k = sizes_[1].size();  // a larger n never allows a larger k
      for (std::size_t j = 0; j < sizes_[2].size(); ++j) {
        Pair pair;
        pair.m = sizes_[0][i];
        pair.n = sizes_[2][j];
        while (k > 0 && !fits_single({pair.m, sizes_[1][k - 1], pair.n})) --k;
        if (k == 0) break;
        pair.k = sizes_[1][k - 1];
        set_floors(pair, std::max(array_m[i], array_n[j]), padding[j]);
        pairs_.push_back(pair);
      }
    }
  }

  /// For each size of n: bus bytes beyond the useful ones of one pass over B and the results, where
  /// they depend on n alone.
  std::vector<Bytes> padding_floors() const {
    const GemmProblem& p = problem_;
    std::vector<Bytes> padding;
    for (const std::int64_t n : sizes_[2]) {
      const GemmPasses passes = gemm_passes(context_, {p.m, p.k, n});
      Bytes bytes = 0;
      if (n < p.n && !p.b.transposed) bytes += passes.b.bus - whole_.b;
      if (n < p.n) bytes += passes.out.bus - whole_.out;
      padding.push_back(bytes);
    }
    return padding;
  }

  /// Array cycles of one instance if only this dimension were cut: cutting another never helps.
  std::vector<Cycles> array_floors(const std::vector<std::int64_t>& sizes, bool rows) const {
    std::vector<Cycles> floors;
    for (const std::int64_t size : sizes) {
      const TileShape tile{rows ? size : problem_.m, problem_.k, rows ? problem_.n : size};
      Cycles least = kUnlimited;
      for (const Flow& flow : dataflows_) {
        least = std::min(least, array_totals(context_, flow.dataflow, tile).stream);
      }
      floors.push_back(least);
    }
    return floors;
  }

  bool fits_single(const TileShape& tile) const {
    for (const Flow& flow : dataflows_) {
      const SlotPlan slots = slot_plan(context_, flow.dataflow, tile);
      if (slots_fit(context_, slots, {1, 1, 1, context_.in_place ? 0 : 1})) return true;
    }
    return false;
  }

  /// Least bytes of one instance with at least `counts` tiles: price.h's traffic with whole
  /// operands kept wherever one could be.
  Bytes least_bytes(const TileShape& counts) const {
    const Bytes partial = 2 * (counts.k - 1) * whole_.partial;
    const std::int64_t times_a = a_could_reside_ ? 1 : counts.n;
    const std::int64_t times_b = b_could_reside_ ? 1 : counts.m;
    const Bytes inner_k = times_a * whole_.a + times_b * whole_.b;
    const Bytes inner_n = whole_.a + times_b * whole_.b + partial;
    const Bytes inner_m = times_a * whole_.a + whole_.b + partial;
    const Bytes results = (problem_.residual ? 2 : 1) * whole_.out;
    return results + std::min({inner_k, inner_n, inner_m});
  }

  void measure_matrices() {
    const GemmProblem& p = problem_;
    whole_ = {p.a.on_chip ? 0 : p.m * p.k * p.a.bits / 8, p.k * p.n * p.b.bits / 8,
              p.m * p.n * p.partial.bits / 8, p.out.on_chip ? 0 : p.m * p.n * p.out.bits / 8};
    for (const Flow& flow : dataflows_) {
      const SlotPlan slots = slot_plan(context_, flow.dataflow, {1, 1, 1});
      a_could_reside_ |= whole_.a <= context_.capacity(slots.buffer[0]);
      b_could_reside_ |= whole_.b <= context_.capacity(slots.buffer[1]);
    }
  }

  /// What every latency contains besides the transfers and the array's cycles.
  void measure_overhead() {
    const MachineRates& rates = context_.rates;
    Cycles drain = kUnlimited;
    for (const Flow& flow : dataflows_) {
      const TileShape whole{problem_.m, problem_.k, problem_.n};
      drain = std::min(drain, array_totals(context_, flow.dataflow, whole).drain);
    }
    overhead_ = rates.launch + 3 * rates.dispatch + rates.load_latency + drain;
    if (!problem_.out.on_chip) overhead_ += rates.store_latency;
  }

  /// overhead + max(array + last result tile, DRAM).
  void set_floors(Pair& pair, Cycles array, Bytes padding) const {
    const MachineRates& rates = context_.rates;
    const TileShape counts = tile_counts(problem_, {pair.m, pair.k, pair.n});
    const Bytes bytes = problem_.instances * least_bytes(counts);
    const Bytes tile = whole_.out / (counts.m * counts.n);
    pair.bytes_floor = bytes;
    pair.latency_floor = std::max(array_floor(array) + rates.dram.cycles(tile),
                                  dram_floor(bytes + problem_.instances * padding));
  }

  /// Floor of the latency from the array alone.
  Cycles array_floor(Cycles stream) const {
    return overhead_ + context_.hardware.array.startup + problem_.instances * stream;
  }
  Cycles dram_floor(Bytes bus) const { return overhead_ + context_.rates.dram.cycles(bus); }

  /// The array's part of the floor, now for both dimensions together.
  bool worth_exploring(const Pair& pair, const Incumbent& incumbent) const {
    if (!prune_ || incumbent.bytes_only) return true;
    Cycles array = kUnlimited;
    for (const Flow& flow : dataflows_) {
      const TileShape tile{pair.m, problem_.k, pair.n};
      array = std::min(array, array_totals(context_, flow.dataflow, tile).stream);
    }
    return incumbent.admits(array_floor(array), pair.bytes_floor);
  }

  void explore_pair(const Pair& pair, Incumbent& incumbent) {
    if (!worth_exploring(pair, incumbent)) return;
    TileFacts facts;
    if (!incumbent.bytes_only) facts.epilogue = epilogue_totals(context_, pair.m, pair.n);
    facts.passes = gemm_passes(context_, {pair.m, sizes_[1].back(), pair.n});
    const auto& sizes = sizes_[1];
    const auto first = std::find(sizes.rbegin(), sizes.rend(), pair.k);
    for (auto k = first; k != sizes.rend(); ++k) {
      facts.tile = {pair.m, *k, pair.n};
      facts.counts = tile_counts(problem_, facts.tile);
      const Bytes bytes = problem_.instances * least_bytes(facts.counts);
      if (prune_ && !incumbent.admits(dram_floor(bytes), bytes)) continue;
      facts.passes.a = pass_a(context_, facts.tile);
      facts.passes.b = pass_b(context_, facts.tile);
      const Bytes bus = facts.passes.a.bus + facts.passes.b.bus + facts.passes.out.bus;
      if (prune_ && !incumbent.admits(dram_floor(problem_.instances * bus), bytes)) continue;
      for (const Flow& flow : dataflows_) {
        facts.flow = flow;
        explore_tile(facts, incumbent);
      }
    }
  }

  void explore_tile(TileFacts& facts, Incumbent& incumbent) {
    facts.slots = slot_plan(context_, facts.flow.dataflow, facts.tile);
    if (!slots_fit(context_, facts.slots, {1, 1, 1, context_.in_place ? 0 : 1})) return;
    if (!incumbent.bytes_only) {
      facts.array = array_totals(context_, facts.flow.dataflow, facts.tile);
      if (prune_ && !incumbent.admits(array_floor(facts.array.stream), 0)) return;
    }
    const bool loop = context_.hardware.sequencer.loop.exists();
    for (int resident = 0; resident < (loop ? 1 : 4); ++resident) {
      const bool a = (resident & 1) != 0, b = (resident & 2) != 0;
      if (pins_.resident && *pins_.resident != std::array<bool, 2>{a, b}) continue;
      if (!resident_fits(facts, a, b)) continue;
      for (const int order : orders_of(facts.counts, resident != 0)) {
        Candidate candidate = candidate_of(facts, order, a, b);
        GemmTerms terms = gemm_terms(context_, candidate.choice, facts.counts, facts.passes);
        if (!residency_helps(facts.counts, terms.inner, a, b)) continue;
        if (prune_ && !incumbent.admits(dram_floor(terms.traffic.bus), terms.traffic.useful)) {
          continue;
        }
        if (!incumbent.bytes_only) {
          terms.windows = windows_of(context_, candidate.choice, terms, facts.passes);
        }
        explore_slots(facts, terms, candidate, incumbent);
      }
    }
  }

  Candidate candidate_of(const TileFacts& facts, int order, bool a, bool b) const {
    Candidate candidate;
    candidate.order = order;
    candidate.dataflow = facts.flow.index;
    candidate.choice.dataflow = facts.flow.dataflow;
    candidate.choice.tile = facts.tile;
    candidate.choice.order = kOrders[static_cast<std::size_t>(order)];
    candidate.choice.resident_a = a;
    candidate.choice.resident_b = b;
    return candidate;
  }

  /// Room for the resident operands themselves.
  bool resident_fits(const TileFacts& facts, bool a, bool b) const {
    const TileShape& counts = facts.counts;
    const SlotPlan& slots = facts.slots;
    return (!a || counts.m * counts.k * slots.bytes[0] <= context_.capacity(slots.buffer[0])) &&
           (!b || counts.k * counts.n * slots.bytes[1] <= context_.capacity(slots.buffer[1]));
  }

  /// Residency that saves no load is not a mapping of its own, unless pinned.
  bool residency_helps(const TileShape& counts, LoopDim inner, bool a, bool b) const {
    if (pins_.resident) return true;
    return (!a || (counts.n > 1 && inner != N && !problem_.a.on_chip)) &&
           (!b || (counts.m > 1 && inner != M));
  }

  const std::vector<int>& orders_of(const TileShape& counts, bool resident) {
    const int shape = (counts.m > 1) + 2 * (counts.k > 1) + 4 * (counts.n > 1);
    std::vector<int>& orders = orders_[static_cast<std::size_t>(shape + (resident ? 8 : 0))];
    if (!orders.empty()) return orders;
    if (context_.hardware.sequencer.loop.exists()) {
      orders = {kLoopOrderIndex};
    } else if (pins_.order) {
      const auto at = std::find(kOrders.begin(), kOrders.end(), *pins_.order);
      orders = {static_cast<int>(at - kOrders.begin())};
    } else if (!prune_) {
      orders = {0, 1, 2, 3, 4, 5};
    } else {
      orders = distinct_orders(counts, resident);
    }
    return orders;
  }

  /// Slots worth doubling: what is used only once needs no second one.
  int useful_doubles(const TileFacts& facts, const GemmTerms& terms,
                     const GemmChoice& choice) const {
    const std::int64_t instances = problem_.instances;
    const bool a = choice.resident_a ? instances > 1 : terms.traffic.loads_a > 1;
    const bool b = choice.resident_b ? instances > 1 : terms.traffic.loads_b > 1;
    const bool c = facts.counts.m * facts.counts.n * instances > 1;
    const bool staged = context_.hardware.sequencer.loop.exists();  // a slot a store command
    return a + 2 * b + 4 * c + 8 * ((c || staged) && !context_.in_place && !problem_.out.on_chip);
  }

  void explore_slots(const TileFacts& facts, const GemmTerms& terms, Candidate& candidate,
                     Incumbent& incumbent) const {
    if (prune_ && !incumbent.bytes_only &&
        !incumbent.admits(latency_floor(context_, terms, facts.array, facts.epilogue, facts.passes),
                          terms.traffic.useful)) {
      return;
    }
    const int useful = useful_doubles(facts, terms, candidate.choice);
    std::vector<int>& taken = taken_;
    taken.clear();
    for (int doubled = 15; doubled >= 0; --doubled) {
      if (!doubles_allowed(doubled, useful)) continue;
      const bool dominated = prune_ && std::any_of(taken.begin(), taken.end(), [&](int larger) {
                               return (larger & doubled) == doubled;
                             });
      if (dominated) continue;
      set_doubles(candidate, doubled);
      if (!slots_fit(context_, facts.slots, slot_counts(facts.counts, candidate.choice))) {
        continue;
      }
      taken.push_back(doubled);
      offer(facts, terms, candidate, incumbent);
      if (incumbent.bytes_only) return;
    }
  }

  void offer(const TileFacts& facts, const GemmTerms& terms, Candidate& candidate,
             Incumbent& incumbent) const {
    if (incumbent.bytes_only) {
      candidate.cost = {};
      candidate.cost.dram_bytes = terms.traffic.useful;
    } else {
      candidate.cost =
          gemm_cost(context_, candidate.choice, terms, facts.array, facts.epilogue, facts.passes);
    }
    incumbent.offer(candidate);
  }

  bool doubles_allowed(int doubled, int useful) const {
    if (!pins_.double_buffered) return (doubled & ~useful) == 0;
    int pinned = 0;
    for (int i = 0; i < 4; ++i) {
      if ((*pins_.double_buffered)[static_cast<std::size_t>(i)]) pinned |= 1 << i;
    }
    if (context_.in_place) pinned &= 7;
    return doubled == pinned;
  }

  void set_doubles(Candidate& candidate, int doubled) const {
    candidate.doubled = doubled;
    GemmChoice& choice = candidate.choice;
    choice.a = (doubled & 1) != 0 ? 2 : 1;
    choice.b = (doubled & 2) != 0 ? 2 : 1;
    choice.accumulators = (doubled & 4) != 0 ? 2 : 1;
    choice.outputs = context_.in_place ? 0 : (doubled & 8) != 0 ? 2 : 1;
  }

  const GemmContext& context_;
  const GemmProblem& problem_;
  const GemmPins& pins_;
  bool prune_;
  std::array<std::vector<std::int64_t>, 3> sizes_;
  struct {
    Bytes a = 0, b = 0, partial = 0, out = 0;
  } whole_;  // bytes of one instance's matrices
  bool a_could_reside_ = false, b_could_reside_ = false;
  std::vector<Flow> dataflows_;
  std::vector<Pair> pairs_;
  Cycles overhead_ = 0;
  std::array<std::vector<int>, 16> orders_;
  mutable std::vector<int> taken_;
};

std::int64_t with_tolerance(std::int64_t best, double within) {
  return best + static_cast<std::int64_t>(static_cast<double>(best) * within);
}

bool is_free(const GemmPins& pins) {
  return !pins.dataflow && pins.tile.m == 0 && pins.tile.k == 0 && pins.tile.n == 0 &&
         !pins.order && !pins.double_buffered && !pins.resident;
}

/// Least bytes over all candidates of `search`, of which `known` may be one.
Bytes least_bytes_of(GemmSearch& search, const std::optional<Candidate>& known) {
  Incumbent least;
  least.best = known;
  least.objective = Objective::kDramBytes;
  least.bytes_only = true;
  search.improve(least);
  return least.best ? least.best->cost.dram_bytes : -1;
}

/// The best under the second objective among those whose first is within the tolerance.
Candidate relaxed(GemmSearch& search, const ObjectiveConfig& objective, const Candidate& best) {
  if (objective.then == objective.minimize) return best;
  Incumbent chosen;
  chosen.objective = objective.then;
  chosen.best = best;
  if (objective.minimize == Objective::kLatency) {
    chosen.max_latency = with_tolerance(best.cost.latency, objective.within);
  } else {
    chosen.max_bytes = with_tolerance(best.cost.dram_bytes, objective.within);
  }
  search.improve(chosen);
  return *chosen.best;
}

}  // namespace

Bytes least_dram_bytes(const GemmContext& context) {
  const GemmPins free;
  GemmSearch search(context, free, true);
  return least_bytes_of(search, std::nullopt);
}

GemmResult search_gemm(const GemmContext& context, const ObjectiveConfig& objective,
                       const GemmPins& pins, const std::string& who, bool prune) {
  const std::array<bool, 2> resident = pins.resident.value_or(std::array<bool, 2>{});
  const std::string refused =
      loop_refusal(context.hardware, pins.order.value_or(kLoopOrder), resident[0], resident[1]);
  if (!refused.empty()) throw MappingError(who + ": " + refused);
  GemmSearch search(context, pins, prune);
  Incumbent first;
  first.objective = objective.minimize;
  search.improve(first);
  if (!first.best) throw MappingError(no_fit_message(context, pins, who));

  const Candidate chosen = relaxed(search, objective, *first.best);
  const Bytes least = is_free(pins) ? least_bytes_of(search, chosen) : least_dram_bytes(context);
  return {chosen.choice, chosen.cost, std::min(least, chosen.cost.dram_bytes)};
}

}  // namespace tessera::sim
