#include "sim/report/version.h"

#ifndef TESSERA_VERSION
#define TESSERA_VERSION "unknown"
#endif

namespace tessera::sim {

std::string tool_version() { return TESSERA_VERSION; }

std::string model_version() { return "1"; }

}  // namespace tessera::sim
