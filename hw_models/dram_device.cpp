#include "hw_models/dram_device.h"

#include "hw_models/dram_energy.h"

namespace tessera::hw {

namespace {

/// Ramulator 2.1 ddr4 presets DDR4_2400R and DDR4_3200AA, 8Gb x8, one rank of 64 bits. tRFC 360 ns.
DramDevice ddr4_3200() {
  DramDevice d;  // the defaults of the struct
  d.name = "DDR4-3200";
  return d;
}

DramDevice ddr4_2400() {
  DramDevice d;
  d.name = "DDR4-2400";
  d.clock_fs = 833'000;
  d.t.rcd_read = d.t.rcd_write = d.t.rp = d.t.rp_all = d.t.read_latency = 16;
  d.t.ras = 39;
  d.t.rc = 55;
  d.t.write_latency = 12;
  d.t.ccd_long = d.t.rrd_long = 6;
  d.t.faw = 26;
  d.t.write_recovery = 18;
  d.t.read_to_precharge = 9;
  d.t.wtr_short = 3;
  d.t.wtr_long = 9;
  d.t.read_to_write = 10;
  d.t.refresh_interval = 9364;  // 7800 ns
  d.t.refresh_all = 433;        // 360 ns
  return d;
}

/// DRAMSys 5.1 JEDEC_1Gbx16_LPDDR4-3200: one x16 channel; ACT and CAS take two 2-clock commands.
DramDevice lpddr4_3200() {
  DramDevice d;
  d.name = "LPDDR4-3200";
  d.burst_bytes = 32;
  d.bank_groups = 1;
  d.banks_per_group = 8;
  d.bursts_per_row = 64;
  d.rows = 131072;
  DramTimings& t = d.t;
  t.burst = t.ccd_short = t.ccd_long = 8;
  t.rcd_read = t.rcd_write = t.rp = 29;
  t.rp_all = 34;
  t.ras = 68;
  t.rc = 97;
  t.read_latency = 28 + 3;
  t.write_latency = 14;
  t.write_strobe = 1;
  t.rrd_short = t.rrd_long = 16;
  t.faw = 64;
  t.write_recovery = 29;
  t.read_to_precharge = 12;
  t.wtr_short = t.wtr_long = 16;
  t.read_to_write = 27;
  t.refresh_interval = 6246;      // 3904 ns
  t.refresh_all = 608;            // 380 ns
  t.refresh_bank_interval = 780;  // 487.5 ns
  t.refresh_bank = 304;           // 190 ns
  t.refresh_bank_to_act = 16;     // tRRD
  t.refresh_bank_to_next = 304;   // tRFCpb
  t.pre_to_pre = 4;               // tPPD, JESD209-4
  t.act_clocks = t.cas_clocks = 4;
  t.pre_clocks = t.ref_clocks = 2;
  return d;
}

DramDevice lpddr4_4266() {
  DramDevice d = lpddr4_3200();
  d.name = "LPDDR4-4266";
  d.clock_fs = 469'000;
  DramTimings& t = d.t;
  t.rcd_read = t.rcd_write = t.rp = 39;
  t.rp_all = 45;
  t.ras = 90;
  t.rc = 129;
  t.read_latency = 36 + 4;
  t.write_latency = 18;
  t.rrd_short = t.rrd_long = 22;
  t.faw = 86;
  t.write_recovery = 39;
  t.read_to_precharge = 17;
  t.wtr_short = t.wtr_long = 22;
  t.read_to_write = 32;
  t.refresh_interval = 8341;       // 3912 ns
  t.refresh_all = 812;             // 381 ns
  t.refresh_bank_interval = 1042;  // 489 ns
  t.refresh_bank = 405;            // 190 ns
  t.refresh_bank_to_act = 22;
  t.refresh_bank_to_next = 405;
  return d;
}

/// Ramulator 2.1 lpddr5 (JESD209-5B tables), bank-group mode, CK 800 MHz, 8 Gb x16. ACT-1 and
/// ACT-2 in successive clocks.
DramDevice lpddr5_6400() {
  DramDevice d;
  d.name = "LPDDR5-6400";
  d.clock_fs = 1'250'000;
  d.burst_bytes = 32;
  d.bursts_per_row = 64;
  d.rows = 32768;
  DramTimings& t = d.t;
  t.burst = t.ccd_short = 2;
  t.ccd_long = 4;
  t.rcd_read = t.rcd_write = t.rp = 15;
  t.rp_all = 17;
  t.ras = 34;
  t.rc = 49;
  t.read_latency = 17;
  t.write_latency = 9;
  t.rrd_short = t.rrd_long = 4;
  t.faw = 16;
  t.write_recovery = 28;
  t.read_to_precharge = 8;
  t.wtr_short = 5;
  t.wtr_long = 10;
  t.read_to_write = 12;
  t.refresh_interval = 3125;      // 3906 ns
  t.refresh_all = 168;            // 210 ns
  t.refresh_bank_interval = 390;  // 488 ns
  t.refresh_bank = 96;            // 120 ns
  t.refresh_bank_to_act = 6;      // tpbR2act 7.5 ns
  t.refresh_bank_to_next = 72;    // tpbR2pbR 90 ns
  t.pre_to_pre = 2;               // tPPD
  t.split_activate = true;
  return d;
}

/// Ramulator 2.1 hbm2, 2.0 Gb/s, 4 Gb: one 128-bit channel of two pseudo channels.
DramDevice hbm2_2000() {
  DramDevice d;
  d.name = "HBM2-2000";
  d.clock_fs = 1'000'000;
  d.burst_bytes = 32;
  d.pseudo_channels = 2;
  d.bursts_per_row = 32;
  d.rows = 32768;
  DramTimings& t = d.t;
  t.burst = t.ccd_short = 2;
  t.ccd_long = 4;
  t.rcd_read = t.rp = t.rp_all = 14;
  t.rcd_write = 12;
  t.ras = 34;
  t.rc = 48;
  t.read_latency = 14;
  t.write_latency = 5;
  t.rrd_short = t.rrd_long = 4;
  t.faw = 15;
  t.write_recovery = 16;
  t.read_to_precharge = 5;
  t.wtr_short = 6;
  t.wtr_long = 8;
  t.read_to_write = 13;
  t.refresh_interval = 3900;
  t.refresh_all = 260;
  t.refresh_bank_interval = 122;  // tREFI / 32
  t.refresh_bank = 160;
  t.refresh_bank_to_act = t.refresh_bank_to_next = 8;  // tRREFD
  t.act_clocks = 2;
  t.split_command_bus = true;
  return d;
}

/// DRAMSys 5.1 HBM2.json: what one vendor's part might be instead.
DramDevice hbm2_2000_dramsys() {
  DramDevice d = hbm2_2000();
  d.name = "HBM2-2000-DRAMSys";
  DramTimings& t = d.t;
  t.rcd_read = 12;
  t.rcd_write = 6;
  t.ras = 28;
  t.rc = 42;
  t.read_latency = 17;
  t.write_latency = 7;
  t.ccd_long = 3;
  t.rrd_long = 6;
  t.faw = 16;
  t.write_recovery = 14;
  t.wtr_short = 4;
  t.wtr_long = 9;
  t.read_to_write = 18;
  t.refresh_all = 220;
  t.refresh_bank = 96;
  return d;
}

std::vector<DramDevice> with_energies(std::vector<DramDevice> devices) {
  for (DramDevice& device : devices) device.energy = published_energy(device);
  return devices;
}

}  // namespace

double DramDevice::peak_bytes_per_second() const {
  constexpr double kFsPerSecond = 1e15;
  return static_cast<double>(pseudo_channels) * static_cast<double>(burst_bytes) * kFsPerSecond /
         (static_cast<double>(t.burst) * static_cast<double>(clock_fs));
}

int DramDevice::unloaded_read_clocks() const {
  const int second_activate = t.split_activate ? 1 : 0;
  return t.rp + t.pre_clocks + second_activate + t.rcd_read - 1 + t.read_latency + t.burst;
}

const std::vector<DramDevice>& dram_devices() {
  static const std::vector<DramDevice> devices =
      with_energies({ddr4_2400(), ddr4_3200(), lpddr4_3200(), lpddr4_4266(), lpddr5_6400(),
                     hbm2_2000(), hbm2_2000_dramsys()});
  return devices;
}

const DramDevice* find_dram_device(const std::string& name) {
  for (const DramDevice& device : dram_devices()) {
    if (device.name == name) return &device;
  }
  return nullptr;
}

}  // namespace tessera::hw
