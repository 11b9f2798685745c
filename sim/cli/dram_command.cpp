#include "sim/cli/dram_command.h"

#include <utility>

#include "sim/cli/output.h"
#include "sim/config/config.h"
#include "sim/dram/dram_run.h"
#include "sim/dram/dram_run_writers.h"

namespace tessera::sim {

void dram_command(const CommandLine& line) {
  if (line.hardware.size() != 1) {
    throw UsageError(
        "'tessera dram' needs one --hardware: a name (tessera list hardware) or a file");
  }
  DramRunRequest request;
  request.machine = load_machine_run(line.hardware[0], line.sets);
  request.pattern = line.subjects[0];
  request.outstanding = line.outstanding;
  request.offers_per_clock = line.offers;
  const DramRun run = run_dram(std::move(request));
  if (line.format == "json") {
    write_stdout(dram_run_json(run).dump(2) + "\n");
  } else if (line.format == "csv") {
    write_stdout(dram_run_csv(run));
  } else {
    write_stdout(dram_run_text(run, {text_width(line.width), line.all, use_color()}));
  }
}

}  // namespace tessera::sim
