#include "hw_models/timing_dram.h"

#include <algorithm>

#include "hw_models/dram_estimate.h"
#include "hw_models/kernel/core_clock.h"
#include "hw_models/kernel/process.h"

namespace tessera::hw {

namespace {

Femtoseconds interconnect_latency(const HardwareConfig& config) {
  const ClockConfig& clocks = config.clocks;
  return Clock(clocks.interconnect_hz > 0 ? clocks.interconnect_hz : clocks.core_hz)
      .edge(config.interconnect.latency);
}

}  // namespace

TimingDram::TimingDram(sc_core::sc_module_name name, const HardwareConfig& config,
                       Counters& counters)
    : DramController(name),
      config_(config.dram),
      dma_(config.dma),
      map_(config_.order, config_.hash, config_.device, config_.controllers(),
           config_.hash_channels),
      piece_(dram_piece_bytes(config_, map_)),
      clock_fs_(config_.device.clock_fs),
      lookahead_(interconnect_latency(config)),
      counters_(counters),
      streams_(counters.operators.size() * kTrafficClasses) {
  for (int i = 0; i < config_.controllers(); ++i) {
    lanes_.emplace_back(config_.device, config_.policy);
  }
  spawn_step([this] { step(); }, {&requests.arrived(), &wake_});
}

void TimingDram::step() {
  for (const DramRequest& request : requests.take()) take(request);
  // No request arrives before now + lookahead that is not known yet.
  const DramClock until = clock_at_or_after(now_fs() + lookahead_) - 1;
  progress_.clear();
  for (DramLane& lane : lanes_) lane.run(until, progress_);
  settle_progress();
  schedule();
}

void TimingDram::settle_progress() {
  for (const DramCompletion& piece : progress_.read) land(piece);
  for (const DramCompletion& piece : progress_.entered) land(piece);
  for (const DramCompletion& piece : progress_.written) {
    counters_of(piece.token).activates += piece.activates;
  }
}

/// Cuts the requests into pieces of one row of one bank.
void TimingDram::take(const DramRequest& request) {
  const DramClock arrival =
      clock_at_or_after(request.is_write ? request.data_crossed : request.arrival);
  const std::int64_t flight = new_flight(request);
  const Tiling& tiling = request.from.range.tiling;
  const Bytes piece = tiling.exists() ? std::min(piece_, tiling.block_width) : piece_;
  RequestCutter cutter(request.from, request.requests, dma_.burst, config_.burst, dma_.sizes);
  while (!cutter.done()) {
    const RequestRun part = cutter.next_part();
    const std::int64_t end = part.address / config_.burst * config_.burst + part.bus;
    for (std::int64_t at = end - part.bus; at < end;) {
      const std::int64_t piece_end = std::min(end, (at / piece + 1) * piece);
      const DramPlace place = map_.place(tiling.exists() ? tiling.place(at) : at);
      const auto bursts = static_cast<int>((piece_end - at) / config_.burst);
      lanes_[static_cast<std::size_t>(place.channel)].add(
          {flight, place.bank, place.row, request.is_write, bursts}, arrival,
          stream_index(request));
      at = piece_end;
    }
  }
}

std::int64_t TimingDram::new_flight(const DramRequest& request) {
  if (free_flights_.empty()) {
    free_flights_.push_back(flights_.size());
    flights_.emplace_back();
  }
  const std::size_t index = free_flights_.back();
  free_flights_.pop_back();
  used_flights_.push_back(index);
  Flight& flight = flights_[index];
  flight = {};
  flight.request = request;
  flight.left = request.bus_bytes / config_.burst;
  Stream& stream = streams_[static_cast<std::size_t>(stream_index(request))];
  if (stream.requests++ == 0) stream.since = std::max(request.arrival, stream.until);
  counters_of(stream_index(request)).bursts += flight.left;
  counters_.dram_bursts += flight.left;
  return static_cast<std::int64_t>(index);
}

/// A piece of a read is on its way, or of a write in its queue.
void TimingDram::land(const DramCompletion& piece) {
  Flight& flight = flights_[static_cast<std::size_t>(piece.token)];
  flight.first = std::min(flight.first, piece.first_beats);
  flight.last = std::max(flight.last, piece.last_beats);
  flight.left -= piece.bursts;
  counters_of(stream_index(flight.request)).activates += piece.activates;
  if (flight.left == 0) answer(flight);
}

void TimingDram::answer(Flight& flight) {
  const DramClock begin = flight.first - config_.device.t.burst;
  const Femtoseconds first = begin * clock_fs_ + config_.controller_fs;
  const Femtoseconds last = flight.last * clock_fs_ + config_.controller_fs;
  responses.post({flight.request, first, last});
  Stream& stream = streams_[static_cast<std::size_t>(stream_index(flight.request))];
  stream.until = std::max(stream.until, last);
  if (--stream.requests == 0) {
    counters_of(stream_index(flight.request)).in_flight +=
        std::max<Femtoseconds>(0, stream.until - stream.since);
  }
  const auto index = static_cast<std::size_t>(&flight - flights_.data());
  used_flights_.erase(std::find(used_flights_.begin(), used_flights_.end(), index));
  free_flights_.push_back(index);
}

/// Wakes when the first answer may be due: a read's when its data begins to come at the earliest,
/// but not before its last command can be known.
void TimingDram::schedule() {
  if (used_flights_.empty()) return;
  DramClock next = kNeverClock;
  for (DramLane& lane : lanes_) next = std::min(next, lane.next_event());
  Femtoseconds due = next * clock_fs_ + config_.controller_fs;  // of a write that enters then
  const auto lanes = static_cast<std::int64_t>(lanes_.size());
  for (const std::size_t index : used_flights_) {
    const Flight& flight = flights_[index];
    if (flight.request.is_write) continue;
    const DramClock bursts = ceil_div(flight.left, lanes * config_.device.pseudo_channels);
    const DramClock last = next + (bursts - 1) * config_.device.t.burst;
    due = std::min(due, last * clock_fs_);
  }
  const Femtoseconds known = next * clock_fs_ - lookahead_ + 1;
  wake_.notify(delay_until(std::max(known, due)));
}

void TimingDram::finish(Femtoseconds end) {
  progress_.clear();
  for (DramLane& lane : lanes_) {
    lane.finish(end / clock_fs_, progress_);
    counters_.dram_commands += lane.counts();
  }
  settle_progress();
  counters_.dram_busy =
      counters_.dram_bursts * config_.device.t.burst * clock_fs_ / std::max(1, config_.channels);
}

std::int64_t TimingDram::stream_index(const DramRequest& request) {
  return std::int64_t{request.op} * kTrafficClasses + static_cast<int>(request.traffic);
}

DramStream& TimingDram::counters_of(std::int64_t stream) {
  return counters_.operators[static_cast<std::size_t>(stream / kTrafficClasses)]
      .dram_streams[static_cast<std::size_t>(stream % kTrafficClasses)];
}

}  // namespace tessera::hw
