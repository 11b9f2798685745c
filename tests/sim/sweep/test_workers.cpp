// Processes and threads that do a sweep's points, also when they do not come back.
#include <unistd.h>
#include <catch2/catch.hpp>
#include <csignal>
#include <map>
#include <numeric>

#include "sim/sweep/evaluate.h"
#include "sim/sweep/workers.h"

using namespace tessera::sim;

namespace {

std::vector<std::int64_t> first(std::int64_t count) {
  std::vector<std::int64_t> items(static_cast<std::size_t>(count));
  std::iota(items.begin(), items.end(), 0);
  return items;
}

struct Collected {
  std::map<std::int64_t, WorkEnd> ends;
  OnEnds keep = [this](const std::vector<WorkEnd>& arrived) {
    for (const WorkEnd& end : arrived) ends[end.item] = end;
  };
};

const Stop kNever = [] { return false; };

}  // namespace

TEST_CASE("every piece is done once, in processes and in threads") {
  for (const auto run : {run_in_processes, run_in_threads}) {
    for (const int jobs : {1, 3}) {
      Collected collected;
      WorkerLimits limits;
      limits.jobs = jobs;
      const Work work = [](std::int64_t item) { return std::string(100'000, 'a' + item % 26); };
      CHECK(run(first(20), limits, work, collected.keep, kNever));
      REQUIRE(collected.ends.size() == 20);
      for (const auto& [item, end] : collected.ends) {
        CHECK(end.failure.empty());
        CHECK(end.answer == std::string(100'000, static_cast<char>('a' + item % 26)));
      }
    }
  }
}

TEST_CASE("an exception is a failure with its text") {
  for (const auto run : {run_in_processes, run_in_threads}) {
    Collected collected;
    const Work work = [](std::int64_t item) -> std::string {
      if (item == 1) throw std::runtime_error("no room.");
      return "x.";
    };
    CHECK(run(first(3), {}, work, collected.keep, kNever));
    CHECK(collected.ends[1].failure == "no room.");
    CHECK(collected.ends[2].answer == "x.");
  }
}

TEST_CASE("a process that crashes, hangs or hoards memory fails alone, with its reason") {
  setenv("TESSERA_SWEEP_FAULT", "segfault:1,hang:2,memory:3", 1);
  Collected collected;
  WorkerLimits limits;
  limits.jobs = 2;
  limits.timeout_s = 5.0;
  limits.memory_bytes = std::int64_t{384} << 20;
  const Work work = [](std::int64_t item) {
    act_on_fault(item);
    return std::to_string(item);
  };
  CHECK(run_in_processes(first(6), limits, work, collected.keep, kNever));
  unsetenv("TESSERA_SWEEP_FAULT");
  REQUIRE(collected.ends.size() == 6);
  CHECK(collected.ends[1].failure == "crashed: signal 11 (Segmentation fault)");
  CHECK(collected.ends[2].failure == "time-out after 5 s");
  CHECK(collected.ends[3].failure == "out of memory (limit 384 MiB)");
  for (const std::int64_t item : {0, 4, 5})
    CHECK(collected.ends[item].answer == std::to_string(item));
}

TEST_CASE("a process that somebody killed is tried again, three times in all") {
  Collected collected;
  const Work work = [](std::int64_t item) {
    if (item == 1) kill(getpid(), SIGKILL);
    return std::string("done");
  };
  CHECK(run_in_processes(first(3), {}, work, collected.keep, kNever));
  CHECK(collected.ends[1].failure == "killed from outside, 3 times");
  CHECK(collected.ends[2].answer == "done");
}

TEST_CASE("stopping ends what runs and takes up nothing more") {
  for (const auto run : {run_in_processes, run_in_threads}) {
    Collected collected;
    WorkerLimits limits;
    limits.jobs = 2;
    const Stop stop = [&] { return collected.ends.size() >= 3; };
    const Work work = [](std::int64_t) {
      usleep(20'000);
      return std::string("x");
    };
    CHECK_FALSE(run(first(500), limits, work, collected.keep, stop));
    CHECK(collected.ends.size() >= 3);
    CHECK(collected.ends.size() < 100);
  }
}
