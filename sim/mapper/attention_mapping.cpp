#include "sim/mapper/attention_mapping.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <vector>

#include "hw_models/vector_cost.h"
#include "sim/mapper/gemm_search.h"
#include "sim/mapper/mapper.h"

namespace tessera::sim {
namespace {

using hw::ceil_div;

constexpr const char* kSlotNames[kAttentionSlots] = {
    "queries", "keys",      "values", "scores", "sums of scores", "sums of the context",
    "results", "statistics"};

std::int64_t row_blocks(const AttentionProblem& problem, std::int64_t rows) {
  return ceil_div(problem.scores.m, rows);
}

std::int64_t key_blocks(const AttentionProblem& problem, std::int64_t keys) {
  return ceil_div(problem.scores.n, keys);
}

/// Scores of a block of rows: each block of keys is padded to whole bytes.
Bytes score_bytes(const AttentionProblem& problem, std::int64_t rows, std::int64_t keys) {
  const int bits = problem.scores.out.bits;
  const std::int64_t full = problem.scores.n / keys, edge = problem.scores.n % keys;
  return rows * (full * row_bytes(keys, bits) + row_bytes(edge, bits));
}

/// ceil(size / c) for every c, rounded up to `side`; below it halves of `side`.
std::vector<std::int64_t> block_sizes(std::int64_t size, std::int64_t side, std::int64_t grain) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t count = 1; count <= size; ++count) {
    const std::int64_t block = hw::round_up(ceil_div(size, count), side);
    if (sizes.empty() || std::min(block, size) < sizes.back()) {
      sizes.push_back(std::min(block, size));
    }
    if (block <= side) break;
  }
  for (std::int64_t block = side / 2; block >= grain && block >= 1; block /= 2) {
    if (block < size && block % grain == 0) sizes.push_back(block);
  }
  return sizes;
}

/// Vector cycles of the softmax of `rows` rows against one block of keys (three-pass: all keys),
/// `at_once` rows in each command.
Cycles softmax_cycles(const AttentionProblem& problem, const hw::VectorConfig& vector,
                      std::int64_t rows, std::int64_t at_once, std::int64_t keys, double share) {
  const auto cycles = [&](std::int64_t n) {
    return n == 0 ? 0 : hw::vector_cycles(vector, problem.softmax, n, keys, share);
  };
  return rows / at_once * cycles(at_once) + cycles(rows % at_once);
}

/// The same for all keys.
Cycles softmax_cycles(const AttentionProblem& problem, const AttentionChoice& choice,
                      const hw::VectorConfig& vector, std::int64_t rows) {
  const std::int64_t n = problem.scores.n, at_once = choice.softmax_rows;
  if (!choice.online) return softmax_cycles(problem, vector, rows, at_once, n, 1.0);
  const std::int64_t before = key_blocks(problem, choice.keys) - 1;
  const double share = online_pass_share(vector.operations.at(problem.softmax));
  return before * softmax_cycles(problem, vector, rows, at_once, choice.keys, share) +
         softmax_cycles(problem, vector, rows, at_once, n - before * choice.keys, 1.0);
}

/// Vector cycles that rescale the sums of `rows` rows, for all blocks of keys but the first.
Cycles rescale_cycles(const AttentionProblem& problem, const AttentionChoice& choice,
                      const hw::VectorConfig& vector, std::int64_t rows) {
  if (!choice.online || rows == 0) return 0;
  return (key_blocks(problem, choice.keys) - 1) *
         hw::vector_cycles(vector, kRescale, rows, problem.values());
}

/// What depends on dataflow and block sizes only; averages over blocks of rows.
struct BlockTerms {
  BlockTerms(const AttentionProblem& attention, const MachineRates& machine)
      : problem(attention), rates(machine) {}
  const AttentionProblem& problem;
  MachineRates rates;
  std::int64_t blocks = 1;  // of rows, over all heads
  std::int64_t heads = 1, per_head = 1, key_blocks = 1;
  Cycles scores = 0, context = 0;  // array
  Cycles epilogues = 0, softmax = 0, softmax_command = 0, rescale = 0;
  Cycles score_tail = 0, context_tail = 0, restart = 0;
  Cycles drain = 0;         // of a context Gemm
  MatrixPass q, k, v, out;  // of one head
};

Cycles tail_of(const ArrayTotals& array, Cycles epilogue) {
  return std::max(array.drain, array.first_result + epilogue - array.last);
}

/// Rows of one softmax command: as long as the array takes for a block of scores, so that epilogues
/// come in between.
std::int64_t softmax_rows_for(const AttentionProblem& problem, const hw::HardwareConfig& hardware,
                              std::int64_t rows, std::int64_t keys, Cycles block) {
  const auto fits = [&](std::int64_t n) {
    return hw::vector_cycles(hardware.vector, problem.softmax, n, keys) <= block;
  };
  std::int64_t parts = 1;
  while (parts < rows && !fits(ceil_div(rows, parts))) ++parts;
  return ceil_div(rows, parts);
}

BlockTerms block_terms(const AttentionProblem& problem, const AttentionChoice& choice,
                       const hw::HardwareConfig& hardware) {
  const GemmContext scores(problem.scores, hardware), context(problem.context, hardware);
  const TileShape score_tile{choice.rows, problem.scores.k, choice.keys};
  const TileShape context_tile{choice.rows, choice.keys, problem.values()};
  BlockTerms terms(problem, scores.rates);
  terms.heads = problem.scores.instances;
  terms.per_head = row_blocks(problem, choice.rows);
  terms.blocks = terms.heads * terms.per_head;
  terms.key_blocks = key_blocks(problem, choice.keys);
  const ArrayTotals first = array_totals(scores, choice.dataflow, score_tile);
  const ArrayTotals second = array_totals(context, choice.dataflow, context_tile);
  terms.scores = ceil_div(first.stream, terms.per_head);
  terms.context = ceil_div(second.stream, terms.per_head);
  terms.restart = first.restart;
  const EpilogueTotals of_scores = epilogue_totals(scores, choice.rows, choice.keys);
  const EpilogueTotals of_context = epilogue_totals(context, choice.rows, problem.values());
  terms.epilogues = ceil_div(of_scores.all + of_context.all, terms.per_head);
  terms.score_tail = tail_of(first, of_scores.full);
  terms.context_tail = tail_of(second, of_context.full);
  terms.drain = second.drain;
  terms.q = pass_a(scores, score_tile);
  terms.k = pass_b(scores, score_tile);
  terms.v = pass_b(context, context_tile);
  terms.out = gemm_passes(context, context_tile).out;
  return terms;
}

void add_softmax(BlockTerms& terms, const AttentionChoice& choice,
                 const hw::HardwareConfig& hardware) {
  const std::int64_t m = terms.problem.scores.m;
  const hw::VectorConfig& vector = hardware.vector;
  const auto per_block = [&](Cycles (*of)(const AttentionProblem&, const AttentionChoice&,
                                          const hw::VectorConfig&, std::int64_t)) {
    const Cycles full = of(terms.problem, choice, vector, choice.rows);
    const Cycles edge = of(terms.problem, choice, vector, m % choice.rows);
    return ceil_div(m / choice.rows * full + edge, terms.per_head);
  };
  terms.softmax = per_block(softmax_cycles);
  terms.rescale = per_block(rescale_cycles);
  const std::int64_t keys = choice.online ? choice.keys : terms.problem.scores.n;
  terms.softmax_command =
      softmax_cycles(terms.problem, vector, choice.softmax_rows, choice.softmax_rows, keys, 1.0);
}

Cycles transfer(const BlockTerms& terms, const MatrixPass& pass) {
  if (pass.transfers == 0) return 0;
  return terms.rates.transfer(ceil_div(pass.bus, pass.transfers),
                              ceil_div(pass.requests, pass.transfers));
}

/// What a block of rows waits for keys, values, queries and slots of results.
Cycles bubbles_of(const BlockTerms& terms, const AttentionChoice& choice, Cycles step) {
  const Cycles latency = terms.rates.load_latency;
  const Cycles k = transfer(terms, terms.k), v = transfer(terms, terms.v);
  const std::int64_t n = terms.key_blocks;
  const Cycles score_run = ceil_div(terms.scores, n), context_run = ceil_div(terms.context, n);
  Cycles bubble = 0;
  if (!choice.resident) {
    const auto wait = [&](Cycles load, Cycles run) {
      return ring_wait(latency + load + terms.restart + run, choice.keys_values, run);
    };
    bubble += n * (wait(k, score_run) + wait(v, context_run));
  } else if (choice.keys_values == 1) {
    const Cycles late = std::max<Cycles>(0, latency + n * k - terms.context) +
                        std::max<Cycles>(0, latency + n * v - terms.scores);
    bubble += ceil_div(late, terms.per_head);
  }
  if (choice.q == 1 && terms.q.transfers > 0) {
    bubble += std::max<Cycles>(0, latency + transfer(terms, terms.q) - terms.context);
  }
  // An epilogue waits for the softmax command that runs, as often as one does.
  const Cycles queued = choice.scores == 1 ? 0 : terms.softmax_command * terms.softmax / step;
  bubble += n * ring_wait(score_run + terms.restart + terms.score_tail + queued, choice.score_sums,
                          score_run);
  bubble += ring_wait(terms.context + terms.context_tail, choice.sums, step);
  if (terms.out.transfers == 0) return bubble;
  const Cycles store = terms.rates.store_latency + transfer(terms, terms.out);
  return bubble + ring_wait(terms.context_tail + store, choice.outputs, step);
}

/// From the first load to the last result, whole rows at a time.
Cycles body(const BlockTerms& terms, const AttentionChoice& choice) {
  const MachineRates& rates = terms.rates;
  const bool overlaps = choice.scores > 1;
  const Cycles array = terms.scores + terms.context, vector = terms.epilogues + terms.softmax;
  const Cycles serial = array + terms.score_tail + terms.softmax;
  const Cycles bubble = bubbles_of(terms, choice, overlaps ? std::max(array, vector) : serial);
  const Cycles step = overlaps ? std::max(array + bubble, vector) : serial + bubble;
  const Cycles last = overlaps ? std::max(terms.softmax, terms.context) : terms.softmax;
  const Cycles first = rates.load_latency + transfer(terms, terms.q) + transfer(terms, terms.k) +
                       terms.restart + terms.scores + terms.score_tail;
  const Cycles rest =
      overlaps && terms.blocks > 1 ? std::max<Cycles>(0, last - terms.context) : terms.softmax;
  return first + (terms.blocks - 1) * step + rest + terms.context + terms.context_tail;
}

/// The same block of keys by block of keys. The sums must leave the array, be rescaled and come
/// back between two context Gemms of the same rows.
Cycles online_body(const BlockTerms& terms, const AttentionChoice& choice) {
  const MachineRates& rates = terms.rates;
  const std::int64_t n = terms.key_blocks;
  const Cycles array = terms.scores + terms.context;
  const Cycles vector = terms.epilogues + terms.softmax + terms.rescale;
  const Cycles chain = terms.context + n * (terms.drain + terms.restart) + terms.rescale;
  const Cycles serial =
      array + n * (terms.score_tail + terms.drain + terms.restart) + terms.softmax + terms.rescale;
  const bool overlaps = choice.scores > 1;
  const Cycles bubble = bubbles_of(terms, choice, overlaps ? std::max(array, vector) : serial);
  const Cycles rows = overlaps ? std::max({array + bubble, vector, chain}) : serial + bubble;
  const Cycles first = rates.load_latency + transfer(terms, terms.q) + transfer(terms, terms.k) +
                       terms.restart + ceil_div(terms.scores, n) + terms.score_tail;
  const Cycles last = ceil_div(terms.softmax + terms.rescale + terms.context, n);
  return first + (terms.blocks * n - 1) * rows / n + last + terms.context_tail;
}

MappingCost cost_of(const BlockTerms& terms, const AttentionChoice& choice) {
  const MachineRates& rates = terms.rates;
  const std::int64_t again = choice.resident ? 1 : terms.per_head;
  const auto all = [&](auto part) {
    return terms.heads *
           (part(terms.q) + again * (part(terms.k) + part(terms.v)) + part(terms.out));
  };
  const auto bus = [](const MatrixPass& pass) { return pass.bus; };
  MappingCost cost;
  cost.array_cycles = terms.blocks * (terms.scores + terms.context);
  cost.vector_cycles = terms.blocks * (terms.epilogues + terms.softmax + terms.rescale);
  cost.dram_bytes = all([](const MatrixPass& pass) { return pass.useful; });
  cost.bus_bytes = all(bus);
  cost.dram_cycles = rates.dram.cycles(cost.bus_bytes);

  const Cycles busy = choice.online ? online_body(terms, choice) : body(terms, choice);
  const Cycles result = transfer(terms, terms.out);
  const Cycles dram = rates.load_latency + cost.dram_cycles - result + terms.context;
  const std::int64_t softmaxes = ceil_div(choice.rows, choice.softmax_rows);
  const std::int64_t vectors = choice.online ? terms.key_blocks * (softmaxes + 1) - 1 : softmaxes;
  const std::int64_t commands = all([](const MatrixPass& pass) { return pass.transfers; }) +
                                terms.blocks * (2 * terms.key_blocks + vectors);
  cost.latency = rates.launch + 3 * rates.dispatch +
                 std::max({busy, dram, commands * rates.dispatch}) + result;
  if (terms.out.transfers > 0) cost.latency += rates.store_latency;
  return cost;
}

bool fits(const AttentionSlots& slots, const hw::HardwareConfig& hardware, int* full = nullptr,
          Bytes* needs = nullptr) {
  for (std::size_t b = 0; b < hardware.buffers.size(); ++b) {
    Bytes bytes = 0;
    for (const Slots& each : slots) {
      if (each.buffer == static_cast<int>(b)) bytes += each.bytes * each.count;
    }
    if (bytes <= hardware.buffers[b].capacity) continue;
    if (full != nullptr) *full = static_cast<int>(b);
    if (needs != nullptr) *needs = bytes;
    return false;
  }
  return true;
}

/// Fewest keys whose probabilities fill whole bytes.
std::int64_t key_grain(const AttentionProblem& problem) {
  return std::min<std::int64_t>(8 / std::gcd(problem.scores.out.bits, 8), problem.scores.n);
}

std::vector<std::int64_t> key_sizes(const AttentionProblem& problem,
                                    const hw::HardwareConfig& hardware) {
  const std::int64_t side =
      std::max<std::int64_t>(hardware.array.rows, hw::block_cols(hardware.array));
  return block_sizes(problem.scores.n, side, key_grain(problem));
}

std::string no_fit_text(const AttentionProblem& problem, const hw::HardwareConfig& hardware) {
  AttentionChoice least;
  least.dataflow = hardware.array.dataflows.front();
  least.keys = key_grain(problem);
  least.online = problem.kind != workloads::Softmax::kThreePass && least.keys < problem.scores.n;
  const AttentionSlots slots = attention_slots(problem, least, hardware);
  int full = 0;
  Bytes needs = 0;
  fits(slots, hardware, &full, &needs);
  const hw::BufferConfig& buffer = hardware.buffers[static_cast<std::size_t>(full)];
  std::string parts;
  for (std::size_t i = 0; i < kAttentionSlots; ++i) {
    if (slots[i].buffer != full) continue;
    parts += (parts.empty() ? "" : ", ") + std::to_string(slots[i].bytes) + " for " + kSlotNames[i];
  }
  return problem.name + ": fused attention does not fit: one query row needs " +
         std::to_string(needs) + " bytes of buffer '" + buffer.name + "' (" + parts +
         "), which has " + std::to_string(buffer.capacity) + ": " +
         std::to_string(needs - buffer.capacity) + " bytes too many; " +
         (least.online ? "" : "'fusion.softmax: online' keeps no whole rows of scores, and ") +
         "with 'fusion.attention: false' it runs unfused";
}

/// Every set of slot counts for one shape of blocks.
template <class Visit>
void each_count(AttentionChoice choice, Visit visit) {
  for (int bits = 0; bits < 1 << 7; ++bits) {
    const auto slots = [bits](int i) { return (bits >> i & 1) + 1; };
    choice.q = slots(0);
    choice.keys_values = slots(1);
    choice.scores = slots(2);
    choice.score_sums = slots(3);
    choice.sums = slots(4);
    choice.outputs = slots(5);
    choice.resident = slots(6) == 2;
    visit(choice);
  }
}

/// What one shape of blocks gives, with every set of slots that fits.
void add_candidates(const AttentionProblem& problem, AttentionChoice block,
                    const hw::HardwareConfig& hardware, std::vector<AttentionResult>& all) {
  if (!fits(attention_slots(problem, block, hardware), hardware)) return;
  BlockTerms terms = block_terms(problem, block, hardware);
  block.softmax_rows =
      softmax_rows_for(problem, hardware, block.rows, block.online ? block.keys : problem.scores.n,
                       ceil_div(terms.scores, terms.key_blocks));
  add_softmax(terms, block, hardware);
  each_count(block, [&](const AttentionChoice& choice) {
    if (!fits(attention_slots(problem, choice, hardware), hardware)) return;
    all.push_back({choice, cost_of(terms, choice), 0});
  });
}

std::vector<AttentionResult> candidates_of(const AttentionProblem& problem,
                                           const hw::HardwareConfig& hardware) {
  using workloads::Softmax;
  std::vector<AttentionResult> all;
  for (const hw::Dataflow dataflow : hardware.array.dataflows) {
    // What is kept lies in the buffer of activations, not in that of stationary operands.
    const bool q_stays = dataflow == hw::Dataflow::kInputStationary;
    if (problem.scores.a.on_chip && q_stays) continue;
    for (const std::int64_t rows : block_sizes(problem.scores.m, hardware.array.rows, 1)) {
      for (const std::int64_t keys : key_sizes(problem, hardware)) {
        AttentionChoice block;
        block.dataflow = dataflow;
        block.rows = rows;
        block.keys = keys;
        // Against all keys at once both are the same.
        const bool several = keys < problem.scores.n;
        if (problem.kind != Softmax::kOnline || !several) {
          add_candidates(problem, block, hardware, all);
        }
        if (problem.kind == Softmax::kThreePass || !several) continue;
        block.online = true;
        add_candidates(problem, block, hardware, all);
      }
    }
  }
  return all;
}

}  // namespace

std::int64_t value_of(Objective objective, const MappingCost& cost) {
  return objective == Objective::kLatency ? cost.latency : cost.dram_bytes;
}

AttentionProblem attention_problem(const workloads::Graph& graph, const workloads::Operator& op,
                                   const hw::HardwareConfig& hardware, const KeptTensors& kept) {
  AttentionProblem problem;
  problem.name = qualified_name(op);
  if (hardware.sequencer.loop.exists()) {
    throw MappingError(problem.name +
                       ": fused attention is no single Gemm, which the hardware loop "
                       "(sequencer.loop) walks; 'fusion.attention: false' runs it unfused");
  }
  problem.scores = gemm_problem(graph, op.parts.at(0), hardware, kept);
  problem.context = gemm_problem(graph, op.parts.at(2), hardware, kept);
  problem.softmax = op.operation;
  require_operation(hardware, problem.name, problem.softmax);
  problem.kind = op.softmax;
  if (problem.kind != workloads::Softmax::kThreePass) {
    require_operation(hardware, problem.name, kRescale);
  }
  return problem;
}

std::string shape_key(const AttentionProblem& problem) {
  return "attention " + problem.softmax + ' ' + std::to_string(static_cast<int>(problem.kind)) +
         ' ' + shape_key(problem.scores) + shape_key(problem.context);
}

AttentionSlots attention_slots(const AttentionProblem& problem, const AttentionChoice& choice,
                               const hw::HardwareConfig& hardware) {
  const RoleBuffers roles = role_buffers(hardware);
  const bool a_stays = choice.dataflow == hw::Dataflow::kInputStationary;
  const int left = a_stays ? roles.stationary : roles.activations;
  const int right = a_stays ? roles.activations : roles.stationary;
  const GemmProblem &s = problem.scores, &c = problem.context;
  const int blocks = choice.resident ? static_cast<int>(key_blocks(problem, choice.keys)) : 1;
  const auto slots = [&](int buffer, Bytes bytes, int count) {
    const Bytes width = hardware.buffers[static_cast<std::size_t>(buffer)].width;
    return Slots{buffer, 0, hw::round_up(bytes, width), count};
  };
  const auto unless_kept = [](const OperandLayout& layout, Slots made) {
    if (layout.on_chip) made.bytes = 0;
    return made;
  };
  return {unless_kept(s.a, slots(left, choice.rows * row_bytes(s.k, s.a.bits), choice.q)),
          slots(right, choice.keys * row_bytes(s.k, s.b.bits), blocks * choice.keys_values),
          slots(right, choice.keys * row_bytes(c.n, c.b.bits), blocks * choice.keys_values),
          slots(left,
                choice.online ? choice.rows * row_bytes(choice.keys, s.out.bits)
                              : score_bytes(problem, choice.rows, choice.keys),
                choice.scores),
          slots(roles.accumulators, choice.rows * row_bytes(choice.keys, s.partial.bits),
                choice.score_sums),
          slots(roles.accumulators, choice.rows * row_bytes(c.n, c.partial.bits), choice.sums),
          unless_kept(c.out, slots(roles.outputs, choice.rows * row_bytes(c.n, c.out.bits),
                                   choice.outputs)),
          choice.online ? slots(roles.outputs, choice.rows * kStatisticsBytes, 1) : Slots{}};
}

MappingCost attention_cost(const AttentionProblem& problem, const AttentionChoice& choice,
                           const hw::HardwareConfig& hardware) {
  BlockTerms terms = block_terms(problem, choice, hardware);
  add_softmax(terms, choice, hardware);
  return cost_of(terms, choice);
}

AttentionResult search_attention(const AttentionProblem& problem, const ObjectiveConfig& objective,
                                 const hw::HardwareConfig& hardware) {
  const std::vector<AttentionResult> all = candidates_of(problem, hardware);
  if (all.empty()) throw MappingError(no_fit_text(problem, hardware));
  std::int64_t least = value_of(objective.minimize, all.front().cost);
  Bytes least_bytes = all.front().cost.dram_bytes;
  for (const AttentionResult& each : all) {
    least = std::min(least, value_of(objective.minimize, each.cost));
    least_bytes = std::min(least_bytes, each.cost.dram_bytes);
  }
  const auto most =
      least + static_cast<std::int64_t>(static_cast<double>(least) * objective.within);
  const auto rank = [&](const AttentionResult& each) {
    const AttentionChoice& c = each.choice;
    const int slots = c.q + c.keys_values + c.scores + c.score_sums + c.sums + c.outputs;
    return std::make_tuple(value_of(objective.minimize, each.cost) > most,
                           value_of(objective.then, each.cost),
                           each.cost.array_cycles + each.cost.vector_cycles, each.cost.latency,
                           each.cost.bus_bytes, -c.keys, -c.rows, slots);
  };
  AttentionResult best = *std::min_element(
      all.begin(), all.end(),
      [&](const AttentionResult& a, const AttentionResult& b) { return rank(a) < rank(b); });
  best.least_dram_bytes = least_bytes;
  return best;
}

AttentionMapping attention_mapping(const AttentionProblem& problem, const AttentionChoice& choice,
                                   const hw::HardwareConfig& hardware) {
  AttentionMapping mapping;
  mapping.dataflow = choice.dataflow;
  mapping.rows = choice.rows;
  mapping.keys = choice.keys;
  mapping.softmax_rows = choice.softmax_rows;
  mapping.resident = choice.resident;
  mapping.online = choice.online;
  const AttentionSlots slots = attention_slots(problem, choice, hardware);
  Slots* const own[kAttentionSlots] = {&mapping.q,       &mapping.k,          &mapping.v,
                                       &mapping.scores,  &mapping.score_sums, &mapping.sums,
                                       &mapping.outputs, &mapping.statistics};
  for (std::size_t i = 0; i < kAttentionSlots; ++i) {
    *own[i] = slots[i].bytes == 0 ? Slots{} : slots[i];
  }
  return mapping;
}

AttentionChoice choice_of(const AttentionProblem& problem, const AttentionMapping& mapping) {
  AttentionChoice choice;
  choice.dataflow = mapping.dataflow;
  choice.rows = mapping.rows;
  choice.keys = mapping.keys;
  choice.softmax_rows = mapping.softmax_rows;
  choice.resident = mapping.resident;
  choice.online = mapping.online;
  const std::int64_t unit = mapping.resident ? key_blocks(problem, mapping.keys) : 1;
  choice.q = mapping.q.count;
  choice.keys_values = static_cast<int>(std::min(mapping.k.count, mapping.v.count) / unit);
  choice.scores = mapping.scores.count;
  choice.score_sums = mapping.score_sums.count;
  choice.sums = mapping.sums.count;
  choice.outputs = mapping.outputs.count;
  return choice;
}

Bytes compulsory_bytes(const AttentionProblem& problem) {
  const GemmProblem &s = problem.scores, &c = problem.context;
  Bytes bytes = s.n * row_bytes(s.k, s.b.bits) + s.n * row_bytes(c.n, c.b.bits);
  if (!s.a.on_chip) bytes += s.m * row_bytes(s.k, s.a.bits);
  if (!c.out.on_chip) bytes += s.m * row_bytes(c.n, c.out.bits);
  return s.instances * bytes;
}

}  // namespace tessera::sim
