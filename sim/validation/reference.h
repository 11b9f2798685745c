// Figures of other engines and simulators, as their files give them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "hw_models/array_timing.h"
#include "sim/validation/csv_table.h"

namespace tessera::sim {

/// `key=value; words; key=value` beside a figure.
class Notes {
 public:
  Notes() = default;
  /// Items stand between semicolons; an item whose every word is key=value is several
  /// ("W=12 H=4 P=3").
  explicit Notes(const std::string& text);

  bool has(const std::string& key) const;
  /// The value of `key`; empty when there is none.
  std::string value(const std::string& key) const;
  /// The value as an integer; `otherwise` when there is none or it is no integer.
  std::int64_t integer(const std::string& key, std::int64_t otherwise) const;
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::vector<std::pair<std::string, std::string>> items_;  // bare words: an empty value
};

/// What a file's header says it holds.
enum class ReferenceKind { kRtl, kScaleSim, kOnnxim, kDram };

/// What a simulator of memories found; what a row does not give is 0 or empty.
struct DramReference {
  std::string standard, pattern, mapping;
  int channels = 1, queue_depth = 32;  // requests outstanding per channel: reads, and writes
  double peak_gbps = 0;
  double fraction = 0;  // of the peak; above 0
  double mean_read_ns = 0, p99_read_ns = 0;
};

/// One figure.
struct ReferenceCase {
  ReferenceKind kind = ReferenceKind::kRtl;
  std::string file;  // as messages call it
  int line = 0;
  std::string engine;      // RTL: its engine; else the tool: "scale-sim", "onnxim", "dramsim3"
  int rows = 0, cols = 0;  // of the array; 0: not given
  std::string dataflow;    // as written: "WS", "os", "OS-semi"; empty: not given
  std::string dtype;       // "int8", "fp16"; empty: not given
  hw::GemmShape shape;     // DRAM: zeros
  hw::Cycles cycles = 0;   // as printed; DRAM: 0
  Notes notes;
  DramReference memory;  // DRAM only
};

/// Cases in the order of the file. The header tells the kind: every kind needs its columns, in any
/// order, and may have more. Throws ReferenceError with file and line.
std::vector<ReferenceCase> parse_reference(const std::string& text, const std::string& file);
/// The same of a file on disk; `path` is what messages call it.
std::vector<ReferenceCase> read_reference(const std::string& path);

}  // namespace tessera::sim
