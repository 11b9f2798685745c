#include "sim/regress/judge_run.h"

#include <algorithm>

#include <fmt/format.h>

#include "sim/expressions/document.h"
#include "sim/report/format.h"
#include "sim/report/writers.h"

namespace tessera::sim {
namespace {

using Json = nlohmann::ordered_json;
using expressions::Datum;

constexpr std::size_t kShownReasons = 4, kShownMoves = 3;

std::optional<Datum> value_of(const GoldenFigure& golden, const Json& report) {
  try {
    return expressions::evaluate(golden.figure.value, expressions::ReportEnvironment(report));
  } catch (const expressions::UnknownFigure&) {
    return std::nullopt;
  } catch (const expressions::ExpressionError& error) {
    expressions::fail_at(golden.position, "golden", error);
  }
}

/// A golden value counts what the figure counts.
Datum golden_datum(const Json& value, const std::optional<Datum>& like) {
  if (value.is_string()) return expressions::word_of(value.get<std::string>());
  return expressions::number_of(value.get<double>(),
                                like ? like->dimension : expressions::Dimension{});
}

std::string tolerance_text(const GoldenFigure& golden) {
  const auto& text = golden.figure.tolerance_text;
  return text.empty() ? "" : "within " + text;
}

bool agrees(const GoldenFigure& golden, const Datum& old_value, const Datum& new_value,
            const Json& report) {
  if (old_value.is_word != new_value.is_word) return false;
  const expressions::Comparison comparison{golden.figure.name, expressions::literal(new_value),
                                           expressions::Relation::kEqual,
                                           expressions::literal(old_value), golden.figure.within};
  try {
    return expressions::check(comparison, expressions::ReportEnvironment(report)).holds;
  } catch (const expressions::ExpressionError& error) {
    expressions::fail_at(golden.position, "golden", error);
  }
}

std::string text_of(const std::optional<Datum>& datum) {
  return datum ? expressions::to_text(*datum) : "not known";
}

Json json_of(const std::optional<Datum>& datum) {
  if (!datum) return nullptr;
  return datum->is_word ? Json(datum->word) : Json(datum->number);
}

std::string signed_cycles(std::int64_t cycles) {
  return (cycles > 0 ? "+" : "") + grouped(cycles) + " cycles";
}

std::string signed_bytes(std::int64_t bytes) {
  return (bytes > 0 ? "+" : "") + grouped(bytes) + " B";
}

/// "vision.MLP_FC1: wait_weights +12,345 cycles": the cause that moved most, else bytes.
std::string move_text(const Json& pair) {
  const std::string name = pair.at("name").get<std::string>();
  if (pair.at("cycles").at("a").is_null()) return name + ": new";
  if (pair.at("cycles").at("b").is_null()) return name + ": gone";
  const Json& most = pair.at("moved_most");
  if (most.is_string()) {
    const std::string cause = most.get<std::string>();
    const Json& delta = pair.at("attribution_delta").at(cause);
    return fmt::format("{}: {} {}", name, cause, signed_cycles(delta.get<std::int64_t>()));
  }
  const std::int64_t cycles = pair.at("cycles").at("delta").get<std::int64_t>();
  if (cycles != 0) return fmt::format("{}: {}", name, signed_cycles(cycles));
  const std::int64_t bytes = pair.at("dram_bytes").at("delta").get<std::int64_t>();
  return bytes == 0 ? "" : fmt::format("{}: DRAM {}", name, signed_bytes(bytes));
}

std::vector<std::string> moves_of(const Json& comparison) {
  std::vector<std::string> moves;
  for (const Json& pair : comparison.at("operators")) {
    const std::string move = move_text(pair);
    if (!move.empty() && moves.size() < kShownMoves) moves.push_back(move);
  }
  return moves;
}

std::vector<std::string> reasons_of(const Json& comparison, const Goldens& before,
                                    const Goldens& now) {
  std::vector<std::string> reasons;
  const std::string old_model = before.at("model_version"), new_model = now.at("model_version");
  if (old_model != new_model) {
    reasons.push_back(fmt::format("timing model {} -> {}", old_model, new_model));
  }
  const Json& changes = comparison.at("config");
  for (const Json& change : changes) {
    if (reasons.size() == kShownReasons) {
      reasons.push_back(fmt::format("... {} keys changed in all", changes.size()));
      break;
    }
    reasons.push_back(fmt::format("{}: {} -> {}", change.at("path").get<std::string>(),
                                  change.at("a").get<std::string>(),
                                  change.at("b").get<std::string>()));
  }
  if (reasons.empty()) {
    reasons.push_back(
        "the program itself: configuration and timing model are those of the goldens");
  }
  return reasons;
}

}  // namespace

std::vector<GoldenChange> golden_changes(const SuiteRun& run, const Goldens& golden,
                                         const Json& report) {
  std::vector<GoldenChange> changes;
  for (const GoldenFigure& each : run.goldens) {
    const std::optional<Datum> now = value_of(each, report);
    const std::string& name = each.figure.name;
    const bool kept = golden.is_object() && golden.at("figures").contains(name);
    const Json before = kept ? golden.at("figures").at(name) : Json();
    const std::optional<Datum> old =
        before.is_null() ? std::nullopt : std::optional(golden_datum(before, now));
    const bool both_unknown = kept && !now && !old;
    if (both_unknown || (now && old && agrees(each, *old, *now, report))) continue;
    changes.push_back({name, before, json_of(now), kept ? text_of(old) : "no golden yet",
                       text_of(now), tolerance_text(each)});
  }
  return changes;
}

Cause cause_of(const std::string& name, const Goldens& before, const Goldens& now) {
  const Json comparison = compare_json(comparable(name, before), comparable(name, now));
  return {reasons_of(comparison, before, now), moves_of(comparison)};
}

}  // namespace tessera::sim
