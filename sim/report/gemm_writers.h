// The report of `tessera gemm`: one product, in a few lines.
#pragma once

#include <string>

#include "sim/report/writers.h"

namespace tessera::sim {

/// Cycles, utilisation, bounds, causes, mapping, DRAM. REQUIRES: a report of one Gemm.
std::string gemm_text(const Report& report, const TextOptions& options);

/// report.json as it is; of an analytical report the subset that a closed form knows, with the same
/// names, as schema tessera-gemm/1 (docs/report.md); of the PEs the same and `product`.
nlohmann::ordered_json gemm_json(const Report& report);

}  // namespace tessera::sim
