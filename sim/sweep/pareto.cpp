#include "sim/sweep/pareto.h"

#include <algorithm>
#include <numeric>

namespace tessera::sim {
namespace {

/// The non-dominated among `points`, one of each.
std::vector<Objectives> distinct_front(std::vector<Objectives> points) {
  std::sort(points.begin(), points.end());
  points.erase(std::unique(points.begin(), points.end()), points.end());
  std::vector<Objectives> front;
  for (const std::size_t i : pareto_front(points)) front.push_back(points[i]);
  return front;
}

double volume(std::vector<Objectives> front, const Objectives& reference) {
  const std::size_t last = reference.size() - 1;
  if (front.empty()) return 0;
  if (last == 0) {
    return reference[0] - (*std::min_element(front.begin(), front.end()))[0];
  }
  std::sort(front.begin(), front.end(), [last](const Objectives& a, const Objectives& b) {
    return a[last] != b[last] ? a[last] < b[last] : a < b;
  });
  const Objectives below(reference.begin(), reference.end() - 1);
  std::vector<Objectives> slice;
  double sum = 0;
  for (std::size_t i = 0; i < front.size(); ++i) {
    slice.emplace_back(front[i].begin(), front[i].end() - 1);
    const double next = i + 1 < front.size() ? front[i + 1][last] : reference[last];
    if (next > front[i][last]) {
      slice = distinct_front(std::move(slice));
      sum += (next - front[i][last]) * volume(slice, below);
    }
  }
  return sum;
}

}  // namespace

bool dominates(const Objectives& a, const Objectives& b) {
  bool better = false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] > b[i]) return false;
    better = better || a[i] < b[i];
  }
  return better;
}

std::vector<std::size_t> pareto_front(const std::vector<Objectives>& points) {
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return points[a] != points[b] ? points[a] < points[b] : a < b;
  });
  std::vector<std::size_t> front;
  for (const std::size_t i : order) {  // nothing behind can dominate what is ahead
    const bool beaten = std::any_of(front.begin(), front.end(), [&](std::size_t member) {
      return dominates(points[member], points[i]);
    });
    if (!beaten) front.push_back(i);
  }
  std::sort(front.begin(), front.end());
  return front;
}

double hypervolume(std::vector<Objectives> front, const Objectives& reference) {
  front.erase(std::remove_if(front.begin(), front.end(),
                             [&](const Objectives& point) {
                               for (std::size_t i = 0; i < reference.size(); ++i) {
                                 if (point[i] >= reference[i]) return true;
                               }
                               return false;
                             }),
              front.end());
  return volume(distinct_front(std::move(front)), reference);
}

}  // namespace tessera::sim
