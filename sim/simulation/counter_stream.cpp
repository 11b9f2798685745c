#include "sim/simulation/counter_stream.h"

#include <cstring>
#include <type_traits>

namespace tessera::sim {
namespace {

/// Writes or reads, by direction: one list of fields serves both.
class Archive {
 public:
  Archive() : writing_(true) {}
  explicit Archive(const std::string& bytes) : bytes_(bytes), writing_(false) {}
  std::string take() { return std::move(bytes_); }

  template <class T>
  void value(T& v) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (writing_) {
      bytes_.append(reinterpret_cast<const char*>(&v), sizeof v);
    } else {
      std::memcpy(&v, bytes_.data() + at_, sizeof v);
      at_ += sizeof v;
    }
  }
  void text(std::string& s) {
    std::size_t size = s.size();
    value(size);
    s.resize(size);
    for (char& c : s) value(c);
  }
  template <class T, class F>
  void list(std::vector<T>& items, F each) {
    std::size_t size = items.size();
    value(size);
    items.resize(size);
    for (T& item : items) each(item);
  }
  template <class T>
  void map(std::map<std::string, T>& items) {
    std::size_t size = items.size();
    value(size);
    auto it = items.begin();
    for (std::size_t i = 0; i < size; ++i) {
      std::string key = writing_ ? it->first : std::string();
      T item = writing_ ? it->second : T();
      text(key);
      value(item);
      if (writing_) {
        ++it;
      } else {
        items[key] = item;
      }
    }
  }

 private:
  std::string bytes_;
  bool writing_;
  std::size_t at_ = 0;
};

void visit(Archive& archive, hw::OperatorCounters& op) {
  archive.value(op.attribution);
  archive.value(op.first_command);
  archive.value(op.last_retired);
  archive.value(op.macs);
  archive.value(op.executions);
  archive.value(op.dram);
  archive.value(op.dram_bus_bytes);
  archive.value(op.dram_streams);
  archive.list(op.buffers, [&](hw::TrafficByClass& traffic) { archive.value(traffic); });
  archive.list(op.buffer_accesses, [&](std::int64_t& count) { archive.value(count); });
  archive.value(op.array_busy);
  archive.value(op.vector_busy);
  archive.value(op.vector_hidden);
  archive.value(op.array_held_up);
  archive.value(op.vector_held_up);
  archive.value(op.commands);
}

void visit(Archive& archive, hw::Counters& counters) {
  archive.value(counters.total);
  archive.list(counters.operators, [&](hw::OperatorCounters& op) { visit(archive, op); });
  archive.map(counters.units);
  archive.list(counters.buffers, [&](hw::BufferCounters& buffer) { archive.value(buffer); });
  archive.value(counters.dram_bursts);
  archive.value(counters.dram_busy);
  archive.value(counters.dram_commands);
  archive.map(counters.macs_by_precision);
  archive.value(counters.register_hops);
  archive.value(counters.events);
}

}  // namespace

std::string write_counters(const hw::Counters& counters) {
  Archive archive;
  hw::Counters copy = counters;
  visit(archive, copy);
  return archive.take();
}

hw::Counters read_counters(const std::string& bytes) {
  Archive archive(bytes);
  hw::Counters counters;
  visit(archive, counters);
  return counters;
}

}  // namespace tessera::sim
