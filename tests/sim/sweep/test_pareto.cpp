// Fronts and hypervolumes against brute force and by hand.
#include <catch2/catch.hpp>
#include <random>

#include "sim/sweep/pareto.h"

using tessera::sim::dominates;
using tessera::sim::hypervolume;
using tessera::sim::Objectives;
using tessera::sim::pareto_front;

namespace {

std::vector<Objectives> random_points(std::mt19937& random, std::size_t count,
                                      std::size_t objectives, int values) {
  std::vector<Objectives> points(count, Objectives(objectives));
  for (Objectives& point : points) {
    for (double& each : point) each = static_cast<double>(random() % static_cast<unsigned>(values));
  }
  return points;
}

std::vector<std::size_t> brute_front(const std::vector<Objectives>& points) {
  std::vector<std::size_t> front;
  for (std::size_t i = 0; i < points.size(); ++i) {
    bool beaten = false;
    for (const Objectives& other : points) beaten = beaten || dominates(other, points[i]);
    if (!beaten) front.push_back(i);
  }
  return front;
}

/// Cells of the unit grid below the reference that some point dominates.
double counted_volume(const std::vector<Objectives>& points, int side) {
  double cells = 0;
  for (int x = 0; x < side; ++x) {
    for (int y = 0; y < side; ++y) {
      for (int z = 0; z < side; ++z) {
        bool inside = false;
        for (const Objectives& p : points) inside = inside || (p[0] <= x && p[1] <= y && p[2] <= z);
        cells += inside ? 1 : 0;
      }
    }
  }
  return cells;
}

}  // namespace

TEST_CASE("the front is what nothing dominates, ties included") {
  CHECK(pareto_front({{1, 5}, {2, 2}, {2, 2}, {3, 1}, {3, 3}, {1, 6}}) ==
        std::vector<std::size_t>{0, 1, 2, 3});
  CHECK(pareto_front({}).empty());
  CHECK(pareto_front({{3}, {1}, {2}, {1}}) == std::vector<std::size_t>{1, 3});
}

TEST_CASE("the front agrees with brute force on random points") {
  std::mt19937 random(1);
  for (int round = 0; round < 60; ++round) {
    const std::size_t objectives = 1 + random() % 4;
    const auto points = random_points(random, 1 + random() % 60, objectives, 8);
    CHECK(pareto_front(points) == brute_front(points));
  }
}

TEST_CASE("the hypervolume is the union of boxes") {
  CHECK(hypervolume({{1, 3}, {2, 1}}, {4, 4}) == 3 * 1 + 2 * 3 - 2 * 1 + 0.0);
  CHECK(hypervolume({{0, 0}}, {2, 3}) == 6);
  CHECK(hypervolume({{5, 0}}, {4, 4}) == 0);
  CHECK(hypervolume({{1}, {3}}, {4}) == 3);
}

TEST_CASE("the hypervolume of random points in three objectives is what counting cells gives") {
  std::mt19937 random(2);
  for (int round = 0; round < 30; ++round) {
    const auto points = random_points(random, 1 + random() % 20, 3, 9);
    CHECK(hypervolume(points, {8, 8, 8}) == counted_volume(points, 8));
  }
}
