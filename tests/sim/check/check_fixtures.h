// Random workloads, machines and mappings for the functional check.
#pragma once

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "sim/check/check.h"
#include "sim/lowering/lowering.h"
#include "sim/mapper/mapper.h"
#include "tests/sim/mapper/mapper_fixtures.h"
#include "tests/support/tiny_machine.h"
#include "tests/workloads/model_zoo.h"
#include "workloads/passes/passes.h"

namespace tessera::test {

/// A graph with its program, kept so that tests can change it.
struct Lowered {
  workloads::Graph graph;
  hw::HardwareConfig hardware;
  sim::Plan plan;
  std::vector<hw::Command> program;
};

inline Lowered lower_all(workloads::Graph graph, const hw::HardwareConfig& hardware,
                         const sim::MappingConfig& mapping = {}) {
  Lowered lowered{std::move(graph), hardware, {}, {}};
  lowered.plan = sim::map_graph(lowered.graph, hardware, mapping);
  const auto source = sim::lower(lowered.graph, lowered.plan, lowered.hardware);
  while (auto command = source->next()) lowered.program.push_back(std::move(*command));
  return lowered;
}

inline sim::CheckResult check(const Lowered& lowered, const sim::CheckOptions& options = {}) {
  ListedProgram program(lowered.program);
  return sim::check_program(lowered.graph, lowered.plan, lowered.hardware, program, options);
}

inline std::string faults_text(const sim::CheckResult& result) {
  std::string text;
  for (const sim::Fault& fault : result.faults.first()) {
    text += std::string(sim::to_string(fault.kind)) + ": " + fault.text + "\n";
  }
  return text;
}

/// Uniform choices from one generator.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  std::int64_t pick(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool coin() { return pick(0, 1) == 1; }
  template <class T>
  const T& of(const std::vector<T>& all) {
    return all[static_cast<std::size_t>(pick(0, static_cast<std::int64_t>(all.size()) - 1))];
  }
  std::mt19937_64& engine() { return random_; }

 private:
  std::mt19937_64 random_;
};

inline workloads::ModelDescriptor random_vit(Dice& dice) {
  const std::int64_t heads = dice.pick(1, 3), dim = dice.pick(1, 9);
  workloads::ModelDescriptor model = workloads::zoo::stack(
      "vit", workloads::Family::kVit, heads * dim, dice.pick(1, 2), heads, dice.pick(5, 30));
  model.patch_size = dice.pick(1, 3);
  model.image_size = model.patch_size * dice.pick(2, 5);
  model.cls_token = dice.coin();
  model.num_labels = model.cls_token ? dice.pick(0, 7) : 0;
  model.hidden_act = dice.of<workloads::Activation>(
      {workloads::Activation::kGelu, workloads::Activation::kQuickGelu,
       workloads::Activation::kRelu, workloads::Activation::kSilu});
  return model;
}

inline workloads::ModelDescriptor random_decoder(Dice& dice) {
  const std::int64_t kv = dice.pick(1, 2), heads = kv * dice.pick(1, 3), dim = 2 * dice.pick(1, 4);
  workloads::ModelDescriptor model =
      workloads::zoo::llama("decoder", heads * dim, dice.pick(1, 2), heads, kv, dice.pick(5, 30));
  model.vocab_size = dice.pick(12, 40);
  model.max_position_embeddings = 64;
  model.tokens = dice.pick(3, 11);
  model.hidden_act = dice.coin() ? workloads::Activation::kSilu : workloads::Activation::kGeluTanh;
  return model;
}

inline workloads::ModelDescriptor random_bert(Dice& dice) {
  workloads::ModelDescriptor model = workloads::zoo::tiny_bert();
  model.num_hidden_layers = dice.pick(1, 2);
  model.head_dim = 2 * dice.pick(1, 3);
  model.num_attention_heads = model.num_key_value_heads = dice.pick(1, 3);
  model.hidden_size = model.head_dim * model.num_attention_heads;
  model.intermediate_size = dice.pick(4, 20);
  model.tokens = dice.pick(2, 9);
  model.pooler = dice.coin();
  return model;
}

inline workloads::PhaseRequest random_request(Dice& dice) {
  const std::int64_t family = dice.pick(0, 2);
  workloads::PhaseRequest request = workloads::zoo::request(family == 0   ? random_vit(dice)
                                                            : family == 1 ? random_decoder(dice)
                                                                          : random_bert(dice),
                                                            dice.pick(1, 3));
  request.repeat = static_cast<int>(dice.pick(0, 3) == 0 ? dice.pick(2, 3) : 1);
  return request;
}

/// "w4a8" and so on; KV caches as wide as activations.
inline const std::vector<workloads::Precision>& precisions() {
  static const std::vector<workloads::Precision> all{{8, 8, 8},    {4, 8, 8},   {4, 4, 4},
                                                     {16, 16, 16}, {8, 16, 16}, {4, 16, 16}};
  return all;
}

/// One phase or two of the same machine, any family, precision and fusion.
inline workloads::Graph random_graph(Dice& dice, const workloads::Precision& precision) {
  std::vector<workloads::PhaseRequest> requests{random_request(dice)};
  if (dice.pick(0, 4) == 0) {
    requests.push_back(random_request(dice));
    requests.back().phase = "second";
  }
  workloads::Graph graph = workloads::apply_precision(workloads::build_graph(requests), precision);
  workloads::Fusion fusion;
  fusion.epilogue = dice.coin();
  return workloads::fuse(std::move(graph), fusion);
}

/// Blocks smaller and larger than the array and than a row of the DMA, edges everywhere.
inline void add_loop(Dice& dice, hw::HardwareConfig& machine) {
  hw::HardwareLoop& loop = machine.sequencer.loop;
  loop.m = dice.pick(1, 6);
  loop.k = 2 * dice.pick(1, 4);  // whole bytes of 4 bits
  loop.n = 2 * dice.pick(1, 4);
  loop.row = dice.pick(1, 24);
  loop.tiles_in_flight = static_cast<int>(dice.pick(1, 3));
}

/// Every pair of precisions(); small buffers, some of them shared; any number of queues; some with
/// a hardware loop.
inline hw::HardwareConfig random_machine(Dice& dice, bool narrow) {
  std::mt19937 random(static_cast<std::uint32_t>(dice.engine()()));
  hw::HardwareConfig machine = sim::fixtures::random_machine(random);
  for (const char* pair : {"w8a8", "w4a8", "w4a4", "w16a16", "w8a16", "w4a16"}) {
    machine.array.throughput[pair] = 1.0;
  }
  // Narrow accumulators wrap; in a shared buffer they leave room to requantise in place.
  const int element_bits = narrow ? dice.of<int>({8, 8, 16, 24}) : 32;
  if (narrow && dice.coin()) {
    machine.buffers = sim::fixtures::unified(dice.pick(200, 3000), element_bits).buffers;
  }
  // Some so small that rows of vector operators are cut.
  const bool cramped = dice.pick(0, 3) == 0;
  for (hw::BufferConfig& buffer : machine.buffers) {
    buffer.element_bits = element_bits;
    buffer.capacity =
        cramped ? dice.pick(48, 160) : std::max<hw::Bytes>(buffer.capacity, 200) * dice.pick(1, 3);
  }
  machine.dma.load_queues = static_cast<int>(dice.pick(1, 4));
  machine.dma.store_queues = static_cast<int>(dice.pick(1, 3));
  machine.dram.burst = 16;
  if (dice.pick(0, 3) == 0) add_loop(dice, machine);
  return machine;
}

/// Free, or tile sizes, loop order (a hardware loop has its own) and double buffering fixed at
/// random.
inline sim::MappingConfig random_mapping(Dice& dice, const hw::HardwareConfig& machine) {
  sim::MappingConfig mapping;
  if (dice.coin()) mapping.objective = sim::fixtures::least_bytes_first();
  if (dice.coin()) return mapping;
  sim::MappingPin pin;
  pin.pattern = "*";
  if (dice.coin()) pin.tile_m = dice.pick(1, 9);
  if (dice.coin()) pin.tile_k = dice.pick(1, 10);
  if (dice.coin()) pin.tile_n = dice.pick(1, 10);
  if (dice.coin()) {
    pin.loop_order = dice.of<std::string>({"mnk", "nmk", "kmn", "knm", "mkn", "nkm"});
    if (machine.sequencer.loop.exists()) pin.loop_order = "mnk";
  }
  if (dice.coin()) {
    pin.has_double_buffered = true;
    for (const char* name : {"a", "b", "accumulators", "outputs"}) {
      if (dice.coin()) pin.double_buffered.push_back(name);
    }
  }
  mapping.pins = {pin};
  return mapping;
}

/// Until one can be mapped.
inline Lowered random_program(Dice& dice, const workloads::Precision& precision,
                              bool integers = true) {
  while (true) {
    const workloads::Graph graph = random_graph(dice, precision);
    const hw::HardwareConfig machine = random_machine(dice, integers && dice.pick(0, 3) == 0);
    try {
      return lower_all(graph, machine, random_mapping(dice, machine));
    } catch (const sim::MappingError&) {
      // The machine is too small, or the pins do not fit: another one.
    }
  }
}

inline workloads::PhaseRequest decode_request() {
  workloads::PhaseRequest request = workloads::zoo::request(workloads::zoo::tiny_decoder());
  request.kv_length = 9;
  request.repeat = 2;
  return request;
}

inline workloads::PhaseRequest hoisted_request() {
  workloads::PhaseRequest request = workloads::zoo::request(workloads::zoo::tiny_smolvla());
  request.cross_kv = workloads::CrossKv::kHoisted;
  request.dead_work = workloads::Effort::kSkipped;
  return request;
}

inline workloads::PhaseRequest many_images() {
  workloads::PhaseRequest request = workloads::zoo::request(workloads::zoo::tiny_vlm());
  request.images = 3;
  return request;
}

/// Every family, scaled down, by name.
inline std::vector<std::pair<std::string, workloads::PhaseRequest>> families() {
  return {{"vit", workloads::zoo::request(workloads::zoo::tiny_vit())},
          {"siglip", workloads::zoo::request(workloads::zoo::tiny_siglip())},
          {"clip vision", workloads::zoo::request(workloads::zoo::tiny_clip_vision())},
          {"dinov2", workloads::zoo::request(workloads::zoo::tiny_dinov2())},
          {"bert", workloads::zoo::request(workloads::zoo::tiny_bert())},
          {"clip text", workloads::zoo::request(workloads::zoo::tiny_clip_text())},
          {"t5", workloads::zoo::request(workloads::zoo::tiny_t5())},
          {"llama", workloads::zoo::request(workloads::zoo::tiny_decoder())},
          {"gemma", workloads::zoo::request(workloads::zoo::tiny_gemma())},
          {"decode", decode_request()},
          {"dual encoder", workloads::zoo::request(workloads::zoo::tiny_dual_encoder())},
          {"vlm", many_images()},
          {"smolvla", workloads::zoo::request(workloads::zoo::tiny_smolvla())},
          {"smolvla hoisted", hoisted_request()}};
}

}  // namespace tessera::test
