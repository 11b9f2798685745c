// Elements in memory, packed bit by bit. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/tensor.h"

namespace tessera::sim {

/// `bits` (1 to 32) bits from bit `at` on, the first in the lowest place.
std::uint32_t get_bits(const std::uint8_t* bytes, std::int64_t at, int bits);
void put_bits(std::uint8_t* bytes, std::int64_t at, int bits, std::uint32_t pattern);

/// A row-major tensor as stored: every row takes whole bytes.
struct TensorImage {
  std::int64_t rows = 0, cols = 0, row_bytes = 0;
  int bits = 8;
  workloads::ElementFormat format;
  std::vector<std::uint8_t> bytes;

  TensorImage() = default;
  TensorImage(std::int64_t row_count, std::int64_t row_length,
              const workloads::ElementFormat& elements);
  std::uint32_t get(std::int64_t element) const;
  void put(std::int64_t element, std::uint32_t pattern);

 private:
  std::int64_t bit_of(std::int64_t element) const;
};

}  // namespace tessera::sim
