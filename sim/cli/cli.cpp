#include "sim/cli/cli.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "sim/cli/check_command.h"
#include "sim/cli/dram_command.h"
#include "sim/cli/gemm_command.h"
#include "sim/cli/import_command.h"
#include "sim/cli/options.h"
#include "sim/cli/output.h"
#include "sim/cli/validate_command.h"
#include "sim/cli/what_if.h"
#include "sim/config/config.h"
#include "sim/lowering/lowering.h"
#include "sim/mapper/mapper.h"
#include "sim/pipeline.h"
#include "sim/report/format.h"
#include "sim/report/version.h"
#include "sim/report/writers.h"

namespace tessera::sim {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kDone = 0, kFailed = 1, kUsage = 2, kInternal = 3;
constexpr int kFileWidth = 100;

TextOptions text_options(const CommandLine& line) {
  return {text_width(line.width), line.all, use_color()};
}

std::string json_text(const Json& json) { return json.dump(2) + "\n"; }

void write_report_files(const CommandLine& line, const Report& report,
                        const std::vector<WhatIf>& what_ifs, const HostFigures& host) {
  const std::filesystem::path directory(line.out);
  const TextOptions options{line.width > 0 ? text_width(line.width) : kFileWidth, line.all, false};
  const auto path = [&](const char* name) { return (directory / name).string(); };
  write_files({{path("report.txt"), report_text(report, what_ifs, options)},
               {path("report.json"), json_text(report_json(report))},
               {path("report.csv"), report_csv(report)},
               {path("host.json"), json_text(host_json(host))}});
}

/// Names what failed on standard error; true when nothing did.
bool all_hold(const std::vector<expressions::ExpectationResult>& results) {
  bool all = true;
  for (const auto& each : results) {
    if (each.holds) continue;
    all = false;
    std::cerr << each.place << ": expectation failed: " << expressions::to_text(each) << "\n";
  }
  return all;
}

/// False when an expectation failed.
bool run(const CommandLine& line) {
  if (!line.out.empty()) prepare_directory(line.out);
  if (line.what_if && line.subjects[0] == "-") {
    throw UsageError("--what-if reads the run again and again: give it a file, not -");
  }
  const PreparedRun prepared = prepare(load_run(line.subjects[0], line.sets));
  check_expectations(prepared);
  std::vector<TriedChange> tried;  // before the one simulation that this process may make
  if (line.what_if) {
    tried = try_changes(line.subjects[0], line.sets, what_if_changes(prepared.config));
  }
  HostFigures host;
  Report report = simulate_run(prepared, &host);
  judge_expectations(prepared.config, report);
  const auto what_ifs = what_if_lines(tried, report);
  if (!line.out.empty()) write_report_files(line, report, what_ifs, host);
  if (line.format == "text") {
    const TextOptions options = text_options(line);
    write_stdout(report_text(report, what_ifs, options) + host_footer(host, options.width));
    return all_hold(report.expectations);
  }
  write_stdout(line.format == "csv" ? report_csv(report) : json_text(report_json(report)));
  std::cerr << host_footer(host);
  return all_hold(report.expectations);
}

void describe(const CommandLine& line) {
  const PreparedRun prepared = prepare(load_run(line.subjects[0], line.sets));
  const auto& hardware = prepared.config.hardware;
  const int width = text_width(line.width);
  if (line.stage == "graph") {
    write_stdout(describe_graph(prepared.graph, line.format, width));
  } else if (line.stage == "program") {
    const auto program = lower(prepared.graph, prepared.plan, hardware);
    describe_program(*program, prepared.graph, hardware, line.format, std::cout, width);
    if (!std::cout.flush()) throw OutputError("cannot write to standard output");
  } else if (line.format == "yaml") {
    write_stdout(write_plan_yaml(prepared.plan, hardware));
  } else {
    write_stdout(describe_plan(prepared.graph, prepared.plan, hardware, line.format, width));
  }
}

bool is_report_file(const std::string& subject) {
  const std::filesystem::path path(subject);
  return path.extension() == ".json" && std::filesystem::is_regular_file(path);
}

Json read_report(const std::string& path) {
  std::ifstream file(path);
  const Json json = Json::parse(file, nullptr, false);
  if (json.is_discarded()) throw UsageError(path + ": not JSON");
  try {
    compare_json(json, json);  // has everything that a comparison needs
  } catch (const std::invalid_argument& error) {
    throw UsageError(path + ": " + error.what());
  }
  return json;
}

/// A report.json as it is, or the report of a run simulated now.
Json report_of(const std::string& subject, const std::vector<std::string>& sets) {
  if (!is_report_file(subject)) {
    return report_json(simulate_run_isolated(prepare(load_run(subject, sets))));
  }
  if (!sets.empty()) throw UsageError(subject + " is a report: --set needs a run");
  return read_report(subject);
}

/// " --set hardware.vector.lanes=64", as the shell takes it.
std::string sets_text(const std::vector<std::string>& sets) {
  std::string text;
  for (const std::string& set : sets) {
    const bool plain = set.find_first_of(" \t\"{}[]*$;&|<>()#") == std::string::npos;
    text += plain ? " --set " + set : " --set '" + set + "'";
  }
  return text;
}

void compare(const CommandLine& line) {
  Json b = report_of(line.subjects.back(), line.sets);
  const Json a = report_of(line.subjects[0], {});
  b["run"] = b.at("run").get<std::string>() + sets_text(line.sets);
  write_stdout(line.format == "json" ? json_text(compare_json(a, b))
                                     : compare_text(a, b, text_options(line)));
}

void list(const CommandLine& line) {
  const auto entries = list_configs(line.subjects[0]);
  if (line.format == "json") {
    Json json = Json::array();
    for (const auto& entry : entries) {
      json.push_back({{"name", entry.name}, {"path", entry.path}, {"question", entry.question}});
    }
    return write_stdout(json_text(json));
  }
  std::size_t widest = 0;
  for (const auto& entry : entries) widest = std::max(widest, entry.name.size());
  std::string text;
  for (const auto& entry : entries) {
    text += pad_right(entry.name, static_cast<int>(widest) + 2) + entry.question + "\n";
  }
  write_stdout(text);
}

void schema(const CommandLine& line) {
  const std::string& kind = line.subjects[0];
  write_stdout(json_text(kind == "report" ? report_schema() : config_schema(kind)));
}

/// The exit code.
int carry_out(const CommandLine& line) {
  if (line.version) {
    write_stdout("tessera " + tool_version() + " (timing model " + model_version() + ")\n");
  } else if (line.help) {
    write_stdout(help_text(line.verb));
  } else if (line.verb == "run") {
    return run(line) ? kDone : kFailed;
  } else if (line.verb == "describe") {
    describe(line);
  } else if (line.verb == "compare") {
    compare(line);
  } else if (line.verb == "check") {
    return check_command(line) ? kDone : kFailed;
  } else if (line.verb == "list") {
    list(line);
  } else if (line.verb == "import") {
    import_command(line);
  } else if (line.verb == "gemm") {
    gemm_command(line);
  } else if (line.verb == "dram") {
    dram_command(line);
  } else if (line.verb == "validate") {
    return validate_command(line);
  } else {
    schema(line);
  }
  return kDone;
}

int fail(int code, const std::string& message) {
  std::cerr << "tessera: " << message << (message.empty() || message.back() != '\n' ? "\n" : "");
  return code;
}

/// Begins with file:line:column where there is one, else as every other message.
int fail_config(const std::string& message) {
  const std::string bare = "error: ";
  if (message.compare(0, bare.size(), bare) == 0) return fail(kUsage, message.substr(bare.size()));
  std::cerr << message << "\n";
  return kUsage;
}

}  // namespace

int run_command_line(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is an error message, not a silent end
  try {
    return carry_out(parse_command_line(argc, argv));
  } catch (const ConfigError& error) {
    return fail_config(error.what());
  } catch (const MappingError& error) {
    return fail(kUsage, error.what());
  } catch (const UsageError& error) {
    return fail(kUsage, error.what());
  } catch (const OutputError& error) {
    return fail(kUsage, error.what());
  } catch (const std::invalid_argument& error) {
    return fail(kUsage, error.what());
  } catch (const std::exception& error) {
    return fail(kInternal, std::string("internal error: ") + error.what());
  }
}

}  // namespace tessera::sim
