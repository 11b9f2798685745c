#include "hw_models/interconnect.h"

#include <algorithm>

#include "hw_models/kernel/process.h"

namespace tessera::hw {

Interconnect::Interconnect(sc_core::sc_module_name name, const HardwareConfig& config,
                           DramController& dram, int requesters)
    : sc_module(name),
      requests("requests"),
      deliveries("deliveries"),
      config_(config.interconnect),
      clock_(config.clocks.interconnect_hz > 0 ? config.clocks.interconnect_hz
                                               : config.clocks.core_hz),
      core_(config.clocks.core_hz),
      latency_fs_(clock_.edge(config.interconnect.latency)),
      dram_(dram),
      requesters_(requesters),
      served_last_(requesters - 1) {
  spawn_step([this] { step(); }, {&requests.arrived(), &dram_.responses.arrived(), &deliver_});
}

void Interconnect::step() {
  cross_writes();
  forward(requests.take());
  for (const DramResponse& response : dram_.responses.take()) accept(response);
  deliver(reads_);
  deliver(writes_);
}

void Interconnect::forward(const std::vector<DramRequest>& arrived) {
  if (arrived.size() <= 1 || config_.arbitration == Arbitration::kPriority) {
    for (const DramRequest& request : arrived) send(request);
    return;
  }
  // Arrivals are sorted by requester: one of each in turn, behind the one served last.
  std::vector<std::size_t> next(static_cast<std::size_t>(requesters_), arrived.size());
  for (std::size_t i = arrived.size(); i-- > 0;) {
    next[static_cast<std::size_t>(arrived[i].requester)] = i;
  }
  for (std::size_t left = arrived.size(); left > 0;) {
    served_last_ = (served_last_ + 1) % requesters_;
    std::size_t& at = next[static_cast<std::size_t>(served_last_)];
    if (at >= arrived.size() || arrived[at].requester != served_last_) continue;
    send(arrived[at++]);
    --left;
  }
}

Femtoseconds Interconnect::data_time(Bytes bytes) const {
  return clock_.edge(ceil_div(bytes, config_.width));
}

void Interconnect::send(DramRequest request) {
  served_last_ = request.requester;
  if (request.is_write) {
    crossing_.push_back(request);
    return cross_writes();
  }
  request.turn = turns_++;
  request.arrival = now_fs() + latency_fs_;
  dram_.requests.post(request);
}

/// A write is asked for when its first beat crosses: the DRAM sees requests in order of arrival.
void Interconnect::cross_writes() {
  const Femtoseconds now = now_fs();
  while (!crossing_.empty() && write_free_ <= now) {
    DramRequest request = crossing_.front();
    crossing_.pop_front();
    write_free_ = now + data_time(request.bus_bytes);
    request.turn = turns_++;
    request.arrival = now + latency_fs_;
    request.data_crossed = write_free_ + latency_fs_;
    dram_.requests.post(request);
  }
  if (!crossing_.empty()) deliver_.notify(delay_until(write_free_));
}

void Interconnect::accept(const DramResponse& response) {
  response.request.is_write ? accept_write(response) : accept_read(response);
}

/// The path is busy for the time of the data, from its first beat on, and the last beat is not
/// ahead of the DRAM.
void Interconnect::accept_read(const DramResponse& response) {
  const Femtoseconds begin = std::max(read_free_, response.first_data);
  read_free_ = std::max(response.last_data, begin + data_time(response.request.bus_bytes));
  const Cycles last = core_.edge_at_or_after(read_free_ + latency_fs_);
  // A cycle at least for data that comes and goes within one.
  Cycles first = std::min(core_.edge_at_or_after(begin + latency_fs_), last - 1);
  first = std::max(first, core_.edge_at_or_after(now_fs()));
  if (!reads_.empty()) first = std::max(first, core_.edge_at_or_before(reads_.back().when));
  reads_.push_back({core_.edge(first), {response.request, std::max<Cycles>(0, last - first)}});
}

void Interconnect::accept_write(const DramResponse& response) {
  const Femtoseconds last = std::max(response.last_data, response.request.data_crossed);
  const Cycles arrival = core_.edge_at_or_after(last + latency_fs_);
  writes_.push_back({core_.edge(arrival), {response.request, 0}});
}

Cycles Interconnect::crossing_cycles(Bytes bytes) const {
  return std::max<Cycles>(1, core_.edge_at_or_after(data_time(bytes)));
}

void Interconnect::deliver(std::deque<Pending>& path) {
  const Femtoseconds now = now_fs();
  while (!path.empty() && path.front().when <= now) {
    deliveries.post(path.front().delivery);
    path.pop_front();
  }
  if (!path.empty()) deliver_.notify(delay_until(path.front().when));
}

}  // namespace tessera::hw
