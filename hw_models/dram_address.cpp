#include "hw_models/dram_address.h"

#include <stdexcept>

namespace tessera::hw {

namespace {

int log2_of(std::int64_t n) {
  int bits = 0;
  while ((std::int64_t{1} << bits) < n) ++bits;
  if (std::int64_t{1} << bits != n) {
    throw std::invalid_argument("DRAM address bits: " + std::to_string(n) + " is no power of two");
  }
  return bits;
}

std::vector<std::string> split_order(const std::string& order) {
  std::vector<std::string> tokens(1);
  for (const char c : order) {
    if (c == '-') {
      tokens.emplace_back();
    } else {
      tokens.back() += c;
    }
  }
  return tokens;
}

}  // namespace

DramAddressMap::DramAddressMap(const std::string& order, BankHash hash, const DramDevice& device,
                               int channels, bool hash_channels)
    : hash_(hash),
      hash_channels_(hash_channels && channels > 1),
      burst_shift_(log2_of(device.burst_bytes)),
      ranks_(device.ranks),
      groups_(device.bank_groups),
      banks_(device.banks_per_group) {
  width_[kRow] = log2_of(device.rows);
  width_[kBank] = log2_of(device.banks_per_group);
  width_[kGroup] = log2_of(device.bank_groups);
  width_[kColumn] = log2_of(device.bursts_per_row);
  width_[kChannel] = log2_of(channels);
  width_[kPseudo] = log2_of(device.pseudo_channels);
  width_[kRank] = log2_of(device.ranks);
  parse(order);
  tabulate();
}

/// Appends the bits that a token names, `low < 0` standing for "cohi".
void DramAddressMap::add_token(const std::string& token, std::vector<Piece>& pieces) const {
  static const std::array<const char*, kFields> names{"ro", "ba", "bg", "co", "ch", "pc", "ra"};
  const std::string name = token.substr(0, 2);
  for (int field = 0; field < kFields; ++field) {
    if (name != names[static_cast<std::size_t>(field)]) continue;
    const std::string rest = token.substr(2);
    const int width = width_[static_cast<std::size_t>(field)];
    int high = 0, low = 0;
    if (rest.empty()) {
      pieces.push_back({field, 0, width, 0});
    } else if (rest == "hi") {
      pieces.push_back({field, -1, 0, 0});
    } else if (std::sscanf(rest.c_str(), "[%d:%d]", &high, &low) == 2 && low >= 0 && high >= low) {
      pieces.push_back({field, low, high - low + 1, 0});
    } else {
      break;
    }
    return;
  }
  throw std::invalid_argument("DRAM bit order: `" + token + "` names no field");
}

void DramAddressMap::parse(const std::string& order) {
  std::vector<Piece> pieces;
  for (const std::string& token : split_order(order)) add_token(token, pieces);
  std::array<int, kFields> low_bits{};  // what xx[h:0] takes, so that xxhi knows its own
  std::array<bool, kFields> named{};
  for (const Piece& piece : pieces) {
    named[static_cast<std::size_t>(piece.field)] = true;
    if (piece.low >= 0) low_bits[static_cast<std::size_t>(piece.field)] += piece.bits;
  }
  for (Piece& piece : pieces) {
    if (piece.low >= 0) continue;
    piece.low = low_bits[static_cast<std::size_t>(piece.field)];
    piece.bits = width_[static_cast<std::size_t>(piece.field)] - piece.low;
  }
  for (const int field : {static_cast<int>(kPseudo), static_cast<int>(kChannel)}) {
    if (!named[static_cast<std::size_t>(field)]) {
      pieces.push_back({field, 0, width_[static_cast<std::size_t>(field)], 0});
    }
  }
  if (!named[kRank]) pieces.insert(pieces.begin(), {kRank, 0, width_[kRank], 0});
  finish(std::move(pieces));
}

/// Gives every piece its place in the address, and demands each bit once.
void DramAddressMap::finish(std::vector<Piece> pieces) {
  std::array<std::int64_t, kFields> seen{};
  int shift = burst_shift_;
  for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) {
    piece->shift = shift;
    shift += piece->bits;
    const std::int64_t mask = ((std::int64_t{1} << piece->bits) - 1) << piece->low;
    std::int64_t& bits = seen[static_cast<std::size_t>(piece->field)];
    if ((bits & mask) != 0) throw std::invalid_argument("DRAM bit order: a bit is named twice");
    bits |= mask;
    if (piece->bits > 0) pieces_.push_back(*piece);
  }
  if (hash_channels_) {
    for (const Piece& piece : pieces_) {
      if (piece.field != kChannel) continue;
      if (piece.bits != width_[kChannel]) {
        throw std::invalid_argument("DRAM bit order: channels in pieces cannot be hashed");
      }
      channel_end_ = piece.shift + piece.bits;
    }
  }
  if (!pieces_.empty() && pieces_[0].field == kColumn && pieces_[0].low == 0) {
    piece_bits_ = pieces_[0].bits;
  }
  for (std::size_t field = 0; field < kFields; ++field) {
    if (seen[field] != (std::int64_t{1} << width_[field]) - 1) {
      throw std::invalid_argument("DRAM bit order: not every bit is named");
    }
  }
}

void DramAddressMap::hash_banks(std::array<std::int64_t, kFields>& value) const {
  std::int64_t source = value[hash_ == BankHash::kRow ? kRow : kColumn];
  const auto mix = [&](Field field) {
    const int width = width_[field];
    value[field] ^= source & ((std::int64_t{1} << width) - 1);
    source >>= width;
  };
  if (hash_ == BankHash::kColumn) mix(kPseudo);
  mix(kGroup);
  mix(kBank);
  if (hash_ == BankHash::kColumn) mix(kRow);
}

/// The bits above the channel's, folded to its width.
std::int64_t DramAddressMap::channel_hash(std::int64_t address) const {
  const int width = width_[kChannel];
  std::uint64_t folded = 0;
  for (std::uint64_t rest = static_cast<std::uint64_t>(address) >> channel_end_; rest != 0;
       rest >>= width) {
    folded ^= rest;
  }
  return static_cast<std::int64_t>(folded & ((std::uint64_t{1} << width) - 1));
}

DramPlace DramAddressMap::place_of_bits(std::int64_t address) const {
  std::array<std::int64_t, kFields> value{};
  for (const Piece& piece : pieces_) {
    const std::int64_t mask = (std::int64_t{1} << piece.bits) - 1;
    value[static_cast<std::size_t>(piece.field)] |= ((address >> piece.shift) & mask) << piece.low;
  }
  if (hash_channels_) value[kChannel] ^= channel_hash(address);
  if (hash_ != BankHash::kNone) hash_banks(value);
  DramPlace place;
  place.channel = static_cast<int>(value[kChannel]);
  const std::int64_t rank = value[kPseudo] * ranks_ + value[kRank];
  place.bank = static_cast<int>((rank * groups_ + value[kGroup]) * banks_ + value[kBank]);
  place.column = static_cast<int>(value[kColumn]);
  place.row = value[kRow];
  return place;
}

/// Every bit of a place is the XOR of some bits of the address, so that of a whole address is the
/// XOR of those of its bytes.
void DramAddressMap::tabulate() {
  for (std::size_t byte = 0; byte < of_byte_.size(); ++byte) {
    for (std::size_t bits = 0; bits < of_byte_[byte].size(); ++bits) {
      const DramPlace place = place_of_bits(static_cast<std::int64_t>(bits) << (8 * byte));
      of_byte_[byte][bits] = {place.row, place.channel | place.bank << kBankShift, place.column};
    }
  }
}

DramPlace DramAddressMap::place(std::int64_t address) const {
  Packed all;
  for (std::size_t byte = 0; address != 0; address >>= 8, ++byte) {
    const Packed& part = of_byte_[byte][static_cast<std::size_t>(address & 0xff)];
    all.row ^= part.row;
    all.channel_bank ^= part.channel_bank;
    all.column ^= part.column;
  }
  const int channel = all.channel_bank & ((1 << kBankShift) - 1);
  return {channel, all.channel_bank >> kBankShift, all.column, all.row};
}

std::string machine_dram_order(const DramDevice& device, int channels) {
  constexpr Bytes kInterleave = 256;
  int bits = 0;  // of the column below the bank
  while (device.burst_bytes << (bits + 1) <= kInterleave && 2 << bits <= device.bursts_per_row) {
    ++bits;
  }
  std::string order = device.ranks > 1 ? "ro-ra-cohi-ba-bg" : "ro-cohi-ba-bg";
  if (device.pseudo_channels > 1) order += "-pc";
  if (channels > 1) order += "-ch";
  return bits == 0 ? order : order + "-co[" + std::to_string(bits - 1) + ":0]";
}

}  // namespace tessera::hw
