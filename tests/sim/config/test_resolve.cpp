// Inheritance, --set, short forms and defaults.
#include <catch2/catch.hpp>

#include "tests/sim/config/config_fixture.h"

namespace tessera::sim {

namespace {

RunConfig run_of(const std::string& more, const std::vector<std::string>& sets = {}) {
  ConfigFolder folder;
  folder.write("case.yaml", run_and(more));
  return load_run("case.yaml", sets);
}

hw::HardwareConfig hardware_of(const std::string& text) {
  ConfigFolder folder;
  folder.write("hw.yaml", text);
  return load_hardware("hw");
}

std::vector<hw::Role> roles_of(const hw::HardwareConfig& hardware, const std::string& name) {
  for (const hw::BufferConfig& buffer : hardware.buffers) {
    if (buffer.name == name) return buffer.roles;
  }
  return {};
}

}  // namespace

TEST_CASE("what a hardware file leaves out takes the documented default") {
  const hw::HardwareConfig hardware = hardware_of(kHardware);
  CHECK(hardware.name == "hw");
  CHECK(hardware.clocks.core_hz == 1'000'000'000);
  CHECK(hardware.clocks.interconnect_hz == hardware.clocks.core_hz);
  CHECK(hardware.vector.operations.size() == hw::default_vector_operations().size());
  CHECK(hardware.dram.standard == "LPDDR5-6400");
  CHECK(hardware.dram.peak_bytes_per_second == 12.8e9);
  CHECK(hardware.dram.burst == 32);
  CHECK(hardware.buffers.size() == 2);
  CHECK(hardware.buffers[1].element_bits == 32);
}

TEST_CASE("a DRAM standard fills in what the closed forms give") {
  const auto dram = [](const std::string& text) {
    return hardware_of(hardware_and("dram: {" + text + "}\n")).dram;
  };
  const hw::DramConfig ddr4 = dram("standard: DDR4-3200, channels: 2");
  CHECK(ddr4.peak_bytes_per_second == 2 * 3200e6 * 8);
  CHECK(ddr4.efficiency == Approx(1 - 360.0 / 7800 - 0.004).margin(0.0005));
  CHECK(ddr4.latency_fs == 30'000'000 + 70 * 625'000);  // 43.75 ns, measured 44.7-45.5, + 30 ns
  const hw::DramConfig hbm = dram("standard: HBM2-2000, channels: 32, efficiency: 50 %");
  CHECK(hbm.peak_bytes_per_second == 32 * 16e9);
  CHECK(hbm.efficiency == 0.5);
  const hw::DramConfig custom = dram("standard: custom, peak: 25.6 GB/s, channels: 2");
  CHECK(custom.peak_bytes_per_second == 25.6e9);
  CHECK(custom.efficiency == 1.0);
}

TEST_CASE("a standard of one's own may have ranks: they change with the rows") {
  const hw::DramConfig dram =
      hardware_of(hardware_and("dram: {standard: {base: DDR4-3200, ranks: 2, timings: {tRTRS: 3}}, "
                               "model: timing, channels: 2}\n"))
          .dram;
  CHECK(dram.device.banks() == 2 * hw::find_dram_device("DDR4-3200")->banks());
  CHECK(dram.device.t.rank_switch == 3);
  CHECK(dram.order == "ro-ra-cohi-ba-bg-ch-co[1:0]");
}

TEST_CASE("a standard keeps the energy of its base, states its own, or has none") {
  const auto energy = [](const std::string& standard) {
    return hardware_of(hardware_and("dram: {standard: " + standard + "}\n")).dram.device.energy;
  };
  const hw::DramEnergy known = energy("DDR4-3200");
  CHECK(energy("{base: DDR4-3200, timings: {tRFCab: 550 ns}}").commands->read ==
        known.commands->read);
  CHECK_FALSE(energy("{base: DDR4-3200, page: 4 KiB}").commands);  // another row to activate
  CHECK_FALSE(energy("{rows: 1024}").commands);
  CHECK_FALSE(energy("custom, peak: 25.6 GB/s").per_bit);
  CHECK(energy("{base: DDR4-3200, energy: {per_bit: 4.5 pJ, source: ours}}").per_bit == 4'500);
  const hw::DramEnergy own = energy(
      "{base: LPDDR4-3200, energy: {activate: 1.2 nJ, read: 800 pJ, write: 900 pJ, refresh_all: 32 "
      "nJ, background: 50.5 mW, source: our data sheet}}");
  CHECK_FALSE(own.per_bit);
  CHECK(own.commands->activate == 1'200'000);
  CHECK(own.commands->precharge == 0);
  CHECK(own.commands->refresh_bank == 32'000'000LL * 780 / 6246);
  CHECK(own.commands->background == 50'500);
  CHECK(own.source == "our data sheet");
}

TEST_CASE("roles follow names and every role has one buffer") {
  using hw::Role;
  const auto unified = hardware_of(kHardware);
  CHECK(roles_of(unified, "scratchpad") ==
        std::vector<Role>{Role::kStationary, Role::kActivations, Role::kOutputs});
  const auto split =
      hardware_of(buffers_of("weights: {capacity: 1 KiB}\n  outputs: {capacity: 1 KiB}\n  "
                             "activations: {capacity: 1 KiB}"));
  CHECK(roles_of(split, "activations") == std::vector<Role>{Role::kActivations});
  CHECK(roles_of(split, "outputs") == std::vector<Role>{Role::kOutputs});
  const auto explicit_roles = hardware_of(buffers_of(
      "sram: {capacity: 1 KiB, roles: [stationary, outputs]}\n  activations: {capacity: 1 KiB}"));
  CHECK(roles_of(explicit_roles, "activations") == std::vector<Role>{Role::kActivations});
}

TEST_CASE("an operation changes one number of its default or adds a new name") {
  const auto hardware = hardware_of(
      hardware_and("vector: {operations: {softmax: {passes: 1}, hard_mish: {per_element: 4}}}\n"));
  CHECK(hardware.vector.operations.at("softmax").passes == 1);
  CHECK(hardware.vector.operations.at("softmax").per_row == 16);
  CHECK(hardware.vector.operations.at("hard_mish").per_element == 4);
}

TEST_CASE("a base gives what a hardware file leaves out") {
  ConfigFolder folder;
  folder.write("big.yaml", "base: hw\narray: {rows: 16}\nbuffers: {scratchpad: {banks: 4}}\n");
  const hw::HardwareConfig big = load_hardware("big");
  CHECK(big.name == "big");
  CHECK(big.array.rows == 16);
  CHECK(big.array.cols == 8);
  CHECK(big.buffers[0].banks == 4);
  CHECK(big.buffers[0].capacity == 64 << 10);
}

TEST_CASE("a run on a base changes its machine inline and replaces it by name") {
  ConfigFolder folder;
  folder.write("wide.yaml", "base: case\nhardware: {array: {cols: 16}}\n");
  folder.write("other.yaml", "base: case\nhardware: tiny_8x8\n");
  folder.write("inline.yaml", "base: case\nhardware: {base: tiny_8x8, array: {cols: 4}}\n");
  folder.write("phases.yaml", "base: case\nworkload: {phases: {one: m, two: {model: m}}}\n");
  CHECK(load_run("wide").hardware.array.cols == 16);
  CHECK(load_run("wide").hardware.buffers.size() == 2);
  CHECK(load_run("other").hardware.buffers.size() == 3);
  CHECK(load_run("inline").hardware.buffers.size() == 3);
  CHECK(load_run("inline").hardware.array.cols == 4);
  CHECK(load_run("phases").phases.size() == 2);
}

TEST_CASE("a machine that is not the named one shows it, and its tree reads back") {
  CHECK(run_of("").hardware.name == "hw");
  CHECK(run_of("", {"hardware.array.rows=8"}).hardware.name == "hw");  // as it was
  const RunConfig changed = run_of("", {"hardware.array.rows=64"});
  CHECK(changed.hardware.name == "hw (changed)");
  CHECK(changed.resolved["hardware"]["name"] == "hw");
  CHECK(run_of("", {"hardware={base: tiny_8x8, array: {rows: 4}}"}).hardware.name ==
        "tiny_8x8 (changed)");
  CHECK(run_of("", {"hardware=tiny_8x8"}).hardware.name == "tiny_8x8");
  CHECK(run_of("", {"hardware.name=mine", "hardware.array.rows=64"}).hardware.name == "mine");
}

TEST_CASE("a model beyond any machine is refused") {
  ConfigFolder folder;
  folder.write("case.yaml", "hardware: hw\nworkload: vit_b16_224\n");
  const auto first_line = [](const std::string& set) {
    const std::string error = error_of("case.yaml", {set});
    return error.substr(0, error.find('\n'));
  };
  CHECK(first_line("workload.model.image_size=16385") ==
        "--set:1:27: error: workload.model.image_size: 16385 is not allowed (1 .. 16384)");
  CHECK(first_line("workload.model={base: vit_b16_224, image_size: 16384, patch_size: 1}") ==
        "--set:1:16: error: workload.model: attention scores of vit_b16_224 would have 8.65e+17 "
        "elements (1e+12 at most)");
  CHECK_THAT(error_of("case.yaml", {"workload={model: vit_b16_224, batch: 65536, repeat: 100000}"}),
             Catch::Contains("error: workload.model: vit_b16_224 would take up to 1.51e+20 MACs "
                             "(1e+17 at most)"));
}

TEST_CASE("set reaches every part of the resolved tree") {
  CHECK(run_of("", {"hardware.dram.channels=2"}).hardware.dram.channels == 2);
  CHECK(run_of("", {"hardware.array.rows=64"}).hardware.array.rows == 64);
  CHECK(run_of("", {"hardware.array={rows: 64}"}).hardware.array.cols == 8);
  CHECK(run_of("", {"workload.tokens=20"}).phases[0].tokens == 20);
  CHECK(run_of("", {"workload.model=vit_b16_224"}).phases[0].model.name == "vit_b16_224");
  CHECK(run_of("", {"workload.model.num_hidden_layers=1"}).phases[0].model.num_hidden_layers == 1);
  CHECK(run_of("", {"hardware={base: tiny_8x8}"}).hardware.buffers.size() == 3);
  CHECK(run_of("", {"hardware=edge_32x32", "precision.default=w4a8"}).precision.weights.bits == 4);
  CHECK(run_of("", {"hardware=edge_32x32", "precision=w4a4"}).precision_name == "w4a4");
  const RunConfig pinned = run_of("", {"mapping.pin.\"text.*.MLP_FC1\".tile.n=8"});
  REQUIRE(pinned.mapping.pins.size() == 1);
  CHECK(pinned.mapping.pins[0].pattern == "text.*.MLP_FC1");
  CHECK(pinned.mapping.pins[0].tile_n == 8);
  const std::vector<std::string> phase{"workload.phases.text.tokens=64"};
  CHECK(load_run("smolvla_encoders_edge", phase).phases[1].tokens == 64);
  CHECK(load_hardware("tiny_8x8", {"hardware.array.rows=4"}).array.rows == 4);
}

TEST_CASE("short forms mean their long forms") {
  CHECK_FALSE(run_of("fusion: none\n").fusion.epilogue);
  CHECK(run_of("fusion: epilogue\n").fusion.epilogue);
  using workloads::FusionSwitch;
  CHECK(run_of("").fusion.attention == FusionSwitch::kOff);
  CHECK(run_of("fusion: epilogue\n").fusion.attention == FusionSwitch::kOff);
  CHECK(run_of("fusion: attention\n").fusion.attention == FusionSwitch::kOn);
  CHECK_FALSE(run_of("fusion: attention\n").fusion.epilogue);
  CHECK(run_of("fusion: all\n").fusion.attention == FusionSwitch::kOn);
  CHECK(run_of("fusion: all\n").fusion.epilogue);
  CHECK(run_of("fusion: auto\n").fusion.attention == FusionSwitch::kAuto);
  CHECK(run_of("fusion: {attention: auto}\n").fusion.attention == FusionSwitch::kAuto);
  using workloads::Softmax;
  CHECK(run_of("fusion: all\n").fusion.softmax == Softmax::kThreePass);
  CHECK(run_of("fusion: auto\n").fusion.softmax == Softmax::kAuto);
  CHECK(run_of("fusion: {softmax: online}\n").fusion.softmax == Softmax::kOnline);
  for (const auto kind :
       {&workloads::Fusion::qkv, &workloads::Fusion::gate_up, &workloads::Fusion::residual}) {
    CHECK(run_of("").fusion.*kind == FusionSwitch::kOff);
    CHECK(run_of("fusion: attention\n").fusion.*kind == FusionSwitch::kOff);
    CHECK(run_of("fusion: all\n").fusion.*kind == FusionSwitch::kOn);
    CHECK(run_of("fusion: auto\n").fusion.*kind == FusionSwitch::kAuto);
  }
  const ObjectiveConfig usual = run_of("").mapping.objective;
  CHECK(usual.minimize == Objective::kLatency);
  CHECK(usual.within == 0.01);
  CHECK(usual.then == Objective::kDramBytes);
  CHECK(run_of("mapping: {objective: latency}\n").mapping.objective.within == 0);
  const auto traffic = run_of("mapping: {objective: {minimize: dram_bytes, within: 2 %}}\n");
  CHECK(traffic.mapping.objective.within == 0.02);
  CHECK(traffic.mapping.objective.then == Objective::kLatency);
}

TEST_CASE("the workload resolves models batches and arrivals") {
  ConfigFolder folder;
  folder.write("case.yaml",
               "hardware: hw\nworkload:\n  phases:\n    a: m\n"
               "    b: {model: m, tokens: 7, batch: 2, repeat: 3, not_before: 1.5 ms}\n");
  const RunConfig run = load_run("case");
  REQUIRE(run.phases.size() == 2);
  CHECK(run.phases[0].phase == "a");
  CHECK(run.phases[0].tokens == 16);  // the model's
  CHECK(run.phases[0].model.num_key_value_heads == 4);
  CHECK(run.phases[0].model.head_dim == 16);
  CHECK(run.phases[1].tokens == 7);
  CHECK(run.phases[1].batch == 2);
  CHECK(run.phases[1].repeat == 3);
  CHECK(run.phases[1].not_before_s == 0.0015);
}

TEST_CASE("keys and values have the width of the activations") {
  const auto weights = std::vector<std::string>{"hardware=edge_32x32", "precision.weights=int4"};
  const RunConfig run = run_of("", weights);
  CHECK(run.precision.weights.bits == 4);
  CHECK(run.precision.kv_cache.bits == 8);
  CHECK(run.precision_name == "w4a8");
  const auto wide = std::vector<std::string>{"hardware=edge_32x32", "precision=w16a16"};
  CHECK(run_of("", wide).precision.kv_cache.bits == 16);
}

TEST_CASE("a pin fixes what it names and leaves the rest free") {
  const RunConfig run = run_of(
      "mapping: {pin: {\"*.MLP_FC2\": {dataflow: weight_stationary, tile: {n: 256}, "
      "loop_order: mnk, double_buffered: [], resident: [b]}, Attn_Q: {tile: {m: 4}}}}\n");
  REQUIRE(run.mapping.pins.size() == 2);
  const MappingPin& pin = run.mapping.pins[0];
  CHECK(pin.pattern == "*.MLP_FC2");
  CHECK(pin.dataflow == "weight_stationary");
  CHECK(pin.tile_n == 256);
  CHECK(pin.tile_m == 0);
  CHECK(pin.loop_order == "mnk");
  CHECK(pin.has_double_buffered);
  CHECK(pin.double_buffered.empty());
  CHECK(pin.resident == std::vector<std::string>{"b"});
  CHECK_FALSE(run.mapping.pins[1].has_resident);
}

TEST_CASE("a plan file is found beside the run and never shown as a path of this machine") {
  ConfigFolder folder;
  folder.write("plans/p.yaml", "x: 1\n");
  folder.write("case.yaml", run_and("mapping: {plan: plans/p.yaml}\n"));
  CHECK(load_run("case").mapping.plan_file ==
        std::filesystem::canonical(folder.path()).string() + "/plans/p.yaml");
  CHECK(load_run("case").resolved["mapping"]["plan"] == "plans/p.yaml");
  folder.write("case.yaml", run_and("mapping: {plan: " + folder.path() + "/plans/p.yaml}\n"));
  CHECK(load_run("case").resolved["mapping"]["plan"] == "p.yaml");
}

}  // namespace tessera::sim
