// Values by half-open ranges of addresses.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>

namespace tessera::sim {

/// Disjoint ranges [begin, end), each with a value. What was never assigned is a gap.
template <class Value>
class IntervalMap {
 public:
  /// [begin, end) gets `value`, whatever lay there.
  void assign(std::int64_t begin, std::int64_t end, const Value& value) {
    if (begin >= end) return;
    erase(begin, end);
    entries_.emplace(begin, Entry{end, value});
  }
  void erase(std::int64_t begin, std::int64_t end) {
    split(begin);
    split(end);
    auto first = entries_.lower_bound(begin);
    auto last = first;
    while (last != entries_.end() && last->first < end) ++last;
    entries_.erase(first, last);
  }
  /// Gaps in [begin, end) get `value`; calls `gap(begin, end)` for each.
  template <class Gap>
  void fill(std::int64_t begin, std::int64_t end, const Value& value, Gap gap) {
    split(begin);
    split(end);
    auto it = entries_.lower_bound(begin);
    for (std::int64_t at = begin; at < end;) {
      const bool filled = it != entries_.end() && it->first < end;
      const std::int64_t next = filled ? it->first : end;
      if (at < next) {
        gap(at, next);
        entries_.emplace_hint(it, at, Entry{next, value});
      }
      if (!filled) break;
      at = it->second.end;
      ++it;
    }
  }
  /// Calls `f(begin, end, value)` for what lies in [begin, end), cut at both; may change values.
  template <class F>
  void update(std::int64_t begin, std::int64_t end, F f) {
    split(begin);
    split(end);
    for (auto it = entries_.lower_bound(begin); it != entries_.end() && it->first < end; ++it) {
      f(it->first, it->second.end, it->second.value);
    }
  }
  /// The value at `at` and where its range ends; null in a gap.
  const Value* find(std::int64_t at, std::int64_t& end) const {
    auto it = entries_.upper_bound(at);
    if (it == entries_.begin()) return nullptr;
    --it;
    if (it->second.end <= at) return nullptr;
    end = it->second.end;
    return &it->second.value;
  }
  bool empty() const { return entries_.empty(); }
  /// Begin of the first range. REQUIRES: !empty().
  std::int64_t first() const { return entries_.begin()->first; }
  /// Sum of all lengths.
  std::int64_t covered() const {
    std::int64_t sum = 0;
    for (const auto& [begin, entry] : entries_) sum += entry.end - begin;
    return sum;
  }
  void clear() { entries_.clear(); }

 private:
  struct Entry {
    std::int64_t end = 0;
    Value value{};
  };
  void split(std::int64_t at) {
    auto it = entries_.lower_bound(at);
    if (it == entries_.begin() || (it != entries_.end() && it->first == at)) return;
    auto holder = std::prev(it);
    if (holder->second.end <= at) return;
    Entry tail = holder->second;
    holder->second.end = at;
    entries_.emplace_hint(it, at, std::move(tail));
  }

  std::map<std::int64_t, Entry> entries_;
};

}  // namespace tessera::sim
