#include "sim/config/dram_fields.h"

#include <array>
#include <cmath>
#include <map>
#include <mutex>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "hw_models/dram_energy.h"
#include "hw_models/dram_estimate.h"

namespace tessera::sim::config {

namespace {

using hw::DramCommandEnergy;
using hw::DramConfig;
using hw::DramDevice;
using hw::DramEnergy;
using hw::DramTimings;

constexpr hw::Bytes kLargestPage = 64 << 10;
constexpr std::int64_t kOneSecondFs = 1'000'000'000'000'000;
constexpr hw::Femtoseconds kPicosecond = 1'000;
constexpr double kMeasuredLoss = 0.004;  // streaming runs of Ramulator, DRAMsim3 and DRAMSys
constexpr int kMaxBanks = 64;            // of a channel, pseudo channels and ranks together
constexpr std::int64_t kMaxClocks = 1'000'000;
constexpr hw::Femtojoules kMostPerCommand = 100'000'000'000;  // 100 uJ
constexpr hw::Femtojoules kMostPerBit = 1'000'000'000;        // 1 uJ
constexpr hw::Microwatts kMostBackground = 100'000'000;       // 100 W

// ---- a standard ---------------------------------------------------------------------------------

struct Timing {
  const char* key;
  int DramTimings::*member;
  const char* help;
};

/// JEDEC's symbols.
constexpr std::array kTimings{
    Timing{"tBURST", &DramTimings::burst, "One burst on the data bus."},
    Timing{"tRCDRD", &DramTimings::rcd_read, "Activate to read."},
    Timing{"tRCDWR", &DramTimings::rcd_write, "Activate to write."},
    Timing{"tRPpb", &DramTimings::rp, "Precharge of one bank."},
    Timing{"tRPab", &DramTimings::rp_all, "Precharge of all banks."},
    Timing{"tRAS", &DramTimings::ras, "Activate to precharge."},
    Timing{"tRC", &DramTimings::rc, "Activate to activate of one bank."},
    Timing{"RL", &DramTimings::read_latency, "Read to its first beat, DQSCK included."},
    Timing{"WL", &DramTimings::write_latency, "Write to its first beat."},
    Timing{"tDQSS", &DramTimings::write_strobe, "Between WL and the data (LPDDR4)."},
    Timing{"tCCD_S", &DramTimings::ccd_short, "Column to column, another bank group."},
    Timing{"tCCD_L", &DramTimings::ccd_long, "Column to column, the same bank group."},
    Timing{"tRRD_S", &DramTimings::rrd_short, "Activate to activate, another bank group."},
    Timing{"tRRD_L", &DramTimings::rrd_long, "Activate to activate, the same bank group."},
    Timing{"tFAW", &DramTimings::faw, "Window of four activates."},
    Timing{"tWR", &DramTimings::write_recovery, "Last beat of a write to precharge."},
    Timing{"tRTP", &DramTimings::read_to_precharge, "Read to precharge."},
    Timing{"tWTR_S", &DramTimings::wtr_short, "Last beat of a write to a read, another group."},
    Timing{"tWTR_L", &DramTimings::wtr_long, "Last beat of a write to a read, the same group."},
    Timing{"tRTW", &DramTimings::read_to_write, "Read command to write command."},
    Timing{"tRTRS", &DramTimings::rank_switch, "Idle data bus between bursts of two ranks."},
    Timing{"tREFI", &DramTimings::refresh_interval, "Interval of all-bank refresh."},
    Timing{"tRFCab", &DramTimings::refresh_all, "All-bank refresh."},
    Timing{"tREFIpb", &DramTimings::refresh_bank_interval,
           "Interval of per-bank refresh; 0: has none."},
    Timing{"tRFCpb", &DramTimings::refresh_bank, "Per-bank refresh."},
    Timing{"tpbR2act", &DramTimings::refresh_bank_to_act,
           "Per-bank refresh to another's activate."},
    Timing{"tpbR2pbR", &DramTimings::refresh_bank_to_next, "Per-bank refresh to the next one."},
    Timing{"tPPD", &DramTimings::pre_to_pre, "Precharge to precharge."},
    Timing{"ACT", &DramTimings::act_clocks, "Clocks of an activate on the command bus."},
    Timing{"CAS", &DramTimings::cas_clocks, "Clocks of a read or write on the command bus."},
    Timing{"PRE", &DramTimings::pre_clocks, "Clocks of a precharge on the command bus."},
    Timing{"REF", &DramTimings::ref_clocks, "Clocks of a refresh on the command bus."},
};

/// Clocks, or a time: kept as negative picoseconds until the clock is known.
Codec<int> clocks() {
  const auto whole = integer(0, kMaxClocks);
  const auto time = duration(0, kOneSecondFs / 1000);
  Codec<int> codec;
  codec.parse = [=](const Value& value, const std::string& path) {
    const bool is_time = value.is_scalar() && value.text.find('s') != std::string::npos;
    if (!is_time) return static_cast<int>(whole.parse(value, path));
    return -static_cast<int>(hw::ceil_div(time.parse(value, path), kPicosecond));
  };
  codec.print = [](const int& n) { return Json(n); };
  codec.schema = {{"anyOf", {whole.schema, time.schema}}};
  codec.allowed = "clocks, or a time (rounded up to clocks)";
  return codec;
}

void times_to_clocks(DramDevice& device) {
  for (const Timing& timing : kTimings) {
    int& n = device.t.*timing.member;
    if (n < 0) n = static_cast<int>(hw::ceil_div(-n * kPicosecond, device.clock_fs));
  }
}

Table<DramTimings> timings_table() {
  Table<DramTimings> table;
  for (const Timing& timing : kTimings) {
    table.fields.push_back(field(timing.key, timing.member, clocks(), timing.help));
  }
  table.fields.push_back(field("split_activate", &DramTimings::split_activate, boolean(),
                               "Two activate commands, others may come between (LPDDR5)."));
  table.fields.push_back(field("split_command_bus", &DramTimings::split_command_bus, boolean(),
                               "Row and column commands on buses of their own (HBM2)."));
  return table;
}

struct CommandEnergy {
  const char* key;
  hw::Femtojoules DramCommandEnergy::*member;
  bool needed;
  const char* fallback;
  const char* help;
};

constexpr std::array kCommandEnergies{
    CommandEnergy{"activate", &DramCommandEnergy::activate, true, "",
                  "One activate; with its precharge where `precharge` is not given."},
    CommandEnergy{"precharge", &DramCommandEnergy::precharge, false, "0 fJ",
                  "Precharge of one bank."},
    CommandEnergy{"read", &DramCommandEnergy::read, true, "", "One burst."},
    CommandEnergy{"write", &DramCommandEnergy::write, true, "", "One burst."},
    CommandEnergy{"refresh_all", &DramCommandEnergy::refresh_all, true, "", "All-bank refresh."},
    CommandEnergy{"refresh_bank", &DramCommandEnergy::refresh_bank, false,
                  "`refresh_all` x tREFIpb / tREFI", "Per-bank refresh."},
};

/// Energy or power that belongs to the commands: the first one given makes them known.
Field<DramEnergy> of_commands(const char* key, std::int64_t DramCommandEnergy::*member,
                              const Codec<std::int64_t>& codec, const char* help) {
  Field<DramEnergy> made;
  made.key = key;
  made.allowed = codec.allowed;
  made.help = help;
  made.fallback = "needed, unless `per_bit`";
  made.read = [=](const Value& value, const std::string& path, DramEnergy& out) {
    if (!out.commands) out.commands.emplace();
    (*out.commands).*member = codec.parse(value, path);
  };
  made.write = [=](const DramEnergy& energy) {
    return energy.commands ? codec.print((*energy.commands).*member) : Json();
  };
  made.schema = codec.schema;
  return made;
}

Field<DramEnergy> per_bit_field() {
  const Codec<std::int64_t> codec = energy(1, kMostPerBit);
  Field<DramEnergy> made;
  made.key = "per_bit";
  made.allowed = codec.allowed;
  made.help = "All that a bit on the data bus costs, instead of the keys above.";
  made.fallback = "none";
  made.read = [=](const Value& value, const std::string& path, DramEnergy& out) {
    out.per_bit = codec.parse(value, path);
  };
  made.write = [=](const DramEnergy& energy) {
    return energy.per_bit ? codec.print(*energy.per_bit) : Json();
  };
  made.schema = codec.schema;
  return made;
}

Table<DramEnergy> energy_table() {
  Table<DramEnergy> table;
  for (const CommandEnergy& each : kCommandEnergies) {
    table.fields.push_back(
        of_commands(each.key, each.member, energy(0, kMostPerCommand), each.help));
    if (!each.needed) table.fields.back().fallback = each.fallback;
  }
  table.fields.push_back(of_commands("background", &DramCommandEnergy::background,
                                     power(kMostBackground),
                                     "Power of one channel that flows all the time."));
  table.fields.push_back(per_bit_field());
  table.fields.push_back(field("source", &DramEnergy::source, text("text"),
                               "Where the figures come from; reports print it.")
                             .needed());
  return table;
}

/// All that commands cost, or one figure by bit.
void check_energy(const DramEnergy& energy, const Value& value, const std::string& path) {
  if (energy.per_bit) {
    if (!energy.commands) return;
    fail(value.find("per_bit")->position, path + ".per_bit",
         "stands beside energies of commands: one or the other");
  }
  const auto demand = [&](const std::string& key) {
    if (value.find(key)) return;
    fail(value.position, join_path(path, key), "the key is missing",
         {energy.commands ? "" : "or give per_bit"});
  };
  for (const CommandEnergy& each : kCommandEnergies) {
    if (each.needed) demand(each.key);
  }
  demand("background");
}

/// Replaces the base's energy as a whole.
Field<DramDevice> energy_field() {
  const Table<DramEnergy> table = energy_table();
  Field<DramDevice> made;
  made.key = "energy";
  made.allowed = "mapping";
  made.help =
      "What commands cost, all devices of the rank together. Replaces the base's as a whole. "
      "The base's hold for its `burst`, `page` and `pseudo_channels`: with one of these, none.";
  made.fallback = "the base's; without `base` none";
  made.read = [=](const Value& value, const std::string& path, DramDevice& out) {
    out.energy = {};
    table.read(value, path, out.energy);
    check_energy(out.energy, value, path);
  };
  made.write = [=](const DramDevice& device) {
    const bool known = device.energy.commands || device.energy.per_bit;
    return known ? table.write(device.energy) : Json();
  };
  made.schema = table.schema();
  made.rows = table.rows();
  return made;
}

/// What the keys around `energy` make of it.
void finish_energy(const Value& value, DramDevice& device) {
  const Value* own = value.find("energy");
  if (!device.energy.commands) return;
  DramCommandEnergy& commands = *device.energy.commands;
  if (own && !own->find("refresh_bank")) {
    commands.refresh_bank = hw::refresh_bank_energy(commands.refresh_all, device.t);
  }
  const bool other_bursts =
      value.find("burst") || value.find("page") || value.find("pseudo_channels");
  if (!own && other_bursts) device.energy = {};
}

/// `page: 2 KiB`; kept as bursts.
Field<DramDevice> page_field() {
  const auto codec = bytes(64, kLargestPage, true);
  Field<DramDevice> made;
  made.key = "page";
  made.allowed = codec.allowed;
  made.help = "Row of one channel (pseudo channel).";
  made.fallback = "the base's";
  made.read = [=](const Value& value, const std::string& path, DramDevice& out) {
    const hw::Bytes page = codec.parse(value, path);
    if (page < out.burst_bytes) {
      fail(value.position, path,
           fmt::format("less than a burst of {}", bytes_text(out.burst_bytes)),
           {"`burst` stands above `page`"});
    }
    out.bursts_per_row = static_cast<int>(page / out.burst_bytes);
  };
  made.write = [=](const DramDevice& device) {
    return codec.print(device.bursts_per_row * device.burst_bytes);
  };
  made.schema = codec.schema;
  return made;
}

std::vector<std::string> standard_names() {
  std::vector<std::string> names;
  for (const DramDevice& each : hw::dram_devices()) names.push_back(each.name);
  return names;
}

/// Starts from a known standard.
Field<DramDevice> base_field() {
  Field<DramDevice> made;
  made.key = "base";
  made.allowed = "a standard or a file";
  made.help = "What the keys below change; stands first.";
  made.fallback = "DDR4-3200";
  made.read = [](const Value& value, const std::string& path, DramDevice& out) {
    const std::string name = out.name;
    out = hw::dram_devices()[parse_choice(value, path, standard_names(), {})];
    out.name = name;
  };
  made.write = [](const DramDevice&) { return Json(); };
  made.schema = {{"type", "string"}};
  return made;
}

Table<DramDevice> make_device_table() {
  using S = DramDevice;
  const auto count = integer(1, kMaxBanks);
  return {
      {base_field(), field("name", &S::name, text("text"), "What reports call it."),
       field("clock", &S::clock_fs, duration(50'000, 100'000'000), "tCK of the command clock."),
       field("burst", &S::burst_bytes, bytes(8, 4096, true), "Bytes of one burst."),
       field("pseudo_channels", &S::pseudo_channels, count, "That share a command bus."),
       field("ranks", &S::ranks, count, "Of each pseudo channel; they share its data bus."),
       field("bank_groups", &S::bank_groups, count, "1: none."),
       field("banks_per_group", &S::banks_per_group, count, "Of one rank; all, without groups."),
       page_field(), field("rows", &S::rows, integer(1, 1 << 24), "Rows of a bank."),
       section("timings", &S::t, timings_table(), "JEDEC's symbols."), energy_field()},
      {}};
}

const Table<DramDevice>& device_table() {
  static const Table<DramDevice> table = make_device_table();
  return table;
}

DramDevice read_device(const Value& value, const std::string& path) {
  DramDevice device;
  device.name = "inline";
  Value ordered = value;  // `base` first, wherever it stands
  std::stable_partition(ordered.entries.begin(), ordered.entries.end(),
                        [](const MapEntry& entry) { return entry.key == "base"; });
  device_table().read(ordered, path, device);
  times_to_clocks(device);
  finish_energy(value, device);
  if (device.banks() > kMaxBanks) {
    fail(value.position, path,
         fmt::format("{} banks in a channel; at most {}", device.banks(), kMaxBanks));
  }
  return device;
}

Field<DramConfig> standard_field() {
  Field<DramConfig> made;
  made.key = "standard";
  const std::vector<std::string> names = known_standards();
  made.allowed = fmt::format("`{}`, a file, or a mapping", fmt::join(names, "` \\| `"));
  made.help = "Fills in what follows; see the table below.";
  made.fallback = "LPDDR5-6400";
  made.read = [names](const Value& value, const std::string& path, DramConfig& out) {
    if (value.is_map()) {
      out.device = read_device(value, path);
      out.standard = out.device.name;
      return;
    }
    out.standard = names[parse_choice(value, path, names, {})];
    if (const DramDevice* known = hw::find_dram_device(out.standard)) out.device = *known;
  };
  made.write = [](const DramConfig& dram) {
    if (dram.standard == "custom") return Json(dram.standard);
    const Json own = device_table().write(dram.device);
    const DramDevice* known = hw::find_dram_device(dram.standard);
    return known && device_table().write(*known) == own ? Json(dram.standard) : own;
  };
  made.schema = {{"anyOf", {{{"type", "string"}}, device_table().schema()}}};
  made.rows = device_table().rows();
  return made;
}

// ---- the memory ---------------------------------------------------------------------------------

Field<DramConfig> peak_field() {
  using S = DramConfig;
  const Codec<std::int64_t> codec = bandwidth();
  Field<S> made = field("peak", &S::peak_bytes_per_second, codec,
                        "Peak of all channels together; only for `standard: custom`, which needs "
                        "it.")
                      .fallback_is("channels x the standard's");
  made.write = [=](const S& dram) {
    if (dram.standard != "custom") return Json();
    return codec.print(static_cast<std::int64_t>(dram.peak_bytes_per_second));
  };
  return made;
}

Field<DramConfig> write_peak_field() {
  using S = DramConfig;
  const Codec<std::int64_t> codec = bandwidth();
  Field<S> made = field("write_peak", &S::write_peak_bytes_per_second, codec,
                        "`bandwidth`: peak of writes where they have a path of their own.")
                      .fallback_is("none: reads and writes share the peak");
  made.write = [=](const S& dram) {
    const auto peak = static_cast<std::int64_t>(dram.write_peak_bytes_per_second);
    return peak > 0 ? codec.print(peak) : Json();
  };
  return made;
}

/// Shown only by the model that it belongs to.
Field<DramConfig> only_of(hw::DramModel model, Field<DramConfig> made) {
  made.write = [model, write = made.write](const DramConfig& dram) {
    return dram.model == model ? write(dram) : Json();
  };
  return made;
}

Codec<hw::BankHash> hash() {
  return choice<hw::BankHash>({{"none", hw::BankHash::kNone},
                               {"row", hw::BankHash::kRow},
                               {"column", hw::BankHash::kColumn}});
}

Codec<hw::DramRefresh> refresh() {
  return choice<hw::DramRefresh>({{"off", hw::DramRefresh::kOff},
                                  {"all_bank", hw::DramRefresh::kAllBank},
                                  {"per_bank", hw::DramRefresh::kPerBank}});
}

Table<DramConfig> address_table() {
  using S = DramConfig;
  return {{field("order", &S::order, text("a bit order"),
                 "Bits of an address from the top: `ro` row, `co` column, `ba` bank, `bg` bank "
                 "group, `pc` pseudo channel, `ch` channel; `co[1:0]` some bits, `cohi` the rest.")
               .fallback_is("256 B to a bank, then channel, pseudo channel, group, bank"),
           field("hash", &S::hash, hash(),
                 "What is XORed into bank group and bank: nothing, row bits, or column bits."),
           field("hash_channels", &S::hash_channels, boolean(),
                 "All address bits above it are XORed into the channel.")},
          {}};
}

Table<hw::DramPolicy> policy_table() {
  using S = hw::DramPolicy;
  const auto depth = integer(1, 4096);
  return {{field("read_queue", &S::read_queue, depth, "Bursts that FR-FCFS chooses among."),
           field("write_queue", &S::write_queue, depth, "Bursts that wait for a drain."),
           field("drain_above", &S::drain_above, integer(0, 4096),
                 "More writes than these in the queue start a drain."),
           field("drain_to", &S::drain_to, integer(0, 4096), "So many end it."),
           field("refresh", &S::refresh, refresh(), "Per bank needs a standard that has it.")
               .fallback_is("`per_bank` where the standard has it, else `all_bank`")},
          {}};
}

Field<DramConfig> merged_section(std::string key, Table<DramConfig> table, std::string help) {
  Field<DramConfig> made;
  made.key = std::move(key);
  made.allowed = "mapping";
  made.help = std::move(help);
  made.read = [=](const Value& value, const std::string& path, DramConfig& out) {
    table.read(value, path, out);
  };
  made.write = [=](const DramConfig& values) { return table.write(values); };
  made.schema = table.schema();
  made.rows = table.rows();
  return made;
}

// ---- what concerns several keys -----------------------------------------------------------------

Position position_of(const Value* value, const std::string& key) {
  const Value* found = value ? value->find(key) : nullptr;
  return found ? found->position : value ? value->position : Position{};
}

/// No key may stand there that the chosen model does not look at.
void check_keys_of_model(const DramConfig& dram, const Value* value, const std::string& path) {
  static const std::vector<std::string> bandwidth_keys{"efficiency", "latency", "burst",
                                                       "write_peak", "row"};
  static const std::vector<std::string> timing_keys{"mapping", "controller", "controller_latency"};
  const bool timing = dram.model == hw::DramModel::kTiming;
  for (const std::string& key : timing ? bandwidth_keys : timing_keys) {
    if (!value || !value->find(key)) continue;
    fail(position_of(value, key), path + "." + key,
         fmt::format("model: {} does not look at it", timing ? "timing" : "bandwidth"),
         {timing ? "leave it out: it follows from the standard" : "leave it out"});
  }
}

void finish_bandwidth(DramConfig& dram, const Value* value, const std::string& path) {
  const bool known = dram.standard != "custom";
  const DramConfig custom;
  if (dram.efficiency < 0) {
    dram.efficiency = known ? streaming_efficiency(dram.device) : custom.efficiency;
  }
  if (dram.latency_fs < 0) {
    dram.latency_fs = known ? conflict_latency(dram.device) : custom.latency_fs;
  }
  if (dram.burst == 0) dram.burst = known ? dram.device.burst_bytes : custom.burst;
  if (dram.row == 0) {
    dram.row = known ? dram.device.bursts_per_row * dram.device.burst_bytes : custom.row;
  }
  if (dram.row % dram.burst != 0) {
    fail(position_of(value, "row"), path + ".row",
         fmt::format("{} is not a multiple of the burst {}", bytes_text(dram.row),
                     bytes_text(dram.burst)));
  }
}

void check_policy(const DramConfig& dram, const Value* value, const std::string& path) {
  const hw::DramPolicy& policy = dram.policy;
  const Value* controller = value ? value->find("controller") : nullptr;
  const auto demand = [&](bool holds, const char* key, const std::string& message) {
    if (!holds) fail(position_of(controller, key), path + ".controller." + key, message);
  };
  demand(policy.drain_above < policy.write_queue, "drain_above",
         fmt::format("a queue of {} never holds more than {} writes", policy.write_queue,
                     policy.drain_above));
  demand(policy.drain_to < policy.drain_above, "drain_to",
         fmt::format("a drain that starts above {} ends below that", policy.drain_above));
  demand(policy.refresh != hw::DramRefresh::kPerBank || dram.device.t.refresh_bank_interval > 0,
         "refresh", fmt::format("{} has no per-bank refresh", dram.standard));
}

/// Each memory is estimated once: the points of a sweep share few. Its keys as written out tell
/// memories apart.
double sustained_fraction(const DramConfig& dram) {
  static const Table<DramConfig> table = dram_table();
  static std::mutex mutex;
  static std::map<std::string, double> known;
  const std::string key = table.write(dram).dump();
  {
    const std::lock_guard<std::mutex> lock(mutex);
    const auto found = known.find(key);
    if (found != known.end()) return found->second;
  }
  const double fraction = hw::estimate_sustained_fraction(dram);
  const std::lock_guard<std::mutex> lock(mutex);
  return known.emplace(key, fraction).first->second;
}

void finish_timing(DramConfig& dram, const Value* value, const std::string& path) {
  const DramDevice& device = dram.device;
  if (dram.standard == "custom") {
    fail(position_of(value, "standard"), path + ".standard",
         "standard: custom has no timings for model: timing",
         {"a known standard, a file, or a mapping with `timings`"});
  }
  if (dram.channels % device.pseudo_channels != 0) {
    fail(position_of(value, "channels"), path + ".channels",
         fmt::format("{} pseudo channels share a command bus: their number is a multiple of {}",
                     device.pseudo_channels, device.pseudo_channels));
  }
  if (!value || !value->find("controller") || !value->find("controller")->find("refresh")) {
    const bool per_bank = device.t.refresh_bank_interval > 0;
    dram.policy.refresh = per_bank ? hw::DramRefresh::kPerBank : hw::DramRefresh::kAllBank;
  }
  check_policy(dram, value, path);
  if (dram.order.empty()) dram.order = hw::machine_dram_order(device, dram.controllers());
  dram.burst = device.burst_bytes;
  dram.row = device.bursts_per_row * device.burst_bytes;
  try {
    const hw::DramAddressMap map(dram.order, dram.hash, device, dram.controllers(),
                                 dram.hash_channels);
  } catch (const std::invalid_argument& wrong) {
    const bool has_mapping = value && value->find("mapping");
    fail(position_of(value, has_mapping ? "mapping" : "channels"),
         path + (has_mapping ? ".mapping" : ""), wrong.what());
  }
  dram.latency_fs = device.unloaded_read_clocks() * device.clock_fs + dram.controller_fs;
  dram.efficiency = sustained_fraction(dram);
}

}  // namespace

std::vector<std::string> known_standards() {
  std::vector<std::string> names = standard_names();
  names.emplace_back("custom");
  return names;
}

bool is_known_standard(const std::string& name) {
  return name == "custom" || hw::find_dram_device(name) != nullptr;
}

std::int64_t channel_bytes_per_second(const DramDevice& device) {
  return std::llround(device.peak_bytes_per_second() / device.pseudo_channels);
}

double streaming_efficiency(const DramDevice& device) {
  const double refresh = static_cast<double>(device.t.refresh_all) / device.t.refresh_interval;
  return std::round((1.0 - refresh - kMeasuredLoss) * 1000.0) / 1000.0;
}

hw::Femtoseconds conflict_latency(const DramDevice& device) {
  const DramTimings& t = device.t;
  return (t.rp + t.rcd_read + t.read_latency + t.burst) * device.clock_fs +
         DramConfig().controller_fs;
}

Table<DramConfig> dram_table() {
  using S = DramConfig;
  using M = hw::DramModel;
  return {
      {standard_field(),
       field("channels", &S::channels, integer(1, 256),
             "Channels (DDR4 64 bit, LPDDR x16, HBM2 pseudo channels)."),
       field("model", &S::model, choice<M>({{"bandwidth", M::kBandwidth}, {"timing", M::kTiming}}),
             "`bandwidth`: peak x efficiency, latency; no rows, no refresh of its own. `timing`: "
             "banks, rows, refresh, turnaround, an FR-FCFS scheduler."),
       peak_field(),
       only_of(M::kBandwidth, field("efficiency", &S::efficiency, share(true),
                                    "`bandwidth`: sustained share of the peak.")
                                  .fallback_is("the standard's; 1 for `custom`")),
       write_peak_field(),
       only_of(M::kBandwidth, field("latency", &S::latency_fs, duration(0, kOneSecondFs),
                                    "`bandwidth`: request to first data.")
                                  .fallback_is("the standard's; 100 ns for `custom`")),
       only_of(M::kBandwidth, field("burst", &S::burst, bytes(8, 4096, true),
                                    "`bandwidth`: one DRAM burst; bus bytes count whole ones.")
                                  .fallback_is("the standard's; 64 B for `custom`")),
       only_of(M::kBandwidth,
               field("row", &S::row, bytes(64, kLargestPage, true),
                     "`bandwidth`: page of one channel, the default alignment of tensors.")
                   .fallback_is("the standard's; 2 KiB for `custom`")),
       only_of(M::kTiming,
               merged_section("mapping", address_table(), "`timing`: where an address lies.")),
       only_of(M::kTiming, section("controller", &S::policy, policy_table(),
                                   "`timing`: the scheduler of each channel.")),
       only_of(M::kTiming,
               field("controller_latency", &S::controller_fs, duration(0, kOneSecondFs / 1000),
                     "`timing`: what a read takes beside the DRAM itself: queue entry, "
                     "PHY, clock crossings (an assumption)."))},
      {}};
}

DramConfig unfinished_dram() {
  DramConfig dram;
  dram.standard = "LPDDR5-6400";
  dram.device = *hw::find_dram_device(dram.standard);
  dram.efficiency = -1;  // negative or 0: not given
  dram.latency_fs = -1;
  dram.burst = 0;
  dram.row = 0;
  dram.policy = {64, 64, 54, 12};  // what controllers of this class hold: see the reference page
  return dram;
}

void finish_dram(DramConfig& dram, const Value* value, const std::string& path) {
  const bool custom = dram.standard == "custom";
  if (custom) dram.device.energy = {};
  const bool has_peak = value && value->find("peak");
  if (custom && !has_peak) {
    fail(value->position, path + ".peak", "standard: custom needs the peak of all channels",
         {"for example peak: 25.6 GB/s"});
  }
  if (!custom && has_peak) {
    fail(position_of(value, "peak"), path + ".peak",
         "the peak follows from standard and channels: leave it out",
         {"or write standard: custom"});
  }
  if (!custom) {
    dram.peak_bytes_per_second =
        static_cast<double>(dram.channels * channel_bytes_per_second(dram.device));
  }
  check_keys_of_model(dram, value, path);
  if (dram.model == hw::DramModel::kTiming) {
    finish_timing(dram, value, path);
  } else {
    finish_bandwidth(dram, value, path);
  }
}

}  // namespace tessera::sim::config
