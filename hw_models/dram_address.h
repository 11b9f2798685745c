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
  /// Throws std::invalid_argument on an order that does not name every bit exactly once.
  DramAddressMap(const std::string& order, BankHash hash, const DramDevice& device, int channels);

  /// Of the burst that holds `address`. Addresses past the end of the DRAM wrap around.
  DramPlace place(std::int64_t address) const;

 private:
  enum Field { kRow, kBank, kGroup, kColumn, kChannel, kPseudo, kRank, kFields };
  struct Piece {
    int field, low, bits, shift;  // bits [low, low + bits) of the field at `shift` of the address
  };
  void parse(const std::string& order);
  void add_token(const std::string& token, std::vector<Piece>& pieces) const;
  void finish(std::vector<Piece> pieces);
  void hash_banks(std::array<std::int64_t, kFields>& value) const;

  std::array<int, kFields> width_{};
  std::vector<Piece> pieces_;
  BankHash hash_;
  int burst_shift_ = 0;
  int ranks_, groups_, banks_;
};

/// The default of a good controller: 256 B to a bank group, the groups first, rows hashed in.
constexpr const char* kDefaultDramOrder = "ro-cohi-ba-bg-co[1:0]";

}  // namespace tessera::hw
