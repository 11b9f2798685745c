// One operator execution, written a step at a time so that the program stays lazy.
#pragma once

#include <memory>

#include "sim/lowering/command_writer.h"

namespace tessera::sim {

class OperatorLowering {
 public:
  virtual ~OperatorLowering() = default;
  /// Writes the next step's commands; false when the operator has none left.
  virtual bool emit() = 0;
};

std::unique_ptr<OperatorLowering> lower_operator(CommandWriter& writer, const OperatorSite& site);

}  // namespace tessera::sim
