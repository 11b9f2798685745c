// Every parameter of the modelled machine, resolved: no optionals, defaults beside the fields.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "hw_models/dram_address.h"
#include "hw_models/dram_channel.h"
#include "hw_models/units.h"

namespace tessera::hw {

enum class Dataflow { kWeightStationary, kOutputStationary, kInputStationary };
/// Load of the next stationary block: behind the stream; beside it, into a second register of the
/// PEs; or beside it, but only together with a row block (at most `rows` rows) of a stream that
/// begins when the block is at hand, else behind the stream.
enum class Preload { kExposed, kOverlapped, kPaired };
/// Whether a fold waits until the array has emptied, or enters right behind the one ahead.
enum class Fill { kPerChain, kPerFold };
/// How output-stationary results leave the PEs: in front of the next fold, while it streams, or in
/// no time (conventions that leave it out).
enum class Drain { kExposed, kOverlapped, kOmitted };
/// Registers of a PE that hold results on their way out: one, and all PEs shift together once the
/// last has its result; or one beside the one that shifts, and each PE follows its neighbour.
enum class ResultRegisters { kSingle, kDouble };
/// Along which side results shift: `rows` steps or `cols` steps.
enum class ResultSide { kRows, kCols };
/// Whether output-stationary results that start from zero are loaded like those accumulated upon.
enum class ResultPreload { kAccumulating, kAlways };
/// How operands reach the PEs: from neighbour to neighbour, a cycle each; all at once; or one side
/// at once while partial sums go round through the `stages` registers of the PEs of a row.
enum class OperandDelivery { kSystolic, kBroadcast, kSemiSystolic };
enum class Role { kStationary, kActivations, kAccumulators, kOutputs };
enum class BankMapping { kBlocked, kInterleaved };
enum class BankPolicy { kDmaFirst, kRoundRobin, kArrayFirst };
enum class Arbitration { kRoundRobin, kPriority };
enum class DramModel { kBandwidth, kTiming };
/// kPartial: a request moves the DRAM bursts that it needs of an aligned piece. kPowersOfTwo: a
/// request moves all of an aligned power of two of bytes, from a burst of the DRAM up to the DMA's,
/// the one that holds most of what is left of the row (TileLink has no other transfers).
enum class RequestSizes { kPartial, kPowersOfTwo };

struct ClockConfig {
  std::int64_t core_hz = 1'000'000'000;
  std::int64_t interconnect_hz = 0;  // 0: the core clock
};

/// rows x cols processing elements.
struct ArrayConfig {
  int rows = 32;
  int cols = 32;
  std::vector<Dataflow> dataflows{Dataflow::kWeightStationary};
  /// MACs per PE and cycle by precision pair, "w8a8" -> 1. A pair not listed cannot run, but for
  /// `dequantise`.
  std::map<std::string, double> throughput{{"w8a8", 1.0}};
  /// Elements a cycle that the path of the right operand widens to the type of the left one, so
  /// that a pair that is not listed runs as the one that is (w4a16 as w16a16, w4bf16 as bf16);
  /// 0: has no such path.
  int dequantise = 0;
  OperandDelivery delivery = OperandDelivery::kSystolic;
  int stages = 1;  // semi-systolic: registers of one PE; a row makes cols x stages results
  Preload preload = Preload::kOverlapped;
  Fill fill = Fill::kPerChain;
  Drain drain = Drain::kOverlapped;
  ResultRegisters result_registers = ResultRegisters::kDouble;
  ResultSide result_side = ResultSide::kRows;
  ResultPreload result_preload = ResultPreload::kAccumulating;
  Cycles pe_latency = 0;    // pipeline of a PE: multiplier, adder; once per chain
  int stream_multiple = 1;  // rows of a fold: K always, others in front of another block
  int stream_minimum = 1;   // least rows of a fold's last row block
  Cycles startup = 0;       // from a command to its first operand row
  int issue_ahead = 1;      // commands that start up while another one streams
};

/// Cost of one vector operation: `passes` over the data, `per_element` cycles per element and lane
/// in each pass, `per_row` serial cycles per row. Of the passes `reductions` reduce every row to
/// one value in a tree across the lanes: rows follow each other through it, so its depth shows once
/// per pass and command. `latency` cycles (pipeline) once per command.
struct VectorOperation {
  double passes = 1;
  double per_element = 1;
  Cycles per_row = 0;
  int reductions = 0;
  Cycles latency = 0;
};

struct VectorConfig {
  int lanes = 32;
  std::map<std::string, VectorOperation> operations;  // open map, documented defaults
};

struct BufferConfig {
  std::string name;
  Bytes capacity = 0;
  int banks = 1;
  int ports = 1;       // accesses per bank and cycle
  Bytes width = 32;    // bytes of one access
  Cycles latency = 1;  // from access to data
  BankMapping bank_mapping = BankMapping::kBlocked;
  Bytes interleave = 0;  // kInterleaved: bytes in one bank before the next
  BankPolicy policy = BankPolicy::kDmaFirst;
  int element_bits = 32;  // accumulators: width of one partial sum
  std::vector<Role> roles;
};

constexpr int kMaxDmaQueues = 8;  // of each direction
constexpr int kMaxDmaChannels = 64;

struct DmaConfig {
  int channels = 2;      // queue q runs on channel q mod channels
  int load_queues = 2;   // 0: stationary operands, the others: streamed operands, in turn
  int store_queues = 1;  // in turn
  Bytes burst = 256;     // naturally aligned request size
  RequestSizes sizes = RequestSizes::kPartial;
  int outstanding = 32;    // requests in flight per channel
  int slice = 0;           // requests that go out together; 0: see dma_slice()
  Cycles descriptor = 16;  // set-up cycles per command
};

struct InterconnectConfig {
  Bytes width = 32;     // bytes per interconnect cycle
  Cycles latency = 20;  // interconnect cycles, each way
  Arbitration arbitration = Arbitration::kRoundRobin;
};

struct DramConfig {
  std::string standard = "custom";
  int channels = 1;  // data buses: of HBM2, pseudo channels
  DramModel model = DramModel::kBandwidth;
  double peak_bytes_per_second = 25.6e9;  // all channels together
  /// Sustained / peak: what the bandwidth model does; of the timing model, what prices expect.
  double efficiency = 1.0;
  double write_peak_bytes_per_second = 0;  // bandwidth model: of a path of its own; 0: shared
  /// Request to first data: always of the bandwidth model; of the timing model a row conflict on
  /// an idle channel, which prices expect.
  Femtoseconds latency_fs = 100'000'000;
  Bytes burst = 64;  // bytes of one DRAM burst; bus bytes count whole ones
  Bytes row = 2048;  // page of one channel: the default tensor alignment

  // Timing model.
  DramDevice device;
  DramPolicy policy;
  std::string order;                        // bits of an address, from the top
  BankHash hash = BankHash::kRow;           // into bank group and bank
  bool hash_channels = true;                // all bits above it into the channel
  Femtoseconds controller_fs = 30'000'000;  // queue entry, PHY, clock crossings, both ways together

  /// Channels with queues and a command bus of their own.
  int controllers() const { return channels / device.pseudo_channels; }
};

/// A loop in hardware that walks a tile in small commands: loads of at most `m`, `k` or `n` rows of
/// `row` bytes, Gemms of at most m x k x n, stores of at most m rows of `row` bytes, results
/// leaving through the vector unit in front of their store. It loads both operands of every tile,
/// whatever is on chip already, and a tile's loads begin once the tile `tiles_in_flight` before it
/// is stored.
struct HardwareLoop {
  std::int64_t m = 0, k = 0, n = 0;  // 0: no such loop, a tile is one command
  Bytes row = 64;
  int tiles_in_flight = 2;
  bool exists() const { return m > 0; }
};

struct SequencerConfig {
  int queue_depth = 16;
  Cycles dispatch = 4;           // per command
  Cycles operator_launch = 200;  // per operator, before its first command
  HardwareLoop loop;
};

struct HardwareConfig {
  std::string name;
  ClockConfig clocks;
  int cores = 1;
  ArrayConfig array;
  VectorConfig vector;
  std::vector<BufferConfig> buffers;
  DmaConfig dma;
  InterconnectConfig interconnect;
  DramConfig dram;
  SequencerConfig sequencer;
};

/// Index in `hardware.buffers` of the buffer that serves `role`. REQUIRES: one exists (the
/// configuration reader guarantees it).
int buffer_of(const HardwareConfig& hardware, Role role);
/// Bytes per core cycle at peak, and as sustained: by the bandwidth model always, by the timing
/// model under mixed streams.
double peak_bytes_per_cycle(const HardwareConfig& hardware);
double sustained_bytes_per_cycle(const HardwareConfig& hardware);
/// What no traffic exceeds: a short stream of reads can do without refresh and turnaround.
double limit_bytes_per_cycle(const HardwareConfig& hardware);
/// What the interconnect carries each way, per core cycle.
double interconnect_bytes_per_cycle(const HardwareConfig& hardware);
/// A DMA command's requests go out in slices: what one queue sends before another one of its
/// channel has its turn. By default a quarter of the requests in flight, of at most 8 full
/// requests' bytes.
struct DmaSlice {
  int requests = 1;
  Bytes bytes = 0;
};
DmaSlice dma_slice(const DmaConfig& dma);

/// How fast the array works on a precision pair.
struct PairRate {
  double macs_per_pe = 1.0;  // MACs per PE and cycle
  int right_per_cycle = 0;   // elements of the right operand a cycle; 0: as many as it takes
  PairRate(double macs = 1.0, int right = 0) : macs_per_pe(macs), right_per_cycle(right) {}
};
/// nullopt: the array can neither run the pair nor dequantise it to one that it can.
std::optional<PairRate> pair_rate(const ArrayConfig& array, const std::string& pair);
/// MACs per cycle of the whole array for a pair, dequantised if need be; 0 when it cannot run.
double macs_per_cycle(const ArrayConfig& array, const std::string& pair);
/// Columns of one fold's block: `cols`, times `stages` where partial sums go round.
std::int64_t block_cols(const ArrayConfig& array);
/// Sum of all buffer capacities.
Bytes sram_bytes(const HardwareConfig& hardware);
/// Documented defaults of the vector operation table.
const std::map<std::string, VectorOperation>& default_vector_operations();
/// Where each default comes from.
const std::map<std::string, std::string>& vector_operation_sources();

const char* to_string(Dataflow dataflow);
const char* to_string(Role role);

}  // namespace tessera::hw
