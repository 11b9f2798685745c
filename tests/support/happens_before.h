// Decides on a whole program whether its waits order every conflict, independent of timing and of
// the lowering that wrote them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "hw_models/hardware_config.h"
#include "hw_models/tile_program.h"

namespace tessera::test {

/// Which commands are complete before a command starts. A queue issues and retires in order: a wait
/// means that command and all earlier ones of its queue, and what those had waited for; a command
/// starts after the one ahead of it in its queue has started.
class HappensBefore {
 public:
  using QueueKey = std::pair<int, int>;  // kind, number

  explicit HappensBefore(const std::vector<hw::Command>& commands) : commands_(commands) {
    for (const hw::Command& command : commands) {
      const QueueKey key{static_cast<int>(command.kind), command.queue};
      queue_of_.push_back(numbers_.emplace(key, static_cast<int>(numbers_.size())).first->second);
    }
    compute(-1, 0);
  }

  /// Recomputes everything without wait `index` of `command` (-1: with all).
  void compute(hw::CommandId without, std::size_t index) {
    const std::size_t width = numbers_.size();
    done_.assign(commands_.size() * width, hw::kNoCommand);
    std::vector<hw::CommandId> ahead(width, hw::kNoCommand);
    for (std::size_t id = 0; id < commands_.size(); ++id) {
      hw::CommandId* mine = &done_[id * width];
      hw::CommandId& before = ahead[static_cast<std::size_t>(queue_of_[id])];
      if (before >= 0) merge(mine, before);
      const auto& waits = commands_[id].waits;
      for (std::size_t i = 0; i < waits.size(); ++i) {
        if (static_cast<hw::CommandId>(id) == without && i == index) continue;
        const hw::CommandId waited = waits[i].command;
        merge(mine, waited);
        hw::CommandId& latest = mine[queue_of_[static_cast<std::size_t>(waited)]];
        latest = std::max(latest, waited);
      }
      before = static_cast<hw::CommandId>(id);
    }
  }

  /// `first` is complete before `second` starts.
  bool ordered(hw::CommandId first, hw::CommandId second) const {
    const auto queue = static_cast<std::size_t>(queue_of_[static_cast<std::size_t>(first)]);
    return done_[static_cast<std::size_t>(second) * numbers_.size() + queue] >= first;
  }

 private:
  void merge(hw::CommandId* mine, hw::CommandId other) const {
    const hw::CommandId* theirs = &done_[static_cast<std::size_t>(other) * numbers_.size()];
    for (std::size_t i = 0; i < numbers_.size(); ++i) mine[i] = std::max(mine[i], theirs[i]);
  }

  const std::vector<hw::Command>& commands_;
  std::map<QueueKey, int> numbers_;
  std::vector<int> queue_of_;
  std::vector<hw::CommandId> done_;  // by command and queue: the latest that is complete
};

/// Two commands that touch the same byte, at least one of them writing, with no write in between.
struct Conflict {
  hw::CommandId first = hw::kNoCommand;
  hw::CommandId second = hw::kNoCommand;
  int space = -1;  // buffer, or kDram
  std::int64_t address = 0;
};
constexpr int kDram = -1;

/// Byte by byte: who wrote each byte of each buffer and of DRAM last, and who has read it since.
class ConflictFinder {
 public:
  explicit ConflictFinder(const hw::HardwareConfig& hardware) {
    for (const hw::BufferConfig& buffer : hardware.buffers) {
      buffers_.emplace_back(static_cast<std::size_t>(buffer.capacity));
    }
  }

  void add(const hw::Command& command) {
    switch (command.kind) {
      case hw::CommandKind::kLoad:
        touch_dram(command, false);
        touch(command.id, command.transfer.region, true);
        break;
      case hw::CommandKind::kStore:
        touch(command.id, command.transfer.region, false);
        touch_dram(command, true);
        break;
      case hw::CommandKind::kGemm:
        add_gemm(command);
        break;
      case hw::CommandKind::kVector:
        for (const hw::TileOperand& input : command.vector.inputs) {
          touch(command.id, input.region, false);
        }
        for (const hw::TileOperand& output : command.vector.outputs) {
          touch(command.id, output.region, true);
        }
        break;
    }
  }

  const std::vector<Conflict>& conflicts() const { return conflicts_; }
  /// Bytes that were read before anybody wrote them, in a buffer.
  const std::vector<Conflict>& unwritten() const { return unwritten_; }
  /// Regions that leave their buffer.
  const std::vector<Conflict>& outside() const { return outside_; }
  /// Bytes of DRAM read before anybody wrote them.
  const std::vector<std::int64_t>& dram_inputs() const { return dram_inputs_; }

 private:
  struct Byte {
    hw::CommandId writer = hw::kNoCommand;
    bool array_result = false;  // left by a Gemm without epilogue: the array goes on in order
    std::vector<hw::CommandId> readers;
  };

  void add_gemm(const hw::Command& command) {
    const hw::GemmCommand& gemm = command.gemm;
    touch(command.id, gemm.a.region, false);
    touch(command.id, gemm.b.region, false);
    array_result_ = true;
    if (gemm.accumulate) touch(command.id, gemm.c.region, false);
    array_result_ = !gemm.epilogue.has_value();
    after_array_ = true;
    touch(command.id, gemm.c.region, true);
    array_result_ = after_array_ = false;
    if (gemm.epilogue) touch(command.id, gemm.epilogue->output.region, true);
  }

  void touch(hw::CommandId id, const hw::Region& region, bool write) {
    std::vector<Byte>& bytes = buffers_[static_cast<std::size_t>(region.buffer)];
    if (region.offset < 0 || region.offset + region.bytes > static_cast<hw::Bytes>(bytes.size())) {
      outside_.push_back({id, id, region.buffer, region.offset});
      return;
    }
    for (hw::Bytes at = region.offset; at < region.offset + region.bytes; ++at) {
      Byte& byte = bytes[static_cast<std::size_t>(at)];
      if (!write && byte.writer == hw::kNoCommand) {
        unwritten_.push_back({byte.writer, id, region.buffer, at});
      }
      touch(byte, id, region.buffer, at, write);
    }
  }

  void touch_dram(const hw::Command& command, bool write) {
    const hw::StridedRange& range = command.transfer.dram;
    for (std::int64_t j = 0; j < range.count[1]; ++j) {
      for (std::int64_t i = 0; i < range.count[0]; ++i) {
        const std::int64_t row = range.address + j * range.stride[1] + i * range.stride[0];
        for (std::int64_t at = row; at < row + range.row_bytes; ++at) {
          Byte& byte = dram_[at];
          if (!write && byte.writer == hw::kNoCommand) dram_inputs_.push_back(at);
          touch(byte, command.id, kDram, at, write);
        }
      }
    }
  }

  void touch(Byte& byte, hw::CommandId id, int space, std::int64_t at, bool write) {
    const bool in_order = byte.array_result && (array_result_ || after_array_);
    if (byte.writer >= 0 && byte.writer != id && !in_order) note(byte.writer, id, space, at);
    if (!write) {
      // The array's own reading of what it adds to is part of its in-order work.
      if (!array_result_ && (byte.readers.empty() || byte.readers.back() != id)) {
        byte.readers.push_back(id);
      }
      return;
    }
    for (const hw::CommandId reader : byte.readers) {
      if (reader != id) note(reader, id, space, at);
    }
    byte.readers.clear();
    byte.writer = id;
    byte.array_result = array_result_;
  }

  void note(hw::CommandId first, hw::CommandId second, int space, std::int64_t at) {
    std::vector<hw::CommandId>& known = noted_[second];
    if (std::find(known.begin(), known.end(), first) != known.end()) return;
    known.push_back(first);
    conflicts_.push_back({first, second, space, at});
  }

  std::vector<std::vector<Byte>> buffers_;
  std::map<std::int64_t, Byte> dram_;
  bool array_result_ = false;
  bool after_array_ = false;
  std::map<hw::CommandId, std::vector<hw::CommandId>> noted_;
  std::vector<Conflict> conflicts_, unwritten_, outside_;
  std::vector<std::int64_t> dram_inputs_;
};

inline std::string describe(const hw::Command& command) {
  return std::string(hw::to_string(command.kind)) + " " + std::to_string(command.id) +
         " of operator " + std::to_string(command.op);
}

}  // namespace tessera::test
