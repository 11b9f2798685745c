#include "sim/lowering/attention_lowering.h"

#include <algorithm>

namespace tessera::sim {

using hw::TileOperand;
using hw::TrafficClass;
using workloads::MatrixView;

AttentionLowering::AttentionLowering(CommandWriter& writer, const OperatorSite& site)
    : writer_(writer),
      site_(site),
      mapping_(site.plan.attention),
      scores_(site.op.parts[0]),
      context_(site.op.parts[2]),
      rows_(site.op.m * site.op.group),
      keys_(site.op.n),
      values_(site.op.outputs[0].cols),
      heads_(site.op.instances / site.op.group),
      blocks_(heads_ * hw::ceil_div(rows_, mapping_.rows)),
      k_{&site.op.inputs[1], mapping_.k},
      v_{&site.op.inputs[2], mapping_.v},
      score_bits_(bits_of(scores_.outputs[0])),
      sum_bits_(writer.accumulator_bits()) {}

bool AttentionLowering::emit() { return mapping_.scores.count > 1 ? emit_ahead() : emit_in_turn(); }

/// Scores one block ahead of softmax and context.
bool AttentionLowering::emit_ahead() {
  if (step_ > blocks_) return false;
  write_scores_beside_softmax(step_);
  if (step_ > 0) write_context(block(step_ - 1));
  ++step_;
  return true;
}

bool AttentionLowering::emit_in_turn() {
  if (step_ == blocks_) return false;
  const Block at = block(step_++);
  const TileOperand queries = load_queries(at);
  for (std::int64_t keys = 0; keys < key_blocks(); ++keys) write_score_block(at, queries, keys);
  write_softmax(at, 0, softmax_commands(at));
  write_context(at);
  return true;
}

AttentionLowering::Block AttentionLowering::block(std::int64_t number) const {
  const std::int64_t per_head = hw::ceil_div(rows_, mapping_.rows);
  Block at;
  at.number = number;
  at.head = number / per_head;
  at.row = number % per_head * mapping_.rows;
  at.rows = std::min(mapping_.rows, rows_ - at.row);
  return at;
}

std::int64_t AttentionLowering::key_blocks() const { return hw::ceil_div(keys_, mapping_.keys); }

std::int64_t AttentionLowering::keys_of(std::int64_t block) const {
  return std::min(mapping_.keys, keys_ - block * mapping_.keys);
}

int AttentionLowering::bits_of(const MatrixView& view) const {
  return writer_.graph().tensors[static_cast<std::size_t>(view.tensor)].format.bits;
}

TileOperand AttentionLowering::tile(const Slots& slots, std::int64_t slot, std::int64_t rows,
                                    std::int64_t cols, int bits, TrafficClass traffic) const {
  TileOperand made;
  made.rows = rows;
  made.cols = cols;
  made.bits = bits;
  made.pitch = hw::ceil_div(cols * bits, 8);
  made.traffic = traffic;
  made.region = {slots.buffer, slots.at(slot), rows * made.pitch};
  return made;
}

TileWindow AttentionLowering::rows_of(const Block& at, std::int64_t cols) const {
  TileWindow window;
  window.batch = at.head;
  window.row = at.row;
  window.rows = at.rows;
  window.cols = cols;
  return window;
}

TileOperand AttentionLowering::load_queries(const Block& at) {
  const MatrixView& view = site_.op.inputs[0];
  const TileWindow window = rows_of(at, view.cols);
  if (const Slots* kept = writer_.kept(view.tensor)) {
    TileOperand held = kept_tile(
        view, writer_.graph().tensors[static_cast<std::size_t>(view.tensor)], *kept, window);
    held.traffic = writer_.load_class(view.tensor);
    return held;
  }
  const TileOperand made = tile(mapping_.q, at.number % mapping_.q.count, at.rows, view.cols,
                                bits_of(view), writer_.load_class(view.tensor));
  const bool stays = mapping_.dataflow == hw::Dataflow::kInputStationary;
  writer_.load(view, window, made.region,
               stays ? CommandWriter::kStationaryQueue : writer_.streamed_queue());
  return made;
}

/// Block `keys` of K or V; resident ones are loaded by the first block of rows of their head.
TileOperand AttentionLowering::load_keys(Streamed& operand, const Block& at, std::int64_t keys) {
  const MatrixView& view = *operand.view;
  std::int64_t slot = ++operand.turn % operand.slots.count;
  if (mapping_.resident) {
    const std::int64_t sets = operand.slots.count / key_blocks();
    slot = at.head % sets * key_blocks() + keys;
  }
  TileOperand made = tile(operand.slots, slot, keys_of(keys), view.cols, bits_of(view),
                          writer_.load_class(view.tensor));
  made.transposed = view.transposed;
  if (mapping_.resident && at.row > 0) return made;
  TileWindow window;
  window.batch = at.head;
  window.row = keys * mapping_.keys;
  window.rows = made.rows;
  window.cols = view.cols;
  const bool streams = mapping_.dataflow == hw::Dataflow::kInputStationary;
  writer_.load(view, window, made.region,
               streams ? writer_.streamed_queue() : CommandWriter::kStationaryQueue);
  return made;
}

/// Scores or probabilities of rows [row, row + rows) of the block, against one block of keys.
TileOperand AttentionLowering::score_tile(const Block& at, std::int64_t keys, std::int64_t row,
                                          std::int64_t rows) const {
  TileOperand made = tile(mapping_.scores, at.number % mapping_.scores.count, rows, keys_of(keys),
                          score_bits_, TrafficClass::kActivations);
  made.region.offset +=
      keys * at.rows * hw::ceil_div(mapping_.keys * score_bits_, 8) + row * made.pitch;
  return made;
}

hw::GemmCommand AttentionLowering::gemm(const TileOperand& a, const TileOperand& b) const {
  hw::GemmCommand made;
  made.m = a.rows;
  made.k = a.cols;
  made.n = b.transposed ? b.rows : b.cols;
  made.dataflow = mapping_.dataflow;
  made.precision = hw::precision_pair(b.bits, a.bits);
  made.a = a;
  made.b = b;
  return made;
}

hw::Epilogue AttentionLowering::epilogue(const workloads::Operator& part,
                                         TileOperand output) const {
  hw::Epilogue made;
  for (const auto& step : part.epilogue) made.operations.push_back(step.operation);
  output.traffic = TrafficClass::kOutputs;
  made.output = output;
  return made;
}

void AttentionLowering::write_score_block(const Block& at, const TileOperand& queries,
                                          std::int64_t keys) {
  hw::GemmCommand made = gemm(queries, load_keys(k_, at, keys));
  made.c = tile(mapping_.score_sums, ++score_turn_ % mapping_.score_sums.count, at.rows, made.n,
                sum_bits_, TrafficClass::kPartialSums);
  made.epilogue = epilogue(scores_, score_tile(at, keys, 0, at.rows));
  writer_.gemm(std::move(made));
}

std::int64_t AttentionLowering::softmax_commands(const Block& at) const {
  return hw::ceil_div(at.rows, mapping_.softmax_rows);
}

/// Commands [first, last) of a block's softmax.
void AttentionLowering::write_softmax(const Block& at, std::int64_t first, std::int64_t last) {
  for (std::int64_t i = first; i < last; ++i) {
    const std::int64_t row = i * mapping_.softmax_rows;
    hw::VectorCommand made;
    made.operations = {site_.op.operation};
    made.rows = std::min(mapping_.softmax_rows, at.rows - row);
    made.cols = keys_;
    for (std::int64_t keys = 0; keys < key_blocks(); ++keys) {
      made.inputs.push_back(score_tile(at, keys, row, made.rows));
      made.outputs.push_back(made.inputs.back());
      made.outputs.back().traffic = TrafficClass::kOutputs;
    }
    writer_.vector(std::move(made));
  }
}

/// The scores of block `number` and the softmax of the one before it, in turn: the sequencer
/// dispatches in order, and either queue may be full.
void AttentionLowering::write_scores_beside_softmax(std::int64_t number) {
  const std::int64_t blocks = key_blocks();
  TileOperand queries;
  if (number < blocks_) queries = load_queries(block(number));
  for (std::int64_t keys = 0; keys < blocks; ++keys) {
    if (number > 0) {
      const Block before = block(number - 1);
      const std::int64_t commands = softmax_commands(before);
      write_softmax(before, commands * keys / blocks, commands * (keys + 1) / blocks);
    }
    if (number < blocks_) write_score_block(block(number), queries, keys);
  }
}

void AttentionLowering::write_context(const Block& at) {
  const TileOperand sums = tile(mapping_.sums, at.number % mapping_.sums.count, at.rows, values_,
                                sum_bits_, TrafficClass::kPartialSums);
  const MatrixView& out = site_.op.outputs[0];
  const TileWindow window = rows_of(at, values_);
  const Slots* kept = writer_.kept(out.tensor);
  TileOperand result;
  if (kept != nullptr) {
    result = kept_tile(out, writer_.graph().tensors[static_cast<std::size_t>(out.tensor)], *kept,
                       window);
  } else {
    result = tile(mapping_.outputs, at.number % mapping_.outputs.count, at.rows, values_,
                  bits_of(out), TrafficClass::kOutputs);
  }
  for (std::int64_t keys = 0; keys < key_blocks(); ++keys) {
    const TileOperand shares = score_tile(at, keys, 0, at.rows);
    hw::GemmCommand made = gemm(shares, load_keys(v_, at, keys));
    made.c = sums;
    made.accumulate = keys > 0;
    if (keys == key_blocks() - 1) made.epilogue = epilogue(context_, result);
    writer_.gemm(std::move(made));
  }
  if (kept != nullptr) return;
  writer_.store(out, window, result.region, false);
}

}  // namespace tessera::sim
