#include "sim/expressions/document.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "sim/config/codecs.h"
#include "sim/config/value.h"
#include "sim/expressions/lexer.h"
#include "sim/mapper/pins.h"

namespace tessera::sim::expressions {
namespace {

using Json = nlohmann::ordered_json;

/// The part of a path that is still to be found.
struct Steps {
  const Path& path;
  std::size_t at = 0;

  bool empty() const { return at == path.size(); }
  std::size_t left() const { return path.size() - at; }
  const PathStep& first() const { return path[at]; }
  Steps behind(std::size_t count = 1) const { return {path, at + count}; }
};

const std::vector<std::string>& short_names() {
  static const std::vector<std::string> names{"latency", "latency_cycles", "throughput",
                                              "dram_bytes"};
  return names;
}
constexpr const char* kSramBytes = "sram_bytes";
constexpr const char* kPeCount = "pe_count";

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& item : object.items()) keys.push_back(item.key());
  return keys;
}

[[noreturn]] void unknown(const Path& path, std::size_t at, const std::vector<std::string>& known) {
  const Path so_far(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  throw ExpressionError(path[at].column, "there is no '" + to_text(so_far) + "'",
                        config::suggestion(path[at].name, known));
}

[[noreturn]] void not_a_figure(const Path& path, const std::string& what,
                               const std::string& hint = {}) {
  throw ExpressionError(path.front().column, to_text(path) + " is " + what + ", not a figure",
                        hint);
}

/// A scalar of the document. Numbers of reports say by their name what they count.
std::optional<Datum> datum_of(const Json& value, const Path& path, Dimension dimension) {
  if (value.is_null()) return std::nullopt;
  if (value.is_boolean()) return word_of(value.get<bool>() ? "true" : "false");
  if (value.is_number()) return number_of(value.get<double>(), dimension);
  if (value.is_string()) {
    const std::string& text = value.get_ref<const std::string&>();
    return config::read_quantity(text) ? tokens_of(text).front().datum : word_of(text);
  }
  if (value.is_array()) not_a_figure(path, "a list");
  std::vector<std::string> keys = keys_of(value);
  keys.resize(std::min<std::size_t>(keys.size(), 12));
  not_a_figure(path, "a group", config::suggestion("", keys));
}

/// The value below `json` at `steps`.
const Json& descend(const Json& json, Steps steps, const std::vector<std::string>& also = {}) {
  if (steps.empty()) return json;
  const PathStep& step = steps.first();
  if (!json.is_object()) {
    throw ExpressionError(
        step.column, "there is nothing below '" +
                         to_text(Path(steps.path.begin(),
                                      steps.path.begin() + static_cast<std::ptrdiff_t>(steps.at))) +
                         "'");
  }
  const auto found = json.find(step.name);
  if (found != json.end()) return descend(*found, steps.behind());
  if (steps.left() > 1) {  // a key with a dot: units.core0.array
    const auto joined = json.find(step.name + "." + steps.path[steps.at + 1].name);
    if (joined != json.end()) return descend(*joined, steps.behind(2));
  }
  std::vector<std::string> known = also;
  for (std::string& key : keys_of(json)) known.push_back(std::move(key));
  unknown(steps.path, steps.at, known);
}

std::optional<Datum> config_figure(const Json& config, const Path& path) {
  return datum_of(descend(config, {path}), path, {});
}

double buffer_bytes(const Json& config) {
  double sum = 0;
  for (const Json& buffer : config.at("hardware").at("buffers")) {
    sum += config::read_quantity(buffer.at("capacity").get<std::string>()).value().amount;
  }
  return sum;
}

double pe_count(const Json& config) {
  const Json& array = config.at("hardware").at("array");
  return array.at("rows").get<double>() * array.at("cols").get<double>();
}

/// What a name below `hardware` means that no key holds.
std::optional<Datum> derived_figure(const Json& config, const Path& path) {
  if (path.size() != 2 || path[0].name != "hardware") return std::nullopt;
  if (path[1].name == kSramBytes) return number_of(buffer_bytes(config), {0, 1, 0, 0});
  if (path[1].name == kPeCount) return number_of(pe_count(config));
  return std::nullopt;
}

std::optional<Datum> config_lookup(const Json& config, const Path& path,
                                   const std::vector<std::string>& also) {
  if (const auto derived = derived_figure(config, path)) return derived;
  if (config.find(path.front().name) == config.end()) {
    std::vector<std::string> known = also;
    for (std::string& key : keys_of(config)) known.push_back(std::move(key));
    unknown(path, 0, known);
  }
  if (path.size() == 2 && path[0].name == "hardware") {
    return datum_of(descend(config.at("hardware"), {path, 1}, {kSramBytes, kPeCount}), path, {});
  }
  return config_figure(config, path);
}

// ---- rows of a report ---------------------------------------------------------------------------

double moved_bytes_of(const Json& row) {
  double sum = 0;
  for (const Json& entry : row.at("traffic").at("dram")) {
    if (!entry.is_object()) continue;
    sum += entry.at("read_bytes").get<double>() + entry.at("write_bytes").get<double>();
  }
  return sum;
}

double throughput_of(const Json& row) {
  const double repeat = row.value("repeat", 1.0);
  return row.at("units").get<double>() * repeat / row.at("time_s").get<double>();
}

Dimension report_dimension(const Path& path) {
  const bool is_cause = path.size() > 1 && path[path.size() - 2].name == "attribution";
  return is_cause ? Dimension{0, 0, 1, 0} : dimension_of(path.back().name);
}

/// An operator has no throughput: it is no request.
std::vector<std::string> short_names_of(const Json& row) {
  std::vector<std::string> names = short_names();
  if (!row.contains("units")) names.erase(std::find(names.begin(), names.end(), "throughput"));
  return names;
}

std::optional<Datum> row_figure(const Json& row, Steps steps) {
  if (steps.empty()) not_a_figure(steps.path, "a row", "write for example .cycles behind it");
  const std::string& name = steps.first().name;
  if (steps.left() == 1) {
    if (name == "latency") return number_of(row.at("time_s").get<double>(), {1, 0, 0, 0});
    if (name == "latency_cycles") return number_of(row.at("cycles").get<double>(), {0, 0, 1, 0});
    if (name == "dram_bytes") return number_of(moved_bytes_of(row), {0, 1, 0, 0});
    if (name == "throughput" && row.contains("units")) return number_of(throughput_of(row));
  }
  return datum_of(descend(row, steps, short_names_of(row)), steps.path,
                  report_dimension(steps.path));
}

const Json& named_row(const Json& rows, const Path& path) {
  std::vector<std::string> names;
  if (path.size() < 2) not_a_figure(path, "a list", "write phases.NAME.cycles");
  for (const Json& row : rows) {
    names.push_back(row.at("name").get<std::string>());
    if (names.back() == path[1].name) return row;
  }
  unknown(path, 1, names);
}

std::string qualified_name_of(const Json& row) {
  const Json& layer = row.at("layer");
  const std::string within =
      layer.is_null() ? "" : "L" + std::to_string(layer.get<std::int64_t>()) + ".";
  return row.at("phase").get<std::string>() + "." + within + row.at("name").get<std::string>();
}

/// An operator's pattern and where the figure behind it begins.
struct OperatorPath {
  std::string pattern;
  Steps figure;
};

OperatorPath split_operator_path(const Json& rows, const Path& path) {
  if (rows.empty() || path.size() < 3) {
    not_a_figure(path, "a list", "write operators.PATTERN.cycles");
  }
  std::string pattern = path[1].name;
  for (std::size_t i = 2; i < path.size(); ++i) {
    const std::string& name = path[i].name;
    const auto& shorts = short_names();
    const bool is_short = std::find(shorts.begin(), shorts.end(), name) != shorts.end();
    if (is_short || rows.front().contains(name)) return {pattern, {path, i}};
    pattern += "." + name;
  }
  std::vector<std::string> known = short_names();
  for (std::string& key : keys_of(rows.front())) known.push_back(std::move(key));
  unknown(path, path.size() - 1, known);
}

std::vector<const Json*> matching_rows(const Json& rows, const std::string& pattern) {
  const bool bare = pattern.find('.') == std::string::npos;
  std::vector<const Json*> found;
  for (const Json& row : rows) {
    const std::string name = bare ? row.at("name").get<std::string>() : qualified_name_of(row);
    if (matches(pattern, name)) found.push_back(&row);
  }
  return found;
}

[[noreturn]] void no_operator(const Json& rows, const std::string& pattern, const Path& path) {
  const bool bare = pattern.find('.') == std::string::npos;
  std::vector<std::string> names;
  for (const Json& row : rows) {
    const std::string name = bare ? row.at("name").get<std::string>() : qualified_name_of(row);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  const std::string near = config::nearest(pattern, names);
  names.resize(std::min<std::size_t>(names.size(), 12));
  throw ExpressionError(
      path[1].column, "no operator matches '" + pattern + "'",
      near.empty() ? config::suggestion("", names) : "did you mean '" + near + "'?");
}

/// Adds up over operators: what counts or lasts, and is no share, rate or size of one product.
bool adds_up(const Path& path) {
  const std::string& last = path.back().name;
  return report_dimension(path) != Dimension{} || last == "macs" || last == "count" ||
         last == "bursts";
}

std::optional<Datum> operators_figure(const Json& rows, const Path& path) {
  const OperatorPath split = split_operator_path(rows, path);
  const std::vector<const Json*> found = matching_rows(rows, split.pattern);
  if (found.empty()) no_operator(rows, split.pattern, path);
  std::optional<Datum> sum = row_figure(*found.front(), split.figure);
  for (std::size_t i = 1; i < found.size(); ++i) {
    const std::optional<Datum> next = row_figure(*found[i], split.figure);
    if (!sum || !next) return std::nullopt;
    const bool same = sum->is_word == next->is_word && sum->word == next->word;
    if (!sum->is_word && !next->is_word && adds_up(path)) {
      sum->number += next->number;
    } else if (!same || sum->number != next->number) {
      throw ExpressionError(path[split.figure.at].column,
                            fmt::format("'{}' differs among the {} operators that match '{}'",
                                        split.figure.first().name, found.size(), split.pattern),
                            "name one: phase.Llayer.name");
    }
  }
  return sum;
}

}  // namespace

std::optional<Datum> ConfigEnvironment::lookup(const Path& path) const {
  return config_lookup(config_, path, {});
}

bool ConfigEnvironment::knows(const Expression& expression) const {
  const std::vector<Path> paths = expression.paths();
  return std::all_of(paths.begin(), paths.end(), [&](const Path& path) {
    try {
      lookup(path);
      return true;
    } catch (const ExpressionError&) {
      return false;
    }
  });
}

std::optional<Datum> ReportEnvironment::lookup(const Path& path) const {
  const std::string& first = path.front().name;
  const auto& shorts = short_names();
  if (path.size() == 1 && std::find(shorts.begin(), shorts.end(), first) != shorts.end()) {
    return row_figure(report_.at("totals"), {path});
  }
  if (first == "totals") return row_figure(report_.at("totals"), Steps{path}.behind());
  if (first == "phases") {
    return row_figure(named_row(report_.at("phases"), path), Steps{path}.behind(2));
  }
  if (first == "operators") return operators_figure(report_.at("operators"), path);
  const auto found = report_.find(first);
  const bool in_report = first != "config" && found != report_.end() &&
                         (path.size() == 1 || found->is_object() || found->is_null());
  if (in_report) return datum_of(descend(report_, {path}), path, report_dimension(path));
  std::vector<std::string> known = shorts;
  for (std::string& key : keys_of(report_)) known.push_back(std::move(key));
  return config_lookup(report_.at("config"), path, known);
}

}  // namespace tessera::sim::expressions
