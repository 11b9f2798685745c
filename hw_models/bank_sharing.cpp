#include "hw_models/bank_sharing.h"

#include <algorithm>

namespace tessera::hw {
namespace {

constexpr Rate kStarvationShare = 64;  // a user served last keeps 1/64 of a bank

void blocked_shares(const BufferConfig& buffer, const Region& region,
                    std::vector<BankShare>& shares) {
  const Bytes per_bank = buffer.capacity / buffer.banks;
  for (Bytes at = region.offset; at < region.offset + region.bytes;) {
    const int bank = static_cast<int>(std::min<Bytes>(at / per_bank, buffer.banks - 1));
    const Bytes bank_end = bank == buffer.banks - 1 ? buffer.capacity : (bank + 1) * per_bank;
    const Bytes end = std::min(region.offset + region.bytes, bank_end);
    shares.push_back({bank, end - at});
    at = end;
  }
}

void interleaved_shares(const BufferConfig& buffer, const Region& region,
                        std::vector<BankShare>& shares) {
  for (int i = 0; i < buffer.banks; ++i) shares.push_back({i, 0});
  const Bytes round = buffer.interleave * buffer.banks;
  const Bytes whole_rounds = region.bytes / round;
  for (BankShare& share : shares) share.bytes = whole_rounds * buffer.interleave;
  Bytes at = region.offset + whole_rounds * round;
  while (at < region.offset + region.bytes) {
    const Bytes end =
        std::min(region.offset + region.bytes, (at / buffer.interleave + 1) * buffer.interleave);
    shares[static_cast<std::size_t>(at / buffer.interleave % buffer.banks)].bytes += end - at;
    at = end;
  }
  shares.erase(std::remove_if(shares.begin(), shares.end(),
                              [](const BankShare& share) { return share.bytes == 0; }),
               shares.end());
}

}  // namespace

void bank_shares(const BufferConfig& buffer, const Region& region, std::vector<BankShare>& shares) {
  shares.clear();
  if (buffer.bank_mapping == BankMapping::kBlocked) {
    blocked_shares(buffer, region, shares);
  } else {
    interleaved_shares(buffer, region, shares);
  }
}

std::vector<BankShare> bank_shares(const BufferConfig& buffer, const Region& region) {
  std::vector<BankShare> shares;
  bank_shares(buffer, region, shares);
  return shares;
}

void add_rates(std::vector<BankRate>& rates, const BufferConfig& buffer, const Region& region,
               std::int64_t accesses, Cycles cycles) {
  if (cycles <= 0 || region.bytes <= 0) return;
  for (const BankShare& share : bank_shares(buffer, region)) {
    const __int128 scaled = static_cast<__int128>(accesses) * share.bytes * kFullRate;
    const Rate rate = static_cast<Rate>(scaled / region.bytes / cycles);
    const auto found = std::find_if(rates.begin(), rates.end(),
                                    [&](const BankRate& r) { return r.bank == share.bank; });
    if (found == rates.end()) {
      rates.push_back({share.bank, rate});
    } else {
      found->rate += rate;
    }
  }
}

std::vector<Rate> share_bank(const std::vector<Rate>& rates, Rate capacity, int first) {
  Rate total = 0;
  for (Rate rate : rates) total += rate;
  std::vector<Rate> speeds(rates.size(), kFullRate);
  if (total <= capacity) return speeds;
  const Rate first_rate = first >= 0 ? rates[static_cast<std::size_t>(first)] : 0;
  const Rate left = std::max<Rate>(0, capacity - first_rate);
  const Rate others = total - first_rate;
  for (std::size_t i = 0; i < rates.size(); ++i) {
    const bool is_first = static_cast<int>(i) == first;
    const Rate granted = is_first ? capacity : first >= 0 ? left : capacity;
    const Rate wanted = is_first ? first_rate : first >= 0 ? others : total;
    if (wanted > granted)
      speeds[i] = std::max(kFullRate * granted / wanted, kFullRate / kStarvationShare);
  }
  return speeds;
}

DmaConflict dma_conflict(std::int64_t accesses, Cycles cycles, Rate stream_rate, int ports,
                         BankPolicy policy) {
  const Rate capacity = kFullRate * ports;
  const Rate wanted = kFullRate * accesses / std::max<Cycles>(1, cycles);
  const Rate left = std::max<Rate>(0, capacity - stream_rate);
  Rate granted = std::min(wanted, capacity);
  if (policy == BankPolicy::kRoundRobin) granted = std::min(wanted, std::max(left, capacity / 2));
  if (policy == BankPolicy::kArrayFirst) granted = std::min(wanted, left);
  granted = std::max(granted, std::min(wanted, capacity / kStarvationShare));
  if (granted <= 0) return {};
  // The piece takes as long as its share of the bank allows; the streams make do with the rest.
  const Cycles taken = wanted > granted ? ceil_div(accesses * kFullRate, granted) : cycles;
  const Rate streams_get = std::min(stream_rate, capacity - granted);
  DmaConflict conflict;
  conflict.dma_delay = std::max<Cycles>(0, taken - cycles);
  if (stream_rate > 0) {
    conflict.stream_stall = taken * (stream_rate - streams_get) / stream_rate;
  }
  return conflict;
}

}  // namespace tessera::hw
