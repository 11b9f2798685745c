// Whole programs: every conflict ordered by waits, every result stored once, every product formed
// once.
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "sim/lowering/lowering.h"
#include "sim/mapper/mapper.h"
#include "tests/sim/mapper/mapper_fixtures.h"
#include "tests/support/happens_before.h"
#include "tests/workloads/model_zoo.h"
#include "workloads/passes/passes.h"

using namespace tessera;
using hw::Command;
using hw::CommandKind;
using workloads::Graph;
using workloads::ModelDescriptor;

namespace {

namespace zoo = workloads::zoo;

/// Two layers, 32 wide, 4 heads.
ModelDescriptor small_vit() {
  ModelDescriptor model = zoo::stack("vit", workloads::Family::kVit, 32, 2, 4, 48);
  model.image_size = 16;
  model.patch_size = 4;
  model.cls_token = true;
  model.num_labels = 5;
  return model;
}
ModelDescriptor small_siglip() {
  ModelDescriptor model = small_vit();
  model.cls_token = false;
  model.num_labels = 0;
  model.hidden_act = workloads::Activation::kGeluTanh;
  return model;
}
/// Rows of 50 scores.
ModelDescriptor long_vit() {
  ModelDescriptor model = small_vit();
  model.num_hidden_layers = 1;
  model.image_size = 28;
  return model;
}
ModelDescriptor small_decoder() {
  ModelDescriptor model = zoo::llama("decoder", 32, 2, 4, 2, 40);
  model.vocab_size = 50;
  model.max_position_embeddings = 64;
  model.tokens = 11;
  return model;
}
ModelDescriptor small_bert() {
  ModelDescriptor model = zoo::bert_base();
  model.hidden_size = 32;
  model.num_hidden_layers = 2;
  model.num_attention_heads = model.num_key_value_heads = 4;
  model.head_dim = 8;
  model.intermediate_size = 40;
  model.vocab_size = 30;
  model.max_position_embeddings = 40;
  model.tokens = 9;
  return model;
}

struct Workload {
  std::string name;
  Graph graph;
};

Graph build(std::vector<workloads::PhaseRequest> requests, bool fused) {
  workloads::Fusion fusion;
  fusion.epilogue = fused;
  return workloads::fuse(workloads::build_graph(requests), fusion);
}

/// Every family, with and without fused activations, one request and several.
std::vector<Workload> workloads_under_test() {
  std::vector<Workload> all;
  all.push_back({"long vit", build({zoo::request(long_vit())}, false)});
  for (const bool fused : {true, false}) {
    const std::string suffix = fused ? " fused" : " unfused";
    all.push_back({"vit" + suffix, build({zoo::request(small_vit())}, fused)});
    all.push_back({"siglip" + suffix, build({zoo::request(small_siglip(), 2)}, fused)});
    all.push_back(
        {"decoder" + suffix, build({zoo::request(small_decoder(), fused ? 1 : 3)}, fused)});
    all.push_back({"bert" + suffix, build({zoo::request(small_bert(), 2)}, fused)});
  }
  all.push_back(
      {"vision and text", build({zoo::request(small_vit()), zoo::request(small_decoder())}, true)});
  return all;
}

hw::HardwareConfig unified(hw::Bytes capacity, int accumulator_bits) {
  hw::HardwareConfig machine = sim::fixtures::unified(capacity, accumulator_bits);
  machine.array.rows = machine.array.cols = 4;
  machine.vector.lanes = 4;
  machine.dram.burst = 16;
  return machine;
}

hw::HardwareConfig separate(hw::Bytes stationary, hw::Bytes accumulators, hw::Bytes activations) {
  hw::HardwareConfig machine = sim::fixtures::edge();
  machine.array.rows = machine.array.cols = 8;
  machine.array.dataflows = {hw::Dataflow::kWeightStationary, hw::Dataflow::kInputStationary};
  machine.buffers[0].capacity = stationary;
  machine.buffers[1].capacity = accumulators;
  machine.buffers[2].capacity = activations;
  for (hw::BufferConfig& buffer : machine.buffers) buffer.width = 8;
  return machine;
}

hw::HardwareConfig with_queues(hw::HardwareConfig machine, int load_queues, int store_queues) {
  machine.dma.load_queues = load_queues;
  machine.dma.store_queues = store_queues;
  return machine;
}

struct Machine {
  std::string name;
  hw::HardwareConfig hardware;
};

/// Roomy, one scratchpad for everything, and buffers so small that rows of softmax are cut and
/// partial sums leave the chip.
std::vector<Machine> machines() {
  return {{"roomy", separate(8192, 8192, 16384)},
          {"cramped", separate(96, 128, 128)},
          {"many activations", separate(64, 1024, 2048)},
          {"unified", unified(2048, 32)},
          {"small unified", unified(320, 32)},
          {"narrow", separate(128, 64, 88)},
          {"in place", unified(400, 8)},
          {"many queues", with_queues(separate(256, 256, 512), 4, 3)},
          {"one queue", with_queues(unified(640, 32), 1, 1)}};
}

struct Lowered {
  Graph graph;
  hw::HardwareConfig hardware;
  sim::Plan plan;
  std::vector<Command> program;
};

/// Objective of least traffic or least time: they choose different loop orders.
Lowered lower_all(const Graph& graph, const hw::HardwareConfig& hardware,
                  const sim::MappingConfig& mapping = {}) {
  Lowered lowered{graph, hardware, sim::map_graph(graph, hardware, mapping), {}};
  const auto source = sim::lower(lowered.graph, lowered.plan, lowered.hardware);
  while (auto command = source->next()) lowered.program.push_back(std::move(*command));
  return lowered;
}

/// Forces k outside of m and n: every result but one leaves unfinished.
sim::MappingConfig spilling() {
  sim::MappingConfig mapping;
  sim::MappingPin pin;
  pin.pattern = "*";
  pin.tile_m = 3;
  pin.tile_k = 4;
  pin.tile_n = 4;
  pin.loop_order = "kmn";
  mapping.pins = {pin};
  return mapping;
}

int repeats_of(const Graph& graph, std::size_t op) {
  for (const workloads::Phase& phase : graph.phases) {
    if (static_cast<int>(op) >= phase.first_operator && static_cast<int>(op) < phase.last_operator)
      return phase.repeat;
  }
  return 0;
}

std::string conflict_text(const Lowered& lowered, const test::Conflict& conflict) {
  const auto name = [&](hw::CommandId id) {
    if (id < 0) return std::string("nobody");
    const Command& command = lowered.program[static_cast<std::size_t>(id)];
    return test::describe(command) + " (" +
           lowered.graph.operators[static_cast<std::size_t>(command.op)].name + ")";
  };
  return name(conflict.first) + " and " + name(conflict.second) + " in space " +
         std::to_string(conflict.space) + " at " + std::to_string(conflict.address);
}

std::vector<test::Conflict> check_hazards(const Lowered& lowered) {
  const test::HappensBefore order(lowered.program);
  test::ConflictFinder finder(lowered.hardware);
  for (const Command& command : lowered.program) {
    for (const hw::Wait& wait : command.waits) {
      REQUIRE(wait.command >= 0);
      REQUIRE(wait.command < command.id);
    }
    finder.add(command);
  }
  CHECK(finder.outside().empty());
  CHECK(finder.unwritten().empty());
  int shown = 0;
  for (const test::Conflict& conflict : finder.conflicts()) {
    if (order.ordered(conflict.first, conflict.second)) continue;
    if (++shown > 5) break;
    INFO(conflict_text(lowered, conflict));
    CHECK(order.ordered(conflict.first, conflict.second));
  }
  return finder.conflicts();
}

/// Bytes in DRAM that an operator writes, by operator execution; each at most once.
void check_stores(const Lowered& lowered) {
  std::vector<std::map<std::int64_t, int>> stored(lowered.graph.operators.size());
  for (const Command& command : lowered.program) {
    if (command.kind != CommandKind::kStore) continue;
    if (command.transfer.traffic == hw::TrafficClass::kPartialSums) continue;
    const hw::StridedRange& range = command.transfer.dram;
    for (std::int64_t j = 0; j < range.count[1]; ++j) {
      for (std::int64_t i = 0; i < range.count[0]; ++i) {
        const std::int64_t row = range.address + j * range.stride[1] + i * range.stride[0];
        for (hw::Bytes b = 0; b < range.row_bytes; ++b) {
          ++stored[static_cast<std::size_t>(command.op)][row + b];
        }
      }
    }
  }
  for (std::size_t i = 0; i < lowered.graph.operators.size(); ++i) {
    const workloads::Operator& op = lowered.graph.operators[i];
    std::map<std::int64_t, int> expected;
    for (const workloads::MatrixView& v : op.outputs) {
      const auto id = static_cast<std::size_t>(v.tensor);
      const std::int64_t length = workloads::row_length(lowered.graph.tensors[id]);
      const sim::TensorAllocation& place = lowered.plan.tensors[id];
      for (std::int64_t b0 = 0; b0 < v.batch[0].count; ++b0) {
        for (std::int64_t b1 = 0; b1 < v.batch[1].count; ++b1) {
          for (std::int64_t g = 0; g < v.group.count; ++g) {
            for (std::int64_t r = 0; r < v.rows; ++r) {
              for (std::int64_t c = 0; c < v.cols; ++c) {
                const std::int64_t element = v.offset + b0 * v.batch[0].stride +
                                             b1 * v.batch[1].stride + g * v.group.stride +
                                             r * v.row_stride + c;
                expected[place.address + element / length * place.pitch + element % length] +=
                    repeats_of(lowered.graph, i);
              }
            }
          }
        }
      }
    }
    INFO(op.name << " of layer " << op.layer);
    CHECK(stored[i] == expected);
  }
}

void check_totals(const Lowered& lowered) {
  std::vector<std::int64_t> macs(lowered.graph.operators.size());
  std::vector<hw::Bytes> bytes(lowered.graph.operators.size());
  std::vector<int> launches(lowered.graph.operators.size());
  hw::CommandId next = 0;
  for (const Command& command : lowered.program) {
    REQUIRE(command.id == next++);
    const auto op = static_cast<std::size_t>(command.op);
    launches[op] += command.launches ? 1 : 0;
    if (command.kind == CommandKind::kGemm) {
      macs[op] += command.gemm.m * command.gemm.k * command.gemm.n;
    } else if (command.kind != CommandKind::kVector) {
      bytes[op] += hw::useful_bytes(command.transfer.dram);
      CHECK(command.transfer.region.bytes == hw::useful_bytes(command.transfer.dram));
    }
  }
  for (std::size_t i = 0; i < lowered.graph.operators.size(); ++i) {
    const int repeats = repeats_of(lowered.graph, i);
    INFO(lowered.graph.operators[i].name << " of layer " << lowered.graph.operators[i].layer);
    CHECK(launches[i] == repeats);
    CHECK(macs[i] == repeats * workloads::mac_count(lowered.graph.operators[i]));
    CHECK(bytes[i] == repeats * lowered.plan.operators[i].cost.dram_bytes);
  }
}

/// Elements of a view by where they lie in DRAM: matrix, row, column.
struct Place {
  std::int64_t matrix = 0, row = 0, col = 0;
};
using Places = std::map<std::int64_t, Place>;

Places places_of(const Lowered& lowered, const workloads::MatrixView& v) {
  const auto id = static_cast<std::size_t>(v.tensor);
  const std::int64_t length = workloads::row_length(lowered.graph.tensors[id]);
  const sim::TensorAllocation& allocation = lowered.plan.tensors[id];
  Places places;
  for (std::int64_t matrix = 0; matrix < v.batch[0].count * v.batch[1].count; ++matrix) {
    for (std::int64_t row = 0; row < v.group.count * v.rows; ++row) {
      const std::int64_t first = v.offset + matrix / v.batch[1].count * v.batch[0].stride +
                                 matrix % v.batch[1].count * v.batch[1].stride +
                                 row / v.rows * v.group.stride + row % v.rows * v.row_stride;
      for (std::int64_t col = 0; col < v.cols; ++col) {
        const std::int64_t element = first + col;
        places[allocation.address + element / length * allocation.pitch + element % length] = {
            matrix, row, col};
      }
    }
  }
  return places;
}

/// Moves addresses instead of data: every byte of a buffer knows where in DRAM it came from, every
/// result which products it sums.
class ValueFlow {
 public:
  explicit ValueFlow(const Lowered& lowered) : lowered_(lowered) {
    for (const hw::BufferConfig& buffer : lowered.hardware.buffers) {
      sources_.emplace_back(static_cast<std::size_t>(buffer.capacity), -1);
    }
  }

  void run() {
    for (const Command& command : lowered_.program) {
      if (command.op != op_ || command.launches) enter(command);
      if (command.kind == CommandKind::kLoad) load(command.transfer);
      if (command.kind == CommandKind::kGemm) gemm(command.gemm);
      if (command.kind == CommandKind::kStore) store(command.transfer);
    }
    leave();
  }

 private:
  struct Tile {
    Place at;  // matrix, first row and column of the result
    std::int64_t m = 0, n = 0;
    std::set<std::int64_t> k;  // first k of what was added
    std::int64_t depth = 0;    // sum over k
  };
  using Spot = std::pair<int, hw::Bytes>;  // buffer and offset

  void enter(const Command& command) {
    leave();
    op_ = command.op;
    const workloads::Operator& op = lowered_.graph.operators[static_cast<std::size_t>(op_)];
    a_.clear();
    b_.clear();
    c_.clear();
    if (!workloads::is_gemm(op)) return;
    a_ = places_of(lowered_, op.inputs[0]);
    b_ = places_of(lowered_, op.inputs[1]);
    c_ = places_of(lowered_, op.outputs[0]);
    results_.clear();
    spilled_.clear();
    finished_.clear();
    open_elements_ = static_cast<std::int64_t>(c_.size());
  }
  void leave() {
    CHECK(open_elements_ == 0);
    open_elements_ = 0;
  }

  template <class Visit>
  static void each_byte(const hw::StridedRange& range, Visit visit) {
    hw::Bytes n = 0;
    for (std::int64_t j = 0; j < range.count[1]; ++j) {
      for (std::int64_t i = 0; i < range.count[0]; ++i) {
        const std::int64_t row = range.address + j * range.stride[1] + i * range.stride[0];
        for (hw::Bytes b = 0; b < range.row_bytes; ++b) visit(n++, row + b);
      }
    }
  }
  std::int64_t& source(const hw::Region& region, hw::Bytes at) {
    return sources_[static_cast<std::size_t>(region.buffer)]
                   [static_cast<std::size_t>(region.offset + at)];
  }

  void load(const hw::TransferCommand& transfer) {
    if (transfer.traffic == hw::TrafficClass::kPartialSums) {
      results_[{transfer.region.buffer, transfer.region.offset}] =
          spilled_.at(transfer.dram.address);
      return;
    }
    each_byte(transfer.dram,
              [&](hw::Bytes n, std::int64_t at) { source(transfer.region, n) = at; });
  }

  /// The whole operand is the tile of one matrix that starts at the returned place.
  Place tile_of(const hw::TileOperand& operand, const Places& places) {
    const Place first = places.at(source(operand.region, 0));
    for (std::int64_t row = 0; row < operand.rows; ++row) {
      for (std::int64_t col = 0; col < operand.cols; ++col) {
        const auto found = places.find(source(operand.region, row * operand.pitch + col));
        const bool right = found != places.end() && found->second.matrix == first.matrix &&
                           found->second.row == first.row + row &&
                           found->second.col == first.col + col;
        if (!right) ++wrong_;
      }
    }
    return first;
  }

  void gemm(const hw::GemmCommand& gemm) {
    const Place a = tile_of(gemm.a, a_);
    Place b = tile_of(gemm.b, b_);
    REQUIRE(wrong_ == 0);
    if (gemm.b.transposed) std::swap(b.row, b.col);
    REQUIRE(a.matrix == b.matrix);
    REQUIRE(a.col == b.row);
    const Spot spot{gemm.c.region.buffer, gemm.c.region.offset};
    Tile tile{{a.matrix, a.row, b.col}, gemm.m, gemm.n, {}, 0};
    if (gemm.accumulate) {
      tile = results_.at(spot);
      REQUIRE(tile.at.matrix == a.matrix);
      REQUIRE(tile.at.row == a.row);
      REQUIRE(tile.at.col == b.col);
      REQUIRE(tile.m == gemm.m);
      REQUIRE(tile.n == gemm.n);
    }
    REQUIRE(tile.k.insert(a.col).second);
    tile.depth += gemm.k;
    results_[spot] = tile;
    const workloads::Operator& op = lowered_.graph.operators[static_cast<std::size_t>(op_)];
    REQUIRE(gemm.epilogue.has_value() == (tile.depth == op.k));
    if (!gemm.epilogue) return;
    CHECK(gemm.epilogue->operations.size() == op.epilogue.size());
    const hw::Region& output = gemm.epilogue->output.region;
    finished_[{output.buffer, output.offset}] = tile;
  }

  void store(const hw::TransferCommand& transfer) {
    const Spot spot{transfer.region.buffer, transfer.region.offset};
    if (transfer.traffic == hw::TrafficClass::kPartialSums) {
      spilled_[transfer.dram.address] = results_.at(spot);
      return;
    }
    if (c_.empty()) return;
    // A tile may leave in several pieces: the one that starts at or before this region.
    auto found = finished_.upper_bound(spot);
    REQUIRE(found != finished_.begin());
    const Tile& tile = (--found)->second;
    const hw::Bytes skipped = spot.second - found->first.second;
    each_byte(transfer.dram, [&](hw::Bytes n, std::int64_t at) {
      const Place& place = c_.at(at);
      const bool right = place.matrix == tile.at.matrix &&
                         place.row == tile.at.row + (skipped + n) / tile.n &&
                         place.col == tile.at.col + (skipped + n) % tile.n;
      if (!right) ++wrong_;
      --open_elements_;
    });
    REQUIRE(wrong_ == 0);
  }

  const Lowered& lowered_;
  std::vector<std::vector<std::int64_t>> sources_;  // by buffer and byte: address in DRAM
  int op_ = -1;
  Places a_, b_, c_;
  std::map<Spot, Tile> results_, finished_;
  std::map<std::int64_t, Tile> spilled_;
  std::int64_t open_elements_ = 0;
  int wrong_ = 0;
};

void check_all(const Lowered& lowered) {
  check_hazards(lowered);
  check_stores(lowered);
  check_totals(lowered);
  ValueFlow(lowered).run();
}

bool any_spill(const Lowered& lowered) {
  for (const Command& command : lowered.program) {
    if (command.kind == CommandKind::kStore &&
        command.transfer.traffic == hw::TrafficClass::kPartialSums)
      return true;
  }
  return false;
}

bool any_cut_softmax(const Lowered& lowered) {
  for (const Command& command : lowered.program) {
    if (command.kind == CommandKind::kVector && command.vector.operations.at(0) == "softmax" &&
        command.vector.pass_share < 1.0)
      return true;
  }
  return false;
}

}  // namespace

TEST_CASE("programs of every family on every machine order all conflicts") {
  int cut = 0, lowered_programs = 0;
  for (const Machine& machine : machines()) {
    for (const Workload& workload : workloads_under_test()) {
      INFO(machine.name << ", " << workload.name);
      const Lowered lowered = lower_all(workload.graph, machine.hardware);
      check_all(lowered);
      cut += any_cut_softmax(lowered) ? 1 : 0;
      ++lowered_programs;
    }
  }
  CHECK(lowered_programs == 9 * 10);
  CHECK(cut > 0);
}

TEST_CASE("partial sums that leave the chip come back in order") {
  for (const Machine& machine : machines()) {
    for (const Workload& workload : workloads_under_test()) {
      if (machine.name != "roomy" && machine.name != "unified" && machine.name != "in place" &&
          machine.name != "many queues")
        continue;
      INFO(machine.name << ", " << workload.name);
      const Lowered lowered = lower_all(workload.graph, machine.hardware, spilling());
      check_all(lowered);
      CHECK(any_spill(lowered));
    }
  }
}

TEST_CASE("a repeated phase does not overwrite what its last repeat still reads") {
  for (const Machine& machine : machines()) {
    if (machine.name == "cramped" || machine.name == "narrow") continue;
    for (const ModelDescriptor& model : {small_siglip(), small_decoder(), small_bert()}) {
      workloads::PhaseRequest request = zoo::request(model);
      request.repeat = 3;
      INFO(machine.name << ", " << model.name);
      check_all(lower_all(build({request}, true), machine.hardware));
      if (machine.name == "unified") {
        check_all(lower_all(build({request}, true), machine.hardware, spilling()));
      }
    }
  }
}

TEST_CASE("programs on random machines order all conflicts") {
  std::mt19937 random(7);
  int mapped = 0;
  const std::vector<Workload> all = workloads_under_test();
  for (int i = 0; i < 60; ++i) {
    const hw::HardwareConfig machine = sim::fixtures::random_machine(random);
    const Workload& workload = all[static_cast<std::size_t>(i) % all.size()];
    sim::MappingConfig mapping;
    if (i % 3 == 1) mapping.objective = sim::fixtures::least_bytes_first();
    if (i % 3 == 2) mapping.objective = sim::fixtures::fastest();
    try {
      const Lowered lowered = lower_all(workload.graph, machine, mapping);
      INFO("machine " << i << ", " << workload.name);
      check_all(lowered);
      ++mapped;
    } catch (const sim::MappingError&) {
      // The machine is too small for this workload.
    }
  }
  CHECK(mapped > 30);
}

TEST_CASE("a program without one of its waits is found out") {
  std::mt19937 random(11);
  int removed = 0, redundant = 0, found = 0;
  const std::vector<Workload> all = workloads_under_test();
  for (const Machine& machine : machines()) {
    if (machine.name == "cramped" || machine.name == "narrow") continue;
    for (std::size_t w = 0; w < all.size(); w += 3) {
      const Lowered lowered = lower_all(all[w].graph, machine.hardware);
      const std::vector<test::Conflict> conflicts = check_hazards(lowered);
      test::HappensBefore order(lowered.program);
      for (int trial = 0; trial < 40; ++trial) {
        const std::size_t at = random() % lowered.program.size();
        const Command& command = lowered.program[at];
        if (command.waits.empty()) continue;
        const std::size_t index = random() % command.waits.size();
        order.compute(command.id, index);
        ++removed;
        // Another wait, or the queue, implies it: a Gemm that reuses a tile names its load again.
        if (order.ordered(command.waits[index].command, command.id)) {
          ++redundant;
          continue;
        }
        bool seen = false;
        for (const test::Conflict& conflict : conflicts) {
          seen = seen || !order.ordered(conflict.first, conflict.second);
        }
        found += seen ? 1 : 0;
      }
    }
  }
  const int needed = removed - redundant;
  INFO("removed " << removed << ", redundant " << redundant << ", found " << found);
  CHECK(needed > 200);
  // The rest orders what only shares a bounding box or the address of an earlier tensor.
  CHECK(found >= needed * 9 / 10);
}
