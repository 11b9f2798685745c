// Errors in percent, by hand.
#include <catch2/catch.hpp>

#include "sim/validation/statistics.h"

using namespace tessera::sim;

TEST_CASE("an error is signed and relative to the reference") {
  CHECK(error_percent(110, 100) == Approx(10));
  CHECK(error_percent(95, 100) == Approx(-5));
  CHECK(error_percent(100, 100) == 0);
}

TEST_CASE("median mean and worst are of absolute errors") {
  const ErrorStatistics odd = error_statistics({-4, 1, 2});
  CHECK(odd.count == 3);
  CHECK(odd.median == Approx(2));
  CHECK(odd.mean == Approx(7.0 / 3));
  CHECK(odd.worst == Approx(4));
  CHECK(odd.worst_index == 0);
  const ErrorStatistics even = error_statistics({1, -3, 3, 0});
  CHECK(even.median == Approx(2));
  CHECK(even.worst_index == 1);  // the first of equals
}

TEST_CASE("no figures have no errors") {
  const ErrorStatistics none = error_statistics({});
  CHECK(none.count == 0);
  CHECK(none.worst == 0);
}
