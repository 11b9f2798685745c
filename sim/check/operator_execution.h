// One execution of one operator while its commands go by: what it still owes.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <vector>

#include "sim/check/interval_map.h"
#include "sim/check/view_addresses.h"

namespace tessera::sim {

/// Sets of ranges of k, numbered: which products a partial sum holds. Set 0 is empty.
class ProductSets {
 public:
  static constexpr int kNone = 0;
  /// `set` with [begin, end) added; -1 when it holds part of it already.
  int with(int set, std::int64_t begin, std::int64_t end);
  /// Is `set` exactly [0, k)?
  bool complete(int set, std::int64_t k) const;

 private:
  using Ranges = std::map<std::int64_t, std::int64_t>;  // begin -> end, joined
  std::vector<Ranges> sets_{Ranges{}};
  std::map<std::array<std::int64_t, 3>, int> known_;
  std::map<Ranges, int> numbers_{{Ranges{}, kNone}};
};

/// Partial sums in DRAM: which products they hold, who stored them.
struct Spilled {
  int products = ProductSets::kNone;
  hw::CommandId store = hw::kNoCommand;
};

struct OperatorExecution {
  int op = -1;
  int number = 0;  // executions of this operator so far, this one included
  const workloads::Operator* site = nullptr;
  std::vector<ViewAddresses> inputs, outputs;  // of its views
  IntervalMap<char> owed;                      // bytes of its outputs not yet stored
  IntervalMap<char> stored_to;                 // all bytes of its outputs
  std::int64_t macs = 0;                       // not yet done
  std::int64_t spill_address = -1, spill_pitch = 0, spill_bytes = 0;
  int spill_bits = 32;
  IntervalMap<Spilled> spilled;  // bytes of the scratch
  ProductSets products;
  std::map<std::int64_t, std::map<std::int64_t, std::int64_t>> read;  // cut rows: pieces by column
  const ViewAddresses& a() const { return inputs[0]; }
  const ViewAddresses& b() const { return inputs[1]; }  // of attention: keys
  const ViewAddresses& out() const { return outputs[0]; }
  bool is_attention() const { return site->kind == workloads::OperatorKind::kAttention; }
  bool finished() const { return owed.empty() && macs == 0; }
};

/// Opens executions as commands come and closes them as soon as nothing is owed. Executions of
/// different operators may interleave.
class OperatorExecutions {
 public:
  OperatorExecutions(const workloads::Graph& graph, const Plan& plan,
                     const hw::HardwareConfig& hardware);
  OperatorExecution& of(int op);
  void close_if_finished(int op);
  int started(int op) const { return started_[static_cast<std::size_t>(op)]; }
  const std::map<int, OperatorExecution>& open() const { return open_; }
  /// How often the graph asks for `op`.
  int asked(int op) const;
  static constexpr int kAny = -1;
  /// Which execution of `writer` the `number`th execution of `reader` must read from; 0: none;
  /// kAny: each wrote a part.
  int source_of(int reader, int number, int writer) const;

 private:
  int phase_of(int op) const;

  const workloads::Graph& graph_;
  const Plan& plan_;
  int accumulator_bits_ = 32;
  std::vector<int> started_;
  std::map<int, OperatorExecution> open_;
};

}  // namespace tessera::sim
