// Seeded faults: at least 95 % of the real ones are found, and every other one is explained by an
// independent judge, byte by byte (tests/support/happens_before.h).
#include <catch2/catch.hpp>
#include <iostream>
#include <map>

#include "tests/sim/check/mutations.h"
#include "tests/support/happens_before.h"

using namespace tessera;
using namespace tessera::test;

namespace {

/// What became of one seeded change.
enum class Outcome { kByForm, kByFlow, kByValues, kRedundant, kHarmless, kEscaped };
constexpr int kOutcomes = 6;

using Row = std::array<int, kOutcomes>;
using Table = std::map<Mutation, Row>;

/// All pairs that share bytes are ordered; nothing outside, nothing unwritten.
bool sound(const Lowered& mutant) {
  const HappensBefore order(mutant.program);
  ConflictFinder finder(mutant.hardware);
  for (const hw::Command& command : mutant.program) finder.add(command);
  if (!finder.outside().empty() || !finder.unwritten().empty()) return false;
  for (const Conflict& conflict : finder.conflicts()) {
    if (!order.ordered(conflict.first, conflict.second)) return false;
  }
  return true;
}

/// The same commands, and the same pairs of them in order.
bool same_order(const Lowered& original, const Lowered& mutant) {
  const HappensBefore before(original.program), after(mutant.program);
  const auto size = static_cast<hw::CommandId>(original.program.size());
  for (hw::CommandId i = 0; i < size; ++i) {
    for (hw::CommandId j = i + 1; j < size; ++j) {
      if (before.ordered(i, j) != after.ordered(i, j)) return false;
    }
  }
  return true;
}

std::string escape_text(const Lowered& mutant) {
  sim::CheckOptions many;
  many.orders = 20;
  many.seed = 77;
  std::string text = "escaped: " + faults_text(check(mutant, many));
  const HappensBefore order(mutant.program);
  ConflictFinder finder(mutant.hardware);
  for (const hw::Command& command : mutant.program) finder.add(command);
  for (const Conflict& conflict : finder.conflicts()) {
    if (order.ordered(conflict.first, conflict.second)) continue;
    text += describe(mutant.program[static_cast<std::size_t>(conflict.first)]) + " and " +
            describe(mutant.program[static_cast<std::size_t>(conflict.second)]) + " in space " +
            std::to_string(conflict.space) + " at " + std::to_string(conflict.address) + "\n";
  }
  if (!finder.outside().empty()) text += "outside\n";
  if (!finder.unwritten().empty()) text += "unwritten\n";
  return text;
}

Outcome judge(const Lowered& original, const Lowered& mutant, Mutation mutation) {
  sim::CheckOptions flow_only;
  flow_only.values = false;
  const sim::CheckResult flow = check(mutant, flow_only);
  if (!flow.passed()) {
    const bool malformed = flow.faults.of(sim::FaultKind::kProgram) > 0;
    return malformed ? Outcome::kByForm : Outcome::kByFlow;
  }
  if (!check(mutant).passed()) return Outcome::kByValues;
  if (mutation == Mutation::kDropWait && same_order(original, mutant)) return Outcome::kRedundant;
  sim::CheckOptions many;
  many.orders = 20;
  many.seed = 77;
  return sound(mutant) && check(mutant, many).passed() ? Outcome::kHarmless : Outcome::kEscaped;
}

void print(const Table& table) {
  std::cout
      << "seeded change       seeded  by form  by flow  by values  redundant  harmless  escaped\n";
  for (const auto& [mutation, row] : table) {
    int seeded = 0;
    for (const int count : row) seeded += count;
    std::string line = to_string(mutation);
    line.resize(20, ' ');
    std::cout << line;
    const std::array<int, 7> cells{seeded, row[0], row[1], row[2], row[3], row[4], row[5]};
    const std::array<int, 7> widths{6, 9, 9, 11, 11, 10, 9};
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string cell = std::to_string(cells[i]);
      std::cout << std::string(static_cast<std::size_t>(widths[i]) - cell.size(), ' ') << cell;
    }
    std::cout << "\n";
  }
}

}  // namespace

TEST_CASE("at least 95 percent of seeded faults are found and the rest are explained") {
  constexpr int kPrograms = 40, kEach = 8;
  Dice dice(95);
  Table table;
  for (int i = 0; i < kPrograms; ++i) {
    Lowered original = random_program(dice, dice.of(precisions()));
    if (original.program.size() > 1500) continue;
    for (int kind = 0; kind < kMutations; ++kind) {
      const auto mutation = static_cast<Mutation>(kind);
      for (int made = 0, tries = 0; made < kEach && tries < 200; ++tries) {
        Lowered mutant = original;
        const std::string what = Mutator(mutant.program, dice).mutate(mutation);
        if (what.empty()) continue;
        ++made;
        const Outcome outcome = judge(original, mutant, mutation);
        ++table[mutation][static_cast<std::size_t>(outcome)];
        if (outcome == Outcome::kEscaped) std::cout << escape_text(mutant);
        INFO("program " << i << ", " << to_string(mutation) << ": " << what);
        CHECK(outcome != Outcome::kEscaped);
        // No false alarms: the other checker sees the lost order too.
        const bool lost = mutation == Mutation::kDropWait && outcome == Outcome::kByFlow;
        if (lost) CHECK_FALSE(sound(mutant));
      }
    }
  }
  print(table);
  for (const auto& [mutation, row] : table) {
    const int found = row[0] + row[1] + row[2];
    const int real = found + row[static_cast<std::size_t>(Outcome::kEscaped)];
    INFO(to_string(mutation) << ": " << found << " of " << real);
    CHECK(real > 50);
    CHECK(found * 100 >= real * 95);
  }
}
