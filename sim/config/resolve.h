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

/// Applies one "path.to.key=value" to the tree of a run.
void apply_set(Value& run, const std::string& argument);

}  // namespace tessera::sim::config
