// The flow of data through vector commands.
#include <algorithm>
#include <utility>

#include "sim/check/accesses.h"
#include "sim/check/data_flow.h"
#include "sim/check/numerics.h"
#include "sim/check/reference.h"

namespace tessera::sim {

using hw::Command;
using hw::TileOperand;

namespace {

/// By view: its first column in the operand it belongs to. Views narrower than the operator lie
/// side by side.
std::vector<std::int64_t> first_columns(const std::vector<ViewAddresses>& views, std::int64_t n) {
  std::vector<std::int64_t> first;
  std::int64_t next = 0;
  for (const ViewAddresses& view : views) {
    if (view.cols() == n) next = 0;
    first.push_back(next);
    next += view.cols() == n ? 0 : view.cols();
  }
  return first;
}

}  // namespace

void DataFlow::vector(const Command& command, OperatorExecution& execution) {
  const workloads::Operator& site = *execution.site;
  if (workloads::is_gemm(site)) return convert(command, execution);
  if (is_rescaling(command, plan_)) return rescale(command, execution);
  if (execution.is_attention()) return softmax(command, execution);
  if (command.vector.operations != operations_of(site)) {
    return fault(FaultKind::kOutputs, command.id, "has other operations than its operator");
  }
  const std::size_t parameters = site.parameters.empty() ? 0 : 1;
  if (command.vector.inputs.size() != site.inputs.size() + parameters) {
    return fault(FaultKind::kOutputs, command.id, "has another number of inputs than its operator");
  }
  VectorWindow window;
  if (!check_inputs(command, execution, window)) return;
  if (parameters > 0 && !check_parameters(command, execution)) return;
  if (!seen_whole_rows(command, execution, window)) return;
  write_outputs(command, execution, window);
}

/// The epilogue of a Gemm as a command of its own: finishes results block by block.
void DataFlow::convert(const Command& command, const OperatorExecution& execution) {
  const hw::VectorCommand& vector = command.vector;
  if (!is_epilogue_of(*execution.site, vector.operations)) {
    return fault(FaultKind::kOutputs, command.id, "has other operations than its operator");
  }
  const bool one_each = vector.inputs.size() == 1 && vector.outputs.size() == 1 &&
                        vector.inputs[0].rows == vector.rows &&
                        vector.inputs[0].cols == vector.outputs[0].cols;
  if (!one_each || vector.outputs[0].bits != execution.out().bits()) {
    return fault(FaultKind::kOutputs, command.id, "leaves results of another shape or width");
  }
  const std::vector<TileOperand> sums = blocks_of(vector.inputs[0], block_);
  const std::vector<TileOperand> outputs = blocks_of(vector.outputs[0], block_);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (!convert_block(command, execution, sums[i], outputs[i])) return;
  }
}

/// All rows are those of one result tile, and no product is missing.
bool DataFlow::convert_block(const Command& command, const OperatorExecution& execution,
                             const TileOperand& sums, const TileOperand& output) {
  std::shared_ptr<Content> finished;
  for (std::int64_t row = 0; row < sums.rows; ++row) {
    const Stretch source =
        stretch(sums.region.buffer, sums.region.offset + row * sums.pitch, sums.pitch);
    const Content* content = source.content;
    const bool whole = belongs(content, execution) && content->kind == Content::Kind::kResults &&
                       content->partial && source.bit == 0 && source.bytes == sums.pitch &&
                       content->bits == sums.bits;
    if (!whole) {
      fault(FaultKind::kOutputs, command.id, "finishes what are no partial sums of its operator");
      return false;
    }
    const int products = content->products[static_cast<std::size_t>(source.row)];
    if (!execution.products.complete(products, execution.site->k)) {
      fault(FaultKind::kMacs, command.id,
            "finishes results that lack products (row " +
                std::to_string(content->first.row + source.row) + ")");
      return false;
    }
    if (!finished) {
      finished = std::make_shared<Content>(*content);
      finished->first.row += source.row;
    }
    const ElementPlace& first = finished->first;
    if (content->first.matrix != first.matrix || content->first.col != first.col ||
        content->first.row + source.row != first.row + row) {
      fault(FaultKind::kOutputs, command.id, "finishes rows that are no tile of its result");
      return false;
    }
  }
  finished->maker = command.id;
  finished->partial = false;
  finished->products.clear();
  finished->base = output.region.offset;
  finished->pitch = output.pitch;
  finished->bits = output.bits;
  place_rows(output, finished);
  return true;
}

/// The place of a tile whose rows are finished results of this stage, all of one block of them.
DataFlow::Tile DataFlow::finished_tile(const TileOperand& operand,
                                       const OperatorExecution& execution, Stage stage) const {
  Tile tile;
  const std::int64_t row_bytes = hw::ceil_div(operand.cols * operand.bits, 8);
  for (std::int64_t row = 0; row < operand.rows; ++row) {
    const Stretch source =
        stretch(operand.region.buffer, operand.region.offset + row * operand.pitch, row_bytes);
    const Content* content = source.content;
    const bool finished = belongs(content, execution) && content->kind == Content::Kind::kResults &&
                          !content->partial && content->stage == stage && source.bit == 0 &&
                          source.bytes == row_bytes && content->pitch == operand.pitch &&
                          content->bits == operand.bits && content->cols == operand.cols;
    if (!finished) return std::nullopt;
    const ElementPlace place{content->first.matrix, content->first.row + source.row,
                             content->first.col};
    if (!tile) tile = place;
    if (place.matrix != tile->matrix || place.row != tile->row + row || place.col != tile->col) {
      return std::nullopt;
    }
  }
  return tile;
}

/// The softmax inside attention: blocks of the same rows, all keys in ascending order.
void DataFlow::softmax(const Command& command, const OperatorExecution& execution) {
  const hw::VectorCommand& vector = command.vector;
  if (plan_.operators[static_cast<std::size_t>(command.op)].attention.online) {
    return online_softmax(command, execution);
  }
  const workloads::Operator& site = *execution.site;
  if (vector.operations != std::vector<std::string>{site.operation}) {
    return fault(FaultKind::kOutputs, command.id, "has other operations than its operator");
  }
  std::int64_t next = 0;  // column
  Tile first;
  for (std::size_t i = 0; i < vector.inputs.size(); ++i) {
    const Tile tile = finished_tile(vector.inputs[i], execution, Stage::kScores);
    if (!first) first = tile;
    const bool fits = tile && tile->matrix == first->matrix && tile->row == first->row &&
                      tile->col == next && vector.inputs[i].rows == vector.rows;
    if (!fits) {
      return fault(FaultKind::kOutputs, command.id,
                   "input " + std::to_string(i) + " does not hold the scores of its rows");
    }
    next += vector.inputs[i].cols;
  }
  if (next != site.n || vector.cols != site.n || vector.outputs.size() != vector.inputs.size()) {
    return fault(FaultKind::kOutputs, command.id, "does not take and leave whole rows");
  }
  for (std::size_t i = 0; i < vector.inputs.size(); ++i) {
    place_probabilities(command, execution, i, *first);
    first->col += vector.inputs[i].cols;
  }
}

void DataFlow::place_probabilities(const Command& command, const OperatorExecution& execution,
                                   std::size_t block, const ElementPlace& first) {
  const TileOperand& input = command.vector.inputs[block];
  const TileOperand& output = command.vector.outputs[block];
  if (output.cols != input.cols || output.bits != input.bits) {
    return fault(FaultKind::kOutputs, command.id, "leaves probabilities of another shape");
  }
  place_rows(output, made_by(command, execution, output, Stage::kProbabilities, first));
}

/// The DRAM address of the first byte of a row; nullopt when it was not loaded.
std::optional<std::int64_t> DataFlow::loaded_from(const TileOperand& operand,
                                                  std::int64_t row) const {
  const Stretch source =
      stretch(operand.region.buffer, operand.region.offset + row * operand.pitch, 1);
  if (source.content == nullptr || source.content->kind != Content::Kind::kLoaded) {
    return std::nullopt;
  }
  return source.address;
}

/// All inputs hold the same rows and columns of their views; `window` tells which.
bool DataFlow::check_inputs(const Command& command, const OperatorExecution& execution,
                            VectorWindow& window) {
  const hw::VectorCommand& vector = command.vector;
  const std::int64_t n = execution.site->n;
  const std::vector<std::int64_t> first = first_columns(execution.inputs, n);
  window = {-1, vector.rows, -1, vector.cols};
  // Views whose rows repeat do not tell which row they hold: the others do.
  for (const bool distinct : {true, false}) {
    for (std::size_t i = 0; i < execution.inputs.size() && window.row < 0; ++i) {
      const ViewAddresses& view = execution.inputs[i];
      if (vector.inputs[i].cols == 0 || view.distinct() != distinct) continue;
      const auto address = loaded_from(vector.inputs[i], 0);
      const auto place = address ? view.find(*address * 8) : std::nullopt;
      if (!place) break;
      window.row = view.row_of(*place);
    }
  }
  for (std::size_t i = 0; i < execution.inputs.size(); ++i) {
    const TileOperand& input = vector.inputs[i];
    if (input.cols == 0) continue;
    const auto address = loaded_from(input, 0);
    const auto place = address ? execution.inputs[i].find(*address * 8) : std::nullopt;
    const std::int64_t col = place ? first[i] + place->col : -1;
    if (window.col < 0) window.col = col;
    const bool wide = execution.inputs[i].cols() == n;
    const std::int64_t wanted = wide ? window.col : std::max(window.col, first[i]);
    const std::int64_t end =
        std::min(window.col + window.cols, first[i] + execution.inputs[i].cols());
    const bool fits = place && window.row >= 0 && col == wanted && input.cols == end - wanted &&
                      input.rows == window.rows;
    if (!fits) {
      fault(FaultKind::kOutputs, command.id,
            "input " + std::to_string(i) + " does not hold the rows and columns of the others");
      return false;
    }
    if (!check_input(command, execution.inputs[i], input, window.row, place->col)) return false;
  }
  return window.col >= 0;
}

bool DataFlow::check_input(const Command& command, const ViewAddresses& view,
                           const TileOperand& input, std::int64_t row, std::int64_t col) {
  const std::int64_t row_bytes = hw::row_bytes(input);
  if (row + input.rows > view.all_rows() || col + input.cols > view.cols() ||
      !view.stores_like(input)) {
    fault(FaultKind::kOutputs, command.id, "reads beyond its operator's operand");
    return false;
  }
  for (std::int64_t r = 0; r < input.rows; ++r) {
    const std::int64_t at = input.region.offset + r * input.pitch;
    const std::int64_t wanted = view.bit_address(view.in_row(row + r, col));
    for (std::int64_t done = 0; done < row_bytes;) {
      const Stretch source = stretch(input.region.buffer, at + done, row_bytes - done);
      const bool right = source.content != nullptr &&
                         source.content->kind == Content::Kind::kLoaded && fresh(source) &&
                         (source.address - done) * 8 == wanted;
      if (!right) {
        fault(FaultKind::kOutputs, command.id,
              "row " + std::to_string(r) + " of an input does not hold row " +
                  std::to_string(row + r) + " of the operand, from column " + std::to_string(col));
        return false;
      }
      done += source.bytes;
    }
  }
  return true;
}

/// The parameter tensors, one behind the other, whole.
bool DataFlow::check_parameters(const Command& command, const OperatorExecution& execution) {
  const TileOperand& held = command.vector.inputs.back();
  std::int64_t at = held.region.offset;
  for (const workloads::TensorId id : execution.site->parameters) {
    const TensorAllocation& home = plan_.tensors[static_cast<std::size_t>(id)];
    const std::int64_t bytes =
        workloads::stored_bytes(graph_.tensors[static_cast<std::size_t>(id)]);
    for (std::int64_t done = 0; done < bytes;) {
      const Stretch source = stretch(held.region.buffer, at + done, bytes - done);
      const bool right = source.content != nullptr &&
                         source.content->kind == Content::Kind::kLoaded &&
                         source.address == home.address + done;
      if (!right) {
        fault(FaultKind::kOutputs, command.id, "does not find its parameters in their region");
        return false;
      }
      done += source.bytes;
    }
    at += bytes;
  }
  if (at <= held.region.offset + held.region.bytes) return true;
  fault(FaultKind::kOutputs, command.id, "has too few bytes of parameters");
  return false;
}

/// A row that is cut into columns must have been read whole before a reduction over it writes. How
/// many passes read it is a matter of time, not of values.
bool DataFlow::seen_whole_rows(const Command& command, OperatorExecution& execution,
                               const VectorWindow& window) {
  const std::int64_t n = execution.site->n;
  if (window.cols == n || !reduces_rows(command.vector.operations)) return true;
  for (std::int64_t row = window.row; row < window.row + window.rows; ++row) {
    auto& pieces = execution.read[row];
    std::int64_t& piece = pieces[window.col];
    piece = std::max(piece, window.cols);
    if (command.vector.outputs.empty()) continue;
    std::int64_t seen = 0;
    for (const auto& [col, cols] : pieces) {
      if (col <= seen) seen = std::max(seen, col + cols);
    }
    if (seen >= n) continue;
    fault(FaultKind::kOutputs, command.id,
          "writes row " + std::to_string(row) + " before all of it has been read");
    return false;
  }
  return true;
}

void DataFlow::write_outputs(const Command& command, const OperatorExecution& execution,
                             const VectorWindow& window) {
  const std::int64_t n = execution.site->n;
  const auto& outputs = command.vector.outputs;
  const std::vector<std::int64_t> first = first_columns(execution.outputs, n);
  std::size_t next = 0;
  for (std::size_t i = 0; i < execution.outputs.size() && next < outputs.size(); ++i) {
    const ViewAddresses& view = execution.outputs[i];
    const std::int64_t begin = std::max(window.col, first[i]);
    const std::int64_t end = std::min(window.col + window.cols, first[i] + view.cols());
    if (begin >= end) continue;
    const TileOperand& output = outputs[next++];
    if (output.cols != end - begin || output.bits != view.bits()) {
      return fault(FaultKind::kOutputs, command.id,
                   "output " + std::to_string(i) + " has another width than its inputs give");
    }
    auto content = std::make_shared<Content>();
    content->kind = Content::Kind::kResults;
    content->maker = command.id;
    content->op = command.op;
    content->execution = execution.number;
    content->base = output.region.offset;
    content->first = view.in_row(window.row, begin - first[i]);
    content->view = i;
    content->pitch = output.pitch;
    content->bits = output.bits;
    place_rows(output, std::move(content));
  }
}

}  // namespace tessera::sim
