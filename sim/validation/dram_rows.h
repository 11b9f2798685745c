// Rows of DRAM reference files (TIMING.md section 6), decoded into what the model runs.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "sim/dram/traffic.h"
#include "sim/validation/reference.h"

namespace tessera::sim {

struct DramRow {
  std::string pattern_class;  // seq_rd, seq_wr, rand, mix, tile
  std::string mapping_class;  // interleaved, contiguous, other
  bool refresh = true;
  bool is_plain_standard = true;  // not a what-if of a standard, such as one without bank groups
  hw::DramDevice device;
  int channels = 1;
  std::string order;
  hw::BankHash hash = hw::BankHash::kNone;
  TrafficRules rules;
};

/// The simulator's device, mapping and requester. Throws NotComparable for what is not known of
/// simulator, standard, policy or mapping, and for another peak than the row's.
DramRow decode_dram_row(const ReferenceCase& reference);

/// "ref+wm": what the notes say of refresh and scheduler; empty: nothing.
std::string dram_policy(const Notes& notes);

/// The model under the traffic of a row. Throws NotComparable for an unknown pattern.
TrafficResult run_dram_row(const DramRow& row, const std::string& pattern);

/// What the simulators say of one pattern and mapping class.
struct DramEnvelope {
  bool is_mix = false;
  std::set<std::string> tools;
  double low = 1e9, high = 0;  // sustained fraction

  void add(const std::string& tool, double fraction);
  /// Several tools: 3 % around mixes of reads and writes, 5 % around the rest; one tool: 8 %.
  double tolerance() const { return tools.size() == 1 ? 0.08 : is_mix ? 0.03 : 0.05; }
  bool holds(double fraction) const {
    return fraction >= low * (1 - tolerance()) && fraction <= high * (1 + tolerance());
  }
};

/// What came of a row.
struct DramOutcome {
  DramRow row;
  TrafficResult made;
  std::optional<DramEnvelope> envelope;  // none: outside the classes of TIMING.md section 6
};

/// Envelopes of rows with refresh and 32 outstanding.
class DramEnvelopes {
 public:
  void add(const ReferenceCase& reference, const DramRow& row);
  /// None for rows outside the classes of TIMING.md section 6. REQUIRES: the row was added.
  std::optional<DramEnvelope> find(const ReferenceCase& reference, const DramRow& row) const;

 private:
  std::map<std::string, DramEnvelope> envelopes_;
};

}  // namespace tessera::sim
