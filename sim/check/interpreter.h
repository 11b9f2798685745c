// Executes commands on byte images of DRAM and the buffers, one whole command at a time.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/check/fault.h"
#include "sim/check/happens_before.h"
#include "sim/check/reference.h"
#include "sim/check/view_addresses.h"
#include "sim/mapper/plan.h"
#include "workloads/graph.h"

namespace tessera::sim {

/// Every byte of a buffer carries the DRAM address it was loaded from: operations that depend on an
/// element's row and column (RoPE, reductions over cut rows) find them there.
/// Compares what every store leaves in DRAM with the reference, at once, since addresses are
/// reused. REQUIRES: sizes agree and regions lie inside (ProgramCheck::executable).
class Interpreter {
 public:
  Interpreter(const workloads::Graph& graph, const Plan& plan, const hw::HardwareConfig& hardware,
              const Reference& reference, Numbers numbers, const HappensBefore& order,
              FaultLog& faults);

  /// Tells which repeat of its phase each command of the whole `program` belongs to. Without: the
  /// first.
  void note_repeats(const std::vector<hw::Command>& program);
  /// Inputs, state and weights in DRAM; poison everywhere else.
  void reset(std::uint64_t seed);
  void execute(const hw::Command& command);
  /// Elements compared since reset().
  std::int64_t compared() const { return compared_; }

 private:
  using Bytes = std::vector<std::uint8_t>;
  /// A row of a vector operator that comes in pieces, several times.
  struct CutRow {
    std::vector<std::vector<double>> operands;
    std::vector<bool> seen;  // by column
  };
  struct VectorSite {
    std::vector<ViewAddresses> inputs;
    std::vector<std::size_t> operand;  // by view: of which operand it is part
    std::vector<std::int64_t> first;   // by view: its first column in the operand
    std::vector<std::vector<double>> parameters;
  };

  int repeat_of(const hw::Command& command) const;
  void load(const hw::Command& command);
  void store(const hw::Command& command);
  void compare(const hw::Command& command, std::int64_t address, std::int64_t bytes);
  void gemm(const hw::Command& command);
  void vector(const hw::Command& command);
  void convert(const hw::Command& command, const workloads::Operator& op);
  void softmax(const hw::Command& command);
  void online(const hw::Command& command);
  void rescale(const hw::Command& command);
  const workloads::Operator& product_site(const hw::Command& command) const;
  double sum_of(const hw::TileOperand& sums, std::int64_t row, std::int64_t col, bool floats) const;
  void vector_row(const hw::Command& command, const VectorSite& site, std::int64_t row);
  bool read_row(const hw::Command& command, const VectorSite& site, std::int64_t row,
                RowSlice& slice);
  void collect(const hw::Command& command, const RowSlice& slice);
  bool whole_row(const hw::Command& command, RowSlice& slice);
  void write_row(const hw::VectorCommand& vector, std::int64_t row,
                 const std::vector<double>& values);
  const VectorSite& site_of(const hw::Command& command);
  std::vector<double> read_parameters(const hw::TileOperand& operand, workloads::TensorId id,
                                      std::int64_t& offset) const;
  /// Row-major, as used: transposed tiles are turned.
  std::vector<double> matrix(const hw::TileOperand& operand) const;
  std::uint32_t element(const hw::TileOperand& operand, std::int64_t row, std::int64_t col) const;
  void put(const hw::TileOperand& operand, std::int64_t row, std::int64_t col,
           std::uint32_t pattern);
  template <class Sum>
  void accumulate(const hw::GemmCommand& gemm, const std::vector<double>& a,
                  const std::vector<double>& b, std::vector<Sum>& sums) const;
  template <class Sum>
  void multiply(const hw::Command& command, const std::vector<double>& a,
                const std::vector<double>& b);
  void forget_origins(const hw::TileOperand& operand);
  bool floats(const hw::GemmCommand& gemm) const;
  void fault(hw::CommandId id, const std::string& what);

  const workloads::Graph& graph_;
  const Plan& plan_;
  const Reference& reference_;
  Numbers numbers_;
  const HappensBefore& order_;
  FaultLog& faults_;
  const std::int64_t block_;  // columns of a result block of the hardware loop; 0: no loop
  Bytes dram_;
  std::vector<Bytes> buffers_;
  std::vector<std::vector<std::int64_t>> origins_;  // by buffer and byte: -1 when computed
  std::vector<double> stationary_;  // in the processing elements, as the array uses it
  std::vector<int> repeats_;        // by command
  std::map<std::pair<int, int>, VectorSite> sites_;         // by operator and repeat
  std::map<std::array<std::int64_t, 3>, CutRow> cut_rows_;  // by operator, repeat and row
  std::int64_t compared_ = 0;
};

}  // namespace tessera::sim
