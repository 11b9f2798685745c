// Types of configuration values: how each is read, printed, described and put in a JSON Schema.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "sim/config/value.h"

namespace tessera::sim::config {

using Json = nlohmann::ordered_json;

/// One row of the reference page: a key below its section.
struct DocRow {
  std::string path;
  std::string allowed;
  std::string fallback;  // the default as text; "required"
  std::string help;
};

/// How values of C++ type T appear in YAML. `print` yields what `parse` reads back.
template <class T>
struct Codec {
  std::function<T(const Value&, const std::string& path)> parse;
  std::function<Json(const T&)> print;
  Json schema;
  std::string allowed;
  std::vector<DocRow> rows;  // records: their keys
};

/// Numbers stand unquoted; integers have no leading zeros.
Codec<std::int64_t> integer(std::int64_t low, std::int64_t high);
/// 0 stands for "not given" and is left out when printed.
Codec<std::int64_t> optional_integer(std::int64_t low, std::int64_t high);
Codec<double> number_above(double low, double high);
Codec<double> number_from(double low, double high);
/// `1 %` or 0.01, from 0 (excluded when `positive`) to 1.
Codec<double> share(bool positive);
Codec<bool> boolean();
/// Any text of at most 200 bytes without control characters.
Codec<std::string> text(const std::string& what);

/// Quantities carry a unit and are whole in their base unit: bytes, Hz, B/s, fs, cycles, fJ, uW.
Codec<std::int64_t> bytes(std::int64_t low, std::int64_t high, bool power_of_two = false);
Codec<std::int64_t> frequency();
Codec<std::int64_t> bandwidth();
Codec<std::int64_t> duration(std::int64_t low_fs, std::int64_t high_fs);
Codec<std::int64_t> cycles(std::int64_t high);
Codec<std::int64_t> energy(std::int64_t low_fj, std::int64_t high_fj);
Codec<std::int64_t> power(std::int64_t high_uw);
/// "512 KiB": the largest unit that stays whole.
std::string bytes_text(std::int64_t bytes);

/// What a quantity counts, and the base unit of its amounts.
enum class Measure { kBytes, kFrequency, kBandwidth, kTime, kCycles, kEnergy, kPower };
struct Measured {
  Measure measure = Measure::kBytes;
  double amount = 0;  // B, Hz, B/s, fs, cycles, fJ, uW; exact when whole and below 2^53
};
/// `text` as a quantity of any kind: "1.5 MiB", "30 ms". Empty when it is none.
std::optional<Measured> read_quantity(std::string_view text);
/// What a word that is no unit may mean: "did you mean 'MiB'?", else all units.
std::string unit_hint(std::string_view word);

/// The scalar's text. Throws for lists, mappings and nothing. `allowed` completes the message.
const std::string& scalar_text(const Value& value, const std::string& path,
                               const std::string& allowed);
[[noreturn]] void not_allowed(const Value& value, const std::string& path,
                              const std::string& allowed, const std::string& hint = {});
/// "NAME is not built yet".
[[noreturn]] void not_built(const Position& position, const std::string& path,
                            const std::string& what, const std::vector<std::string>& built);
/// Index of the scalar in `names`; `unbuilt` are names of choices that do not exist yet.
std::size_t parse_choice(const Value& value, const std::string& path,
                         const std::vector<std::string>& names,
                         const std::vector<std::string>& unbuilt);

template <class E>
Codec<E> choice(std::vector<std::pair<std::string, E>> options,
                std::vector<std::string> unbuilt = {}) {
  std::vector<std::string> names;
  for (const auto& [name, value] : options) names.push_back(name);
  Codec<E> codec;
  codec.parse = [=](const Value& value, const std::string& path) {
    return options[parse_choice(value, path, names, unbuilt)].second;
  };
  codec.print = [=](const E& chosen) {
    const auto found = std::find_if(options.begin(), options.end(),
                                    [&](const auto& option) { return option.second == chosen; });
    return found == options.end() ? Json() : Json(found->first);
  };
  codec.schema = {{"enum", names}};
  for (const std::string& name : names) {
    codec.allowed += (codec.allowed.empty() ? "`" : " \\| `") + name + "`";
  }
  return codec;
}

/// A list of distinct values, at least `least` of them.
template <class T>
Codec<std::vector<T>> list_of(Codec<T> item, std::size_t least) {
  Codec<std::vector<T>> codec;
  codec.parse = [=](const Value& value, const std::string& path) {
    if (value.kind != ValueKind::kList) not_allowed(value, path, "a list: [a, b]");
    if (value.items.size() < least) fail(value.position, path, "the list is empty");
    std::vector<T> items;
    for (const Value& element : value.items) {
      T parsed = item.parse(element, path);
      if (std::find(items.begin(), items.end(), parsed) != items.end()) {
        fail(element.position, path, shown(element) + " is listed twice");
      }
      items.push_back(std::move(parsed));
    }
    return items;
  };
  codec.print = [=](const std::vector<T>& items) {
    Json list = Json::array();
    for (const T& element : items) list.push_back(item.print(element));
    return list;
  };
  codec.schema = {{"type", "array"}, {"items", item.schema}, {"uniqueItems", true}};
  if (least > 0) codec.schema["minItems"] = least;
  codec.allowed = "list of " + item.allowed;
  return codec;
}

}  // namespace tessera::sim::config
