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
  // Blocked banks are filled one after the other, interleaved ones side by side.
  const bool in_turn = config_.bank_mapping == BankMapping::kBlocked;
  Bytes bytes = 0;
  for (const BankShare& piece : dma.pieces) bytes += piece.bytes;
  Cycles delay = 0;
  Cycles stall[kStreamingUnits] = {};
  for (const BankShare& piece : dma.pieces) {
    const std::int64_t accesses = ceil_div(piece.bytes, config_.width);
    counters_.accesses += accesses;
    const Cycles cycles =
        in_turn ? dma.cycles * piece.bytes / std::max<Bytes>(1, bytes) : dma.cycles;
    const DmaConflict conflict =
        dma_conflict(accesses, std::max<Cycles>(1, cycles), stream_rate(piece.bank), config_.ports,
                     config_.policy);
    delay = in_turn ? delay + conflict.dma_delay : std::max(delay, conflict.dma_delay);
    for (int unit = 0; unit < kStreamingUnits; ++unit) {
      if (!uses(streams_[unit], piece.bank)) continue;
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

bool SramBuffer::uses(const Stream& stream, int bank) {
  return stream.open &&
         std::any_of(stream.rates.begin(), stream.rates.end(),
                     [bank](const BankRate& rate) { return rate.bank == bank && rate.rate > 0; });
}

void SramBuffer::notify(int unit, Rate speed, Cycles stall) {
  notices_[unit]->post({index_, notice_sequence_++, streams_[unit].sequence, speed, stall});
}

}  // namespace tessera::hw
