// Work that takes a known number of cycles at full speed and longer when buffers slow it down.
#pragma once

#include <algorithm>
#include <map>

#include "hw_models/bank_sharing.h"

namespace tessera::hw {

class PacedWork {
 public:
  void start(Cycles now, Cycles cycles) {
    *this = PacedWork();
    since_ = now;
    full_speed_end_ = now + cycles;
    remaining_ = cycles * kFullRate;
    running_ = true;
  }
  /// Buffer `source` serves this work at `speed` from now on.
  void set_speed(int source, Rate speed, Cycles now) {
    advance(now);
    speeds_[source] = speed;
    speed_ = kFullRate;
    for (const auto& entry : speeds_) speed_ = std::min(speed_, entry.second);
  }
  /// Speed as far as buffers other than `source` allow.
  Rate speed_beside(int source) const {
    Rate speed = kFullRate;
    for (const auto& entry : speeds_) {
      if (entry.first != source) speed = std::min(speed, entry.second);
    }
    return speed;
  }
  /// When it ends if nothing changes; kNever while it stands still. REQUIRES: running.
  Cycles end() const {
    if (remaining_ <= 0) return since_;
    return speed_ > 0 ? since_ + ceil_div(remaining_, speed_) : kNever;
  }
  bool running() const { return running_; }
  /// Cycles lost until `now` = its end.
  Cycles finish(Cycles now) {
    running_ = false;
    return now - full_speed_end_;
  }

 private:
  void advance(Cycles now) {
    remaining_ -= (now - since_) * speed_;
    since_ = now;
  }

  Cycles since_ = 0;
  Cycles full_speed_end_ = 0;   // when it would have ended with nothing in its way
  std::int64_t remaining_ = 0;  // cycles x kFullRate
  Rate speed_ = kFullRate;
  std::map<int, Rate> speeds_;
  bool running_ = false;
};

}  // namespace tessera::hw
