// How far a set of figures is off.
#pragma once

#include <cstddef>
#include <vector>

namespace tessera::sim {

/// Of absolute errors, in percent; zeros when there are none.
struct ErrorStatistics {
  std::size_t count = 0;
  double median = 0, mean = 0, worst = 0;
  std::size_t worst_index = 0;  // the first one of that size
};

/// (ours - theirs) / theirs in percent. REQUIRES: theirs > 0.
double error_percent(double ours, double theirs);

/// `errors` in percent, signed.
ErrorStatistics error_statistics(const std::vector<double>& errors);

}  // namespace tessera::sim
