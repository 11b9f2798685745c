// Moves tiles between DRAM and the buffers.
#pragma once

#include <deque>
#include <systemc>
#include <vector>

#include "hw_models/counters.h"
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
/// its requests; a command's requests go out in slices of a quarter of the outstanding window,
/// queues of a channel taking turns; a channel has at most outstanding x burst bytes in flight.
/// Commands of a queue retire in order.
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
    Cycles ready = 0;     // descriptor is set up
    Bytes bus_bytes = 0;  // whole bursts, in all
    Bytes sent = 0;       // bus bytes requested
    Bytes placed = 0;     // useful bytes handed to the buffer
    int pieces_in_flight = 0;
    Cycles last_in_place = 0;
    bool all_sent() const { return sent >= bus_bytes; }
  };
  struct Piece {
    std::int64_t sequence = 0;
    CommandId id = kNoCommand;
    Bytes bus_bytes = 0;
  };
  struct Queue {
    CommandQueue* commands = nullptr;
    bool is_store = false;
    int channel = 0;
    std::deque<Transfer> transfers;  // started, not retired; only the last may still send
    std::deque<Piece> in_flight;     // requested, in order of sending
    std::deque<Piece> placing;       // delivered, not yet granted by the buffer
    std::int64_t next_sequence = 0;
    CommandId ahead = kNoCommand;
    Cycles ahead_released = 0;
  };
  struct Channel {
    std::vector<int> queues;
    std::size_t turn = 0;
    Bytes in_flight = 0;
    UnitTimer timer;
  };

  void step();
  void receive(const Delivery& delivery);
  void settle(const DmaGrant& grant, Cycles now);
  void start_commands(Queue& queue, Cycles now);
  void start(Queue& queue, CommandId id, Cycles now);
  void send(Channel& channel, Cycles now);
  bool send_slice(Channel& channel, Queue& queue, Cycles now);
  void retire(Queue& queue, Cycles now);
  void count(const Command& command);
  void note_state(Channel& channel, Cycles now);
  Transfer& transfer_of(Queue& queue, CommandId id);

  const HardwareConfig& config_;
  std::vector<SramBuffer*> buffers_;
  Interconnect& interconnect_;
  Scoreboard& scoreboard_;
  Counters& counters_;
  Clock clock_;
  Alarm alarm_;
  Bytes window_, slice_;
  std::vector<Queue> queues_;
  std::vector<Channel> channels_;
};

}  // namespace tessera::hw
