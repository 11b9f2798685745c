// Rows of dram_reference.csv, decoded into what the model runs.
#pragma once

#include <string>
#include <vector>

#include "tests/reference/dram_traffic.h"

namespace tessera::hw {

struct DramRow {
  std::string tool, standard, pattern, pattern_class, mapping, mapping_class, notes, policy;
  int channels = 1, queue_depth = 32;
  double fraction = 0, mean_ns = 0, p99_ns = 0, hit_rate = 0;  // 0: not given
  bool refresh = true;

  std::string not_comparable;  // why the model does not run it; empty: it does
  DramDevice device;
  std::string order;
  BankHash hash = BankHash::kNone;
  TrafficRules rules;
};

/// All rows of the file.
std::vector<DramRow> dram_rows();

/// What the tools say of one pattern and mapping class, refresh on, 32 outstanding.
struct DramEnvelope {
  std::string standard, pattern, pattern_class, mapping_class;
  int channels = 1, tools = 0;
  double low = 0, high = 0;  // sustained fraction

  /// TIMING.md section 6: with several tools 3 % around mixes and 5 % around reads, else 8 %.
  double tolerance() const { return tools == 1 ? 0.08 : pattern_class == "mix" ? 0.03 : 0.05; }
};

std::vector<DramEnvelope> dram_envelopes();

/// The shipped standard and default policy, the plain mapping of the class.
TrafficResult run_envelope(const DramEnvelope& envelope);

/// The model under the traffic of a row. REQUIRES: the row is comparable.
TrafficResult run_row(const DramRow& row);

}  // namespace tessera::hw
