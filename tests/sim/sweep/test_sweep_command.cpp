// tessera sweep as its users run it: equal tables whatever happens on the way.
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <tuple>

#include "sim/sweep/store.h"
#include "tests/support/command_line.h"

using namespace tessera;
using Json = nlohmann::ordered_json;
using test::run_tessera;
using test::TemporaryFolder;

namespace {

/// Twelve points of some 20 ms each.
const std::string kTiny =
    "# Which small machine?\n"
    "run: {base: siglip_edge, workload: {model: {base: siglip_b16_512, num_hidden_layers: 1, "
    "image_size: 128}}}\n"
    "axes:\n"
    "  channels: {values: [1, 2], sets: hardware.dram.channels}\n"
    "  sram: {values: [64 KiB, 128 KiB, 256 KiB], sets: hardware.buffers.activations.capacity}\n"
    "  lanes: {values: [16, 32], sets: hardware.vector.lanes}\n"
    "minimize: [latency, hardware.sram_bytes]\n";

void write_tiny(const TemporaryFolder& folder, const std::string& more = "") {
  test::write_text(folder / "tiny.yaml", kTiny + more);
}

/// The tables of the sweep in `directory`, all in one text.
std::string tables(const TemporaryFolder& folder, const std::string& directory) {
  std::string all;
  for (const char* name : {"/points.csv", "/report.json", "/report.txt"}) {
    const std::string text = test::read_text(folder / (directory + name));
    CHECK_FALSE(text.empty());
    all += text;
  }
  return all;
}

/// What a store holds, without figures of the host.
std::vector<std::string> contents(const TemporaryFolder& folder, const std::string& directory) {
  const sim::Store store =
      sim::Store::open((folder / (directory + "/sweep.sqlite")).string(), sim::StoreMode::kRead);
  std::vector<std::string> lines;
  for (const char* fidelity : {"analytical", "transaction"}) {
    store.each(fidelity, [&](const sim::PointResult& r) {
      lines.push_back(std::to_string(r.id) + "|" + r.key + "|" + r.settings + "|" + r.fidelity +
                      "|" + r.failure + "|" + r.figures);
    });
  }
  return lines;
}

/// How many results a store holds that may not be one yet.
std::size_t done_in(const TemporaryFolder& folder, const std::string& directory) {
  try {
    return contents(folder, directory).size();
  } catch (const sim::StoreError&) {
    return 0;
  }
}

pid_t start(const TemporaryFolder& folder, const std::string& arguments) {
  const pid_t child = fork();
  if (child != 0) return child;
  const std::string line = "cd '" + folder.path().string() + "' && exec '" + TESSERA_PROGRAM +
                           "' " + arguments + " >/dev/null 2>&1";
  execl("/bin/sh", "sh", "-c", line.c_str(), static_cast<char*>(nullptr));
  _exit(127);
}

int wait_for(pid_t process) {
  int status = 0;
  waitpid(process, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::vector<pid_t> children_of(pid_t process) {
  const std::string number = std::to_string(process);
  std::istringstream text(test::read_text("/proc/" + number + "/task/" + number + "/children"));
  std::vector<pid_t> children;
  for (pid_t child = 0; text >> child;) children.push_back(child);
  return children;
}

}  // namespace

TEST_CASE("tables are the same for one process and for several, and for shards merged") {
  const TemporaryFolder folder;
  write_tiny(folder);
  REQUIRE(run_tessera("sweep tiny.yaml --out one --jobs 1", folder.path()).exit_code == 0);
  REQUIRE(run_tessera("sweep tiny.yaml --out two --jobs 2", folder.path()).exit_code == 0);
  const std::string expected = tables(folder, "one");
  CHECK(tables(folder, "two") == expected);
  CHECK(contents(folder, "one") == contents(folder, "two"));
  for (const char* shard : {"3/5", "1/5", "5/5", "2/5"}) {
    REQUIRE(run_tessera(std::string("sweep tiny.yaml --out parts --shard ") + shard, folder.path())
                .exit_code == 0);
  }
  const test::Ran early = run_tessera("sweep merge parts", folder.path());
  CHECK(early.exit_code == 1);
  CHECK(early.err == "tessera: 2 of 12 points have no result yet\n");
  REQUIRE(run_tessera("sweep tiny.yaml --out parts --shard 4/5", folder.path()).exit_code == 0);
  for (int round = 0; round < 2; ++round) {
    CHECK(run_tessera("sweep merge parts", folder.path()).exit_code == 0);
    CHECK(tables(folder, "parts") == expected);
  }
}

TEST_CASE("a shard takes its number from the batch system") {
  const TemporaryFolder folder;
  write_tiny(folder);
  const std::string tessera = std::string("'") + TESSERA_PROGRAM + "' ";
  const std::pair<const char*, const char*> tasks[] = {{"SLURM_ARRAY_TASK_ID=0", "shard_1_of_4"},
                                                       {"LSB_JOBINDEX=2", "shard_2_of_4"},
                                                       {"PBS_ARRAY_INDEX=3", "shard_3_of_4"},
                                                       {"OMPI_COMM_WORLD_RANK=3", "shard_4_of_4"}};
  for (const auto& [variable, store] : tasks) {
    const test::Ran ran = test::run_shell(
        std::string(variable) + " " + tessera + "sweep tiny.yaml --out s --shard auto/4",
        folder.path());
    CHECK(ran.exit_code == 0);
    CHECK(ran.err.find(store) != std::string::npos);
  }
  CHECK(run_tessera("sweep merge s", folder.path()).exit_code == 0);
  const test::Ran none = run_tessera("sweep tiny.yaml --out s --shard auto/4", folder.path());
  CHECK(none.exit_code == 2);
  CHECK(none.err.find("none of SLURM_ARRAY_TASK_ID") != std::string::npos);
  CHECK(run_tessera("sweep tiny.yaml --shard 5/4", folder.path()).exit_code == 2);
}

TEST_CASE("a sweep killed at random times, itself or its workers, loses nothing") {
  const TemporaryFolder folder;
  write_tiny(folder);
  const auto begin = std::chrono::steady_clock::now();
  REQUIRE(run_tessera("sweep tiny.yaml --out whole", folder.path()).exit_code == 0);
  const std::chrono::duration<double, std::micro> whole = std::chrono::steady_clock::now() - begin;
  std::mt19937 random(7);
  std::size_t before = 0;
  for (int round = 0; round < 20; ++round) {
    const std::string out = "killed" + std::to_string(round / 5);
    const pid_t sweep = start(folder, "sweep tiny.yaml --resume --jobs 2 --out " + out);
    usleep(static_cast<unsigned>(whole.count() * static_cast<double>(random() % 100) / 100));
    if (round % 2 == 1) {
      for (const pid_t worker : children_of(sweep)) kill(worker, SIGKILL);
      usleep(random() % 100'000);
    }
    kill(sweep, SIGKILL);
    wait_for(sweep);
    if (round % 5 != 4) continue;
    before += done_in(folder, out);
    REQUIRE(run_tessera("sweep tiny.yaml --resume --out " + out, folder.path()).exit_code == 0);
    CHECK(tables(folder, out) == tables(folder, "whole"));
    CHECK(contents(folder, out) == contents(folder, "whole"));
  }
  CHECK(before > 0);  // some were done before the last start
}

TEST_CASE("Ctrl-C ends a sweep at once and cleanly") {
  const TemporaryFolder folder;
  write_tiny(folder);
  for (const int number : {SIGINT, SIGTERM}) {
    const std::string out = "stopped" + std::to_string(number);
    setenv("TESSERA_SWEEP_FAULT", "hang:2,hang:3", 1);
    const pid_t sweep = start(folder, "sweep tiny.yaml --jobs 2 --out " + out);
    unsetenv("TESSERA_SWEEP_FAULT");
    for (int i = 0; i < 3000 && done_in(folder, out) < 2; ++i) usleep(10'000);
    kill(sweep, number);
    CHECK(wait_for(sweep) == 130);
    CHECK(contents(folder, out).size() == 2);
    CHECK(run_tessera("sweep tiny.yaml --resume --out " + out, folder.path()).exit_code == 0);
    CHECK(contents(folder, out).size() == 12);
  }
}

TEST_CASE("points that crash, hang or hoard memory are rows with their reason") {
  const TemporaryFolder folder;
  write_tiny(folder);
  const std::string command = std::string("'") + TESSERA_PROGRAM +
                              "' sweep tiny.yaml --timeout 6 --memory 512 --format json";
  const test::Ran ran =
      test::run_shell("TESSERA_SWEEP_FAULT=segfault:1,hang:4,memory:6 " + command, folder.path());
  REQUIRE(ran.exit_code == 0);
  const Json json = Json::parse(ran.out);
  CHECK(json.at("failed") == 3);
  CHECK(json.at("rows").size() == 12);
  CHECK(json.at("rows").at(1).at("failure") == "crashed: signal 11 (Segmentation fault)");
  CHECK(json.at("rows").at(4).at("failure") == "time-out after 6 s");
  CHECK(json.at("rows").at(6).at("failure") == "out of memory (limit 512 MiB)");
  CHECK(json.at("rows").at(6).at("status") == "failed");
  // They stay failed, unless asked for.
  CHECK(Json::parse(test::run_shell(command + " --resume", folder.path()).out).at("failed") == 3);
  const test::Ran again = test::run_shell(command + " --resume --retry-failed", folder.path());
  CHECK(Json::parse(again.out).at("failed") == 0);
}

TEST_CASE("a full disk is an error that keeps what is done") {
  const TemporaryFolder folder;
  write_tiny(folder);
  const std::string tessera = std::string("'") + TESSERA_PROGRAM + "' ";
  REQUIRE(run_tessera("sweep tiny.yaml --out whole", folder.path()).exit_code == 0);
  bool failed = false;
  for (int blocks = 120; blocks <= 160; blocks += 8) {  // of 512 bytes: between tables and results
    const std::string out = "full" + std::to_string(blocks);
    const test::Ran ran = test::run_shell(
        "ulimit -f " + std::to_string(blocks) + "; " + tessera + "sweep tiny.yaml --out " + out,
        folder.path());
    if (ran.exit_code == 0) continue;
    failed = true;
    CHECK(ran.exit_code == 2);
    CHECK(ran.err.find(out + "/sweep.sqlite: ") != std::string::npos);
    CHECK(run_tessera("sweep tiny.yaml --resume --out " + out, folder.path()).exit_code == 0);
    CHECK(contents(folder, out) == contents(folder, "whole"));
  }
  CHECK(failed);
}

TEST_CASE("a directory that cannot be written is an error before the first point") {
  const TemporaryFolder folder;
  write_tiny(folder);
  const test::Ran ran = run_tessera("sweep tiny.yaml --out /proc/sweep", folder.path());
  CHECK(ran.exit_code == 2);
  CHECK(ran.err.find("cannot create /proc/sweep") != std::string::npos);
}

TEST_CASE("a store is not mixed with another sweep") {
  const TemporaryFolder folder;
  write_tiny(folder);
  REQUIRE(run_tessera("sweep tiny.yaml", folder.path()).exit_code == 0);
  const test::Ran again = run_tessera("sweep tiny.yaml", folder.path());
  CHECK(again.exit_code == 2);
  CHECK(again.err.find("go on with --resume") != std::string::npos);
  const test::Ran other =
      run_tessera("sweep tiny.yaml --resume --set hardware.array.rows=16", folder.path());
  CHECK(other.exit_code == 2);
  CHECK(other.err.find("holds another sweep") != std::string::npos);
  write_tiny(folder, "require: latency <= 1 ms\n");
  const test::Ran changed = run_tessera("sweep report tiny.sweep", folder.path());
  CHECK(changed.exit_code == 2);
  CHECK(changed.err.find("has changed since") != std::string::npos);
}

TEST_CASE("a point shown again has the numbers of the store") {
  const TemporaryFolder folder;
  write_tiny(folder);
  const Json sweep = Json::parse(run_tessera("sweep tiny.yaml --format json", folder.path()).out);
  const Json& row = sweep.at("rows").at(7);
  const test::Ran by_number =
      run_tessera("sweep show tiny.sweep --point 7 --format json", folder.path());
  REQUIRE(by_number.exit_code == 0);
  const Json report = Json::parse(by_number.out);
  CHECK(report.at("totals").at("cycles") == row.at("cycles"));
  CHECK(report.at("totals").at("time_s") == row.at("time_s"));
  CHECK(report.at("fidelity") == "transaction");
  const std::string key = row.at("key");
  const test::Ran by_key =
      run_tessera("sweep show tiny.sweep --format json --point " + key.substr(0, 8), folder.path());
  CHECK(by_key.out == by_number.out);
  // The same as the run with the settings that it names.
  const std::size_t sets = by_number.err.find("--set");
  REQUIRE(sets != std::string::npos);
  test::write_text(folder / "run.yaml",
                   kTiny.substr(kTiny.find("{base"), kTiny.find("}}}") + 3 - kTiny.find("{base")));
  const std::string line = by_number.err.substr(sets, by_number.err.find('\n', sets) - sets);
  const Json direct =
      Json::parse(run_tessera("run run.yaml --format json " + line, folder.path()).out);
  CHECK(direct.at("totals") == report.at("totals"));
  CHECK(run_tessera("sweep show tiny.sweep --point 12", folder.path()).exit_code == 2);
}

TEST_CASE("a sweep that nothing meets says what comes nearest, and what it would need") {
  const TemporaryFolder folder;
  write_tiny(folder, "require: [latency <= 100 us, hardware.sram_bytes <= 1 MiB]\n");
  const test::Ran ran = run_tessera("sweep tiny.yaml --fidelity analytical", folder.path());
  CHECK(ran.exit_code == 0);
  CHECK(ran.err.find("latency <= 100 us needs at least ") == 0);
  CHECK(ran.out.find("none of them meet every requirement") != std::string::npos);
  CHECK(ran.out.find("infeasible  nearest: point 11") != std::string::npos);
  CHECK(ran.out.find("misses latency <= 100 us: it is ") != std::string::npos);
}

TEST_CASE("fidelity both finds the front that simulating everything finds, and judges estimates") {
  const TemporaryFolder folder;
  write_tiny(folder);
  const Json all = Json::parse(run_tessera("sweep tiny.yaml --format json", folder.path()).out);
  const std::string both = "sweep tiny.yaml --fidelity both --format json --out ";
  const Json some = Json::parse(run_tessera(both + "both", folder.path()).out);
  CHECK(some.at("front") == all.at("front"));
  const Json& estimates = some.at("estimates");
  const std::int64_t simulated = estimates.at("simulated");
  CHECK(simulated < 12);
  CHECK(simulated + estimates.at("out_of_reach").get<std::int64_t>() +
            estimates.at("left_out").get<std::int64_t>() ==
        12);
  CHECK(estimates.at("largest_error") < 0.1);
  for (const char* shard : {"2/3", "3/3", "1/3"}) {
    REQUIRE(run_tessera(both + "parts --shard " + shard, folder.path()).exit_code == 0);
  }
  REQUIRE(run_tessera("sweep merge parts", folder.path()).exit_code == 0);
  CHECK(tables(folder, "parts") == tables(folder, "both"));
}

TEST_CASE("job scripts requeue, and name program, file, store and tasks") {
  const TemporaryFolder folder;
  write_tiny(folder);
  const auto has = [](const std::string& text, const std::string& part) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
  };
  const auto dry = [&](const std::string& engine) {
    return run_tessera("sweep submit tiny.yaml --engine " + engine +
                           " --shards 8 --jobs 4 --dry-run --set 'workload.batch=2'",
                       folder.path())
        .out;
  };
  const std::string config = (folder / "tiny.yaml").string();
  const std::string command = "sweep " + config + " --out " + (folder / "tiny.sweep").string() +
                              " --resume --shard auto/8 --jobs 4 --set workload.batch=2";
  has(dry("slurm"), "#SBATCH --array=0-7\n");
  has(dry("slurm"), "#SBATCH --requeue\n");
  has(dry("lsf"), "#BSUB -J \"tessera-tiny[1-8]\"\n");
  has(dry("pbs"), "#PBS -J 1-8\n");
  has(dry("mpi"), "exec mpirun -n 8 ");
  for (const char* engine : {"slurm", "lsf", "pbs", "mpi"}) has(dry(engine), command);
  CHECK(run_tessera("sweep submit tiny.yaml --engine sge", folder.path()).exit_code == 2);
}

TEST_CASE("every shipped sweep runs, and no point of it fails") {
  const TemporaryFolder folder;
  const Json sweeps = Json::parse(run_tessera("list sweeps --format json").out);
  CHECK(sweeps.size() >= 8);
  for (const Json& each : sweeps) {
    const std::string name = each.at("name");
    INFO(name);
    CHECK(each.at("question").get<std::string>().back() == '?');
    const test::Ran ran =
        run_tessera("sweep " + name + " --fidelity analytical --format json", folder.path());
    REQUIRE(ran.exit_code == 0);
    const Json report = Json::parse(ran.out);
    CHECK(report.at("failed") == 0);
    CHECK_FALSE(report.at("front").empty());
    CHECK(report.at("rows").size() == report.at("points"));
  }
}
