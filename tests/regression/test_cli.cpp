// The program from outside: exit codes, messages, files and formats.
#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "sim/config/config.h"
#include "tests/support/command_line.h"

using namespace tessera::test;
using Catch::Contains;
using Catch::StartsWith;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

/// A wrong command line: nothing on standard output, exit code 2, and this message.
void check_refused(const std::string& arguments, const std::string& message,
                   const fs::path& folder = "/") {
  INFO("tessera " << arguments);
  const Ran ran = run_tessera(arguments, folder);
  CHECK(ran.exit_code == 2);
  CHECK(ran.out.empty());
  CHECK(ran.err == message + "\n");
}

/// As above for a wrong --set of bert_edge; the message's first line.
void check_set_refused(const std::string& set, const std::string& first_line) {
  INFO("--set " << set);
  const Ran ran = run_tessera("run bert_edge --set '" + set + "'");
  CHECK(ran.exit_code == 2);
  CHECK(ran.out.empty());
  CHECK(ran.err.substr(0, ran.err.find('\n')) == first_line);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// Code points, each a column.
int columns(const std::string& line) {
  return static_cast<int>(
      std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

int widest(const std::string& text) {
  int most = 0;
  for (const std::string& line : lines_of(text)) most = std::max(most, columns(line));
  return most;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

const std::vector<std::string> kReportFiles{"host.json", "report.csv", "report.json", "report.txt"};

}  // namespace

// ---------------------------------------------------------------------------------- wrong use

TEST_CASE("a wrong command line is one message and exit code 2") {
  check_refused("runn bert_edge",
                "tessera: unknown verb 'runn'; did you mean 'run'?\n"
                "verbs: run, sweep, describe, compare, check, list, schema, import, gemm, dram, "
                "validate, regress (tessera --help)");
  check_refused("run",
                "tessera: 'tessera run' needs a run: a name (tessera list runs), a file, or -");
  check_refused("run bert_edge extra", "tessera: 'tessera run' takes 1: what is 'extra'?");
  check_refused("run bert_edge --formt json",
                "tessera: unknown option '--formt'; did you mean '--format'? (tessera run --help)");
  check_refused("run -x", "tessera: unknown option '-x' (tessera run --help)");
  check_refused("run bert_edge --format jsn",
                "tessera: --format 'jsn': 'run' prints text, json, csv; did you mean 'json'?");
  check_refused("run bert_edge --set lanes",
                "--set:1:6: error: no '=': write path.to.key=value\n  lanes\n       ^");
  check_refused("run bert_edge --out ''", "tessera: --out needs a directory");
  check_refused("run - --what-if",
                "tessera: --what-if reads the run again and again: give it a file, not -");
  check_refused("describe bert_edge --stage pla",
                "tessera: --stage 'pla': stages are graph, plan, program; did you mean 'plan'?");
  check_refused("list model",
                "tessera: 'tessera list' needs hardware, models, runs, sweeps or suites, not "
                "'model'; did you mean "
                "'models'?");
  check_refused("check bert_edge --numbers fp32",
                "tessera: --numbers 'fp32': 16-bit elements are integer, bf16, fp16; did you mean "
                "'fp16'?");
  check_refused("check bert_edge --orders -1", "tessera: --orders must not be negative");
  for (const char* width : {"20", "-5", "161"}) {
    check_refused("describe bert_edge --width " + std::string(width),
                  "tessera: --width " + std::string(width) + " is not allowed (80 .. 160)");
  }
  check_refused("compare - -",
                "tessera: standard input is read once: give 'tessera compare' a file, not '-', for "
                "A or B");
  check_refused("run /tmp", "tessera: '/tmp' is a directory, not a file");
  check_refused(
      "schema x",
      "tessera: 'tessera schema' needs run, hardware, model, sweep, suite or report, not 'x'");
  check_refused("compare bert_edge",
                "tessera: 'tessera compare' needs two of: report.json files, runs; or one run and "
                "--set");
}

TEST_CASE("a subject that cannot be read is one message and exit code 2") {
  const TemporaryFolder folder;
  write_text(folder / "binary.yaml", std::string("\x7f"
                                                 "ELF\0\1",
                                                 6));
  write_text(folder / "empty.yaml", "");
  write_text(folder / "broken.json", "{");
  write_text(folder / "other.json", "{}");
  check_refused("run bert_edg",
                "tessera: there is no run called 'bert_edg'\ndid you mean 'bert_edge'?");
  check_refused("run ./none.yaml", "tessera: the file './none.yaml' does not exist");
  check_refused("run -", "<stdin>:1:1: error: the file is empty");
  check_refused("run empty.yaml", "empty.yaml:1:1: error: the file is empty", folder.path());
  check_refused("run binary.yaml",
                "binary.yaml:1:1: error: not a text file: byte 0x7F is a control character",
                folder.path());
  check_refused("compare broken.json bert_edge", "tessera: broken.json: not JSON", folder.path());
  check_refused("compare other.json other.json",
                "tessera: other.json: not a report: 'schema' is not tessera-report/1",
                folder.path());
}

TEST_CASE("a wrong value names its key what is allowed and the nearest name") {
  check_refused("run bert_edge --set hardware.vector.lane=64",
                "--set:1:17: error: hardware.vector.lane: unknown key\n"
                "  hardware.vector.lane=64\n"
                "                  ^\n"
                "did you mean 'lanes'?");
  check_set_refused("hardware.dram.model=bandwith",
                    "--set:1:21: error: hardware.dram.model: bandwith is not allowed (bandwidth, "
                    "timing)");
  check_set_refused("hardware.cores=2",
                    "--set:1:16: error: hardware.cores: more than one core is not built yet");
  check_set_refused("hardware.vector.lanes=0",
                    "--set:1:23: error: hardware.vector.lanes: 0 is not allowed (1 .. 65536)");
  check_set_refused(
      "hardware.buffers.weights.capacity=512 KB",
      "--set:1:35: error: hardware.buffers.weights.capacity: 'KB' is not a unit of bytes");
  check_set_refused("fidelity=pe", "--set:1:10: error: fidelity: pe is not built yet");
  check_set_refused("workload.tokens=513",
                    "--set:1:17: error: workload.tokens: 513 is not allowed (1 .. 512, "
                    "max_position_embeddings of bert_base)");
}

TEST_CASE("a buffer too small for any tile names the operator the buffer and the missing bytes") {
  check_refused("run bert_edge --set 'hardware.buffers.activations.capacity=1 KiB'",
                "tessera: text.LayerNorm_embed: nothing fits: one element at a time needs 1600 "
                "bytes of buffer 'activations' (1536 for parameters), which has 1024: 576 bytes "
                "too many");
}

TEST_CASE("a result that cannot be delivered is exit code 2") {
  const TemporaryFolder folder;
  write_text(folder / "file", "");
  check_refused("run bert_edge --out file", "tessera: cannot create file: Not a directory",
                folder.path());
  const Ran full = run_tessera("list runs > /dev/full");
  CHECK(full.exit_code == 2);
  CHECK(full.err == "tessera: cannot write to standard output: No space left on device\n");
  const Ran program = run_tessera("describe bert_edge --stage program > /dev/full");
  CHECK(program.exit_code == 2);
  CHECK_THAT(program.err, StartsWith("tessera: cannot write to standard output"));
}

// ----------------------------------------------------------------------------------- results

TEST_CASE("no line of the text report is wider than asked") {
  const TemporaryFolder folder;
  for (const char* run : {"bert_edge", "smollm2_edge", "vit_b16_224_server"}) {
    for (const int width : {80, 100, 160}) {
      const std::string options = " --width " + std::to_string(width);
      INFO(run << options);
      const Ran ran = run_tessera("run " + std::string(run) + options);
      REQUIRE(ran.exit_code == 0);
      CHECK(widest(ran.out) <= width);
      CHECK(widest(ran.out) >= width - 1);
      CHECK_THAT(ran.out, StartsWith(run) && Contains("ARRAY CYCLES") && Contains("OPERATOR"));
    }
  }
  CHECK(widest(run_tessera("run bert_edge --all --width 80").out) <= 80);
  CHECK(widest(run_tessera("compare bert_edge --set hardware.vector.lanes=64 --width 80").out) ==
        80);
}

TEST_CASE("what-if names each change in full also on 80 columns") {
  const Ran ran = run_tessera("run bert_edge --set workload.tokens=16 --what-if --width 80");
  REQUIRE(ran.exit_code == 0);
  CHECK(widest(ran.out) == 80);
  for (const char* change :
       {"hardware.vector.lanes: 64", "hardware.dram.channels: 4",
        "hardware.buffers.accumulators.capacity: 256 KiB", "precision.weights: int4"}) {
    CHECK_THAT(ran.out, Contains(change));
  }
}

TEST_CASE("the out option writes four complete files the report as on standard output") {
  const TemporaryFolder folder;
  const Ran ran = run_tessera("run bert_edge --format json --out a/b", folder.path());
  REQUIRE(ran.exit_code == 0);
  CHECK(names_in(folder / "a/b") == kReportFiles);
  CHECK(read_text(folder / "a/b/report.json") == ran.out);
  CHECK(read_text(folder / "a/b/report.csv") == run_tessera("run bert_edge --format csv").out);
  CHECK_THAT(read_text(folder / "a/b/report.txt"), StartsWith("bert_edge") && !Contains("HOST"));
  CHECK(json::parse(read_text(folder / "a/b/host.json")).contains("wall_s"));
}

TEST_CASE("a file of --out that cannot be replaced leaves no temporary file") {
  const TemporaryFolder folder;
  fs::create_directories(folder / "out/report.csv/occupied");
  const Ran ran = run_tessera("run bert_edge --out out", folder.path());
  CHECK(ran.exit_code == 2);
  CHECK(ran.out.empty());
  CHECK_THAT(ran.err, StartsWith("tessera: cannot write out/report.csv"));
  for (const std::string& name : names_in(folder / "out")) {
    INFO(name);
    CHECK(std::count(kReportFiles.begin(), kReportFiles.end(), name) == 1);
  }
}

TEST_CASE("a disk that fills up leaves the old files as they were") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "out");
  for (const std::string& name : kReportFiles) write_text(folder / ("out/" + name), "old");
  // The file size limit stands for the disk: report.txt fits, report.json does not.
  const Ran ran = run_shell("trap '' XFSZ; ulimit -f 64; '" TESSERA_PROGRAM
                            "' run bert_edge --out out > /dev/null",
                            folder.path());
  CHECK(ran.exit_code == 2);
  CHECK(ran.err == "tessera: cannot write out/report.json: File too large\n");
  CHECK(names_in(folder / "out") == kReportFiles);
  for (const std::string& name : kReportFiles) CHECK(read_text(folder / ("out/" + name)) == "old");
}

TEST_CASE("a run that is interrupted leaves nothing half-written") {
  const TemporaryFolder folder;
  const Ran ran =
      run_shell("timeout -s INT 0.3 '" TESSERA_PROGRAM "' run siglip_edge --out out > /dev/null",
                folder.path());
  CHECK(ran.exit_code != 0);
  CHECK((!fs::exists(folder / "out") || names_in(folder / "out").empty()));
}

TEST_CASE("two runs print the same JSON its figures of the host go to standard error") {
  const Ran first = run_tessera("run bert_edge --format json");
  const Ran second = run_tessera("run bert_edge --format json");
  REQUIRE(first.exit_code == 0);
  CHECK(first.out == second.out);
  CHECK_THAT(first.err, Contains("HOST") && Contains("wall"));
  CHECK_THAT(first.out, !Contains("wall"));
}

TEST_CASE("a run comes from standard input as from its file") {
  const TemporaryFolder folder;
  write_text(folder / "stdin.yaml",
             "hardware: {base: edge_32x32, vector: {lanes: 64}}\n"
             "workload: {model: bert_base, tokens: 16}\n");
  const Ran from_file = run_tessera("run stdin.yaml --format json", folder.path());
  const Ran from_pipe = run_tessera("run - --format json < stdin.yaml", folder.path());
  REQUIRE(from_file.exit_code == 0);
  json file = json::parse(from_file.out), pipe = json::parse(from_pipe.out);
  CHECK(file.at("totals") == pipe.at("totals"));
  CHECK(file.at("operators") == pipe.at("operators"));
}

TEST_CASE("a run compared with itself is identical") {
  const TemporaryFolder folder;
  const Ran runs = run_tessera("compare bert_edge bert_edge");
  CHECK(runs.exit_code == 0);
  CHECK_THAT(runs.out, Contains("identical: same configuration, cycles, causes and traffic"));
  REQUIRE(run_tessera("run bert_edge --out .", folder.path()).exit_code == 0);
  const Ran report = run_tessera("compare report.json bert_edge --format json", folder.path());
  CHECK(report.exit_code == 0);
  CHECK(json::parse(report.out).at("identical") == true);
}

TEST_CASE("twice the lanes show in Softmax and in the cycles that wait for the vector unit") {
  const Ran text = run_tessera("compare bert_edge --set hardware.vector.lanes=64");
  REQUIRE(text.exit_code == 0);
  CHECK_THAT(text.out, StartsWith("bert_edge -> bert_edge --set hardware.vector.lanes=64\n") &&
                           Contains("hardware.vector.lanes: 32 -> 64"));
  const Ran ran = run_tessera("compare bert_edge --set hardware.vector.lanes=64 --format json");
  const json compared = json::parse(ran.out);
  CHECK(compared.at("totals").at("moved_most") == "wait_vector");
  CHECK(compared.at("totals").at("cycles").at("delta") < 0);
  const json& first = compared.at("operators").at(0);  // sorted by cycles that moved
  CHECK(first.at("name") == "text.Softmax");
  CHECK(first.at("moved_most") == "wait_vector");
}

TEST_CASE("no line of describe is wider than asked") {
  for (const char* stage : {"graph", "plan", "program"}) {
    for (const int width : {80, 100, 160}) {
      INFO(stage << " " << width);
      const Ran ran = run_tessera("describe bert_edge --set workload.tokens=4 --stage " +
                                  std::string(stage) + " --width " + std::to_string(width));
      REQUIRE(ran.exit_code == 0);
      CHECK(widest(ran.out) <= width);
    }
  }
}

TEST_CASE("a machine that is not the named one is said to be changed") {
  const auto head = [](const std::string& options) {
    return lines_of(run_tessera("run bert_edge --set workload.tokens=4 " + options).out).at(0);
  };
  CHECK_THAT(head(""), Contains("edge_32x32, "));
  CHECK_THAT(head("--set hardware.vector.lanes=64"), Contains("edge_32x32 (changed), "));
}

TEST_CASE("CSV of several runs stacks one header as many cells in every row") {
  const std::string bert = run_tessera("run bert_edge --format csv").out;
  const std::string vit = run_tessera("run vit_b16_224_server --format csv").out;
  const auto rows = lines_of(bert), others = lines_of(vit);
  REQUIRE(rows.size() > 100);
  REQUIRE(others.size() > 100);
  const auto cells = [](const std::string& row) {
    return std::count(row.begin(), row.end(), ',');  // no name of these runs is quoted
  };
  CHECK(rows[0] == others[0]);
  CHECK_THAT(rows[0], StartsWith("run,name,phase,layer,"));
  for (const auto* report : {&rows, &others}) {
    for (const std::string& row : *report) REQUIRE(cells(row) == cells(rows[0]));
  }
  CHECK_THAT(rows[1], StartsWith("bert_edge,"));
  CHECK_THAT(others[1], StartsWith("vit_b16_224_server,"));
}

TEST_CASE("every stage prints in every format") {
  for (const char* stage : {"graph", "plan", "program"}) {
    for (const char* format : {"text", "json", "csv", "yaml"}) {
      INFO(stage << " as " << format);
      const Ran ran = run_tessera("describe bert_edge --set workload.tokens=4 --stage " +
                                  std::string(stage) + " --format " + format);
      CHECK(ran.exit_code == 0);
      CHECK(ran.err.empty());
      CHECK(ran.out.size() > 1000);
      if (std::string(format) == "json") CHECK(json::accept(ran.out));
    }
  }
}

TEST_CASE("every name that list prints can be used") {
  const TemporaryFolder folder;
  for (const json& run : json::parse(run_tessera("list runs --format json").out)) {
    const std::string name = run.at("name");
    INFO(name);
    CHECK(!run.at("question").get<std::string>().empty());
    CHECK(run_tessera("describe " + name + " --stage graph > /dev/null").exit_code == 0);
  }
  for (const json& model : json::parse(run_tessera("list models --format json").out)) {
    const std::string name = model.at("name");
    INFO(name);
    write_text(folder / "run.yaml", "hardware: edge_32x32\nworkload: {model: " + name + "}\n");
    CHECK(run_tessera("describe run.yaml > /dev/null", folder.path()).exit_code == 0);
  }
  for (const json& hardware : json::parse(run_tessera("list hardware --format json").out)) {
    const std::string name = hardware.at("name");
    INFO(name);
    CHECK(!hardware.at("question").get<std::string>().empty());
    const auto runs = [&](const char* precision) {
      return run_tessera("describe bert_edge --set precision.default=" + std::string(precision) +
                         " --set hardware=" + name + " > /dev/null")
                 .exit_code == 0;
    };
    CHECK((runs("w8a8") || runs("w16a16")));
  }
}

// ------------------------------------------------------------------------------------ check

TEST_CASE("check passes a shipped run and says what it has not checked") {
  const Ran ran = run_tessera("check bert_edge");
  CHECK(ran.exit_code == 0);
  CHECK_THAT(ran.out, StartsWith("bert_edge: passed\n"));
  CHECK_THAT(ran.out,
             Contains("not checked: 11174215680 MACs are more than --max-macs 2000000000"));
}

TEST_CASE("import writes a descriptor that a run can name") {
  const TemporaryFolder folder;
  write_text(folder / "config.json",
             R"({"model_type": "bert", "hidden_size": 64, "intermediate_size": 96,
                 "num_hidden_layers": 1, "num_attention_heads": 4, "vocab_size": 50})");
  const Ran ran = run_tessera("import hf config.json -o tiny.yaml", folder.path());
  CHECK(ran.exit_code == 0);
  CHECK(ran.out.empty());
  write_text(folder / "case.yaml", "hardware: tiny_8x8\nworkload: {model: tiny, tokens: 4}\n");
  CHECK(run_tessera("check case.yaml", folder.path()).exit_code == 0);
  const Ran printed = run_tessera("import hf - < config.json", folder.path());
  CHECK(printed.exit_code == 0);
  CHECK_THAT(printed.out, Contains("family: bert\n"));
}

TEST_CASE("wrong imports are refused in one line") {
  const TemporaryFolder folder;
  write_text(folder / "config.json", R"({"model_type": "bert"})");
  const fs::path& here = folder.path();
  const std::string needs =
      "tessera: 'tessera import' needs a format and a file: hf CONFIG.json or onnx MODEL.onnx";
  check_refused("import gguf config.json", needs + ", not 'gguf'", here);
  check_refused("import hf", needs, here);
  check_refused("import hf config.json --part audio",
                "tessera: --part 'audio': parts are vision, text", here);
  check_refused("import hf config.json --image-size 0",
                "tessera: --image-size 0 is not allowed (1 .. 16384)", here);
  check_refused("import hf other.json", "tessera: the file 'other.json' does not exist", here);
  const Ran part = run_tessera("import hf config.json --part text", here);
  CHECK(part.exit_code == 2);
  CHECK_THAT(part.err, StartsWith("config.json:1:1: error: the model has no part 'text'"));
}

TEST_CASE("check computes the values of a small run in several orders") {
  const std::string small =
      "check vit_b16_224_server --set workload.model.num_hidden_layers=1 --set "
      "workload.model.image_size=32 --set workload.model.num_labels=8";
  const Ran text = run_tessera(small + " --orders 3");
  CHECK(text.exit_code == 0);
  CHECK_THAT(text.out, Contains("in program order and in 3 other legal orders"));
  const Ran ran = run_tessera(small + " --orders 1 --format json");
  CHECK(ran.exit_code == 0);
  const json verdict = json::parse(ran.out);
  CHECK(verdict["passed"] == true);
  CHECK(verdict["values"]["checked"] == true);
  CHECK(verdict["values"]["compared"] > 0);
  CHECK(verdict["values"]["orders"] == 2);
  CHECK(verdict["faults"]["total"] == 0);
}

TEST_CASE("a run is judged by what it expects") {
  const TemporaryFolder folder;
  write_text(folder / "mine.yaml",
             "base: bert_edge\nexpect:\n  - latency <= 1 s\n  - operators.MLP_*.cycles < 10\n");
  const Ran failed = run_tessera("run mine --format json", folder.path());
  CHECK(failed.exit_code == 1);
  CHECK(lines_of(failed.err)
            .back()
            .find("mine.yaml:4:5: expectation failed: operators.MLP_*.cycles < 10: ") == 0);
  const auto report = nlohmann::json::parse(failed.out);
  REQUIRE(report["expectations"].size() == 2);
  CHECK(report["expectations"][0]["expect"] == "latency <= 1 s");
  CHECK(report["expectations"][0]["holds"] == true);
  CHECK(report["expectations"][0]["left"] == report["totals"]["time_s"]);
  CHECK(report["expectations"][1]["holds"] == false);
  const Ran passed = run_tessera("run mine --set 'expect=[latency <= 1 s]'", folder.path());
  CHECK(passed.exit_code == 0);
  CHECK(passed.err.empty());
  CHECK(passed.out.find("   holds   latency <= 1 s: ") != std::string::npos);
}

TEST_CASE("an expectation without meaning ends a run before its simulation") {
  check_refused("run bert_edge --set 'expect=[latncy <= 1 s]'",
                "--set:1:9: error: expect: there is no 'latncy'\n  expect=[latncy <= 1 s]\n"
                "          ^\ndid you mean 'latency'?");
}
