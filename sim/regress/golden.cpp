#include "sim/regress/golden.h"

#include <filesystem>
#include <fstream>
#include <map>

#include "hw_models/counters.h"
#include "sim/config/config.h"
#include "sim/config/value.h"
#include "sim/expressions/document.h"

namespace tessera::sim {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchema = "tessera-goldens/1";
constexpr std::size_t kLineWidth = 160;

/// cycles, time, DRAM bytes and causes of a row.
Json compact_row(const Json& row) {
  std::int64_t read = 0, write = 0;
  for (const Json& entry : row.at("traffic").at("dram")) {
    if (!entry.is_object()) continue;
    read += entry.at("read_bytes").get<std::int64_t>();
    write += entry.at("write_bytes").get<std::int64_t>();
  }
  Json compact;
  compact["name"] = row.contains("name") ? row.at("name") : Json("total");
  if (row.contains("phase")) compact["phase"] = row.at("phase");
  compact["cycles"] = row.at("cycles");
  compact["time_s"] = row.at("time_s");
  compact["traffic"]["dram"]["all"] = {{"read_bytes", read}, {"write_bytes", write}};
  compact["attribution"] = row.at("attribution");
  return compact;
}

void add_to(Json& sum, const Json& row) {
  sum["cycles"] = sum["cycles"].get<std::int64_t>() + row["cycles"].get<std::int64_t>();
  sum["time_s"] = sum["time_s"].get<double>() + row["time_s"].get<double>();
  for (const char* key : {"read_bytes", "write_bytes"}) {
    Json& bytes = sum["traffic"]["dram"]["all"][key];
    bytes = bytes.get<std::int64_t>() + row["traffic"]["dram"]["all"][key].get<std::int64_t>();
  }
  for (const auto& item : row["attribution"].items()) {
    Json& cycles = sum["attribution"][item.key()];
    if (!cycles.is_null()) cycles = cycles.get<std::int64_t>() + item.value().get<std::int64_t>();
  }
}

/// Operators of one phase and name become one row.
Json folded(const Json& operators) {
  Json rows = Json::array();
  std::map<std::string, std::size_t> position;
  for (const Json& row : operators) {
    const Json compact = compact_row(row);
    const std::string key =
        compact["phase"].get<std::string>() + "." + compact["name"].get<std::string>();
    const auto [at, is_new] = position.emplace(key, rows.size());
    if (is_new) {
      rows.push_back(compact);
    } else {
      add_to(rows[at->second], compact);
    }
  }
  return rows;
}

/// Causes of no cycle are left out; null where the report is an estimate.
Json without_zeros(const Json& attribution) {
  Json kept = Json::object();
  for (const auto& item : attribution.items()) {
    if (item.value().is_null()) return nullptr;
    if (item.value() != 0) kept[item.key()] = item.value();
  }
  return kept;
}

Json with_zeros(const Json& attribution) {
  Json all;
  for (int c = 0; c < hw::kCauses; ++c) {
    const char* const cause = hw::to_string(static_cast<hw::Cause>(c));
    all[cause] = attribution.is_null() ? Json() : attribution.value(cause, Json(0));
  }
  return all;
}

template <class Change>
void change_attributions(Json& entry, const Change& change) {
  const auto apply = [&](Json& row) { row["attribution"] = change(row["attribution"]); };
  apply(entry["totals"]);
  for (const char* key : {"phases", "operators"}) {
    for (Json& row : entry[key]) apply(row);
  }
}

/// What a run is expected to say is no cause of its figures.
Json config_of(const Json& report) {
  Json config = report.at("config");
  config.erase("expect");
  config.erase("name");
  return config;
}

Json figure_value(const GoldenFigure& golden, const Json& report) {
  try {
    const expressions::Datum value =
        expressions::evaluate(golden.figure.value, expressions::ReportEnvironment(report));
    return value.is_word ? Json(value.word) : Json(value.number);
  } catch (const expressions::UnknownFigure&) {
    return nullptr;
  } catch (const expressions::ExpressionError& error) {
    expressions::fail_at(golden.position, "golden", error);
  }
}

/// Whole numbers without a point.
Json plain(const Json& value) {
  if (!value.is_number_float()) return value;
  const double number = value.get<double>();
  const auto whole = static_cast<std::int64_t>(number);
  return static_cast<double>(whole) == number ? Json(whole) : value;
}

/// On one line where that is short enough, else an element a line.
std::string laid_out(const Json& json, std::size_t indent) {
  const std::string one_line = json.dump();
  if (!json.is_structured() || json.empty() || one_line.size() + indent <= kLineWidth) {
    return one_line;
  }
  const std::string margin(indent + 1, ' ');
  std::string text;
  for (const auto& item : json.items()) {
    text += (text.empty() ? "\n" : ",\n") + margin;
    if (json.is_object()) text += Json(item.key()).dump() + ": ";
    text += laid_out(item.value(), indent + 1);
  }
  const bool object = json.is_object();
  return (object ? "{" : "[") + text + "\n" + std::string(indent, ' ') + (object ? "}" : "]");
}

void require_goldens(const Json& goldens, const std::string& path) {
  const std::string shown = config::display_name(path);
  if (!goldens.is_object() || goldens.value("schema", Json()) != Json(kSchema) ||
      !goldens.value("runs", Json()).is_object()) {
    config::fail({}, shown, std::string("no goldens file (schema ") + kSchema + ")",
                 {"tessera regress SUITE --update writes it again"});
  }
  for (const auto& run : goldens.at("runs").items()) {
    const Json& entry = run.value();
    for (const char* key :
         {"model_version", "tool_version", "figures", "config", "totals", "phases", "operators"}) {
      if (entry.is_object() && entry.contains(key)) continue;
      config::fail({}, shown, "the run '" + run.key() + "' has no '" + key + "'",
                   {"tessera regress SUITE --update writes it again"});
    }
  }
}

}  // namespace

std::string golden_path(const std::string& suite_path) {
  return std::filesystem::path(suite_path).replace_extension(".golden.json").string();
}

Goldens read_goldens_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) return {{"schema", kSchema}, {"runs", Json::object()}};
  Json goldens = Json::parse(file, nullptr, false);
  require_goldens(goldens, path);
  return goldens;
}

std::string goldens_text(const Goldens& goldens) { return laid_out(goldens, 0) + "\n"; }

Goldens golden_entry(const SuiteRun& run, const Json& report) {
  Goldens entry;
  entry["model_version"] = report.at("model_version");
  entry["tool_version"] = report.at("tool_version");
  entry["figures"] = Json::object();
  for (const GoldenFigure& golden : run.goldens) {
    entry["figures"][golden.figure.name] = plain(figure_value(golden, report));
  }
  entry["config"] = config_of(report);
  entry["totals"] = compact_row(report.at("totals"));
  entry["phases"] = Json::array();
  for (const Json& phase : report.at("phases")) entry["phases"].push_back(compact_row(phase));
  entry["operators"] = folded(report.at("operators"));
  change_attributions(entry, without_zeros);
  return entry;
}

Json comparable(const std::string& name, const Goldens& entry) {
  Json report{{"schema", "tessera-report/1"}, {"run", name}};
  for (const char* key : {"config", "totals", "phases", "operators"}) report[key] = entry.at(key);
  change_attributions(report, with_zeros);
  return report;
}

}  // namespace tessera::sim
