// The life of a command, as the attribution reads it. No SystemC.
#pragma once

#include "hw_models/tile_program.h"

namespace tessera::hw {

/// Which of a command's conditions was met last.
enum class Binder { kToken, kQueueAhead, kDispatch };

/// One command's life, in core cycles; -1 = not yet.
struct CommandRecord {
  Command command;
  Cycles dispatch_begin = -1;         // the sequencer takes it up (its queue has room)
  Cycles dispatched = -1;             // enters its queue
  Cycles started = -1;                // issued by its unit
  Cycles completed = -1;              // its token fires
  CommandId blocked_by = kNoCommand;  // whose place in a full queue it took
  Binder binder = Binder::kDispatch;
  CommandId bound_to = kNoCommand;     // kToken, kQueueAhead: the command that bound it
  bool bound_by_accumulators = false;  // kToken: a hazard over accumulators
  Cycles operands_in = -1;             // Gemm: last operand row has entered
  Cycles drained = -1;                 // Gemm: last result has left the array
  Cycles stalled = 0;                  // cycles lost to bank conflicts
};

/// Looks up the history; nullptr when a command is out of it.
class CommandHistory {
 public:
  virtual ~CommandHistory() = default;
  virtual const CommandRecord* find(CommandId id) const = 0;
};

}  // namespace tessera::hw
