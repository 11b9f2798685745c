// A banked scratchpad: counts accesses, shares its banks between the array, the vector unit and the
// DMA.
#pragma once

#include <systemc>
#include <vector>

#include "hw_models/bank_sharing.h"
#include "hw_models/counters.h"
#include "hw_models/kernel/core_clock.h"
#include "hw_models/kernel/mailbox.h"
#include "hw_models/kernel/paced_work.h"

namespace tessera::hw {

/// Tells a unit the speed at which a buffer serves its stream from now on.
struct StreamNotice {
  int buffer = 0;
  std::int64_t sequence = 0;  // of the buffer
  std::int64_t stream = 0;    // which of the unit's streams
  Rate speed = kFullRate;
  bool operator<(const StreamNotice& o) const {
    return buffer != o.buffer ? buffer < o.buffer : sequence < o.sequence;
  }
};

/// A message to a buffer.
struct BufferMessage {
  enum class Kind { kClose, kOpen, kPace, kDma };
  Kind kind = Kind::kDma;
  int unit = 0;                 // sender: 0 array, 1 vector unit; DMA: its requester number
  std::int64_t sequence = 0;    // of the sender: which stream, which piece
  std::vector<BankRate> rates;  // kOpen
  Rate pace = kFullRate;        // kPace: speed of the stream as far as other buffers allow
  Region region;                // kDma: the bytes that arrive or leave
  Cycles cycles = 0;            // kDma: over how many cycles, at full speed; one at least
  bool operator<(const BufferMessage& o) const {
    if (kind != o.kind) return kind < o.kind;
    return unit != o.unit ? unit < o.unit : sequence < o.sequence;
  }
};

/// Tells a DMA requester that its piece is through, `delay` cycles later than at full speed.
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

/// What a bank grants one user at an instant.
struct BankGrant {
  int bank = 0;
  BankUser user = BankUser::kDma;
  int unit = 0;  // streaming unit, or requester of the DMA
  std::int64_t sequence = 0;
  Rate rate = 0;  // accesses per cycle
};

/// Every user is a stream: rates on banks from open to close (array, vector unit) or for a number
/// of cycles (a piece of a DMA transfer). While the rates on a bank exceed its ports, streams slow
/// down by the buffer's policy; what a bank grants never exceeds its ports.
class SramBuffer : public sc_core::sc_module {
 public:
  SramBuffer(sc_core::sc_module_name name, int index, const BufferConfig& config,
             std::int64_t core_hz, BufferCounters& counters);

  Mailbox<BufferMessage> messages;
  /// Where notices to a streaming unit go; set once while building.
  void bind(int unit, Mailbox<StreamNotice>& notices) { notices_[unit] = &notices; }
  void bind_dma(Mailbox<DmaGrant>& grants) { grants_ = &grants; }
  /// What every bank grants to whom at this instant: for observers, between two clock edges.
  std::vector<BankGrant> granted() const;
  /// Settles what is counted until `now`.
  void finish(Cycles now) { count_conflicts(now); }

 private:
  struct Stream {
    BankUser user = BankUser::kDma;
    int unit = 0;  // streaming unit, or requester of the DMA
    std::int64_t sequence = 0;
    std::vector<BankRate> rates;
    Rate pace = kFullRate;   // as far as others allow
    Rate speed = kFullRate;  // as far as this buffer allows
    PacedWork work;          // of a piece
    bool open = false;
  };
  void step();
  void accept(const BufferMessage& message, Cycles now);
  void open(Stream& stream, const BufferMessage& message);
  void begin_piece(const BufferMessage& message, Cycles now);
  void end_pieces(Cycles now);
  void demand(const Stream& stream, Rate sign);
  void share_banks(Cycles now);
  void set_speed(Stream& stream, Rate speed, Cycles now);
  void count_conflicts(Cycles now);

  int index_;
  BufferConfig config_;
  BufferCounters& counters_;
  Clock clock_;
  Alarm alarm_;
  std::vector<Stream> streams_;  // units first, then pieces in order of arrival
  std::vector<Rate> demanded_;   // by bank, at full speed
  int crowded_ = 0;              // banks of which more is demanded than they have
  bool slowed_ = false;          // some stream is
  bool changed_ = false;
  Cycles counted_until_ = 0;
  Rate conflicts_ = 0;  // cycles x kFullRate not yet in the counters
  Mailbox<StreamNotice>* notices_[kStreamingUnits] = {};
  Mailbox<DmaGrant>* grants_ = nullptr;
  std::int64_t notice_sequence_ = 0;
};

}  // namespace tessera::hw
