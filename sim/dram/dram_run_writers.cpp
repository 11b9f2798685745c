#include "sim/dram/dram_run_writers.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "sim/report/csv.h"
#include "sim/report/format.h"
#include "sim/report/version.h"

namespace tessera::sim {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kGiga = 1e9;
constexpr double kNanosecondsPerFs = 1e-6;

std::string gigabytes(double bytes_per_second) {
  return significant(bytes_per_second / kGiga, 4) + " GB/s";
}

/// The DRAM of the machine as it was resolved.
const Json& resolved_dram(const DramRun& run) {
  return run.request.machine.resolved.at("hardware").at("dram");
}

std::string head_lines(const DramRun& run, const TextOptions& options) {
  const std::string& pattern = run.request.pattern;
  const std::string title = options.color ? "\x1b[1m" + pattern + "\x1b[0m" : pattern;
  return flow("",
              {title, fmt::format("{} x {}", run.dram().standard, run.dram().channels),
               run.request.machine.hardware.name},
              options.width) +
         repeated("─", options.width) + "\n";
}

std::string answer_lines(const DramRun& run, const TextOptions& options) {
  const Scale time = time_scale(run.elapsed_s);
  return flow(" ",
              {percent(run.made.sustained_fraction, 2) + " of the peak of " +
                   gigabytes(run.dram().peak_bytes_per_second),
               gigabytes(run.bus_bytes_per_second()) + " on the bus",
               gigabytes(run.useful_bytes_per_second()) + " useful", time.with_unit(run.elapsed_s)},
              options.width);
}

std::string latency_lines(const DramRun& run, const TextOptions& options) {
  if (!run.has_reads()) return "";
  std::vector<std::string> parts{fmt::format("mean {:.1f} ns", run.made.mean_read_ns),
                                 fmt::format("p99 {:.1f} ns", run.made.p99_read_ns)};
  const double controller = static_cast<double>(run.dram().controller_fs) * kNanosecondsPerFs;
  if (controller > 0) {
    parts.push_back(fmt::format("controller_latency {:g} ns not included", controller));
  }
  return flow(" reads       ", parts, options.width);
}

std::string command_lines(const DramRun& run, const TextOptions& options) {
  const hw::DramCommandCounts& n = run.made.counts;
  std::vector<std::string> parts;
  for (const auto& [name, count] :
       {std::pair("activates", n.activates), std::pair("precharges", n.precharges),
        std::pair("reads", n.reads), std::pair("writes", n.writes),
        std::pair("all-bank refreshes", n.refreshes_all),
        std::pair("per-bank refreshes", n.refreshes_bank)}) {
    if (count > 0) parts.push_back(grouped(count) + " " + name);
  }
  return flow(" commands    ", parts, options.width);
}

std::string setting_lines(const DramRun& run, const TextOptions& options) {
  const Json& dram = resolved_dram(run);
  const Json& controller = dram.at("controller");
  const auto word = [&](const char* key) { return scalar_text(controller.at(key)); };
  return flow(" mapping     ",
              {scalar_text(dram.at("mapping").at("order")),
               "hash " + scalar_text(dram.at("mapping").at("hash"))},
              options.width) +
         flow(
             " controller  ",
             {fmt::format("queues of {} reads, {} writes", word("read_queue"), word("write_queue")),
              fmt::format("drain above {} to {}", word("drain_above"), word("drain_to")),
              "refresh " + word("refresh")},
             options.width) +
         flow(" requester   ",
              {fmt::format("{} reads and {} writes outstanding a channel", run.request.outstanding,
                           run.request.outstanding),
               fmt::format("{} offers a clock, in order", run.request.offers_per_clock)},
              options.width);
}

Json commands_of(const hw::DramCommandCounts& n) {
  return {{"activates", n.activates},
          {"precharges", n.precharges},
          {"reads", n.reads},
          {"writes", n.writes},
          {"refreshes_all", n.refreshes_all},
          {"refreshes_bank", n.refreshes_bank}};
}

Json latency_of(const DramRun& run, double ns) { return run.has_reads() ? Json(ns) : Json(); }

}  // namespace

std::string dram_run_text(const DramRun& run, const TextOptions& options) {
  return head_lines(run, options) + answer_lines(run, options) + latency_lines(run, options) +
         flow(" rows        ", {percent(run.made.row_hit_rate, 2) + " hits"}, options.width) +
         command_lines(run, options) + setting_lines(run, options);
}

Json dram_run_json(const DramRun& run) {
  Json json{{"schema", "tessera-dram/1"},
            {"tool_version", tool_version()},
            {"model_version", model_version()},
            {"hardware", run.request.machine.hardware.name},
            {"pattern", run.request.pattern},
            {"requester",
             {{"outstanding", run.request.outstanding},
              {"offers_per_clock", run.request.offers_per_clock}}},
            {"dram", resolved_dram(run)},
            {"peak_bytes_per_s", run.dram().peak_bytes_per_second},
            {"sustained_fraction", run.made.sustained_fraction},
            {"bus_bytes_per_s", run.bus_bytes_per_second()},
            {"useful_bytes_per_s", run.useful_bytes_per_second()}};
  json["mean_read_latency_ns"] = latency_of(run, run.made.mean_read_ns);
  json["p99_read_latency_ns"] = latency_of(run, run.made.p99_read_ns);
  json["row_hit_rate"] = run.made.row_hit_rate;
  json["commands"] = commands_of(run.made.counts);
  json["bursts"] = run.bursts;
  json["bus_bytes"] = run.bus_bytes;
  json["useful_bytes"] = run.useful_bytes;
  json["clocks"] = run.made.clocks;
  json["elapsed_s"] = run.elapsed_s;
  return json;
}

std::string dram_run_csv(const DramRun& run) {
  const Json& dram = resolved_dram(run);
  const std::vector<std::pair<std::string, Json>> cells{
      {"tool", "tessera"},
      {"hardware", run.request.machine.hardware.name},
      {"standard", run.dram().standard},
      {"channels", run.dram().channels},
      {"peak_gbps", run.dram().peak_bytes_per_second / kGiga},
      {"pattern", run.request.pattern},
      {"mapping", dram.at("mapping").at("order")},
      {"hash", dram.at("mapping").at("hash")},
      {"refresh", dram.at("controller").at("refresh")},
      {"bytes", run.useful_bytes},
      {"queue_depth", run.request.outstanding},
      {"sustained_fraction", run.made.sustained_fraction},
      {"avg_read_latency_ns", latency_of(run, run.made.mean_read_ns)},
      {"p99_ns", latency_of(run, run.made.p99_read_ns)},
      {"row_hit_rate", run.made.row_hit_rate},
      {"bus_gbps", run.bus_bytes_per_second() / kGiga},
      {"useful_gbps", run.useful_bytes_per_second() / kGiga},
      {"elapsed_ns", run.elapsed_s * kGiga}};
  std::string header, row;
  const auto append = [&](const std::string& name, const Json& value) {
    header += (header.empty() ? "" : ",") + csv_cell(name);
    row += (row.empty() ? "" : ",") + csv_cell(scalar_text(value));
  };
  for (const auto& [name, value] : cells) append(name, value);
  const Json commands = commands_of(run.made.counts);
  for (const auto& [name, value] : commands.items()) append(name, value);
  return header + "\n" + row + "\n";
}

}  // namespace tessera::sim
