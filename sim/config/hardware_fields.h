// The keys of a hardware description.
#pragma once

#include <string>
#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/config/fields.h"

namespace tessera::sim::config {

const Table<hw::HardwareConfig>& hardware_table();
/// Reads a hardware mapping (names and `base:` resolved) below `path`: defaults filled in, checked
/// as a whole. Throws ConfigError.
hw::HardwareConfig read_hardware(const Value& value, const std::string& path);

std::vector<std::pair<std::string, hw::Dataflow>> dataflow_names();

}  // namespace tessera::sim::config
