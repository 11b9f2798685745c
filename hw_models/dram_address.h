// From an address to a place in DRAM: a bit order, and an optional hash of the bank bits. Pure.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "hw_models/dram_device.h"

namespace tessera::hw {

/// Where one burst lies.
struct DramPlace {
  int channel = 0;
  int bank = 0;  // flat: ((pseudo channel x ranks + rank) x groups + group) x banks + bank
  int column = 0;
  std::int64_t row = 0;
};

/// What is XORed into the bits of bank group and bank (in this order, from the low bits): nothing,
/// the low bits of the row, or of the column, then into the pseudo channel first
/// (Ramulator's MOP4CLXOR, which XORs what is left of the column into the row too).
enum class BankHash { kNone, kRow, kColumn };

/// A bit order from the top: `ro-cohi-ba-bg-co[1:0]`. Fields: `ro` row, `ba` bank, `bg` bank group,
/// `ra` rank, `co` column, `ch` channel, `pc` pseudo channel. `xx[h:l]` takes bits of a field;
/// `cohi` its bits above those that a `co[...]` names. When not named, `ra` stands at the top, `ch`
/// and `pc` at the end (one burst of each channel in turn). The bits below a burst are not named.
class DramAddressMap {
 public:
  /// `hash_channels`: all address bits above the channel's are XORed into it, so that no pitch
  /// keeps a tile in one channel. Throws std::invalid_argument on an order that does not name every
  /// bit exactly once, or channels in pieces that are hashed.
  DramAddressMap(const std::string& order, BankHash hash, const DramDevice& device, int channels,
                 bool hash_channels = false);

  /// Of the burst that holds `address`. Addresses past the end of the DRAM wrap around.
  DramPlace place(std::int64_t address) const;
  /// Aligned pieces of so many bytes lie in one row, in the order of its columns.
  Bytes piece_bytes() const { return Bytes{1} << (burst_shift_ + piece_bits_); }

 private:
  enum Field { kRow, kBank, kGroup, kColumn, kChannel, kPseudo, kRank, kFields };
  struct Piece {
    int field, low, bits, shift;  // bits [low, low + bits) of the field at `shift` of the address
  };
  void parse(const std::string& order);
  void add_token(const std::string& token, std::vector<Piece>& pieces) const;
  void finish(std::vector<Piece> pieces);
  std::int64_t channel_hash(std::int64_t address) const;
  DramPlace place_of_bits(std::int64_t address) const;
  void tabulate();
  void hash_banks(std::array<std::int64_t, kFields>& value) const;

  std::array<int, kFields> width_{};
  std::vector<Piece> pieces_;
  BankHash hash_;
  bool hash_channels_;
  int channel_end_ = 0;  // address bits from here on are hashed into the channel
  int burst_shift_ = 0;
  int piece_bits_ = 0;  // of the column, lowest in the address
  int ranks_, groups_, banks_;
  static constexpr int kBankShift = 16;  // above the channel
  struct Packed {
    std::int64_t row = 0;
    int channel_bank = 0, column = 0;
  };
  std::array<std::array<Packed, 256>, 8> of_byte_;  // places of addresses with one byte
};

/// The default of a good controller: 256 B to a bank group, the groups first, rows hashed in.
constexpr const char* kDefaultDramOrder = "ro-cohi-ba-bg-co[1:0]";
/// The same for a machine: 256 B (a row, if it is shorter) to a bank, then the next channel, pseudo
/// channel and bank group; ranks change with the rows, as a switch costs the bus a gap.
std::string machine_dram_order(const DramDevice& device, int channels);

}  // namespace tessera::hw
