#include "hw_models/sram_buffer.h"

#include <algorithm>

namespace tessera::hw {

SramBuffer::SramBuffer(sc_core::sc_module_name name, int index, const BufferConfig& config,
                       BufferCounters& counters)
    : sc_module(name), messages("messages"), index_(index), config_(config), counters_(counters) {
  sc_core::sc_spawn_options options;
  options.spawn_method();
  options.set_sensitivity(&messages.arrived());
  sc_core::sc_spawn([this] { step(); }, "step", &options);
}

void SramBuffer::step() {
  bool streams_changed = false;
  const std::vector<BufferMessage> arrived = messages.take();
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

Rate SramBuffer::stream_rate(int bank) const {
  Rate total = 0;
  for (const Stream& stream : streams_) {
    if (!stream.open) continue;
    for (const BankRate& rate : stream.rates) {
      if (rate.bank == bank) total += rate.rate * stream.speed / kFullRate;
    }
  }
  return total;
}

void SramBuffer::absorb(const BufferMessage& dma) {
  Cycles delay = 0;
  Cycles stall[kStreamingUnits] = {};
  // Pieces in several banks arrive one after the other, each in its share of the cycles.
  Bytes bytes = 0;
  for (const BankShare& piece : dma.pieces) bytes += piece.bytes;
  for (const BankShare& piece : dma.pieces) {
    const std::int64_t accesses = ceil_div(piece.bytes, config_.width);
    counters_.accesses += accesses;
    const Cycles cycles = std::max<Cycles>(1, dma.cycles * piece.bytes / std::max<Bytes>(1, bytes));
    const DmaConflict conflict =
        dma_conflict(accesses, cycles, stream_rate(piece.bank), config_.ports, config_.policy);
    delay += conflict.dma_delay;
    if (conflict.stream_stall == 0) continue;
    counters_.conflict_cycles += conflict.stream_stall;
    for (int unit = 0; unit < kStreamingUnits; ++unit) {
      const Stream& stream = streams_[unit];
      const bool uses =
          stream.open &&
          std::any_of(stream.rates.begin(), stream.rates.end(), [&](const BankRate& rate) {
            return rate.bank == piece.bank && rate.rate > 0;
          });
      if (uses) stall[unit] += conflict.stream_stall;
    }
  }
  for (int unit = 0; unit < kStreamingUnits; ++unit) {
    if (stall[unit] > 0) notify(unit, kFullRate, stall[unit]);
  }
  grants_->post({dma.unit, dma.sequence, delay});
}

void SramBuffer::notify(int unit, Rate speed, Cycles stall) {
  notices_[unit]->post({index_, notice_sequence_++, streams_[unit].sequence, speed, stall});
}

}  // namespace tessera::hw
