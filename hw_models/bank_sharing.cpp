#include "hw_models/bank_sharing.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace tessera::hw {
namespace {

constexpr Rate kStarvationShare = 64;  // every 64th access goes to those behind the array

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
  shares.reserve(static_cast<std::size_t>(buffer.banks));
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
  rates.reserve(static_cast<std::size_t>(buffer.banks));
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

namespace {

/// What users get who take turns at `capacity`: as much as they want up to a common level, which
/// this is. kFullRate x ports when nobody is held up.
Rate fair_level(std::vector<Rate> wanted, Rate capacity) {
  std::sort(wanted.begin(), wanted.end());
  auto left = static_cast<Rate>(wanted.size());
  for (const Rate want : wanted) {
    if (want * left > capacity) return capacity / left;
    capacity -= want;
    --left;
  }
  return std::numeric_limits<Rate>::max();
}

Rate at_pace(const BankDemand& demand) { return demand.rate * demand.pace / kFullRate; }

/// Users of one priority: those before them leave `capacity`.
struct Group {
  std::vector<std::size_t> members;  // of the demands
  Rate takes = 0;                    // what they ask for at their paces
};

Group group_of(const std::vector<BankDemand>& demands, BankUser first, bool is_first) {
  Group group;
  for (std::size_t i = 0; i < demands.size(); ++i) {
    if ((demands[i].user == first) != is_first) continue;
    group.members.push_back(i);
    group.takes += at_pace(demands[i]);
  }
  return group;
}

void serve(const Group& group, const std::vector<BankDemand>& demands, Rate capacity,
           std::vector<Rate>& speeds) {
  std::vector<Rate> wanted;
  for (const std::size_t i : group.members) wanted.push_back(at_pace(demands[i]));
  for (std::size_t j = 0; j < group.members.size(); ++j) {
    const BankDemand& demand = demands[group.members[j]];
    if (demand.rate == 0) continue;
    // A user held up elsewhere is offered what it would get at full speed.
    const Rate own = std::exchange(wanted[j], demand.rate);
    const Rate level = fair_level(wanted, capacity);
    wanted[j] = own;
    if (level < demand.rate) speeds[group.members[j]] = kFullRate * level / demand.rate;
  }
}

/// Of how many accesses one is kept for those served last, if they ask for it.
Rate reserved_part(BankPolicy policy) {
  return policy == BankPolicy::kRoundRobin ? 2 : kStarvationShare;
}

}  // namespace

std::vector<Rate> share_bank(const std::vector<BankDemand>& demands, int ports, BankPolicy policy) {
  const Rate capacity = kFullRate * ports;
  const BankUser head = policy == BankPolicy::kArrayFirst ? BankUser::kArray : BankUser::kDma;
  const Group first = group_of(demands, head, true);
  const Group others = group_of(demands, head, false);
  const Rate reserved = capacity / reserved_part(policy);
  const Rate first_gets =
      policy == BankPolicy::kDmaFirst ? capacity : capacity - std::min(others.takes, reserved);
  std::vector<Rate> speeds(demands.size(), kFullRate);
  serve(first, demands, first_gets, speeds);
  serve(others, demands, capacity - std::min(first_gets, first.takes), speeds);
  return speeds;
}

}  // namespace tessera::hw
