#include "sim/check/interpreter.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <type_traits>

#include "sim/check/accesses.h"
#include "sim/check/data_flow.h"
#include "sim/check/online_softmax.h"

namespace tessera::sim {

using hw::Command;
using hw::GemmCommand;
using hw::TileOperand;
using workloads::TensorId;

Interpreter::Interpreter(const workloads::Graph& graph, const Plan& plan,
                         const hw::HardwareConfig& hardware, const Reference& reference,
                         Numbers numbers, const HappensBefore& order, FaultLog& faults)
    : graph_(graph),
      plan_(plan),
      reference_(reference),
      numbers_(numbers),
      order_(order),
      faults_(faults),
      block_(hardware.sequencer.loop.n) {
  std::int64_t end = 0;
  for (const TensorAllocation& place : plan.tensors)
    end = std::max(end, place.address + place.bytes);
  for (const OperatorPlan& op : plan.operators) {
    if (op.is_gemm) end = std::max(end, op.gemm.spill_address + op.gemm.spill_bytes);
  }
  dram_.resize(static_cast<std::size_t>(end) + 8);
  for (const hw::BufferConfig& buffer : hardware.buffers) {
    buffers_.emplace_back(static_cast<std::size_t>(buffer.capacity) + 8);
    origins_.emplace_back(static_cast<std::size_t>(buffer.capacity));
  }
}

void Interpreter::note_repeats(const std::vector<Command>& program) {
  std::vector<int> started(graph_.operators.size(), 0);
  repeats_.clear();
  for (const Command& command : program) {
    int& executions = started[static_cast<std::size_t>(command.op)];
    executions += command.launches ? 1 : 0;
    repeats_.push_back(std::max(0, executions - 1));
  }
}

int Interpreter::repeat_of(const Command& command) const {
  const auto id = static_cast<std::size_t>(command.id);
  return id < repeats_.size() ? repeats_[id] : 0;
}

void Interpreter::reset(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (std::uint8_t& byte : dram_) byte = static_cast<std::uint8_t>(random());
  for (Bytes& buffer : buffers_) {
    for (std::uint8_t& byte : buffer) byte = static_cast<std::uint8_t>(random());
  }
  for (auto& origins : origins_) std::fill(origins.begin(), origins.end(), -1);
  for (std::size_t i = 0; i < plan_.tensors.size(); ++i) {
    const TensorAllocation& place = plan_.tensors[i];
    if (place.address < 0 || reference_.produced(static_cast<TensorId>(i))) continue;
    const TensorImage& image = reference_.before(static_cast<TensorId>(i));
    for (std::int64_t row = 0; row < image.rows; ++row) {
      std::memcpy(&dram_[static_cast<std::size_t>(place.address + row * place.pitch)],
                  &image.bytes[static_cast<std::size_t>(row * image.row_bytes)],
                  static_cast<std::size_t>(image.row_bytes));
    }
  }
  stationary_.clear();
  cut_rows_.clear();
  compared_ = 0;
}

void Interpreter::fault(hw::CommandId id, const std::string& what) {
  faults_.add({FaultKind::kValues, id, hw::kNoCommand,
               faults_.shows() ? order_.text(id, graph_) + " " + what : std::string()});
}

void Interpreter::execute(const Command& command) {
  switch (command.kind) {
    case hw::CommandKind::kLoad:
      return load(command);
    case hw::CommandKind::kStore:
      return store(command);
    case hw::CommandKind::kGemm:
      return gemm(command);
    case hw::CommandKind::kVector:
      return vector(command);
  }
}

void Interpreter::load(const Command& command) {
  const hw::Region& region = command.transfer.region;
  const auto buffer = static_cast<std::size_t>(region.buffer);
  for (std::int64_t at = 0; at < region.bytes;) {
    const MovedByte moved = moved_byte(command.transfer, at);
    for (std::int64_t i = 0; i < moved.bytes; ++i) {
      const auto to = static_cast<std::size_t>(region.offset + at + i);
      buffers_[buffer][to] = dram_[static_cast<std::size_t>(moved.address + i)];
      origins_[buffer][to] = moved.address + i;
    }
    at += moved.bytes;
  }
}

void Interpreter::store(const Command& command) {
  const hw::Region& region = command.transfer.region;
  const Bytes& buffer = buffers_[static_cast<std::size_t>(region.buffer)];
  for (std::int64_t at = 0; at < region.bytes;) {
    const MovedByte moved = moved_byte(command.transfer, at);
    std::memcpy(&dram_[static_cast<std::size_t>(moved.address)],
                &buffer[static_cast<std::size_t>(region.offset + at)],
                static_cast<std::size_t>(moved.bytes));
    if (command.transfer.traffic != hw::TrafficClass::kPartialSums) {
      compare(command, moved.address, moved.bytes);
    }
    at += moved.bytes;
  }
}

/// Elements that begin in these bytes of DRAM, against the reference.
void Interpreter::compare(const Command& command, std::int64_t address, std::int64_t bytes) {
  const workloads::Operator& op = graph_.operators[static_cast<std::size_t>(command.op)];
  for (const workloads::MatrixView& view : op.outputs) {
    const TensorAllocation& place = plan_.tensors[static_cast<std::size_t>(view.tensor)];
    if (address < place.address || address + bytes > place.address + place.bytes) continue;
    const TensorImage& image = reference_.after(view.tensor, command.op, repeat_of(command));
    std::int64_t at = address;
    while (at < address + bytes) {
      const std::int64_t row = (at - place.address) / place.pitch;
      const std::int64_t inside = (at - place.address) % place.pitch;
      const std::int64_t next = std::min(address + bytes, place.address + (row + 1) * place.pitch);
      std::int64_t col = hw::ceil_div(inside * 8, image.bits);
      for (; col < image.cols && (col + 1) * image.bits <= (inside + next - at) * 8; ++col) {
        const std::uint32_t found = get_bits(
            dram_.data(), (place.address + row * place.pitch) * 8 + col * image.bits, image.bits);
        const std::uint32_t wanted = image.get(row * image.cols + col);
        ++compared_;
        if (found == wanted) continue;
        const Format elements = format_of(image.bits, numbers_);
        return fault(command.id,
                     "stores " + std::to_string(decode(found, elements)) + " to row " +
                         std::to_string(row) + ", column " + std::to_string(col) + " of tensor '" +
                         graph_.tensors[static_cast<std::size_t>(view.tensor)].name +
                         "'; the reference has " + std::to_string(decode(wanted, elements)));
      }
      at = next;
    }
    return;
  }
}

std::uint32_t Interpreter::element(const TileOperand& operand, std::int64_t row,
                                   std::int64_t col) const {
  const Bytes& buffer = buffers_[static_cast<std::size_t>(operand.region.buffer)];
  return get_bits(buffer.data(),
                  (operand.region.offset + row * operand.pitch) * 8 + hw::bits_before(operand, col),
                  operand.bits);
}

void Interpreter::put(const TileOperand& operand, std::int64_t row, std::int64_t col,
                      std::uint32_t pattern) {
  Bytes& buffer = buffers_[static_cast<std::size_t>(operand.region.buffer)];
  put_bits(buffer.data(), (operand.region.offset + row * operand.pitch) * 8 + col * operand.bits,
           operand.bits, pattern);
}

std::vector<double> Interpreter::matrix(const TileOperand& operand) const {
  const Format elements = format_of(operand.bits, numbers_);
  std::vector<double> values(static_cast<std::size_t>(operand.rows * operand.cols));
  const std::int64_t across = operand.transposed ? 1 : operand.cols;
  const std::int64_t along = operand.transposed ? operand.rows : 1;
  for (std::int64_t row = 0; row < operand.rows; ++row) {
    for (std::int64_t col = 0; col < operand.cols; ++col) {
      values[static_cast<std::size_t>(row * across + col * along)] =
          decode(element(operand, row, col), elements);
    }
  }
  return values;
}

bool Interpreter::floats(const GemmCommand& gemm) const {
  return format_of(gemm.a.bits, numbers_).is_float() || format_of(gemm.b.bits, numbers_).is_float();
}

void Interpreter::gemm(const Command& command) {
  const GemmCommand& gemm = command.gemm;
  const bool a_stays = gemm.dataflow == hw::Dataflow::kInputStationary;
  const bool b_stays = gemm.dataflow == hw::Dataflow::kWeightStationary;
  const bool kept = gemm.keeps_stationary;
  const std::vector<double> a = kept && a_stays ? stationary_ : matrix(gemm.a);
  const std::vector<double> b = kept && b_stays ? stationary_ : matrix(gemm.b);
  if (a.size() != static_cast<std::size_t>(gemm.m * gemm.k) ||
      b.size() != static_cast<std::size_t>(gemm.k * gemm.n)) {
    return fault(command.id, "keeps a stationary block of another size");
  }
  if (floats(gemm)) {
    multiply<float>(command, a, b);
  } else {
    multiply<std::int64_t>(command, a, b);
  }
  stationary_ = a_stays ? a : b;
}

template <class Sum>
void Interpreter::accumulate(const GemmCommand& gemm, const std::vector<double>& a,
                             const std::vector<double>& b, std::vector<Sum>& sums) const {
  std::vector<Sum> right(b.size());
  for (std::size_t i = 0; i < b.size(); ++i) right[i] = static_cast<Sum>(b[i]);
  const auto n = static_cast<std::size_t>(gemm.n);
  for (std::size_t row = 0; row < static_cast<std::size_t>(gemm.m); ++row) {
    Sum* sum = &sums[row * n];
    for (std::size_t k = 0; k < static_cast<std::size_t>(gemm.k); ++k) {
      const Sum left = static_cast<Sum>(a[row * static_cast<std::size_t>(gemm.k) + k]);
      const Sum* factor = &right[k * n];
      for (std::size_t col = 0; col < n; ++col) sum[col] += left * factor[col];
    }
  }
}

template <class Sum>
void Interpreter::multiply(const Command& command, const std::vector<double>& a,
                           const std::vector<double>& b) {
  const GemmCommand& gemm = command.gemm;
  std::vector<Sum> sums(static_cast<std::size_t>(gemm.m * gemm.n));
  const auto each = [&](auto f) {
    for (std::int64_t row = 0; row < gemm.m; ++row) {
      for (std::int64_t col = 0; col < gemm.n; ++col) {
        f(row, col, sums[static_cast<std::size_t>(row * gemm.n + col)]);
      }
    }
  };
  if (gemm.accumulate) {
    each([&](std::int64_t row, std::int64_t col, Sum& sum) {
      const std::uint32_t pattern = element(gemm.c, row, col);
      if constexpr (std::is_same_v<Sum, float>) {
        std::memcpy(&sum, &pattern, sizeof sum);
      } else {
        sum = decode_integer(pattern, gemm.c.bits);
      }
    });
  }
  accumulate(gemm, a, b, sums);
  each([&](std::int64_t row, std::int64_t col, const Sum& sum) {
    std::uint32_t pattern = 0;
    if constexpr (std::is_same_v<Sum, float>) {
      std::memcpy(&pattern, &sum, sizeof pattern);
    } else {
      pattern = static_cast<std::uint32_t>(sum);
    }
    put(gemm.c, row, col, pattern);
  });
  if (!gemm.epilogue) return;
  const double scale = operator_scale(graph_, product_site(command), numbers_);
  const TileOperand& output = gemm.epilogue->output;
  const Format elements = format_of(output.bits, numbers_);
  const auto& operations = gemm.epilogue->operations;
  const bool joins = output.cols < gemm.n;
  double gate = 0;
  each([&](std::int64_t row, std::int64_t col, const Sum& sum) {
    double value = scale * static_cast<double>(sum);
    if constexpr (!std::is_same_v<Sum, float>) {
      value = scale * static_cast<double>(wrapped(sum, gemm.c.bits));
    }
    if (gemm.epilogue->adds_output) {
      const double other = decode(element(output, row, col), elements) * unit(elements);
      put(output, row, col, finish_pair(value, other, operations, elements));
    } else if (joins && col % 2 == 0) {
      gate = value;
    } else if (joins) {
      put(output, row, col / 2, finish_pair(gate, value, operations, elements));
    } else {
      put(output, row, col, finish_sum(value, operations, elements));
    }
  });
  forget_origins(output);
}

/// The Gemm that a command belongs to: in attention the left operand of scores was loaded.
const workloads::Operator& Interpreter::product_site(const Command& command) const {
  const workloads::Operator& op = graph_.operators[static_cast<std::size_t>(command.op)];
  if (op.parts.empty()) return op;
  const hw::Region& left = command.gemm.a.region;
  const auto& origins = origins_[static_cast<std::size_t>(left.buffer)];
  return op.parts[origins[static_cast<std::size_t>(left.offset)] >= 0 ? 0 : 2];
}

const Interpreter::VectorSite& Interpreter::site_of(const Command& command) {
  const std::pair<int, int> key{command.op, repeat_of(command)};
  const auto found = sites_.find(key);
  if (found != sites_.end()) return found->second;
  const workloads::Operator op = workloads::in_repeat(
      graph_.operators[static_cast<std::size_t>(command.op)], repeat_of(command));
  VectorSite site;
  std::vector<std::int64_t> widths;  // of operands so far
  for (const workloads::MatrixView& view : op.inputs) {
    const auto id = static_cast<std::size_t>(view.tensor);
    site.inputs.emplace_back(view, graph_.tensors[id], plan_.tensors[id]);
    const bool beside = view.cols < op.n && !widths.empty();
    if (!beside) widths.push_back(0);
    site.operand.push_back(widths.size() - 1);
    site.first.push_back(widths.back());
    widths.back() += view.cols;
  }
  return sites_.emplace(key, std::move(site)).first->second;
}

std::vector<double> Interpreter::read_parameters(const TileOperand& operand, TensorId id,
                                                 std::int64_t& offset) const {
  const TensorImage& image = reference_.tensor(id);
  const Format elements = format_of(image.bits, numbers_);
  const Bytes& buffer = buffers_[static_cast<std::size_t>(operand.region.buffer)];
  std::vector<double> values;
  for (std::int64_t col = 0; col < image.cols; ++col) {
    values.push_back(decode(get_bits(buffer.data(),
                                     (operand.region.offset + offset) * 8 +
                                         workloads::bits_before(image.format, col),
                                     image.bits),
                            elements) *
                     unit(elements));
  }
  offset += image.row_bytes * image.rows;
  return values;
}

double Interpreter::sum_of(const TileOperand& sums, std::int64_t row, std::int64_t col,
                           bool floats) const {
  const std::uint32_t pattern = element(sums, row, col);
  if (!floats) return static_cast<double>(decode_integer(pattern, sums.bits));
  float sum = 0;
  std::memcpy(&sum, &pattern, sizeof sum);
  return static_cast<double>(sum);
}

/// The epilogue of a Gemm as a command of its own.
void Interpreter::convert(const Command& command, const workloads::Operator& op) {
  const hw::VectorCommand& vector = command.vector;
  if (vector.inputs.size() != 1 || vector.outputs.size() != 1 ||
      vector.inputs[0].cols != vector.outputs[0].cols ||
      vector.inputs[0].rows != vector.outputs[0].rows) {
    return fault(command.id, "leaves results of another shape");
  }
  const auto is_float = [&](const workloads::MatrixView& view) {
    return format_of(graph_.tensors[static_cast<std::size_t>(view.tensor)].format.bits, numbers_)
        .is_float();
  };
  const bool floats = is_float(op.inputs[0]) || is_float(op.inputs[1]);
  const double scale = operator_scale(graph_, op, numbers_);
  const std::vector<TileOperand> sums = blocks_of(vector.inputs[0], block_);
  const std::vector<TileOperand> outputs = blocks_of(vector.outputs[0], block_);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const TileOperand& output = outputs[i];
    const Format elements = format_of(output.bits, numbers_);
    for (std::int64_t row = 0; row < output.rows; ++row) {
      for (std::int64_t col = 0; col < output.cols; ++col) {
        put(output, row, col,
            finish_sum(sum_of(sums[i], row, col, floats) * scale, vector.operations, elements));
      }
    }
    auto& origins = origins_[static_cast<std::size_t>(output.region.buffer)];
    const auto first = origins.begin() + output.region.offset;
    std::fill(first, first + output.region.bytes, -1);
  }
}

void Interpreter::vector(const Command& command) {
  const workloads::Operator& op = graph_.operators[static_cast<std::size_t>(command.op)];
  if (workloads::is_gemm(op)) return convert(command, op);
  if (is_rescaling(command, plan_)) return rescale(command);
  if (plan_.operators[static_cast<std::size_t>(command.op)].attention.online) {
    return online(command);
  }
  if (!op.parts.empty()) return softmax(command);
  site_of(command);
  VectorSite& site = sites_.at({command.op, repeat_of(command)});
  const std::size_t parameters = op.parameters.empty() ? 0 : 1;
  if (command.vector.inputs.size() != op.inputs.size() + parameters) {
    return fault(command.id, "has another number of inputs than its operator");
  }
  site.parameters.clear();
  std::int64_t offset = 0;
  for (const TensorId id : op.parameters) {
    site.parameters.push_back(read_parameters(command.vector.inputs.back(), id, offset));
  }
  if (parameters > 0 && offset > command.vector.inputs.back().region.bytes) {
    return fault(command.id, "has too few parameters");
  }
  for (std::int64_t row = 0; row < command.vector.rows; ++row) vector_row(command, site, row);
}

/// The softmax inside attention: a row lies in several blocks, side by side.
void Interpreter::softmax(const Command& command) {
  const hw::VectorCommand& vector = command.vector;
  for (std::int64_t row = 0; row < vector.rows; ++row) {
    RowSlice slice;
    slice.operands.emplace_back();
    for (const TileOperand& input : vector.inputs) {
      const Format elements = format_of(input.bits, numbers_);
      for (std::int64_t col = 0; col < input.cols; ++col) {
        slice.operands[0].push_back(decode(element(input, row, col), elements) * unit(elements));
      }
    }
    write_row(vector, row, evaluate(vector.operations, slice));
  }
}

void Interpreter::forget_origins(const TileOperand& operand) {
  auto& origins = origins_[static_cast<std::size_t>(operand.region.buffer)];
  for (std::int64_t row = 0; row < operand.rows; ++row) {
    const auto first = origins.begin() + operand.region.offset + row * operand.pitch;
    std::fill(first, first + hw::ceil_div(operand.cols * operand.bits, 8), -1);
  }
}

/// The softmax of one block of keys, and what is known of its rows now.
void Interpreter::online(const Command& command) {
  const hw::VectorCommand& vector = command.vector;
  const std::int64_t keys = graph_.operators[static_cast<std::size_t>(command.op)].n;
  if (vector.inputs.size() > 2 || vector.outputs.size() != 2) {
    return fault(command.id, "has other operands than online softmax");
  }
  const TileOperand &scores = vector.inputs[0], &shares = vector.outputs[0];
  const Format in = format_of(scores.bits, numbers_), out = format_of(shares.bits, numbers_);
  for (std::int64_t row = 0; row < vector.rows; ++row) {
    std::array<float, kStatisticsKept> known{};
    for (int i = 0; i < kStatisticsKept && vector.inputs.size() > 1; ++i) {
      const std::uint32_t pattern = element(vector.inputs[1], row, i);
      std::memcpy(&known[static_cast<std::size_t>(i)], &pattern, sizeof pattern);
    }
    RowStatistics statistics{known[0], known[1], known[2], known[3]};
    std::vector<double> values;
    for (std::int64_t col = 0; col < scores.cols; ++col) {
      values.push_back(decode(element(scores, row, col), in) * unit(in));
    }
    online_softmax(values, statistics, keys);
    for (std::int64_t col = 0; col < shares.cols; ++col) {
      put(shares, row, col, encode(values.at(static_cast<std::size_t>(col)) / unit(out), out));
    }
    known = {statistics.largest, statistics.sum, statistics.factor, statistics.seen};
    for (int i = 0; i < kStatisticsKept; ++i) {
      std::uint32_t pattern = 0;
      std::memcpy(&pattern, &known[static_cast<std::size_t>(i)], sizeof pattern);
      put(vector.outputs[1], row, i, pattern);
    }
  }
  forget_origins(shares);
  forget_origins(vector.outputs[1]);
}

/// Sums of products, to the maxima that the statistics hold.
void Interpreter::rescale(const Command& command) {
  const workloads::Operator& op = graph_.operators[static_cast<std::size_t>(command.op)];
  const hw::VectorCommand& vector = command.vector;
  if (vector.inputs.size() != 2 || vector.outputs.size() != 1) {
    return fault(command.id, "has other operands than a rescaling");
  }
  const auto is_float = [&](const workloads::MatrixView& view) {
    return format_of(graph_.tensors[static_cast<std::size_t>(view.tensor)].format.bits, numbers_)
        .is_float();
  };
  const bool floats = is_float(op.parts[2].inputs[0]) || is_float(op.parts[2].inputs[1]);
  const TileOperand& sums = vector.inputs[0];
  for (std::int64_t row = 0; row < sums.rows; ++row) {
    const std::uint32_t known = element(vector.inputs[1], row, 2);
    float factor = 0;
    std::memcpy(&factor, &known, sizeof factor);
    for (std::int64_t col = 0; col < sums.cols; ++col) {
      std::uint32_t pattern = element(sums, row, col);
      if (floats) {
        float sum = 0;
        std::memcpy(&sum, &pattern, sizeof sum);
        sum = rescaled(sum, factor);
        std::memcpy(&pattern, &sum, sizeof sum);
      } else {
        const std::int64_t sum = decode_integer(pattern, sums.bits);
        pattern = static_cast<std::uint32_t>(rescaled(sum, factor, sums.bits));
      }
      put(vector.outputs[0], row, col, pattern);
    }
  }
  forget_origins(vector.outputs[0]);
}

/// Reads one row of the command's tiles; in the last pass, computes and writes it.
void Interpreter::vector_row(const Command& command, const VectorSite& site, std::int64_t row) {
  const workloads::Operator& op = graph_.operators[static_cast<std::size_t>(command.op)];
  const hw::VectorCommand& vector = command.vector;
  RowSlice slice;
  if (!read_row(command, site, row, slice)) return;
  const std::int64_t first = slice.first, count = vector.cols;
  const bool splits_pair = first % 2 != 0 || (count % 2 != 0 && first + count < op.n);
  if (turns_pairs(vector.operations) && splits_pair) {
    return fault(command.id, "cuts a row between the two columns of a RoPE pair");
  }
  const bool cut = count < op.n && reduces_rows(vector.operations);
  if (cut) collect(command, slice);
  if (vector.outputs.empty()) return;
  if (cut && !whole_row(command, slice)) return;
  for (const std::vector<double>& parameters : site.parameters) {
    const auto from = parameters.begin() + slice.first;
    slice.parameters.emplace_back(from, from + static_cast<std::int64_t>(slice.operands[0].size()));
  }
  std::vector<double> values = evaluate(vector.operations, slice);
  if (cut) values = {values.begin() + first, values.begin() + first + count};
  write_row(vector, row, values);
}

/// Where the row stands in its operator, and the values of its operands.
bool Interpreter::read_row(const Command& command, const VectorSite& site, std::int64_t row,
                           RowSlice& slice) {
  const hw::VectorCommand& vector = command.vector;
  slice.operands.resize(site.operand.back() + 1);
  slice.first = slice.row = -1;
  for (std::size_t i = 0; i < site.inputs.size(); ++i) {
    const TileOperand& input = vector.inputs[i];
    if (input.cols == 0) continue;
    const auto& origins = origins_[static_cast<std::size_t>(input.region.buffer)];
    const auto at = static_cast<std::size_t>(input.region.offset + row * input.pitch);
    const auto place =
        row < input.rows && origins[at] >= 0 ? site.inputs[i].find(origins[at] * 8) : std::nullopt;
    if (!place) {
      fault(command.id, "reads what is no operand of its operator");
      return false;
    }
    if (slice.first < 0) slice.first = site.first[i] + place->col;
    // Of a view whose rows repeat, the first row is found: the others tell.
    slice.row = std::max(slice.row, site.inputs[i].row_of(*place));
    const Format elements = format_of(input.bits, numbers_);
    for (std::int64_t col = 0; col < input.cols; ++col) {
      slice.operands[site.operand[i]].push_back(decode(element(input, row, col), elements) *
                                                unit(elements));
    }
  }
  const std::int64_t n = graph_.operators[static_cast<std::size_t>(command.op)].n;
  bool even = slice.first >= 0 && slice.first + vector.cols <= n;
  for (const std::vector<double>& operand : slice.operands) {
    even = even && static_cast<std::int64_t>(operand.size()) == vector.cols;
  }
  if (!even) fault(command.id, "has operands of different widths");
  return even;
}

/// A row that is cut: what the vector unit has seen of it, over all passes.
void Interpreter::collect(const Command& command, const RowSlice& slice) {
  const auto n = static_cast<std::size_t>(graph_.operators[static_cast<std::size_t>(command.op)].n);
  CutRow& cut = cut_rows_[{command.op, repeat_of(command), slice.row}];
  cut.operands.resize(slice.operands.size());
  cut.seen.resize(n, false);
  const auto first = static_cast<std::size_t>(slice.first);
  for (std::size_t i = 0; i < slice.operands.size(); ++i) {
    cut.operands[i].resize(n);
    std::copy(slice.operands[i].begin(), slice.operands[i].end(),
              cut.operands[i].begin() + slice.first);
  }
  for (std::size_t col = 0; col < slice.operands[0].size(); ++col) cut.seen[first + col] = true;
}

/// Puts all of the row into `slice`.
bool Interpreter::whole_row(const Command& command, RowSlice& slice) {
  const CutRow& cut = cut_rows_.at({command.op, repeat_of(command), slice.row});
  if (std::find(cut.seen.begin(), cut.seen.end(), false) != cut.seen.end()) {
    fault(command.id, "writes a row before all of it has been read");
    return false;
  }
  slice.operands = cut.operands;
  slice.first = 0;
  return true;
}

void Interpreter::write_row(const hw::VectorCommand& vector, std::int64_t row,
                            const std::vector<double>& values) {
  std::size_t next = 0;
  for (const TileOperand& output : vector.outputs) {
    const Format elements = format_of(output.bits, numbers_);
    auto& origins = origins_[static_cast<std::size_t>(output.region.buffer)];
    for (std::int64_t col = 0; col < output.cols && next < values.size(); ++col, ++next) {
      put(output, row, col, encode(values[next] / unit(elements), elements));
    }
    const auto first = origins.begin() + output.region.offset + row * output.pitch;
    std::fill(first, first + hw::ceil_div(output.cols * output.bits, 8), -1);
  }
}

}  // namespace tessera::sim
