#include "hw_models/dma_engine.h"

#include <algorithm>

#include "hw_models/kernel/process.h"

namespace tessera::hw {

DmaEngine::DmaEngine(sc_core::sc_module_name name, const HardwareConfig& config,
                     const CommandQueues& queues, const std::vector<SramBuffer*>& buffers,
                     Interconnect& interconnect, Scoreboard& scoreboard, Counters& counters)
    : sc_module(name),
      grants("grants"),
      config_(config),
      buffers_(buffers),
      interconnect_(interconnect),
      scoreboard_(scoreboard),
      counters_(counters),
      clock_(config.clocks.core_hz),
      alarm_(clock_),
      window_(config.dma.burst * config.dma.outstanding),
      slice_(dma_slice_bytes(config.dma)) {
  std::vector<const sc_core::sc_event*> events{&alarm_.event(), &scoreboard_.changed(),
                                               &interconnect_.deliveries.arrived(),
                                               &grants.arrived()};
  channels_.resize(static_cast<std::size_t>(config.dma.channels));
  const auto add = [&](CommandQueue* commands, bool is_store) {
    Queue queue;
    queue.commands = commands;
    queue.is_store = is_store;
    queue.channel = static_cast<int>(queues_.size()) % config.dma.channels;
    channels_[static_cast<std::size_t>(queue.channel)].queues.push_back(
        static_cast<int>(queues_.size()));
    events.push_back(&commands->pushed());
    queues_.push_back(std::move(queue));
  };
  for (CommandQueue* queue : queues.load) add(queue, false);
  for (CommandQueue* queue : queues.store) add(queue, true);
  spawn_step([this] { step(); }, events);
}

void DmaEngine::step() {
  const Cycles now = now_cycle(clock_);
  for (const Delivery& delivery : interconnect_.deliveries.take()) receive(delivery);
  for (const DmaGrant& grant : grants.take()) settle(grant, now);
  for (Queue& queue : queues_) {
    retire(queue, now);
    start_commands(queue, now);
  }
  for (Channel& channel : channels_) send(channel, now);
  // Sending all requests of a command lets the next one of its queue start at once.
  for (Queue& queue : queues_) start_commands(queue, now);
  for (Channel& channel : channels_) note_state(channel, now);
}

void DmaEngine::receive(const Delivery& delivery) {
  Queue& queue = queues_[static_cast<std::size_t>(delivery.request.requester)];
  const Piece piece = queue.in_flight.front();
  queue.in_flight.pop_front();
  queue.placing.push_back(piece);
  channels_[static_cast<std::size_t>(queue.channel)].in_flight -= piece.bus_bytes;
  Transfer& transfer = transfer_of(queue, piece.id);
  const TransferCommand& command = scoreboard_.at(piece.id).command.transfer;
  // Useful bytes in proportion; the last piece takes what is left.
  const bool last = transfer.all_sent() && transfer.pieces_in_flight == 1;
  const Bytes useful = useful_bytes(command.dram);
  const Bytes share =
      static_cast<Bytes>(static_cast<__int128>(useful) * piece.bus_bytes / transfer.bus_bytes);
  const Bytes bytes = last ? useful - transfer.placed : share;
  Region region = command.region;
  region.offset += std::min(transfer.placed, region.bytes);
  region.bytes =
      std::min(bytes, command.region.bytes - std::min(transfer.placed, command.region.bytes));
  transfer.placed += bytes;
  SramBuffer& buffer = *buffers_[static_cast<std::size_t>(region.buffer)];
  BufferMessage message;
  message.unit = delivery.request.requester;
  message.sequence = delivery.request.sequence;
  message.region = region;
  message.cycles = delivery.data_cycles;
  buffer.messages.post(std::move(message));
}

void DmaEngine::settle(const DmaGrant& grant, Cycles now) {
  Queue& queue = queues_[static_cast<std::size_t>(grant.requester)];
  const auto piece = std::find_if(queue.placing.begin(), queue.placing.end(),
                                  [&](const Piece& p) { return p.sequence == grant.sequence; });
  Transfer& transfer = transfer_of(queue, piece->id);
  queue.placing.erase(piece);
  --transfer.pieces_in_flight;
  const Region& region = scoreboard_.at(transfer.id).command.transfer.region;
  const Cycles access = config_.buffers[static_cast<std::size_t>(region.buffer)].latency;
  transfer.last_in_place = std::max(transfer.last_in_place, now + grant.delay + access);
  scoreboard_.at(transfer.id).stalled += grant.delay;
}

void DmaEngine::start_commands(Queue& queue, Cycles now) {
  while (!queue.commands->empty() &&
         (queue.transfers.empty() || queue.transfers.back().all_sent())) {
    const CommandId id = queue.commands->front();
    if (!scoreboard_.ready(scoreboard_.at(id).command)) return;
    queue.commands->pop();
    start(queue, id, now);
  }
}

void DmaEngine::start(Queue& queue, CommandId id, Cycles now) {
  scoreboard_.start(id, now, queue.ahead, queue.ahead_released);
  const Command& command = scoreboard_.at(id).command;
  count(command);
  Transfer transfer;
  transfer.id = id;
  transfer.ready = now + config_.dma.descriptor;
  transfer.bus_bytes = bus_bytes(command.transfer.dram, config_.dram.burst);
  queue.transfers.push_back(transfer);
  alarm_.set(transfer.ready);
}

void DmaEngine::send(Channel& channel, Cycles now) {
  // Turn by turn until no queue of the channel can send.
  std::size_t refused = 0;
  while (refused < channel.queues.size()) {
    Queue& queue = queues_[static_cast<std::size_t>(channel.queues[channel.turn])];
    channel.turn = (channel.turn + 1) % channel.queues.size();
    refused = send_slice(channel, queue, now) ? 0 : refused + 1;
  }
}

bool DmaEngine::send_slice(Channel& channel, Queue& queue, Cycles now) {
  if (queue.transfers.empty()) return false;
  Transfer& transfer = queue.transfers.back();
  if (transfer.all_sent()) return false;
  if (now < transfer.ready) {
    alarm_.set(transfer.ready);
    return false;
  }
  const Bytes bytes = std::min(slice_, transfer.bus_bytes - transfer.sent);
  if (channel.in_flight > 0 && channel.in_flight + bytes > window_) return false;
  DramRequest request;
  request.requester = static_cast<int>(&queue - queues_.data());
  request.sequence = queue.next_sequence++;
  request.address = scoreboard_.at(transfer.id).command.transfer.dram.address + transfer.sent;
  request.bus_bytes = bytes;
  request.is_write = queue.is_store;
  interconnect_.requests.post(request);
  channel.in_flight += bytes;
  transfer.sent += bytes;
  ++transfer.pieces_in_flight;
  queue.in_flight.push_back({request.sequence, transfer.id, bytes});
  if (transfer.all_sent()) {
    queue.ahead = transfer.id;
    queue.ahead_released = now;
  }
  return true;
}

void DmaEngine::retire(Queue& queue, Cycles now) {
  while (!queue.transfers.empty()) {
    const Transfer& transfer = queue.transfers.front();
    if (!transfer.all_sent() || transfer.pieces_in_flight > 0) return;
    if (now < transfer.last_in_place) return alarm_.set(transfer.last_in_place);
    scoreboard_.complete(transfer.id, now);
    OperatorCounters& op =
        counters_.operators[static_cast<std::size_t>(scoreboard_.at(transfer.id).command.op)];
    op.last_retired = std::max(op.last_retired, now);
    queue.transfers.pop_front();
  }
}

void DmaEngine::count(const Command& command) {
  const TransferCommand& transfer = command.transfer;
  OperatorCounters& op = counters_.operators[static_cast<std::size_t>(command.op)];
  const auto traffic = static_cast<std::size_t>(transfer.traffic);
  const auto buffer = static_cast<std::size_t>(transfer.region.buffer);
  const Bytes bytes = useful_bytes(transfer.dram);
  const std::int64_t accesses = ceil_div(bytes, config_.buffers[buffer].width);
  op.buffer_accesses[buffer] += accesses;
  op.dram_bus_bytes += bus_bytes(transfer.dram, config_.dram.burst);
  if (command.kind == CommandKind::kLoad) {
    op.dram[traffic].read += bytes;
    op.buffers[buffer][traffic].write += bytes;
  } else {
    op.dram[traffic].write += bytes;
    op.buffers[buffer][traffic].read += bytes;
  }
}

DmaEngine::Transfer& DmaEngine::transfer_of(Queue& queue, CommandId id) {
  return *std::find_if(queue.transfers.begin(), queue.transfers.end(),
                       [id](const Transfer& transfer) { return transfer.id == id; });
}

void DmaEngine::note_state(Channel& channel, Cycles now) {
  UnitState state = UnitState::kIdle;
  for (int index : channel.queues) {
    const Queue& queue = queues_[static_cast<std::size_t>(index)];
    if (!queue.transfers.empty()) state = UnitState::kBusy;
    if (!queue.commands->empty() && state == UnitState::kIdle) state = UnitState::kStalled;
  }
  channel.timer.enter(state, now);
}

std::vector<UnitCounters> DmaEngine::finish(Cycles now) {
  std::vector<UnitCounters> all;
  for (Channel& channel : channels_) all.push_back(channel.timer.finish(now));
  return all;
}

}  // namespace tessera::hw
