// What changed from one report to another.
#include <algorithm>
#include <iterator>
#include <map>
#include <stdexcept>

#include <fmt/format.h>

#include "sim/report/csv.h"
#include "sim/report/format.h"
#include "sim/report/roofline.h"
#include "sim/report/writers.h"

namespace tessera::sim {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kShownOperators = 12, kShownConfig = 8;

/// What of a row is compared.
struct Figures {
  bool present = false;
  bool attributed = true;  // false: an analytical report knows no causes
  std::int64_t cycles = 0, dram_bytes = 0;
  double time_s = 0;
  std::vector<std::int64_t> attribution = std::vector<std::int64_t>(hw::kCauses);
};

struct RowPair {
  std::string name;
  Figures a, b;
  std::int64_t delta() const { return b.cycles - a.cycles; }
  std::int64_t dram_delta() const { return b.dram_bytes - a.dram_bytes; }
};

/// By cycles, then by bytes.
bool moved_more(const RowPair& x, const RowPair& y) {
  const std::int64_t dx = std::abs(x.delta()), dy = std::abs(y.delta());
  return dx != dy ? dx > dy : std::abs(x.dram_delta()) > std::abs(y.dram_delta());
}

struct ConfigChange {
  std::string path, a, b;
};

struct Comparison {
  std::string name_a, name_b;
  RowPair totals;
  std::vector<RowPair> phases, operators;
  std::vector<ConfigChange> config;
};

void require_report(const Json& json) {
  if (!json.is_object() || json.value("schema", Json(nullptr)) != Json("tessera-report/1")) {
    throw std::invalid_argument("not a report: 'schema' is not tessera-report/1");
  }
}

[[noreturn]] void incomplete(const std::string& key, const char* what) {
  throw std::invalid_argument("not a complete report: '" + key + "' " + what);
}

const Json& part(const Json& json, const std::string& key) {
  if (!json.is_object() || !json.contains(key)) incomplete(key, "is missing");
  return json.at(key);
}

const Json& list(const Json& json, const std::string& key) {
  const Json& found = part(json, key);
  if (!found.is_array()) incomplete(key, "is not a list");
  return found;
}

std::string text(const Json& json, const std::string& key) {
  const Json& found = part(json, key);
  if (!found.is_string()) incomplete(key, "is not a text");
  return found.get<std::string>();
}

template <class Number>
Number number(const Json& json, const std::string& key) {
  const Json& found = part(json, key);
  if (!found.is_number()) incomplete(key, "is not a number");
  return found.get<Number>();
}

std::int64_t dram_bytes_of(const Json& row) {
  std::int64_t sum = 0;
  for (const auto& entry : part(part(row, "traffic"), "dram")) {
    if (!entry.is_object()) continue;
    sum += number<std::int64_t>(entry, "read_bytes") + number<std::int64_t>(entry, "write_bytes");
  }
  return sum;
}

void add(Figures& sum, const Json& row) {
  sum.present = true;
  sum.cycles += number<std::int64_t>(row, "cycles");
  sum.time_s += number<double>(row, "time_s");
  sum.dram_bytes += dram_bytes_of(row);
  const Json& attribution = part(row, "attribution");
  for (int c = 0; c < hw::kCauses; ++c) {
    const std::string cause = to_string(static_cast<hw::Cause>(c));
    sum.attributed = sum.attributed && !part(attribution, cause).is_null();
    if (sum.attributed) sum.attribution[c] += number<std::int64_t>(attribution, cause);
  }
}

/// Pairs rows of the same name, layers summed, in order of first appearance.
std::vector<RowPair> pair_rows(const Json& a, const Json& b, bool with_phase) {
  std::vector<RowPair> pairs;
  std::map<std::string, std::size_t> position;
  const auto at = [&](const Json& row) -> RowPair& {
    const std::string name = text(row, "name");
    const std::string key = with_phase ? text(row, "phase") + "." + name : name;
    const auto [found, is_new] = position.emplace(key, pairs.size());
    if (is_new) pairs.push_back({key, {}, {}});
    return pairs[found->second];
  };
  for (const auto& row : a) add(at(row).a, row);
  for (const auto& row : b) add(at(row).b, row);
  return pairs;
}

void find_changes(const Json& a, const Json& b, const std::string& path,
                  std::vector<ConfigChange>& changes) {
  if (a == b) return;
  if (!a.is_object() || !b.is_object()) {
    changes.push_back(
        {path, a.is_null() ? "absent" : scalar_text(a), b.is_null() ? "absent" : scalar_text(b)});
    return;
  }
  const auto below = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
  for (const auto& item : a.items()) {
    find_changes(item.value(), b.value(item.key(), Json(nullptr)), below(item.key()), changes);
  }
  for (const auto& item : b.items()) {
    if (!a.contains(item.key())) {
      find_changes(nullptr, item.value(), below(item.key()), changes);
    }
  }
}

Comparison compare(const Json& a, const Json& b) {
  require_report(a);
  require_report(b);
  Comparison result;
  result.name_a = text(a, "run");
  result.name_b = text(b, "run");
  result.totals.name = "total";
  add(result.totals.a, part(a, "totals"));
  add(result.totals.b, part(b, "totals"));
  result.phases = pair_rows(list(a, "phases"), list(b, "phases"), false);
  result.operators = pair_rows(list(a, "operators"), list(b, "operators"), true);
  find_changes(part(a, "config"), part(b, "config"), "", result.config);
  std::stable_sort(result.operators.begin(), result.operators.end(), moved_more);
  return result;
}

bool attributed(const RowPair& pair) { return pair.a.attributed && pair.b.attributed; }

/// The cause whose cycles moved most, or -1 when none did.
int moved_cause(const RowPair& pair) {
  if (!attributed(pair)) return -1;
  int most = -1;
  std::int64_t largest = 0;
  for (int c = 0; c < hw::kCauses; ++c) {
    const std::int64_t moved = std::abs(pair.b.attribution[c] - pair.a.attribution[c]);
    if (moved > largest) {
      largest = moved;
      most = c;
    }
  }
  return most;
}

std::int64_t cause_delta(const RowPair& pair, int cause) {
  return pair.b.attribution[cause] - pair.a.attribution[cause];
}

/// Worth a row: cycles or bytes differ.
bool has_change(const RowPair& pair) {
  return pair.delta() != 0 || pair.dram_delta() != 0 || pair.a.present != pair.b.present;
}

bool changed(const RowPair& pair) { return has_change(pair) || moved_cause(pair) >= 0; }

std::vector<RowPair> with_change(const std::vector<RowPair>& pairs) {
  std::vector<RowPair> kept;
  std::copy_if(pairs.begin(), pairs.end(), std::back_inserter(kept), has_change);
  return kept;
}

bool any_changed(const Comparison& comparison) {
  const auto& operators = comparison.operators;
  return changed(comparison.totals) || std::any_of(operators.begin(), operators.end(), changed) ||
         comparison.totals.a.time_s != comparison.totals.b.time_s;
}

std::string signed_grouped(std::int64_t value) {
  return value > 0 ? "+" + grouped(value) : grouped(value);
}

std::string cause_text(const RowPair& pair) {
  if (!pair.a.present) return "only in the new report";
  if (!pair.b.present) return "only in the old report";
  const int cause = moved_cause(pair);
  if (cause < 0) return "-";
  return fmt::format("{} {}", to_string(static_cast<hw::Cause>(cause)),
                     signed_grouped(cause_delta(pair, cause)));
}

std::string side(const Figures& figures) { return figures.present ? grouped(figures.cycles) : "-"; }

std::string signed_megabytes(std::int64_t bytes) {
  return (bytes > 0 ? "+" : "") + fixed(1e-6 * static_cast<double>(bytes), 3);
}

/// The DRAM column goes first where room is short, unless bytes are all that moved in a row.
std::string change_table(const std::string& title, const std::vector<RowPair>& pairs, int width) {
  const bool bytes_alone = std::any_of(pairs.begin(), pairs.end(), [](const RowPair& pair) {
    return pair.delta() == 0 && pair.dram_delta() != 0;
  });
  std::vector<Column> columns{
      {title, Align::kLeft, 0, {}},         {"old cycles", Align::kRight, 2, {}},
      {"new cycles", Align::kRight, 0, {}}, {"change", Align::kRight, 0, {}},
      {"", Align::kRight, 1, {}},           {"DRAM MB", Align::kRight, bytes_alone ? 0 : 3, {}},
      {"moved most", Align::kLeft, 0, {}}};
  for (const RowPair& pair : pairs) {
    const std::vector<std::string> cells{
        pair.name,
        side(pair.a),
        side(pair.b),
        signed_grouped(pair.delta()),
        pair.a.cycles > 0 ? signed_percent(ratio(pair.delta(), pair.a.cycles)) : "",
        signed_megabytes(pair.dram_delta()),
        cause_text(pair)};
    for (std::size_t c = 0; c < cells.size(); ++c) columns[c].cells.push_back(cells[c]);
  }
  return table(columns, width);
}

std::string config_lines(const Comparison& comparison, int width) {
  std::string text;
  const int changes = static_cast<int>(comparison.config.size());
  for (int i = 0; i < std::min(changes, kShownConfig); ++i) {
    const ConfigChange& change = comparison.config[i];
    text += clip(fmt::format("   {}: {} -> {}", change.path, change.a, change.b), width) + "\n";
  }
  if (changes > kShownConfig) text += fmt::format("   ... {} more\n", changes - kShownConfig);
  return text.empty() ? text : " CONFIGURATION\n" + text + "\n";
}

std::string total_line(const Comparison& comparison, int width) {
  const Figures& a = comparison.totals.a;
  const Figures& b = comparison.totals.b;
  const Scale time = time_scale(std::max(a.time_s, b.time_s));
  const Scale bytes = byte_scale(static_cast<double>(std::max(a.dram_bytes, b.dram_bytes)));
  std::vector<std::string> parts;
  parts.push_back(fmt::format("{} -> {} ({})", time.text(a.time_s), time.with_unit(b.time_s),
                              signed_percent(ratio(b.time_s - a.time_s, a.time_s))));
  parts.push_back(fmt::format("{} -> {} cycles ({})", grouped(a.cycles), grouped(b.cycles),
                              signed_grouped(comparison.totals.delta())));
  parts.push_back(
      fmt::format("DRAM {} -> {}", bytes.text(a.dram_bytes), bytes.with_unit(b.dram_bytes)));
  return flow(" ", parts, width);
}

/// " ... 3 more changed by -1,200 cycles, +0.004 MB (--all)", without what is 0.
std::string more_line(const std::vector<RowPair>& pairs, int shown) {
  std::int64_t cycles = 0, bytes = 0;
  for (std::size_t i = shown; i < pairs.size(); ++i) {
    cycles += pairs[i].delta();
    bytes += pairs[i].dram_delta();
  }
  std::string sum = cycles != 0 ? signed_grouped(cycles) + " cycles" : "";
  if (bytes != 0) sum += (sum.empty() ? "" : ", ") + signed_megabytes(bytes) + " MB";
  return fmt::format(" ... {} more changed{}{} (--all)\n", pairs.size() - shown,
                     sum.empty() ? "" : " by ", sum);
}

std::string operator_changes(const Comparison& comparison, int width, bool all) {
  std::vector<RowPair> pairs = with_change(comparison.operators);
  const int count = static_cast<int>(pairs.size());
  const bool cut = !all && count > kShownOperators + 1;
  std::string rest;
  if (cut) {
    rest = more_line(pairs, kShownOperators);
    pairs.resize(kShownOperators);
  }
  const int same = static_cast<int>(comparison.operators.size()) - count;
  if (same > 0) rest += fmt::format(" {} of {} operators did not change\n", same, same + count);
  return (pairs.empty() ? "" : change_table("OPERATOR", pairs, width)) + rest;
}

Json pair_json(const RowPair& pair) {
  Json json;
  json["name"] = pair.name;
  const auto side_json = [](const Figures& figures, std::int64_t value) {
    return figures.present ? Json(value) : Json(nullptr);
  };
  json["cycles"] = {{"a", side_json(pair.a, pair.a.cycles)},
                    {"b", side_json(pair.b, pair.b.cycles)},
                    {"delta", pair.delta()}};
  json["time_s"] = {{"a", pair.a.time_s}, {"b", pair.b.time_s}};
  json["dram_bytes"] = {{"a", side_json(pair.a, pair.a.dram_bytes)},
                        {"b", side_json(pair.b, pair.b.dram_bytes)},
                        {"delta", pair.b.dram_bytes - pair.a.dram_bytes}};
  Json& attribution = json["attribution_delta"];
  for (int c = 0; c < hw::kCauses; ++c) {
    attribution[to_string(static_cast<hw::Cause>(c))] =
        attributed(pair) ? Json(cause_delta(pair, c)) : Json(nullptr);
  }
  const int cause = moved_cause(pair);
  json["moved_most"] = cause < 0 ? Json(nullptr) : Json(to_string(static_cast<hw::Cause>(cause)));
  return json;
}

Json pairs_json(const std::vector<RowPair>& pairs) {
  Json json = Json::array();
  for (const RowPair& pair : pairs) json.push_back(pair_json(pair));
  return json;
}

}  // namespace

std::string compare_text(const Json& a, const Json& b, const TextOptions& options) {
  const Comparison comparison = compare(a, b);
  const int width = options.width;
  std::string text =
      wrap(comparison.name_a + " -> " + comparison.name_b, 3, width) + repeated("─", width) + "\n";
  const std::string config = config_lines(comparison, width);
  if (!any_changed(comparison)) {
    const char* const what = config.empty()
                                 ? " identical: same configuration, cycles, causes and traffic\n"
                                 : " identical figures: no cycle, cause or byte moved\n";
    return text + (config.empty() ? "" : config) + what + total_line(comparison, width);
  }
  text += total_line(comparison, width) + "\n" + config;
  const auto phases = with_change(comparison.phases);
  if (comparison.phases.size() > 1 && !phases.empty()) {
    text += change_table("PHASE", phases, width) + "\n";
  }
  text += change_table("TOTAL", {comparison.totals}, width) + "\n";
  return text + operator_changes(comparison, width, options.all);
}

nlohmann::ordered_json compare_json(const Json& a, const Json& b) {
  const Comparison comparison = compare(a, b);
  Json json;
  json["schema"] = "tessera-compare/1";
  json["a"] = comparison.name_a;
  json["b"] = comparison.name_b;
  json["identical"] = !any_changed(comparison);
  json["totals"] = pair_json(comparison.totals);
  json["phases"] = pairs_json(comparison.phases);
  json["operators"] = pairs_json(comparison.operators);
  json["config"] = Json::array();
  for (const auto& change : comparison.config) {
    json["config"].push_back({{"path", change.path}, {"a", change.a}, {"b", change.b}});
  }
  return json;
}

}  // namespace tessera::sim
