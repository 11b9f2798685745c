#include "hw_models/dram_estimate.h"

#include <algorithm>
#include <vector>

namespace tessera::hw {

namespace {

constexpr Bytes kChunk = 4096;
constexpr Bytes kDistance = Bytes{64} << 20;  // between streams
constexpr int kStreams = 3;                   // the last one writes
constexpr Bytes kBytesOfStream = Bytes{32} << 10;

}  // namespace

Bytes dram_piece_bytes(const DramConfig& dram, const DramAddressMap& map) {
  const int most = std::min(dram.policy.read_queue, dram.policy.write_queue) / 4;
  Bytes piece = map.piece_bytes();
  while (piece > dram.burst && piece > most * dram.burst) piece /= 2;
  return piece;
}

double estimate_sustained_fraction(const DramConfig& dram) {
  DramChannel channel(dram.device, dram.policy);
  const DramAddressMap map(dram.order, dram.hash, dram.device, dram.controllers());
  const Bytes piece = dram_piece_bytes(dram, map);
  const auto bursts = static_cast<int>(piece / dram.burst);
  std::vector<DramCompletion> done;
  std::int64_t sent = 0;
  DramClock now = 0;
  const auto send = [&](std::int64_t address, bool is_write) {
    const DramPlace place = map.place(address);
    if (place.channel != 0) return;
    while (!channel.has_space(is_write, bursts)) {
      now = std::max(now, channel.next_command());
      channel.advance(now, done);
    }
    channel.accept({0, place.bank, place.row, is_write, bursts}, now);
    sent += bursts;
  };
  const Bytes chunk = std::max(kChunk, piece) * dram.controllers();
  for (Bytes at = 0; at < kBytesOfStream * dram.controllers(); at += chunk) {
    for (int stream = 0; stream < kStreams; ++stream) {
      for (Bytes in = 0; in < chunk; in += piece) {
        send(stream * kDistance + at + in, stream + 1 == kStreams);
      }
    }
  }
  while (!channel.is_idle()) {
    now = std::max(now, channel.next_command());
    channel.advance(now, done);
  }
  DramClock end = 1;
  for (const DramCompletion& each : done) end = std::max(end, each.last_beats);
  const double busy = static_cast<double>(sent * dram.device.t.burst) / dram.device.pseudo_channels;
  return std::min(1.0, busy / static_cast<double>(end));
}

}  // namespace tessera::hw
