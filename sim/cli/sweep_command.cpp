#include "sim/cli/sweep_command.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <regex>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/cli/output.h"
#include "sim/cli/sweep_submit.h"
#include "sim/config/config.h"
#include "sim/sweep/run_sweep.h"
#include "sim/sweep/submit.h"
#include "sim/sweep/sweep_fields.h"
#include "sim/sweep/sweep_report.h"

namespace tessera::sim {
namespace {

namespace fs = std::filesystem;

constexpr int kAllDone = 0, kNotAll = 1, kStopped = 130;  // 128 + SIGINT, as shells have it
constexpr int kTableWidth = 100;
constexpr const char* kStoreName = "sweep.sqlite";

TextOptions page_options(const CommandLine& line) {
  return {text_width(line.width), line.all, use_color()};
}

std::string indented(const nlohmann::ordered_json& json) { return json.dump(2) + "\n"; }

// ---- where things are ---------------------------------------------------------------------------

std::string store_in(const std::string& directory) {
  return (fs::path(directory) / kStoreName).string();
}

std::string shard_store(const std::string& directory, const Shard& shard) {
  const std::string name = fmt::format("shard_{}_of_{}.sqlite", shard.index + 1, shard.count);
  return (fs::path(directory) / name).string();
}

/// The store that `word` means: a file, or the one in a directory.
std::string store_of(const std::string& word) {
  return fs::is_directory(word) ? store_in(word) : word;
}

/// The sweep that a store belongs to, read again from its file.
Sweep sweep_of(const Store& store) {
  const StoreHead& head = store.head();
  if (head.file.empty()) {
    throw UsageError("the sweep came from standard input: its file is not known any more");
  }
  Sweep sweep(load_sweep(head.file, head.sets, sweep_fidelity(head.fidelity)));
  if (sweep.fingerprint() != head.fingerprint) {
    throw UsageError(head.file +
                     " has changed since the sweep ran (or the timing model has): run " +
                     "it again into another --out");
  }
  return sweep;
}

// ---- running ------------------------------------------------------------------------------------

Shard shard_of(const CommandLine& line) {
  if (line.shard.empty()) return {};
  const std::string automatic = "auto/";
  if (line.shard.compare(0, automatic.size(), automatic) != 0) return parse_shard(line.shard);
  std::string source;
  const std::int64_t index = shard_index_from_environment(source);
  if (index < 0) {
    throw UsageError(
        "--shard auto: none of SLURM_ARRAY_TASK_ID, LSB_JOBINDEX, PBS_ARRAY_INDEX and "
        "OMPI_COMM_WORLD_RANK is set: write i/N");
  }
  try {
    return parse_shard(std::to_string(index + 1) + "/" + line.shard.substr(automatic.size()));
  } catch (const std::invalid_argument& error) {
    throw UsageError(std::string(error.what()) + " (i from " + source + ")");
  }
}

WorkerLimits limits_of(const CommandLine& line) {
  WorkerLimits limits;
  limits.jobs = line.jobs > 0 ? line.jobs
                              : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  limits.timeout_s = line.timeout;
  limits.memory_bytes = std::int64_t{line.memory} << 20;
  return limits;
}

void write_tables(const Sweep& sweep, const SweepReport& report, const std::string& directory) {
  const auto path = [&](const char* name) { return (fs::path(directory) / name).string(); };
  write_files({{path("report.txt"), sweep_text(sweep, report, {kTableWidth, false, false})},
               {path("report.json"), indented(sweep_json(sweep, report))},
               {path("points.csv"), sweep_csv(sweep, report)}});
}

void print_report(const Sweep& sweep, const SweepReport& report, const CommandLine& line) {
  if (line.format == "json") return write_stdout(indented(sweep_json(sweep, report)));
  if (line.format == "csv") return write_stdout(sweep_csv(sweep, report));
  write_stdout(sweep_text(sweep, report, page_options(line)));
}

/// What the requirements ask for, before the first point.
void print_needs(const Sweep& sweep) {
  for (const Need& need : needs_of(sweep)) {
    std::cerr << fmt::format("{} needs at least {:.4g} MACs a cycle and {:.3g} GB/s\n",
                             need.requirement, need.macs_per_cycle, 1e-9 * need.bytes_per_second);
  }
}

int run_points(const CommandLine& line) {
  SweepOptions options;
  options.shard = shard_of(line);
  SweepSpec spec = load_sweep(line.subjects[0], line.sets, sweep_fidelity(line.sweep_fidelity));
  if (!spec.path.empty()) spec.path = fs::absolute(spec.path).lexically_normal().string();
  const Sweep sweep(std::move(spec));
  const std::string directory = line.out.empty() ? sweep.spec().name + ".sweep" : line.out;
  prepare_directory(directory);
  const bool whole = options.shard.count == 1;
  options.store = whole ? store_in(directory) : shard_store(directory, options.shard);
  options.resume = line.resume && fs::exists(options.store);
  options.retry_failed = line.retry_failed;
  options.limits = limits_of(line);
  options.sets = line.sets;
  options.shows_progress = isatty(STDERR_FILENO) != 0;
  print_needs(sweep);
  if (run_sweep(sweep, options) == SweepEnd::kStopped) {
    std::cerr << "tessera: stopped; what is done is in " << options.store
              << ": go on with --resume\n";
    return kStopped;
  }
  if (!whole) {
    std::cerr << fmt::format("shard {} of {} is done: {}\n", options.shard.index + 1,
                             options.shard.count, options.store);
    return kAllDone;
  }
  const SweepReport report = make_sweep_report(sweep, Store::open(options.store, StoreMode::kRead));
  write_tables(sweep, report, directory);
  print_report(sweep, report, line);
  return kAllDone;
}

// ---- looking back -------------------------------------------------------------------------------

const std::string& only_store(const CommandLine& line) {
  if (line.subjects.size() == 2) return line.subjects[1];
  throw UsageError("'tessera sweep " + line.subjects[0] + "' takes one directory or store");
}

void report_points(const CommandLine& line) {
  const Store store = Store::open(store_of(only_store(line)), StoreMode::kRead);
  const Sweep sweep = sweep_of(store);
  print_report(sweep, make_sweep_report(sweep, store), line);
}

/// The point that `word` means: its number, or the beginning of its key.
std::int64_t point_called(const Sweep& sweep, const Store& store, const std::string& word) {
  std::vector<std::int64_t> found;
  for (const char* fidelity : {"analytical", "transaction"}) {
    store.each(fidelity, [&](const PointResult& result) {
      const bool by_key = word.size() >= 6 && result.key.compare(0, word.size(), word) == 0;
      const bool known = !found.empty() && found.back() == result.id;
      if ((by_key || std::to_string(result.id) == word) && !known) found.push_back(result.id);
    });
    if (!found.empty()) break;
  }
  if (found.empty()) {
    throw UsageError(
        fmt::format("--point '{}': the store has no such point (0 .. {}, or the first "
                    "digits of a key)",
                    word, sweep.size() - 1));
  }
  return found.front();
}

/// Shell words that turn the base run into the point.
std::string point_sets(const Sweep& sweep, std::int64_t id) {
  const SweepSpec& spec = sweep.spec();
  const Choices& choices = sweep.points()[static_cast<std::size_t>(id)];
  std::string text;
  for (std::size_t a = 0; a < spec.axes.size(); ++a) {
    if (choices[a] == kInactive) continue;
    for (const std::string& key : spec.axes[a].keys) {
      text += " --set " + shell_word(key + "=" + value_label(spec, choices, a));
    }
  }
  return text;
}

/// What the store has of the point at `fidelity`, or nothing.
std::string stored_figures(const Store& store, std::int64_t id, Fidelity fidelity) {
  std::string figures;
  store.each(to_string(fidelity), [&](const PointResult& result) {
    if (result.id == id) figures = result.figures;
  });
  return figures;
}

int show_point(const CommandLine& line) {
  if (line.point.empty()) throw UsageError("'tessera sweep show' needs --point ID");
  const Store store = Store::open(store_of(only_store(line)), StoreMode::kRead);
  const Sweep sweep = sweep_of(store);
  const std::int64_t id = point_called(sweep, store, line.point);
  const bool simulated = !stored_figures(store, id, Fidelity::kTransaction).empty();
  const Fidelity fidelity = simulated || sweep.spec().fidelity == SweepFidelity::kTransaction
                                ? Fidelity::kTransaction
                                : Fidelity::kAnalytical;
  const PreparedRun run = prepare(sweep.run_of(id, fidelity));
  HostFigures host;
  const Report made = simulate_run(run, &host);
  if (line.format == "text") {
    write_stdout(report_text(made, {}, page_options(line)) + host_footer(host));
  } else {
    write_stdout(line.format == "csv" ? report_csv(made) : indented(report_json(made)));
  }
  std::cerr << fmt::format("point {} of {}:{}\n", id, sweep.spec().name, point_sets(sweep, id));
  const std::string before = stored_figures(store, id, fidelity);
  if (before.empty()) return kAllDone;
  PointFigures now = point_figures(sweep.spec(), run, made);
  if (write_figures(now) == before) return kAllDone;
  std::cerr << "tessera: the figures differ from those in the store\n";
  return kNotAll;
}

// ---- beyond one machine -------------------------------------------------------------------------

/// The stores of shards in a directory, by file name.
std::vector<fs::path> shard_files(const fs::path& directory) {
  static const std::regex form("shard_[0-9]+_of_[0-9]+\\.sqlite");
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    if (std::regex_match(entry.path().filename().string(), form)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

int merge_shards(const CommandLine& line) {
  if (line.subjects.size() < 2) throw UsageError("'tessera sweep merge' needs a directory");
  const fs::path directory = line.subjects[1];
  if (!fs::is_directory(directory)) throw UsageError(directory.string() + " is no directory");
  std::vector<fs::path> files = shard_files(directory);
  files.insert(files.end(), line.subjects.begin() + 2, line.subjects.end());
  if (files.empty()) throw UsageError(directory.string() + " holds no shard_I_of_N.sqlite");
  const std::string path = store_in(directory.string());
  {
    const StoreHead head = Store::open(files.front().string(), StoreMode::kRead).head();
    Store merged =
        Store::open(path, fs::exists(path) ? StoreMode::kResume : StoreMode::kCreate, head);
    for (const fs::path& file : files) {
      merged.merge(Store::open(file.string(), StoreMode::kRead));
    }
  }
  const Store store = Store::open(path, StoreMode::kRead);
  const Sweep sweep = sweep_of(store);
  const std::int64_t missing = missing_points(sweep, store);
  if (missing > 0) {
    std::cerr << fmt::format("tessera: {} of {} points have no result yet\n", missing,
                             sweep.size());
  }
  const SweepReport made = make_sweep_report(sweep, store);
  write_tables(sweep, made, directory.string());
  print_report(sweep, made, line);
  return missing > 0 ? kNotAll : kAllDone;
}

}  // namespace

int sweep_command(const CommandLine& line) {
  const std::string& first = line.subjects[0];
  if (first == "report") return report_points(line), kAllDone;
  if (first == "show") return show_point(line);
  if (first == "merge") return merge_shards(line);
  if (first == "submit") return submit_sweep(line);
  if (line.subjects.size() > 1) {
    throw UsageError("'tessera sweep' takes one sweep file: what is '" + line.subjects[1] +
                     "'? (report, show, merge and submit come first)");
  }
  return run_points(line);
}

}  // namespace tessera::sim
