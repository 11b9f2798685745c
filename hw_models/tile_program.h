// What the modelled hardware executes: commands with explicit tokens over regions of buffers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hw_models/hardware_config.h"
#include "hw_models/units.h"

namespace tessera::hw {

using CommandId = std::int64_t;  // position in the program
constexpr CommandId kNoCommand = -1;

enum class CommandKind { kLoad, kStore, kGemm, kVector };
/// Why a command waits for another.
enum class Hazard { kReadAfterWrite, kWriteAfterRead, kWriteAfterWrite };
/// Classes that reports key traffic by.
enum class TrafficClass { kWeights, kActivations, kOutputs, kPartialSums, kKvCache };
constexpr int kTrafficClasses = 5;

/// Bytes [offset, offset + bytes) of a buffer.
struct Region {
  int buffer = -1;
  Bytes offset = 0;
  Bytes bytes = 0;
};

/// The token of `command`: fires when that command has completed (last byte in place).
struct Wait {
  CommandId command = kNoCommand;
  Hazard hazard = Hazard::kReadAfterWrite;
  bool accumulators = false;  // the hazard is over a region of the accumulators
};

/// A matrix in DRAM as blocks of `block_rows` rows x `block_width` bytes, block after block from
/// left to right, strip of rows after strip; the last strip may have fewer rows. Programs address
/// it as if it were row major: where a byte really lies concerns the DRAM alone.
struct Tiling {
  std::int64_t base = 0;
  Bytes pitch = 0;  // a multiple of block_width
  std::int64_t rows = 0, block_rows = 0;
  Bytes block_width = 0;  // a power of two; 0: row major
  bool exists() const { return block_width > 0; }
  /// Where the byte at the row-major `address` lies; `block_width` aligned bytes stay together.
  std::int64_t place(std::int64_t address) const;
};

/// DRAM side of a Load or Store: count[1] x count[0] rows of `row_bytes`, strides in bytes.
struct StridedRange {
  std::int64_t address = 0;
  Bytes row_bytes = 0;
  std::int64_t count[2] = {1, 1};
  Bytes stride[2] = {0, 0};
  Tiling tiling;
};
/// Useful bytes of the range.
Bytes useful_bytes(const StridedRange& range);
/// The same bytes with adjacent rows joined: a contiguous tile becomes one row.
StridedRange coalesced(StridedRange range);
/// Bytes that move on the DRAM bus: every row takes whole, naturally aligned bursts.
Bytes bus_bytes(const StridedRange& range, Bytes burst);

/// A matrix tile inside a region: rows of `cols` elements, `pitch` bytes from row to row.
struct TileOperand {
  Region region;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  Bytes pitch = 0;
  int bits = 8;
  TrafficClass traffic = TrafficClass::kActivations;
  bool transposed = false;  // stored transposed to the way the Gemm uses it
};

/// Streaming epilogue of a Gemm: results leave the accumulators through the vector unit. Where the
/// output has half the Gemm's columns, its first operation joins neighbouring columns, two by two.
struct Epilogue {
  std::vector<std::string> operations;  // keys of the vector operation table, in order
  TileOperand output;                   // where the results go
  bool adds_output = false;  // the first operation takes what lies in `output` as second operand
};

/// C[m,n] (+)= A[m,k] * B[k,n].
struct GemmCommand {
  std::int64_t m = 0, k = 0, n = 0;
  Dataflow dataflow = Dataflow::kWeightStationary;
  std::string precision = "w8a8";
  TileOperand a, b, c;
  bool accumulate = false;           // false: overwrite the accumulators
  bool keeps_stationary = false;     // the stationary block of the Gemm ahead stays in the PEs
  std::optional<Epilogue> epilogue;  // on the last k tile of a result
};

/// `operations` are keys of the vector operation table; several work on each element one after the
/// other, in one pass over the data.
struct VectorCommand {
  std::vector<std::string> operations;
  std::int64_t rows = 0;
  std::int64_t cols = 0;    // elements per row
  double pass_share = 1.0;  // share of the operation's passes that this command does
  std::vector<TileOperand> inputs;
  std::vector<TileOperand> outputs;
};

/// On chip the rows lie one behind the other, or cut into blocks: with `block_row_bytes` > 0 every
/// row is cut into pieces of so many bytes (the last may be shorter), and the pieces of one column
/// of blocks lie together, row by row, the next column of blocks behind them.
struct TransferCommand {
  StridedRange dram;
  Region region;
  TrafficClass traffic = TrafficClass::kActivations;
  Bytes block_row_bytes = 0;
};

struct Command {
  CommandId id = kNoCommand;
  CommandKind kind = CommandKind::kLoad;
  int core = 0;
  int queue = 0;          // Load: load queue; Store: store queue; Gemm, Vector: 0
  int op = -1;            // operator index in the program's operator table
  bool launches = false;  // first command of an operator execution: costs operator_launch
  std::vector<Wait> waits;
  TransferCommand transfer;  // Load, Store
  GemmCommand gemm;
  VectorCommand vector;
  Femtoseconds not_before = 0;
};

/// Produces the program's commands in order, ahead of the machine by at most its window.
/// Commands come with consecutive ids from 0.
class CommandSource {
 public:
  virtual ~CommandSource() = default;
  /// The next command, or nullopt at the end of the program.
  virtual std::optional<Command> next() = 0;
};

const char* to_string(CommandKind kind);
const char* to_string(TrafficClass traffic);

}  // namespace tessera::hw
