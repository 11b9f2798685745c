// A banked scratchpad: counts accesses, arbitrates its banks between the array, the vector unit and
// the DMA.
#pragma once

#include <map>
#include <systemc>
#include <vector>

#include "hw_models/bank_sharing.h"
#include "hw_models/counters.h"
#include "hw_models/kernel/mailbox.h"

namespace tessera::hw {

/// What a buffer tells a unit that streams from it.
struct StreamNotice {
  int buffer = 0;
  std::int64_t sequence = 0;  // of the buffer
  std::int64_t stream = 0;    // which of the unit's streams
  Rate speed = kFullRate;     // new speed of the stream, when stall == 0
  Cycles stall = 0;           // cycles lost to a DMA piece
  bool operator<(const StreamNotice& o) const {
    return buffer != o.buffer ? buffer < o.buffer : sequence < o.sequence;
  }
};

/// A message to a buffer.
struct BufferMessage {
  enum class Kind { kClose, kOpen, kDma };
  Kind kind = Kind::kDma;
  int unit = 0;                 // sender: 0 array, 1 vector unit; DMA: its requester number
  std::int64_t sequence = 0;    // of the sender
  std::vector<BankRate> rates;  // kOpen
  Region region;                // kDma: the bytes that arrive or leave
  Cycles cycles = 0;            // kDma: over how many cycles they arrive
  bool operator<(const BufferMessage& o) const {
    if (kind != o.kind) return kind < o.kind;
    return unit != o.unit ? unit < o.unit : sequence < o.sequence;
  }
};

/// Tells a DMA requester that its piece is in place, `delay` cycles late.
struct DmaGrant {
  int requester = 0;
  std::int64_t sequence = 0;
  Cycles delay = 0;
  bool operator<(const DmaGrant& o) const {
    return requester != o.requester ? requester < o.requester : sequence < o.sequence;
  }
};

constexpr int kArrayUnit = 0;
constexpr int kVectorUnit = 1;
constexpr int kStreamingUnits = 2;

/// Long streams (array, vector unit) are rates on banks from open to close; while the rates on a
/// bank exceed its ports, the streams slow down. DMA pieces are lumps: each costs the streams on
/// its bank, or the DMA, the cycles that the bank does not have (policy).
class SramBuffer : public sc_core::sc_module {
 public:
  SramBuffer(sc_core::sc_module_name name, int index, const BufferConfig& config,
             BufferCounters& counters);

  Mailbox<BufferMessage> messages;
  /// Where notices to a streaming unit go; set once while building.
  void bind(int unit, Mailbox<StreamNotice>& notices) { notices_[unit] = &notices; }
  void bind_dma(Mailbox<DmaGrant>& grants) { grants_ = &grants; }
  const BufferConfig& config() const { return config_; }

 private:
  struct Stream {
    std::int64_t sequence = 0;
    std::vector<BankRate> rates;
    Rate speed = kFullRate;
    bool open = false;
  };
  void step();
  void share_banks();
  void absorb(const BufferMessage& dma);
  DmaConflict conflict_at(const BankShare& piece, Cycles cycles) const;
  static Rate rate_on(const Stream& stream, int bank);
  void notify(int unit, Rate speed, Cycles stall);

  int index_;
  BufferConfig config_;
  BufferCounters& counters_;
  Stream streams_[kStreamingUnits];
  Mailbox<StreamNotice>* notices_[kStreamingUnits] = {};
  Mailbox<DmaGrant>* grants_ = nullptr;
  std::int64_t notice_sequence_ = 0;
  std::vector<BankShare> pieces_;  // of the DMA message at hand
};

}  // namespace tessera::hw
