#include "hw_models/sram_buffer.h"

#include <algorithm>

#include "hw_models/kernel/process.h"

namespace tessera::hw {

SramBuffer::SramBuffer(sc_core::sc_module_name name, int index, const BufferConfig& config,
                       BufferCounters& counters)
    : sc_module(name), messages("messages"), index_(index), config_(config), counters_(counters) {
  spawn_step([this] { step(); }, {&messages.arrived()});
}

void SramBuffer::step() {
  bool streams_changed = false;
  const std::vector<BufferMessage>& arrived = messages.take();
  for (const BufferMessage& message : arrived) {
    if (message.kind == BufferMessage::Kind::kDma) continue;
    Stream& stream = streams_[message.unit];
    streams_changed = true;
    if (message.kind == BufferMessage::Kind::kOpen) {
      stream = {message.sequence, message.rates, kFullRate, true};
    } else if (stream.sequence == message.sequence) {
      stream.open = false;
    }
  }
  if (streams_changed) share_banks();
  for (const BufferMessage& message : arrived) {
    if (message.kind == BufferMessage::Kind::kDma) absorb(message);
  }
}

void SramBuffer::share_banks() {
  Rate speeds[kStreamingUnits] = {kFullRate, kFullRate};
  for (int bank = 0; bank < config_.banks; ++bank) {
    std::vector<Rate> rates(kStreamingUnits, 0);
    for (int unit = 0; unit < kStreamingUnits; ++unit) {
      if (!streams_[unit].open) continue;
      for (const BankRate& rate : streams_[unit].rates) {
        if (rate.bank == bank) rates[static_cast<std::size_t>(unit)] += rate.rate;
      }
    }
    const int first = config_.policy == BankPolicy::kArrayFirst ? kArrayUnit : -1;
    const std::vector<Rate> shared = share_bank(rates, kFullRate * config_.ports, first);
    for (int unit = 0; unit < kStreamingUnits; ++unit) {
      if (rates[static_cast<std::size_t>(unit)] == 0) continue;
      speeds[unit] = std::min(speeds[unit], shared[static_cast<std::size_t>(unit)]);
    }
  }
  for (int unit = 0; unit < kStreamingUnits; ++unit) {
    Stream& stream = streams_[unit];
    if (!stream.open || stream.speed == speeds[unit]) continue;
    stream.speed = speeds[unit];
    notify(unit, stream.speed, 0);
  }
}

Rate SramBuffer::rate_on(const Stream& stream, int bank) {
  if (!stream.open) return 0;
  Rate total = 0;
  for (const BankRate& rate : stream.rates) {
    if (rate.bank == bank) total += rate.rate * stream.speed / kFullRate;
  }
  return total;
}

DmaConflict SramBuffer::conflict_at(const BankShare& piece, Cycles cycles) const {
  const std::int64_t accesses = ceil_div(piece.bytes, config_.width);
  Rate streams = 0;
  for (const Stream& stream : streams_) streams += rate_on(stream, piece.bank);
  if (streams == 0 && accesses <= cycles * config_.ports) return {};
  return dma_conflict(accesses, cycles, streams, config_.ports, config_.policy);
}

void SramBuffer::absorb(const BufferMessage& dma) {
  // Blocked banks are filled one after the other, interleaved ones side by side.
  const bool in_turn = config_.bank_mapping == BankMapping::kBlocked;
  bank_shares(config_, dma.region, pieces_);
  Cycles delay = 0;
  Cycles stall[kStreamingUnits] = {};
  for (const BankShare& piece : pieces_) {
    counters_.accesses += ceil_div(piece.bytes, config_.width);
    const Cycles cycles = in_turn ? dma.cycles * piece.bytes / dma.region.bytes : dma.cycles;
    const DmaConflict conflict = conflict_at(piece, std::max<Cycles>(1, cycles));
    delay = in_turn ? delay + conflict.dma_delay : std::max(delay, conflict.dma_delay);
    if (conflict.stream_stall == 0) continue;
    for (int unit = 0; unit < kStreamingUnits; ++unit) {
      if (rate_on(streams_[unit], piece.bank) == 0) continue;
      stall[unit] = in_turn ? stall[unit] + conflict.stream_stall
                            : std::max(stall[unit], conflict.stream_stall);
    }
  }
  for (int unit = 0; unit < kStreamingUnits; ++unit) {
    counters_.conflict_cycles += stall[unit];
    if (stall[unit] > 0) notify(unit, kFullRate, stall[unit]);
  }
  grants_->post({dma.unit, dma.sequence, delay});
}

void SramBuffer::notify(int unit, Rate speed, Cycles stall) {
  notices_[unit]->post({index_, notice_sequence_++, streams_[unit].sequence, speed, stall});
}

}  // namespace tessera::hw
