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
      slice_(dma_slice(config.dma)) {
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
  for (const Delivery& delivery : interconnect_.deliveries.take()) receive(delivery, now);
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

/// A load's data begins to arrive, or the last of a store's is in DRAM.
void DmaEngine::receive(const Delivery& delivery, Cycles now) {
  Queue& queue = queues_[static_cast<std::size_t>(delivery.request.requester)];
  Piece& piece = *find_piece(queue, delivery.request.sequence);
  piece.delivered = true;
  if (!queue.is_store) return move_through_buffer(queue, piece, delivery.data_cycles);
  if (piece.granted) finish_piece(queue, piece.sequence, now);
}

void DmaEngine::settle(const DmaGrant& grant, Cycles now) {
  Queue& queue = queues_[static_cast<std::size_t>(grant.requester)];
  Piece& piece = *find_piece(queue, grant.sequence);
  piece.granted = true;
  queue.reading = false;
  scoreboard_.at(piece.id).stalled += grant.delay;
  if (piece.delivered) finish_piece(queue, piece.sequence, now);
}

void DmaEngine::move_through_buffer(const Queue& queue, const Piece& piece, Cycles cycles) {
  BufferMessage message;
  message.unit = static_cast<int>(&queue - queues_.data());
  message.sequence = piece.sequence;
  message.region = piece.region;
  message.cycles = cycles;
  buffers_[static_cast<std::size_t>(piece.region.buffer)]->messages.post(std::move(message));
}

void DmaEngine::finish_piece(Queue& queue, std::int64_t sequence, Cycles now) {
  const auto piece = find_piece(queue, sequence);
  channels_[static_cast<std::size_t>(queue.channel)].in_flight -= piece->requests;
  Transfer& transfer = transfer_of(queue, piece->id);
  --transfer.pieces_in_flight;
  const Cycles access = config_.buffers[static_cast<std::size_t>(piece->region.buffer)].latency;
  transfer.last_in_place = std::max(transfer.last_in_place, now + access);
  queue.pieces.erase(piece);
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
  transfer.requests = RequestCutter(command.transfer.dram, config_.dma.burst, config_.dram.burst,
                                    config_.dma.sizes);
  alarm_.set(transfer.ready);
  queue.transfers.push_back(std::move(transfer));
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
  if (queue.transfers.empty() || queue.reading) return false;
  Transfer& transfer = queue.transfers.back();
  if (transfer.all_sent()) return false;
  if (now < transfer.ready) {
    alarm_.set(transfer.ready);
    return false;
  }
  // A slice's requests come back together instead of one by one: half a slice of room makes up.
  const std::int64_t room = config_.dma.outstanding - channel.in_flight;
  const std::int64_t next =
      std::min<std::int64_t>(slice_.requests, transfer.requests.requests_left());
  if (room < ceil_div(next, 2)) return false;
  const Command& command = scoreboard_.at(transfer.id).command;
  const RequestRun run = transfer.requests.next(slice_.requests, slice_.bytes);
  const Piece piece = cut_piece(queue, transfer, run, command);
  post_request(queue, piece, run, command);
  channel.in_flight += run.requests;
  ++transfer.pieces_in_flight;
  counters_.operators[static_cast<std::size_t>(command.op)].dram_bus_bytes += run.bus;
  if (transfer.all_sent()) {
    queue.ahead = transfer.id;
    queue.ahead_released = now;
  }
  return true;
}

/// The part of the command's region that a run of requests fills or empties.
DmaEngine::Piece DmaEngine::cut_piece(Queue& queue, Transfer& transfer, const RequestRun& run,
                                      const Command& command) {
  Piece piece;
  piece.sequence = queue.next_sequence++;
  piece.id = transfer.id;
  piece.requests = run.requests;
  piece.region = command.transfer.region;
  piece.region.offset += std::min(transfer.moved, piece.region.bytes);
  piece.region.bytes =
      std::min(run.useful, command.transfer.region.bytes -
                               std::min(transfer.moved, command.transfer.region.bytes));
  transfer.moved += run.useful;
  queue.pieces.push_back(piece);
  return piece;
}

void DmaEngine::post_request(Queue& queue, const Piece& piece, const RequestRun& run,
                             const Command& command) {
  DramRequest request;
  request.requester = static_cast<int>(&queue - queues_.data());
  request.sequence = piece.sequence;
  request.op = command.op;
  request.traffic = command.transfer.traffic;
  request.from = run.from;
  request.requests = run.requests;
  request.bus_bytes = run.bus;
  request.is_write = queue.is_store;
  interconnect_.requests.post(request);
  if (!queue.is_store) return;
  // Data leaves at the speed of the path or of one bank's ports, whichever is slower.
  const BufferConfig& buffer = config_.buffers[static_cast<std::size_t>(piece.region.buffer)];
  const Cycles reads = ceil_div(ceil_div(piece.region.bytes, buffer.width), buffer.ports);
  move_through_buffer(queue, piece, std::max(interconnect_.crossing_cycles(run.bus), reads));
  queue.reading = true;
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

std::deque<DmaEngine::Piece>::iterator DmaEngine::find_piece(Queue& queue, std::int64_t sequence) {
  return std::find_if(queue.pieces.begin(), queue.pieces.end(),
                      [&](const Piece& piece) { return piece.sequence == sequence; });
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
