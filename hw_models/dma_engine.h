// Moves tiles between DRAM and the buffers.
#pragma once

#include <deque>
#include <systemc>
#include <vector>

#include "hw_models/counters.h"
#include "hw_models/dma_requests.h"
#include "hw_models/hardware_config.h"
#include "hw_models/interconnect.h"
#include "hw_models/kernel/command_queue.h"
#include "hw_models/kernel/core_clock.h"
#include "hw_models/kernel/scoreboard.h"
#include "hw_models/kernel/unit_timer.h"
#include "hw_models/sequencer.h"
#include "hw_models/sram_buffer.h"

namespace tessera::hw {

/// Queues of commands on channels. A queue starts its next command once the one ahead has sent all
/// its requests; a command's requests (naturally aligned, row by row) go out in slices, queues of a
/// channel taking turns; a channel has at most `outstanding` requests in flight. Data of a load
/// enters its buffer as it arrives, data of a store leaves it as it crosses the interconnect: both
/// as pieces, one a slice, those of a store one after the other. Commands of a queue retire in
/// order.
class DmaEngine : public sc_core::sc_module {
 public:
  DmaEngine(sc_core::sc_module_name name, const HardwareConfig& config, const CommandQueues& queues,
            const std::vector<SramBuffer*>& buffers, Interconnect& interconnect,
            Scoreboard& scoreboard, Counters& counters);

  Mailbox<DmaGrant> grants;  // from the buffers
  /// Busy, stalled and idle cycles of each channel.
  std::vector<UnitCounters> finish(Cycles now);

 private:
  struct Transfer {
    CommandId id = kNoCommand;
    Cycles ready = 0;  // descriptor is set up
    RequestCutter requests;
    Bytes moved = 0;  // useful bytes requested
    int pieces_in_flight = 0;
    Cycles last_in_place = 0;
    bool all_sent() const { return requests.done(); }
  };
  struct Piece {
    std::int64_t sequence = 0;
    CommandId id = kNoCommand;
    std::int64_t requests = 0;
    Region region;
    bool delivered = false;  // through interconnect and DRAM
    bool granted = false;    // through the buffer's banks
  };
  struct Queue {
    CommandQueue* commands = nullptr;
    bool is_store = false;
    int channel = 0;
    std::deque<Transfer> transfers;  // started, not retired; only the last may still send
    std::deque<Piece> pieces;        // on their way, in order of sending
    std::int64_t next_sequence = 0;
    bool reading = false;  // a store's piece leaves the buffer: one after the other
    CommandId ahead = kNoCommand;
    Cycles ahead_released = 0;
  };
  struct Channel {
    std::vector<int> queues;
    std::size_t turn = 0;
    std::int64_t in_flight = 0;  // requests
    UnitTimer timer;
  };

  void step();
  void receive(const Delivery& delivery, Cycles now);
  void settle(const DmaGrant& grant, Cycles now);
  void move_through_buffer(const Queue& queue, const Piece& piece, Cycles cycles);
  void finish_piece(Queue& queue, std::int64_t sequence, Cycles now);
  void start_commands(Queue& queue, Cycles now);
  void start(Queue& queue, CommandId id, Cycles now);
  void send(Channel& channel, Cycles now);
  bool send_slice(Channel& channel, Queue& queue, Cycles now);
  static Piece cut_piece(Queue& queue, Transfer& transfer, const RequestRun& run,
                         const Command& command);
  void post_request(Queue& queue, const Piece& piece, const RequestRun& run,
                    const Command& command);
  void retire(Queue& queue, Cycles now);
  void count(const Command& command);
  void note_state(Channel& channel, Cycles now);
  static Transfer& transfer_of(Queue& queue, CommandId id);
  static std::deque<Piece>::iterator find_piece(Queue& queue, std::int64_t sequence);

  const HardwareConfig& config_;
  std::vector<SramBuffer*> buffers_;
  Interconnect& interconnect_;
  Scoreboard& scoreboard_;
  Counters& counters_;
  Clock clock_;
  Alarm alarm_;
  DmaSlice slice_;
  std::vector<Queue> queues_;
  std::vector<Channel> channels_;
};

}  // namespace tessera::hw
