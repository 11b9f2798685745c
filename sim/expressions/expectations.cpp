#include "sim/expressions/expectations.h"

#include <cmath>

#include <fmt/format.h>

#include "sim/config/codecs.h"
#include "sim/config/fields.h"

namespace tessera::sim::expressions {
namespace {

using config::Position;
using config::Value;
using Json = nlohmann::ordered_json;

constexpr const char* kAllowed = "a comparison: latency <= 30 ms";

/// Behind the quote that stands at `position`, if one does.
Position behind_quote(Position position) {
  if (!position.source) return position;
  const std::string_view line = position.source->line_text(position.line);
  const std::size_t column = static_cast<std::size_t>(position.column);
  const bool quoted = column < line.size() && (line[column] == '"' || line[column] == '\'');
  if (quoted) ++position.column;
  return position;
}

Expectation read_item(const Value& item, const std::string& path) {
  const std::string& text = config::scalar_text(item, path, kAllowed);
  const Position start = text_position(item);
  try {
    return {parse_comparison(text), start, start};
  } catch (const ExpressionError& error) {
    fail_at(start, path, error);
  }
}

Expectation read_entry(const config::MapEntry& entry, const std::string& path) {
  const Position key = behind_quote(entry.key_position);
  const std::string& text = config::scalar_text(entry.value, path, "a condition: <= 30 ms");
  const Position start = text_position(entry.value);
  std::optional<Expression> left;
  try {
    left = parse_expression(entry.key);
  } catch (const ExpressionError& error) {
    fail_at(key, path, error);
  }
  try {
    return {parse_condition(entry.key, *left, text), key, start};
  } catch (const ExpressionError& error) {
    fail_at(start, path, error);
  }
}

std::string place_of(const Position& position) {
  if (!position.source) return "";
  return fmt::format("{}:{}:{}", position.source->name, position.line + 1, position.column + 1);
}

Json number_or_word(const Datum& datum) {
  return datum.is_word ? Json(datum.word) : Json(datum.number);
}

ExpectationResult judge_one(const Expectation& expectation, const Environment& environment) {
  ExpectationResult result;
  result.text = expectation.comparison.text;
  result.place = place_of(expectation.left);
  try {
    evaluate(expectation.comparison.left, environment);
  } catch (const UnknownFigure& error) {
    result.reason = error.what();
    return result;
  } catch (const ExpressionError& error) {
    fail_at(expectation.left, "expect", error);
  }
  try {
    result.check = check(expectation.comparison, environment);
    result.holds = result.check->holds;
  } catch (const UnknownFigure& error) {
    result.reason = error.what();
  } catch (const ExpressionError& error) {
    fail_at(expectation.right, "expect", error);
  }
  return result;
}

void check_side(const Expression& side, const Position& position, const Environment& environment) {
  for (const Path& path : side.paths()) {
    try {
      environment.lookup(path);
    } catch (const ExpressionError& error) {
      fail_at(position, "expect", error);
    }
  }
}

}  // namespace

Position text_position(const Value& scalar) {
  return scalar.quoted ? behind_quote(scalar.position) : scalar.position;
}

void fail_at(const Position& position, const std::string& path, const ExpressionError& error) {
  Position exact = position;
  exact.column += static_cast<int>(error.column());
  config::fail(exact, path, error.what(), {error.hint()});
}

std::vector<Expectation> read_expectations(const Value& value, const std::string& path) {
  std::vector<Expectation> all;
  if (value.kind == config::ValueKind::kList) {
    for (const Value& item : value.items) all.push_back(read_item(item, path));
    return all;
  }
  if (!value.is_map()) {
    config::not_allowed(value, path, "a list of comparisons, or a mapping: {latency: <= 30 ms}");
  }
  for (const config::MapEntry& entry : value.entries) {
    all.push_back(read_entry(entry, config::join_path(path, entry.key)));
  }
  return all;
}

Json write_expectations(const std::vector<Expectation>& expectations) {
  if (expectations.empty()) return nullptr;
  Json list = Json::array();
  for (const Expectation& each : expectations) list.push_back(each.comparison.text);
  return list;
}

Json expectations_schema() {
  const Json scalar{{"type", Json::array({"string", "number", "boolean"})}};
  return {{"anyOf", Json::array({Json{{"type", "array"}, {"items", {{"type", "string"}}}},
                                 Json{{"type", "object"}, {"additionalProperties", scalar}}})}};
}

std::vector<ExpectationResult> judge(const std::vector<Expectation>& expectations,
                                     const Environment& environment) {
  std::vector<ExpectationResult> results;
  for (const Expectation& each : expectations) results.push_back(judge_one(each, environment));
  return results;
}

void check_meaning(const std::vector<Expectation>& expectations, const Environment& environment) {
  for (const Expectation& each : expectations) {
    check_side(each.comparison.left, each.left, environment);
    check_side(each.comparison.right, each.right, environment);
    if (each.comparison.within) check_side(*each.comparison.within, each.right, environment);
    try {
      check(each.comparison, environment);
    } catch (const UnknownFigure&) {
    } catch (const DivisionByZero&) {
    } catch (const ExpressionError& error) {
      fail_at(each.right, "expect", error);
    }
  }
}

std::string to_text(const ExpectationResult& result) {
  if (!result.check) return result.text + ": " + result.reason;
  const Check& check = *result.check;
  if (check.left.is_word) return result.text + ": " + to_text(check.left);
  const std::string margin = to_text(number_of(std::abs(check.margin), check.left.dimension));
  return fmt::format("{}: {}, {} {}", result.text, to_text(check.left), margin,
                     check.margin < 0 ? "off" : "to spare");
}

Json to_json(const ExpectationResult& result) {
  Json json{{"expect", result.text}, {"holds", result.holds}};
  json["left"] = result.check ? number_or_word(result.check->left) : Json();
  json["right"] = result.check ? number_or_word(result.check->right) : Json();
  json["margin"] =
      result.check && !result.check->left.is_word ? Json(result.check->margin) : Json();
  json["reason"] = result.reason.empty() ? Json() : Json(result.reason);
  return json;
}

}  // namespace tessera::sim::expressions
