// The store: what was added stays, and nothing else comes in.
#include <catch2/catch.hpp>
#include <fstream>

#include "sim/sweep/store.h"
#include "sim/sweep/workers.h"
#include "tests/support/command_line.h"

using namespace tessera;
using sim::PointResult;
using sim::Store;
using sim::StoreError;
using sim::StoreHead;
using sim::StoreMode;

namespace {

StoreHead head() {
  StoreHead made;
  made.sweep = "s";
  made.fingerprint = "f";
  made.model_version = "1";
  made.sets = {"a=1"};
  made.points = 10;
  return made;
}

PointResult result(std::int64_t id, const std::string& failure = "") {
  PointResult made;
  made.id = id;
  made.key = "k" + std::to_string(id);
  made.settings = "{}";
  made.fidelity = "transaction";
  made.failure = failure;
  made.figures = failure.empty() ? "{\"time_s\":" + std::to_string(id) + "}" : "";
  return made;
}

std::vector<std::int64_t> ids(const Store& store) {
  std::vector<std::int64_t> all;
  store.each("transaction", [&](const PointResult& each) { all.push_back(each.id); });
  return all;
}

std::string error_of(const std::string& path, StoreMode mode, const StoreHead& wanted) {
  try {
    Store::open(path, mode, wanted);
  } catch (const StoreError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a store gives back what it was given, by point") {
  const test::TemporaryFolder folder;
  const std::string path = (folder / "s.sqlite").string();
  {
    Store store = Store::open(path, StoreMode::kCreate, head());
    store.add({result(7), result(2, "no room")});
    store.add({result(3)});
  }
  const Store store = Store::open(path, StoreMode::kRead);
  CHECK(store.head().sets == std::vector<std::string>{"a=1"});
  CHECK(store.head().points == 10);
  CHECK(ids(store) == std::vector<std::int64_t>{2, 3, 7});
  CHECK(store.done("transaction", sim::kKilled) == std::set<std::int64_t>{2, 3, 7});
  CHECK(store.done("transaction", "") == std::set<std::int64_t>{3, 7});
  CHECK(store.done("analytical", "").empty());
}

TEST_CASE("points killed from outside are not done, and a success is never replaced") {
  const test::TemporaryFolder folder;
  Store store = Store::open((folder / "s.sqlite").string(), StoreMode::kCreate, head());
  store.add({result(1, "killed from outside, 3 times"), result(2)});
  CHECK(store.done("transaction", sim::kKilled) == std::set<std::int64_t>{2});
  store.add({result(1), result(2, "crashed")});
  CHECK(store.done("transaction", "") == std::set<std::int64_t>{1, 2});
}

TEST_CASE("a store opens only as what it is") {
  const test::TemporaryFolder folder;
  const std::string path = (folder / "s.sqlite").string();
  CHECK(error_of(path, StoreMode::kResume, head()) == path + ": there is no such store");
  { Store::open(path, StoreMode::kCreate, head()); }
  CHECK(error_of(path, StoreMode::kCreate, head()) ==
        path + ": holds a sweep already: go on with --resume, or choose another --out");
  StoreHead other = head();
  other.fingerprint = "g";
  CHECK(error_of(path, StoreMode::kResume, other).find("holds another sweep") != std::string::npos);
  other = head();
  other.model_version = "2";
  CHECK(error_of(path, StoreMode::kResume, other).find("timing model 1, this is 2") !=
        std::string::npos);
  test::write_text(folder / "text.sqlite", "not a database at all, only some words of text");
  CHECK(error_of((folder / "text.sqlite").string(), StoreMode::kRead, {}).find("not a database") !=
        std::string::npos);
  const Store writer = Store::open(path, StoreMode::kResume, head());
  CHECK(error_of(path, StoreMode::kResume, head()) ==
        path + ": another tessera sweep is writing to it");
}

TEST_CASE("merging takes over once, however often") {
  const test::TemporaryFolder folder;
  const auto path = [&](const char* name) { return (folder / name).string(); };
  Store a = Store::open(path("a"), StoreMode::kCreate, head());
  Store b = Store::open(path("b"), StoreMode::kCreate, head());
  Store all = Store::open(path("all"), StoreMode::kCreate, head());
  a.add({result(1), result(2)});
  b.add({result(2), result(9, "crashed")});
  for (int round = 0; round < 2; ++round) {
    all.merge(b);
    all.merge(a);
    CHECK(ids(all) == std::vector<std::int64_t>{1, 2, 9});
  }
  StoreHead other = head();
  other.fingerprint = "g";
  Store stranger = Store::open(path("c"), StoreMode::kCreate, other);
  CHECK_THROWS_AS(all.merge(stranger), StoreError);
}
