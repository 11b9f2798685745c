// A sweep ready to be evaluated point by point.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/config/run_template.h"
#include "sim/pipeline.h"
#include "sim/sweep/points.h"
#include "sim/sweep/sweep_spec.h"

namespace tessera::sim {

/// What all points share. Its functions are const and may run in several threads at once.
class Sweep {
 public:
  /// Finds the points, and makes sure that every value of every axis is possible somewhere and that
  /// the questions have answers. Throws ConfigError at the place of the mistake.
  explicit Sweep(SweepSpec spec);

  const SweepSpec& spec() const { return spec_; }
  const std::vector<Choices>& points() const { return points_; }
  std::int64_t size() const { return static_cast<std::int64_t>(points_.size()); }
  /// The first point that can be mapped, in closed form: what requirements need is read from it.
  const Report& first() const { return *first_; }
  /// Tells sweeps apart whose results must not mix.
  const std::string& fingerprint() const { return fingerprint_; }

  /// The run of a point, at a fidelity. Throws ConfigError.
  RunConfig run_of(std::int64_t id, Fidelity fidelity) const;
  /// Axis by axis, as JSON: what PointResult::settings holds.
  std::string settings_text(std::int64_t id) const;
  /// Hash of the resolved configuration without name and fidelity: 16 hex digits. Of what cannot be
  /// resolved, of its settings.
  std::string key_of(std::int64_t id) const;

 private:
  void check_values() const;
  void find_first();
  void check_questions() const;
  std::string identity() const;

  SweepSpec spec_;
  RunTemplate run_;
  std::vector<Choices> points_;
  std::unique_ptr<Report> first_;
  std::string fingerprint_;
};

/// 16 hex digits of the name-based UUID (RFC 4122, version 5) of a text.
std::string hash_text(const std::string& text);
/// The key of a resolved run.
std::string key_of(const RunConfig& run);

}  // namespace tessera::sim
