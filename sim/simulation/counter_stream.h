// Counters as bytes, to cross from a forked child to its parent.
#pragma once

#include <string>

#include "hw_models/counters.h"

namespace tessera::sim {

std::string write_counters(const hw::Counters& counters);
/// REQUIRES: `bytes` comes from write_counters() of the same program.
hw::Counters read_counters(const std::string& bytes);

}  // namespace tessera::sim
