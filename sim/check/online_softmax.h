// Online softmax by value: what the program and the plain reference both compute.
#pragma once

#include <cstdint>
#include <vector>

namespace tessera::sim {

/// What is known of a row after some of its keys. 32 bits each, in this order, in a slot of
/// statistics.
struct RowStatistics {
  float largest = 0;
  float sum = 0;
  float factor = 0;  // of sums made with the maximum before
  float seen = 0;    // keys
};

/// Scores of the next keys of a row become shares: exp((x - maximum so far) / 8), times 4 so that
/// they fill a narrow format; with the last of the row's `keys` they are as softmax leaves them,
/// `keys` on the average of 1, and so is what `factor` makes of earlier sums.
void online_softmax(std::vector<double>& values, RowStatistics& row, std::int64_t keys);

/// A sum of products made with earlier maxima. Integer sums wrap at `bits`.
std::int64_t rescaled(std::int64_t sum, float factor, int bits);
float rescaled(float sum, float factor);

}  // namespace tessera::sim
