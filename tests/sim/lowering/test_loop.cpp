// Programs for a machine with a hardware loop: order of commands, places on chip, bytes moved.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "sim/gemm_run.h"
#include "sim/mapper/mapper.h"
#include "sim/mapper/placement.h"
#include "tests/support/loop_machine.h"

using namespace tessera;
using namespace tessera::sim;
using hw::Command;
using hw::CommandKind;
using hw::Dataflow;

namespace {

constexpr int kScratchpad = 0;

/// A product, its plan and its program. Tensors: 0 A, 1 B, 2 C.
struct LoopProgram {
  PreparedGemm gemm;
  std::vector<Command> commands;
  const GemmMapping& mapping() const { return gemm.run.plan.operators[0].gemm; }
  hw::Bytes pitch(int tensor) const {
    return gemm.run.plan.tensors[static_cast<std::size_t>(tensor)].pitch;
  }
  std::int64_t address(int tensor) const {
    return gemm.run.plan.tensors[static_cast<std::size_t>(tensor)].address;
  }
};

MappingPin tile_pin(const TileShape& tile) {
  MappingPin pin;
  pin.pattern = "*";
  pin.tile_m = tile.m;
  pin.tile_k = tile.k;
  pin.tile_n = tile.n;
  return pin;
}

LoopProgram loop_program(const hw::HardwareConfig& machine, const hw::GemmShape& shape,
                         Dataflow dataflow, const std::optional<TileShape>& tile) {
  GemmRequest request;
  request.machine.hardware = machine;
  request.machine.precision_name = "w8a8";
  request.shape = shape;
  request.dataflow = dataflow;
  if (tile) request.machine.mapping.pins.push_back(tile_pin(*tile));
  LoopProgram program{prepare_gemm(std::move(request)), {}};
  const auto source = gemm_program(program.gemm);
  while (auto command = source->next()) program.commands.push_back(std::move(*command));
  return program;
}

/// Which tensor a transfer moves: by the class that prepare_gemm() gives it.
int tensor_of(const Command& command) {
  if (command.kind == CommandKind::kStore) return 2;
  return command.transfer.traffic == hw::TrafficClass::kWeights ? 1 : 0;
}

std::string range_text(std::int64_t first, std::int64_t size) {
  return std::to_string(first) + ":" + std::to_string(first + size);
}

/// "A[4:8,0:8]": rows and columns in DRAM.
std::string transfer_text(const LoopProgram& program, const Command& command) {
  const int tensor = tensor_of(command);
  const hw::StridedRange& dram = command.transfer.dram;
  const std::int64_t at = dram.address - program.address(tensor);
  return std::string(1, "ABC"[tensor]) + "[" +
         range_text(at / program.pitch(tensor), dram.count[0]) + "," +
         range_text(at % program.pitch(tensor), dram.row_bytes) + "]";
}

/// "G 1 0 2 keeps": blocks of m, k, n of the first tile; whole blocks of 4 x 4 only.
std::string gemm_text(const LoopProgram& program, const hw::GemmCommand& gemm) {
  const TileShape& tile = program.mapping().tile;
  const hw::Bytes a = gemm.a.region.offset - program.mapping().a.offset;
  const hw::Bytes b = gemm.b.region.offset - program.mapping().b.offset;
  const std::int64_t m = a / (4 * tile.k), k = a % (4 * tile.k) / 16, n = b % (4 * tile.n) / 16;
  CHECK(b / (4 * tile.n) == k);
  CHECK(gemm.c.region.offset - program.mapping().accumulators.offset ==
        4 * (m * 4 * tile.n + 16 * n));
  return "G " + std::to_string(m) + " " + std::to_string(k) + " " + std::to_string(n) +
         (gemm.keeps_stationary ? " keeps" : "");
}

std::vector<std::string> texts(const LoopProgram& program) {
  std::vector<std::string> all;
  for (const Command& command : program.commands) {
    if (command.kind == CommandKind::kGemm) {
      all.push_back(gemm_text(program, command.gemm));
    } else if (command.kind == CommandKind::kVector) {
      all.emplace_back("V");
    } else {
      all.push_back(transfer_text(program, command));
    }
  }
  return all;
}

bool waits_for(const Command& command, hw::CommandId id) {
  return std::any_of(command.waits.begin(), command.waits.end(),
                     [&](const hw::Wait& wait) { return wait.command == id; });
}

/// Ids of the commands of each tile: a tile begins with a load behind a command that is none.
std::vector<std::vector<hw::CommandId>> tiles_of(const LoopProgram& program, std::int64_t gemms) {
  std::vector<std::vector<hw::CommandId>> tiles;
  std::int64_t seen = 0;
  for (const Command& command : program.commands) {
    const bool loads = command.kind == CommandKind::kLoad;
    if (tiles.empty() || (loads && seen == gemms)) {
      tiles.emplace_back();
      seen = 0;
    }
    tiles.back().push_back(command.id);
    seen += command.kind == CommandKind::kGemm ? 1 : 0;
  }
  return tiles;
}

hw::Bytes moved_bytes(const LoopProgram& program) {
  hw::Bytes bytes = 0;
  for (const Command& command : program.commands) {
    const bool moves = command.kind == CommandKind::kLoad || command.kind == CommandKind::kStore;
    if (moves) bytes += hw::useful_bytes(command.transfer.dram);
  }
  return bytes;
}

}  // namespace

// ------------------------------------------------------------------------------- order of commands

TEST_CASE("loads of wide rows come just in time and blocks of B stay for all rows of A") {
  const LoopProgram program = loop_program(test::loop_machine(8), {8, 8, 16},
                                           Dataflow::kWeightStationary, TileShape{8, 8, 16});
  CHECK(texts(program) == std::vector<std::string>{"B[0:4,0:8]",
                                                   "A[0:4,0:8]",
                                                   "G 0 0 0",
                                                   "A[4:8,0:8]",
                                                   "G 1 0 0 keeps",
                                                   "G 0 0 1",
                                                   "G 1 0 1 keeps",
                                                   "B[0:4,8:16]",
                                                   "G 0 0 2",
                                                   "G 1 0 2 keeps",
                                                   "G 0 0 3",
                                                   "G 1 0 3 keeps",  // k block 0
                                                   "B[4:8,0:8]",
                                                   "G 0 1 0",
                                                   "G 1 1 0 keeps",
                                                   "G 0 1 1",
                                                   "G 1 1 1 keeps",
                                                   "B[4:8,8:16]",
                                                   "G 0 1 2",
                                                   "G 1 1 2 keeps",
                                                   "G 0 1 3",
                                                   "G 1 1 3 keeps",  // k block 1
                                                   "V",
                                                   "C[0:4,0:8]",
                                                   "V",
                                                   "C[4:8,0:8]",
                                                   "V",
                                                   "C[0:4,8:16]",
                                                   "V",
                                                   "C[4:8,8:16]"});
}

TEST_CASE("of two loads at the same k the streamed one goes first but for the first of all") {
  const LoopProgram stays_b = loop_program(test::loop_machine(4), {8, 8, 8},
                                           Dataflow::kWeightStationary, TileShape{8, 8, 8});
  CHECK(texts(stays_b) == std::vector<std::string>{"B[0:4,0:4]",
                                                   "A[0:4,0:4]",
                                                   "G 0 0 0",
                                                   "A[4:8,0:4]",
                                                   "G 1 0 0 keeps",
                                                   "B[0:4,4:8]",
                                                   "G 0 0 1",
                                                   "G 1 0 1 keeps",
                                                   "A[0:4,4:8]",
                                                   "A[4:8,4:8]",
                                                   "B[4:8,0:4]",
                                                   "G 0 1 0",
                                                   "G 1 1 0 keeps",
                                                   "B[4:8,4:8]",
                                                   "G 0 1 1",
                                                   "G 1 1 1 keeps",
                                                   "V",
                                                   "C[0:4,0:4]",
                                                   "V",
                                                   "C[4:8,0:4]",
                                                   "V",
                                                   "C[0:4,4:8]",
                                                   "V",
                                                   "C[4:8,4:8]"});
  const LoopProgram stays_a = loop_program(test::loop_machine(4), {8, 8, 8},
                                           Dataflow::kInputStationary, TileShape{8, 8, 8});
  CHECK(texts(stays_a) == std::vector<std::string>{
                              "A[0:4,0:4]", "B[0:4,0:4]", "G 0 0 0",    "B[0:4,4:8]", "A[4:8,0:4]",
                              "G 1 0 0",    "G 0 0 1",    "G 1 0 1",    "B[4:8,0:4]", "B[4:8,4:8]",
                              "A[0:4,4:8]", "G 0 1 0",    "A[4:8,4:8]", "G 1 1 0",    "G 0 1 1",
                              "G 1 1 1",    "V",          "C[0:4,0:4]", "V",          "C[4:8,0:4]",
                              "V",          "C[0:4,4:8]", "V",          "C[4:8,4:8]"});
}

TEST_CASE("rows that adjoin in DRAM are not joined into one") {
  const LoopProgram program = loop_program(test::loop_machine(8), {8, 8, 8},
                                           Dataflow::kWeightStationary, TileShape{8, 8, 8});
  REQUIRE(program.pitch(0) == 8);  // the matrix has no gaps
  for (const Command& command : program.commands) {
    if (command.kind != CommandKind::kLoad && command.kind != CommandKind::kStore) continue;
    CHECK(command.transfer.dram.count[0] == 4);
    CHECK(command.transfer.dram.row_bytes == 8);
    CHECK(command.transfer.block_row_bytes == 4);
  }
}

// ------------------------------------------------------------------------------------ what stays

TEST_CASE("a stationary block stays only while the Gemms share it") {
  for (const Dataflow dataflow : test::loop_machine().array.dataflows) {
    const LoopProgram program =
        loop_program(test::loop_machine(), {6, 10, 7}, dataflow, TileShape{6, 10, 7});
    const bool a_stays = dataflow == Dataflow::kInputStationary;
    const Command* ahead = nullptr;
    int kept = 0;
    for (const Command& command : program.commands) {
      if (command.kind != CommandKind::kGemm) continue;
      const auto region = [&](const Command& of) { return a_stays ? of.gemm.a : of.gemm.b; };
      if (command.gemm.keeps_stationary) {
        REQUIRE(ahead != nullptr);
        CHECK(region(command).region.offset == region(*ahead).region.offset);
        CHECK(region(command).region.bytes == region(*ahead).region.bytes);
        ++kept;
      }
      ahead = &command;
    }
    INFO(hw::to_string(dataflow));
    CHECK((kept > 0) == (dataflow == Dataflow::kWeightStationary));  // m runs inside
  }
  const LoopProgram one_row = loop_program(test::loop_machine(), {4, 4, 12},
                                           Dataflow::kInputStationary, TileShape{4, 4, 12});
  const auto texts_of = texts(one_row);
  CHECK(std::count(texts_of.begin(), texts_of.end(), "G 0 0 1 keeps") == 1);
}

TEST_CASE("a block that the array holds only in parts does not stay") {
  hw::HardwareConfig machine = test::loop_machine();
  machine.array.cols = 2;  // of blocks of 4
  for (const Dataflow dataflow : {Dataflow::kWeightStationary, Dataflow::kInputStationary}) {
    for (const Command& command :
         loop_program(machine, {8, 4, 8}, dataflow, TileShape{8, 4, 8}).commands) {
      if (command.kind == CommandKind::kGemm) CHECK_FALSE(command.gemm.keeps_stationary);
    }
  }
}

TEST_CASE("a block of another tile does not stay even in the same place") {
  const LoopProgram program = loop_program(test::loop_machine(), {4, 4, 16},
                                           Dataflow::kWeightStationary, TileShape{4, 4, 4});
  for (const Command& command : program.commands) {
    if (command.kind == CommandKind::kGemm) CHECK_FALSE(command.gemm.keeps_stationary);
  }
}

// ------------------------------------------------------------------------------- tiles in flight

TEST_CASE("a tile's first load waits for the store of the tile so many before it") {
  for (const int in_flight : {1, 2, 3}) {
    hw::HardwareConfig machine = test::loop_machine();
    machine.sequencer.loop.tiles_in_flight = in_flight;
    const LoopProgram program =
        loop_program(machine, {8, 8, 40}, Dataflow::kWeightStationary, TileShape{8, 8, 8});
    const auto tiles = tiles_of(program, 8);
    REQUIRE(tiles.size() == 5);
    for (std::size_t i = 0; i < tiles.size(); ++i) {
      INFO(in_flight << " in flight, tile " << i);
      const Command& first = program.commands[static_cast<std::size_t>(tiles[i].front())];
      REQUIRE(first.kind == CommandKind::kLoad);
      for (std::size_t j = 0; j < i; ++j) {
        const Command& last = program.commands[static_cast<std::size_t>(tiles[j].back())];
        REQUIRE(last.kind == CommandKind::kStore);
        CHECK(waits_for(first, last.id) == (j + static_cast<std::size_t>(in_flight) == i));
      }
    }
  }
}

TEST_CASE("a part of K waits for the last command of the tile before it and stores nothing") {
  const LoopProgram program = loop_program(test::loop_machine(), {8, 24, 8},
                                           Dataflow::kWeightStationary, TileShape{8, 8, 8});
  const auto tiles = tiles_of(program, 8);
  REQUIRE(tiles.size() == 3);
  const Command& third = program.commands[static_cast<std::size_t>(tiles[2].front())];
  CHECK(program.commands[static_cast<std::size_t>(tiles[0].back())].kind == CommandKind::kGemm);
  CHECK(waits_for(third, tiles[0].back()));
  for (const Command& command : program.commands) {
    const bool later = command.id >= tiles[1].front();
    if (command.kind == CommandKind::kGemm && later) CHECK(command.gemm.accumulate);
    if (command.kind == CommandKind::kStore) CHECK(command.id > tiles[2].front());
  }
}

TEST_CASE("on two load queues the first load of each waits") {
  hw::HardwareConfig machine = test::loop_machine();
  machine.dma.load_queues = 2;
  const LoopProgram program =
      loop_program(machine, {8, 8, 24}, Dataflow::kWeightStationary, TileShape{8, 8, 8});
  const auto tiles = tiles_of(program, 8);
  REQUIRE(tiles.size() == 3);
  std::map<int, bool> first_waits;
  for (const hw::CommandId id : tiles[2]) {
    const Command& command = program.commands[static_cast<std::size_t>(id)];
    if (command.kind != CommandKind::kLoad) continue;
    first_waits.emplace(command.queue, waits_for(command, tiles[0].back()));
  }
  CHECK(first_waits == std::map<int, bool>{{0, true}, {1, true}});
}

// ------------------------------------------------------------------------------------------ slots

TEST_CASE("two tiles have a half of the scratchpad each A from the bottom B at the top") {
  const LoopProgram program = loop_program(test::loop_machine(), {8, 8, 40},
                                           Dataflow::kWeightStationary, TileShape{8, 8, 8});
  const GemmMapping& mapping = program.mapping();
  REQUIRE((mapping.a.count == 2 && mapping.b.count == 2 && mapping.accumulators.count == 2));
  CHECK((mapping.a.buffer == kScratchpad && mapping.b.buffer == kScratchpad));
  CHECK((mapping.a.at(0) == 0 && mapping.a.at(1) == 2048));
  CHECK((mapping.b.at(0) == 2048 - 64 && mapping.b.at(1) == 4096 - 64));
  CHECK((mapping.accumulators.at(0) == 0 && mapping.accumulators.at(1) == 2048));
  const LoopProgram one = loop_program(test::loop_machine(), {8, 8, 8}, Dataflow::kWeightStationary,
                                       TileShape{8, 8, 8});
  CHECK((one.mapping().a.at(0) == 0 && one.mapping().b.at(0) == 4096 - 64));
}

TEST_CASE("slots that halves would lay over each other lie one behind the other") {
  // A twice, 1 KiB each, B once, 1 KiB: halves would put B over A's second slot.
  hw::HardwareConfig machine = test::loop_machine();
  machine.buffers[0].capacity = 3072;
  GemmRequest request;
  request.machine.hardware = machine;
  request.machine.precision_name = "w8a8";
  request.shape = {64, 32, 64};
  request.dataflow = Dataflow::kWeightStationary;
  MappingPin pin = tile_pin({32, 32, 32});
  pin.has_double_buffered = true;
  pin.double_buffered = {"a", "outputs"};
  request.machine.mapping.pins.push_back(pin);
  OperatorPlan plan = prepare_gemm(std::move(request)).run.plan.operators[0];
  REQUIRE((plan.gemm.a.count == 2 && plan.gemm.b.count == 1));
  CHECK(apart(plan.gemm.a, plan.gemm.b));
  for (const Slots* slots : slots_of(plan)) {
    CHECK(slots->end() <= machine.buffers[static_cast<std::size_t>(slots->buffer)].capacity);
  }
}

TEST_CASE("slots interleaved by their strides are apart") {
  const Slots low{0, 0, 10, 3, 32}, high{0, 16, 16, 3, 32}, longer{0, 16, 17, 3, 32};
  CHECK(apart(low, high));
  CHECK(apart(high, low));
  CHECK_FALSE(apart(low, longer));
  CHECK_FALSE(apart(longer, low));
  CHECK(apart(low, Slots{0, 74, 4, 1, 0}));
  CHECK_FALSE(apart(low, Slots{0, 73, 4, 1, 0}));
}

TEST_CASE("a staging slot holds what one store carries") {
  hw::HardwareConfig machine = test::loop_machine(2);  // less than a block's 4 bytes
  const LoopProgram program =
      loop_program(machine, {8, 8, 8}, Dataflow::kWeightStationary, TileShape{8, 8, 8});
  for (const Command& command : program.commands) {
    if (command.kind != CommandKind::kStore) continue;
    CHECK(command.transfer.region.bytes == 16);
    CHECK(program.mapping().outputs.bytes >= 16);
  }
}

// ------------------------------------------------------------------------------- bytes and
// products

TEST_CASE("the loop moves the mapper's bytes and forms every product once") {
  std::mt19937 random(9);
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (int i = 0; i < 60; ++i) {
    hw::HardwareConfig machine = test::loop_machine(pick(1, 20));
    machine.sequencer.loop.m = pick(1, 6);
    machine.sequencer.loop.k = pick(1, 6);
    machine.sequencer.loop.n = pick(1, 6);
    machine.buffers[0].capacity = 64 * pick(4, 40);
    machine.buffers[1].capacity = 64 * pick(4, 20);
    const hw::GemmShape shape{pick(1, 30), pick(1, 40), pick(1, 30)};
    const Dataflow dataflow = machine.array.dataflows[static_cast<std::size_t>(i % 3)];
    const LoopProgram program = loop_program(machine, shape, dataflow, std::nullopt);
    INFO(i << ": " << shape_text(shape) << " " << hw::to_string(dataflow));
    CHECK(moved_bytes(program) == program.gemm.run.plan.operators[0].cost.dram_bytes);
    std::map<std::int64_t, hw::Bytes> by_tensor;
    std::int64_t macs = 0;
    for (const Command& command : program.commands) {
      if (command.kind == CommandKind::kGemm) {
        CHECK(command.gemm.m <= machine.sequencer.loop.m);
        CHECK(command.gemm.k <= machine.sequencer.loop.k);
        CHECK(command.gemm.n <= machine.sequencer.loop.n);
        macs += command.gemm.m * command.gemm.k * command.gemm.n;
      } else if (command.kind != CommandKind::kVector) {
        by_tensor[tensor_of(command)] += hw::useful_bytes(command.transfer.dram);
      }
    }
    const TileShape& tile = program.mapping().tile;
    CHECK(macs == shape.m * shape.k * shape.n);
    // Every tile loads both operands: A for every column of tiles, B for every row of tiles.
    CHECK(by_tensor[0] == shape.m * shape.k * hw::ceil_div(shape.n, tile.n));
    CHECK(by_tensor[1] == shape.k * shape.n * hw::ceil_div(shape.m, tile.m));
    CHECK(by_tensor[2] == shape.m * shape.n);
  }
}

TEST_CASE("a mapping that the loop cannot walk is refused") {
  const auto refusal = [](const MappingPin& pin) {
    GemmRequest request;
    request.machine.hardware = test::loop_machine();
    request.machine.precision_name = "w8a8";
    request.shape = {64, 64, 64};
    request.machine.mapping.pins.push_back(pin);
    try {
      prepare_gemm(std::move(request));
    } catch (const MappingError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  MappingPin order = tile_pin({16, 16, 16});
  order.loop_order = "mnk";
  CHECK(refusal(order) == "accepted");
  order.loop_order = "kmn";
  CHECK(refusal(order) == "gemm.Gemm: the hardware loop walks tiles in the order mnk, not kmn");
  MappingPin resident = tile_pin({16, 16, 16});
  resident.has_resident = true;
  CHECK(refusal(resident) == "accepted");
  resident.resident = {"b"};
  CHECK(refusal(resident) ==
        "gemm.Gemm: the hardware loop loads both operands of every tile: none can be resident");
}

TEST_CASE("blocks that would begin inside a byte are refused") {
  hw::HardwareConfig machine = test::loop_machine();
  machine.array.throughput["w4a4"] = 1;
  machine.sequencer.loop.n = 3;
  GemmRequest request;
  request.machine.hardware = machine;
  request.machine.precision_name = "w4a4";
  request.machine.precision = {4, 4, 4};
  request.shape = {8, 8, 8};
  CHECK_THROWS_WITH(prepare_gemm(std::move(request)),
                    Catch::Contains("sequencer.loop.n = 3 is no multiple of 2: its blocks would "
                                    "not start on whole bytes"));
}
