// The trackers' waits order every conflict of random accesses, byte by byte.
#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "sim/lowering/hazards.h"
#include "tests/support/happens_before.h"
#include "tests/support/tiny_machine.h"

using namespace tessera;
using hw::Command;
using hw::CommandKind;
using hw::Region;

namespace {

constexpr hw::Bytes kCapacity = 96;

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::int64_t pick(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(engine_);
  }
  /// An operand of a command that writes `result`: no command overwrites what it reads itself.
  Region beside(const Region& result) {
    for (;;) {
      const Region found = region();
      if (found.offset + found.bytes <= result.offset ||
          result.offset + result.bytes <= found.offset)
        return found;
    }
  }
  Region region() {
    // Slots of 16 bytes, whole or in part, now and then across their borders.
    if (pick(0, 3) > 0) return {0, 16 * pick(0, 5), pick(1, 16)};
    const hw::Bytes bytes = pick(1, 40);
    return {0, pick(0, kCapacity - bytes), bytes};
  }

 private:
  std::mt19937_64 engine_;
};

Command command_of(CommandKind kind, int queue, hw::CommandId id) {
  Command command;
  command.id = id;
  command.kind = kind;
  command.queue = queue;
  command.op = 0;
  return command;
}

/// Two load queues, one store queue, the array and the vector unit on one buffer.
std::vector<Command> random_program(Random& random, const hw::HardwareConfig& machine) {
  sim::RegionTracker tracker;
  std::vector<Command> program;
  // Every byte is there from the start.
  for (hw::CommandId id = 0; id < 250; ++id) {
    const auto kind = id == 0 ? CommandKind::kLoad : static_cast<CommandKind>(random.pick(0, 3));
    Command command =
        command_of(kind, kind == CommandKind::kLoad ? static_cast<int>(random.pick(0, 1)) : 0, id);
    const int queue = sim::queue_number(command, machine);
    const Region region = id == 0 ? Region{0, 0, kCapacity} : random.region();
    sim::WaitList waits;
    switch (kind) {
      case CommandKind::kLoad:
        command.transfer.region = region;
        tracker.write(region, queue, id, false, -1, waits);
        break;
      case CommandKind::kStore:
        command.transfer.region = region;
        tracker.read(region, queue, id, false, waits);
        break;
      case CommandKind::kGemm: {
        hw::GemmCommand& gemm = command.gemm;
        gemm.a.region = random.beside(region);
        gemm.b.region = random.beside(region);
        gemm.c.region = region;
        gemm.accumulate = random.pick(0, 1) != 0;
        tracker.read(gemm.a.region, queue, id, false, waits);
        tracker.read(gemm.b.region, queue, id, false, waits);
        if (gemm.accumulate) tracker.accumulate(region, queue, waits);
        tracker.write(region, queue, id, true, queue, waits);
        break;
      }
      case CommandKind::kVector: {
        hw::TileOperand input, output;
        input.region = random.beside(region);
        output.region = region;
        tracker.read(input.region, queue, id, false, waits);
        tracker.write(region, queue, id, false, -1, waits);
        command.vector.inputs = {input};
        command.vector.outputs = {output};
        break;
      }
    }
    command.waits = waits.take();
    program.push_back(std::move(command));
  }
  return program;
}

hw::HardwareConfig one_buffer() {
  hw::HardwareConfig machine = test::tiny_machine();
  machine.buffers.resize(1);
  machine.buffers[0].capacity = kCapacity;
  return machine;
}

}  // namespace

TEST_CASE("the waits over a buffer order every conflict of random commands") {
  Random random(1);
  const hw::HardwareConfig machine = one_buffer();
  for (int i = 0; i < 150; ++i) {
    const std::vector<Command> program = random_program(random, machine);
    const test::HappensBefore order(program);
    test::ConflictFinder finder(machine);
    for (const Command& command : program) finder.add(command);
    REQUIRE(finder.unwritten().empty());
    REQUIRE(finder.conflicts().size() > 100);
    for (const test::Conflict& conflict : finder.conflicts()) {
      INFO(test::describe(program[static_cast<std::size_t>(conflict.first)])
           << " and " << test::describe(program[static_cast<std::size_t>(conflict.second)])
           << " at byte " << conflict.address);
      REQUIRE(order.ordered(conflict.first, conflict.second));
    }
  }
}

TEST_CASE("a command waits for nothing that it does not touch") {
  sim::RegionTracker tracker;
  sim::WaitList first, second, third;
  tracker.write({0, 0, 16}, 0, 0, false, -1, first);
  tracker.write({0, 16, 16}, 1, 1, false, -1, second);
  CHECK(first.take().empty());
  CHECK(second.take().empty());
  tracker.read({0, 16, 8}, 2, 2, false, third);
  REQUIRE(third.take().size() == 1);
  CHECK(third.take()[0].command == 1);
  CHECK(third.take()[0].hazard == hw::Hazard::kReadAfterWrite);
}

TEST_CASE("a write waits for readers and names the hazard") {
  sim::RegionTracker tracker;
  sim::WaitList ignored, waits;
  tracker.write({0, 0, 16}, 0, 0, false, -1, ignored);
  tracker.read({0, 0, 16}, 3, 7, false, ignored);
  tracker.write({0, 8, 16}, 1, 8, false, -1, waits);
  const std::vector<hw::Wait> all = waits.take();
  REQUIRE(all.size() == 2);
  CHECK(all[0].command == 0);
  CHECK(all[0].hazard == hw::Hazard::kWriteAfterWrite);
  CHECK(all[1].command == 7);
  CHECK(all[1].hazard == hw::Hazard::kWriteAfterRead);
}

TEST_CASE("of several commands of one queue only the latest is waited for") {
  sim::WaitList waits;
  waits.add(2, {5, hw::Hazard::kReadAfterWrite, false});
  waits.add(2, {9, hw::Hazard::kWriteAfterRead, false});
  waits.add(2, {7, hw::Hazard::kReadAfterWrite, false});
  waits.add(0, {hw::kNoCommand, hw::Hazard::kReadAfterWrite, false});
  REQUIRE(waits.take().size() == 1);
  CHECK(waits.take()[0].command == 9);
}

TEST_CASE("the waits over a tensor order stores and loads of random boxes") {
  Random random(2);
  constexpr std::int64_t kRows = 200, kCols = 12;
  for (int i = 0; i < 60; ++i) {
    sim::TensorTracker tracker(random.pick(1, 2 * kRows));
    std::vector<Command> program;
    std::vector<sim::TensorBox> boxes;
    // A generation is stored, then loaded; the next one may overwrite it at once.
    for (int generation = 0; generation < 3; ++generation) {
      if (generation > 0) tracker.renew(tracker.accesses());
      for (int access = 0; access < 60; ++access) {
        const bool store = access < 30;
        const auto id = static_cast<hw::CommandId>(program.size());
        Command command = command_of(store ? CommandKind::kStore : CommandKind::kLoad,
                                     static_cast<int>(random.pick(0, 1)), id);
        sim::TensorBox box;
        box.row_begin = random.pick(0, kRows - 1);
        box.row_end = random.pick(box.row_begin + 1, kRows);
        box.col_begin = random.pick(0, kCols - 1);
        box.col_end = random.pick(box.col_begin + 1, kCols);
        const int number = command.queue + (store ? 2 : 0);
        sim::WaitList waits;
        if (store) {
          tracker.store(box, number, id, waits);
        } else {
          tracker.load(box, number, id, waits);
        }
        command.waits = waits.take();
        program.push_back(std::move(command));
        boxes.push_back(box);
      }
    }
    const test::HappensBefore order(program);
    for (std::size_t second = 0; second < program.size(); ++second) {
      for (std::size_t first = 0; first < second; ++first) {
        const bool writes = program[first].kind == CommandKind::kStore ||
                            program[second].kind == CommandKind::kStore;
        if (!writes || !sim::overlap(boxes[first], boxes[second])) continue;
        REQUIRE(
            order.ordered(static_cast<hw::CommandId>(first), static_cast<hw::CommandId>(second)));
      }
    }
  }
}
