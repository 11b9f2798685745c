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
  for (const auto& [buffer, rates] : rates_) post(buffer, BufferMessage::Kind::kOpen, rates);
}

void BufferStreams::close() {
  for (const auto& entry : rates_) post(entry.first, BufferMessage::Kind::kClose, {});
  rates_.clear();
}

void BufferStreams::apply(const std::vector<StreamNotice>& notices, PacedWork& work,
                          Cycles now) const {
  for (const StreamNotice& notice : notices) {
    if (!work.running() || notice.stream != sequence_ || now >= work.end()) continue;
    if (notice.stall > 0) {
      work.stall(notice.stall, now);
    } else {
      work.set_speed(notice.buffer, notice.speed, now);
    }
  }
}

void BufferStreams::post(int buffer, BufferMessage::Kind kind, std::vector<BankRate> rates) {
  BufferMessage message;
  message.kind = kind;
  message.unit = unit_;
  message.sequence = sequence_;
  message.rates = std::move(rates);
  buffers_[static_cast<std::size_t>(buffer)]->messages.post(std::move(message));
}

}  // namespace tessera::hw
