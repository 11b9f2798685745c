#include "sim/mapper/price.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "hw_models/array_timing.h"
#include "hw_models/vector_cost.h"

namespace tessera::sim {
namespace {

using hw::ceil_div;

/// A dimension cut into tiles: `count` full ones and an edge.
struct Cut {
  struct Part {
    std::int64_t count = 0;
    std::int64_t size = 0;
  };
  Part part[2];
  Cut(std::int64_t total, std::int64_t tile)
      : part{{total / tile, tile}, {total % tile != 0 ? 1 : 0, total % tile}} {}
};

Cycles command_cycles(const hw::ArrayConfig& array, const hw::ArrayCost& cost) {
  return cost.stream() + (array.preload == hw::Preload::kExposed ? cost.preload : 0);
}

MatrixPass scaled(const OperandLayout& layout, std::int64_t rows, std::int64_t cols,
                  std::int64_t tile_rows, std::int64_t tile_cols, const Grains& burst) {
  if (!layout.transposed) return matrix_pass(layout, rows, cols, tile_rows, tile_cols, burst);
  return matrix_pass(layout, cols, rows, tile_cols, tile_rows, burst);
}

std::int64_t dim_of(const TileShape& shape, LoopDim dim) {
  return dim == LoopDim::kM ? shape.m : dim == LoopDim::kK ? shape.k : shape.n;
}

/// Bus bytes of one transfer, on average.
Bytes per_transfer(const MatrixPass& pass) {
  return pass.transfers == 0 ? 0 : ceil_div(pass.bus, pass.transfers);
}

/// Cycles of one transfer alone, on average.
Cycles transfer_cycles(const MachineRates& rates, const MatrixPass& pass) {
  if (pass.transfers == 0) return 0;
  return rates.transfer(per_transfer(pass), ceil_div(pass.requests, pass.transfers));
}

constexpr int kRatioBits = 10;

/// Times of one tile, from which rings are made.
struct TileTimes {
  Cycles restart = 0;   // start-up and preload of a Gemm that does not chain
  Cycles around = 0;    // the same and the drain behind it
  Cycles command = 0;   // one Gemm command, on average
  Cycles slow_run = 0;  // from one change of the slow operand to the next
  Cycles load_a = 0, load_b = 0;
  Cycles last_run = 0;  // the last command of a sweep of the innermost loop
  Cycles widest = 0;    // what its full tiles load per iteration, over the average (in 1/2^10)
  Cycles queued = 0;    // what a transfer waits for others at the DRAM
  Cycles result = 0;    // a result tile on the DRAM bus
  Cycles tail = 0;      // from a Gemm's last row to the end of its epilogue
  Cycles store = 0;     // of one result tile, with latency
  Cycles residual = 0;  // a tile of it in, with latency; 0 without
  Cycles spill = 0;     // a partial-sum tile drained, out and in again, both latencies
};

Cycles epilogue_tail(const ArrayTotals& array, Cycles epilogue) {
  return std::max(array.drain, array.first_result + epilogue - array.last);
}

/// A transfer finds the DRAM busy with a slice of another queue as often as the DRAM is busy.
Cycles queueing(const GemmContext& context, const GemmTerms& terms, const ArrayTotals& array) {
  const Cycles dram = context.rates.dram.cycles(terms.traffic.bus);
  const Cycles busiest = std::max(dram, context.problem.instances * array.stream);
  return context.rates.slice * dram / std::max<Cycles>(1, busiest);
}

TileTimes tile_times(const GemmContext& context, const GemmChoice& choice, const GemmTerms& terms,
                     const ArrayTotals& array, const EpilogueTotals& epilogue,
                     const GemmPasses& passes) {
  const MachineRates& rates = context.rates;
  const TileShape& counts = terms.counts;
  TileTimes times;
  times.command = ceil_div(array.stream, counts.m * counts.k * counts.n);
  times.slow_run = times.command * dim_of(counts, terms.inner);
  // Averages hide the edge of the innermost loop: its last tile is smaller, the others larger.
  const GemmProblem& p = context.problem;
  const std::int64_t total = dim_of({p.m, p.k, p.n}, terms.inner);
  const std::int64_t tile = dim_of(choice.tile, terms.inner);
  const std::int64_t last = total - (dim_of(counts, terms.inner) - 1) * tile;
  times.widest = (dim_of(counts, terms.inner) * tile << kRatioBits) / total;
  times.last_run = ((times.command * times.widest) >> kRatioBits) * last / tile;
  times.result = transfer_cycles(rates, passes.out);
  times.restart = array.restart;
  times.around = array.restart + array.drain;
  times.load_a = transfer_cycles(rates, passes.a);
  times.load_b = transfer_cycles(rates, passes.b);
  times.tail = epilogue_tail(array, epilogue.full);
  times.queued = queueing(context, terms, array);
  if (!p.out.on_chip) {
    times.store = rates.store_latency + times.queued + transfer_cycles(rates, passes.out);
  }
  if (p.residual) {
    times.residual = rates.load_latency + times.queued + transfer_cycles(rates, passes.residual);
  }
  times.spill = array.drain + rates.store_latency + rates.load_latency + 2 * times.queued +
                2 * transfer_cycles(rates, passes.partial);
  return times;
}

/// Bubble of operand `mine` that changes every `run` cycles together with `other` (0: alone): in
/// lockstep the two loads share the DRAM unless the other one has more slots, and so more time.
Cycles load_wait(const GemmContext& context, const TileTimes& times, Cycles mine, int slots,
                 Cycles other, int other_slots, Cycles run) {
  const Cycles shared = other_slots <= slots ? other : 0;
  const Cycles latency = context.rates.load_latency + times.queued;
  const Cycles occupied = latency + mine + shared + times.around + run;
  return ring_wait(occupied, slots, run);
}

/// Bubble of the results, which change every `run` cycles.
Cycles result_wait(const GemmContext& context, const GemmChoice& choice, const GemmTerms& terms,
                   const TileTimes& times, Cycles run) {
  const std::int64_t partial = terms.reuse.partial;
  const Cycles store = choice.outputs == 0 ? times.store : 0;
  const Cycles held = ceil_div(partial * times.spill + times.tail + store, partial + 1);
  const Cycles accumulators = ring_wait(run + times.restart + held, choice.accumulators, run);
  if (choice.outputs == 0 || context.problem.out.on_chip) return accumulators;
  // The command that carries the epilogue waits for the outputs slot, not the ones before it.
  const Cycles period = run * (partial + 1);
  const Cycles outputs =
      ring_wait(times.residual + times.command + times.restart + times.tail + times.store,
                choice.outputs, period);
  return std::max(accumulators, outputs);
}

/// Bubble at the end of a sweep of the innermost loop: the first full tile of the next sweep loads,
/// beside a result that leaves, while the last one of this sweep computes (if there is a second
/// slot to load into).
Cycles sweep_wait(const GemmContext& context, const GemmTerms& terms, const TileTimes& times,
                  Cycles loads, bool double_buffered) {
  if (loads == 0 || dim_of(terms.counts, terms.inner) == 1) return 0;
  const Cycles full = (loads * times.widest) >> kRatioBits;
  const Cycles latency = context.rates.load_latency + times.queued;
  const Cycles needed = latency + full + times.result + times.around;
  return std::max<Cycles>(0, needed - (double_buffered ? times.last_run : 0));
}

struct Bubbles {
  Cycles fast = 0;  // at a boundary where only the fast ones change
  Cycles slow = 0;  // where the slow one changes too
};

Bubbles bubbles_of(const GemmContext& context, const GemmChoice& choice, const GemmTerms& terms,
                   const TileTimes& times) {
  const bool has_a = choice.resident_a || context.problem.a.on_chip;
  const Cycles load_a = has_a ? 0 : times.load_a;
  const Cycles load_b = choice.resident_b ? 0 : times.load_b;
  const auto wait_a = [&](Cycles run, Cycles with_b) {
    if (has_a) return Cycles{0};
    return load_wait(context, times, load_a, choice.a, with_b, choice.b, run);
  };
  const auto wait_b = [&](Cycles run, Cycles with_a) {
    if (choice.resident_b) return Cycles{0};
    return load_wait(context, times, load_b, choice.b, with_a, choice.a, run);
  };
  const auto wait_c = [&](Cycles run) { return result_wait(context, choice, terms, times, run); };
  const Cycles fast = times.command;
  const Cycles slow = times.slow_run;
  switch (terms.inner) {
    case LoopDim::kK: {
      const Cycles loads = std::max(wait_a(fast, load_b), wait_b(fast, load_a));
      const bool both_double = (has_a || choice.a > 1) && (choice.resident_b || choice.b > 1);
      const Cycles sweep = sweep_wait(context, terms, times, load_a + load_b, both_double);
      return {loads, std::max({loads, wait_c(slow), sweep})};
    }
    case LoopDim::kN: {
      const Cycles results = wait_c(fast);
      return {std::max(results, wait_b(fast, 0)),
              std::max({results, wait_b(fast, load_a), wait_a(slow, load_b),
                        sweep_wait(context, terms, times, load_b, choice.b > 1)})};
    }
    case LoopDim::kM:
      break;
  }
  const Cycles results = wait_c(fast);
  return {std::max(results, wait_a(fast, 0)),
          std::max({results, wait_a(fast, load_b), wait_b(slow, load_a),
                    sweep_wait(context, terms, times, load_a, choice.a > 1)})};
}

/// A resident operand that is read whole in the first sweep of an outermost loop must arrive in
/// that sweep: what the DRAM needs beyond the sweep's array cycles, once per instance (once in all
/// with a second set of slots).
Cycles bunching(const GemmContext& context, const GemmChoice& choice, const GemmTerms& terms,
                const ArrayTotals& array, const GemmPasses& passes) {
  const bool sweeps_a = choice.resident_a && terms.outer == LoopDim::kN && terms.counts.n > 1;
  const bool sweeps_b = choice.resident_b && terms.outer == LoopDim::kM && terms.counts.m > 1;
  if (!sweeps_a && !sweeps_b) return 0;
  const std::int64_t sweeps = sweeps_a ? terms.counts.n : terms.counts.m;
  const Bytes first = sweeps_a ? passes.a.bus : passes.b.bus;
  const Bytes others = terms.traffic.bus / context.problem.instances - first;
  const Cycles needed = context.rates.dram.cycles(first + others / sweeps);
  const int sets = sweeps_a ? choice.a : choice.b;
  const std::int64_t times = sets > 1 ? 1 : context.problem.instances;
  return times * std::max<Cycles>(0, needed - array.stream / sweeps);
}

/// Resident operands in one set of slots: an instance's first tile waits for the last Gemm that
/// read the slot, one sweep earlier.
Cycles refill_wait(const GemmContext& context, const GemmChoice& choice, const GemmTerms& terms,
                   const TileTimes& times) {
  const TileShape& counts = terms.counts;
  Cycles wait = 0;
  if (choice.resident_a && choice.a == 1) {
    const Cycles sweep = (counts.m * counts.k - 1) * times.command;
    wait = std::max(wait, context.rates.load_latency + times.load_a - sweep);
  }
  if (choice.resident_b && choice.b == 1) {
    const Cycles sweep = (counts.k * counts.n - 1) * times.command;
    wait = std::max(wait, context.rates.load_latency + times.load_b - sweep);
  }
  return wait * (context.problem.instances - 1);
}

Cycles first_loads(const GemmContext& context, const GemmPasses& passes) {
  const MachineRates& rates = context.rates;
  return rates.load_latency +
         std::max({rates.dram.cycles(per_transfer(passes.a) + per_transfer(passes.b)),
                   transfer_cycles(rates, passes.a), transfer_cycles(rates, passes.b)});
}

/// The parts of a latency that no slot changes.
struct Frame {
  Cycles before = 0;  // launch and dispatch
  Cycles first = 0;   // until the first operands are there
  Cycles dram = 0;    // DRAM-bound body
  Cycles vector = 0;  // vector-bound body
  Cycles issue = 0;   // issue-bound body
  Cycles after = 0;   // last drain, epilogue and store
};

Frame frame_of(const GemmContext& context, const GemmTerms& terms, const ArrayTotals& array,
               const EpilogueTotals& epilogue, const GemmPasses& passes) {
  const MachineRates& rates = context.rates;
  const Traffic& traffic = terms.traffic;
  const Cycles last_store = transfer_cycles(rates, passes.out);
  Frame frame;
  frame.before = rates.launch + 3 * rates.dispatch;
  frame.first = first_loads(context, passes) + array.restart;
  const Cycles moving = std::max(rates.dram.cycles(traffic.bus), terms.windows);
  frame.dram = rates.load_latency + moving - last_store + array.last;
  frame.vector = frame.first + context.problem.instances * epilogue.all - epilogue.last;
  frame.issue = std::max(traffic.commands * rates.dispatch,
                         std::max(traffic.loads_a, traffic.loads_b) * rates.descriptor);
  frame.after = epilogue_tail(array, epilogue.last) + last_store;
  if (!context.problem.out.on_chip) frame.after += rates.store_latency;
  return frame;
}

Cycles assembled(const Frame& frame, Cycles array_bound) {
  const Cycles body = std::max(std::max(frame.first + array_bound, frame.dram),
                               std::max(frame.vector, frame.issue));
  return frame.before + body + frame.after;
}

}  // namespace

namespace {

/// The buffers of a Gemm's operands, results included, and how wide they are.
struct OperandBuffers {
  std::array<int, 3> buffer{};  // of A, B and the results
  hw::OperandWidths widths;
};

OperandBuffers operand_buffers(const GemmContext& context, hw::Dataflow dataflow) {
  const bool a_stays = dataflow == hw::Dataflow::kInputStationary;
  const RoleBuffers& roles = context.roles;
  OperandBuffers operands;
  operands.buffer = {a_stays ? roles.stationary : roles.activations,
                     a_stays ? roles.activations : roles.stationary, roles.accumulators};
  const auto width = [&](std::size_t i) {
    return context.hardware.buffers[static_cast<std::size_t>(operands.buffer[i])].width;
  };
  const GemmProblem& p = context.problem;
  operands.widths = {width(0), width(1), width(2), p.a.bits, p.b.bits, p.partial.bits};
  return operands;
}

/// Cycles for `accesses` where every bank of their buffers takes part.
Cycles cycles_of_banks(const GemmContext& context, const OperandBuffers& operands,
                       const hw::ArrayAccesses& accesses) {
  const std::array<std::int64_t, 3> counts{accesses.a, accesses.b, accesses.c};
  Cycles most = 0;
  for (const int index : operands.buffer) {
    std::int64_t total = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (operands.buffer[i] == index) total += counts[i];
    }
    const hw::BufferConfig& buffer = context.hardware.buffers[static_cast<std::size_t>(index)];
    most = std::max(most, ceil_div(total, std::int64_t{buffer.banks} * buffer.ports));
  }
  return most;
}

}  // namespace

GemmContext::GemmContext(const GemmProblem& gemm, const hw::HardwareConfig& config)
    : problem(gemm), hardware(config), rates(machine_rates(config)), roles(role_buffers(config)) {
  in_place = roles.accumulators == roles.outputs && gemm.partial.bits == gemm.out.bits &&
             !gemm.out.on_chip && gemm.columns_per_result == 1 && !gemm.residual &&
             !config.sequencer.loop.exists();
  for (const hw::Dataflow dataflow : config.array.dataflows) {
    const OperandBuffers operands = operand_buffers(*this, dataflow);
    const auto peak = hw::peak_accesses(config.array, dataflow, operands.widths);
    bank_limited = bank_limited || cycles_of_banks(*this, operands, peak) > 1;
  }
}

std::string loop_refusal(const hw::HardwareConfig& hardware, const std::array<LoopDim, 3>& order,
                         bool resident_a, bool resident_b) {
  if (!hardware.sequencer.loop.exists()) return {};
  if (order != kLoopOrder) {
    return "the hardware loop walks tiles in the order " + loop_order_text(kLoopOrder) + ", not " +
           loop_order_text(order);
  }
  if (resident_a || resident_b) {
    return "the hardware loop loads both operands of every tile: none can be resident";
  }
  return {};
}

TileShape tile_counts(const GemmProblem& problem, const TileShape& tile) {
  return {ceil_div(problem.m, tile.m), ceil_div(problem.k, tile.k), ceil_div(problem.n, tile.n)};
}

LoopDim innermost(const std::array<LoopDim, 3>& order, const TileShape& counts) {
  for (int i = 2; i >= 0; --i) {
    if (dim_of(counts, order[static_cast<std::size_t>(i)]) > 1) {
      return order[static_cast<std::size_t>(i)];
    }
  }
  return order[2];
}

LoopDim outermost(const std::array<LoopDim, 3>& order, const TileShape& counts) {
  for (const LoopDim dim : order) {
    if (dim_of(counts, dim) > 1) return dim;
  }
  return order[0];
}

Cycles bank_cycles(const GemmContext& context, hw::Dataflow dataflow, const hw::GemmShape& shape,
                   bool accumulate) {
  const OperandBuffers operands = operand_buffers(context, dataflow);
  return cycles_of_banks(
      context, operands,
      hw::array_accesses(context.hardware.array, dataflow, shape, operands.widths, accumulate));
}

ArrayTotals array_totals(const GemmContext& context, hw::Dataflow dataflow, const TileShape& tile) {
  const hw::ArrayConfig& array = context.hardware.array;
  const GemmProblem& p = context.problem;
  const Cut cut_m(p.m, tile.m), cut_k(p.k, tile.k), cut_n(p.n, tile.n);
  const bool split_k = tile.k < p.k;
  ArrayTotals totals;
  hw::ArrayCost cost;  // ends as the last command's
  for (const auto& m : cut_m.part) {
    for (const auto& k : cut_k.part) {
      for (const auto& n : cut_n.part) {
        const std::int64_t count = m.count * k.count * n.count;
        if (count == 0) continue;
        cost = hw::array_cost(array, dataflow, {m.size, k.size, n.size}, p.rate, split_k);
        Cycles cycles = command_cycles(array, cost);
        if (context.bank_limited) {
          const hw::GemmShape shape{m.size, k.size, n.size};
          cycles = std::max(cycles, bank_cycles(context, dataflow, shape, split_k));
        }
        totals.stream += count * cycles;
      }
    }
  }
  totals.restart = array.startup + (array.preload != hw::Preload::kExposed ? cost.preload : 0);
  totals.last = command_cycles(array, cost);
  totals.drain = cost.drain;
  totals.first_result = cost.first_result;
  return totals;
}

EpilogueTotals epilogue_totals(const GemmContext& context, std::int64_t tile_m,
                               std::int64_t tile_n) {
  const GemmProblem& p = context.problem;
  const hw::VectorConfig& vector = context.hardware.vector;
  const Cut cut_m(p.m, tile_m), cut_n(p.n, tile_n);
  EpilogueTotals totals;
  for (const auto& m : cut_m.part) {
    for (const auto& n : cut_n.part) {
      if (m.count * n.count == 0) continue;
      totals.last = hw::epilogue_cycles(vector, p.epilogue, m.size, n.size / p.columns_per_result);
      totals.all += m.count * n.count * totals.last;
    }
  }
  totals.full = totals.all / (ceil_div(p.m, tile_m) * ceil_div(p.n, tile_n));
  return totals;
}

Bytes bus_row_bytes(Bytes row, Bytes grain, Bytes burst) {
  return hw::round_up(row, grain) + burst - grain;
}

namespace {

/// Bytes in units of `unit` (bursts, requests) that one pass over a matrix takes.
Bytes bytes_in_units(const OperandLayout& layout, std::int64_t rows, std::int64_t cols,
                     std::int64_t tile_rows, std::int64_t tile_cols, Bytes unit) {
  const Bytes base = std::gcd(unit, layout.grain);
  const Bytes whole = row_bytes(cols, layout);
  Bytes bytes = 0;
  if (tile_cols >= cols && whole == layout.pitch &&
      !layout.gathered) {  // the rows of a tile are one run of bytes
    const Cut blocks(rows, tile_rows);
    const Bytes grain = std::gcd(base, rows > tile_rows ? tile_rows * whole : unit);
    for (const auto& part : blocks.part) {
      if (part.count > 0) bytes += part.count * bus_row_bytes(part.size * whole, grain, unit);
    }
    return bytes;
  }
  const Cut cut(cols, tile_cols);
  const Bytes step = cut.part[0].count > 0 ? row_bytes(tile_cols, layout) : unit;
  const Bytes grain =
      std::gcd(std::gcd(base, rows > 1 ? layout.pitch : unit), tile_cols < cols ? step : unit);
  for (const auto& part : cut.part) {
    if (part.count == 0) continue;
    bytes += rows * part.count * bus_row_bytes(row_bytes(part.size, layout), grain, unit);
  }
  return bytes;
}

}  // namespace

MatrixPass matrix_pass(const OperandLayout& layout, std::int64_t rows, std::int64_t cols,
                       std::int64_t tile_rows, std::int64_t tile_cols, const Grains& grains) {
  MatrixPass pass;
  if (layout.on_chip) return pass;
  pass.transfers = ceil_div(rows, tile_rows) * ceil_div(cols, tile_cols);
  for (const auto& part : Cut(cols, tile_cols).part) {
    pass.useful += rows * part.count * row_bytes(part.size, layout);
  }
  const auto in_units = [&](Bytes unit) {
    return bytes_in_units(layout, rows, cols, tile_rows, tile_cols, unit);
  };
  pass.bus = in_units(grains.burst);
  pass.requests = ceil_div(in_units(grains.request), grains.request);
  return pass;
}

MatrixPass pass_a(const GemmContext& context, const TileShape& tile) {
  const GemmProblem& p = context.problem;
  return scaled(p.a, p.m, p.k, tile.m, tile.k, context.rates.grains);
}

MatrixPass pass_b(const GemmContext& context, const TileShape& tile) {
  const GemmProblem& p = context.problem;
  return scaled(p.b, p.k, p.n, tile.k, tile.n, context.rates.grains);
}

GemmPasses gemm_passes(const GemmContext& context, const TileShape& tile) {
  const GemmProblem& p = context.problem;
  const Grains& burst = context.rates.grains;
  GemmPasses passes;
  passes.a = pass_a(context, tile);
  passes.b = pass_b(context, tile);
  passes.out = scaled(p.out, p.m, p.n, tile.m, tile.n, burst);
  passes.partial = scaled(p.partial, p.m, p.n, tile.m, tile.n, burst);
  if (p.residual) passes.residual = passes.out;
  return passes;
}

Reuse reuse_of(const TileShape& counts, LoopDim inner, bool resident_a, bool resident_b) {
  Reuse reuse;
  reuse.a = resident_a || inner == LoopDim::kN ? 1 : counts.n;
  reuse.b = resident_b || inner == LoopDim::kM ? 1 : counts.m;
  reuse.partial = inner == LoopDim::kK ? 0 : counts.k - 1;
  return reuse;
}

Reuse loop_reuse(const TileShape& counts) { return {counts.n, counts.m, 0}; }

Traffic traffic_of(const GemmProblem& problem, const TileShape& counts, const GemmPasses& passes,
                   const Reuse& reuse) {
  const auto total = [&](Bytes a, Bytes b, Bytes partial, Bytes out, Bytes residual) {
    return problem.instances *
           (reuse.a * a + reuse.b * b + 2 * reuse.partial * partial + out + residual);
  };
  Traffic traffic;
  traffic.useful = total(passes.a.useful, passes.b.useful, passes.partial.useful, passes.out.useful,
                         passes.residual.useful);
  traffic.bus =
      total(passes.a.bus, passes.b.bus, passes.partial.bus, passes.out.bus, passes.residual.bus);
  traffic.loads_a = problem.instances * reuse.a * passes.a.transfers;
  traffic.loads_b = problem.instances * reuse.b * passes.b.transfers;
  traffic.commands = total(passes.a.transfers, passes.b.transfers, passes.out.transfers,
                           passes.out.transfers, passes.residual.transfers) +
                     problem.instances * counts.m * counts.k * counts.n;
  return traffic;
}

GemmTerms gemm_terms(const GemmContext& context, const GemmChoice& choice, const TileShape& counts,
                     const GemmPasses& passes) {
  GemmTerms terms;
  terms.counts = counts;
  terms.inner = innermost(choice.order, terms.counts);
  terms.outer = outermost(choice.order, terms.counts);
  terms.reuse = context.hardware.sequencer.loop.exists()
                    ? loop_reuse(terms.counts)
                    : reuse_of(terms.counts, terms.inner, choice.resident_a, choice.resident_b);
  terms.traffic = traffic_of(context.problem, terms.counts, passes, terms.reuse);
  return terms;
}

Cycles windows_of(const GemmContext& context, const GemmChoice& choice, const GemmTerms& terms,
                  const GemmPasses& passes) {
  const std::int64_t instances = context.problem.instances;
  const auto moved = [&](const MatrixPass& pass, std::int64_t times) {
    return Moved{instances * times * pass.bus, instances * times * pass.requests};
  };
  const auto sum = [](const Moved& x, const Moved& y) {
    return Moved{x.bus + y.bus, x.requests + y.requests};
  };
  const Moved a = moved(passes.a, terms.reuse.a), b = moved(passes.b, terms.reuse.b);
  const Moved partial = moved(passes.partial, terms.reuse.partial);
  const bool a_stays = choice.dataflow == hw::Dataflow::kInputStationary;
  const Moved streamed = sum(a_stays ? b : a, moved(passes.residual, 1));
  return context.rates.windows(a_stays ? a : b, sum(streamed, partial),
                               sum(moved(passes.out, 1), partial));
}

Cycles latency_floor(const GemmContext& context, const GemmTerms& terms, const ArrayTotals& array,
                     const EpilogueTotals& epilogue, const GemmPasses& passes) {
  const Frame frame = frame_of(context, terms, array, epilogue, passes);
  return assembled(frame, context.problem.instances * array.stream);
}

MappingCost gemm_cost(const GemmContext& context, const GemmChoice& choice, const GemmTerms& terms,
                      const ArrayTotals& array, const EpilogueTotals& epilogue,
                      const GemmPasses& passes) {
  const std::int64_t instances = context.problem.instances;
  const TileShape& counts = terms.counts;
  const TileTimes times = tile_times(context, choice, terms, array, epilogue, passes);
  const Bubbles bubbles = bubbles_of(context, choice, terms, times);
  const std::int64_t iterations = instances * counts.m * counts.k * counts.n;
  const std::int64_t slow_changes = iterations / dim_of(counts, terms.inner);
  const Cycles array_bound = instances * array.stream + (iterations - slow_changes) * bubbles.fast +
                             (slow_changes - 1) * bubbles.slow +
                             bunching(context, choice, terms, array, passes) +
                             refill_wait(context, choice, terms, times);
  const Frame frame = frame_of(context, terms, array, epilogue, passes);
  MappingCost cost;
  cost.latency = assembled(frame, array_bound);
  cost.array_cycles = instances * array.stream + array.restart;
  cost.vector_cycles = instances * epilogue.all;
  cost.dram_cycles = context.rates.dram.cycles(terms.traffic.bus);
  cost.dram_bytes = terms.traffic.useful;
  cost.bus_bytes = terms.traffic.bus;
  return cost;
}

MappingCost gemm_cost(const GemmContext& context, const GemmChoice& choice) {
  const GemmPasses passes = gemm_passes(context, choice.tile);
  const TileShape counts = tile_counts(context.problem, choice.tile);
  GemmTerms terms = gemm_terms(context, choice, counts, passes);
  terms.windows = windows_of(context, choice, terms, passes);
  const ArrayTotals array = array_totals(context, choice.dataflow, choice.tile);
  const EpilogueTotals epilogue = epilogue_totals(context, choice.tile.m, choice.tile.n);
  return gemm_cost(context, choice, terms, array, epilogue, passes);
}

Bytes lower_bound_bytes(const GemmContext& context) {
  const GemmProblem& p = context.problem;
  const hw::HardwareConfig& h = context.hardware;
  const int narrowest = std::min({p.a.bits, p.b.bits, p.out.bits});
  const std::int64_t registers_bits = static_cast<std::int64_t>(h.array.rows) * h.array.cols *
                                      (p.a.bits + 2 * p.b.bits + p.partial.bits);
  const double elements = static_cast<double>(hw::sram_bytes(h) * 8 + registers_bits) / narrowest;
  const double macs =
      static_cast<double>(p.m) * static_cast<double>(p.k) * static_cast<double>(p.n);
  const double traffic = 2.0 * macs / std::sqrt(elements) - 2.0 * elements;
  const Bytes moved = static_cast<Bytes>(std::max(0.0, traffic) * narrowest / 8.0);
  const std::int64_t a = p.a.on_chip ? 0 : p.m * p.k * p.a.bits;
  const std::int64_t out = p.out.on_chip ? 0 : (p.residual ? 2 : 1) * p.m * p.n * p.out.bits;
  const Bytes compulsory = (a + p.k * p.n * p.b.bits + out) / 8;
  // The bound on traffic counts data that come from DRAM and return there.
  if (p.a.on_chip || p.out.on_chip) return p.instances * compulsory;
  return p.instances * std::max(moved, compulsory);
}

}  // namespace tessera::sim
