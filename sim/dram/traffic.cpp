#include "sim/dram/traffic.h"

#include <algorithm>
#include <deque>
#include <random>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tessera::sim {

namespace {

using hw::Bytes;
using hw::DramClock;

constexpr Bytes kKiB = 1024, kMiB = kKiB * kKiB;
constexpr Bytes kRandomSpan = 256 * kMiB, kRandomBytes = 64;
constexpr Bytes kStreamDistance = 64 * kMiB;
constexpr Bytes kStagger[3] = {0, 5 * kKiB, 11 * kKiB};

/// Builds a pattern, range by range.
class TrafficWriter {
 public:
  explicit TrafficWriter(Bytes burst) : burst_(burst) {}

  /// Every burst that [address, address + bytes) touches.
  void append(Bytes address, Bytes bytes, bool is_write = false) {
    traffic_.useful_bytes += bytes;
    for (Bytes at = address / burst_ * burst_; at < address + bytes; at += burst_) {
      if (traffic_.bursts.size() == kMostTrafficBursts) {
        throw std::invalid_argument(fmt::format("more than {} bursts", kMostTrafficBursts));
      }
      traffic_.bursts.push_back({at, is_write});
    }
  }
  DramTraffic take() { return std::move(traffic_); }

 private:
  Bytes burst_;
  DramTraffic traffic_;
};

void append_mix(TrafficWriter& out, Bytes chunk, Bytes total, bool stagger) {
  for (Bytes done = 0; done < total / 3; done += chunk) {
    for (int stream = 0; stream < 3; ++stream) {
      const Bytes base = stream * kStreamDistance + (stagger ? kStagger[stream] : 0);
      out.append(base + done, chunk, stream == 2);
    }
  }
}

void append_tiles(TrafficWriter& out, Bytes rows, Bytes columns, Bytes pitch, Bytes total) {
  Bytes read = 0;
  for (Bytes top = 0; read < total; top += rows) {
    for (Bytes left = 0; left < pitch && read < total; left += columns) {
      for (Bytes row = 0; row < rows; ++row) out.append((top + row) * pitch + left, columns);
      read += rows * columns;
    }
  }
}

void append_random(TrafficWriter& out, Bytes total) {
  std::mt19937_64 engine(1);
  for (Bytes done = 0; done < total; done += kRandomBytes) {
    const auto pick = static_cast<Bytes>(engine() % (kRandomSpan / kRandomBytes));
    out.append(pick * kRandomBytes, kRandomBytes);
  }
}

/// A form as its words: capitals stand for bytes or counts, `a|b` for one of two.
struct Form {
  std::vector<std::string> words;
  const char* help;
  void (*append)(TrafficWriter& out, const std::vector<Bytes>& n, const std::string& last);
};

const std::vector<Form>& forms() {
  using Numbers = const std::vector<Bytes>&;
  using Word = const std::string&;
  static const std::vector<Form> all{
      {{"seq", "rd", "BYTES"},
       "reads one after the other",
       [](auto& out, Numbers n, Word) { out.append(0, n[0]); }},
      {{"seq", "wr", "BYTES"},
       "writes one after the other",
       [](auto& out, Numbers n, Word) { out.append(0, n[0], true); }},
      {{"rand", "BYTES"},
       "reads of 64 bytes at random in 256 MiB",
       [](auto& out, Numbers n, Word) { append_random(out, n[0]); }},
      {{"mix", "CHUNK", "BYTES", "aligned|stagger"},
       "two streams of reads and one of writes, in turn by chunks",
       [](auto& out, Numbers n, Word last) { append_mix(out, n[0], n[1], last == "stagger"); }},
      {{"tile", "ROWS", "COLUMNBYTES", "PITCH", "BYTES"},
       "reads of all tiles of a matrix with rows of PITCH bytes",
       [](auto& out, Numbers n, Word) { append_tiles(out, n[0], n[1], n[2], n[3]); }}};
  return all;
}

std::vector<std::string> words_between_underscores(const std::string& text) {
  std::vector<std::string> words{""};
  for (const char c : text) {
    if (c == '_') {
      words.emplace_back();
    } else {
      words.back().push_back(c);
    }
  }
  return words;
}

/// 0: not a number from 1 to kMostTrafficBytes.
Bytes bytes_or_zero(const std::string& word) {
  const bool digits = !word.empty() && word.size() <= 9 &&
                      word.find_first_not_of("0123456789") == std::string::npos;
  const Bytes value = digits ? std::stoll(word) : 0;
  return value <= kMostTrafficBytes ? value : 0;
}

/// True when `words` are of the form; `numbers` are those of its capitals.
bool fits(const Form& form, const std::vector<std::string>& words, std::vector<Bytes>& numbers) {
  if (words.size() != form.words.size()) return false;
  numbers.clear();
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& wanted = form.words[i];
    const std::size_t bar = wanted.find('|');
    if (wanted.front() >= 'A' && wanted.front() <= 'Z') {
      numbers.push_back(bytes_or_zero(words[i]));
      if (numbers.back() == 0) return false;
    } else if (words[i] != wanted.substr(0, bar) &&
               (bar == std::string::npos || words[i] != wanted.substr(bar + 1))) {
      return false;
    }
  }
  return true;
}

/// The requester and its channels in one loop over the clocks at which something happens.
class ClosedLoop {
 public:
  ClosedLoop(const hw::DramDevice& device, int channels, const hw::DramAddressMap& map,
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
    Lane(const hw::DramDevice& device, const hw::DramPolicy& policy) : channel(device, policy) {}
    void advance(DramClock until, int response_clocks) {
      done.clear();
      channel.advance(until, done);
      for (const hw::DramCompletion& each : done) {  // in order, one response a clock
        last_response = std::max(last_response + 1, each.last_beats + response_clocks);
        responses.push_back({last_response, each.accepted, each.is_write});
      }
    }
    hw::DramChannel channel;
    std::vector<hw::DramCompletion> done;
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
    while (cursor_ < bursts_.size()) {
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
    DramClock next = hw::kNeverClock;
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
    made.clocks = last_;
    for (const Lane& lane : lanes_) made.counts += lane.channel.counts();
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

  const hw::DramDevice& device_;
  const hw::DramAddressMap& map_;
  const TrafficRules& rules_;
  const std::vector<TrafficBurst>& bursts_;
  const int depth_;
  std::vector<Lane> lanes_;
  hw::DramPlace place_;
  std::size_t cursor_ = 0, completed_ = 0;
  bool waits_for_room_ = false;
  int accepted_now_ = 0;
  int outstanding_[2] = {0, 0};  // reads, writes
  DramClock now_ = 0, last_ = 0;
  std::vector<DramClock> read_clocks_;
};

}  // namespace

std::string traffic_forms() {
  std::string text;
  for (const Form& form : forms()) {
    text += fmt::format("  {:<36}{}\n", fmt::to_string(fmt::join(form.words, "_")), form.help);
  }
  return text;
}

DramTraffic dram_traffic(const std::string& pattern, Bytes burst) {
  const std::vector<std::string> words = words_between_underscores(pattern);
  std::vector<Bytes> numbers;
  for (const Form& form : forms()) {
    if (!fits(form, words, numbers)) continue;
    TrafficWriter out(burst);
    form.append(out, numbers, words.back());
    DramTraffic traffic = out.take();
    if (traffic.bursts.empty()) throw std::invalid_argument("no bursts");
    return traffic;
  }
  throw std::invalid_argument(
      fmt::format("not a known pattern of numbers from 1 to {}", kMostTrafficBytes));
}

TrafficResult run_traffic(const hw::DramDevice& device, int channels, const hw::DramAddressMap& map,
                          const TrafficRules& rules, const std::vector<TrafficBurst>& bursts) {
  return ClosedLoop(device, channels, map, rules, bursts).run();
}

}  // namespace tessera::sim
