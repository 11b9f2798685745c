// Which activations stay on chip from their producer to their last reader, and where.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "sim/config/run_config.h"
#include "sim/mapper/plan.h"

namespace tessera::sim {

struct Residency {
  KeptTensors kept;
  /// By operator: bytes at the bottom of the buffer of activations that its slots may use. Empty:
  /// all of it.
  std::vector<Bytes> room;
};

/// Maps an operator beside what is kept, with `room` bytes of the buffer of activations; nullopt:
/// it does not fit.
using MapBesideKept = std::function<std::optional<OperatorPlan>(
    const workloads::Operator& op, const KeptTensors& kept, Bytes room)>;

/// May the tensor stay on chip as far as its operators go (besides, it must live in one phase)? It
/// is written whole by the array's epilogues or the vector unit before it is read, and every reader
/// takes it as rows at one distance: the left operand of a Gemm, the queries of attention, an input
/// of the vector unit.
bool can_stay(const workloads::Graph& graph, workloads::TensorId tensor);

/// Takes tensors one by one, those of the shortest life first, each at the highest place of the
/// buffer that is free as long as it lives, if the operators of its life together then move fewer
/// bytes and take, within the objective's tolerance, no longer than cold. Replaces the mappings in
/// `operators` (cold ones) by those beside what is kept. Nothing stays where activations and
/// outputs have buffers of their own, or a hardware loop walks the Gemms.
Residency choose_residency(const workloads::Graph& graph, const hw::HardwareConfig& hardware,
                           const ObjectiveConfig& objective, const MapBesideKept& map,
                           std::vector<OperatorPlan>& operators);

/// The region of one tensor: whole, its rows without gaps.
Slots kept_region(const workloads::Tensor& tensor, int buffer, Bytes offset);

/// Lives of tensors that both stay overlap only if their regions do not; and regions do not share a
/// byte with the slots of an operator in their life. Throws MappingError naming what does.
void check_kept(const Plan& plan, const workloads::Graph& graph,
                const hw::HardwareConfig& hardware);

}  // namespace tessera::sim
