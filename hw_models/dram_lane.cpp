#include "hw_models/dram_lane.h"

#include <algorithm>

namespace tessera::hw {

namespace {

constexpr std::size_t kRead = 0, kWrite = 1;

}  // namespace

void DramLane::add(const DramAccess& access, DramClock arrival, std::int64_t posted) {
  waiting_[access.is_write ? kWrite : kRead].push_back({access, arrival, posted});
  if (!access.is_write) ++reads_waiting_;
}

/// Of the heads that find room, the one that arrived first; 2: none.
std::size_t DramLane::first_to_enter() const {
  std::size_t first = waiting_.size();
  for (const std::size_t direction : {kRead, kWrite}) {
    if (waiting_[direction].empty()) continue;
    const Waiting& head = waiting_[direction].front();
    if (!channel_.has_space(direction == kWrite, head.access.bursts)) continue;
    if (first == waiting_.size() || head.arrival < waiting_[first].front().arrival) {
      first = direction;
    }
  }
  return first;
}

DramClock DramLane::next_accept() const {
  const std::size_t direction = first_to_enter();
  if (direction == waiting_.size()) return kNeverClock;
  return std::max(waiting_[direction].front().arrival, now_);
}

void DramLane::accept(std::size_t direction, DramProgress& progress) {
  Waiting head = waiting_[direction].front();
  waiting_[direction].pop_front();
  if (channel_.is_idle() && head.arrival > now_ + 1) channel_.advance(head.arrival - 1, done_);
  now_ = std::max(now_, head.arrival);
  if (direction == kWrite) {
    progress.entered.push_back({head.access.token, true, now_, now_, now_, head.access.bursts, 0});
    head.access.token = head.posted;
  }
  channel_.accept(head.access, now_);
}

void DramLane::advance(DramClock until, const DramRoom& wanted, DramProgress& progress) {
  done_.clear();
  now_ = channel_.advance(until, done_, wanted);
  for (const DramCompletion& each : done_) {
    (each.is_write ? progress.written : progress.read).push_back(each);
    if (!each.is_write) --reads_waiting_;
  }
}

/// The latest clock up to which commands may go before someone enters without their help, and who
/// needs their help.
DramClock DramLane::undisturbed(DramClock until, DramRoom& wanted) const {
  for (const std::size_t direction : {kRead, kWrite}) {
    if (waiting_[direction].empty()) continue;
    const Waiting& head = waiting_[direction].front();
    if (channel_.has_space(direction == kWrite, head.access.bursts)) {
      until = std::min(until, head.arrival - 1);
    } else {
      (direction == kWrite ? wanted.writes : wanted.reads) = head.access.bursts;
    }
  }
  return until;
}

void DramLane::run(DramClock until, DramProgress& progress) {
  while (true) {
    const DramClock enter = next_accept();
    const DramClock command = channel_.next_command();
    if (std::min(enter, command) > until) return;
    if (enter <= command) {
      accept(first_to_enter(), progress);
    } else {
      DramRoom wanted;
      const DramClock end = undisturbed(until, wanted);
      advance(end, wanted, progress);
    }
  }
}

DramClock DramLane::next_event() {
  const bool waits = !waiting_[kRead].empty() || !waiting_[kWrite].empty();
  const DramClock command = reads_waiting_ > 0 || waits ? channel_.next_command() : kNeverClock;
  return std::min(command, next_accept());
}

void DramLane::finish(DramClock until, DramProgress& progress) {
  if (until > now_) advance(until, {}, progress);
}

}  // namespace tessera::hw
