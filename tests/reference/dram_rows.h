// Rows of dram_reference.csv, decoded into what the model runs.
#pragma once

#include <map>
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
  bool is_mix = false;
  int tools = 0;
  double low = 1e9, high = 0;  // sustained fraction

  /// Several tools: 3 % around mixes of reads and writes, 5 % around the rest; one tool: 8 %.
  double tolerance() const { return tools == 1 ? 0.08 : is_mix ? 0.03 : 0.05; }
  bool holds(double fraction) const {
    return fraction >= low * (1 - tolerance()) && fraction <= high * (1 + tolerance());
  }
};

class DramEnvelopes {
 public:
  explicit DramEnvelopes(const std::vector<DramRow>& rows);
  /// nullptr for rows outside the classes of TIMING.md section 6.
  const DramEnvelope* find(const DramRow& row) const;

 private:
  static std::string key(const DramRow& row);
  static bool has_envelope(const DramRow& row);
  std::map<std::string, DramEnvelope> envelopes_;
};

/// The model under the traffic of a row; random addresses by `seed`. REQUIRES: the row is
/// comparable.
TrafficResult run_row(const DramRow& row, std::uint64_t seed = 1);

}  // namespace tessera::hw
