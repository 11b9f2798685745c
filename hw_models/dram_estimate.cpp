#include "hw_models/dram_estimate.h"

#include <algorithm>

#include "hw_models/dram_lane.h"

namespace tessera::hw {

namespace {

constexpr Bytes kChunk = 4096;
constexpr Bytes kDistance = Bytes{64} << 20;  // between streams
constexpr int kStreams = 3;                   // the last one writes
constexpr Bytes kBytesOfStream = Bytes{128} << 10;

/// Offers pieces to the first of all channels as fast as its data bus could take them.
class Offers {
 public:
  explicit Offers(const DramConfig& dram)
      : dram_(dram),
        map_(dram.order, dram.hash, dram.device, dram.controllers(), dram.hash_channels),
        piece_(dram_piece_bytes(dram, map_)),
        lane_(dram.device, dram.policy) {}

  void chunk(std::int64_t address, Bytes bytes, bool is_write) {
    const auto bursts = static_cast<int>(piece_ / dram_.burst);
    for (std::int64_t at = address; at < address + bytes; at += piece_) {
      const DramPlace place = map_.place(at);
      if (place.channel != 0) continue;
      lane_.add({0, place.bank, place.row, is_write, bursts}, busy());
      offered_ += bursts;
    }
  }

  double sustained_fraction() {
    DramProgress progress;
    lane_.run(kNeverClock / 2, progress);
    DramClock end = 1;
    for (const auto* done : {&progress.read, &progress.written}) {
      for (const DramCompletion& each : *done) end = std::max(end, each.last_beats);
    }
    return std::min(1.0, static_cast<double>(busy()) / static_cast<double>(end));
  }

 private:
  DramClock busy() const { return offered_ * dram_.device.t.burst / dram_.device.pseudo_channels; }

  const DramConfig& dram_;
  DramAddressMap map_;
  Bytes piece_;
  DramLane lane_;
  std::int64_t offered_ = 0;  // bursts
};

}  // namespace

Bytes dram_piece_bytes(const DramConfig& dram, const DramAddressMap& map) {
  const int most = std::min(dram.policy.read_queue, dram.policy.write_queue) / 4;
  Bytes piece = map.piece_bytes();
  while (piece > dram.burst && piece > most * dram.burst) piece /= 2;
  return piece;
}

double estimate_sustained_fraction(const DramConfig& dram) {
  Offers offers(dram);
  const Bytes chunk = kChunk * dram.controllers();
  for (Bytes at = 0; at < kBytesOfStream * dram.controllers(); at += chunk) {
    for (int stream = 0; stream < kStreams; ++stream) {
      offers.chunk(stream * kDistance + at, chunk, stream + 1 == kStreams);
    }
  }
  return offers.sustained_fraction();
}

}  // namespace tessera::hw
