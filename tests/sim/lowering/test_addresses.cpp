// Where a tile lies in DRAM, against one element after the other.
#include <catch2/catch.hpp>
#include <random>
#include <set>
#include <vector>

#include "sim/lowering/addresses.h"
#include "tests/workloads/model_zoo.h"

using namespace tessera;
using sim::TensorAllocation;
using sim::TileWindow;
using workloads::MatrixView;
using workloads::Tensor;

namespace {

struct Scene {
  Tensor tensor;
  MatrixView view;
  TensorAllocation place;
  TileWindow window;
};

/// Element that row `outer row` of the window's matrix has in its first column.
std::int64_t element_at(const Scene& s, std::int64_t row, std::int64_t col) {
  const MatrixView& v = s.view;
  std::int64_t matrix = s.window.batch;
  if (s.window.all_matrices) {
    matrix = row / (v.group.count * v.rows);
    row %= v.group.count * v.rows;
  }
  const std::int64_t b0 = matrix / v.batch[1].count, b1 = matrix % v.batch[1].count;
  const std::int64_t g = row / v.rows, r = row % v.rows;
  return v.offset + b0 * v.batch[0].stride + b1 * v.batch[1].stride + g * v.group.stride +
         r * v.row_stride + col;
}

/// Bits of an element in DRAM: rows of the tensor are `pitch` bytes apart.
std::int64_t bit_at(const Scene& s, std::int64_t element) {
  const std::int64_t length = workloads::row_length(s.tensor);
  return 8 * (s.place.address + element / length * s.place.pitch) +
         element % length * s.tensor.format.bits;
}

/// First byte of every row of the window, and its bytes, in the order of the rows.
std::vector<std::int64_t> expected_bytes(const Scene& s) {
  std::vector<std::int64_t> bytes;
  for (std::int64_t row = s.window.row; row < s.window.row + s.window.rows; ++row) {
    const std::int64_t begin = bit_at(s, element_at(s, row, s.window.col));
    const std::int64_t end =
        bit_at(s, element_at(s, row, s.window.col + s.window.cols - 1)) + s.tensor.format.bits;
    for (std::int64_t byte = begin / 8; byte < hw::ceil_div(end, 8); ++byte) bytes.push_back(byte);
  }
  return bytes;
}

std::vector<std::int64_t> moved_bytes(const Scene& s) {
  std::vector<std::int64_t> bytes;
  std::int64_t row = 0;
  for (const sim::TilePiece& piece : sim::tile_pieces(s.view, s.tensor, s.place, s.window)) {
    REQUIRE(piece.first_row == row);
    row += piece.rows;
    const hw::StridedRange& range = piece.dram;
    for (std::int64_t j = 0; j < range.count[1]; ++j) {
      for (std::int64_t i = 0; i < range.count[0]; ++i) {
        for (hw::Bytes b = 0; b < range.row_bytes; ++b) {
          bytes.push_back(range.address + j * range.stride[1] + i * range.stride[0] + b);
        }
      }
    }
  }
  REQUIRE(row == s.window.rows);
  return bytes;
}

void check_box(const Scene& s) {
  const sim::TensorBox box = sim::tile_box(s.view, s.tensor, s.window);
  const std::int64_t length = workloads::row_length(s.tensor);
  for (std::int64_t row = s.window.row; row < s.window.row + s.window.rows; ++row) {
    for (std::int64_t col = s.window.col; col < s.window.col + s.window.cols; ++col) {
      const std::int64_t element = element_at(s, row, col);
      REQUIRE(element / length >= box.row_begin);
      REQUIRE(element / length < box.row_end);
      REQUIRE(element % length >= box.col_begin);
      REQUIRE(element % length < box.col_end);
    }
  }
}

void check(const Scene& s) {
  REQUIRE(moved_bytes(s) == expected_bytes(s));
  check_box(s);
}

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::int64_t pick(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(engine_);
  }

 private:
  std::mt19937_64 engine_;
};

/// A window on whole bytes inside the view.
TileWindow window_of(const MatrixView& view, int bits, bool all_matrices, Random& random) {
  TileWindow window;
  const std::int64_t grain = bits < 8 ? 8 / bits : 1;
  const std::int64_t matrices = view.batch[0].count * view.batch[1].count;
  window.all_matrices = all_matrices;
  window.batch = all_matrices ? 0 : random.pick(0, matrices - 1);
  const std::int64_t rows = view.group.count * view.rows * (all_matrices ? matrices : 1);
  window.rows = random.pick(1, rows);
  window.row = random.pick(0, rows - window.rows);
  window.col = random.pick(0, (view.cols - 1) / grain) * grain;
  window.cols = random.pick(1, view.cols - window.col);
  return window;
}

/// Heads side by side in the rows of [requests x tokens][heads x width]: the views of attention.
Scene attention_scene(Random& random) {
  Scene s;
  const std::int64_t requests = random.pick(1, 3), tokens = random.pick(1, 6);
  const std::int64_t kv = random.pick(1, 3), group = random.pick(1, 3);
  const std::int64_t width = 2 * random.pick(1, 5);
  const int all_bits[] = {4, 8, 16};
  s.tensor.format.bits = all_bits[random.pick(0, 2)];
  s.tensor.shape = {requests * tokens, kv * group * width};
  const std::int64_t row = kv * group * width;
  s.view.batch = {{{requests, tokens * row}, {kv, group * width}}};
  s.view.group = {group, width};
  s.view.rows = tokens;
  s.view.row_stride = row;
  s.view.cols = width;
  return s;
}

/// One matrix, or one per request, of whole rows.
Scene rows_scene(Random& random) {
  Scene s;
  const std::int64_t requests = random.pick(1, 3), tokens = random.pick(2, 7);
  const std::int64_t width = 2 * random.pick(1, 9);
  const int all_bits[] = {4, 8, 16};
  s.tensor.format.bits = all_bits[random.pick(0, 2)];
  s.tensor.shape = {requests * tokens, width};
  s.view.batch = {{{requests, tokens * width}, {}}};
  s.view.rows = random.pick(1, tokens);
  s.view.offset = (tokens - s.view.rows) * width;
  s.view.row_stride = width;
  s.view.cols = width;
  if (random.pick(0, 2) == 0) s.view.group = {1, 0};
  return s;
}

void place(Scene& s, Random& random, bool padded) {
  s.place.pitch = workloads::stored_bytes(s.tensor, 1, workloads::row_length(s.tensor));
  if (padded) s.place.pitch += random.pick(0, 70);
  s.place.address = 64 * random.pick(0, 20);
  s.place.bytes = s.place.pitch * workloads::row_count(s.tensor);
}

}  // namespace

TEST_CASE("the pieces of a tile are its bytes row by row") {
  Random random(1);
  for (int i = 0; i < 3000; ++i) {
    Scene s = i % 2 == 0 ? attention_scene(random) : rows_scene(random);
    place(s, random, false);
    s.window = window_of(s.view, s.tensor.format.bits, random.pick(0, 1) != 0, random);
    check(s);
  }
}

TEST_CASE("rows of a tensor may lie further apart than they are long") {
  Random random(2);
  for (int i = 0; i < 3000; ++i) {
    Scene s = i % 2 == 0 ? attention_scene(random) : rows_scene(random);
    place(s, random, true);
    s.window = window_of(s.view, s.tensor.format.bits, random.pick(0, 1) != 0, random);
    check(s);
  }
}

TEST_CASE("every view of every family splits into its bytes") {
  namespace zoo = workloads::zoo;
  Random random(3);
  for (const std::int64_t batch : {1, 3}) {
    for (const workloads::ModelDescriptor& model :
         {zoo::tiny_decoder(), zoo::tiny_vit(), zoo::tiny_bert()}) {
      const workloads::Graph graph = zoo::graph_of(model, batch);
      for (const workloads::Operator& op : graph.operators) {
        std::vector<MatrixView> views = op.inputs;
        views.insert(views.end(), op.outputs.begin(), op.outputs.end());
        for (const MatrixView& view : views) {
          Scene s;
          s.tensor = graph.tensors[static_cast<std::size_t>(view.tensor)];
          s.view = view;
          place(s, random, random.pick(0, 1) != 0);
          INFO(op.name << " " << s.tensor.name);
          for (int i = 0; i < 20; ++i) {
            s.window = window_of(view, s.tensor.format.bits, !workloads::is_gemm(op), random);
            check(s);
          }
        }
      }
    }
  }
}

TEST_CASE("a tile of whole rows is one transfer") {
  Scene s;
  s.tensor.shape = {100, 64};
  s.view.rows = 100;
  s.view.row_stride = s.view.cols = 64;
  s.place.address = 4096;
  s.place.pitch = 64;
  s.window.row = 10;
  s.window.rows = 20;
  s.window.cols = 64;
  const auto pieces = sim::tile_pieces(s.view, s.tensor, s.place, s.window);
  REQUIRE(pieces.size() == 1);
  CHECK(pieces[0].dram.address == 4096 + 640);
  CHECK(pieces[0].dram.row_bytes == 20 * 64);
  CHECK(pieces[0].dram.count[0] == 1);
}

TEST_CASE("boxes that only touch do not overlap") {
  CHECK(sim::overlap({0, 4, 0, 4}, {3, 5, 3, 5}));
  CHECK_FALSE(sim::overlap({0, 4, 0, 4}, {4, 5, 0, 4}));
  CHECK_FALSE(sim::overlap({0, 4, 0, 4}, {0, 4, 4, 8}));
}
