// The stages of `describe` as text of a width.
#pragma once

#include <iosfwd>
#include <string>

#include "sim/report/writers.h"

namespace tessera::sim {

/// As in writers.h, of at most `width` columns (80 .. 160); other formats than text have no width.
std::string describe_graph(const workloads::Graph& graph, const std::string& format, int width);
std::string describe_plan(const workloads::Graph& graph, const Plan& plan,
                          const hw::HardwareConfig& hardware, const std::string& format, int width);
/// Lines that are longer go on below, indented.
void describe_program(hw::CommandSource& program, const workloads::Graph& graph,
                      const hw::HardwareConfig& hardware, const std::string& format, int width,
                      std::ostream& out);

}  // namespace tessera::sim
