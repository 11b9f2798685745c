// The streams that one unit keeps open in the buffers while it works on a command.
#pragma once

#include <map>
#include <vector>

#include "hw_models/counters.h"
#include "hw_models/hardware_config.h"
#include "hw_models/kernel/paced_work.h"
#include "hw_models/sram_buffer.h"

namespace tessera::hw {

class BufferStreams {
 public:
  BufferStreams(int unit, const HardwareConfig& config, const std::vector<SramBuffer*>& buffers,
                Counters& counters)
      : unit_(unit), config_(config), buffers_(buffers), counters_(counters) {}

  /// `accesses` to the banks of `region` within `cycles`, for operator `op`.
  void add(const Region& region, std::int64_t accesses, Cycles cycles, OperatorCounters& op);
  /// Opens what was added, one stream per buffer.
  void open();
  void close();
  /// Lets notices set the pace of `work`, which the present streams feed, and tells the other
  /// buffers what it leaves of their streams. Late ones are dropped.
  void apply(const std::vector<StreamNotice>& notices, PacedWork& work, Cycles now);

 private:
  void post(int buffer, BufferMessage::Kind kind, std::vector<BankRate> rates, Rate pace);
  void tell_pace(const PacedWork& work);

  int unit_;
  const HardwareConfig& config_;
  std::vector<SramBuffer*> buffers_;
  Counters& counters_;
  std::map<int, std::vector<BankRate>> rates_;  // by buffer
  std::map<int, Rate> paces_;                   // by buffer, as last told
  std::int64_t sequence_ = 0;
};

}  // namespace tessera::hw
