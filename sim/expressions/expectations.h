// What a file expects of its run, and what became of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "sim/config/value.h"
#include "sim/expressions/expression.h"

namespace tessera::sim::expressions {

/// A comparison and where the texts of its sides stand.
struct Expectation {
  Comparison comparison;
  config::Position left, right;
};

/// A list of comparisons (`[latency <= 30 ms]`), or a mapping from values to conditions
/// (`{latency: <= 30 ms, totals.macs: 1000}`). Throws ConfigError.
std::vector<Expectation> read_expectations(const config::Value& value, const std::string& path);
/// As a list of comparisons, which reads back; null when there are none.
nlohmann::ordered_json write_expectations(const std::vector<Expectation>& expectations);
nlohmann::ordered_json expectations_schema();

struct ExpectationResult {
  std::string text;
  std::string place;  // "runs/mine.yaml:4:9"
  bool holds = false;
  std::optional<Check> check;  // empty: a figure is not known, `reason` says which
  std::string reason;
};

/// Throws ConfigError for a path without meaning and for sides that do not go together. A figure
/// that is not known fails its expectation.
std::vector<ExpectationResult> judge(const std::vector<Expectation>& expectations,
                                     const Environment& environment);
/// Throws ConfigError as judge() will, as far as `environment` can tell: it may not know figures,
/// and their values do not count.
void check_meaning(const std::vector<Expectation>& expectations, const Environment& environment);

/// "latency <= 30 ms: 126.2 ms, 96.2 ms off", with the margin when it holds.
std::string to_text(const ExpectationResult& result);
/// {expect, holds, left, right, margin, reason}: numbers in base units.
nlohmann::ordered_json to_json(const ExpectationResult& result);

/// Throws ConfigError: `error` at its place in a text that begins at `position`.
[[noreturn]] void fail_at(const config::Position& position, const std::string& path,
                          const ExpressionError& error);
/// Where the text of a scalar begins: behind its quote.
config::Position text_position(const config::Value& scalar);

}  // namespace tessera::sim::expressions
