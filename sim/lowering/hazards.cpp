#include "sim/lowering/hazards.h"

#include <algorithm>

namespace tessera::sim {

using hw::CommandId;
using hw::Hazard;
using hw::kNoCommand;
using hw::Wait;

int queue_number(const hw::Command& command, const hw::HardwareConfig& hardware) {
  const int loads = hardware.dma.load_queues;
  const int stores = hardware.dma.store_queues;
  switch (command.kind) {
    case hw::CommandKind::kLoad:
      return command.queue;
    case hw::CommandKind::kStore:
      return loads + command.queue;
    case hw::CommandKind::kGemm:
      return loads + stores;
    case hw::CommandKind::kVector:
      break;
  }
  return loads + stores + 1;
}

void WaitList::add(int queue, Wait wait) {
  if (wait.command == kNoCommand) return;
  Wait& present = waits_[static_cast<std::size_t>(queue)];
  if (wait.command > present.command) present = wait;
}

void WaitList::add_all(const LatestByQueue& latest, Hazard hazard, bool accumulators) {
  for (int queue = 0; queue < LatestByQueue::kQueues; ++queue) {
    add(queue, {latest.at(queue), hazard, accumulators});
  }
}

std::vector<Wait> WaitList::take() const {
  std::vector<Wait> all;
  for (const Wait& wait : waits_) {
    if (wait.command != kNoCommand) all.push_back(wait);
  }
  return all;
}

void RegionTracker::split(Bytes at) {
  auto after = segments_.upper_bound(at);
  if (after == segments_.begin()) return;
  auto holder = std::prev(after);
  if (holder->first == at || holder->second.end <= at) return;
  Segment tail = holder->second;
  holder->second.end = at;
  segments_.emplace(at, tail);
}

void RegionTracker::read(const hw::Region& region, int queue, CommandId id, bool accumulators,
                         WaitList& waits) {
  const Bytes end = region.offset + region.bytes;
  split(region.offset);
  split(end);
  for (auto it = segments_.lower_bound(region.offset); it != segments_.end() && it->first < end;
       ++it) {
    Segment& segment = it->second;
    if (segment.writer != id) {
      waits.add(std::max(segment.writer_queue, 0),
                {segment.writer, Hazard::kReadAfterWrite, accumulators});
    }
    segment.readers.note(queue, id);
  }
}

void RegionTracker::write(const hw::Region& region, int queue, CommandId id, bool accumulators,
                          int in_order_after, WaitList& waits) {
  const Bytes end = region.offset + region.bytes;
  split(region.offset);
  split(end);
  const auto first = segments_.lower_bound(region.offset);
  auto it = first;
  for (; it != segments_.end() && it->first < end; ++it) {
    const Segment& segment = it->second;
    if (segment.writer_queue >= 0 && segment.writer_queue != in_order_after) {
      waits.add(segment.writer_queue, {segment.writer, Hazard::kWriteAfterWrite, accumulators});
    }
    for (int reader = 0; reader < LatestByQueue::kQueues; ++reader) {
      if (segment.readers.at(reader) == id) continue;
      waits.add(reader, {segment.readers.at(reader), Hazard::kWriteAfterRead, accumulators});
    }
  }
  segments_.erase(first, it);
  segments_.emplace(region.offset, Segment{end, queue, id, {}});
}

void RegionTracker::accumulate(const hw::Region& region, int array, WaitList& waits) {
  const Bytes end = region.offset + region.bytes;
  split(region.offset);
  split(end);
  for (auto it = segments_.lower_bound(region.offset); it != segments_.end() && it->first < end;
       ++it) {
    const Segment& segment = it->second;
    if (segment.writer_queue < 0 || segment.writer_queue == array) continue;
    waits.add(segment.writer_queue, {segment.writer, Hazard::kReadAfterWrite, true});
  }
}

LatestByQueue RegionTracker::claim(const hw::Region& region) {
  const Bytes end = region.offset + region.bytes;
  split(region.offset);
  split(end);
  LatestByQueue users;
  const auto first = segments_.lower_bound(region.offset);
  auto it = first;
  for (; it != segments_.end() && it->first < end; ++it) {
    users.merge(it->second.readers);
    if (it->second.writer_queue >= 0) users.note(it->second.writer_queue, it->second.writer);
  }
  segments_.erase(first, it);
  segments_.emplace(region.offset, Segment{end, -1, kNoCommand, users});
  return users;
}

void RegionTracker::occupy(const hw::Region& region, int queue, CommandId id) {
  const auto after = segments_.upper_bound(region.offset);
  std::prev(after)->second.readers.note(queue, id);
}

namespace {

constexpr std::int64_t kBands = 64;

}  // namespace

TensorTracker::TensorTracker(std::int64_t rows)
    : band_rows_(hw::ceil_div(std::max<std::int64_t>(rows, 1), kBands)) {}

std::vector<TensorTracker::Stored>& TensorTracker::band(std::int64_t index) {
  if (static_cast<std::size_t>(index) >= bands_.size()) {
    bands_.resize(static_cast<std::size_t>(index) + 1);
  }
  return bands_[static_cast<std::size_t>(index)];
}

void TensorTracker::renew(const LatestByQueue& earlier) {
  earlier_ = earlier;
  bands_.clear();
}

void TensorTracker::wait_for_stores(const TensorBox& box, Hazard hazard, WaitList& waits) {
  for (std::int64_t i = box.row_begin / band_rows_; i <= (box.row_end - 1) / band_rows_; ++i) {
    for (const Stored& stored : band(i)) {
      if (overlap(stored.box, box)) waits.add(stored.queue, {stored.id, hazard, false});
    }
  }
}

void TensorTracker::load(const TensorBox& box, int queue, CommandId id, WaitList& waits) {
  wait_for_stores(box, Hazard::kReadAfterWrite, waits);
  accesses_.note(queue, id);
  loads_.note(queue, id);
}

void TensorTracker::store(const TensorBox& box, int queue, CommandId id, WaitList& waits) {
  waits.add_all(earlier_, Hazard::kWriteAfterRead, false);
  wait_for_stores(box, Hazard::kWriteAfterWrite, waits);
  for (std::int64_t i = box.row_begin / band_rows_; i <= (box.row_end - 1) / band_rows_; ++i) {
    std::vector<Stored>& stores = band(i);
    const auto same = std::find_if(stores.begin(), stores.end(),
                                   [&](const Stored& stored) { return stored.box == box; });
    if (same == stores.end()) {
      stores.push_back({box, queue, id});
    } else {
      *same = {box, queue, id};
    }
  }
  accesses_.note(queue, id);
}

}  // namespace tessera::sim
