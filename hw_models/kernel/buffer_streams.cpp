#include "hw_models/kernel/buffer_streams.h"

#include <utility>

namespace tessera::hw {

void BufferStreams::add(const Region& region, std::int64_t accesses, Cycles cycles,
                        OperatorCounters& op) {
  const auto buffer = static_cast<std::size_t>(region.buffer);
  add_rates(rates_[region.buffer], config_.buffers[buffer], region, accesses, cycles);
  op.buffer_accesses[buffer] += accesses;
  counters_.buffers[buffer].accesses += accesses;
}

void BufferStreams::open() {
  ++sequence_;
  paces_.clear();
  for (const auto& [buffer, rates] : rates_) {
    post(buffer, BufferMessage::Kind::kOpen, rates, kFullRate);
  }
}

void BufferStreams::close() {
  for (const auto& entry : rates_) post(entry.first, BufferMessage::Kind::kClose, {}, kFullRate);
  rates_.clear();
}

void BufferStreams::apply(const std::vector<StreamNotice>& notices, PacedWork& work, Cycles now) {
  bool changed = false;
  for (const StreamNotice& notice : notices) {
    if (!work.running() || notice.stream != sequence_ || now >= work.end()) continue;
    work.set_speed(notice.buffer, notice.speed, now);
    changed = true;
  }
  if (changed) tell_pace(work);
}

/// Only the array's pace is told: a buffer's offer to a unit never depends on that unit's own pace,
/// so with one unit telling, speeds settle at once.
void BufferStreams::tell_pace(const PacedWork& work) {
  if (unit_ != kArrayUnit) return;
  for (const auto& entry : rates_) {
    const Rate pace = work.speed_beside(entry.first);
    const auto [told, is_new] = paces_.try_emplace(entry.first, kFullRate);
    if (told->second == pace) continue;
    told->second = pace;
    post(entry.first, BufferMessage::Kind::kPace, {}, pace);
  }
}

void BufferStreams::post(int buffer, BufferMessage::Kind kind, std::vector<BankRate> rates,
                         Rate pace) {
  BufferMessage message;
  message.kind = kind;
  message.unit = unit_;
  message.sequence = sequence_;
  message.rates = std::move(rates);
  message.pace = pace;
  buffers_[static_cast<std::size_t>(buffer)]->messages.post(std::move(message));
}

}  // namespace tessera::hw
