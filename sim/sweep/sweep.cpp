#include "sim/sweep/sweep.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>

#include "sim/config/config.h"
#include "sim/mapper/mapper.h"
#include "sim/report/version.h"

namespace tessera::sim {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kSpread = 20;  // points with a value, before it counts as impossible

Json texts_of(const std::vector<Requirement>& require) {
  Json texts = Json::array();
  for (const Requirement& each : require) texts.push_back(each.comparison.text);
  return texts;
}

Json texts_of(const std::vector<SweepObjective>& objectives) {
  Json texts = Json::array();
  for (const SweepObjective& each : objectives) {
    texts.push_back((each.maximize ? "max " : "min ") + each.figure.text);
  }
  return texts;
}

Json text_of(const Axis& axis) {
  Json labels = Json::array();
  for (const AxisValue& value : axis.values) labels.push_back(value.label);
  return {{"name", axis.name},
          {"keys", axis.keys},
          {"values", labels},
          {"times", axis.times},
          {"when", axis.when ? axis.when->comparison.text : ""}};
}

/// At most kSpread of `ids`, evenly spread.
std::vector<std::int64_t> spread(const std::vector<std::int64_t>& ids) {
  std::vector<std::int64_t> some;
  const std::size_t count = std::min(ids.size(), kSpread);
  for (std::size_t i = 0; i < count; ++i) some.push_back(ids[i * ids.size() / count]);
  return some;
}

}  // namespace

std::string hash_text(const std::string& text) {
  const boost::uuids::name_generator_sha1 generate(boost::uuids::ns::oid());
  std::string digits = boost::uuids::to_string(generate(text));
  digits.erase(std::remove(digits.begin(), digits.end(), '-'), digits.end());
  return digits.substr(0, 12) + digits.substr(28);  // without the bits of version and variant
}

std::string key_of(const RunConfig& run) {
  Json tree = run.resolved;
  tree.erase("name");
  tree.erase("fidelity");
  return hash_text(tree.dump());
}

Sweep::Sweep(SweepSpec spec)
    : spec_(std::move(spec)), run_(spec_.run), points_(sweep_points(spec_)) {
  check_values();
  find_first();
  fingerprint_ = hash_text(identity());
}

RunConfig Sweep::run_of(std::int64_t id, Fidelity fidelity) const {
  RunConfig run = run_.resolve(settings_of(spec_, points_.at(static_cast<std::size_t>(id))));
  run.fidelity = fidelity;
  run.resolved["fidelity"] = to_string(fidelity);
  return run;
}

std::string Sweep::settings_text(std::int64_t id) const {
  const Choices& choices = points_.at(static_cast<std::size_t>(id));
  Json json = Json::object();
  for (std::size_t a = 0; a < spec_.axes.size(); ++a) {
    const bool active = choices[a] != kInactive;
    json[spec_.axes[a].name] = active ? Json(value_label(spec_, choices, a)) : Json(nullptr);
  }
  return json.dump();
}

std::string Sweep::key_of(std::int64_t id) const {
  try {
    return sim::key_of(run_of(id, Fidelity::kAnalytical));
  } catch (const ConfigError&) {
    return hash_text("refused " + settings_text(id));
  }
}

/// A value with which no point resolves is a mistake of the sweep's author.
void Sweep::check_values() const {
  std::vector<std::vector<std::vector<std::int64_t>>> with(spec_.axes.size());
  for (std::size_t a = 0; a < spec_.axes.size(); ++a) with[a].resize(spec_.axes[a].values.size());
  for (std::int64_t id = 0; id < size(); ++id) {
    for (std::size_t a = 0; a < spec_.axes.size(); ++a) {
      const std::int32_t choice = points_[static_cast<std::size_t>(id)][a];
      if (choice != kInactive) with[a][static_cast<std::size_t>(choice)].push_back(id);
    }
  }
  std::vector<int> known(points_.size(), 0);  // 1: resolves, -1: does not
  for (const auto& values : with) {
    for (const auto& ids : values) {
      std::string reason;
      bool possible = ids.empty();  // a sample may leave a value out
      for (const std::int64_t id : spread(ids)) {
        int& state = known[static_cast<std::size_t>(id)];
        if (state == 0) {
          try {
            run_of(id, Fidelity::kAnalytical);
            state = 1;
          } catch (const ConfigError& error) {
            reason = error.what();
            state = -1;
          }
        } else if (state < 0 && reason.empty()) {
          continue;  // another value's tries found its reason
        }
        possible = possible || state > 0;
        if (possible) break;
      }
      if (!possible && !reason.empty()) throw ConfigError(reason);
    }
  }
}

/// Paths without meaning end here; what the first point has no value for may have one elsewhere.
void Sweep::check_questions() const {
  const PointView view(*first_);
  const auto ask = [](const auto& question) {
    try {
      question();
    } catch (const ConfigError&) {
      throw;
    } catch (const std::runtime_error&) {
    }
  };
  for (const SweepObjective& each : spec_.objectives) ask([&] { answer(each.figure, view); });
  for (const Requirement& each : spec_.require) ask([&] { judge(each, view); });
}

void Sweep::find_first() {
  std::string reason = "the sweep has no points";
  for (std::int64_t id = 0; id < size() && !first_; ++id) {
    try {
      const PreparedRun run = prepare(run_of(id, Fidelity::kAnalytical), Knees::kNone);
      first_ = std::make_unique<Report>(simulate_run(run));
      check_questions();
    } catch (const MappingError& error) {
      reason = error.what();
    } catch (const ConfigError& error) {
      if (first_) throw;  // a question without an answer
      reason = error.what();
    }
  }
  if (!first_) throw ConfigError("no point can be mapped: " + reason);
}

std::string Sweep::identity() const {
  Json axes = Json::array();
  for (const Axis& axis : spec_.axes) axes.push_back(text_of(axis));
  const Json identity = {{"run", first_->config},
                         {"axes", axes},
                         {"require", texts_of(spec_.require)},
                         {"objectives", texts_of(spec_.objectives)},
                         {"strategy", static_cast<int>(spec_.strategy)},
                         {"points", spec_.points},
                         {"seed", spec_.seed},
                         {"fidelity", to_string(spec_.fidelity)},
                         {"model", model_version()}};
  return identity.dump();
}

}  // namespace tessera::sim
