// The flow of data through online softmax: every share and every sum knows to the maximum of how
// many keys it is.
#include <utility>

#include "sim/check/data_flow.h"
#include "sim/mapper/attention_mapping.h"

namespace tessera::sim {

using hw::Command;
using hw::TileOperand;

bool is_rescaling(const Command& command, const Plan& plan) {
  return plan.operators[static_cast<std::size_t>(command.op)].attention.online &&
         command.vector.operations == std::vector<std::string>{kRescale};
}

std::shared_ptr<Content> DataFlow::made_by(const Command& command,
                                           const OperatorExecution& execution,
                                           const TileOperand& output, Stage stage,
                                           const ElementPlace& first) const {
  auto content = std::make_shared<Content>();
  content->kind = Content::Kind::kResults;
  content->maker = command.id;
  content->op = command.op;
  content->execution = execution.number;
  content->base = output.region.offset;
  content->first = first;
  content->pitch = output.pitch;
  content->bits = output.bits;
  content->cols = output.cols;
  content->stage = stage;
  return content;
}

/// The statistics of the rows from `first` on, if the operand holds them all, as of one block.
const Content* DataFlow::statistics(const TileOperand& operand, const OperatorExecution& execution,
                                    const ElementPlace& first) const {
  const Content* found = nullptr;
  for (std::int64_t row = 0; row < operand.rows; ++row) {
    const Stretch source = stretch(operand.region.buffer,
                                   operand.region.offset + row * operand.pitch, kStatisticsBytes);
    const Content* content = source.content;
    const bool fits = belongs(content, execution) && content->stage == Stage::kStatistics &&
                      source.bit == 0 && source.bytes == kStatisticsBytes &&
                      content->first.matrix == first.matrix &&
                      content->first.row + source.row == first.row + row;
    if (!fits) return nullptr;
    if (found != nullptr &&
        (found->seen != content->seen || found->seen_before != content->seen_before)) {
      return nullptr;
    }
    found = content;
  }
  return found;
}

/// One block of keys behind those that the statistics have seen.
void DataFlow::online_softmax(const Command& command, const OperatorExecution& execution) {
  const hw::VectorCommand& vector = command.vector;
  if (vector.operations != std::vector<std::string>{execution.site->operation} ||
      vector.outputs.size() != 2) {
    return fault(FaultKind::kOutputs, command.id, "is no online softmax of its operator");
  }
  const TileOperand &scores = vector.inputs[0], &shares = vector.outputs[0];
  const Tile tile = finished_tile(scores, execution, Stage::kScores);
  if (!tile || scores.rows != vector.rows || scores.cols != vector.cols) {
    return fault(FaultKind::kOutputs, command.id, "does not find the scores of its rows");
  }
  if (shares.cols != scores.cols || shares.bits != scores.bits) {
    return fault(FaultKind::kOutputs, command.id, "leaves probabilities of another shape");
  }
  const auto holds_statistics = [&](const TileOperand& operand) {
    return operand.rows == vector.rows && operand.cols == kStatisticsKept && operand.bits == 32;
  };
  const bool goes_on = vector.inputs.size() == 2;
  const bool shaped =
      holds_statistics(vector.outputs[1]) && (!goes_on || holds_statistics(vector.inputs[1]));
  const Content* before =
      goes_on && shaped ? statistics(vector.inputs[1], execution, *tile) : nullptr;
  if (!shaped || goes_on != (tile->col > 0) || (goes_on && before == nullptr) ||
      (goes_on && before->seen != tile->col)) {
    return fault(FaultKind::kOutputs, command.id,
                 "does not go on from the statistics of the keys before column " +
                     std::to_string(tile->col));
  }
  auto made = made_by(command, execution, shares, Stage::kProbabilities, *tile);
  made->seen = tile->col + scores.cols;
  auto known = made_by(command, execution, vector.outputs[1], Stage::kStatistics,
                       {tile->matrix, tile->row, 0});
  known->seen = made->seen;
  known->seen_before = tile->col;
  place_rows(shares, std::move(made));
  place_rows(vector.outputs[1], std::move(known));
}

/// Sums of the keys that the statistics had seen before their last block become sums to the maxima
/// of all of them. Rows of a command are one block's.
void DataFlow::rescale(const Command& command, const OperatorExecution& execution) {
  const hw::VectorCommand& vector = command.vector;
  if (vector.inputs.size() != 2 || vector.outputs.size() != 1) {
    return fault(FaultKind::kOutputs, command.id, "is no rescaling of its operator's sums");
  }
  const TileOperand &sums = vector.inputs[0], &output = vector.outputs[0];
  const bool in_place = output.region.buffer == sums.region.buffer &&
                        output.region.offset == sums.region.offset && output.pitch == sums.pitch &&
                        output.rows == sums.rows && output.cols == sums.cols &&
                        output.bits == sums.bits;
  const Stretch source = stretch(sums.region.buffer, sums.region.offset, 1);
  const Content* content = source.content;
  const bool whole = belongs(content, execution) && content->partial &&
                     content->stage == Stage::kResult && content->base == sums.region.offset &&
                     content->cols == sums.cols && content->bits == sums.bits &&
                     content->pitch == sums.pitch &&
                     static_cast<std::int64_t>(content->products.size()) == sums.rows;
  bool intact = in_place && whole;
  for (std::int64_t row = 0; intact && row < sums.rows; ++row) {
    const Stretch each = stretch(sums.region.buffer, sums.region.offset + row * sums.pitch, 1);
    intact = each.content == content && each.row == row;
  }
  if (!intact) {
    return fault(FaultKind::kOutputs, command.id, "rescales what are no sums of its operator");
  }
  const Content* known = vector.inputs[1].rows == sums.rows
                             ? statistics(vector.inputs[1], execution, content->first)
                             : nullptr;
  if (known == nullptr || known->seen_before != content->seen) {
    return fault(FaultKind::kOutputs, command.id,
                 "rescales sums of other keys than its statistics have seen");
  }
  auto made = std::make_shared<Content>(*content);
  made->maker = command.id;
  made->seen = known->seen;
  place_rows(output, std::move(made));
}

}  // namespace tessera::sim
