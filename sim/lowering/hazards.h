// Every hazard of the program, found while it is written. Pure.
#pragma once

#include <array>
#include <map>
#include <vector>

#include "hw_models/tile_program.h"
#include "sim/lowering/addresses.h"

namespace tessera::sim {

/// The latest command of each in-order queue: commands of a queue retire in order, so waiting for
/// the latest is waiting for all.
class LatestByQueue {
 public:
  static constexpr int kQueues = 2 * hw::kMaxDmaQueues + 2;  // loads, stores, array, vector unit
  void note(int queue, hw::CommandId id) {
    auto& latest = latest_[static_cast<std::size_t>(queue)];
    if (id > latest) latest = id;
  }
  void merge(const LatestByQueue& other) {
    for (int queue = 0; queue < kQueues; ++queue) note(queue, other.at(queue));
  }
  hw::CommandId at(int queue) const { return latest_[static_cast<std::size_t>(queue)]; }
  void clear() { latest_.fill(hw::kNoCommand); }

 private:
  std::array<hw::CommandId, kQueues> latest_ = filled();
  static constexpr std::array<hw::CommandId, kQueues> filled() {
    std::array<hw::CommandId, kQueues> all{};
    for (auto& id : all) id = hw::kNoCommand;
    return all;
  }
};

/// Number of a command's queue among all in-order queues of the core.
int queue_number(const hw::Command& command, const hw::HardwareConfig& hardware);

/// Collects the waits of one command, the latest per queue.
class WaitList {
 public:
  void add(int queue, hw::Wait wait);
  void add_all(const LatestByQueue& latest, hw::Hazard hazard, bool accumulators);
  std::vector<hw::Wait> take() const;

 private:
  std::array<hw::Wait, LatestByQueue::kQueues> waits_{};
};

/// Who touched which bytes of one buffer last. REQUIRES: a command reads before it writes, and
/// never overwrites what it reads itself, but for results it accumulates upon.
class RegionTracker {
 public:
  /// Adds the waits of a read of `region`, then records it.
  void read(const hw::Region& region, int queue, hw::CommandId id, bool accumulators,
            WaitList& waits);
  /// The same for a write. Writes of the array over its own results need no token: they leave it in
  /// order; `in_order_after` names its queue (-1: every earlier write is waited for).
  void write(const hw::Region& region, int queue, hw::CommandId id, bool accumulators,
             int in_order_after, WaitList& waits);
  /// The array (queue `array`) adds to what lies in `region`: waits for others' writes only, and
  /// leaves no trace as a reader.
  void accumulate(const hw::Region& region, int array, WaitList& waits);
  /// A tensor moves in that is kept there: whoever used these bytes before.
  LatestByQueue claim(const hw::Region& region);
  /// A command used the kept tensor in `region`: later tenants of these bytes wait for it.
  /// REQUIRES: the region is claimed.
  void occupy(const hw::Region& region, int queue, hw::CommandId id);

 private:
  struct Segment {
    Bytes end = 0;
    int writer_queue = -1;
    hw::CommandId writer = hw::kNoCommand;
    LatestByQueue readers;
  };
  void split(Bytes at);

  std::map<Bytes, Segment> segments_;  // by first byte, disjoint
};

/// Who stored and loaded which part of a tensor in DRAM.
class TensorTracker {
 public:
  /// `rows` of the tensor, or about as many: sets how finely stores are sorted.
  explicit TensorTracker(std::int64_t rows);
  /// A new generation is about to be written: `earlier` accessed the same addresses before.
  void renew(const LatestByQueue& earlier);
  /// Parts of this generation are about to be written again: their loads so far come first.
  void rewrite() { earlier_.merge(loads_); }
  void load(const TensorBox& box, int queue, hw::CommandId id, WaitList& waits);
  void store(const TensorBox& box, int queue, hw::CommandId id, WaitList& waits);
  /// Every access so far, for whoever gets these addresses next.
  const LatestByQueue& accesses() const { return accesses_; }

 private:
  struct Stored {
    TensorBox box;
    int queue = 0;
    hw::CommandId id = hw::kNoCommand;
  };
  void wait_for_stores(const TensorBox& box, hw::Hazard hazard, WaitList& waits);
  std::vector<Stored>& band(std::int64_t index);

  std::int64_t band_rows_;
  std::vector<std::vector<Stored>> bands_;  // stores by band of rows; one may stand in several
  LatestByQueue earlier_, accesses_, loads_;
};

}  // namespace tessera::sim
