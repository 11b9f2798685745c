// The NPU: builds the units and binds them. No behaviour.
#pragma once

#include <memory>
#include <systemc>
#include <vector>

#include "hw_models/counters.h"
#include "hw_models/dma_engine.h"
#include "hw_models/dram_controller.h"
#include "hw_models/hardware_config.h"
#include "hw_models/interconnect.h"
#include "hw_models/mac_array.h"
#include "hw_models/sequencer.h"
#include "hw_models/sram_buffer.h"
#include "hw_models/vector_unit.h"

namespace tessera::hw {

class Npu : public sc_core::sc_module {
 public:
  Npu(sc_core::sc_module_name name, const HardwareConfig& config, CommandSource& program,
      Counters& counters);

  /// Adds what only the end knows: the tail's owners, unit times, the total. REQUIRES: no command
  /// outstanding.
  void finish(Counters& counters);
  /// Who waits for whom, when commands are left that nothing will complete; empty otherwise.
  std::string deadlock() const;

 private:
  CommandQueue& make_queue(const std::string& name);

  const HardwareConfig& config_;
  Scoreboard scoreboard_;
  std::vector<std::unique_ptr<CommandQueue>> queue_storage_;
  CommandQueues queues_;
  std::unique_ptr<DramController> dram_;
  std::unique_ptr<Interconnect> interconnect_;
  std::vector<std::unique_ptr<SramBuffer>> buffers_;
  std::unique_ptr<Sequencer> sequencer_;
  std::unique_ptr<MacArray> array_;
  std::unique_ptr<VectorUnit> vector_;
  std::unique_ptr<DmaEngine> dma_;
};

}  // namespace tessera::hw
