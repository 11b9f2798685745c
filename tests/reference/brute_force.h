// DRAM traffic of tiled matrix products, counted the slow way. Shares no code with the mapper.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace tessera::reference {

/// C[m,n] = A[m,k] B[k,n]; bits of an element of A, B, a partial sum, a result.
struct TiledGemm {
  std::int64_t m = 1, k = 1, n = 1;
  int a_bits = 8, b_bits = 8, partial_bits = 32, result_bits = 8;
};

/// Memory for tiles: pool of A, B, partial sums and results; capacity of each pool in bytes.
struct TilePools {
  std::array<int, 4> pool{0, 0, 0, 0};
  std::vector<std::int64_t> capacity;
  bool results_in_place = false;  // results need no room of their own
};

struct Tiling {
  std::int64_t m = 1, k = 1, n = 1;
  std::array<char, 3> order{'m', 'n', 'k'};  // outer first
  bool keep_a = false, keep_b = false;       // every tile of the operand stays once loaded
};

/// Walks the loop nest tile by tile and adds up what moves: a tile moves when its index differs
/// from the one before; an unfinished result leaves and comes back as partial sums.
std::int64_t walked_bytes(const TiledGemm& gemm, const Tiling& tiling);

/// The same from the positions of the loops: a tile is fetched once for every iteration of the
/// loops from the outermost to the innermost one that changes it.
std::int64_t counted_bytes(const TiledGemm& gemm, const Tiling& tiling);

/// True when one tile of each kind (all tiles of a kept operand) fits.
bool fits(const TiledGemm& gemm, const Tiling& tiling, const TilePools& pools);

/// Least bytes over all tile sizes in `sizes` (m, k, n), all orders, all choices of what is kept.
/// -1 when nothing fits.
std::int64_t least_bytes(const TiledGemm& gemm, const TilePools& pools,
                         const std::array<std::vector<std::int64_t>, 3>& sizes);

/// 1, 2, ..., size.
std::vector<std::int64_t> every_size(std::int64_t size);
/// Distinct ceil(size / c).
std::vector<std::int64_t> even_sizes(std::int64_t size);

}  // namespace tessera::reference
