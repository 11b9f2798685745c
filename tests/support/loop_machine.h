// A small machine with a hardware loop, for the tests of its lowering.
#pragma once

#include "tests/support/tiny_machine.h"

namespace tessera::test {

/// 4 x 4, blocks of 4 x 4 x 4, `row` bytes of a row a command, two tiles in flight, one load queue.
/// Buffers: 0 scratchpad of A and B, 4 KiB, 1 accumulators, 4 KiB, 2 staging.
inline hw::HardwareConfig loop_machine(hw::Bytes row = 8) {
  hw::HardwareConfig machine = tiny_machine();
  machine.array.rows = machine.array.cols = 4;
  machine.vector.lanes = 4;
  machine.buffers[0].name = "scratchpad";
  machine.buffers[0].capacity = 4096;
  machine.buffers[0].width = 16;
  machine.buffers[0].roles = {hw::Role::kStationary, hw::Role::kActivations};
  machine.buffers[1] = machine.buffers[2];
  machine.buffers[1].capacity = 4096;
  machine.buffers[2].name = "staging";
  machine.buffers[2].capacity = 1024;
  machine.buffers[2].width = 8;
  machine.buffers[2].roles = {hw::Role::kOutputs};
  machine.dma.load_queues = 1;
  machine.sequencer.loop = {4, 4, 4, row, 2};
  machine.sequencer.queue_depth = 4096;
  return machine;
}

}  // namespace tessera::test
