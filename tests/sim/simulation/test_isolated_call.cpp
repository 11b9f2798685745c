// Work in a child: its answer, its error, its end.
#include <signal.h>

#include <catch2/catch.hpp>
#include <stdexcept>
#include <string>

#include "sim/simulation/isolated_call.h"

using tessera::sim::IsolatedCall;

TEST_CASE("a child answers whatever its length") {
  CHECK(IsolatedCall([] { return std::string(); }).wait().empty());
  const std::string large(3'000'000, 'x');
  CHECK(IsolatedCall([&] { return large; }).wait() == large);
}

TEST_CASE("what a child throws, its parent throws") {
  IsolatedCall call([]() -> std::string { throw std::invalid_argument("no such thing"); });
  CHECK_THROWS_WITH(call.wait(), "no such thing");
}

TEST_CASE("a child that is killed says by what") {
  IsolatedCall call([]() -> std::string {
    raise(SIGKILL);
    return "never";
  });
  CHECK_THROWS_WITH(call.wait(), "a child process was ended: Killed");
}

TEST_CASE("a child nobody waits for does not stay") {
  int descriptor = -1;
  {
    const IsolatedCall call([]() -> std::string {
      for (;;) {
      }
    });
    descriptor = call.descriptor();
    CHECK(descriptor >= 0);
  }
  CHECK(descriptor >= 0);  // and the destructor came back
}
