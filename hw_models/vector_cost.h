// How long the vector unit takes: closed forms, no SystemC. Formulas: docs/timing_model.md.
#pragma once

#include <string>
#include <vector>

#include "hw_models/hardware_config.h"
#include "hw_models/tile_program.h"

namespace tessera::hw {

/// Cycles of one command of `operation` over rows x cols elements:
/// ceil(passes * pass_share * per_element * steps) + rows * per_row
///   + ceil(reductions * pass_share) * ceil(log2(lanes)) + latency,
/// where steps = rows * ceil(cols / lanes) for operations with a per-row part or reductions (a row
/// starts on lane 0) and ceil(rows * cols / lanes) for elementwise ones. Throws std::out_of_range
/// for an operation that is not in the table.
Cycles vector_cycles(const VectorConfig& vector, const std::string& operation, std::int64_t rows,
                     std::int64_t cols, double pass_share = 1.0);

/// Cycles a streaming epilogue of `operations`, one after the other on each element, takes for
/// rows x cols results.
Cycles epilogue_cycles(const VectorConfig& vector, const std::vector<std::string>& operations,
                       std::int64_t rows, std::int64_t cols);
/// The same of a Gemm's epilogue.
Cycles epilogue_cycles(const VectorConfig& vector, const Epilogue& epilogue);

/// Cycles of a vector command: of its one operation, or of several as in an epilogue.
Cycles command_cycles(const VectorConfig& vector, const VectorCommand& command);
/// Share of a softmax's passes that online softmax makes over a block of keys which is not the last
/// of its rows: all but the scaling by the sum, which is not known yet.
double online_pass_share(const VectorOperation& softmax);
/// How often a vector command reads its inputs.
double read_passes(const VectorConfig& vector, const VectorCommand& command);

}  // namespace tessera::hw
