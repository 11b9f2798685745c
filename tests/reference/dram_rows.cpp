#include "tests/reference/dram_rows.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <stdexcept>

#include "tests/workloads/reference_rows.h"

namespace tessera::hw {

namespace {

struct Mapping {
  std::string order;
  BankHash hash;
  std::string mapping_class;
};

/// From the CSV's names. Ramulator puts the pseudo channel where a rank is and the channel lowest;
/// the other tools put both lowest, which is the default of a bit order.
const std::map<std::string, Mapping>& mappings() {
  static const std::map<std::string, Mapping> known{
      {"ro-cohi-ba-bg-co[1:0](-ch/pc)", {"ro-cohi-ba-bg-co[1:0]", BankHash::kNone, "interleaved"}},
      {"ro-ra-co-ba-bg(-ch)", {"ro-co-ba-bg", BankHash::kNone, "interleaved"}},
      {"MOP4CLXOR", {"ro-cohi-ba-bg-pc-co[1:0]-ch", BankHash::kColumn, "interleaved"}},
      {"ro-ba-bg-co(-ch/pc)", {"ro-ba-bg-co", BankHash::kNone, "contiguous"}},
      {"ro-ra-ba-bg-co(-ch)", {"ro-ba-bg-co", BankHash::kNone, "contiguous"}},
      {"RoBaRaCoCh", {"ro-ba-bg-pc-co-ch", BankHash::kNone, "contiguous"}},
      {"ro-ba-co-bg", {"ro-ba-co-bg", BankHash::kNone, "other"}},
      {"ba-bg-ro-co (stock 'brc')", {"ba-bg-ro-co", BankHash::kNone, "other"}},
      {"bg-ba-ro-ra-co", {"bg-ba-ro-co", BankHash::kNone, "other"}},
      {"ChRaBaRoCo", {"ch-pc-bg-ba-ro-co", BankHash::kNone, "other"}},
  };
  return known;
}

std::string class_of(const std::string& pattern) {
  const std::string name = pattern.substr(0, pattern.find('_'));
  return name == "seq" ? pattern.substr(0, 6) : name;
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

double number(const std::string& text) { return text.empty() ? 0.0 : std::stod(text); }

/// "DRAMSys 5.1 (...); ref+wm; useful/bus ..." -> "ref+wm"
std::string policy_of(const std::string& notes) {
  const std::size_t begin = notes.find("; ") + 2;
  return notes.substr(begin, notes.find(';', begin) - begin);
}

void set_device(DramRow& row) {
  static const std::map<std::string, std::string> names{
      {"ddr4-3200", "DDR4-3200"},     {"ddr4-2400", "DDR4-2400"},
      {"ddr4-3200nobg", "DDR4-3200"}, {"ddr4-3200nowtr", "DDR4-3200"},
      {"lpddr4-3200", "LPDDR4-3200"}, {"lpddr4-4266", "LPDDR4-4266"},
      {"lpddr5-6400", "LPDDR5-6400"}, {"hbm2-2000", "HBM2-2000"}};
  const auto found = names.find(row.standard);
  if (found == names.end()) {
    row.not_comparable = "a stock preset with timings of its own";
    return;
  }
  row.device = *find_dram_device(found->second);
  if (row.tool == "dramsys" && row.standard == "hbm2-2000") {
    row.device = *find_dram_device("HBM2-2000-DRAMSys");
  }
  DramTimings& t = row.device.t;
  // The LPDDR4 checker of DRAMSys 5.1 has tRRD from a read to its bank's precharge, not tRTP.
  if (row.tool == "dramsys" && t.cas_clocks == 4) t.read_to_precharge = t.rrd_short;
  if (row.tool == "dramsim3" && row.device.pseudo_channels == 2) {  // two channels of 64 bits
    row.channels *= 2;
    row.device.pseudo_channels = 1;
    t.faw = 30;  // TIMING.md section 5: the tools differ
    t.ccd_long = 2;
  }
  if (row.standard == "ddr4-3200nobg") {
    t.ccd_long = t.ccd_short;
    t.rrd_long = t.rrd_short;
    t.wtr_long = t.wtr_short;
  }
  if (row.standard == "ddr4-3200nowtr") t.wtr_short = t.wtr_long = 0;
}

void set_rules(DramRow& row) {
  row.rules.queue_depth = row.queue_depth;
  row.rules.accepts_per_clock = row.tool == "dramsys" ? 1 : 2 * row.channels;
  row.rules.policy.full_queue_stops_both = row.tool == "dramsys";
  row.rules.policy.stagger_refresh = row.tool == "dramsys";
  // Ramulator drains once more than 0.8 x 32 writes wait, DRAMSys once more than 26 do.
  if (row.tool == "ramulator2") row.rules.policy.drain_above = 25;
  row.rules.response_clocks = row.tool == "dramsys" ? 1 : 0;
  const std::string refresh = row.policy.substr(0, row.policy.find('+'));
  row.refresh = refresh != "noref";
  row.rules.policy.refresh = refresh == "noref"   ? DramRefresh::kOff
                             : refresh == "refpb" ? DramRefresh::kPerBank
                                                  : DramRefresh::kAllBank;
}

void set_mapping(DramRow& row) {
  const auto found = mappings().find(row.mapping);
  if (found == mappings().end()) {
    if (row.not_comparable.empty()) row.not_comparable = "a mapping of a stock preset";
    return;
  }
  row.order = found->second.order;
  row.hash = found->second.hash;
  row.mapping_class = found->second.mapping_class;
}

}  // namespace

std::vector<DramRow> dram_rows() {
  std::vector<DramRow> rows;
  for (const workloads::Row& text : workloads::reference_rows("dram_reference.csv")) {
    DramRow row;
    row.tool = text.at("tool");
    row.standard = text.at("standard");
    row.pattern = text.at("pattern");
    row.pattern_class = class_of(row.pattern);
    row.mapping = text.at("mapping");
    row.notes = text.at("notes");
    row.policy = policy_of(row.notes);
    row.channels = std::stoi(text.at("channels"));
    row.queue_depth = std::stoi(text.at("queue_depth"));
    row.fraction = number(text.at("sustained_fraction"));
    row.mean_ns = number(text.at("avg_read_latency_ns"));
    row.p99_ns = number(text.at("p99_ns"));
    row.hit_rate = number(text.at("row_hit_rate"));
    set_device(row);
    set_mapping(row);
    set_rules(row);
    rows.push_back(row);
  }
  return rows;
}

DramEnvelopes::DramEnvelopes(const std::vector<DramRow>& rows) {
  std::map<std::string, std::set<std::string>> tools;
  for (const DramRow& row : rows) {
    if (!has_envelope(row)) continue;
    tools[key(row)].insert(row.tool);
    DramEnvelope& envelope = envelopes_[key(row)];
    envelope.is_mix = row.pattern_class == "mix";
    envelope.tools = static_cast<int>(tools[key(row)].size());
    envelope.low = std::min(envelope.low, row.fraction);
    envelope.high = std::max(envelope.high, row.fraction);
  }
}

std::string DramEnvelopes::key(const DramRow& row) {
  return row.standard + " " + row.pattern + " " + row.mapping_class;
}

bool DramEnvelopes::has_envelope(const DramRow& row) {
  return row.not_comparable.empty() && row.refresh && row.queue_depth == 32 &&
         row.mapping_class != "other" && find_dram_device(upper(row.standard)) != nullptr;
}

const DramEnvelope* DramEnvelopes::find(const DramRow& row) const {
  return has_envelope(row) ? &envelopes_.at(key(row)) : nullptr;
}

TrafficResult run_row(const DramRow& row, std::uint64_t seed) {
  const DramAddressMap map(row.order, row.hash, row.device, row.channels);
  return run_traffic(row.device, row.channels, map, row.rules,
                     traffic_bursts(row.pattern, row.device.burst_bytes, seed));
}

}  // namespace tessera::hw
