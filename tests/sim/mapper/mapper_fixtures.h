// Small machines and matrix products for the mapper's tests.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "sim/mapper/gemm_search.h"
#include "sim/mapper/mapper.h"
#include "tests/reference/brute_force.h"

namespace tessera::sim::fixtures {

inline hw::BufferConfig buffer(const std::string& name, Bytes capacity, Bytes width,
                               std::vector<hw::Role> roles) {
  hw::BufferConfig result;
  result.name = name;
  result.capacity = capacity;
  result.width = width;
  result.roles = std::move(roles);
  return result;
}

/// 32 x 32, three buffers; the machine of configs/hardware/edge_32x32.yaml in essence.
inline hw::HardwareConfig edge() {
  hw::HardwareConfig h;
  h.array.dataflows = {hw::Dataflow::kWeightStationary, hw::Dataflow::kOutputStationary};
  h.array.startup = 13;
  h.vector.operations = hw::default_vector_operations();
  h.buffers = {buffer("weights", 256 << 10, 32, {hw::Role::kStationary}),
               buffer("accumulators", 128 << 10, 128, {hw::Role::kAccumulators}),
               buffer("activations", 512 << 10, 64, {hw::Role::kActivations, hw::Role::kOutputs})};
  return h;
}

/// One scratchpad for everything, no rounding of slots.
inline hw::HardwareConfig unified(Bytes capacity, int accumulator_bits) {
  hw::HardwareConfig h = edge();
  h.buffers = {buffer("scratchpad", capacity, 1,
                      {hw::Role::kStationary, hw::Role::kActivations, hw::Role::kAccumulators,
                       hw::Role::kOutputs})};
  h.buffers[0].element_bits = accumulator_bits;
  return h;
}

inline GemmProblem gemm(std::int64_t m, std::int64_t k, std::int64_t n, std::int64_t instances,
                        const hw::HardwareConfig& hardware) {
  GemmProblem p;
  p.m = m;
  p.k = k;
  p.n = n;
  p.instances = instances;
  const auto accumulators =
      static_cast<std::size_t>(hw::buffer_of(hardware, hw::Role::kAccumulators));
  p.partial.bits = hardware.buffers[accumulators].element_bits;
  p.a.pitch = k;
  p.b.pitch = n;
  p.out.pitch = n;
  p.partial.pitch = row_bytes(n, p.partial.bits);
  p.precision = "w8a8";
  p.epilogue = {"requantise"};
  return p;
}

inline ObjectiveConfig least_bytes_first() {
  return {Objective::kDramBytes, 0.0, Objective::kLatency};
}
inline ObjectiveConfig fastest() { return {Objective::kLatency, 0.0, Objective::kDramBytes}; }

/// Random machine with small buffers, some of them shared.
inline hw::HardwareConfig random_machine(std::mt19937& random) {
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  hw::HardwareConfig h = edge();
  h.array.rows = 1 << pick(1, 3);
  h.array.cols = 1 << pick(1, 3);
  h.array.preload = pick(0, 1) != 0 ? hw::Preload::kOverlapped : hw::Preload::kExposed;
  h.array.drain = pick(0, 1) != 0 ? hw::Drain::kOverlapped : hw::Drain::kExposed;
  h.array.fill = h.array.drain == hw::Drain::kExposed ? hw::Fill::kPerFold : hw::Fill::kPerChain;
  const std::vector<hw::Dataflow> all{hw::Dataflow::kWeightStationary,
                                      hw::Dataflow::kOutputStationary,
                                      hw::Dataflow::kInputStationary};
  h.array.dataflows = {all[static_cast<std::size_t>(pick(0, 2))]};
  if (pick(0, 1) != 0) h.array.dataflows = all;
  h.dram.peak_bytes_per_second = 1e9 * pick(1, 30);
  h.dram.latency_fs = pick(0, 200) * hw::Femtoseconds{1'000'000};
  const bool shared = pick(0, 2) == 0;
  if (shared) {
    h.buffers = unified(pick(64, 4000), pick(0, 1) != 0 ? 8 : 32).buffers;
  } else {
    const Bytes width = 1 << pick(0, 4);
    for (auto& b : h.buffers) {
      b.capacity = pick(100, 3000);
      b.width = width;
    }
  }
  return h;
}

/// The pools of `hardware` as the brute force sees them under `dataflow`.
inline reference::TilePools pools_of(const hw::HardwareConfig& hardware, hw::Dataflow dataflow,
                                     bool in_place) {
  const bool swapped = dataflow == hw::Dataflow::kInputStationary;
  const int stationary = hw::buffer_of(hardware, hw::Role::kStationary);
  const int streamed = hw::buffer_of(hardware, hw::Role::kActivations);
  reference::TilePools pools;
  pools.pool = {swapped ? stationary : streamed, swapped ? streamed : stationary,
                hw::buffer_of(hardware, hw::Role::kAccumulators),
                hw::buffer_of(hardware, hw::Role::kOutputs)};
  for (const auto& b : hardware.buffers) pools.capacity.push_back(b.capacity);
  pools.results_in_place = in_place;
  return pools;
}

inline reference::TiledGemm tiled(const GemmProblem& p) {
  return {p.m, p.k, p.n, p.a.bits, p.b.bits, p.partial.bits, p.out.bits};
}

}  // namespace tessera::sim::fixtures
