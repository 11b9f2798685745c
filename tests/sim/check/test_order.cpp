// What the machine guarantees of the order of commands, and no more.
#include <catch2/catch.hpp>

#include "sim/check/happens_before.h"
#include "sim/check/legal_order.h"
#include "tests/sim/check/check_fixtures.h"

using namespace tessera;
using namespace tessera::test;
using Waits = ProgramWriter::Waits;

namespace {

sim::HappensBefore order_of(const std::vector<hw::Command>& program) {
  sim::HappensBefore order(tiny_machine());
  for (const hw::Command& command : program) order.add(command);
  return order;
}

constexpr hw::TrafficClass kClass = hw::TrafficClass::kActivations;

}  // namespace

TEST_CASE("commands of one queue may overlap") {
  ProgramWriter writer;
  const auto first = writer.load(0, 0, {0, 0, 8}, kClass);
  const auto second = writer.load(0, 0, {0, 8, 8}, kClass);
  CHECK_FALSE(order_of(writer.take()).ordered(first, second));
}

TEST_CASE("a wait is for all commands ahead in that queue") {
  ProgramWriter writer;
  const auto first = writer.load(0, 0, {0, 0, 8}, kClass);
  const auto second = writer.load(0, 0, {0, 8, 8}, kClass);
  const auto other = writer.load(0, 1, {0, 16, 8}, kClass);
  const auto gemm = writer.gemm(0, 2, 2, 2, {ProgramWriter::raw(second)});
  const sim::HappensBefore order = order_of(writer.take());
  CHECK(order.ordered(second, gemm));
  CHECK(order.ordered(first, gemm));
  CHECK_FALSE(order.ordered(other, gemm));
}

TEST_CASE("a command starts after what the one ahead in its queue waited for") {
  ProgramWriter writer;
  const auto load = writer.load(0, 0, {0, 0, 8}, kClass);
  const auto first = writer.gemm(0, 2, 2, 2, {ProgramWriter::raw(load)});
  const auto second = writer.gemm(0, 2, 2, 2);
  const sim::HappensBefore order = order_of(writer.take());
  CHECK(order.ordered(load, second));
  CHECK_FALSE(order.ordered(first, second));
}

TEST_CASE("waits are transitive across queues") {
  ProgramWriter writer;
  const auto load = writer.load(0, 0, {0, 0, 8}, kClass);
  const auto gemm = writer.gemm(0, 2, 2, 2, {ProgramWriter::raw(load)}, true);
  const auto vector = writer.vector(0, "gelu", 2, 2, {ProgramWriter::raw(gemm)});
  const auto store = writer.store(0, {0, 32768, 4}, {ProgramWriter::raw(vector)});
  const sim::HappensBefore order = order_of(writer.take());
  CHECK(order.ordered(load, store));
  CHECK(order.ordered(gemm, store));
}

TEST_CASE("random legal orders keep queues and waits and differ") {
  Dice dice(5);
  const Lowered lowered = random_program(dice, precisions()[0]);
  sim::HappensBefore order(lowered.hardware);
  for (const hw::Command& command : lowered.program) order.add(command);
  std::vector<hw::CommandId> last;
  for (int i = 0; i < 10; ++i) {
    const auto sequence = sim::random_legal_order(lowered.program, order, dice.engine());
    REQUIRE(sequence.size() == lowered.program.size());
    std::vector<std::size_t> at(sequence.size());
    for (std::size_t j = 0; j < sequence.size(); ++j) {
      at[static_cast<std::size_t>(sequence[j])] = j;
    }
    std::vector<std::size_t> newest(static_cast<std::size_t>(order.queues()), 0);
    bool kept = true;
    for (const hw::Command& command : lowered.program) {
      const auto id = static_cast<std::size_t>(command.id);
      std::size_t& ahead = newest[static_cast<std::size_t>(order.queue(command.id))];
      kept = kept && at[id] + 1 > ahead;
      ahead = at[id] + 1;
      for (const hw::Wait& wait : command.waits) {
        kept = kept && at[static_cast<std::size_t>(wait.command)] < at[id];
      }
    }
    CHECK(kept);
    CHECK(sequence != last);
    last = sequence;
  }
}
