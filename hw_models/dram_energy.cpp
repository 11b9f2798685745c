#include "hw_models/dram_energy.h"

#include <cmath>

namespace tessera::hw {

namespace {

constexpr double kFemto = 1e-15, kMicro = 1e-6;
constexpr double kFsPerNs = 1e6, kFjPerPj = 1e3, kUwPerMw = 1e3;
constexpr int kBitsPerByte = 8;

// mA x V x ns is pJ, mA x V is mW.
double nanoseconds(const DramDevice& device, int clocks) {
  return static_cast<double>(clocks * device.clock_fs) / kFsPerNs;
}

/// Sum of volts x `amount(rail)` of one device.
template <class Amount>
double over_rails(const DramCurrents& currents, const Amount& amount) {
  double sum = 0;
  for (const DramRail& rail : currents.rails) sum += rail.volts * amount(rail);
  return sum;
}

/// DRAMsim3 configs/DDR4_8Gb_x8_2400.ini, there for Micron MT40A1G8PM-083E. VDD alone.
DramCurrents ddr4_2400_currents() { return {{{1.2, 48, 34, 43, 135, 123, 250}}, 8, 4 * 833'000}; }

/// DRAMsim3 configs/DDR4_8Gb_x8_3200.ini. VDD alone: IPP0 is 3 mA there, without a standby IPP.
DramCurrents ddr4_3200_currents() { return {{{1.2, 57, 37, 52, 168, 150, 250}}, 8, 4 * 625'000}; }

/// DRAMPower memspecs/MICRON_6Gb_LPDDR4-3200_32bit_A.json, the same in DRAMSys's
/// JEDEC_8Gb_LPDDR4-3200_16bit.json: VDD1, VDD2, VDDQ (drivers of reads). Both files set 16 bits;
/// if the currents are of both channels of a 32-bit device, as the first name says, half is right.
DramCurrents lpddr4_currents() {
  return {{{1.8, 3.5, 2.0, 2.25, 2.25, 2.25, 10.0},
           {1.1, 45.0, 27.0, 30.0, 275.0, 210.0, 90.0},
           {1.1, 0.75, 0.75, 0.75, 150.0, 55.0, 0.75}},
          1,
          8 * 625'000};
}

/// DRAMsim3 configs/HBM2_8Gb_x128.ini, which names no data sheet: one 128-bit channel. VDD alone.
DramCurrents hbm2_currents() { return {{{1.2, 65, 40, 55, 390, 500, 250}}, 1, 2 * 1'000'000}; }

DramEnergy stated(const DramCurrents& currents, const DramDevice& device, const char* source) {
  return {command_energy(currents, device), std::nullopt, source};
}

double joules(std::int64_t count, Femtojoules each) {
  return kFemto * static_cast<double>(count) * static_cast<double>(each);
}

DramJoules by_command(const DramActivity& activity, const DramCommandEnergy& energy) {
  const DramCommandCounts& counts = activity.counts;
  DramJoules spent;
  spent.read = joules(counts.reads, energy.read);
  spent.write = joules(counts.writes, energy.write);
  spent.background = kMicro * static_cast<double>(energy.background) * activity.channels *
                     activity.ranks * activity.seconds;
  if (!activity.has_rows) return spent;
  spent.activate =
      joules(counts.activates, energy.activate) + joules(counts.precharges, energy.precharge);
  spent.refresh = joules(counts.refreshes_all, energy.refresh_all) +
                  joules(counts.refreshes_bank, energy.refresh_bank);
  return spent;
}

DramJoules by_bit(const DramActivity& activity, Femtojoules per_bit, Bytes burst) {
  DramJoules spent;
  spent.read = joules(activity.counts.reads * burst * kBitsPerByte, per_bit);
  spent.write = joules(activity.counts.writes * burst * kBitsPerByte, per_bit);
  return spent;
}

}  // namespace

DramCommandEnergy command_energy(const DramCurrents& currents, const DramDevice& device) {
  const double share = static_cast<double>(currents.devices) / device.pseudo_channels;
  const double rc = nanoseconds(device, device.t.rc), ras = nanoseconds(device, device.t.ras);
  const double burst = static_cast<double>(currents.burst_fs) / kFsPerNs;
  const double refresh = nanoseconds(device, device.t.refresh_all);
  const auto energy = [&](const auto& charge) {  // mA x ns of a rail
    return static_cast<Femtojoules>(std::llround(kFjPerPj * share * over_rails(currents, charge)));
  };
  DramCommandEnergy made;
  made.activate = energy([=](const DramRail& rail) {
    return rail.idd0 * rc - (rail.idd3n * ras + rail.idd2n * (rc - ras));
  });
  made.read = energy([=](const DramRail& rail) { return (rail.idd4r - rail.idd3n) * burst; });
  made.write = energy([=](const DramRail& rail) { return (rail.idd4w - rail.idd3n) * burst; });
  made.refresh_all =
      energy([=](const DramRail& rail) { return (rail.idd5 - rail.idd3n) * refresh; });
  made.refresh_bank = refresh_bank_energy(made.refresh_all, device.t);
  const double standby = over_rails(currents, [](const DramRail& rail) { return rail.idd3n; });
  made.background = std::llround(kUwPerMw * currents.devices * standby);
  return made;
}

Femtojoules refresh_bank_energy(Femtojoules refresh_all, const DramTimings& timings) {
  if (timings.refresh_interval == 0) return 0;
  return refresh_all * timings.refresh_bank_interval / timings.refresh_interval;
}

DramEnergy published_energy(const DramDevice& device) {
  const std::string& name = device.name;
  if (name == "DDR4-2400") {
    return stated(ddr4_2400_currents(), device, "IDD of DRAMsim3 DDR4_8Gb_x8_2400, without I/O");
  }
  if (name == "DDR4-3200") {
    return stated(ddr4_3200_currents(), device, "IDD of DRAMsim3 DDR4_8Gb_x8_3200, without I/O");
  }
  if (name == "LPDDR4-3200") {
    return stated(lpddr4_currents(), device, "IDD of DRAMPower MICRON_6Gb_LPDDR4-3200");
  }
  if (name == "LPDDR4-4266") {
    return stated(lpddr4_currents(), device, "IDD of DRAMPower MICRON_6Gb_LPDDR4-3200, at 3200");
  }
  if (name == "HBM2-2000" || name == "HBM2-2000-DRAMSys") {
    return stated(hbm2_currents(), device, "IDD of DRAMsim3 HBM2_8Gb_x128, without I/O");
  }
  // No primary source: the middle of 4 to 6 pJ, no part of it by command.
  if (name == "LPDDR5-6400") return {std::nullopt, 5'000, "5 pJ per bit, an assumption"};
  return {};
}

double DramJoules::total() const {
  return activate.value_or(0) + read + write + refresh.value_or(0) + background.value_or(0);
}

std::optional<DramJoules> energy_of(const DramActivity& activity, const DramDevice& device) {
  const DramEnergy& energy = device.energy;
  if (energy.commands) return by_command(activity, *energy.commands);
  if (energy.per_bit) return by_bit(activity, *energy.per_bit, device.burst_bytes);
  return std::nullopt;
}

}  // namespace tessera::hw
