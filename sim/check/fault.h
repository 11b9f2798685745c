// What a check found wrong.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "hw_models/tile_program.h"

namespace tessera::sim {

enum class FaultKind {
  kProgram,     // commands out of order, sizes that contradict each other, waits for nobody
  kOutside,     // bytes outside a buffer, a tensor or the scratch
  kUnwritten,   // bytes read that nobody has written
  kStale,       // bytes of DRAM read that hold something else than the operator's operand
  kUnordered,   // two commands touch the same bytes and no order keeps them apart
  kStationary,  // a kept stationary block is not the one in the array
  kMacs,        // a product formed twice, never, or of the wrong operands
  kOutputs,     // a result stored twice, never, or in the wrong place
  kValues       // an output differs from the reference
};
constexpr int kFaultKinds = 9;
const char* to_string(FaultKind kind);

struct Fault {
  FaultKind kind = FaultKind::kProgram;
  hw::CommandId command = hw::kNoCommand;  // where it shows
  hw::CommandId other = hw::kNoCommand;    // the second one of a pair
  std::string text;                        // one line, complete
};

/// Counts all faults, keeps the first of them. What repeats the last one's kind and commands (row
/// after row) counts once.
class FaultLog {
 public:
  explicit FaultLog(std::size_t shown) : shown_(shown) {}
  /// Texts are costly: ask before composing one.
  bool shows() const { return first_.size() < shown_; }
  void add(Fault fault) {
    const auto key = std::make_tuple(fault.kind, fault.command, fault.other);
    if (fault.command >= 0 && key == last_) return;
    last_ = key;
    ++counts_[static_cast<std::size_t>(fault.kind)];
    if (shows()) first_.push_back(std::move(fault));
  }
  const std::vector<Fault>& first() const { return first_; }
  std::int64_t of(FaultKind kind) const { return counts_[static_cast<std::size_t>(kind)]; }
  std::int64_t total() const {
    std::int64_t sum = 0;
    for (const std::int64_t count : counts_) sum += count;
    return sum;
  }

 private:
  std::size_t shown_;
  std::vector<Fault> first_;
  std::array<std::int64_t, kFaultKinds> counts_{};
  std::tuple<FaultKind, hw::CommandId, hw::CommandId> last_{FaultKind::kProgram, hw::kNoCommand,
                                                            hw::kNoCommand};
};

}  // namespace tessera::sim
