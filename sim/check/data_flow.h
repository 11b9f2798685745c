// Follows data by where they came from, not by value: every product formed once, every result
// stored once and in its place.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/check/fault.h"
#include "sim/check/happens_before.h"
#include "sim/check/interval_map.h"
#include "sim/check/operator_execution.h"

namespace tessera::sim {

/// Which results of an operator: attention makes some on its way.
enum class Stage { kScores, kProbabilities, kStatistics, kResult };

/// What lies in a stretch of a buffer. Never changes once made.
struct Content {
  enum class Kind {
    kLoaded,  // bytes of DRAM
    kResults  // results of an operator, finished or not
  };
  Kind kind = Kind::kLoaded;
  hw::CommandId maker = hw::kNoCommand;
  int op = -1, execution = 0;
  std::int64_t base = 0;  // first byte in the buffer
  // kLoaded
  hw::TransferCommand transfer;
  // kResults: rows of `cols` results at `bits`, `pitch` bytes apart, from `first` on
  ElementPlace first;
  std::size_t view = 0;              // of the operator's outputs
  std::int64_t pitch = 0, cols = 0;  // cols: of scores and probabilities
  int bits = 8;
  std::vector<int> products;  // by row: number of a product set
  bool partial = false;       // partial sums; else operands or finished results
  Stage stage = Stage::kResult;
  // Online softmax: to the maximum of how many keys they are; of statistics also, to that of how
  // many the block before left it.
  std::int64_t seen = 0, seen_before = 0;
};

/// Bytes of a buffer that lie in one piece where they come from.
struct Stretch {
  const Content* content = nullptr;  // null: nothing known
  std::int64_t bytes = 0;
  std::int64_t row = 0;      // of the content
  std::int64_t address = 0;  // kLoaded: in DRAM
  std::int64_t bit = 0;      // kResults: from the start of its row
};

/// Rows and columns of its operator that a vector command works on.
struct VectorWindow {
  std::int64_t row = 0, rows = 0;
  std::int64_t col = 0, cols = 0;
};

class DataFlow {
 public:
  DataFlow(const workloads::Graph& graph, const Plan& plan, const hw::HardwareConfig& hardware,
           const HappensBefore& order, FaultLog& faults);

  /// The next command in program order. REQUIRES: size_mistake() has none, regions inside buffers.
  void add(const hw::Command& command, OperatorExecution& execution);
  std::int64_t macs() const { return macs_; }

 private:
  /// An operand: the tile of a view that starts at this element, as stored.
  using Tile = std::optional<ElementPlace>;
  struct Stationary {
    hw::CommandId loader = hw::kNoCommand;  // the Gemm that brought it in
    int op = -1;
    hw::Dataflow dataflow = hw::Dataflow::kWeightStationary;
    hw::TileOperand operand;
    std::int64_t m = 0, k = 0, n = 0;
    Tile tile;
  };

  /// One product of two operands: of a Gemm operator, or one of the two in attention.
  struct Product {
    Stage makes = Stage::kResult;
    std::int64_t k = 0;  // products of a result
    int bits = 8;        // of a finished result
    const workloads::Operator* site = nullptr;
    std::int64_t seen = 0;  // online: of the left operand
  };

  static bool belongs(const Content* content, const OperatorExecution& execution);
  /// Nobody has stored to these bytes of DRAM since they were loaded (at both ends of the stretch).
  bool fresh(const Stretch& source) const;
  Stretch stretch(int buffer, std::int64_t at, std::int64_t bytes) const;
  void load(const hw::Command& command, const OperatorExecution& execution);
  void store(const hw::Command& command, OperatorExecution& execution);
  void store_piece(const hw::Command& command, OperatorExecution& execution, std::int64_t from,
                   std::int64_t address, std::int64_t bytes);
  void store_partial(const hw::Command& command, OperatorExecution& execution,
                     const Stretch& source, std::int64_t address);
  void check_copy(const hw::Command& command, const OperatorExecution& execution,
                  const Stretch& source, std::int64_t address);
  static bool equal_row(const OperatorExecution& execution, const ViewAddresses& view,
                        std::int64_t row, std::int64_t bit, std::int64_t col);
  void check_place(const hw::Command& command, const OperatorExecution& execution,
                   const Stretch& source, std::int64_t address);
  void owe_less(const hw::Command& command, OperatorExecution& execution, std::int64_t address,
                std::int64_t bytes);
  void gemm(const hw::Command& command, OperatorExecution& execution);
  Tile tile_of(const hw::Command& command, const char* name, const hw::TileOperand& operand,
               const ViewAddresses& view);
  Tile stationary_tile(const hw::Command& command, const char* name, const ViewAddresses& view);
  void note_stationary(const hw::Command& command, const Tile& a, const Tile& b);
  Product product_of(const hw::Command& command, const OperatorExecution& execution) const;
  Tile left_tile(const hw::Command& command, const OperatorExecution& execution,
                 const Product& product);
  Tile probabilities(const hw::Command& command, const OperatorExecution& execution);
  void add_products(const hw::Command& command, OperatorExecution& execution,
                    const Product& product, const ElementPlace& first, std::int64_t k);
  static int held_products(const OperatorExecution& execution, const Stretch& source,
                           std::int64_t& bytes);
  int row_products(const hw::Command& command, const OperatorExecution& execution,
                   const Product& product, const ElementPlace& first, std::int64_t row);
  bool residual_fits(const hw::Command& command, const OperatorExecution& execution,
                     const Content& results);
  void finish_results(const hw::Command& command, const OperatorExecution& execution,
                      const Product& product, const Content& results);
  void place_rows(const hw::TileOperand& operand, std::shared_ptr<const Content> content);
  void vector(const hw::Command& command, OperatorExecution& execution);
  void convert(const hw::Command& command, const OperatorExecution& execution);
  void softmax(const hw::Command& command, const OperatorExecution& execution);
  void online_softmax(const hw::Command& command, const OperatorExecution& execution);
  const Content* statistics(const hw::TileOperand& operand, const OperatorExecution& execution,
                            const ElementPlace& first) const;
  void rescale(const hw::Command& command, const OperatorExecution& execution);
  std::shared_ptr<Content> made_by(const hw::Command& command, const OperatorExecution& execution,
                                   const hw::TileOperand& output, Stage stage,
                                   const ElementPlace& first) const;
  void place_probabilities(const hw::Command& command, const OperatorExecution& execution,
                           std::size_t block, const ElementPlace& first);
  Tile finished_tile(const hw::TileOperand& operand, const OperatorExecution& execution,
                     Stage stage) const;
  bool convert_block(const hw::Command& command, const OperatorExecution& execution,
                     const hw::TileOperand& sums, const hw::TileOperand& output);
  bool check_inputs(const hw::Command& command, const OperatorExecution& execution,
                    VectorWindow& window);
  bool check_input(const hw::Command& command, const ViewAddresses& view,
                   const hw::TileOperand& input, std::int64_t row, std::int64_t col);
  bool check_parameters(const hw::Command& command, const OperatorExecution& execution);
  bool seen_whole_rows(const hw::Command& command, OperatorExecution& execution,
                       const VectorWindow& window);
  void write_outputs(const hw::Command& command, const OperatorExecution& execution,
                     const VectorWindow& window);
  std::optional<std::int64_t> loaded_from(const hw::TileOperand& operand, std::int64_t row) const;
  void fault(FaultKind kind, hw::CommandId id, const std::string& what);

  using Space = IntervalMap<std::shared_ptr<const Content>>;
  const workloads::Graph& graph_;
  const Plan& plan_;
  const HappensBefore& order_;
  FaultLog& faults_;
  const std::int64_t block_;  // columns of a result block of the hardware loop; 0: no loop
  std::vector<Space> buffers_;
  IntervalMap<hw::CommandId> dram_;  // latest store, not of partial sums
  Stationary stationary_;
  std::int64_t macs_ = 0;
};

/// `operations` are the epilogue of a Gemm operator.
bool is_epilogue_of(const workloads::Operator& site, const std::vector<std::string>& operations);

/// Online softmax: does the command rescale sums of the context?
bool is_rescaling(const hw::Command& command, const Plan& plan);

/// Where byte `at` of a transfer's region lies in DRAM, and how many bytes follow it in both.
struct MovedByte {
  std::int64_t address = 0, bytes = 0, row = 0;
};
MovedByte moved_byte(const hw::TransferCommand& transfer, std::int64_t at);

}  // namespace tessera::sim
