#include "sim/check/data_flow.h"

#include <algorithm>
#include <utility>

#include "sim/check/accesses.h"

namespace tessera::sim {

using hw::Command;
using hw::GemmCommand;
using hw::TileOperand;

MovedByte moved_byte(const hw::TransferCommand& transfer, std::int64_t at) {
  const hw::StridedRange& dram = transfer.dram;
  const std::int64_t rows = dram.count[0] * dram.count[1];
  MovedByte moved;
  std::int64_t inside = 0;
  if (transfer.block_row_bytes <= 0 || transfer.block_row_bytes >= dram.row_bytes) {
    moved.row = at / dram.row_bytes;
    inside = at % dram.row_bytes;
    moved.bytes = dram.row_bytes - inside;
  } else {
    const std::int64_t column = at / (rows * transfer.block_row_bytes);
    const std::int64_t first = column * transfer.block_row_bytes;
    const std::int64_t width = std::min(transfer.block_row_bytes, dram.row_bytes - first);
    const std::int64_t in_column = at - rows * first;
    moved.row = in_column / width;
    inside = first + in_column % width;
    moved.bytes = width - in_column % width;
  }
  moved.address = dram.address + moved.row / dram.count[0] * dram.stride[1] +
                  moved.row % dram.count[0] * dram.stride[0] + inside;
  return moved;
}

bool is_epilogue_of(const workloads::Operator& site, const std::vector<std::string>& operations) {
  const auto& steps = site.epilogue;
  return std::equal(
      operations.begin(), operations.end(), steps.begin(), steps.end(),
      [](const auto& operation, const auto& step) { return operation == step.operation; });
}

DataFlow::DataFlow(const workloads::Graph& graph, const Plan& plan,
                   const hw::HardwareConfig& hardware, const HappensBefore& order, FaultLog& faults)
    : graph_(graph),
      plan_(plan),
      order_(order),
      faults_(faults),
      block_(hardware.sequencer.loop.n),
      buffers_(hardware.buffers.size()) {}

void DataFlow::fault(FaultKind kind, hw::CommandId id, const std::string& what) {
  faults_.add({kind, id, hw::kNoCommand,
               faults_.shows() ? order_.text(id, graph_) + " " + what : std::string()});
}

bool DataFlow::belongs(const Content* content, const OperatorExecution& execution) {
  return content != nullptr && content->op == execution.op &&
         content->execution == execution.number;
}

bool DataFlow::fresh(const Stretch& source) const {
  for (const std::int64_t at : {source.address, source.address + source.bytes - 1}) {
    std::int64_t end = 0;
    const hw::CommandId* store = dram_.find(at, end);
    if (store != nullptr && *store > source.content->maker) return false;
  }
  return true;
}

Stretch DataFlow::stretch(int buffer, std::int64_t at, std::int64_t bytes) const {
  Stretch found;
  found.bytes = bytes;
  std::int64_t end = 0;
  const auto* held = buffers_[static_cast<std::size_t>(buffer)].find(at, end);
  if (held == nullptr) return found;
  const Content& content = **held;
  found.content = &content;
  std::int64_t left = end - at;
  if (content.kind == Content::Kind::kLoaded) {
    const MovedByte moved = moved_byte(content.transfer, at - content.base);
    found.address = moved.address;
    found.row = moved.row;
    left = std::min(left, moved.bytes);
  } else if (content.kind == Content::Kind::kResults) {
    found.row = (at - content.base) / content.pitch;
    const std::int64_t inside = (at - content.base) % content.pitch;
    found.bit = inside * 8;
    left = std::min(left, content.pitch - inside);
  }
  found.bytes = std::min(bytes, left);
  return found;
}

void DataFlow::add(const Command& command, OperatorExecution& execution) {
  switch (command.kind) {
    case hw::CommandKind::kLoad:
      return load(command, execution);
    case hw::CommandKind::kStore:
      return store(command, execution);
    case hw::CommandKind::kGemm:
      return gemm(command, execution);
    case hw::CommandKind::kVector:
      return vector(command, execution);
  }
}

void DataFlow::load(const Command& command, const OperatorExecution& execution) {
  const hw::TransferCommand& transfer = command.transfer;
  auto content = std::make_shared<Content>();
  content->kind = Content::Kind::kLoaded;
  content->maker = command.id;
  content->op = command.op;
  content->execution = execution.number;
  content->base = transfer.region.offset;
  content->transfer = transfer;
  content->partial = transfer.traffic == hw::TrafficClass::kPartialSums;
  buffers_[static_cast<std::size_t>(transfer.region.buffer)].assign(
      content->base, content->base + transfer.region.bytes, content);
}

void DataFlow::store(const Command& command, OperatorExecution& execution) {
  const hw::TransferCommand& transfer = command.transfer;
  for (std::int64_t at = 0; at < transfer.region.bytes;) {
    const MovedByte moved = moved_byte(transfer, at);
    store_piece(command, execution, transfer.region.offset + at, moved.address, moved.bytes);
    at += moved.bytes;
  }
}

void DataFlow::store_piece(const Command& command, OperatorExecution& execution, std::int64_t from,
                           std::int64_t address, std::int64_t bytes) {
  const bool partial = command.transfer.traffic == hw::TrafficClass::kPartialSums;
  if (!partial) {
    owe_less(command, execution, address, bytes);
    dram_.assign(address, address + bytes, command.id);
  }
  const int buffer = command.transfer.region.buffer;
  for (const std::int64_t end = from + bytes; from < end;) {
    const Stretch source = stretch(buffer, from, end - from);
    const Content* content = source.content;
    const bool results = belongs(content, execution) && content->kind == Content::Kind::kResults &&
                         content->partial == partial && content->stage == Stage::kResult;
    const bool copy = execution.site->operation.empty() && belongs(content, execution) &&
                      content->kind == Content::Kind::kLoaded;
    if (results && partial) {
      store_partial(command, execution, source, address);
    } else if (results) {
      check_place(command, execution, source, address);
    } else if (copy && !workloads::is_gemm(*execution.site)) {
      check_copy(command, execution, source, address);
    } else {
      return fault(FaultKind::kOutputs, command.id,
                   partial ? "stores what are no partial sums of its operator"
                           : "stores what are no finished results of its operator");
    }
    from += source.bytes;
    address += source.bytes;
  }
}

/// What was loaded goes to the same row and column of the output.
void DataFlow::check_copy(const Command& command, const OperatorExecution& execution,
                          const Stretch& source, std::int64_t address) {
  for (std::int64_t done = 0; done < source.bytes;) {
    std::int64_t left = 0;
    for (std::size_t i = 0; i < execution.outputs.size() && left == 0; ++i) {
      const ViewAddresses& to = execution.outputs[i];
      const ViewAddresses& from = execution.inputs[i];
      const auto place = to.find((address + done) * 8);
      if (!place) continue;
      const std::int64_t wanted = from.bit_address(from.in_row(to.row_of(*place), place->col));
      if (wanted != (source.address + done) * 8) break;
      left = hw::ceil_div((to.cols() - place->col) * to.bits(), 8);
    }
    if (left == 0) {
      return fault(FaultKind::kOutputs, command.id,
                   "copies DRAM byte " + std::to_string(source.address + done) +
                       " to another row or column, DRAM byte " + std::to_string(address + done));
    }
    done += left;
  }
}

void DataFlow::store_partial(const Command& command, OperatorExecution& execution,
                             const Stretch& source, std::int64_t address) {
  const Content& content = *source.content;
  const std::int64_t row =
      content.first.matrix * execution.out().rows() + content.first.row + source.row;
  const std::int64_t bit = (execution.spill_address + row * execution.spill_pitch) * 8 +
                           content.first.col * content.bits + source.bit;
  if (bit != address * 8) {
    return fault(FaultKind::kOutputs, command.id, "stores partial sums in the place of others");
  }
  execution.spilled.assign(address, address + source.bytes,
                           {content.products[static_cast<std::size_t>(source.row)], command.id});
}

/// The row of `view` at `bit` is computed from the same elements as `row`: inputs repeat (positions
/// for each request), and either result may lie in either place.
bool DataFlow::equal_row(const OperatorExecution& execution, const ViewAddresses& view,
                         std::int64_t row, std::int64_t bit, std::int64_t col) {
  const auto place = view.find(bit);
  if (!place || place->col != col) return false;
  const auto same = [&](const ViewAddresses& input) {
    return input.bit_address(input.in_row(row, 0)) ==
           input.bit_address(input.in_row(view.row_of(*place), 0));
  };
  return !workloads::uses_array(*execution.site) &&
         std::all_of(execution.inputs.begin(), execution.inputs.end(), same);
}

void DataFlow::check_place(const Command& command, const OperatorExecution& execution,
                           const Stretch& source, std::int64_t address) {
  const Content& content = *source.content;
  const ViewAddresses& view = execution.outputs[content.view];
  const std::int64_t row = view.row_of(content.first) + source.row;
  const std::int64_t bit = view.bit_address(view.in_row(row, content.first.col)) + source.bit;
  if (bit == address * 8) return;
  if (equal_row(execution, view, row, address * 8 - source.bit, content.first.col)) return;
  fault(FaultKind::kOutputs, command.id,
        "stores row " + std::to_string(row) + ", column " +
            std::to_string(content.first.col + source.bit / content.bits) +
            " of the result in another element's place, DRAM byte " + std::to_string(address));
}

void DataFlow::owe_less(const Command& command, OperatorExecution& execution, std::int64_t address,
                        std::int64_t bytes) {
  std::int64_t owed = 0, own = 0;
  execution.owed.update(address, address + bytes,
                        [&](std::int64_t begin, std::int64_t end, char) { owed += end - begin; });
  execution.owed.erase(address, address + bytes);
  if (owed == bytes) return;
  execution.stored_to.update(
      address, address + bytes,
      [&](std::int64_t begin, std::int64_t end, char) { own += end - begin; });
  fault(FaultKind::kOutputs, command.id,
        "stores at DRAM byte " + std::to_string(address) +
            (own == bytes ? ", where this execution has stored already"
                          : ", outside its operator's outputs"));
}

DataFlow::Tile DataFlow::tile_of(const Command& command, const char* name,
                                 const TileOperand& operand, const ViewAddresses& view) {
  const std::int64_t row_bytes = hw::ceil_div(operand.cols * operand.bits, 8);
  Tile tile;
  for (std::int64_t row = 0; row < operand.rows; ++row) {
    const std::int64_t at = operand.region.offset + row * operand.pitch;
    for (std::int64_t done = 0; done < row_bytes;) {
      const Stretch source = stretch(operand.region.buffer, at + done, row_bytes - done);
      if (source.content == nullptr || source.content->kind != Content::Kind::kLoaded) {
        fault(FaultKind::kMacs, command.id, std::string(name) + ": not loaded from DRAM");
        return std::nullopt;
      }
      const std::int64_t bit = source.address * 8;
      if (!tile) tile = view.find(bit);
      const bool fits = tile && operand.bits == view.bits() &&
                        tile->row + operand.rows <= view.rows() &&
                        tile->col + operand.cols <= view.cols();
      if (!fits || !fresh(source) ||
          view.bit_address({tile->matrix, tile->row + row, tile->col}) + done * 8 != bit) {
        fault(FaultKind::kMacs, command.id,
              std::string(name) + ": row " + std::to_string(row) +
                  " of the tile does not hold the operand's elements; it was loaded by command " +
                  std::to_string(source.content->maker) + " from DRAM byte " +
                  std::to_string(source.address));
        return std::nullopt;
      }
      done += source.bytes;
    }
  }
  return tile;
}

DataFlow::Tile DataFlow::stationary_tile(const Command& command, const char* name,
                                         const ViewAddresses& view) {
  const GemmCommand& gemm = command.gemm;
  const TileOperand& kept = stationary_operand(gemm);
  const TileOperand& held = stationary_.operand;
  const bool same = stationary_.loader >= 0 && stationary_.op == command.op &&
                    stationary_.dataflow == gemm.dataflow &&
                    held.region.buffer == kept.region.buffer &&
                    held.region.offset == kept.region.offset && held.rows == kept.rows &&
                    held.cols == kept.cols && held.pitch == kept.pitch && held.bits == kept.bits &&
                    held.transposed == kept.transposed;
  if (!same) {
    fault(FaultKind::kStationary, command.id,
          std::string("keeps ") + name + " in the array, which holds another block");
    return std::nullopt;
  }
  std::int64_t at = kept.region.offset;
  for (std::int64_t row = 0; row < kept.rows; ++row, at += kept.pitch) {
    const Stretch source = stretch(kept.region.buffer, at, 1);
    if (source.content == nullptr || source.content->maker > stationary_.loader) {
      fault(FaultKind::kStationary, command.id,
            std::string("keeps ") + name + ", whose region has been written since command " +
                std::to_string(stationary_.loader) + " brought it into the array");
      return std::nullopt;
    }
  }
  if (!stationary_.tile || view.bits() != kept.bits) return std::nullopt;
  return stationary_.tile;
}

void DataFlow::note_stationary(const Command& command, const Tile& a, const Tile& b) {
  const GemmCommand& gemm = command.gemm;
  if (!gemm.keeps_stationary) stationary_.loader = command.id;
  stationary_.op = command.op;
  stationary_.dataflow = gemm.dataflow;
  stationary_.operand = stationary_operand(gemm);
  stationary_.tile = gemm.dataflow == hw::Dataflow::kInputStationary ? a : b;
}

void DataFlow::gemm(const Command& command, OperatorExecution& execution) {
  const GemmCommand& gemm = command.gemm;
  if (!workloads::uses_array(*execution.site)) {
    return fault(FaultKind::kMacs, command.id, "multiplies for an operator that is no Gemm");
  }
  const Product product = product_of(command, execution);
  macs_ += gemm.m * gemm.k * gemm.n;
  execution.macs -= gemm.m * gemm.k * gemm.n;
  const bool keeps_a = gemm.keeps_stationary && gemm.dataflow == hw::Dataflow::kInputStationary;
  const bool keeps_b = gemm.keeps_stationary && gemm.dataflow == hw::Dataflow::kWeightStationary;
  const Tile a = keeps_a ? stationary_tile(command, "A", execution.a())
                         : left_tile(command, execution, product);
  const bool values = execution.is_attention() && product.makes == Stage::kResult;
  const ViewAddresses& right_view = values ? execution.inputs[2] : execution.b();
  Tile b = keeps_b ? stationary_tile(command, "B", right_view)
                   : tile_of(command, "B", gemm.b, right_view);
  note_stationary(command, a, b);
  if (!a || !b) return;
  ElementPlace left = *a, right = *b;
  if (gemm.a.transposed) std::swap(left.row, left.col);
  if (gemm.b.transposed) std::swap(right.row, right.col);
  if (left.matrix != right.matrix || left.col != right.row) {
    return fault(FaultKind::kMacs, command.id,
                 "multiplies k = " + std::to_string(left.col) + " of A's matrix " +
                     std::to_string(left.matrix) + " with k = " + std::to_string(right.row) +
                     " of B's matrix " + std::to_string(right.matrix));
  }
  add_products(command, execution, product, {left.matrix, left.row, right.col}, left.col);
}

/// In attention the left operand tells: what was loaded makes scores, what was computed the result.
DataFlow::Product DataFlow::product_of(const Command& command,
                                       const OperatorExecution& execution) const {
  const workloads::Operator& site = *execution.site;
  if (!execution.is_attention()) return {Stage::kResult, site.k, execution.out().bits(), &site};
  const hw::Region& left = command.gemm.a.region;
  const Stretch source = stretch(left.buffer, left.offset, 1);
  const bool scores = source.content == nullptr || source.content->kind == Content::Kind::kLoaded;
  const workloads::Operator& part = site.parts[scores ? 0 : 2];
  const auto out = static_cast<std::size_t>(part.outputs[0].tensor);
  return {scores ? Stage::kScores : Stage::kResult, part.k, graph_.tensors[out].format.bits, &part,
          scores ? 0 : source.content->seen};
}

DataFlow::Tile DataFlow::left_tile(const Command& command, const OperatorExecution& execution,
                                   const Product& product) {
  const bool computed = execution.is_attention() && product.makes == Stage::kResult;
  return computed ? probabilities(command, execution)
                  : tile_of(command, "A", command.gemm.a, execution.a());
}

DataFlow::Tile DataFlow::probabilities(const Command& command, const OperatorExecution& execution) {
  const Tile tile = finished_tile(command.gemm.a, execution, Stage::kProbabilities);
  if (!tile) fault(FaultKind::kMacs, command.id, "A: holds no tile of probabilities");
  return tile;
}

/// The products that partial sums hold, of the first `bytes` of them that hold the same; -1: none,
/// or spilled anew since they were loaded.
int DataFlow::held_products(const OperatorExecution& execution, const Stretch& source,
                            std::int64_t& bytes) {
  if (source.content->kind != Content::Kind::kLoaded) {
    return source.content->products[static_cast<std::size_t>(source.row)];
  }
  std::int64_t end = 0;
  const Spilled* spilled = execution.spilled.find(source.address, end);
  if (spilled == nullptr || spilled->store > source.content->maker) return -1;
  bytes = std::min(bytes, end - source.address);
  return spilled->products;
}

/// The products that row `row` of the Gemm's C holds before it adds to them; -1: a fault.
int DataFlow::row_products(const Command& command, const OperatorExecution& execution,
                           const Product& product, const ElementPlace& first, std::int64_t row) {
  const TileOperand& c = command.gemm.c;
  const std::int64_t bytes = hw::ceil_div(c.cols * c.bits, 8);
  const std::int64_t at = c.region.offset + row * c.pitch;
  const std::int64_t result = first.matrix * execution.out().rows() + first.row + row;
  int products = -1;
  for (std::int64_t done = 0; done < bytes;) {
    const Stretch source = stretch(c.region.buffer, at + done, bytes - done);
    const Content* content = source.content;
    const bool sums = belongs(content, execution) && content->partial;
    if (!sums || content->stage != product.makes || content->seen != product.seen) return -1;
    // Its place in the scratch names an element, wherever it lies.
    const std::int64_t wanted = (execution.spill_address + result * execution.spill_pitch) * 8 +
                                first.col * c.bits + done * 8;
    const std::int64_t source_row =
        content->first.matrix * execution.out().rows() + content->first.row + source.row;
    const std::int64_t found =
        content->kind == Content::Kind::kLoaded
            ? source.address * 8
            : (execution.spill_address + source_row * execution.spill_pitch) * 8 +
                  content->first.col * content->bits + source.bit;
    if (found != wanted) return -1;
    std::int64_t taken = source.bytes;
    const int held = held_products(execution, source, taken);
    if (held < 0 || (done > 0 && held != products)) return -1;
    products = held;
    done += taken;
  }
  return products;
}

void DataFlow::add_products(const Command& command, OperatorExecution& execution,
                            const Product& product, const ElementPlace& first, std::int64_t k) {
  const GemmCommand& gemm = command.gemm;
  auto results = std::make_shared<Content>();
  results->kind = Content::Kind::kResults;
  results->maker = command.id;
  results->op = command.op;
  results->execution = execution.number;
  results->base = gemm.c.region.offset;
  results->first = first;
  results->pitch = gemm.c.pitch;
  results->bits = gemm.c.bits;
  results->partial = true;
  results->stage = product.makes;
  results->seen = product.seen;
  results->cols = gemm.n;
  for (std::int64_t row = 0; row < gemm.m; ++row) {
    const int before = gemm.accumulate ? row_products(command, execution, product, first, row)
                                       : ProductSets::kNone;
    if (before < 0) {
      return fault(FaultKind::kMacs, command.id,
                   "adds to what are no partial sums of its results (row " +
                       std::to_string(first.row + row) + ", column " + std::to_string(first.col) +
                       ")");
    }
    const int after = execution.products.with(before, k, k + gemm.k);
    if (after < 0) {
      return fault(FaultKind::kMacs, command.id,
                   "forms products of k = " + std::to_string(k) + " to " +
                       std::to_string(k + gemm.k) + " a second time (row " +
                       std::to_string(first.row + row) + ")");
    }
    results->products.push_back(after);
  }
  place_rows(gemm.c, results);
  if (gemm.epilogue) finish_results(command, execution, product, *results);
}

/// What the epilogue adds is the tile of the third operand that lies where the results do.
bool DataFlow::residual_fits(const Command& command, const OperatorExecution& execution,
                             const Content& results) {
  const hw::Epilogue& epilogue = *command.gemm.epilogue;
  const bool adds = workloads::adds_residual(*execution.site);
  if (epilogue.adds_output != adds) {
    fault(FaultKind::kOutputs, command.id,
          adds ? "does not add its operator's residual" : "adds a residual its operator has not");
    return false;
  }
  if (!adds) return true;
  const Tile tile = tile_of(command, "residual", epilogue.output, execution.inputs[2]);
  if (!tile) return false;
  const ElementPlace& first = results.first;
  if (tile->matrix == first.matrix && tile->row == first.row && tile->col == first.col) return true;
  fault(FaultKind::kOutputs, command.id, "adds another tile of the residual to its results");
  return false;
}

void DataFlow::finish_results(const Command& command, const OperatorExecution& execution,
                              const Product& product, const Content& results) {
  const hw::Epilogue& epilogue = *command.gemm.epilogue;
  for (std::size_t row = 0; row < results.products.size(); ++row) {
    if (execution.products.complete(results.products[row], product.k)) continue;
    return fault(FaultKind::kMacs, command.id,
                 "finishes results that lack products (row " +
                     std::to_string(results.first.row + static_cast<std::int64_t>(row)) + ")");
  }
  if (!is_epilogue_of(*product.site, epilogue.operations))
    fault(FaultKind::kOutputs, command.id, "has another epilogue than its operator");
  const TileOperand& output = epilogue.output;
  if (!residual_fits(command, execution, results)) return;
  auto finished = std::make_shared<Content>(results);
  finished->partial = false;
  finished->products.clear();
  finished->base = output.region.offset;
  finished->pitch = output.pitch;
  finished->bits = output.bits;
  const std::int64_t columns = workloads::columns_per_result(*product.site);
  finished->first.col /= columns;
  finished->cols /= columns;
  if (output.bits != product.bits || output.cols != finished->cols ||
      results.first.col % columns != 0) {
    return fault(FaultKind::kOutputs, command.id, "leaves results of another width");
  }
  place_rows(output, finished);
}

void DataFlow::place_rows(const TileOperand& operand, std::shared_ptr<const Content> content) {
  const std::int64_t row_bytes = hw::ceil_div(operand.cols * operand.bits, 8);
  Space& space = buffers_[static_cast<std::size_t>(operand.region.buffer)];
  const std::int64_t base = operand.region.offset;
  if (operand.pitch == row_bytes || operand.rows == 1) {
    return space.assign(base, base + row_bytes * operand.rows, content);
  }
  for (std::int64_t row = 0; row < operand.rows; ++row) {
    const std::int64_t at = base + row * operand.pitch;
    space.assign(at, at + row_bytes, content);
  }
}

}  // namespace tessera::sim
