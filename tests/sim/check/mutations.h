// Faults seeded into programs: what a bug in a lowering, or in a plan, would do.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/check/check_fixtures.h"

namespace tessera::test {

enum class Mutation { kDropWait, kShrinkRegion, kSwapCommands, kAliasRegions };
constexpr int kMutations = 4;

inline const char* to_string(Mutation mutation) {
  static const std::array<const char*, kMutations> names{"drop a wait", "shrink a region",
                                                         "swap two commands", "alias two regions"};
  return names[static_cast<std::size_t>(mutation)];
}

inline std::vector<hw::Region*> regions_of(hw::Command& command) {
  std::vector<hw::Region*> regions;
  switch (command.kind) {
    case hw::CommandKind::kLoad:
    case hw::CommandKind::kStore:
      return {&command.transfer.region};
    case hw::CommandKind::kGemm:
      regions = {&command.gemm.a.region, &command.gemm.b.region, &command.gemm.c.region};
      if (command.gemm.epilogue) regions.push_back(&command.gemm.epilogue->output.region);
      return regions;
    case hw::CommandKind::kVector:
      break;
  }
  for (hw::TileOperand& input : command.vector.inputs) {
    if (input.cols > 0) regions.push_back(&input.region);
  }
  for (hw::TileOperand& output : command.vector.outputs) regions.push_back(&output.region);
  return regions;
}

/// Changes a program at random. Every function returns what it did, or nothing when the place that
/// the dice chose does not allow it.
class Mutator {
 public:
  Mutator(std::vector<hw::Command>& program, Dice& dice) : program_(program), dice_(dice) {}

  std::string mutate(Mutation mutation) {
    switch (mutation) {
      case Mutation::kDropWait:
        return drop_wait();
      case Mutation::kShrinkRegion:
        return dice_.coin() ? shrink_bare() : shrink_command();
      case Mutation::kSwapCommands:
        return swap_commands();
      case Mutation::kAliasRegions:
        break;
    }
    return dice_.coin() ? alias_one() : alias_slot();
  }

 private:
  hw::Command& any() {
    return program_[static_cast<std::size_t>(
        dice_.pick(0, static_cast<std::int64_t>(program_.size()) - 1))];
  }
  static std::string at(const hw::Command& command) { return std::to_string(command.id); }

  std::string drop_wait() {
    hw::Command& command = any();
    if (command.waits.empty()) return "";
    const auto index = dice_.pick(0, static_cast<std::int64_t>(command.waits.size()) - 1);
    const hw::CommandId dropped = command.waits[static_cast<std::size_t>(index)].command;
    command.waits.erase(command.waits.begin() + index);
    return at(command) + " no longer waits for " + std::to_string(dropped);
  }

  /// A region alone.
  std::string shrink_bare() {
    hw::Command& command = any();
    hw::Region& region = *dice_.of(regions_of(command));
    if (region.bytes < 2) return "";
    region.bytes -= dice_.pick(1, region.bytes - 1);
    return at(command) + " has a region of " + std::to_string(region.bytes) + " bytes";
  }

  /// A command that does consistently less.
  std::string shrink_command() {
    hw::Command& command = any();
    switch (command.kind) {
      case hw::CommandKind::kLoad:
      case hw::CommandKind::kStore:
        return shrink_transfer(command);
      case hw::CommandKind::kGemm:
        return shrink_gemm(command);
      case hw::CommandKind::kVector:
        break;
    }
    if (command.vector.rows < 2) return "";
    --command.vector.rows;
    for (auto* operands : {&command.vector.inputs, &command.vector.outputs}) {
      for (hw::TileOperand& operand : *operands) {
        if (operand.rows > 1) --operand.rows;
      }
    }
    return at(command) + " does one row less";
  }
  static std::string shrink_transfer(hw::Command& command) {
    hw::StridedRange& dram = command.transfer.dram;
    const hw::Bytes before = hw::useful_bytes(dram);
    if (dram.count[1] > 1) {
      --dram.count[1];
    } else if (dram.count[0] > 1) {
      --dram.count[0];
    } else if (dram.row_bytes > 1) {
      --dram.row_bytes;
    } else {
      return "";
    }
    command.transfer.region.bytes -= before - hw::useful_bytes(dram);
    return at(command) + " moves less";
  }
  std::string shrink_gemm(hw::Command& command) {
    hw::GemmCommand& gemm = command.gemm;
    const auto less = [](hw::TileOperand& operand, bool rows) {
      --(rows != operand.transposed ? operand.rows : operand.cols);
    };
    if (dice_.coin()) {
      if (gemm.k < 2) return "";
      --gemm.k;
      less(gemm.a, false);
      less(gemm.b, true);
      return at(command) + " forms one product less";
    }
    if (gemm.m < 2) return "";
    --gemm.m;
    less(gemm.a, true);
    less(gemm.c, true);
    if (gemm.epilogue) less(gemm.epilogue->output, true);
    return at(command) + " computes one row less";
  }

  /// Neither waits for the other, nor anything for one that would then stand behind it.
  bool may_swap(std::int64_t i, std::int64_t j) const {
    for (std::int64_t at = i + 1; at <= j; ++at) {
      for (const hw::Wait& wait : program_[static_cast<std::size_t>(at)].waits) {
        if (wait.command == i || (at == j && wait.command > i)) return false;
      }
    }
    return true;
  }

  /// Two near commands change places; ids follow the places, waits follow the commands.
  std::string swap_commands() {
    const auto size = static_cast<std::int64_t>(program_.size());
    const std::int64_t i = dice_.pick(0, size - 2);
    const std::int64_t j = std::min(size - 1, i + dice_.pick(1, 12));
    // Mostly such that waits still name earlier commands: the others are found at a glance.
    if (dice_.pick(0, 3) > 0 && !may_swap(i, j)) return "";
    std::swap(program_[static_cast<std::size_t>(i)], program_[static_cast<std::size_t>(j)]);
    for (std::size_t at = 0; at < program_.size(); ++at) {
      program_[at].id = static_cast<hw::CommandId>(at);
      for (hw::Wait& wait : program_[at].waits) {
        wait.command = wait.command == i ? j : wait.command == j ? i : wait.command;
      }
    }
    return std::to_string(i) + " and " + std::to_string(j) + " change places";
  }

  /// One operand of one command lies where another region of its buffer lies.
  std::string alias_one() {
    hw::Command& command = any();
    hw::Region& region = *dice_.of(regions_of(command));
    hw::Command& other = any();
    const hw::Region& onto = *dice_.of(regions_of(other));
    if (onto.buffer != region.buffer || onto.offset == region.offset) return "";
    region.offset = onto.offset;
    return at(command) + " uses a region of " + at(other);
  }

  /// A slot of an operator lies upon another one: all its users follow.
  std::string alias_slot() {
    hw::Command& command = any();
    const hw::Region from = *dice_.of(regions_of(command));
    hw::Command& other = any();
    const hw::Region onto = *dice_.of(regions_of(other));
    const bool apart =
        onto.offset + onto.bytes <= from.offset || from.offset + from.bytes <= onto.offset;
    if (onto.buffer != from.buffer || !apart || other.op != command.op) return "";
    for (hw::Command& user : program_) {
      if (user.op != command.op) continue;
      for (hw::Region* region : regions_of(user)) {
        if (region->buffer == from.buffer && region->offset == from.offset) {
          region->offset = onto.offset;
        }
      }
    }
    return "operator " + std::to_string(command.op) + " uses offset " +
           std::to_string(onto.offset) + " for " + std::to_string(from.offset);
  }

  std::vector<hw::Command>& program_;
  Dice& dice_;
};

}  // namespace tessera::test
