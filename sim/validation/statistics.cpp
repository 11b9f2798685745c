#include "sim/validation/statistics.h"

#include <algorithm>
#include <cmath>

namespace tessera::sim {

double error_percent(double ours, double theirs) { return 100.0 * (ours - theirs) / theirs; }

ErrorStatistics error_statistics(const std::vector<double>& errors) {
  ErrorStatistics out;
  out.count = errors.size();
  if (errors.empty()) return out;
  std::vector<double> sizes;
  for (const double error : errors) sizes.push_back(std::abs(error));
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    out.mean += sizes[i];
    if (sizes[i] > sizes[out.worst_index]) out.worst_index = i;
  }
  out.mean /= static_cast<double>(sizes.size());
  out.worst = sizes[out.worst_index];
  std::sort(sizes.begin(), sizes.end());
  const std::size_t half = sizes.size() / 2;
  out.median = sizes.size() % 2 == 1 ? sizes[half] : (sizes[half - 1] + sizes[half]) / 2;
  return out;
}

}  // namespace tessera::sim
