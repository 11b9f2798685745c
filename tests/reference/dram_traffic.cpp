#include "tests/reference/dram_traffic.h"

#include <algorithm>
#include <cstdio>
#include <deque>
#include <random>
#include <stdexcept>

namespace tessera::hw {

namespace {

constexpr Bytes kKiB = 1024, kMiB = kKiB * kKiB;
constexpr Bytes kRandomSpan = 256 * kMiB, kRandomBytes = 64;
constexpr Bytes kStreamDistance = 64 * kMiB;
constexpr Bytes kStagger[3] = {0, 5 * kKiB, 11 * kKiB};

/// Every burst that [address, address + bytes) touches.
void append(std::vector<TrafficBurst>& bursts, Bytes address, Bytes bytes, Bytes burst,
            bool is_write) {
  for (Bytes at = address / burst * burst; at < address + bytes; at += burst) {
    bursts.push_back({at, is_write});
  }
}

std::vector<TrafficBurst> mix_bursts(Bytes chunk, Bytes total, bool stagger, Bytes burst) {
  std::vector<TrafficBurst> bursts;
  for (Bytes done = 0; done < total / 3; done += chunk) {
    for (int stream = 0; stream < 3; ++stream) {
      const Bytes base = stream * kStreamDistance + (stagger ? kStagger[stream] : 0);
      append(bursts, base + done, chunk, burst, stream == 2);
    }
  }
  return bursts;
}

std::vector<TrafficBurst> tile_bursts(Bytes rows, Bytes columns, Bytes pitch, Bytes total,
                                      Bytes burst) {
  std::vector<TrafficBurst> bursts;
  Bytes read = 0;
  for (Bytes top = 0; read < total; top += rows) {
    for (Bytes left = 0; left < pitch && read < total; left += columns) {
      for (Bytes row = 0; row < rows; ++row) {
        append(bursts, (top + row) * pitch + left, columns, burst, false);
      }
      read += rows * columns;
    }
  }
  return bursts;
}

std::vector<TrafficBurst> random_bursts(Bytes total, Bytes burst, std::uint64_t seed) {
  std::vector<TrafficBurst> bursts;
  std::mt19937_64 engine(seed);
  for (Bytes done = 0; done < total; done += kRandomBytes) {
    const auto pick = static_cast<Bytes>(engine() % (kRandomSpan / kRandomBytes));
    append(bursts, pick * kRandomBytes, kRandomBytes, burst, false);
  }
  return bursts;
}

/// The requester and its channels in one loop over the clocks at which something happens.
class ClosedLoop {
 public:
  ClosedLoop(const DramDevice& device, int channels, const DramAddressMap& map,
             const TrafficRules& rules, const std::vector<TrafficBurst>& bursts)
      : device_(device),
        map_(map),
        rules_(rules),
        bursts_(bursts),
        depth_(rules.queue_depth * device.pseudo_channels * channels) {
    for (int i = 0; i < channels; ++i) lanes_.emplace_back(device, rules.policy);
    if (!bursts.empty()) place_ = map_.place(bursts[0].address);
  }

  TrafficResult run() {
    while (completed_ < bursts_.size()) {
      take_responses();
      const bool wants_more = offer();
      for (Lane& lane : lanes_) lane.advance(now_, rules_.response_clocks);
      if (!wants_more) offer_what_waits_for_room();
      now_ = wants_more ? now_ + 1 : next_event();
    }
    return result();
  }

 private:
  struct Response {
    DramClock clock, accepted;
    bool is_write;
  };
  struct Lane {
    Lane(const DramDevice& device, const DramPolicy& policy) : channel(device, policy) {}
    void advance(DramClock until, int response_clocks) {
      done.clear();
      channel.advance(until, done);
      for (const DramCompletion& each : done) {  // in order, one response a clock
        last_response = std::max(last_response + 1, each.last_beats + response_clocks);
        responses.push_back({last_response, each.accepted, each.is_write});
      }
    }
    DramChannel channel;
    std::vector<DramCompletion> done;
    std::deque<Response> responses;
    DramClock last_response = 0;
  };

  void take_responses() {
    for (Lane& lane : lanes_) {
      while (!lane.responses.empty() && lane.responses.front().clock <= now_) {
        const Response& response = lane.responses.front();
        --outstanding_[response.is_write ? 1 : 0];
        if (!response.is_write) read_clocks_.push_back(response.clock - response.accepted);
        last_ = std::max(last_, response.clock);
        ++completed_;
        lane.responses.pop_front();
      }
    }
  }

  void accept(Lane& lane) {
    const bool is_write = bursts_[cursor_].is_write;
    lane.channel.accept({static_cast<std::int64_t>(cursor_), place_.bank, place_.row, is_write, 1},
                        now_);
    ++outstanding_[is_write ? 1 : 0];
    ++accepted_now_;
    if (++cursor_ < bursts_.size()) place_ = map_.place(bursts_[cursor_].address);
  }

  /// True when only the clock keeps the next burst from being accepted.
  bool offer() {
    accepted_now_ = 0;
    waits_for_room_ = false;
    for (std::size_t left = 2 * lanes_.size(); cursor_ < bursts_.size(); --left) {
      if (left == 0) return true;
      Lane& lane = lanes_[static_cast<std::size_t>(place_.channel)];
      const bool is_write = bursts_[cursor_].is_write;
      if (outstanding_[is_write ? 1 : 0] >= depth_) return false;
      if (accepted_now_ >= rules_.accepts_per_clock) return true;
      waits_for_room_ = !lane.channel.has_space(is_write);
      if (waits_for_room_) return false;
      accept(lane);
    }
    return false;
  }

  void offer_what_waits_for_room() {
    if (!waits_for_room_) return;
    Lane& lane = lanes_[static_cast<std::size_t>(place_.channel)];
    if (lane.channel.has_space(bursts_[cursor_].is_write)) accept(lane);
  }

  DramClock next_event() {
    DramClock next = kNeverClock;
    for (Lane& lane : lanes_) {
      if (!lane.responses.empty()) next = std::min(next, lane.responses.front().clock);
      next = std::min(next, lane.channel.next_command());
    }
    return std::max(next, now_ + 1);
  }

  TrafficResult result() {
    TrafficResult made;
    const double ns = static_cast<double>(device_.clock_fs) * 1e-6;
    const double peak = static_cast<double>(lanes_.size() * device_.pseudo_channels) /
                        static_cast<double>(device_.t.burst);
    made.sustained_fraction =
        static_cast<double>(bursts_.size()) / static_cast<double>(last_) / peak;
    for (const Lane& lane : lanes_) {
      made.counts.activates += lane.channel.counts().activates;
      made.counts.refreshes_all += lane.channel.counts().refreshes_all;
      made.counts.refreshes_bank += lane.channel.counts().refreshes_bank;
    }
    made.row_hit_rate =
        1.0 - static_cast<double>(made.counts.activates) / static_cast<double>(bursts_.size());
    if (read_clocks_.empty()) return made;
    std::sort(read_clocks_.begin(), read_clocks_.end());
    double sum = 0;
    for (const DramClock clocks : read_clocks_) sum += static_cast<double>(clocks);
    made.mean_read_ns = sum / static_cast<double>(read_clocks_.size()) * ns;
    made.p99_read_ns = static_cast<double>(read_clocks_[read_clocks_.size() * 99 / 100]) * ns;
    return made;
  }

  const DramDevice& device_;
  const DramAddressMap& map_;
  const TrafficRules& rules_;
  const std::vector<TrafficBurst>& bursts_;
  const int depth_;
  std::vector<Lane> lanes_;
  DramPlace place_;
  std::size_t cursor_ = 0, completed_ = 0;
  bool waits_for_room_ = false;
  int accepted_now_ = 0;
  int outstanding_[2] = {0, 0};  // reads, writes
  DramClock now_ = 0, last_ = 0;
  std::vector<DramClock> read_clocks_;
};

}  // namespace

std::vector<TrafficBurst> traffic_bursts(const std::string& pattern, Bytes burst,
                                         std::uint64_t seed) {
  long long a = 0, b = 0, c = 0, d = 0;
  char tail[16] = "";
  std::vector<TrafficBurst> bursts;
  if (std::sscanf(pattern.c_str(), "seq_rd_%lld", &a) == 1) {
    append(bursts, 0, a, burst, false);
  } else if (std::sscanf(pattern.c_str(), "seq_wr_%lld", &a) == 1) {
    append(bursts, 0, a, burst, true);
  } else if (std::sscanf(pattern.c_str(), "rand_%lld", &a) == 1) {
    bursts = random_bursts(a, burst, seed);
  } else if (std::sscanf(pattern.c_str(), "mix_%lld_%lld_%15s", &a, &b, tail) == 3) {
    bursts = mix_bursts(a, b, std::string(tail) == "stagger", burst);
  } else if (std::sscanf(pattern.c_str(), "tile_%lld_%lld_%lld_%lld", &a, &b, &c, &d) == 4) {
    bursts = tile_bursts(a, b, c, d, burst);
  } else {
    throw std::invalid_argument("traffic pattern `" + pattern + "`");
  }
  return bursts;
}

TrafficResult run_traffic(const DramDevice& device, int channels, const DramAddressMap& map,
                          const TrafficRules& rules, const std::vector<TrafficBurst>& bursts) {
  return ClosedLoop(device, channels, map, rules, bursts).run();
}

}  // namespace tessera::hw
