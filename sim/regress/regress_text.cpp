#include <algorithm>

#include <fmt/format.h>

#include "sim/expressions/document.h"
#include "sim/regress/regress_writers.h"
#include "sim/report/format.h"

namespace tessera::sim {
namespace {

using Json = nlohmann::ordered_json;

std::string change_percent(const GoldenChange& change) {
  if (!change.old_value.is_number() || !change.new_value.is_number()) return "";
  const double before = change.old_value.get<double>();
  const double now = change.new_value.get<double>();
  return before == 0 ? "" : signed_percent((now - before) / before);
}

std::string change_line(const GoldenChange& change) {
  std::string how = change_percent(change);
  if (!change.tolerance.empty()) how += (how.empty() ? "" : ", ") + change.tolerance;
  return fmt::format("{}: {} -> {}{}", change.figure, change.old_text, change.new_text,
                     how.empty() ? "" : " (" + how + ")");
}

std::string verdict_word(bool holds, const TextOptions& options) {
  const std::string word = holds ? "holds  " : "FAILED ";
  return options.color && !holds ? "\x1b[1;31m" + word + "\x1b[0m" : word;
}

/// Of a run of which nothing but goldens differs: it changed.
std::string verdict_word(const RunOutcome& run, const TextOptions& options) {
  const bool changed = !run.holds() && run.holds(false);
  return changed ? "CHANGED" : verdict_word(run.holds(), options);
}

/// "12.62 ms   12,623,572 cycles"
std::string figures_of(const RunOutcome& run) {
  if (!run.error.empty()) return run.error.substr(0, run.error.find('\n'));
  const Json& totals = run.report.at("totals");
  const double time = totals.at("time_s").get<double>();
  return fmt::format("{}   {} cycles", time_scale(time).with_unit(time),
                     grouped(totals.at("cycles").get<std::int64_t>()));
}

std::string lines_below(const std::vector<std::string>& lines, int width) {
  std::string text;
  for (const std::string& line : lines) text += wrap("      " + line, 8, width);
  return text;
}

std::string run_text(const RunOutcome& run, int name_width, const TextOptions& options) {
  const std::string head = "   " + verdict_word(run, options) + "   " +
                           pad_right(run.name, name_width + 3) + figures_of(run) + "\n";
  return head + lines_below(failure_lines(run), options.width);
}

std::string relation_text(const expressions::ExpectationResult& relation,
                          const TextOptions& options) {
  return wrap(
      "   " + verdict_word(relation.holds, options) + "   " + expressions::to_text(relation), 13,
      options.width);
}

std::string engine_text(const EngineOutcome& engine, const TextOptions& options) {
  const std::string target = engine.target.empty() ? "" : ": " + engine.target;
  return wrap("   " + verdict_word(engine.holds, options) + "   " + engine.name + target, 13,
              options.width) +
         lines_below(engine.missed, options.width);
}

std::string suite_text(const SuiteOutcome& suite, const TextOptions& options) {
  std::string text = " " + suite.name + "   " + suite.file + "\n";
  int name_width = 0;
  for (const RunOutcome& run : suite.runs) {
    name_width = std::max(name_width, display_width(run.name));
  }
  for (const RunOutcome& run : suite.runs) text += run_text(run, name_width, options);
  for (const auto& relation : suite.relations) text += relation_text(relation, options);
  for (const EngineOutcome& engine : suite.engines) text += engine_text(engine, options);
  return text + "\n";
}

std::string first_of(const std::vector<std::string>& lines) {
  return lines.empty() ? "" : lines.front();
}

/// One row a golden figure that moved.
std::string difference_table(const std::vector<SuiteOutcome>& outcomes, int width) {
  std::vector<Column> columns{
      {"RUN", Align::kLeft, 0, {}},     {"figure", Align::kLeft, 0, {}},
      {"golden", Align::kRight, 0, {}}, {"now", Align::kRight, 0, {}},
      {"", Align::kRight, 1, {}},       {"moved most", Align::kLeft, 2, {}}};
  for (const SuiteOutcome& suite : outcomes) {
    for (const RunOutcome& run : suite.runs) {
      for (const GoldenChange& change : run.changes) {
        const std::vector<std::string> cells{
            run.name,        change.figure,          change.old_text,
            change.new_text, change_percent(change), first_of(run.cause.moved)};
        for (std::size_t c = 0; c < cells.size(); ++c) columns[c].cells.push_back(cells[c]);
      }
    }
  }
  return columns[0].cells.empty() ? "" : table(columns, width) + "\n";
}

struct Tally {
  int all = 0, failed = 0;
  void add(bool holds) {
    ++all;
    failed += holds ? 0 : 1;
  }
  std::string text(const char* what) const {
    const std::string many = all == 1 ? "" : "s";
    if (failed == 0) return fmt::format("{} {}{}", all, what, many);
    return fmt::format("{} of {} {}{} FAILED", failed, all, what, many);
  }
};

std::string summary_line(const std::vector<SuiteOutcome>& outcomes) {
  Tally runs, relations, engines;
  for (const SuiteOutcome& suite : outcomes) {
    for (const RunOutcome& run : suite.runs) runs.add(run.holds());
    for (const auto& relation : suite.relations) relations.add(relation.holds);
    for (const EngineOutcome& engine : suite.engines) engines.add(engine.holds);
  }
  std::string text = " " + runs.text("run");
  if (relations.all > 0) text += ", " + relations.text("relation");
  if (engines.all > 0) text += ", " + engines.text("engine");
  const bool all_hold = runs.failed + relations.failed + engines.failed == 0;
  return text + (all_hold ? ": all hold\n" : "\n");
}

Json json_of(const GoldenChange& change) {
  return {{"figure", change.figure},
          {"golden", change.old_value},
          {"now", change.new_value},
          {"tolerance", change.tolerance.empty() ? Json() : Json(change.tolerance)}};
}

template <class List>
Json list_json(const List& list) {
  Json json = Json::array();
  for (const auto& each : list) json.push_back(expressions::to_json(each));
  return json;
}

Json json_of(const RunOutcome& run) {
  Json json{{"name", run.name}, {"holds", run.holds()}};
  json["error"] = run.error.empty() ? Json() : Json(run.error);
  json["model_version"] = run.report.is_null() ? Json() : run.report.at("model_version");
  json["latency_cycles"] = run.report.is_null() ? Json() : run.report.at("totals").at("cycles");
  json["broken_invariants"] = run.broken;
  json["expectations"] = list_json(run.expectations);
  json["changes"] = Json::array();
  for (const GoldenChange& change : run.changes) json["changes"].push_back(json_of(change));
  json["cause"] = {{"reasons", run.cause.reasons}, {"moved", run.cause.moved}};
  return json;
}

Json json_of(const SuiteOutcome& suite) {
  Json json{{"name", suite.name}, {"file", suite.file}, {"holds", suite.holds()}};
  json["runs"] = Json::array();
  for (const RunOutcome& run : suite.runs) json["runs"].push_back(json_of(run));
  json["relations"] = list_json(suite.relations);
  json["engines"] = Json::array();
  for (const EngineOutcome& engine : suite.engines) {
    json["engines"].push_back({{"name", engine.name},
                               {"target", engine.target},
                               {"holds", engine.holds},
                               {"missed", engine.missed}});
  }
  return json;
}

}  // namespace

std::vector<std::string> failure_lines(const RunOutcome& run) {
  std::vector<std::string> lines;
  if (!run.error.empty()) lines.push_back("error: " + run.error);
  for (const std::string& broken : run.broken) lines.push_back("invariant: " + broken);
  for (const auto& each : run.expectations) {
    if (!each.holds) lines.push_back("expected: " + expressions::to_text(each));
  }
  for (const GoldenChange& change : run.changes) lines.push_back("golden: " + change_line(change));
  for (const std::string& reason : run.cause.reasons) lines.push_back("cause: " + reason);
  for (const std::string& moved : run.cause.moved) lines.push_back("moved: " + moved);
  return lines;
}

std::string regress_text(const std::vector<SuiteOutcome>& outcomes, const TextOptions& options) {
  std::string text;
  for (const SuiteOutcome& suite : outcomes) text += suite_text(suite, options);
  return text + difference_table(outcomes, options.width) + summary_line(outcomes);
}

Json regress_json(const std::vector<SuiteOutcome>& outcomes) {
  Json json{{"schema", "tessera-regress/1"}};
  json["holds"] = std::all_of(outcomes.begin(), outcomes.end(),
                              [](const SuiteOutcome& suite) { return suite.holds(); });
  json["suites"] = Json::array();
  for (const SuiteOutcome& suite : outcomes) json["suites"].push_back(json_of(suite));
  return json;
}

}  // namespace tessera::sim
