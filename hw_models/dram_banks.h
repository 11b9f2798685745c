// When each bank of a channel may take which command: the timing rules and nothing else. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "hw_models/dram_device.h"

namespace tessera::hw {

enum class DramCommand {
  kActivate,
  kPrecharge,
  kRead,
  kWrite,
  kActivateSecond,
  kPrechargeAll,
  kRefreshAll,
  kRefreshBank,
  kNone
};

constexpr DramClock kNeverClock = std::numeric_limits<DramClock>::max() / 4;

/// Clocks from the start of one command to the start of another, worked out once.
struct DramDelays {
  explicit DramDelays(const DramTimings& t);
  DramClock act_to_read, act_to_write, act_to_pre, act_to_act;
  DramClock rrd_short, rrd_long, faw;
  DramClock pre_to_act, pre_all_to_act;
  DramClock read_to_pre, write_to_pre;
  DramClock ccd_short, ccd_long, read_to_write, wtr_short, wtr_long;
  DramClock burst_to_burst_switch, read_to_write_switch, write_to_read_switch;  // of another rank
  DramClock refresh_all_to_act, refresh_bank_to_act, refresh_bank_to_other_act;
  DramClock refresh_bank_to_next;
  DramClock hit_to_hit;  // of one bank, reads or writes
  DramClock read_to_last_beat, write_to_last_beat;
  std::array<DramClock, 9> command_clocks;  // by DramCommand, on the command bus
};

/// The earliest clock of the commands of a bank, a group or a rank.
struct DramEarliest {
  std::array<DramClock, 5> at{0, 0, 0, 0, 0};  // by DramCommand, up to kActivateSecond
  void push(DramCommand command, DramClock clock) {
    DramClock& now = at[static_cast<std::size_t>(command)];
    if (clock > now) now = clock;
  }
  DramClock of(DramCommand command) const { return at[static_cast<std::size_t>(command)]; }
};

/// All banks of a channel with their open rows. Knows no queue and chooses nothing. A rank here is
/// one rank of one pseudo channel.
class DramBanks {
 public:
  explicit DramBanks(const DramDevice& device);

  bool is_open(int bank) const { return open_row_[index(bank)] != kClosed; }
  std::int64_t open_row(int bank) const { return open_row_[index(bank)]; }
  int open_banks(int rank) const { return open_banks_[index(rank)]; }
  int rank_of(int bank) const { return rank_of_[index(bank)]; }

  /// What earliest() is the latest of: the bank's own rules, those of its group and of its rank,
  /// and the command bus.
  DramClock bank_earliest(DramCommand command, int bank) const {
    return bank_[index(bank)].of(command);
  }
  /// They stay where they are and change with every command.
  const DramClock* group_rule(DramCommand command, int bank) const {
    return &group_[index(group_of_[index(bank)])].at[static_cast<std::size_t>(command)];
  }
  const DramClock* rank_rule(DramCommand command, int bank) const {
    return &rank_[index(rank_of_[index(bank)])].at[static_cast<std::size_t>(command)];
  }
  /// Before it, no rank takes the command.
  DramClock rank_floor(DramCommand command) const {
    DramClock floor = rank_[0].of(command);
    for (int rank = 1; rank < ranks_; ++rank) {
      floor = std::min(floor, rank_[index(rank)].of(command));
    }
    return floor;
  }
  DramClock bus_free(std::size_t bus) const { return bus_free_[bus]; }

  /// Earliest start of activate, precharge, read or write; the command bus included.
  DramClock earliest(DramCommand command, int bank) const {
    const auto c = static_cast<std::size_t>(command);
    DramClock clock = bank_[index(bank)].at[c];
    const DramClock group = group_[index(group_of_[index(bank)])].at[c];
    const DramClock rank = rank_[index(rank_of_[index(bank)])].at[c];
    if (group > clock) clock = group;
    if (rank > clock) clock = rank;
    const DramClock bus = bus_free_[bus_of(command)];
    return bus > clock ? bus : clock;
  }
  DramClock earliest_precharge_all(int rank) const;
  /// REQUIRES: all banks of the rank are closed.
  DramClock earliest_refresh_all(int rank) const;
  /// REQUIRES: the bank is closed.
  DramClock earliest_refresh_bank(int bank) const;

  /// REQUIRES: `clock` is not before the earliest start.
  void activate(int bank, std::int64_t row, DramClock clock);
  /// REQUIRES: the standard has two activate commands, and this is the second of the bank.
  void activate_second(int bank, DramClock clock);
  void precharge(int bank, DramClock clock);
  void read(int bank, DramClock clock);
  void write(int bank, DramClock clock);
  void precharge_all(int rank, DramClock clock);
  void refresh_all(int rank, DramClock clock);
  void refresh_bank(int bank, DramClock clock);

  /// Which bus a command takes: 0 rows, 1 columns; one bus: always 0.
  std::size_t bus_of(DramCommand command) const {
    return split_bus_ && (command == DramCommand::kRead || command == DramCommand::kWrite) ? 1 : 0;
  }
  const DramDelays& delays() const { return delays_; }

 private:
  static constexpr std::int64_t kClosed = -1;
  static std::size_t index(int i) { return static_cast<std::size_t>(i); }
  void take_bus(DramCommand command, DramClock clock) {
    bus_free_[bus_of(command)] = clock + delays_.command_clocks[static_cast<std::size_t>(command)];
  }
  void note_activate(int rank, DramClock clock);
  void delay_other_ranks(int rank, DramClock next_read, DramClock next_write);
  void open_from(int bank, DramClock clock);
  void close(int bank);

  DramDelays delays_;
  int ranks_, ranks_per_bus_, banks_per_rank_;
  bool split_bus_, split_activate_;
  DramClock pre_to_pre_;
  std::vector<DramEarliest> bank_, group_, rank_;
  std::vector<std::int64_t> open_row_;
  std::vector<int> group_of_, rank_of_, open_banks_;
  struct Activates {
    std::array<DramClock, 4> at{-kNeverClock, -kNeverClock, -kNeverClock, -kNeverClock};
    std::size_t oldest = 0;
  };
  std::vector<Activates> last_activates_;     // of each rank
  std::vector<DramClock> next_bank_refresh_;  // of each rank
  std::array<DramClock, 2> bus_free_{0, 0};
};

}  // namespace tessera::hw
