#include <catch2/catch.hpp>

#include "sim/mapper/vector_mapping.h"
#include "tests/sim/mapper/mapper_fixtures.h"

namespace tessera::sim {
namespace {

using namespace fixtures;

VectorProblem problem(std::int64_t m, std::int64_t n, const std::string& operation, int inputs) {
  VectorProblem p;
  p.name = "vision.L0.Op";
  p.m = m;
  p.n = p.width = n;
  VectorProblem::View view;
  view.layout.pitch = n;
  view.cols = n;
  p.inputs.assign(static_cast<std::size_t>(inputs), view);
  p.outputs = {view};
  p.operation = operation;
  return p;
}

}  // namespace

TEST_CASE("a softmax is bound by the vector unit and hides its transfers") {
  const hw::HardwareConfig hardware = edge();
  const VectorProblem p = problem(12288, 1024, "softmax", 1);
  const VectorChoice choice = search_vector(p, hardware);
  const MappingCost cost = vector_cost(p, choice, hardware);
  // A command for so many rows pays two trees of five levels.
  const Cycles commands = (12288 + choice.rows - 1) / choice.rows;
  const Cycles vector = 12288 * (3 * 1024 / 32 + 16) + commands * 2 * 5;
  CHECK(cost.vector_cycles == vector);
  CHECK(cost.dram_bytes == 2 * 12288 * 1024);
  CHECK(static_cast<double>(cost.latency) < 1.02 * static_cast<double>(vector));
}

TEST_CASE("an addition is bound by the memory") {
  const hw::HardwareConfig hardware = edge();
  const VectorProblem p = problem(1024, 768, "add", 2);
  const MappingCost cost = vector_cost(p, search_vector(p, hardware), hardware);
  CHECK(cost.dram_bytes == 3 * 1024 * 768);
  CHECK(cost.latency > cost.dram_cycles);
  CHECK(static_cast<double>(cost.latency) < 1.05 * static_cast<double>(cost.dram_cycles));
}

TEST_CASE("a row that does not fit is cut and read once per pass of a reduction") {
  hw::HardwareConfig hardware = edge();
  for (auto& b : hardware.buffers) b.capacity = 512;
  VectorProblem p = problem(4, 1024, "softmax", 1);
  p.passes = 3;
  const VectorChoice choice = search_vector(p, hardware);
  CHECK(choice.rows == 1);
  CHECK(choice.cols < 1024);
  CHECK(vector_cost(p, choice, hardware).dram_bytes == (3 + 1) * 4 * 1024);
}

TEST_CASE("a copy needs no vector unit and no output slots") {
  const hw::HardwareConfig hardware = edge();
  const VectorProblem p = problem(50, 960, "", 1);
  const VectorChoice choice = search_vector(p, hardware);
  const VectorMapping mapping = vector_mapping(p, choice, hardware);
  CHECK(mapping.inputs.size() == 1);
  CHECK(mapping.outputs.empty());
  CHECK(vector_cost(p, choice, hardware).vector_cycles == 0);
}

TEST_CASE("parameters that do not fit are refused with the bytes that lack") {
  hw::HardwareConfig hardware = edge();
  for (auto& b : hardware.buffers) b.capacity = 512;
  VectorProblem p = problem(4, 64, "layernorm", 1);
  p.parameter_bytes = 1024;
  CHECK_THROWS_WITH(search_vector(p, hardware),
                    Catch::Contains("'activations'") && Catch::Contains("1024 for parameters"));
}

TEST_CASE("column ranges of different widths get slots of their own size") {
  const hw::HardwareConfig hardware = edge();
  VectorProblem p = problem(50, 1280, "rope", 2);
  p.width = 960;
  p.inputs[0].cols = p.inputs[0].layout.pitch = 960;
  p.inputs[1].cols = p.inputs[1].layout.pitch = 320;
  p.outputs = p.inputs;
  const VectorChoice choice = search_vector(p, hardware);
  const VectorMapping mapping = vector_mapping(p, choice, hardware);
  CHECK(mapping.inputs[0].bytes == hw::round_up(choice.rows * 960, 64));
  CHECK(mapping.inputs[1].bytes == hw::round_up(choice.rows * 320, 64));
  CHECK(vector_cost(p, choice, hardware).dram_bytes == 2 * 50 * 1280);
}

}  // namespace tessera::sim
