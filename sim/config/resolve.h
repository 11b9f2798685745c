// From files and --set arguments to the one tree of a configuration, still with positions.
#pragma once

#include <string>
#include <vector>

#include "sim/config/search_path.h"
#include "sim/config/value.h"

namespace tessera::sim::config {

/// The tree of `subject` ("-": standard input): `base:` merged, names of hardware and models
/// replaced by what they mean, short forms written out, `name` filled in from the file's name.
Value load_tree(ConfigKind kind, const std::string& subject);

/// The tree of the run that `reference` in another file means: a name, a path or the mapping.
Value load_run_tree(const Value& reference, const std::string& path);

struct KeyStep {
  std::string key;
  Position position;
};
/// One change of a tree: what `--set` and the axes of a sweep make.
struct Setting {
  std::vector<KeyStep> path;
  Value value;
};
/// The steps of `a.b."c.d"`, which stands at `position`.
std::vector<KeyStep> key_path(const std::string& text, const Position& position);
/// Maps merge with what is there, anything else replaces it; short forms are written out again.
void apply_setting(Value& run, const Setting& setting);

/// Applies one "path.to.key=value" to the tree of a run.
void apply_set(Value& run, const std::string& argument);

}  // namespace tessera::sim::config
