#include "sim/validation/dram_writers.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/report/format.h"
#include "sim/validation/dram_judging.h"

namespace tessera::sim {
namespace {

constexpr int kUsualDepth = 32;

std::string markdown_line(const std::vector<std::string>& cells) {
  return fmt::format("| {} |\n", fmt::join(cells, " | "));
}

/// nullptr where the row does not give it.
const DramFigure* figure_of(const std::vector<DramFigure>& figures, const std::string& name) {
  for (const DramFigure& each : figures) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

/// Theirs, ours and the error of one figure of a row; dashes where the row has none.
struct FigureCells {
  std::string theirs = "-", ours = "-", error = "-";
};

FigureCells figure_cells(const CaseResult& result, const std::string& name, int decimals) {
  const std::vector<DramFigure> figures = dram_figures(result);
  const DramFigure* figure = figure_of(figures, name);
  if (figure == nullptr) return {};
  return {fixed(figure->theirs, decimals), fixed(figure->ours, decimals),
          fmt::format("{:+.2f}", figure->error())};
}

std::string verdict_cell(const CaseResult& result) {
  return dram_misses(result).empty() ? "" : "MISSED";
}

/// Columns of every row: the errors stay when room is short, the figures go first.
std::vector<Column> case_columns(const EngineResult& engine) {
  std::vector<Column> columns{{engine.name, Align::kLeft, 0, {}}};
  const auto add_figure = [&](const std::string& name, const char* header,
                              const char* percent_header, int decimals) {
    Column theirs{header, Align::kRight, 2, {}}, ours{"ours", Align::kRight, 2, {}};
    Column error{percent_header, Align::kRight, 0, {}};
    for (const CaseResult& each : engine.cases) {
      const FigureCells cells = figure_cells(each, name, decimals);
      theirs.cells.push_back(cells.theirs);
      ours.cells.push_back(cells.ours);
      error.cells.push_back(cells.error);
    }
    columns.insert(columns.end(), {theirs, ours, error});
  };
  add_figure("bandwidth", "of peak", "peak %", 4);
  add_figure("mean latency", "mean ns", "mean %", 1);
  add_figure("p99", "p99 ns", "p99 %", 1);
  Column verdict{"target", Align::kLeft, 0, {}}, line{"line", Align::kRight, 1, {}};
  for (const CaseResult& each : engine.cases) {
    columns[0].cells.push_back(dram_case_text(each.reference));
    verdict.cells.push_back(verdict_cell(each));
    line.cells.push_back(std::to_string(each.reference.line));
  }
  columns.insert(columns.end(), {verdict, line});
  return columns;
}

std::vector<Column> group_columns(const Validation& validation) {
  std::vector<Column> columns{{"memory", Align::kLeft, 0, {}},
                              {"n", Align::kRight, 0, {}},
                              {"bandwidth %", Align::kRight, 0, {}},
                              {"mean latency %", Align::kRight, 0, {}},
                              {"p99 %", Align::kRight, 0, {}}};
  for (const DramGroup& group : dram_groups(validation)) {
    columns[0].cells.push_back(group.name);
    columns[1].cells.push_back(std::to_string(group.rows));
    columns[2].cells.push_back(group.bandwidth.text());
    columns[3].cells.push_back(group.mean_latency.text());
    columns[4].cells.push_back(group.p99.text());
  }
  return columns;
}

std::string markdown_table(const std::vector<Column>& columns) {
  std::vector<std::string> headers, rules;
  for (const Column& column : columns) {
    headers.push_back(column.header);
    rules.emplace_back(column.align == Align::kRight ? "---:" : "---");
  }
  std::string text = markdown_line(headers) + markdown_line(rules);
  for (std::size_t row = 0; row < columns.front().cells.size(); ++row) {
    std::vector<std::string> cells;
    for (const Column& column : columns) cells.push_back(column.cells[row]);
    text += markdown_line(cells);
  }
  return text;
}

nlohmann::ordered_json figures_json(const std::vector<DramFigure>& figures) {
  auto json = nlohmann::ordered_json::object();
  for (const auto& [name, key] : {std::pair("bandwidth", "sustained_fraction"),
                                  std::pair("mean latency", "mean_read_latency_ns"),
                                  std::pair("p99", "p99_read_latency_ns")}) {
    const DramFigure* figure = figure_of(figures, name);
    if (figure == nullptr) {
      json[key] = nullptr;
      continue;
    }
    json[key] = {
        {"reference", figure->theirs}, {"ours", figure->ours}, {"error_percent", figure->error()}};
  }
  return json;
}

}  // namespace

bool is_memory(const EngineResult& engine) {
  return engine.cases.front().reference.kind == ReferenceKind::kDram;
}

std::string dram_case_text(const ReferenceCase& reference) {
  const DramReference& memory = reference.memory;
  std::string text =
      fmt::format("{} {} {}", memory.pattern, memory.mapping, dram_policy(reference.notes));
  if (memory.channels != 1) text += fmt::format(" x{}", memory.channels);
  if (memory.queue_depth != kUsualDepth) text += fmt::format(" depth={}", memory.queue_depth);
  return text;
}

void DramErrors::add(double error) {
  mean = (mean * count + std::abs(error)) / (count + 1);
  ++count;
  if (std::abs(error) > std::abs(worst)) worst = error;
}

std::string DramErrors::text() const {
  return count == 0 ? "-" : fmt::format("{:.2f} ({:+.2f})", mean, worst);
}

std::vector<DramGroup> dram_groups(const Validation& validation) {
  std::vector<DramGroup> groups;
  for (const EngineResult& engine : validation.engines) {
    if (!is_memory(engine)) continue;
    for (const CaseResult& each : engine.cases) {
      const std::string name = engine.name + " " + each.dram->row.pattern_class;
      const auto same = [&](const DramGroup& group) { return group.name == name; };
      auto found = std::find_if(groups.begin(), groups.end(), same);
      if (found == groups.end()) found = groups.insert(groups.end(), {name, 0, {}, {}, {}});
      ++found->rows;
      for (const DramFigure& figure : dram_figures(each)) {
        (figure.name == "bandwidth"      ? found->bandwidth
         : figure.name == "mean latency" ? found->mean_latency
                                         : found->p99)
            .add(figure.error());
      }
    }
  }
  return groups;
}

std::string dram_case_table(const EngineResult& engine, int width) {
  return "\n" + table(case_columns(engine), width);
}

std::string dram_case_markdown(const EngineResult& engine) {
  std::vector<Column> columns = case_columns(engine);
  columns.front().header = "case";
  columns.pop_back();  // the line
  return fmt::format("\n### {}\n\n", engine.name) + markdown_table(columns);
}

nlohmann::ordered_json dram_case_json(const CaseResult& result) {
  const ReferenceCase& reference = result.reference;
  const DramReference& memory = reference.memory;
  nlohmann::ordered_json json{{"file", std::filesystem::path(reference.file).filename().string()},
                              {"line", reference.line},
                              {"standard", memory.standard},
                              {"channels", memory.channels},
                              {"pattern", memory.pattern},
                              {"mapping", memory.mapping},
                              {"queue_depth", memory.queue_depth},
                              {"notes", reference.notes.text()},
                              {"figures", figures_json(dram_figures(result))},
                              {"row_hit_rate", result.dram->made.row_hit_rate}};
  json["envelope"] = nullptr;
  if (const auto& envelope = result.dram->envelope) {
    json["envelope"] = {{"low", envelope->low},
                        {"high", envelope->high},
                        {"simulators", envelope->tools},
                        {"tolerance", envelope->tolerance()},
                        {"holds", envelope->holds(result.dram->made.sustained_fraction)}};
  }
  json["misses"] = dram_misses(result);
  return json;
}

std::string dram_group_table(const Validation& validation, int width) {
  const std::vector<Column> columns = group_columns(validation);
  return columns.front().cells.empty() ? "" : "\n" + table(columns, width);
}

std::string dram_group_markdown(const Validation& validation) {
  const std::vector<Column> columns = group_columns(validation);
  return columns.front().cells.empty() ? "" : markdown_table(columns);
}

std::vector<std::string> dram_miss_lines(const Validation& validation) {
  std::vector<std::string> lines;
  for (const EngineResult& engine : validation.engines) {
    if (!is_memory(engine)) continue;
    for (const CaseResult& each : engine.cases) {
      const std::vector<std::string> misses = dram_misses(each);
      if (misses.empty()) continue;
      lines.push_back(fmt::format("{} {}: {}", engine.name, dram_case_text(each.reference),
                                  fmt::join(misses, "; ")));
    }
  }
  return lines;
}

}  // namespace tessera::sim
