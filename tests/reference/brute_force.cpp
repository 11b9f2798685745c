#include "tests/reference/brute_force.h"

#include <algorithm>
#include <set>

namespace tessera::reference {
namespace {

std::int64_t pieces(std::int64_t whole, std::int64_t piece) { return (whole + piece - 1) / piece; }

std::int64_t packed(std::int64_t rows, std::int64_t cols, int bits) {
  return rows * ((cols * bits + 7) / 8);
}

std::int64_t piece_size(std::int64_t whole, std::int64_t piece, std::int64_t index) {
  return std::min(piece, whole - index * piece);
}

struct Step {
  std::int64_t i = 0, k = 0, j = 0;
};

std::vector<Step> steps_of(const TiledGemm& gemm, const Tiling& tiling) {
  const auto count = [&](char loop) {
    return loop == 'm'   ? pieces(gemm.m, tiling.m)
           : loop == 'k' ? pieces(gemm.k, tiling.k)
                         : pieces(gemm.n, tiling.n);
  };
  std::vector<Step> steps;
  const auto set = [](Step& step, char loop, std::int64_t value) {
    (loop == 'm' ? step.i : loop == 'k' ? step.k : step.j) = value;
  };
  Step step;
  for (std::int64_t x = 0; x < count(tiling.order[0]); ++x) {
    for (std::int64_t y = 0; y < count(tiling.order[1]); ++y) {
      for (std::int64_t z = 0; z < count(tiling.order[2]); ++z) {
        set(step, tiling.order[0], x);
        set(step, tiling.order[1], y);
        set(step, tiling.order[2], z);
        steps.push_back(step);
      }
    }
  }
  return steps;
}

/// Fetches of a tile that depends on two of the loops.
std::int64_t fetches(const TiledGemm& gemm, const Tiling& tiling, char unrelated) {
  std::int64_t product = 1, result = 1;
  for (const char loop : tiling.order) {
    const std::int64_t count = loop == 'm'   ? pieces(gemm.m, tiling.m)
                               : loop == 'k' ? pieces(gemm.k, tiling.k)
                                             : pieces(gemm.n, tiling.n);
    product *= count;
    if (loop != unrelated && count > 1) result = product;
  }
  return result;
}

/// All columns of a matrix cut into tiles of `piece`, in bytes for one row.
std::int64_t row_in_pieces(std::int64_t whole, std::int64_t piece, int bits) {
  const std::int64_t last = pieces(whole, piece) - 1;
  return last * packed(1, piece, bits) + packed(1, piece_size(whole, piece, last), bits);
}

std::int64_t least_over_orders(const TiledGemm& gemm, Tiling tiling) {
  std::int64_t least = -1;
  tiling.order = {'k', 'm', 'n'};
  do {
    const std::int64_t bytes = counted_bytes(gemm, tiling);
    if (least < 0 || bytes < least) least = bytes;
  } while (std::next_permutation(tiling.order.begin(), tiling.order.end()));
  return least;
}

}  // namespace

std::int64_t walked_bytes(const TiledGemm& gemm, const Tiling& tiling) {
  const std::int64_t last_k = pieces(gemm.k, tiling.k) - 1;
  std::set<std::pair<std::int64_t, std::int64_t>> a_seen, b_seen;
  std::int64_t bytes = 0;
  Step before{-1, -1, -1};
  const auto a_bytes = [&](const Step& s) {
    return packed(piece_size(gemm.m, tiling.m, s.i), piece_size(gemm.k, tiling.k, s.k),
                  gemm.a_bits);
  };
  const auto b_bytes = [&](const Step& s) {
    return packed(piece_size(gemm.k, tiling.k, s.k), piece_size(gemm.n, tiling.n, s.j),
                  gemm.b_bits);
  };
  const auto c_bytes = [&](const Step& s, int bits) {
    return packed(piece_size(gemm.m, tiling.m, s.i), piece_size(gemm.n, tiling.n, s.j), bits);
  };
  for (const Step& now : steps_of(gemm, tiling)) {
    const bool new_a = now.i != before.i || now.k != before.k;
    const bool new_b = now.k != before.k || now.j != before.j;
    const bool new_c = now.i != before.i || now.j != before.j;
    const bool a_here = tiling.keep_a && a_seen.count({now.i, now.k}) != 0;
    const bool b_here = tiling.keep_b && b_seen.count({now.k, now.j}) != 0;
    if (new_a && !a_here) bytes += a_bytes(now);
    if (new_b && !b_here) bytes += b_bytes(now);
    if (new_c && before.i >= 0 && before.k != last_k) bytes += c_bytes(before, gemm.partial_bits);
    if (new_c && now.k > 0) bytes += c_bytes(now, gemm.partial_bits);
    if (now.k == last_k) bytes += c_bytes(now, gemm.result_bits);
    a_seen.insert({now.i, now.k});
    b_seen.insert({now.k, now.j});
    before = now;
  }
  return bytes;
}

std::int64_t counted_bytes(const TiledGemm& gemm, const Tiling& tiling) {
  const std::int64_t tiles_a = pieces(gemm.m, tiling.m) * pieces(gemm.k, tiling.k);
  const std::int64_t tiles_b = pieces(gemm.k, tiling.k) * pieces(gemm.n, tiling.n);
  const std::int64_t tiles_c = pieces(gemm.m, tiling.m) * pieces(gemm.n, tiling.n);
  const std::int64_t times_a = tiling.keep_a ? 1 : fetches(gemm, tiling, 'n') / tiles_a;
  const std::int64_t times_b = tiling.keep_b ? 1 : fetches(gemm, tiling, 'm') / tiles_b;
  const std::int64_t visits = fetches(gemm, tiling, 'k') / tiles_c;
  const std::int64_t a = gemm.m * row_in_pieces(gemm.k, tiling.k, gemm.a_bits);
  const std::int64_t b = gemm.k * row_in_pieces(gemm.n, tiling.n, gemm.b_bits);
  const std::int64_t partial = gemm.m * row_in_pieces(gemm.n, tiling.n, gemm.partial_bits);
  const std::int64_t result = gemm.m * row_in_pieces(gemm.n, tiling.n, gemm.result_bits);
  return times_a * a + times_b * b + 2 * (visits - 1) * partial + result;
}

bool fits(const TiledGemm& gemm, const Tiling& tiling, const TilePools& pools) {
  const std::int64_t copies_a =
      tiling.keep_a ? pieces(gemm.m, tiling.m) * pieces(gemm.k, tiling.k) : 1;
  const std::int64_t copies_b =
      tiling.keep_b ? pieces(gemm.k, tiling.k) * pieces(gemm.n, tiling.n) : 1;
  const std::array<std::int64_t, 4> needs{
      copies_a * packed(tiling.m, tiling.k, gemm.a_bits),
      copies_b * packed(tiling.k, tiling.n, gemm.b_bits),
      packed(tiling.m, tiling.n, gemm.partial_bits),
      pools.results_in_place ? 0 : packed(tiling.m, tiling.n, gemm.result_bits)};
  for (std::size_t p = 0; p < pools.capacity.size(); ++p) {
    std::int64_t used = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      if (pools.pool[i] == static_cast<int>(p)) used += needs[i];
    }
    if (used > pools.capacity[p]) return false;
  }
  return true;
}

std::int64_t least_bytes(const TiledGemm& gemm, const TilePools& pools,
                         const std::array<std::vector<std::int64_t>, 3>& sizes) {
  std::int64_t least = -1;
  Tiling tiling;
  for (const std::int64_t m : sizes[0]) {
    for (const std::int64_t k : sizes[1]) {
      for (const std::int64_t n : sizes[2]) {
        for (const bool keep_a : {false, true}) {
          for (const bool keep_b : {false, true}) {
            tiling.m = m;
            tiling.k = k;
            tiling.n = n;
            tiling.keep_a = keep_a;
            tiling.keep_b = keep_b;
            if (!fits(gemm, tiling, pools)) continue;
            const std::int64_t bytes = least_over_orders(gemm, tiling);
            if (least < 0 || bytes < least) least = bytes;
          }
        }
      }
    }
  }
  return least;
}

std::vector<std::int64_t> every_size(std::int64_t size) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t s = 1; s <= size; ++s) sizes.push_back(s);
  return sizes;
}

std::vector<std::int64_t> even_sizes(std::int64_t size) {
  std::set<std::int64_t> sizes;
  for (std::int64_t c = 1; c <= size; ++c) sizes.insert(pieces(size, c));
  return {sizes.begin(), sizes.end()};
}

}  // namespace tessera::reference
