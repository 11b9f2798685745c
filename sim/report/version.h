// Versions that a report states.
#pragma once

#include <string>

namespace tessera::sim {

/// Version of the program, from CMake.
std::string tool_version();
/// Version of the timing model: changes whenever the same input may take other cycles.
std::string model_version();

}  // namespace tessera::sim
