#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "sample.h"
#include "sim/cli/options.h"
#include "sim/cli/output.h"
#include "sim/cli/what_if.h"

using namespace tessera;
using namespace tessera::sim;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

CommandLine parse(std::vector<const char*> words) {
  words.insert(words.begin(), "tessera");
  return parse_command_line(static_cast<int>(words.size()), words.data());
}

std::string usage_error(std::vector<const char*> words) {
  try {
    parse(std::move(words));
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no error";
}

/// A directory that disappears with the test.
struct TemporaryDirectory {
  fs::path path;
  TemporaryDirectory() {
    std::string name = (fs::temp_directory_path() / "tessera_report_XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

std::string content(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

int entries(const fs::path& directory) {
  return static_cast<int>(
      std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("a run takes a subject changes and options") {
  const CommandLine line =
      parse({"run", "siglip", "--set", "hardware.dram.channels=2", "--set=workload.batch=4",
             "--format", "json", "--out", "dir", "--all", "--what-if", "--width", "120"});
  CHECK(line.verb == "run");
  CHECK(line.subjects == std::vector<std::string>{"siglip"});
  CHECK(line.sets == std::vector<std::string>{"hardware.dram.channels=2", "workload.batch=4"});
  CHECK(line.format == "json");
  CHECK(line.out == "dir");
  CHECK((line.all && line.what_if));
  CHECK(line.width == 120);
}

TEST_CASE("a subject may follow the options and may be standard input") {
  CHECK(parse({"run", "--format", "csv", "siglip"}).subjects.at(0) == "siglip");
  CHECK(parse({"run", "-"}).subjects.at(0) == "-");
  CHECK(parse({"describe", "--stage", "graph", "-"}).subjects.at(0) == "-");
}

TEST_CASE("a misspelt verb meets the nearest one") {
  CHECK_THAT(usage_error({"rnu", "x"}), Contains("did you mean 'run'"));
  CHECK_THAT(usage_error({"desc", "x"}), Contains("did you mean 'describe'"));
  CHECK_THAT(usage_error({"xylophone"}), !Contains("did you mean"));
}

TEST_CASE("what cannot be carried out is one clear message") {
  CHECK_THAT(usage_error({"run"}), Contains("needs a run"));
  CHECK_THAT(usage_error({"run", "a", "b"}), Contains("what is 'b'"));
  CHECK_THAT(usage_error({"run", "a", "--format", "yaml"}), Contains("prints text, json, csv"));
  CHECK_THAT(usage_error({"run", "a", "--nonsense"}), Contains("nonsense"));
  CHECK_THAT(usage_error({"describe", "a", "--stage", "grap"}), Contains("did you mean 'graph'"));
  CHECK_THAT(usage_error({"list", "hardwar"}), Contains("did you mean 'hardware'"));
  CHECK_THAT(usage_error({"schema", "x"}),
             Contains("run, hardware, model, sweep, suite or report, not 'x'"));
  CHECK_THAT(usage_error({"compare", "a"}), Contains("--set"));
  CHECK_THAT(usage_error({"compare", "a", "b", "--set", "x=1"}), Contains("leave out 'b'"));
  CHECK(usage_error({"compare", "a", "--set", "x=1"}) == "no error");
}

TEST_CASE("help is everywhere") {
  CHECK(parse({}).help);
  CHECK(parse({"--help"}).help);
  CHECK(parse({"run", "--help"}).help);
  CHECK(parse({"help", "run"}).verb == "run");
  CHECK(parse({"--version"}).version);
  for (const char* verb : {"run", "describe", "compare", "list", "schema"}) {
    CHECK_THAT(help_text(""), Contains(verb));
    CHECK_THAT(help_text(verb), Contains("--help"));
  }
  CHECK_THAT(help_text("run"), Contains("--what-if") && Contains("--out"));
}

TEST_CASE("a file appears whole or not at all") {
  const TemporaryDirectory directory;
  const fs::path path = directory.path / "report.txt";
  write_file(path.string(), "first");
  write_file(path.string(), "second");
  CHECK(content(path) == "second");
  CHECK(entries(directory.path) == 1);
}

TEST_CASE("a file that cannot be replaced is left alone and leaves nothing behind") {
  const TemporaryDirectory directory;
  const fs::path path = directory.path / "report.txt";
  fs::create_directories(path / "occupied");  // a directory stands where the file should be
  CHECK_THROWS_WITH(write_file(path.string(), "text"), Contains(path.string()));
  CHECK(entries(directory.path) == 1);
  CHECK(fs::is_directory(path / "occupied"));
}

TEST_CASE("an output directory is made with its parents and a file in its place is refused") {
  const TemporaryDirectory directory;
  const fs::path deep = directory.path / "a" / "b";
  prepare_directory(deep.string());
  CHECK(fs::is_directory(deep));
  write_file((directory.path / "file").string(), "");
  CHECK_THROWS_AS(prepare_directory((directory.path / "file").string()), OutputError);
  CHECK_THROWS_WITH(prepare_directory((directory.path / "file" / "below").string()),
                    Contains("file/below"));
}

TEST_CASE("an asked width is kept between 80 and 160") {
  CHECK(text_width(20) == 80);
  CHECK(text_width(120) == 120);
  CHECK(text_width(500) == 160);
}

TEST_CASE("what-if tries one step of each resource that the configuration names") {
  RunConfig config = test::edge_sample().config;
  config.resolved = {{"hardware",
                      {{"vector", {{"lanes", 32}}},
                       {"array", {{"cols", 32}}},
                       {"buffers", {{"weights", {{"capacity", 262144}}}}}}}};
  CHECK(what_if_changes(config) ==
        std::vector<std::string>{"hardware.vector.lanes=64", "hardware.array.cols=64",
                                 "hardware.buffers.weights.capacity=512 KiB"});
}

TEST_CASE("what-if names the operator and the cause that moved most") {
  test::Sample faster = test::encoder_sample();
  faster.counters.operators[1].attribution[static_cast<int>(hw::Cause::kWaitVector)] -= 20'000;
  CHECK(what_moved(test::encoder_sample().report(), faster.report()) ==
        "Softmax: wait_vector -20.0 k");
  CHECK(what_moved(faster.report(), faster.report()) == "no cycle moved");
}
