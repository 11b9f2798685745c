// The walk back along the binding chain, on histories written by hand and at random.
#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "hw_models/attribution.h"

using namespace tessera::hw;

namespace {

class ListedHistory : public CommandHistory {
 public:
  const CommandRecord* find(CommandId id) const override {
    if (id < forgotten || id >= static_cast<CommandId>(records.size())) return nullptr;
    return &records[static_cast<std::size_t>(id)];
  }
  CommandRecord& add(CommandKind kind, int op, Cycles started, Cycles completed) {
    CommandRecord record;
    record.command.id = static_cast<CommandId>(records.size());
    record.command.kind = kind;
    record.command.op = op;
    record.dispatch_begin = record.dispatched = 0;
    record.started = started;
    record.completed = completed;
    records.push_back(record);
    return records.back();
  }
  CommandRecord& bind(CommandRecord& record, CommandId to) {
    record.binder = Binder::kToken;
    record.bound_to = to;
    return record;
  }
  std::vector<CommandRecord> records;
  CommandId forgotten = 0;
};

Cycles total(const std::vector<Charge>& charges) {
  Cycles sum = 0;
  for (const Charge& charge : charges) sum += charge.cycles;
  return sum;
}

Cycles of(const std::vector<Charge>& charges, int op, Cause cause) {
  Cycles sum = 0;
  for (const Charge& charge : charges) {
    if (charge.op == op && charge.cause == cause) sum += charge.cycles;
  }
  return sum;
}

/// A causal history: dispatch in order, queues in order, tokens of earlier commands.
ListedHistory random_history(std::mt19937& random) {
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  ListedHistory history;
  Cycles dispatched = 0;
  CommandId last_of_kind[4] = {kNoCommand, kNoCommand, kNoCommand, kNoCommand};
  for (int i = 0; i < 40; ++i) {
    const int kind = pick(0, 3);
    CommandRecord record;
    record.command.id = i;
    record.command.kind = static_cast<CommandKind>(kind);
    record.command.op = i / 5;
    record.command.transfer.traffic = static_cast<TrafficClass>(pick(0, 4));
    record.dispatch_begin = dispatched + (pick(0, 3) == 0 ? pick(1, 30) : 0);
    if (record.dispatch_begin > dispatched && i > 0) record.blocked_by = pick(0, i - 1);
    record.dispatched = dispatched = record.dispatch_begin + pick(0, 4);
    record.started = record.dispatched;
    const CommandId ahead = last_of_kind[kind];
    if (ahead != kNoCommand) {
      const Cycles released = history.records[static_cast<std::size_t>(ahead)].completed;
      if (released >= record.started) {
        record.started = released;
        record.binder = Binder::kQueueAhead;
        record.bound_to = ahead;
      }
    }
    for (int token = pick(0, 3); token > 0 && i > 0; --token) {
      const CommandId waited = pick(0, i - 1);
      const Cycles fired = history.records[static_cast<std::size_t>(waited)].completed;
      if (fired < record.started) continue;
      record.started = fired;
      record.binder = Binder::kToken;
      record.bound_to = waited;
      record.bound_by_accumulators = pick(0, 1) != 0;
    }
    record.completed = record.started + pick(0, 60);
    record.stalled = pick(0, 10);
    if (record.command.kind == CommandKind::kGemm) {
      record.drained =
          pick(0, 1) != 0
              ? record.started + pick(0, static_cast<int>(record.completed - record.started))
              : -1;
    }
    last_of_kind[kind] = i;
    history.records.push_back(record);
  }
  return history;
}

}  // namespace

TEST_CASE("the charges of a gap sum to the gap whatever happened before") {
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    ListedHistory history = random_history(random);
    history.forgotten = std::uniform_int_distribution<int>(0, 20)(random);
    const auto id = static_cast<CommandId>(std::uniform_int_distribution<int>(20, 39)(random));
    const Cycles end = history.records[static_cast<std::size_t>(id)].started;
    const Cycles begin = std::uniform_int_distribution<Cycles>(0, end)(random);
    const std::vector<Charge> charges = attribute_gap(history, id, begin, end);
    REQUIRE(total(charges) == end - begin);
    for (const Charge& charge : charges) {
      REQUIRE(charge.cycles > 0);
      REQUIRE(charge.op >= 0);
      REQUIRE(charge.op <= history.records[static_cast<std::size_t>(id)].command.op);
      REQUIRE(charge.cause != Cause::kCompute);
      REQUIRE(charge.cause != Cause::kTail);
    }
  }
}

TEST_CASE("the charges of the tail sum to the tail") {
  std::mt19937 random(2);
  for (int i = 0; i < 3000; ++i) {
    ListedHistory history = random_history(random);
    history.forgotten = std::uniform_int_distribution<int>(0, 20)(random);
    const auto last = std::max_element(
        history.records.begin(), history.records.end(),
        [](const CommandRecord& a, const CommandRecord& b) { return a.completed < b.completed; });
    const Cycles end = last->completed;
    const Cycles begin = std::uniform_int_distribution<Cycles>(0, end)(random);
    const std::vector<Charge> charges = attribute_tail(history, last->command.id, begin, end);
    REQUIRE(total(charges) == end - begin);
    for (const Charge& charge : charges) {
      REQUIRE(charge.cycles > 0);
      REQUIRE(charge.cause != Cause::kCompute);
      REQUIRE(charge.cause != Cause::kWaitStore);  // nobody waits for it any more
    }
  }
}

TEST_CASE("a gap of no cycles has no owner") {
  std::mt19937 random(3);
  const ListedHistory history = random_history(random);
  CHECK(attribute_gap(history, 30, 100, 100).empty());
  CHECK(attribute_tail(history, 30, 100, 100).empty());
}

TEST_CASE("a command that ran before the gap owns only what lies inside it") {
  ListedHistory history;
  CommandRecord& load = history.add(CommandKind::kLoad, 3, 10, 100);
  load.command.transfer.traffic = TrafficClass::kWeights;
  history.bind(history.add(CommandKind::kGemm, 4, 100, 200), 0);
  const std::vector<Charge> charges = attribute_gap(history, 1, 70, 100);
  REQUIRE(charges.size() == 1);
  CHECK(charges[0].op == 3);
  CHECK(charges[0].cause == Cause::kWaitWeights);
  CHECK(charges[0].cycles == 30);
}

TEST_CASE("the walk follows what each command waited for in turn") {
  // Softmax of operator 0 from 0 to 40, its store to 60, a load of operator 1 to 90, its Gemm.
  ListedHistory history;
  history.add(CommandKind::kVector, 0, 0, 40);
  history.bind(history.add(CommandKind::kStore, 0, 40, 60), 0);
  history.bind(history.add(CommandKind::kLoad, 1, 60, 90), 1);
  history.bind(history.add(CommandKind::kGemm, 1, 90, 120), 2);
  const std::vector<Charge> charges = attribute_gap(history, 3, 5, 90);
  CHECK(of(charges, 1, Cause::kWaitActivations) == 30);
  CHECK(of(charges, 0, Cause::kWaitStore) == 20);
  CHECK(of(charges, 0, Cause::kWaitVector) == 35);
  CHECK(total(charges) == 85);
}

TEST_CASE("bank conflicts of a transfer come off the end of its run") {
  ListedHistory history;
  history.add(CommandKind::kLoad, 0, 0, 50).stalled = 8;
  history.bind(history.add(CommandKind::kGemm, 0, 50, 60), 0);
  const std::vector<Charge> charges = attribute_gap(history, 1, 0, 50);
  CHECK(of(charges, 0, Cause::kWaitScratchpad) == 8);
  CHECK(of(charges, 0, Cause::kWaitActivations) == 42);
}

TEST_CASE("behind its drain a Gemm makes others wait for the vector unit") {
  ListedHistory history;
  CommandRecord& first = history.add(CommandKind::kGemm, 0, 0, 100);
  first.drained = 60;
  CommandRecord& second = history.bind(history.add(CommandKind::kGemm, 1, 100, 150), 0);
  CHECK(of(attribute_gap(history, 1, 40, 100), 0, Cause::kWaitVector) == 40);
  CHECK(of(attribute_gap(history, 1, 40, 100), 0, Cause::kFillDrain) == 20);
  second.bound_by_accumulators = true;
  CHECK(of(attribute_gap(history, 1, 40, 100), 0, Cause::kWaitAccumulator) == 40);
}

TEST_CASE("dispatch owns the time that the sequencer spent on the command and those before") {
  ListedHistory history;
  for (int i = 0; i < 4; ++i) {
    CommandRecord& record = history.add(CommandKind::kGemm, i, 0, 0);
    record.dispatch_begin = 10 * i;
    record.dispatched = record.started = 10 * (i + 1);
  }
  const std::vector<Charge> charges = attribute_gap(history, 3, 15, 40);
  CHECK(of(charges, 3, Cause::kWaitDispatch) == 10);
  CHECK(of(charges, 2, Cause::kWaitDispatch) == 10);
  CHECK(of(charges, 1, Cause::kWaitDispatch) == 5);
}

TEST_CASE("a command behind a full queue waits for what held up the queue") {
  // The store that left the queue last had waited for the vector unit until cycle 80.
  ListedHistory history;
  history.add(CommandKind::kVector, 0, 0, 80);
  history.bind(history.add(CommandKind::kStore, 0, 80, 100), 0);
  CommandRecord& gemm = history.add(CommandKind::kGemm, 1, 84, 120);
  gemm.dispatch_begin = 80;
  gemm.dispatched = 84;
  gemm.blocked_by = 1;
  const std::vector<Charge> charges = attribute_gap(history, 2, 20, 84);
  CHECK(of(charges, 1, Cause::kWaitDispatch) == 4);
  CHECK(of(charges, 0, Cause::kWaitVector) == 60);
}

TEST_CASE("what nobody explains belongs to the sequencer") {
  ListedHistory history;
  history.add(CommandKind::kLoad, 0, 0, 50);
  history.bind(history.add(CommandKind::kGemm, 2, 50, 60), 0);
  history.forgotten = 1;
  const std::vector<Charge> charges = attribute_gap(history, 1, 20, 50);
  CHECK(of(charges, 2, Cause::kWaitDispatch) == 30);
}
