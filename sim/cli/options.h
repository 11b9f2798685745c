// What the command line asks for, as plain values.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace tessera::sim {

/// The command line cannot be carried out as written.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

constexpr int kLeastWidth = 80, kMostWidth = 160;  // columns of texts

struct CommandLine {
  std::string verb;  // run, sweep, describe, compare, check, list, schema, import, gemm, dram,
                     // validate, regress
  std::vector<std::string> subjects;
  std::vector<std::string> sets;  // "path.to.key=value"
  std::string format = "text";
  std::string stage = "plan";   // describe
  std::string out;              // directory; empty: none
  std::string output;           // import: file; empty: standard output
  std::string vlm;              // import hf: config.json of SmolVLA's vision-language model
  std::string part;             // import hf: vision, text; empty: all
  std::int64_t image_size = 0;  // import hf: 0: the config's
  bool all = false;
  bool what_if = false;
  int width = 0;                          // 0: the terminal's
  std::vector<std::string> hardware;      // gemm, dram: one name or file; validate: ENGINE=NAME
  std::string dataflow;                   // gemm; empty: the mapper's choice
  std::string precision;                  // gemm; empty: precision.default (w8a8)
  std::string fidelity = "transaction";   // gemm
  bool resident = false;                  // gemm
  bool accumulate = false;                // gemm
  int outstanding = 32;                   // dram: reads, and writes, a channel
  int offers = 0;                         // dram: bursts a clock; 0: two per command bus
  std::vector<std::string> references;    // validate; empty: those that ship
  std::string engine;                     // validate: pattern; empty: all
  std::int64_t max_macs = 2'000'000'000;  // check: values are computed up to here
  int orders = 2;                         // check: besides program order
  std::string numbers = "integer";        // check: what 16-bit elements are
  std::vector<std::string> binds;         // import onnx: "SYMBOL=SIZE"
  bool allow_unknown = false;             // import onnx
  std::string title;                      // import onnx; empty: the file's name
  bool resume = false;                    // sweep
  bool retry_failed = false;              // sweep
  bool dry_run = false;                   // sweep submit
  int jobs = 0;                           // sweep, regress; 0: all cores
  int timeout = 3600;                     // sweep: seconds of a simulated point
  int memory = 4096;                      // sweep: MiB of address space of a simulated point
  int shards = 1;                         // sweep submit
  std::string sweep_fidelity;             // sweep; empty: the file's
  std::string shard;                      // sweep: "i/N", "auto/N"; empty: everything
  std::string point;                      // sweep show
  std::string filter = "*";               // regress
  std::string junit;                      // regress: file; empty: none
  bool update = false;                    // regress
  bool help = false;
  bool version = false;
};

/// Throws UsageError.
CommandLine parse_command_line(int argc, const char* const* argv);

/// `verb` empty: of the program.
std::string help_text(const std::string& verb);

/// The candidate with the fewest edits from `word`; empty when none is near.
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace tessera::sim
