#include "sim/expressions/datum.h"

#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "sim/report/format.h"

namespace tessera::sim::expressions {
namespace {

constexpr double kExactBelow = 9.0e15;  // 2^53: whole numbers are exact

struct DimensionName {
  Dimension dimension;
  const char* kind;
  const char* unit;         // base unit
  const char* config_unit;  // as a configuration writes it
  double config_scale;      // config units per base unit
};

const std::vector<DimensionName>& dimension_names() {
  static const std::vector<DimensionName> names{{{0, 0, 0, 0}, "a number", "", "", 1},
                                                {{1, 0, 0, 0}, "a time", "s", "fs", 1e15},
                                                {{0, 1, 0, 0}, "bytes", "B", "B", 1},
                                                {{0, 0, 1, 0}, "cycles", "cycles", "cycles", 1},
                                                {{0, 0, 0, 1}, "an energy", "J", "fJ", 1e15},
                                                {{-1, 0, 1, 0}, "a frequency", "Hz", "Hz", 1},
                                                {{-1, 1, 0, 0}, "a bandwidth", "B/s", "B/s", 1},
                                                {{-1, 0, 0, 1}, "a power", "W", "uW", 1e6}};
  return names;
}

const DimensionName* name_of(const Dimension& dimension) {
  for (const DimensionName& each : dimension_names()) {
    if (each.dimension == dimension) return &each;
  }
  return nullptr;
}

/// "bytes^2 s^-1", of a dimension without a name.
std::string product_text(const Dimension& dimension) {
  std::string text;
  const auto add = [&](const char* unit, int exponent) {
    if (exponent == 0) return;
    text += text.empty() ? "" : " ";
    text += exponent == 1 ? std::string(unit) : fmt::format("{}^{}", unit, exponent);
  };
  add("B", dimension.bytes);
  add("cycles", dimension.cycles);
  add("J", dimension.joules);
  add("s", dimension.seconds);
  return text;
}

std::string unit_of(const Dimension& dimension) {
  const DimensionName* known = name_of(dimension);
  return known != nullptr ? known->unit : product_text(dimension);
}

std::string number_text(double number) {
  const bool whole = number == std::floor(number) && std::abs(number) < kExactBelow;
  return whole ? grouped(static_cast<std::int64_t>(number)) : fmt::format("{:.9g}", number);
}

bool ends_with(std::string_view text, std::string_view ending) {
  return text.size() >= ending.size() && text.substr(text.size() - ending.size()) == ending;
}

}  // namespace

Datum number_of(double number, Dimension dimension) {
  Datum datum;
  datum.number = number;
  datum.dimension = dimension;
  return datum;
}

Datum word_of(std::string word) {
  Datum datum;
  datum.is_word = true;
  datum.word = std::move(word);
  return datum;
}

std::string to_text(const Datum& datum) {
  if (datum.is_word) return "'" + datum.word + "'";
  if (datum.dimension == Dimension{1}) {
    const double size = std::abs(datum.number);
    const std::pair<double, const char*> scale = size >= 1 || size == 0 ? std::pair(1.0, "s")
                                                 : size >= 1e-3         ? std::pair(1e3, "ms")
                                                 : size >= 1e-6         ? std::pair(1e6, "us")
                                                                        : std::pair(1e9, "ns");
    return fmt::format("{:.9g} {}", datum.number * scale.first, scale.second);
  }
  const bool one_cycle = datum.dimension == Dimension{0, 0, 1} && datum.number == 1;
  const std::string unit = one_cycle ? "cycle" : unit_of(datum.dimension);
  return number_text(datum.number) + (unit.empty() ? "" : " " + unit);
}

std::string config_text(const Datum& datum) {
  if (datum.is_word) return datum.word;
  const DimensionName* known = name_of(datum.dimension);
  if (known == nullptr) {
    throw std::invalid_argument("no configuration takes " + product_text(datum.dimension));
  }
  const bool plain = datum.dimension == Dimension{};
  const double scaled = datum.number * known->config_scale;
  const double nearest_whole = std::round(scaled);
  const bool whole = std::abs(scaled - nearest_whole) <= 1e-9 * std::abs(scaled) &&
                     std::abs(nearest_whole) < kExactBelow;
  if (plain) {
    return scaled == nearest_whole && whole ? fmt::format("{:.0f}", scaled)
                                            : fmt::format("{}", scaled);
  }
  if (!whole) {
    throw std::invalid_argument(to_text(datum) + " is not a whole number of " + known->config_unit);
  }
  return fmt::format("{:.0f} {}", nearest_whole, known->config_unit);
}

std::string kind_text(const Datum& datum) {
  if (datum.is_word) return "a word";
  const DimensionName* known = name_of(datum.dimension);
  if (known == nullptr) return product_text(datum.dimension);
  const std::string unit = known->unit;
  return unit.empty() || datum.dimension.is_count() ? known->kind
                                                    : fmt::format("{} ({})", known->kind, unit);
}

Dimension dimension_of(std::string_view name) {
  static const std::vector<std::pair<std::string_view, Dimension>> endings{
      {"bytes_per_second", {-1, 1, 0, 0}},
      {"core_hz", {-1, 0, 1, 0}},
      {"bytes", {0, 1, 0, 0}},
      {"cycles", {0, 0, 1, 0}},
      {"energy_j", {0, 0, 0, 1}},
      {"time_s", {1, 0, 0, 0}},
      {"latency", {1, 0, 0, 0}}};
  for (const auto& [ending, dimension] : endings) {
    const bool whole = name.size() == ending.size();
    if (ends_with(name, ending) && (whole || name[name.size() - ending.size() - 1] == '_')) {
      return dimension;
    }
  }
  return ends_with(name, "_j") ? Dimension{0, 0, 0, 1} : Dimension{};
}

}  // namespace tessera::sim::expressions
