// The JSON Schemas and the reference page, from the field tables.
#include <fmt/format.h>

#include "sim/config/config.h"
#include "sim/config/dram_fields.h"
#include "sim/config/graph_fields.h"
#include "sim/config/hardware_fields.h"
#include "sim/config/model_fields.h"
#include "sim/config/run_fields.h"

namespace tessera::sim {

namespace {

using config::DocRow;
using config::Json;

constexpr const char* kIntroduction =
    R"(# Configuration reference

Generated from the field table (`tessera::sim::config_reference()`); do not edit.

Files are strict YAML: an unknown key, a wrong type, a missing or impossible value is an error with
file, line and column. One file holds one document; anchors, aliases, tags, merge keys, duplicate
keys, block text, values over several lines and tabs as indentation are refused. A file has at most
1 MiB (a plan 64 MiB). Numbers stand unquoted and without leading zeros.

**Quantities carry a unit**: bytes `B KiB MiB GiB`, frequency `Hz kHz MHz GHz`, bandwidth
`B/s KB/s MB/s GB/s GiB/s`, time `fs ps ns us ms s`, `cycles`; shares are `1 %` or `0.01`. A
quantity must be whole in its base unit.

**Names.** `hardware:`, `model:`, `dram.standard:` and `base:` take a path (a slash or the ending
`.yaml`; relative to the naming file, then to `./`; a `.json` model may be its
[config.json](models.md)), or a name: `NAME.yaml` beside the naming file, in `./`, in the entries of
`$TESSERA_CONFIG_PATH` (and their folders `hardware/`, `runs/`, `models/`, `dram/`), in the shipped
folders `configs/hardware`, `configs/runs`, `workloads/models`, `configs/dram`. A name never means
the file it
stands in.

**`base: NAME`** at the top of a file, or of an inline `hardware:`, `model:` or `dram.standard:`
(there also a standard's name), inherits: mappings
merge key by key; lists, scalars and whatever is given by name replace.

**`--set path.to.key=value`** changes the resolved tree: mappings merge, other values replace. Keys
with dots are quoted: `mapping.pin."vision.*.MLP_FC2".tile.n=256`. A path to a list names the whole
list: `hardware.array.dataflows=[weight_stationary]`.
)";

constexpr const char* kShortForms = R"(
Short forms: `workload: NAME` is `{model: NAME}`; `precision: w4a8` is `{default: w4a8}`;
`fusion: none`, `epilogue`, `attention`, `all` and `auto` (epilogues, and every other
kind where it pays) name the fusions that are on; `mapping: {objective: latency}` is
the strict optimum, `{minimize: latency, within: 0, then: dram_bytes}`; `mapping: {layout: tiled}` is meant of weights,
activations and KV cache. Keys and values have the
width of the activations, so attention needs the pair `w<A>a<A>` beside the configured one.
)";

constexpr const char* kRoles = R"(
**Roles.** Every role (`stationary`, `activations`, `accumulators`, `outputs`) is served by exactly
one buffer. Without `roles`, the name decides: `weights` holds stationary operands, `activations`
activations and also outputs unless another buffer serves them, `accumulators` and `outputs`
themselves, `scratchpad` or `unified` all that no other buffer serves. Capacity must divide into
banks, and a bank into accesses of `width`.
)";

std::string table_text(const std::vector<DocRow>& rows) {
  std::string text = "\n| key | allowed | default | meaning |\n| --- | --- | --- | --- |\n";
  for (const DocRow& row : rows) {
    text += fmt::format("| `{}` | {} | {} | {} |\n", row.path, row.allowed, row.fallback, row.help);
  }
  return text;
}

std::string nanoseconds(hw::Femtoseconds time) {
  return fmt::format("{} ns", static_cast<double>(time) / 1e6);
}

std::string standards_text() {
  std::string text =
      "\n### DRAM standards\n\nPeak of one channel; efficiency = 1 - tRFCab / tREFI - 0.004 (what "
      "streaming runs of Ramulator,\nDRAMsim3 and DRAMSys lose beside refresh); latency = tRP + "
      "tRCD + RL + burst (a row conflict) and\n30 ns for controller, PHY and clock crossings (an "
      "assumption). Timings: Ramulator 2.1 and DRAMSys 5.1\npreset files. "
      "Energies: [DRAM energy](energy.md).\n\n"
      "| standard | peak per channel | efficiency | latency | burst | row |\n"
      "| --- | --- | --- | --- | --- | --- |\n";
  for (const hw::DramDevice& each : hw::dram_devices()) {
    text +=
        fmt::format("| `{}` | {} GB/s | {} | {} | {} | {} |\n", each.name,
                    static_cast<double>(config::channel_bytes_per_second(each)) / 1e9,
                    config::streaming_efficiency(each), nanoseconds(config::conflict_latency(each)),
                    config::bytes_text(each.burst_bytes),
                    config::bytes_text(each.bursts_per_row * each.burst_bytes));
  }
  return text + "| `custom` | `peak`, required | 1 | 100 ns | 64 B | 2 KiB |\n";
}

std::string operations_text() {
  std::string text =
      "\n### Default vector operations\n\nCycles of a command: passes · per_element · "
      "ceil(elements "
      "/ lanes) + rows · per_row + reductions ·\nceil(log2(lanes)) + latency; details in the "
      "[timing "
      "model](timing_model.md). Rows follow each other\nthrough the reduction tree (one vector a "
      "cycle "
      "and pass, as in Gemmini's Normalizer; ONNXim counts\nits adder tree once a tile for "
      "LayerNorm); "
      "where they cannot, add its depth to `per_row`.\n\n"
      "| operation | passes | per_element | per_row | reductions | latency | source |\n"
      "| --- | --- | --- | --- | --- | --- | --- |\n";
  for (const auto& [name, cost] : hw::default_vector_operations()) {
    text += fmt::format("| `{}` | {} | {} | {} | {} | {} | {} |\n", name, cost.passes,
                        cost.per_element, cost.per_row, cost.reductions, cost.latency,
                        hw::vector_operation_sources().at(name));
  }
  return text;
}

Json accept_base(Json schema) {
  schema["properties"]["base"] = {{"type", "string"}, {"description", "Inherits from this file."}};
  schema.erase("required");  // a base may bring it
  return schema;
}

Json hardware_schema() { return accept_base(config::hardware_table().schema()); }
Json model_schema() {
  return {{"anyOf", Json::array({accept_base(config::model_table().schema()),
                                 accept_base(config::graph_model_table().schema())})}};
}

}  // namespace

Json config_schema(const std::string& kind) {
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                 {"title", "Tessera " + kind}};
  if (kind == "run") {
    schema.update(accept_base(config::run_table().schema()));
    schema["$defs"] = {{"hardware", hardware_schema()}, {"model", model_schema()}};
  } else if (kind == "hardware") {
    schema.update(hardware_schema());
  } else if (kind == "model") {
    schema.update(model_schema());
    schema["$defs"] = {{"model", model_schema()}};
  } else {
    config::fail({}, kind, "has no schema", {"allowed: run, hardware, model"});
  }
  return schema;
}

std::string config_reference() {
  std::string page = kIntroduction;
  page += "\n## Run\n" + table_text(config::run_table().rows()) + kShortForms;
  page += "\n## Hardware\n" + table_text(config::hardware_table().rows()) + kRoles;
  page += standards_text() + operations_text();
  page += "\n## Model descriptor\n\nField names follow Hugging Face config.json.\n" +
          table_text(config::model_table().rows());
  page +=
      "\n## Imported graph\n\nA model of `family: graph`: what `tessera import onnx` writes "
      "([guide](onnx.md)).\n" +
      table_text(config::graph_model_table().rows());
  return page;
}

}  // namespace tessera::sim
