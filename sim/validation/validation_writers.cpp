#include "sim/validation/validation_writers.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/gemm_run.h"
#include "sim/report/format.h"
#include "sim/report/version.h"
#include "sim/validation/dram_writers.h"

namespace tessera::sim {
namespace {

using Json = nlohmann::ordered_json;

/// "64x256x96 16x16, mem_lat=50": what tells a row from its neighbours.
std::string case_text(const ReferenceCase& reference) {
  std::string text = shape_text(reference.shape);
  if (reference.rows > 0) text += fmt::format(" on {}x{}", reference.rows, reference.cols);
  for (const char* key : {"mem_lat", "cycles_per_beat", "tile", "LM", "LA"}) {
    const std::string value = reference.notes.value(key);
    const bool is_usual = std::string(key) == "cycles_per_beat" && value == "1";
    if (!value.empty() && !is_usual) text += fmt::format(" {}={}", key, value);
  }
  return text;
}

/// "-1.25", "0"
std::string percent_text(double value, bool sign) {
  if (value == 0) return "0";
  return sign ? fmt::format("{:+.2f}", value) : fmt::format("{:.2f}", value);
}

/// REQUIRES: a compared figure.
const CaseResult& worst_of(const EngineResult& engine) {
  std::vector<const CaseResult*> compared;
  for (const CaseResult& each : engine.cases) {
    if (each.compared()) compared.push_back(&each);
  }
  return *compared.at(engine.statistics.worst_index);
}

/// "64x256x96 mem_lat=50"; "-" when nothing is off.
std::string worst_case(const EngineResult& engine) {
  if (engine.statistics.count == 0 || engine.statistics.worst == 0) return "-";
  const ReferenceCase& worst = worst_of(engine).reference;
  if (is_memory(engine)) return worst.memory.pattern + " " + worst.memory.mapping;
  const std::string latency = worst.notes.value("mem_lat");
  if (!latency.empty()) return shape_text(worst.shape) + " mem_lat=" + latency;
  const std::string array = fmt::format(" on {}x{}", worst.rows, worst.cols);
  return shape_text(worst.shape) + (worst.rows > 0 ? array : "");
}

using CellOf = std::function<std::string(const EngineResult&)>;
struct EngineColumn {
  std::string header;
  Align align;
  int priority;
  CellOf cell;
};

std::vector<EngineColumn> engine_columns() {
  const auto figure = [](double ErrorStatistics::*member) -> CellOf {
    return [member](const EngineResult& e) {
      return e.statistics.count == 0 ? "-" : percent_text(e.statistics.*member, false);
    };
  };
  return {{"engine", Align::kLeft, 0, [](const auto& e) { return e.name; }},
          {"n", Align::kRight, 0, [](const auto& e) { return grouped(e.statistics.count); }},
          {"median %", Align::kRight, 0, figure(&ErrorStatistics::median)},
          {"mean %", Align::kRight, 0, figure(&ErrorStatistics::mean)},
          {"worst %", Align::kRight, 0, figure(&ErrorStatistics::worst)},
          {"target", Align::kLeft, 0, [](const auto& e) { return to_string(e.verdict); }},
          {"worst case", Align::kLeft, 1, worst_case}};
}

std::string target_lines(const Validation& validation, int width) {
  std::string text;
  std::size_t widest = 20;
  for (const EngineResult& engine : validation.engines) {
    if (!engine.target.empty()) widest = std::max(widest, engine.name.size() + 1);
  }
  for (const EngineResult& engine : validation.engines) {
    if (engine.target.empty()) continue;
    std::vector<std::string> parts{engine.target};
    for (const LimitResult& limit : engine.limits) {
      parts.push_back(limit.text + (limit.holds ? "" : "  MISSED"));
    }
    text += flow("   " + pad_right(engine.name, static_cast<int>(widest)), parts, width);
  }
  return text.empty() ? "" : "\n TARGETS\n" + text;
}

std::string failures(const Validation& validation, int width) {
  std::string text;
  for (const EngineResult& engine : validation.engines) {
    for (const CaseResult& each : engine.cases) {
      if (!each.failed) continue;
      text += wrap(fmt::format("   {}:{}: {} {}: {}", each.reference.file, each.reference.line,
                               each.reference.engine, case_text(each.reference), each.reason),
                   5, width);
    }
  }
  return text.empty() ? "" : "\n FAILED\n" + text;
}

std::string omission_text(const Omission& each) {
  return fmt::format("{}, {} {}: {}", each.engine, grouped(static_cast<std::int64_t>(each.count)),
                     each.count == 1 ? "row" : "rows", each.reason);
}

/// Omissions of one reason on one line: the tools of a DRAM file share theirs.
std::vector<Omission> joined(const std::vector<Omission>& omissions) {
  std::vector<Omission> lines;
  for (const Omission& each : omissions) {
    bool found = false;
    for (Omission& line : lines) {
      if (line.reason != each.reason) continue;
      line.engine += ", " + each.engine;
      line.count += each.count;
      found = true;
    }
    if (!found) lines.push_back(each);
  }
  return lines;
}

std::string omissions(const Validation& validation, int width) {
  if (validation.omissions.empty()) return "";
  std::string text = "\n NOT COMPARABLE\n";
  for (const Omission& each : joined(validation.omissions)) {
    text += wrap("   " + omission_text(each), 5, width);
  }
  return text;
}

/// The rows of memories that miss their target.
std::string missed_rows(const Validation& validation, int width) {
  std::string text;
  for (const std::string& line : dram_miss_lines(validation)) text += wrap("   " + line, 5, width);
  return text.empty() ? "" : "\n MISSED\n" + text;
}

std::string case_table(const EngineResult& engine, int width) {
  if (is_memory(engine)) return dram_case_table(engine, width);
  std::vector<Column> columns{{engine.name, Align::kLeft, 0, {}},
                              {"reference", Align::kRight, 0, {}},
                              {"ours", Align::kRight, 0, {}},
                              {"error %", Align::kRight, 0, {}},
                              {"line", Align::kRight, 1, {}}};
  for (const CaseResult& each : engine.cases) {
    const bool ok = each.compared();
    columns[0].cells.push_back(case_text(each.reference));
    columns[1].cells.push_back(grouped(each.reference.cycles));
    columns[2].cells.push_back(ok ? grouped(each.ours) : "failed");
    columns[3].cells.push_back(ok ? percent_text(each.error(), true) : "-");
    columns[4].cells.push_back(std::to_string(each.reference.line));
  }
  return "\n" + table(columns, width);
}

std::string verdict_line(const Validation& validation) {
  if (validation.engines.empty()) return "nothing was compared";
  bool judged = false;
  for (const EngineResult& engine : validation.engines) {
    judged = judged || engine.verdict != Verdict::kNoTarget;
  }
  const auto compared = static_cast<std::int64_t>(validation.compared);
  return fmt::format("{} {} compared; {}", grouped(compared), compared == 1 ? "figure" : "figures",
                     !validation.holds() ? "a target is MISSED"
                     : judged            ? "every target holds"
                                         : "no target is set for them");
}

Json limits_json(const EngineResult& engine) {
  Json limits = Json::array();
  for (const LimitResult& limit : engine.limits) {
    limits.push_back({{"text", limit.text}, {"holds", limit.holds}});
  }
  return limits;
}

Json case_json(const CaseResult& each) {
  if (each.dram) return dram_case_json(each);
  const ReferenceCase& reference = each.reference;
  Json json{{"file", std::filesystem::path(reference.file).filename().string()},
            {"line", reference.line},
            {"m", reference.shape.m},
            {"k", reference.shape.k},
            {"n", reference.shape.n},
            {"rows", reference.rows > 0 ? Json(reference.rows) : Json(nullptr)},
            {"cols", reference.cols > 0 ? Json(reference.cols) : Json(nullptr)},
            {"notes", reference.notes.text()},
            {"reference_cycles", reference.cycles}};
  json["cycles"] = each.compared() ? Json(each.ours) : Json(nullptr);
  json["error_percent"] = each.compared() ? Json(each.error()) : Json(nullptr);
  json["failure"] = each.failed ? Json(each.reason) : Json(nullptr);
  return json;
}

Json engine_json(const EngineResult& engine, bool all) {
  const ErrorStatistics& s = engine.statistics;
  const auto figure = [&](double value) { return s.count > 0 ? Json(value) : Json(nullptr); };
  Json json{{"engine", engine.name},
            {"count", s.count},
            {"median_percent", figure(s.median)},
            {"mean_percent", figure(s.mean)},
            {"worst_percent", figure(s.worst)},
            {"worst_case", s.count > 0 ? case_json(worst_of(engine)) : Json(nullptr)},
            {"target", engine.target.empty() ? Json(nullptr) : Json(engine.target)},
            {"limits", limits_json(engine)}};
  const bool judged = engine.verdict != Verdict::kNoTarget;
  json["holds"] = judged ? Json(engine.verdict == Verdict::kHolds) : Json(nullptr);
  if (!all) return json;
  json["cases"] = Json::array();
  for (const CaseResult& each : engine.cases) json["cases"].push_back(case_json(each));
  return json;
}

// --------------------------------------------------------------------------------------- Markdown

std::string markdown_row(const std::vector<std::string>& cells) {
  return fmt::format("| {} |\n", fmt::join(cells, " | "));
}

std::string markdown_engines(const Validation& validation) {
  const auto columns = engine_columns();
  std::vector<std::string> headers, rules;
  for (const EngineColumn& column : columns) {
    headers.push_back(column.header);
    rules.emplace_back(column.align == Align::kRight ? "---:" : "---");
  }
  std::string text = markdown_row(headers) + markdown_row(rules);
  for (const EngineResult& engine : validation.engines) {
    std::vector<std::string> cells;
    for (const EngineColumn& column : columns) cells.push_back(column.cell(engine));
    text += markdown_row(cells);
  }
  return text;
}

std::string markdown_targets(const Validation& validation) {
  std::string text =
      markdown_row({"engine", "target", "as it came out"}) + markdown_row({"---", "---", "---"});
  for (const EngineResult& engine : validation.engines) {
    std::vector<std::string> limits;
    for (const LimitResult& limit : engine.limits) {
      limits.push_back(limit.text + (limit.holds ? "" : " **missed**"));
    }
    text += markdown_row({engine.name, engine.target.empty() ? "-" : engine.target,
                          limits.empty() ? "-" : fmt::format("{}", fmt::join(limits, "; "))});
  }
  return text;
}

std::string markdown_memories(const Validation& validation) {
  const std::string groups = dram_group_markdown(validation);
  if (groups.empty()) return "";
  std::string text =
      "\n## Memories\n\n"
      "The DRAM model under the traffic of each row, with the row's standard, mapping and refresh: "
      "mean of\nthe absolute errors (worst in brackets), in percent. The envelope of a pattern and "
      "class of mappings\n(interleaved, contiguous) is what the simulators say with refresh and 32 "
      "outstanding, ±3 % for mixes\nof reads and writes, ±5 % for the rest, ±8 % where there is "
      "one simulator.\n\n" +
      groups;
  const std::vector<std::string> misses = dram_miss_lines(validation);
  if (!misses.empty()) text += "\nRows that miss a target:\n\n";
  for (const std::string& line : misses) text += "- " + line + "\n";
  return text;
}

std::string markdown_cases(const EngineResult& engine) {
  if (is_memory(engine)) return dram_case_markdown(engine);
  std::string text = fmt::format("\n### {}\n\n", engine.name) +
                     markdown_row({"case", "reference", "ours", "error %"}) +
                     markdown_row({"---", "---:", "---:", "---:"});
  for (const CaseResult& each : engine.cases) {
    const bool ok = each.compared();
    text += markdown_row({case_text(each.reference), grouped(each.reference.cycles),
                          ok ? grouped(each.ours) : "failed",
                          ok ? percent_text(each.error(), true) : "-"});
  }
  return text;
}

}  // namespace

std::string validation_text(const Validation& validation, const TextOptions& options) {
  std::string text = verdict_line(validation) + "\n" + repeated("─", options.width) + "\n";
  std::vector<Column> columns;
  for (const EngineColumn& maker : engine_columns()) {
    Column column{maker.header, maker.align, maker.priority, {}};
    for (const EngineResult& engine : validation.engines)
      column.cells.push_back(maker.cell(engine));
    columns.push_back(column);
  }
  if (!validation.engines.empty()) text += table(columns, options.width);
  text += target_lines(validation, options.width) + failures(validation, options.width) +
          missed_rows(validation, options.width);
  if (options.all) {
    text += dram_group_table(validation, options.width);
    for (const EngineResult& engine : validation.engines) text += case_table(engine, options.width);
  }
  return text + omissions(validation, options.width);
}

std::string validation_markdown(const Validation& validation, bool all) {
  std::string text =
      "# Validation\n\n"
      "Errors of Tessera against reference engines and other simulators: `tessera validate`. "
      "Generated by\n`tessera validate --format markdown > docs/validation.md`; "
      "`tests/reference/data/README.md` says where\nthe figures come from, "
      "[the guide](guide.md#how-far-can-i-trust-the-numbers) how to add your own.\n\n" +
      verdict_line(validation) + ".\n\n" + markdown_engines(validation) + "\n## Targets\n\n" +
      markdown_targets(validation) + markdown_memories(validation);
  if (!validation.omissions.empty()) text += "\n## Not comparable\n\n";
  for (const Omission& each : joined(validation.omissions))
    text += "- " + omission_text(each) + "\n";
  if (!all) return text;
  text += "\n## Every figure\n";
  for (const EngineResult& engine : validation.engines) text += markdown_cases(engine);
  return text;
}

Json validation_json(const Validation& validation, bool all) {
  Json json{{"schema", "tessera-validation/1"},
            {"tool_version", tool_version()},
            {"model_version", model_version()},
            {"compared", validation.compared},
            {"holds", validation.holds()}};
  json["engines"] = Json::array();
  for (const EngineResult& engine : validation.engines) {
    json["engines"].push_back(engine_json(engine, all));
  }
  json["not_comparable"] = Json::array();
  for (const Omission& each : validation.omissions) {
    json["not_comparable"].push_back(
        {{"engine", each.engine}, {"count", each.count}, {"reason", each.reason}});
  }
  return json;
}

}  // namespace tessera::sim
