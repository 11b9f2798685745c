// Malformed configurations: each is refused with exactly this message, and exit code 2.
#include <catch2/catch.hpp>

#include "tests/sim/config/config_fixture.h"
#include "tests/support/command_line.h"

namespace tessera::sim {

namespace {

enum class Subject { kHardware, kRun, kModel };

struct Malformed {
  std::string name;
  std::string text;
  std::vector<std::string> sets;
  std::string message;
};

/// One word of a shell command, whatever it holds.
std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

/// The program says the same, prints nothing else and ends with 2.
void check_program(const ConfigFolder& folder, const Malformed& malformed) {
  std::string arguments = "run case.yaml";
  for (const std::string& set : malformed.sets) arguments += " --set " + quoted(set);
  const test::Ran ran = test::run_tessera(arguments, folder.path());
  CHECK(ran.exit_code == 2);
  CHECK(ran.out.empty());
  CHECK(ran.err.find(malformed.message) != std::string::npos);
}

/// Puts each text in its place beside good files and reads the run.
void check_all(Subject subject, const std::vector<Malformed>& cases) {
  for (const Malformed& each : cases) {
    DYNAMIC_SECTION(each.name) {
      ConfigFolder folder;
      folder.write("bad_hw.yaml", hardware_and("cores: 0\n"));
      folder.write("loop_a.yaml", "base: loop_b\n");
      folder.write("loop_b.yaml", "base: loop_a\n");
      const char* file = subject == Subject::kHardware ? "hw.yaml"
                         : subject == Subject::kModel  ? "m.yaml"
                                                       : "case.yaml";
      folder.write(file, each.text);
      CHECK(error_of("case.yaml", each.sets) == each.message);
      check_program(folder, each);
    }
  }
}

}  // namespace

TEST_CASE("a wrong key or number in the array is refused") {
  check_all(
      Subject::kHardware,
      {
          {"an unknown key names the nearest one",
           array_of("rowz: 8"),
           {},
           "hw.yaml:1:9: error: hardware.array.rowz: unknown key\n"
           "  array: {rowz: 8}\n"
           "          ^\n"
           "did you mean 'rows'?"},
          {"an unknown key with nothing near lists the keys",
           hardware_and("sequencer: {horsepower: 3}\n"),
           {},
           "hw.yaml:5:13: error: hardware.sequencer.horsepower: unknown key\n"
           "  sequencer: {horsepower: 3}\n"
           "              ^\n"
           "allowed: queue_depth, dispatch, operator_launch, loop"},
          {"a key one level too high names its place",
           hardware_and("lanes: 32\n"),
           {},
           "hw.yaml:5:1: error: hardware.lanes: unknown key\n"
           "  lanes: 32\n"
           "  ^\n"
           "did you mean 'hardware.vector.lanes'?"},
          {"zero rows",
           array_of("rows: 0"),
           {},
           "hw.yaml:1:15: error: hardware.array.rows: 0 is not allowed (1 .. 4096)\n"
           "  array: {rows: 0}\n"
           "                ^"},
          {"too many columns",
           array_of("cols: 5000"),
           {},
           "hw.yaml:1:15: error: hardware.array.cols: 5000 is not allowed (1 .. 4096)\n"
           "  array: {cols: 5000}\n"
           "                ^"},
          {"an integer beyond 64 bits",
           array_of("rows: 99999999999999999999"),
           {},
           "hw.yaml:1:15: error: hardware.array.rows: 99999999999999999999 is not allowed (1 .. "
           "4096)\n"
           "  array: {rows: 99999999999999999999}\n"
           "                ^"},
          {"a fraction of a row",
           array_of("rows: 8.5"),
           {},
           "hw.yaml:1:15: error: hardware.array.rows: 8.5 is not a whole number (1 .. 4096)\n"
           "  array: {rows: 8.5}\n"
           "                ^"},
          {"leading zeros are not octal",
           array_of("rows: 010"),
           {},
           "hw.yaml:1:15: error: hardware.array.rows: 010 is not allowed: a number has no leading "
           "zeros\n"
           "  array: {rows: 010}\n"
           "                ^"},
          {"a quoted number",
           array_of("rows: '8'"),
           {},
           "hw.yaml:1:15: error: hardware.array.rows: '8' is quoted text, not a number (1 .. "
           "4096)\n"
           "  array: {rows: '8'}\n"
           "                ^\n"
           "write it without quotes"},
          {"a hexadecimal number",
           array_of("rows: 0x10"),
           {},
           "hw.yaml:1:15: error: hardware.array.rows: 0x10 is not a whole number (1 .. 4096)\n"
           "  array: {rows: 0x10}\n"
           "                ^"},
          {"a missing value",
           array_of("rows: "),
           {},
           "hw.yaml:1:9: error: hardware.array.rows: the value is missing (1 .. 4096)\n"
           "  array: {rows: }\n"
           "          ^"},
          {"a list where a number belongs",
           array_of("rows: [8]"),
           {},
           "hw.yaml:1:15: error: hardware.array.rows: a list is not allowed (1 .. 4096)\n"
           "  array: {rows: [8]}\n"
           "                ^"},
          {"a number where a mapping belongs",
           hardware_and("vector: 32\n"),
           {},
           "hw.yaml:5:9: error: hardware.vector: 32 is not allowed (a mapping with the keys lanes, "
           "operations)\n"
           "  vector: 32\n"
           "          ^"},
          {"an empty mapping",
           hardware_and("vector:\n"),
           {},
           "hw.yaml:5:1: error: hardware.vector: the value is missing (a mapping with the keys "
           "lanes, operations)\n"
           "  vector:\n"
           "  ^"},
          {"not a number",
           array_of("throughput: {w8a8: .nan}"),
           {},
           "hw.yaml:1:28: error: hardware.array.throughput.w8a8: .nan is not a number (above 0, at "
           "most 64)\n"
           "  array: {throughput: {w8a8: .nan}}\n"
           "                             ^"},
          {"infinity",
           array_of("throughput: {w8a8: 1e999}"),
           {},
           "hw.yaml:1:28: error: hardware.array.throughput.w8a8: 1e999 is not allowed (above 0, at "
           "most 64)\n"
           "  array: {throughput: {w8a8: 1e999}}\n"
           "                             ^"},
          {"no throughput at all",
           array_of("throughput: {w8a8: 0}"),
           {},
           "hw.yaml:1:28: error: hardware.array.throughput.w8a8: 0 is not allowed (above 0, at "
           "most 64)\n"
           "  array: {throughput: {w8a8: 0}}\n"
           "                             ^"},
          {"an unknown precision pair",
           array_of("throughput: {w3a8: 1}"),
           {},
           "hw.yaml:1:22: error: hardware.array.throughput.w3a8: not a precision pair (w4a4, w4a8, "
           "w8a8, w8a16, w16a16, ...)\n"
           "  array: {throughput: {w3a8: 1}}\n"
           "                       ^\n"
           "w<bits>a<bits> with 4, 8 or 16 bits of weights and of activations\n"
           "fp16, bf16 or fp32 for both\n"
           "w4 or w8 before fp16 or bf16"},
          {"an empty list of dataflows",
           array_of("dataflows: []"),
           {},
           "hw.yaml:1:20: error: hardware.array.dataflows: the list is empty\n"
           "  array: {dataflows: []}\n"
           "                     ^"},
          {"a dataflow listed twice",
           array_of("dataflows: [weight_stationary, weight_stationary]"),
           {},
           "hw.yaml:1:40: error: hardware.array.dataflows: weight_stationary is listed twice\n"
           "  array: {dataflows: [weight_stationary, weight_stationary]}\n"
           "                                         ^"},
          {"a misspelt dataflow",
           array_of("dataflows: [weight_stationery]"),
           {},
           "hw.yaml:1:21: error: hardware.array.dataflows: weight_stationery is not allowed "
           "(weight_stationary, output_stationary, input_stationary)\n"
           "  array: {dataflows: [weight_stationery]}\n"
           "                      ^\n"
           "did you mean 'weight_stationary'?"},
      });
}

TEST_CASE("an impossible buffer is refused") {
  check_all(Subject::kHardware,
            {
                {"KB for a memory",
                 buffers_of("scratchpad: {capacity: 512 KB}"),
                 {},
                 "hw.yaml:3:26: error: hardware.buffers.scratchpad.capacity: 'KB' is not a unit of "
                 "bytes\n"
                 "    scratchpad: {capacity: 512 KB}\n"
                 "                           ^\n"
                 "did you mean '512 KiB'? (allowed: B, KiB, MiB, GiB)"},
                {"a capacity without unit",
                 buffers_of("scratchpad: {capacity: 512}"),
                 {},
                 "hw.yaml:3:26: error: hardware.buffers.scratchpad.capacity: 512 has no unit\n"
                 "    scratchpad: {capacity: 512}\n"
                 "                           ^\n"
                 "allowed: a number with one of B, KiB, MiB, GiB"},
                {"a unit of another kind",
                 buffers_of("scratchpad: {capacity: 512 GHz}"),
                 {},
                 "hw.yaml:3:26: error: hardware.buffers.scratchpad.capacity: 'GHz' is not a unit "
                 "of bytes\n"
                 "    scratchpad: {capacity: 512 GHz}\n"
                 "                           ^\n"
                 "allowed: B, KiB, MiB, GiB"},
                {"a negative size",
                 buffers_of("scratchpad: {capacity: -4 KiB}"),
                 {},
                 "hw.yaml:3:26: error: hardware.buffers.scratchpad.capacity: -4 KiB is not allowed "
                 "(1 B .. 64 GiB)\n"
                 "    scratchpad: {capacity: -4 KiB}\n"
                 "                           ^"},
                {"a fraction of a byte",
                 buffers_of("scratchpad: {capacity: 0.3 KiB}"),
                 {},
                 "hw.yaml:3:26: error: hardware.buffers.scratchpad.capacity: 0.3 KiB is not a "
                 "whole number of B\n"
                 "    scratchpad: {capacity: 0.3 KiB}\n"
                 "                           ^"},
                {"a size beyond 64 bits",
                 buffers_of("scratchpad: {capacity: 99999999999 GiB}"),
                 {},
                 "hw.yaml:3:26: error: hardware.buffers.scratchpad.capacity: 99999999999 GiB is "
                 "too large\n"
                 "    scratchpad: {capacity: 99999999999 GiB}\n"
                 "                           ^"},
                {"a missing capacity",
                 buffers_of("scratchpad: {banks: 4}"),
                 {},
                 "hw.yaml:3:15: error: hardware.buffers.scratchpad.capacity: the key is missing\n"
                 "    scratchpad: {banks: 4}\n"
                 "                ^\n"
                 "allowed: bytes, 1 B .. 64 GiB"},
                {"a capacity that does not divide into banks",
                 buffers_of("scratchpad: {capacity: 64 KiB, banks: 3}"),
                 {},
                 "hw.yaml:3:26: error: hardware.buffers.scratchpad.capacity: 64 KiB does not "
                 "divide into 3 banks\n"
                 "    scratchpad: {capacity: 64 KiB, banks: 3}\n"
                 "                           ^"},
                {"a bank that does not divide into accesses",
                 buffers_of("scratchpad: {capacity: 64 KiB, width: 48 B}"),
                 {},
                 "hw.yaml:3:26: error: hardware.buffers.scratchpad.capacity: a bank of 64 KiB is "
                 "not a multiple of the width 48 B\n"
                 "    scratchpad: {capacity: 64 KiB, width: 48 B}\n"
                 "                           ^"},
                {"an interleave below the width",
                 buffers_of("scratchpad: {capacity: 64 KiB, bank_mapping: interleaved(16 B)}"),
                 {},
                 "hw.yaml:3:48: error: hardware.buffers.scratchpad.bank_mapping: the interleave 16 "
                 "B is not a multiple of the width 32 B\n"
                 "    scratchpad: {capacity: 64 KiB, bank_mapping: interleaved(16 B)}\n"
                 "                                                 ^"},
                {"a bank mapping that does not exist",
                 buffers_of("scratchpad: {capacity: 64 KiB, bank_mapping: hashed}"),
                 {},
                 "hw.yaml:3:48: error: hardware.buffers.scratchpad.bank_mapping: hashed is not "
                 "allowed (blocked, interleaved(BYTES))\n"
                 "    scratchpad: {capacity: 64 KiB, bank_mapping: hashed}\n"
                 "                                                 ^"},
                {"two buffers for one role",
                 buffers_of("scratchpad: {capacity: 64 KiB, roles: [accumulators, stationary]}\n"
                            "  sums: {capacity: 1 KiB, roles: [accumulators]}"),
                 {},
                 "hw.yaml:4:34: error: hardware.buffers.sums.roles: the role accumulators is "
                 "already served by 'scratchpad'\n"
                 "    sums: {capacity: 1 KiB, roles: [accumulators]}\n"
                 "                                   ^\n"
                 "every role is served by exactly one buffer"},
                {"a role that nobody serves",
                 buffers_of("weights: {capacity: 64 KiB}"),
                 {},
                 "hw.yaml:3:3: error: hardware.buffers: no buffer serves the role activations\n"
                 "    weights: {capacity: 64 KiB}\n"
                 "    ^\n"
                 "every role is served by exactly one buffer: stationary, activations, "
                 "accumulators, outputs"},
                {"a buffer whose name says nothing",
                 buffers_of("sram: {capacity: 64 KiB}"),
                 {},
                 "hw.yaml:3:9: error: hardware.buffers.sram: what does it hold? its name has no "
                 "default role\n"
                 "    sram: {capacity: 64 KiB}\n"
                 "          ^\n"
                 "allowed: roles: [stationary, activations, accumulators, outputs] (some of them), "
                 "or the name weights, activations, accumulators, outputs, scratchpad or unified"},
                {"a buffer with nothing left to hold",
                 buffers_of("weights: {capacity: 1 KiB}\n"
                            "  activations: {capacity: 1 KiB}\n"
                            "  unified: {capacity: 1 KiB}"),
                 {},
                 "hw.yaml:5:12: error: hardware.buffers.unified: no role is left for it: other "
                 "buffers serve all of them\n"
                 "    unified: {capacity: 1 KiB}\n"
                 "             ^"},
                {"an element width outside the accumulators",
                 buffers_of("scratchpad: {capacity: 64 KiB, element: int16}"),
                 {},
                 "hw.yaml:3:43: error: hardware.buffers.scratchpad.element: only the buffer of the "
                 "accumulators has an element width\n"
                 "    scratchpad: {capacity: 64 KiB, element: int16}\n"
                 "                                            ^"},
                {"a shared buffer",
                 buffers_of("scratchpad: {capacity: 64 KiB, shared: true}"),
                 {},
                 "hw.yaml:3:42: error: hardware.buffers.scratchpad.shared: a buffer shared between "
                 "cores is not built yet\n"
                 "    scratchpad: {capacity: 64 KiB, shared: true}\n"
                 "                                           ^\n"
                 "allowed: false"},
                {"no buffers",
                 "array: {rows: 8}\n",
                 {},
                 "hw.yaml:1:1: error: hardware.buffers: the key is missing\n"
                 "  array: {rows: 8}\n"
                 "  ^\n"
                 "allowed: map of name to mapping, 1 .. 16"},
                {"an empty map of buffers",
                 "buffers: {}\n",
                 {},
                 "hw.yaml:1:10: error: hardware.buffers: 0 buffers are not allowed (1 .. 16)\n"
                 "  buffers: {}\n"
                 "           ^"},
            });
}

TEST_CASE("a wrong clock DMA or DRAM is refused") {
  check_all(
      Subject::kHardware,
      {
          {"two cores",
           hardware_and("cores: 2\n"),
           {},
           "hw.yaml:5:8: error: hardware.cores: more than one core is not built yet\n"
           "  cores: 2\n"
           "         ^\n"
           "allowed: 1"},
          {"an energy table",
           hardware_and("energy: 16nm\n"),
           {},
           "hw.yaml:5:1: error: hardware.energy: the energy model is not built yet\n"
           "  energy: 16nm\n"
           "  ^\n"
           "allowed: name, clocks, cores, array, vector, buffers, dma, interconnect, dram, "
           "sequencer"},
          {"a fraction of a hertz",
           hardware_and("clocks: {core: 1.5 Hz}\n"),
           {},
           "hw.yaml:5:16: error: hardware.clocks.core: 1.5 Hz is not a whole number of Hz\n"
           "  clocks: {core: 1.5 Hz}\n"
           "                 ^"},
          {"a misspelt frequency unit",
           hardware_and("clocks: {core: 1 Ghz}\n"),
           {},
           "hw.yaml:5:16: error: hardware.clocks.core: 'Ghz' is not a unit of frequency\n"
           "  clocks: {core: 1 Ghz}\n"
           "                 ^\n"
           "did you mean '1 GHz'? (allowed: Hz, kHz, MHz, GHz)"},
          {"an unknown DRAM standard",
           hardware_and("dram: {standard: LPDDR5-6600}\n"),
           {},
           "hw.yaml:5:18: error: hardware.dram.standard: there is no DRAM standard called "
           "'LPDDR5-6600'\n"
           "  dram: {standard: LPDDR5-6600}\n"
           "                   ^\n"
           "did you mean 'LPDDR5-6400'?"},
          {"a key of the bandwidth model beside the timing model",
           hardware_and("dram: {model: timing, latency: 80 ns}\n"),
           {},
           "hw.yaml:5:32: error: hardware.dram.latency: model: timing does not look at it\n"
           "  dram: {model: timing, latency: 80 ns}\n"
           "                                 ^\n"
           "leave it out: it follows from the standard"},
          {"a key of the timing model beside the bandwidth model",
           hardware_and("dram: {controller: {read_queue: 16}}\n"),
           {},
           "hw.yaml:5:20: error: hardware.dram.controller: model: bandwidth does not look at it\n"
           "  dram: {controller: {read_queue: 16}}\n"
           "                     ^\n"
           "leave it out"},
          {"the timing model without timings",
           hardware_and("dram: {standard: custom, peak: 25.6 GB/s, model: timing}\n"),
           {},
           "hw.yaml:5:18: error: hardware.dram.standard: standard: custom has no timings for "
           "model: timing\n"
           "  dram: {standard: custom, peak: 25.6 GB/s, model: timing}\n"
           "                   ^\n"
           "a known standard, a file, or a mapping with `timings`"},
          {"half a channel of HBM2",
           hardware_and("dram: {standard: HBM2-2000, channels: 3, model: timing}\n"),
           {},
           "hw.yaml:5:39: error: hardware.dram.channels: 2 pseudo channels share a command bus: "
           "their number is a multiple of 2\n"
           "  dram: {standard: HBM2-2000, channels: 3, model: timing}\n"
           "                                        ^"},
          {"channels that no bits number",
           hardware_and("dram: {channels: 3, model: timing}\n"),
           {},
           "hw.yaml:5:18: error: hardware.dram: DRAM address bits: 3 is no power of two\n"
           "  dram: {channels: 3, model: timing}\n"
           "                   ^"},
          {"a bit order that leaves out bits",
           hardware_and("dram: {model: timing, mapping: {order: ro-co-ba}}\n"),
           {},
           "hw.yaml:5:32: error: hardware.dram.mapping: DRAM bit order: not every bit is named\n"
           "  dram: {model: timing, mapping: {order: ro-co-ba}}\n"
           "                                 ^"},
          {"a bit order of unknown fields",
           hardware_and("dram: {model: timing, mapping: {order: ro-xx}}\n"),
           {},
           "hw.yaml:5:32: error: hardware.dram.mapping: DRAM bit order: `xx` names no field\n"
           "  dram: {model: timing, mapping: {order: ro-xx}}\n"
           "                                 ^"},
          {"a drain that never starts",
           hardware_and("dram: {model: timing, controller: {write_queue: 32}}\n"),
           {},
           "hw.yaml:5:35: error: hardware.dram.controller.drain_above: a queue of 32 never holds "
           "more than 54 writes\n"
           "  dram: {model: timing, controller: {write_queue: 32}}\n"
           "                                    ^"},
          {"a per-bank refresh that DDR4 does not have",
           hardware_and("dram: {standard: DDR4-3200, model: timing, controller: {refresh: "
                        "per_bank}}\n"),
           {},
           "hw.yaml:5:66: error: hardware.dram.controller.refresh: DDR4-3200 has no per-bank "
           "refresh\n"
           "  dram: {standard: DDR4-3200, model: timing, controller: {refresh: per_bank}}\n"
           "                                                                   ^"},
          {"a timing that JEDEC does not know",
           hardware_and("dram: {standard: {base: DDR4-3200, timings: {tRFC: 350 ns}}}\n"),
           {},
           "hw.yaml:5:46: error: hardware.dram.standard.timings.tRFC: unknown key\n"
           "  dram: {standard: {base: DDR4-3200, timings: {tRFC: 350 ns}}}\n"
           "                                               ^\n"
           "did you mean 'tRC'?"},
          {"an energy without its source",
           hardware_and("dram: {standard: {energy: {per_bit: 5 pJ}}}\n"),
           {},
           "hw.yaml:5:27: error: hardware.dram.standard.energy.source: the key is missing\n"
           "  dram: {standard: {energy: {per_bit: 5 pJ}}}\n"
           "                            ^\n"
           "allowed: text"},
          {"an energy of another unit",
           hardware_and("dram: {standard: {energy: {per_bit: 5 mW, source: us}}}\n"),
           {},
           "hw.yaml:5:37: error: hardware.dram.standard.energy.per_bit: 'mW' is not a unit of "
           "energy\n"
           "  dram: {standard: {energy: {per_bit: 5 mW, source: us}}}\n"
           "                                      ^\n"
           "allowed: fJ, pJ, nJ, uJ"},
          {"a power that is an energy",
           hardware_and("dram: {standard: {energy: {background: 5 mw, source: us}}}\n"),
           {},
           "hw.yaml:5:40: error: hardware.dram.standard.energy.background: 'mw' is not a unit of "
           "power\n"
           "  dram: {standard: {energy: {background: 5 mw, source: us}}}\n"
           "                                         ^\n"
           "did you mean '5 mW'? (allowed: uW, mW, W)"},
          {"energies of some commands",
           hardware_and("dram: {standard: {energy: {activate: 1 nJ, read: 1 nJ, source: us}}}\n"),
           {},
           "hw.yaml:5:27: error: hardware.dram.standard.energy.write: the key is missing\n"
           "  dram: {standard: {energy: {activate: 1 nJ, read: 1 nJ, source: us}}}\n"
           "                            ^"},
          {"no energy at all",
           hardware_and("dram: {standard: {energy: {source: us}}}\n"),
           {},
           "hw.yaml:5:27: error: hardware.dram.standard.energy.activate: the key is missing\n"
           "  dram: {standard: {energy: {source: us}}}\n"
           "                            ^\n"
           "or give per_bit"},
          {"energies by command and by bit",
           hardware_and("dram: {standard: {energy: {read: 1 nJ, per_bit: 5 pJ, source: us}}}\n"),
           {},
           "hw.yaml:5:49: error: hardware.dram.standard.energy.per_bit: stands beside energies of "
           "commands: one or the other\n"
           "  dram: {standard: {energy: {read: 1 nJ, per_bit: 5 pJ, source: us}}}\n"
           "                                                  ^"},
          {"a command that costs nothing known",
           hardware_and("dram: {standard: {energy: {reads: 1 nJ, source: us}}}\n"),
           {},
           "hw.yaml:5:28: error: hardware.dram.standard.energy.reads: unknown key\n"
           "  dram: {standard: {energy: {reads: 1 nJ, source: us}}}\n"
           "                             ^\n"
           "did you mean 'read'?"},
          {"too many banks",
           hardware_and("dram: {standard: {bank_groups: 16, banks_per_group: 8}}\n"),
           {},
           "hw.yaml:5:18: error: hardware.dram.standard: 128 banks in a channel; at most 64\n"
           "  dram: {standard: {bank_groups: 16, banks_per_group: 8}}\n"
           "                   ^"},
          {"custom DRAM without peak",
           hardware_and("dram: {standard: custom}\n"),
           {},
           "hw.yaml:5:7: error: hardware.dram.peak: standard: custom needs the peak of all "
           "channels\n"
           "  dram: {standard: custom}\n"
           "        ^\n"
           "for example peak: 25.6 GB/s"},
          {"a peak beside a standard",
           hardware_and("dram: {standard: DDR4-3200, peak: 10 GB/s}\n"),
           {},
           "hw.yaml:5:35: error: hardware.dram.peak: the peak follows from standard and channels: "
           "leave it out\n"
           "  dram: {standard: DDR4-3200, peak: 10 GB/s}\n"
           "                                    ^\n"
           "or write standard: custom"},
          {"an efficiency above 100 percent",
           hardware_and("dram: {efficiency: 120 %}\n"),
           {},
           "hw.yaml:5:20: error: hardware.dram.efficiency: 120 % is not allowed (above 0 %, at "
           "most 100 %)\n"
           "  dram: {efficiency: 120 %}\n"
           "                     ^"},
          {"a burst that is no power of two",
           hardware_and("dma: {burst: 100 B}\n"),
           {},
           "hw.yaml:5:14: error: hardware.dma.burst: 100 B is not allowed (a power of two)\n"
           "  dma: {burst: 100 B}\n"
           "               ^"},
          {"cycles without their unit",
           hardware_and("dma: {descriptor: 16}\n"),
           {},
           "hw.yaml:5:19: error: hardware.dma.descriptor: 16 has no unit\n"
           "  dma: {descriptor: 16}\n"
           "                    ^\n"
           "did you mean '16 cycles'?"},
          {"an operation name with capitals",
           hardware_and("vector: {operations: {Softmax: {passes: 3}}}\n"),
           {},
           "hw.yaml:5:23: error: hardware.vector.operations.Softmax: not a name (lower-case "
           "letters, digits and _, 40 at most)\n"
           "  vector: {operations: {Softmax: {passes: 3}}}\n"
           "                        ^"},
      });
}

TEST_CASE("YAML outside the strict subset is refused") {
  check_all(
      Subject::kHardware,
      {
          {"a duplicate key",
           hardware_and("cores: 1\n"
                        "cores: 1\n"),
           {},
           "hw.yaml:6:1: error: the key 'cores' is given twice\n"
           "  cores: 1\n"
           "  ^"},
          {"a merge key",
           hardware_and("<<: {cores: 1}\n"),
           {},
           "hw.yaml:5:1: error: merge keys (<<) are not used: write base: FILE\n"
           "  <<: {cores: 1}\n"
           "  ^"},
          {"an alias",
           hardware_and("dma: *fast\n"),
           {},
           "hw.yaml:5:6: error: aliases (*name) are not used: write the value, or base: FILE\n"
           "  dma: *fast\n"
           "       ^\n"
           "a pattern that starts with * needs quotes: \"*.MLP_FC1\""},
          {"an anchor",
           hardware_and("dma: &fast {channels: 2}\n"),
           {},
           "hw.yaml:5:6: error: anchors (&name) are not used: write the value, or base: FILE\n"
           "  dma: &fast {channels: 2}\n"
           "       ^"},
          {"a tag",
           hardware_and("cores: !!int 1\n"),
           {},
           "hw.yaml:5:8: error: tags (!name) are not used: remove it\n"
           "  cores: !!int 1\n"
           "         ^"},
          {"two documents",
           hardware_and("---\n"
                        "cores: 1\n"),
           {},
           "hw.yaml:5:1: error: a second document starts here: one file holds one document\n"
           "  ---\n"
           "  ^"},
          {"a list and then keys",
           "- a\n"
           "b: 1\n",
           {},
           "hw.yaml:2:1: error: a second document starts here: one file holds one document\n"
           "  b: 1\n"
           "  ^"},
          {"an unclosed quote",
           "name: \"tiny\n"
           "array: {rows: 8, cols: 8}\n"
           "buffers:\n"
           "  scratchpad: {capacity: 64 KiB}\n"
           "  accumulators: {capacity: 8 KiB}\n"
           "cores: \"1\"\n",
           {},
           "hw.yaml:1:7: error: the quote \" is not closed on its line\n"
           "  name: \"tiny\n"
           "        ^"},
          {"block text",
           "name: |\n"
           "  tiny\n"
           "array: {rows: 8, cols: 8}\n"
           "buffers:\n"
           "  scratchpad: {capacity: 64 KiB}\n"
           "  accumulators: {capacity: 8 KiB}\n",
           {},
           "hw.yaml:1:7: error: block text (| and >) is not used\n"
           "  name: |\n"
           "        ^"},
          {"a value over two lines",
           "name: tiny\n"
           "  machine\n"
           "array: {rows: 8, cols: 8}\n"
           "buffers:\n"
           "  scratchpad: {capacity: 64 KiB}\n"
           "  accumulators: {capacity: 8 KiB}\n",
           {},
           "hw.yaml:1:7: error: a value must stand on one line\n"
           "  name: tiny\n"
           "        ^"},
          {"a tab as indentation",
           "array:\n"
           "\trows: 8\n",
           {},
           "hw.yaml:2:1: error: a tab indents: use spaces\n"
           "   rows: 8\n"
           "  ^"},
          {"an empty file", "", {}, "hw.yaml:1:1: error: the file is empty"},
          {"a file of comments",
           "# nothing\n",
           {},
           "hw.yaml:1:1: error: the file is empty\n"
           "  # nothing\n"
           "  ^"},
          {"a list at the top",
           "[1, 2]\n",
           {},
           "hw.yaml:1:1: error: the file must hold keys (key: value), not a list\n"
           "  [1, 2]\n"
           "  ^"},
          {"a key that is a list",
           "[a, b]: 1\n",
           {},
           "hw.yaml:1:1: error: a key must be a word, not a list or a mapping\n"
           "  [a, b]: 1\n"
           "  ^"},
          {"not YAML at all",
           "array: {rows: 8\n",
           {},
           "hw.yaml:2:1: error: not YAML: end of map flow not found"},
      });
}

TEST_CASE("a run that names what is not there is refused") {
  check_all(Subject::kRun,
            {
                {"a missing hardware",
                 "workload: {model: m}\n",
                 {},
                 "case.yaml:1:1: error: hardware: the key is missing\n"
                 "  workload: {model: m}\n"
                 "  ^\n"
                 "allowed: name, path or mapping"},
                {"an unknown hardware name",
                 "hardware: edge_32x23\n"
                 "workload: {model: m}\n",
                 {},
                 "case.yaml:1:11: error: hardware: there is no hardware called 'edge_32x23'\n"
                 "  hardware: edge_32x23\n"
                 "            ^\n"
                 "did you mean 'edge_32x32'?"},
                {"a missing file",
                 "hardware: ./none.yaml\n"
                 "workload: {model: m}\n",
                 {},
                 "case.yaml:1:11: error: hardware: the file './none.yaml' does not exist\n"
                 "  hardware: ./none.yaml\n"
                 "            ^"},
                {"an unknown model",
                 "hardware: hw\n"
                 "workload: vit_b16_242\n",
                 {},
                 "case.yaml:2:11: error: workload.model: there is no model called 'vit_b16_242'\n"
                 "  workload: vit_b16_242\n"
                 "            ^\n"
                 "did you mean 'vit_b16_224'?"},
                {"an error inside a named file points into it",
                 run_and(""),
                 {"hardware.array.rows=8", "hardware=bad_hw"},
                 "bad_hw.yaml:5:8: error: hardware.cores: 0 is not allowed (1 .. 1024)\n"
                 "  cores: 0\n"
                 "         ^"},
            });
}

TEST_CASE("an impossible workload precision or mapping is refused") {
  check_all(
      Subject::kRun,
      {
          {"phases beside a model",
           "hardware: hw\n"
           "workload: {model: m, phases: {a: m}}\n",
           {},
           "case.yaml:2:12: error: workload.model: does not go with phases\n"
           "  workload: {model: m, phases: {a: m}}\n"
           "             ^\n"
           "write it in a phase: workload.phases.NAME.model"},
          {"tokens for images",
           "hardware: hw\n"
           "workload: {model: vit_b16_224, tokens: 50}\n",
           {},
           "case.yaml:2:40: error: workload.tokens: vit_b16_224 takes images: its patches set the "
           "sequence length\n"
           "  workload: {model: vit_b16_224, tokens: 50}\n"
           "                                         ^\n"
           "leave tokens out, or change model.image_size"},
          {"more tokens than positions",
           "hardware: hw\n"
           "workload: {model: m, tokens: 33}\n",
           {},
           "case.yaml:2:30: error: workload.tokens: 33 is not allowed (1 .. 32, "
           "max_position_embeddings of m)\n"
           "  workload: {model: m, tokens: 33}\n"
           "                               ^"},
          {"a negative batch",
           "hardware: hw\n"
           "workload: {model: m, batch: -1}\n",
           {},
           "case.yaml:2:29: error: workload.batch: -1 is not allowed (1 .. 65536)\n"
           "  workload: {model: m, batch: -1}\n"
           "                              ^"},
          {"a time without unit",
           "hardware: hw\n"
           "workload: {phases: {a: {model: m, not_before: 5}}}\n",
           {},
           "case.yaml:2:47: error: workload.phases.a.not_before: 5 has no unit\n"
           "  workload: {phases: {a: {model: m, not_before: 5}}}\n"
           "                                                ^\n"
           "allowed: a number with one of fs, ps, ns, us, ms, s"},
          {"a precision that the array cannot run",
           run_and("precision: w4a8\n"),
           {},
           "case.yaml:3:12: error: precision: the array of hw cannot run w4a8\n"
           "  precision: w4a8\n"
           "             ^\n"
           "allowed by hardware.array.throughput: w8a8"},
          {"a precision that attention cannot run",
           "hardware: {base: hw, array: {throughput: {w8a16: 1}}}\n"
           "workload: m\n"
           "precision: w8a16\n",
           {},
           "case.yaml:3:12: error: precision: the array of hw cannot run w16a16, which attention "
           "needs with w8a16\n"
           "  precision: w8a16\n"
           "             ^\n"
           "allowed by hardware.array.throughput: w8a16"},
          {"a floating-point precision that the array lacks",
           run_and("precision: fp16\n"),
           {},
           "case.yaml:3:12: error: precision: the array of hw cannot run fp16\n"
           "  precision: fp16\n"
           "             ^\n"
           "allowed by hardware.array.throughput: w8a8"},
          {"a floating-point precision that is not built",
           run_and("precision: fp8\n"),
           {},
           "case.yaml:3:12: error: precision.default: fp8 is not built yet\n"
           "  precision: fp8\n"
           "             ^\n"
           "allowed: w4a4, w4a8, w4a16, w8a4, w8a8, w8a16, w16a4, w16a8, w16a16, fp16, bf16, fp32, "
           "w4fp16, w8fp16, w4bf16, w8bf16"},
          {"a pattern whose pair the array lacks",
           run_and("precision: {default: w8a8, text.*: w4a8}\n"),
           {},
           "case.yaml:3:12: error: precision: the array of hw cannot run w4a8, which text.* asks "
           "for\n"
           "  precision: {default: w8a8, text.*: w4a8}\n"
           "             ^\n"
           "allowed by hardware.array.throughput: w8a8"},
          {"a class of tensors that does not exist",
           run_and("precision: {weigths: int4}\n"),
           {},
           "case.yaml:3:13: error: precision.weigths: unknown key\n"
           "  precision: {weigths: int4}\n"
           "              ^\n"
           "did you mean 'weights'?"},
          {"norm fusion as a word",
           run_and("fusion: norm\n"),
           {},
           "case.yaml:3:9: error: fusion: norm is not built yet\n"
           "  fusion: norm\n"
           "          ^\n"
           "allowed: none, epilogue, attention, all, auto"},
          {"norm fusion as a key",
           run_and("fusion: {attention: true, norm: true}\n"),
           {},
           "case.yaml:3:27: error: fusion.norm: fusion of a norm with the Gemm behind it is not "
           "built yet\n"
           "  fusion: {attention: true, norm: true}\n"
           "                            ^\n"
           "allowed: epilogue, qkv, gate_up, residual, attention, softmax"},
          {"another softmax",
           run_and("fusion: {attention: true, softmax: two_pass}\n"),
           {},
           "case.yaml:3:36: error: fusion.softmax: two_pass is not allowed (three_pass, online, "
           "auto)\n"
           "  fusion: {attention: true, softmax: two_pass}\n"
           "                                     ^"},
          {"a word for a truth value",
           run_and("fusion: {epilogue: yes}\n"),
           {},
           "case.yaml:3:20: error: fusion.epilogue: yes is not allowed (true, false)\n"
           "  fusion: {epilogue: yes}\n"
           "                     ^"},
          {"the energy objective",
           run_and("mapping: {objective: energy}\n"),
           {},
           "case.yaml:3:22: error: mapping.objective.minimize: energy is not built yet\n"
           "  mapping: {objective: energy}\n"
           "                       ^\n"
           "allowed: latency, dram_bytes"},
          {"a loop order that is none",
           run_and("mapping: {pin: {MLP_FC1: {loop_order: mmk}}}\n"),
           {},
           "case.yaml:3:39: error: mapping.pin.MLP_FC1.loop_order: mmk is not allowed (mkn, mnk, "
           "kmn, knm, nmk, nkm)\n"
           "  mapping: {pin: {MLP_FC1: {loop_order: mmk}}}\n"
           "                                        ^\n"
           "did you mean 'mnk'?"},
          {"a tile of zero",
           run_and("mapping: {pin: {MLP_FC1: {tile: {n: 0}}}}\n"),
           {},
           "case.yaml:3:37: error: mapping.pin.MLP_FC1.tile.n: 0 is not allowed (1 .. 1000000000)\n"
           "  mapping: {pin: {MLP_FC1: {tile: {n: 0}}}}\n"
           "                                      ^"},
          {"an operand that cannot be resident",
           run_and("mapping: {pin: {\"*\": {resident: [c]}}}\n"),
           {},
           "case.yaml:3:34: error: mapping.pin.*.resident: c is not allowed (a, b)\n"
           "  mapping: {pin: {\"*\": {resident: [c]}}}\n"
           "                                   ^"},
          {"a plan that is not there",
           run_and("mapping: {plan: plan.yaml}\n"),
           {},
           "case.yaml:3:17: error: mapping.plan: the file 'plan.yaml' does not exist\n"
           "  mapping: {plan: plan.yaml}\n"
           "                  ^"},
          {"another fidelity",
           run_and("fidelity: pe\n"),
           {},
           "case.yaml:3:11: error: fidelity: pe is not built yet\n"
           "  fidelity: pe\n"
           "            ^\n"
           "allowed: transaction, analytical"},
          {"an expectation with a wrong unit",
           run_and("expect: {latency: 30 KB}\n"),
           {},
           "case.yaml:3:22: error: expect.latency: 'KB' is not a unit\n"
           "  expect: {latency: 30 KB}\n"
           "                       ^\n"
           "did you mean 'KiB'?"},
          {"a sweep file",
           run_and("axes: {}\n"),
           {},
           "case.yaml:3:1: error: axes: sweeping is not built yet\n"
           "  axes: {}\n"
           "  ^\n"
           "allowed: name, hardware, workload, precision, fusion, mapping, fidelity, roofline, "
           "expect"},
      });
}

TEST_CASE("a circle of bases or a wrong set is refused") {
  check_all(
      Subject::kRun,
      {
          {"a base that names itself",
           "base: ./case.yaml\n",
           {},
           "case.yaml:1:7: error: base: the files name each other in a circle: case.yaml -> "
           "case.yaml\n"
           "  base: ./case.yaml\n"
           "        ^"},
          {"bases in a circle",
           "base: loop_a\n",
           {},
           "loop_b.yaml:1:7: error: base: the files name each other in a circle: loop_a.yaml -> "
           "loop_b.yaml -> loop_a.yaml\n"
           "  base: loop_a\n"
           "        ^"},
          {"a set without equals sign",
           run_and(""),
           {"hardware.array.rows"},
           "--set:1:20: error: no '=': write path.to.key=value\n"
           "  hardware.array.rows\n"
           "                     ^"},
          {"a set of an unknown key",
           run_and(""),
           {"hardware.dram.chanels=2"},
           "--set:1:15: error: hardware.dram.chanels: unknown key\n"
           "  hardware.dram.chanels=2\n"
           "                ^\n"
           "did you mean 'channels'?"},
          {"a set that forgets the section",
           run_and(""),
           {"dram.channels=2"},
           "--set:1:1: error: dram: unknown key\n"
           "  dram.channels=2\n"
           "  ^\n"
           "did you mean 'hardware.dram'?"},
          {"a set of a wrong value",
           run_and(""),
           {"hardware.array.rows=many"},
           "--set:1:21: error: hardware.array.rows: many is not a whole number (1 .. 4096)\n"
           "  hardware.array.rows=many\n"
           "                      ^"},
          {"a set below a number",
           run_and(""),
           {"hardware.array.rows.x=1"},
           "--set:1:21: error: hardware.array.rows.x: hardware.array.rows has no keys: it is 8\n"
           "  hardware.array.rows.x=1\n"
           "                      ^"},
          {"a set without value",
           run_and(""),
           {"workload.tokens="},
           "--set:1:17: error: workload.tokens: the value is missing (1 .. 1000000)\n"
           "  workload.tokens=\n"
           "                  ^"},
          {"a set with an unknown name",
           run_and(""),
           {"hardware=tiny_8x9"},
           "--set:1:10: error: hardware: there is no hardware called 'tiny_8x9'\n"
           "  hardware=tiny_8x9\n"
           "           ^\n"
           "did you mean 'tiny_8x8'?"},
          {"a set with half a flow",
           run_and(""),
           {"hardware.array.dataflows=[weight_stationary"},
           "--set:1:26: error: a bracket is not closed\n"
           "  hardware.array.dataflows=[weight_stationary\n"
           "                           ^"},
          {"a set with a missing key",
           run_and(""),
           {"hardware..rows=1"},
           "--set:1:10: error: a key is missing: write path.to.key=value\n"
           "  hardware..rows=1\n"
           "           ^"},
      });
}

TEST_CASE("an inconsistent model descriptor is refused") {
  check_all(
      Subject::kModel,
      {
          {"a model without layers",
           "family: decoder\n"
           "hidden_size: 64\n"
           "num_attention_heads: 4\n"
           "intermediate_size: 128\n"
           "vocab_size: 100\n"
           "max_position_embeddings: 32\n"
           "tokens: 16\n",
           {},
           "m.yaml:1:1: error: workload.model.num_hidden_layers: the key is missing "
           "(family decoder)\n"
           "  family: decoder\n"
           "  ^\n"
           "allowed: 1 .. 1024"},
          {"an unknown family",
           "family: mamba\n"
           "hidden_size: 64\n"
           "num_hidden_layers: 2\n"
           "num_attention_heads: 4\n"
           "intermediate_size: 128\n"
           "vocab_size: 100\n"
           "max_position_embeddings: 32\n"
           "tokens: 16\n",
           {},
           "m.yaml:1:9: error: workload.model.family: mamba is not allowed (vit, decoder, bert, "
           "dual_encoder, vlm, smolvla)\n"
           "  family: mamba\n"
           "          ^"},
          {"an image model without patches",
           "family: vit\n"
           "hidden_size: 64\n"
           "num_hidden_layers: 2\n"
           "num_attention_heads: 4\n"
           "intermediate_size: 128\n"
           "image_size: 32\n",
           {},
           "m.yaml:1:1: error: workload.model.patch_size: the key is missing (family vit)\n"
           "  family: vit\n"
           "  ^\n"
           "allowed: 1 .. 16384"},
          {"an image key in a text model",
           "family: decoder\n"
           "hidden_size: 64\n"
           "num_hidden_layers: 2\n"
           "num_attention_heads: 4\n"
           "intermediate_size: 128\n"
           "vocab_size: 100\n"
           "max_position_embeddings: 32\n"
           "tokens: 16\n"
           "patch_size: 16\n",
           {},
           "m.yaml:9:13: error: workload.model.patch_size: does not go with family decoder\n"
           "  patch_size: 16\n"
           "              ^"},
          {"heads that do not divide the width",
           "family: decoder\n"
           "hidden_size: 64\n"
           "num_hidden_layers: 2\n"
           "num_attention_heads: 5\n"
           "intermediate_size: 128\n"
           "vocab_size: 100\n"
           "max_position_embeddings: 32\n"
           "tokens: 16\n",
           {},
           "m.yaml:2:14: error: workload.model.hidden_size: 64 is not a multiple of "
           "num_attention_heads 5\n"
           "  hidden_size: 64\n"
           "               ^"},
          {"key heads that do not divide the heads",
           "family: decoder\n"
           "hidden_size: 64\n"
           "num_hidden_layers: 2\n"
           "num_attention_heads: 4\n"
           "intermediate_size: 128\n"
           "vocab_size: 100\n"
           "max_position_embeddings: 32\n"
           "tokens: 16\n"
           "num_key_value_heads: 3\n",
           {},
           "m.yaml:4:22: error: workload.model.num_attention_heads: 4 is not a multiple of "
           "num_key_value_heads 3\n"
           "  num_attention_heads: 4\n"
           "                       ^"},
          {"an activation that does not exist",
           "family: decoder\n"
           "hidden_size: 64\n"
           "num_hidden_layers: 2\n"
           "num_attention_heads: 4\n"
           "intermediate_size: 128\n"
           "vocab_size: 100\n"
           "max_position_embeddings: 32\n"
           "tokens: 16\n"
           "hidden_act: gelu_new\n",
           {},
           "m.yaml:9:13: error: workload.model.hidden_act: gelu_new is not allowed (gelu, "
           "gelu_tanh, quick_gelu, silu, relu)\n"
           "  hidden_act: gelu_new\n"
           "              ^"},
      });
}

}  // namespace tessera::sim
