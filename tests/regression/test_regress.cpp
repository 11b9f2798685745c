// `tessera regress`: what it catches, what it says, what it keeps.
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "sim/config/config.h"
#include "sim/regress/golden.h"
#include "sim/regress/suite.h"
#include "tests/support/command_line.h"

using namespace tessera;
using namespace tessera::test;
using Catch::Contains;
using Json = nlohmann::ordered_json;

namespace {

const std::string kMachine =
    "array: {rows: 8, cols: 8}\nvector: {lanes: 8}\nbuffers:\n"
    "  scratchpad: {capacity: 64 KiB}\n  accumulators: {capacity: 8 KiB}\n";
const std::string kModel =
    "family: decoder\nhidden_size: 64\nnum_hidden_layers: 2\nnum_attention_heads: 4\n"
    "intermediate_size: 128\nvocab_size: 100\nmax_position_embeddings: 32\ntokens: 16\n";
const std::string kSuite =
    "# Ours.   Comments and  spacing stay.\n"
    "runs:\n"
    "  plain: {run: {hardware: ./hw.yaml, workload: {model: ./m.yaml}}}\n"
    "  wide:\n"
    "    run: {hardware: ./hw.yaml, workload: {model: ./m.yaml}}\n"
    "    set: {hardware.array.rows: 16, hardware.array.cols: 16}\n"
    "    expect: {hardware.pe_count: 256, latency: <= 10 ms}\n"
    "expect:\n"
    "  - wide.latency <= plain.latency\n";

/// A folder with a machine, a model and a suite whose goldens are accepted.
class SuiteFolder {
 public:
  explicit SuiteFolder(const std::string& suite = kSuite, bool accepted = true) {
    write("hw.yaml", kMachine);
    write("m.yaml", kModel);
    write("ours.yaml", suite);
    if (accepted) REQUIRE(regress("--update").exit_code == 0);
  }

  void write(const std::string& name, const std::string& text) { write_text(folder_ / name, text); }
  std::string read(const std::string& name) const { return read_text(folder_ / name); }
  Ran regress(const std::string& options = "") const {
    return run_tessera("regress ours.yaml " + options, folder_.path());
  }
  Json regress_json() const { return Json::parse(regress("--format json").out); }

 private:
  TemporaryFolder folder_;
};

std::string replaced(std::string text, const std::string& part, const std::string& by) {
  const std::size_t at = text.find(part);
  REQUIRE(at != std::string::npos);
  return text.replace(at, part.size(), by);
}

/// A wrong suite: exit code 2 and this message first.
void check_refused(const std::string& suite, const std::string& message) {
  INFO(suite);
  const SuiteFolder folder(suite, false);
  const Ran ran = folder.regress();
  CHECK(ran.exit_code == 2);
  CHECK(ran.out.empty());
  CHECK(ran.err.substr(0, ran.err.find('\n')) == message);
}

}  // namespace

TEST_CASE("a suite holds as long as nothing changes") {
  const SuiteFolder folder;
  const Ran ran = folder.regress();
  CHECK(ran.exit_code == 0);
  CHECK(ran.err.empty());
  CHECK_THAT(ran.out, Contains("2 runs, 1 relation: all hold"));
  CHECK(folder.read("ours.yaml") == kSuite);
}

TEST_CASE("a change of one hardware parameter names run, field, values and cause") {
  SuiteFolder folder;
  const Json golden = Json::parse(folder.read("ours.golden.json"));
  folder.write("hw.yaml", replaced(kMachine, "lanes: 8", "lanes: 4"));
  const Ran ran = folder.regress();
  CHECK(ran.exit_code == 1);
  CHECK_THAT(ran.out, Contains("CHANGED   plain") && Contains("golden: latency_cycles: ") &&
                          Contains("cause: hardware.vector.lanes: 8 -> 4") && Contains("moved: "));
  const Json json = folder.regress_json();
  CHECK(json["holds"] == false);
  const Json& run = json["suites"][0]["runs"][0];
  CHECK(run["name"] == "plain");
  CHECK(run["holds"] == false);
  REQUIRE(run["changes"].size() == 1);
  const Json& change = run["changes"][0];
  CHECK(change["figure"] == "latency_cycles");
  CHECK(change["golden"] == golden["runs"]["plain"]["figures"]["latency_cycles"]);
  CHECK(change["now"].get<double>() > change["golden"].get<double>());
  CHECK(change["now"] == run["latency_cycles"]);
  CHECK(run["cause"]["reasons"] == Json::array({"hardware.vector.lanes: 8 -> 4"}));
  REQUIRE_FALSE(run["cause"]["moved"].empty());
  CHECK_THAT(run["cause"]["moved"][0].get<std::string>(), Contains(": wait_vector +"));
}

TEST_CASE("an update accepts what came out and says what changed") {
  SuiteFolder folder;
  const std::string before = folder.read("ours.golden.json");
  folder.write("hw.yaml", replaced(kMachine, "lanes: 8", "lanes: 4"));
  const Ran updated = folder.regress("--update");
  CHECK(updated.exit_code == 0);
  CHECK_THAT(updated.out, Contains("cause: hardware.vector.lanes: 8 -> 4"));
  CHECK_THAT(updated.err, Contains("wrote ./ours.golden.json"));
  CHECK(folder.read("ours.golden.json") != before);
  CHECK(folder.regress().exit_code == 0);
  CHECK_THAT(folder.regress("--update").err, Contains("the goldens stay as they are"));
  CHECK(folder.read("ours.yaml") == kSuite);
}

TEST_CASE("an update of some runs keeps the goldens of the others") {
  SuiteFolder folder;
  const Json before = Json::parse(folder.read("ours.golden.json"));
  folder.write("hw.yaml", replaced(kMachine, "lanes: 8", "lanes: 4"));
  CHECK(folder.regress("--update --filter wide").exit_code == 0);
  const Json after = Json::parse(folder.read("ours.golden.json"));
  CHECK(after["runs"]["plain"] == before["runs"]["plain"]);
  CHECK(after["runs"]["wide"] != before["runs"]["wide"]);
}

TEST_CASE("a change of the tool is told from one of the machine") {
  SuiteFolder folder;
  Json golden = Json::parse(folder.read("ours.golden.json"));
  Json& cycles = golden["runs"]["plain"]["figures"]["latency_cycles"];
  cycles = cycles.get<std::int64_t>() - 1;
  folder.write("ours.golden.json", golden.dump());
  CHECK_THAT(folder.regress().out, Contains("cause: the program itself"));
  golden["runs"]["plain"]["model_version"] = "0";
  folder.write("ours.golden.json", golden.dump());
  CHECK_THAT(folder.regress().out, Contains("cause: timing model 0 -> "));
}

TEST_CASE("a tolerance allows what it says") {
  SuiteFolder folder(replaced(kSuite, "runs:\n", "golden: [latency_cycles within 1 %]\nruns:\n"));
  Json golden = Json::parse(folder.read("ours.golden.json"));
  Json& cycles = golden["runs"]["plain"]["figures"]["latency_cycles"];
  const double exact = cycles.get<double>();
  cycles = exact * 1.009;
  folder.write("ours.golden.json", golden.dump());
  CHECK(folder.regress().exit_code == 0);
  cycles = exact * 1.011;
  folder.write("ours.golden.json", golden.dump());
  const Ran ran = folder.regress();
  CHECK(ran.exit_code == 1);
  CHECK_THAT(ran.out, Contains(", within 1 %)"));
}

TEST_CASE("expectations and relations fail with their margin, updates or not") {
  SuiteFolder folder(
      replaced(replaced(kSuite, "<= 10 ms", "<= 1 us"), "wide.latency <=", "wide.latency * 100 <="),
      false);
  const Ran ran = folder.regress("--update --junit out.xml");
  CHECK(ran.exit_code == 1);
  CHECK_THAT(ran.out, Contains("expected: latency <= 1 us: ") &&
                          Contains("FAILED    wide.latency * 100 <= plain.latency: ") &&
                          Contains("1 of 1 relation FAILED"));
  const std::string xml = folder.read("out.xml");
  CHECK_THAT(xml, Contains("<testsuite name=\"ours\" tests=\"3\" failures=\"3\">") &&
                      Contains("<testcase classname=\"ours\" name=\"wide\"") &&
                      Contains("name=\"wide.latency * 100 &lt;= plain.latency\"") &&
                      Contains("<failure message=\"expected: latency &lt;= 1 us: "));
}

TEST_CASE("a run that cannot run is a failure of that run alone") {
  const SuiteFolder folder(
      "runs:\n  good: {run: {hardware: ./hw.yaml, workload: {model: ./m.yaml}}}\n"
      "  bad:\n    run: {hardware: ./hw.yaml, workload: {model: ./m.yaml}}\n"
      "    set: {hardware.buffers.scratchpad: {capacity: 64 B, banks: 1, width: 32 B}}\n"
      "expect: [good.latency <= bad.latency]\n",
      false);
  const Ran ran = folder.regress("--update");
  CHECK(ran.exit_code == 1);
  CHECK_THAT(ran.out, Contains("error: text.PosEmbed_Add: nothing fits: ") &&
                          Contains("bad.latency is not known here"));
  CHECK(Json::parse(folder.read("ours.golden.json"))["runs"].size() == 1);
}

TEST_CASE("the outcome does not depend on the number of jobs") {
  const SuiteFolder folder;
  CHECK(folder.regress("--format json --jobs 1").out ==
        folder.regress("--format json --jobs 3").out);
}

TEST_CASE("a filter runs what it names and refuses to run nothing") {
  const SuiteFolder folder;
  CHECK_THAT(folder.regress("--filter ours.pl*").out, Contains("1 run: all hold"));
  const Ran nothing = folder.regress("--filter nothing");
  CHECK(nothing.exit_code == 2);
  CHECK(nothing.err == "tessera: --filter 'nothing' matches no run\n");
}

TEST_CASE("a wrong suite is refused at its place") {
  check_refused("runz: {}\n", "ours.yaml:1:1: error: runz: unknown key");
  check_refused("runs: {}\n", "ours.yaml:1:1: error: the suite has no runs and validates nothing");
  check_refused("runs: {A: bert_edge}\n",
                "ours.yaml:1:8: error: runs.A: not a name (lower-case letters, digits and _, 40 at "
                "most)");
  check_refused("runs: {a: no_such_run}\n",
                "ours.yaml:1:11: error: runs.a.run: there is no run called 'no_such_run'");
  check_refused("runs: {a: {run: bert_edge, set: {hardware.vector.lane: 3}}}\n",
                "ours.yaml:1:50: error: hardware.vector.lane: unknown key");
  check_refused("runs: {a: bert_edge}\ngolden: [latncy]\n",
                "ours.yaml:2:10: error: golden: there is no 'latncy'");
  check_refused("runs: {a: bert_edge}\nexpect: [b.latency < 3 s]\n",
                "ours.yaml:2:10: error: expect: there is no run 'b'");
  check_refused("runs: {a: {run: bert_edge, expect: [latncy < 3 s]}}\n",
                "ours.yaml:1:37: error: expect: there is no 'latncy'");
  check_refused("validate: [nobody]\n", "error: ours.yaml: validate: 'nobody' matches no engine");
}

TEST_CASE("a wrong goldens file is refused") {
  SuiteFolder folder;
  folder.write("ours.golden.json", "{}");
  const Ran ran = folder.regress();
  CHECK(ran.exit_code == 2);
  CHECK_THAT(ran.err, Contains("no goldens file (schema tessera-goldens/1)"));
}

TEST_CASE("every shipped suite reads, has its goldens, and says what it asks") {
  const auto entries = sim::list_configs("suites");
  REQUIRE(entries.size() >= 7);
  for (const sim::ListEntry& entry : entries) {
    INFO(entry.name);
    CHECK(entry.question.back() == '?');
    const auto suites = sim::load_suites(entry.name);
    REQUIRE(suites.size() == 1);
    const Json goldens = sim::read_goldens_file(sim::golden_path(suites[0].path));
    CHECK(goldens["runs"].size() == suites[0].runs.size());
    for (const sim::SuiteRun& run : suites[0].runs) {
      for (const auto& golden : run.goldens) {
        CHECK(goldens["runs"][run.name]["figures"].contains(golden.figure.name));
      }
    }
  }
}
