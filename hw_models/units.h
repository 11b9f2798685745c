// Integer quantities of the machine and the one conversion between cycles and time.
#pragma once

#include <cstdint>

namespace tessera::hw {

using Cycles = std::int64_t;        // of the core clock unless the name says otherwise
using Bytes = std::int64_t;
using Femtoseconds = std::int64_t;  // simulation resolution: 1 fs (2.5 hours fit)

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
constexpr std::int64_t round_up(std::int64_t a, std::int64_t b) { return ceil_div(a, b) * b; }

/// A clock of a whole number of hertz. Edge n lies at ceil(n * 10^15 / hz), computed in 128 bits,
/// never by accumulating a period.
class Clock {
 public:
  explicit constexpr Clock(std::int64_t hz = 1'000'000'000) : hz_(hz) {}
  constexpr std::int64_t hz() const { return hz_; }
  /// Time of edge n >= 0.
  Femtoseconds edge(std::int64_t n) const {
    return static_cast<Femtoseconds>((static_cast<__int128>(n) * kFsPerSecond + hz_ - 1) / hz_);
  }
  /// The first edge at or after `t`.
  std::int64_t edge_at_or_after(Femtoseconds t) const {
    return static_cast<std::int64_t>((static_cast<__int128>(t) * hz_ + kFsPerSecond - 1) /
                                     kFsPerSecond);
  }
  /// The last edge at or before `t`: number of full cycles elapsed.
  std::int64_t edge_at_or_before(Femtoseconds t) const;

 private:
  static constexpr __int128 kFsPerSecond = 1'000'000'000'000'000;
  std::int64_t hz_;
};

inline std::int64_t Clock::edge_at_or_before(Femtoseconds t) const {
  const std::int64_t n = edge_at_or_after(t);
  return edge(n) == t ? n : n - 1;
}

}  // namespace tessera::hw
