#include "sim/check/online_softmax.h"

#include <algorithm>
#include <cmath>

#include "sim/check/numerics.h"

namespace tessera::sim {

void online_softmax(std::vector<double>& values, RowStatistics& row, std::int64_t keys) {
  const bool first = row.seen == 0;
  const double block = *std::max_element(values.begin(), values.end());
  const double largest = static_cast<float>(first ? block : std::max<double>(row.largest, block));
  double factor = first ? 0.0 : std::exp((row.largest - largest) / 8);
  double sum = row.sum * factor;
  for (double& x : values) {
    x = 4 * std::exp((x - largest) / 8);
    sum += x;
  }
  row.seen += static_cast<float>(values.size());
  if (row.seen == static_cast<float>(keys)) {
    const double share = static_cast<double>(keys) / sum;
    for (double& x : values) x *= share;
    factor *= share;
  }
  row.largest = static_cast<float>(largest);
  row.sum = static_cast<float>(sum);
  row.factor = static_cast<float>(factor);
}

std::int64_t rescaled(std::int64_t sum, float factor, int bits) {
  const double scaled = std::nearbyint(static_cast<double>(sum) * static_cast<double>(factor));
  return wrapped(static_cast<std::int64_t>(scaled), bits);
}

float rescaled(float sum, float factor) { return sum * factor; }

}  // namespace tessera::sim
