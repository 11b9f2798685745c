// The same input gives the same report.json, byte for byte, whatever built the program.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "tests/support/command_line.h"

using namespace tessera::test;

namespace {

/// The program named by TESSERA_OTHER_PROGRAM (built at another optimisation level, see scripts/),
/// else the one under test again.
std::string other_program() {
  const char* const other = std::getenv("TESSERA_OTHER_PROGRAM");
  return other != nullptr && other[0] != '\0' ? other : TESSERA_PROGRAM;
}

void check_same_report(const std::string& subject) {
  INFO(subject << " by " << TESSERA_PROGRAM << " and " << other_program());
  const Ran ours = run_program(TESSERA_PROGRAM, "run " + subject + " --format json");
  const Ran theirs = run_program(other_program(), "run " + subject + " --format json");
  REQUIRE(ours.exit_code == 0);
  REQUIRE(theirs.exit_code == 0);
  CHECK(ours.out.size() > 100'000);
  CHECK(ours.out == theirs.out);
}

}  // namespace

TEST_CASE("smollm2_edge reports the same bytes from every build") {
  check_same_report("smollm2_edge");
}

TEST_CASE("bert_edge reports the same bytes from every build") { check_same_report("bert_edge"); }

TEST_CASE("the report knows neither the folder the terminal nor the environment of its run") {
  const TemporaryFolder folder;
  const Ran here = run_tessera("run bert_edge --format json");
  const Ran there =
      run_shell("COLUMNS=40 LC_ALL=C.UTF-8 HOME=/nowhere TZ=Asia/Tokyo NO_COLOR=1 '" TESSERA_PROGRAM
                "' run bert_edge --format json --width 160 --all",
                folder.path());
  REQUIRE(here.exit_code == 0);
  CHECK(here.out == there.out);
}
