#include "hw_models/sram_buffer.h"

#include <algorithm>

#include "hw_models/kernel/process.h"

namespace tessera::hw {

SramBuffer::SramBuffer(sc_core::sc_module_name name, int index, const BufferConfig& config,
                       std::int64_t core_hz, BufferCounters& counters)
    : sc_module(name),
      messages("messages"),
      index_(index),
      config_(config),
      counters_(counters),
      clock_(core_hz),
      alarm_(clock_),
      streams_(kStreamingUnits),
      demanded_(static_cast<std::size_t>(config.banks), 0) {
  streams_[kArrayUnit].user = BankUser::kArray;
  streams_[kVectorUnit].user = BankUser::kVector;
  for (int unit = 0; unit < kStreamingUnits; ++unit) {
    streams_[static_cast<std::size_t>(unit)].unit = unit;
  }
  spawn_step([this] { step(); }, {&messages.arrived(), &alarm_.event()});
}

void SramBuffer::step() {
  const Cycles now = now_cycle(clock_);
  count_conflicts(now);
  end_pieces(now);
  for (const BufferMessage& message : messages.take()) accept(message, now);
  // With room on every bank, before and after, nobody's speed changes.
  if (changed_ && (crowded_ > 0 || slowed_)) share_banks(now);
  changed_ = false;
  Cycles next = kNever;
  for (std::size_t i = kStreamingUnits; i < streams_.size(); ++i) {
    next = std::min(next, streams_[i].work.end());
  }
  alarm_.set(next);
}

void SramBuffer::accept(const BufferMessage& message, Cycles now) {
  if (message.kind == BufferMessage::Kind::kDma) return begin_piece(message, now);
  Stream& stream = streams_[static_cast<std::size_t>(message.unit)];
  switch (message.kind) {
    case BufferMessage::Kind::kOpen:
      return open(stream, message);
    case BufferMessage::Kind::kPace:
      if (stream.sequence == message.sequence) stream.pace = message.pace;
      break;
    case BufferMessage::Kind::kClose:
      if (!stream.open || stream.sequence != message.sequence) return;
      demand(stream, -1);
      stream.open = false;
      break;
    case BufferMessage::Kind::kDma:
      return;
  }
  changed_ = true;
}

void SramBuffer::open(Stream& stream, const BufferMessage& message) {
  if (stream.open) demand(stream, -1);
  stream.sequence = message.sequence;
  stream.rates = message.rates;
  stream.pace = stream.speed = kFullRate;
  stream.open = true;
  demand(stream, 1);
}

void SramBuffer::begin_piece(const BufferMessage& message, Cycles now) {
  Stream piece;
  piece.unit = message.unit;
  piece.sequence = message.sequence;
  const std::int64_t accesses = ceil_div(message.region.bytes, config_.width);
  counters_.accesses += accesses;
  const Cycles cycles = std::max<Cycles>(1, message.cycles);
  add_rates(piece.rates, config_, message.region, accesses, cycles);
  piece.work.start(now, cycles);
  piece.open = true;
  streams_.push_back(std::move(piece));
  demand(streams_.back(), 1);
}

void SramBuffer::end_pieces(Cycles now) {
  for (std::size_t i = kStreamingUnits; i < streams_.size();) {
    Stream& piece = streams_[i];
    if (piece.work.end() > now) {
      ++i;
      continue;
    }
    demand(piece, -1);
    grants_->post({piece.unit, piece.sequence, piece.work.finish(now)});
    streams_.erase(streams_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

/// Adds or takes away what a stream asks of its banks.
void SramBuffer::demand(const Stream& stream, Rate sign) {
  const Rate capacity = kFullRate * config_.ports;
  for (const BankRate& rate : stream.rates) {
    Rate& demanded = demanded_[static_cast<std::size_t>(rate.bank)];
    crowded_ -= demanded > capacity ? 1 : 0;
    demanded += sign * rate.rate;
    crowded_ += demanded > capacity ? 1 : 0;
  }
  changed_ = true;
}

void SramBuffer::share_banks(Cycles now) {
  std::vector<Rate> speeds(streams_.size(), kFullRate);
  std::vector<BankDemand> demands;
  std::vector<std::size_t> whose;
  for (int bank = 0; bank < config_.banks; ++bank) {
    if (demanded_[static_cast<std::size_t>(bank)] <= kFullRate * config_.ports) continue;
    demands.clear();
    whose.clear();
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      if (!streams_[i].open) continue;
      for (const BankRate& rate : streams_[i].rates) {
        if (rate.bank != bank) continue;
        demands.push_back({streams_[i].user, rate.rate, streams_[i].pace});
        whose.push_back(i);
      }
    }
    const std::vector<Rate> shared = share_bank(demands, config_.ports, config_.policy);
    for (std::size_t i = 0; i < whose.size(); ++i) {
      speeds[whose[i]] = std::min(speeds[whose[i]], shared[i]);
    }
  }
  slowed_ = false;
  for (std::size_t i = 0; i < streams_.size(); ++i) set_speed(streams_[i], speeds[i], now);
}

void SramBuffer::set_speed(Stream& stream, Rate speed, Cycles now) {
  if (!stream.open) return;
  slowed_ = slowed_ || speed < kFullRate;
  if (stream.speed == speed) return;
  stream.speed = speed;
  if (stream.user == BankUser::kDma) return stream.work.set_speed(index_, speed, now);
  notices_[stream.unit]->post({index_, notice_sequence_++, stream.sequence, speed});
}

std::vector<BankGrant> SramBuffer::granted() const {
  std::vector<BankGrant> grants;
  for (const Stream& stream : streams_) {
    if (!stream.open) continue;
    const Rate speed = std::min(stream.pace, stream.speed);
    for (const BankRate& rate : stream.rates) {
      grants.push_back(
          {rate.bank, stream.user, stream.unit, stream.sequence, rate.rate * speed / kFullRate});
    }
  }
  return grants;
}

/// Cycles that the units' streams lost to this buffer's banks.
void SramBuffer::count_conflicts(Cycles now) {
  for (int unit = 0; unit < kStreamingUnits; ++unit) {
    const Stream& stream = streams_[static_cast<std::size_t>(unit)];
    if (!stream.open) continue;
    const Rate lost = std::max<Rate>(0, stream.pace - stream.speed);
    conflicts_ += (now - counted_until_) * lost;
  }
  counted_until_ = now;
  counters_.conflict_cycles += conflicts_ / kFullRate;
  conflicts_ %= kFullRate;
}

}  // namespace tessera::hw
