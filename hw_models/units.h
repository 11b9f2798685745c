// Integer quantities of the machine and the one conversion between cycles and time.
#pragma once

#include <cstdint>
#include <limits>

namespace tessera::hw {

using Cycles = std::int64_t;  // of the core clock unless the name says otherwise
using Bytes = std::int64_t;
using Femtoseconds = std::int64_t;  // simulation resolution: 1 fs (2.5 hours fit)

/// The end of work that stands still; no cycle of any clock.
constexpr Cycles kNever = std::numeric_limits<Cycles>::max();

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
constexpr std::int64_t round_up(std::int64_t a, std::int64_t b) { return ceil_div(a, b) * b; }

/// A clock of a whole number of hertz. Edge n lies at ceil(n * 10^15 / hz), computed in 128 bits,
/// never by accumulating a period.
class Clock {
 public:
  explicit constexpr Clock(std::int64_t hz = 1'000'000'000)
      : hz_(hz),
        period_(kFsPerSecond % hz == 0 ? static_cast<Femtoseconds>(kFsPerSecond / hz) : 0) {}
  constexpr std::int64_t hz() const { return hz_; }
  /// Time of edge n >= 0.
  Femtoseconds edge(std::int64_t n) const {
    if (period_ > 0) return n * period_;
    return static_cast<Femtoseconds>((static_cast<__int128>(n) * kFsPerSecond + hz_ - 1) / hz_);
  }
  /// The first edge at or after `t`.
  std::int64_t edge_at_or_after(Femtoseconds t) const {
    if (period_ > 0) return ceil_div(t, period_);
    // The smallest n with n * 10^15 / hz > t - 1.
    if (t <= 0) return 0;
    return static_cast<std::int64_t>(static_cast<__int128>(t - 1) * hz_ / kFsPerSecond) + 1;
  }
  /// The last edge at or before `t`: number of full cycles elapsed.
  std::int64_t edge_at_or_before(Femtoseconds t) const;

 private:
  static constexpr __int128 kFsPerSecond = 1'000'000'000'000'000;
  std::int64_t hz_;
  Femtoseconds period_;  // exact period, or 0 when it is no whole number of femtoseconds
};

inline std::int64_t Clock::edge_at_or_before(Femtoseconds t) const {
  const std::int64_t n = edge_at_or_after(t);
  return edge(n) == t ? n : n - 1;
}

}  // namespace tessera::hw
