#include "sim/lowering/attention_lowering.h"

#include <algorithm>

#include "hw_models/vector_cost.h"
#include "sim/mapper/attention_mapping.h"
#include "sim/mapper/gemm_problem.h"

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

bool AttentionLowering::emit() {
  if (mapping_.online) return emit_online();
  return mapping_.scores.count > 1 ? emit_ahead() : emit_in_turn();
}

/// Block of keys by block of keys; with two slots the scores of the next one come first.
bool AttentionLowering::emit_online() {
  const std::int64_t steps = blocks_ * key_blocks();
  const bool ahead = mapping_.scores.count > 1;
  if (step_ == steps) return false;
  if (!ahead || step_ == 0) write_online_scores(step_);
  if (ahead && step_ + 1 < steps) write_online_scores(step_ + 1);
  const Block at = block(step_ / key_blocks());
  const std::int64_t keys = step_ % key_blocks();
  write_online_softmax(at, keys);
  if (keys > 0) write_rescaling(at);
  write_context_block(at, keys);
  if (keys == key_blocks() - 1) store_context(at);
  ++step_;
  return true;
}

void AttentionLowering::write_online_scores(std::int64_t step) {
  const Block at = block(step / key_blocks());
  const std::int64_t keys = step % key_blocks();
  if (keys == 0) queries_ = load_queries(at);
  write_score_block(at, queries_, keys);
}

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
  const std::int64_t turn = mapping_.online ? at.number * key_blocks() + keys : at.number;
  TileOperand made = tile(mapping_.scores, turn % mapping_.scores.count, rows, keys_of(keys),
                          score_bits_, TrafficClass::kActivations);
  if (mapping_.online) {
    made.region.offset += row * made.pitch;
    return made;
  }
  made.region.offset +=
      keys * at.rows * hw::ceil_div(mapping_.keys * score_bits_, 8) + row * made.pitch;
  return made;
}

hw::GemmCommand AttentionLowering::gemm(const TileOperand& a, const TileOperand& b,
                                        const workloads::Operator& part) const {
  hw::GemmCommand made;
  made.m = a.rows;
  made.k = a.cols;
  made.n = b.transposed ? b.rows : b.cols;
  made.dataflow = mapping_.dataflow;
  made.precision = precision_of(writer_.graph(), part);
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
  hw::GemmCommand made = gemm(queries, load_keys(k_, at, keys), site_.op.parts[0]);
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

TileOperand AttentionLowering::statistics_of(std::int64_t row, std::int64_t rows) const {
  TileOperand made =
      tile(mapping_.statistics, 0, rows, kStatisticsKept, 32, TrafficClass::kActivations);
  made.region.offset += row * made.pitch;
  return made;
}

/// The softmax of one block of keys: goes on from the statistics of those before it.
void AttentionLowering::write_online_softmax(const Block& at, std::int64_t keys) {
  const bool last = keys == key_blocks() - 1;
  const auto& operation = writer_.hardware().vector.operations.at(site_.op.operation);
  for (std::int64_t row = 0; row < at.rows; row += mapping_.softmax_rows) {
    hw::VectorCommand made;
    made.operations = {site_.op.operation};
    made.rows = std::min(mapping_.softmax_rows, at.rows - row);
    made.cols = keys_of(keys);
    made.pass_share = last ? 1.0 : hw::online_pass_share(operation);
    made.inputs = {score_tile(at, keys, row, made.rows)};
    made.outputs = made.inputs;
    made.outputs[0].traffic = TrafficClass::kOutputs;
    const TileOperand statistics = statistics_of(row, made.rows);
    if (keys > 0) made.inputs.push_back(statistics);
    made.outputs.push_back(statistics);
    writer_.vector(std::move(made));
  }
}

/// The sums of the blocks of keys so far, to the maxima that are known now.
void AttentionLowering::write_rescaling(const Block& at) {
  hw::VectorCommand made;
  made.operations = {kRescale};
  made.rows = at.rows;
  made.cols = values_;
  made.inputs = {sums_of(at), statistics_of(0, at.rows)};
  made.outputs = {sums_of(at)};
  writer_.vector(std::move(made));
}

TileOperand AttentionLowering::sums_of(const Block& at) const {
  return tile(mapping_.sums, at.number % mapping_.sums.count, at.rows, values_, sum_bits_,
              TrafficClass::kPartialSums);
}

TileOperand AttentionLowering::result_of(const Block& at) const {
  const MatrixView& out = site_.op.outputs[0];
  if (const Slots* kept = writer_.kept(out.tensor)) {
    TileOperand held = kept_tile(out, writer_.graph().tensors[static_cast<std::size_t>(out.tensor)],
                                 *kept, rows_of(at, values_));
    held.traffic = TrafficClass::kOutputs;
    return held;
  }
  return tile(mapping_.outputs, at.number % mapping_.outputs.count, at.rows, values_, bits_of(out),
              TrafficClass::kOutputs);
}

void AttentionLowering::write_context(const Block& at) {
  for (std::int64_t keys = 0; keys < key_blocks(); ++keys) write_context_block(at, keys);
  store_context(at);
}

void AttentionLowering::write_context_block(const Block& at, std::int64_t keys) {
  const TileOperand shares = score_tile(at, keys, 0, at.rows);
  hw::GemmCommand made = gemm(shares, load_keys(v_, at, keys), context_);
  made.c = sums_of(at);
  made.accumulate = keys > 0;
  if (keys == key_blocks() - 1) made.epilogue = epilogue(context_, result_of(at));
  writer_.gemm(std::move(made));
}

void AttentionLowering::store_context(const Block& at) {
  const MatrixView& out = site_.op.outputs[0];
  if (writer_.kept(out.tensor) != nullptr) return;
  writer_.store(out, rows_of(at, values_), result_of(at).region, false);
}

}  // namespace tessera::sim
