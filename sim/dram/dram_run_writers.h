// A pattern's run as text, JSON and CSV.
#pragma once

#include <string>

#include "sim/dram/dram_run.h"
#include "sim/report/writers.h"

namespace tessera::sim {

std::string dram_run_text(const DramRun& run, const TextOptions& options);
/// Schema tessera-dram/1.
nlohmann::ordered_json dram_run_json(const DramRun& run);
/// A header and a row; the columns of dram_reference.csv where there are such.
std::string dram_run_csv(const DramRun& run);

}  // namespace tessera::sim
