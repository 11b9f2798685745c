#include "sim/validation/dram_rows.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include "sim/validation/case_run.h"

namespace tessera::sim {

namespace {

using hw::BankHash;

const std::string kStockPreset = "stock preset";  // begins such a row's policy

struct KnownMapping {
  std::string order;
  BankHash hash;
  std::string mapping_class;
};

/// From the CSV's names. Ramulator puts the pseudo channel where a rank is and the channel lowest;
/// the other tools put both lowest, which is the default of a bit order.
const std::map<std::string, KnownMapping>& known_mappings() {
  static const std::map<std::string, KnownMapping> known{
      {"ro-cohi-ba-bg-co[1:0]", {"ro-cohi-ba-bg-co[1:0]", BankHash::kNone, "interleaved"}},
      {"ro-ra-co-ba-bg", {"ro-co-ba-bg", BankHash::kNone, "interleaved"}},
      {"MOP4CLXOR", {"ro-cohi-ba-bg-pc-co[1:0]-ch", BankHash::kColumn, "interleaved"}},
      {"ro-ba-bg-co", {"ro-ba-bg-co", BankHash::kNone, "contiguous"}},
      {"ro-ra-ba-bg-co", {"ro-ba-bg-co", BankHash::kNone, "contiguous"}},
      {"RoBaRaCoCh", {"ro-ba-bg-pc-co-ch", BankHash::kNone, "contiguous"}},
      {"ChRaBaRoCo", {"ch-pc-bg-ba-ro-co", BankHash::kNone, "other"}},
  };
  return known;
}

/// Without what it says of channels, which is the default, and of presets.
std::string bare_mapping(std::string name) {
  for (const std::string end : {"(-ch/pc)", "(-ch)", " (stock 'brc')"}) {
    const bool has =
        name.size() > end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
    if (has) name.resize(name.size() - end.size());
  }
  return name;
}

std::string pattern_class_of(const std::string& pattern) {
  const std::string name = pattern.substr(0, pattern.find('_'));
  return name == "seq" ? pattern.substr(0, 6) : name;
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

/// What follows the standard's name: "nobg" of "ddr4-3200nobg"; cut off.
std::string cut_variant(std::string& standard) {
  for (const std::string end : {"nobg", "nowtr"}) {
    if (standard.size() <= end.size()) continue;
    const std::size_t at = standard.size() - end.size();
    if (standard.compare(at, end.size(), end) != 0) continue;
    standard.resize(at);
    return end;
  }
  return "";
}

void apply_variant(const std::string& variant, hw::DramTimings& t) {
  if (variant == "nobg") {
    t.ccd_long = t.ccd_short;
    t.rrd_long = t.rrd_short;
    t.wtr_long = t.wtr_short;
  }
  if (variant == "nowtr") t.wtr_short = t.wtr_long = 0;
}

/// What a simulator's device has of its own.
void apply_tool(const std::string& tool, DramRow& row) {
  hw::DramTimings& t = row.device.t;
  if (tool == "dramsys" && row.device.name == "HBM2-2000") {
    row.device = *hw::find_dram_device("HBM2-2000-DRAMSys");
  }
  // The LPDDR4 checker of DRAMSys 5.1 has tRRD from a read to its bank's precharge, not tRTP.
  if (tool == "dramsys" && t.cas_clocks == 4) t.read_to_precharge = t.rrd_short;
  if (tool == "dramsim3" && row.device.pseudo_channels == 2) {  // two channels of 64 bits
    row.channels *= 2;
    row.device.pseudo_channels = 1;
    t.faw = 30;  // TIMING.md section 5: the tools differ
    t.ccd_long = 2;
  }
}

void set_device(const ReferenceCase& reference, DramRow& row) {
  std::string standard = reference.memory.standard;
  const std::string variant = cut_variant(standard);
  const hw::DramDevice* device = hw::find_dram_device(upper(standard));
  if (device == nullptr) {
    throw NotComparable(fmt::format("the standard '{}' is not known", reference.memory.standard));
  }
  row.device = *device;
  row.channels = reference.memory.channels;
  row.is_plain_standard = variant.empty();
  apply_tool(reference.engine, row);
  apply_variant(variant, row.device.t);
  const double peak = 1e-9 * row.device.peak_bytes_per_second() * row.channels;
  const double given = reference.memory.peak_gbps;
  if (given > 0 && std::abs(given - peak) > 0.01 * peak) {
    throw NotComparable(fmt::format("a peak of {:g} GB/s, here of {:g}", given, peak));
  }
}

/// Refresh and scheduler of the notes, which the simulator must be known to have.
void set_policy(const ReferenceCase& reference, DramRow& row) {
  using hw::DramRefresh;
  static const std::map<std::string, std::set<std::string>> schedulers{
      {"dramsim3", {""}}, {"dramsys", {"wm", "frfcfs"}}, {"ramulator2", {"frfcfs", "rowhit"}}};
  static const std::map<std::string, DramRefresh> refreshes{{"ref", DramRefresh::kAllBank},
                                                            {"refpb", DramRefresh::kPerBank},
                                                            {"noref", DramRefresh::kOff}};
  const auto tool = schedulers.find(reference.engine);
  if (tool == schedulers.end()) throw NotComparable("the simulator is not known");
  const std::string policy = dram_policy(reference.notes);
  const std::size_t plus = std::min(policy.find('+'), policy.size());
  const auto refresh = refreshes.find(policy.substr(0, plus));
  const std::string scheduler = plus < policy.size() ? policy.substr(plus + 1) : "";
  if (policy.compare(0, kStockPreset.size(), kStockPreset) == 0) {
    throw NotComparable("a stock preset with timings of its own");
  }
  if (refresh == refreshes.end() || tool->second.count(scheduler) == 0) {
    throw NotComparable(policy.empty() ? "the notes name no policy"
                                       : fmt::format("the policy '{}' is not known", policy));
  }
  row.rules.policy.refresh = refresh->second;
  row.refresh = refresh->second != DramRefresh::kOff;
}

void set_rules(const ReferenceCase& reference, DramRow& row) {
  const bool dramsys = reference.engine == "dramsys";
  row.rules.queue_depth = reference.memory.queue_depth;
  row.rules.accepts_per_clock = dramsys ? 1 : 2 * row.channels;
  row.rules.policy.full_queue_stops_both = dramsys;
  row.rules.policy.stagger_refresh = dramsys;
  // Ramulator drains once more than 0.8 x 32 writes wait, DRAMSys once more than 26 do.
  if (reference.engine == "ramulator2") row.rules.policy.drain_above = 25;
  row.rules.response_clocks = dramsys ? 1 : 0;
  if (row.rules.policy.refresh == hw::DramRefresh::kPerBank && row.device.t.refresh_bank == 0) {
    throw NotComparable(fmt::format("{} has no per-bank refresh", reference.memory.standard));
  }
}

/// A known name, or a bit order.
void set_mapping(const ReferenceCase& reference, DramRow& row) {
  const std::string name = bare_mapping(reference.memory.mapping);
  const auto found = known_mappings().find(name);
  const bool known = found != known_mappings().end();
  row.order = known ? found->second.order : name;
  row.hash = known ? found->second.hash : BankHash::kNone;
  row.mapping_class = known ? found->second.mapping_class : "other";
  try {
    hw::DramAddressMap(row.order, row.hash, row.device, row.channels);
  } catch (const std::invalid_argument&) {
    throw NotComparable(fmt::format("the mapping '{}' is not known of {} x {}",
                                    reference.memory.mapping, row.device.name, row.channels));
  }
}

std::string envelope_key(const ReferenceCase& reference, const DramRow& row) {
  const DramReference& memory = reference.memory;
  return memory.standard + " " + memory.pattern + " " + row.mapping_class;
}

bool has_envelope(const ReferenceCase& reference, const DramRow& row) {
  return row.refresh && reference.memory.queue_depth == 32 && row.mapping_class != "other" &&
         row.is_plain_standard;
}

}  // namespace

/// The second item: "DRAMSys 5.1 (...); ref+wm; useful/bus ...".
std::string dram_policy(const Notes& notes) {
  const std::string& text = notes.text();
  const std::size_t first = text.find(';');
  if (first == std::string::npos) return "";
  const std::size_t begin = std::min(text.find_first_not_of(' ', first + 1), text.size());
  return text.substr(begin, text.find(';', begin) - begin);
}

DramRow decode_dram_row(const ReferenceCase& reference) {
  DramRow row;
  row.pattern_class = pattern_class_of(reference.memory.pattern);
  set_policy(reference, row);
  set_device(reference, row);
  set_mapping(reference, row);
  set_rules(reference, row);
  return row;
}

TrafficResult run_dram_row(const DramRow& row, const std::string& pattern) {
  DramTraffic traffic;
  try {
    traffic = dram_traffic(pattern, row.device.burst_bytes);
  } catch (const std::invalid_argument& error) {
    throw NotComparable(fmt::format("the pattern '{}': {}", pattern, error.what()));
  }
  const hw::DramAddressMap map(row.order, row.hash, row.device, row.channels);
  return run_traffic(row.device, row.channels, map, row.rules, traffic.bursts);
}

void DramEnvelope::add(const std::string& tool, double fraction) {
  tools.insert(tool);
  low = std::min(low, fraction);
  high = std::max(high, fraction);
}

void DramEnvelopes::add(const ReferenceCase& reference, const DramRow& row) {
  if (!has_envelope(reference, row)) return;
  DramEnvelope& envelope = envelopes_[envelope_key(reference, row)];
  envelope.is_mix = row.pattern_class == "mix";
  envelope.add(reference.engine, reference.memory.fraction);
}

std::optional<DramEnvelope> DramEnvelopes::find(const ReferenceCase& reference,
                                                const DramRow& row) const {
  if (!has_envelope(reference, row)) return std::nullopt;
  return envelopes_.at(envelope_key(reference, row));
}

}  // namespace tessera::sim
