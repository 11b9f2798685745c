#include "sim/check/tensor_image.h"

namespace tessera::sim {

std::uint32_t get_bits(const std::uint8_t* bytes, std::int64_t at, int bits) {
  if (bits == 8 && at % 8 == 0) return bytes[at / 8];
  std::uint64_t word = 0;
  const std::int64_t first = at / 8, last = (at + bits - 1) / 8;
  for (std::int64_t i = last; i >= first; --i) word = word << 8 | bytes[i];
  return static_cast<std::uint32_t>(word >> at % 8 & (~std::uint64_t{0} >> (64 - bits)));
}

void put_bits(std::uint8_t* bytes, std::int64_t at, int bits, std::uint32_t pattern) {
  if (bits == 8 && at % 8 == 0) {
    bytes[at / 8] = static_cast<std::uint8_t>(pattern);
    return;
  }
  const std::int64_t first = at / 8, last = (at + bits - 1) / 8;
  const std::uint64_t mask = (~std::uint64_t{0} >> (64 - bits)) << at % 8;
  const std::uint64_t word = static_cast<std::uint64_t>(pattern) << at % 8 & mask;
  for (std::int64_t i = first; i <= last; ++i) {
    const int shift = static_cast<int>(8 * (i - first));
    bytes[i] = static_cast<std::uint8_t>((bytes[i] & ~(mask >> shift)) | word >> shift);
  }
}

TensorImage::TensorImage(std::int64_t row_count, std::int64_t row_length,
                         const workloads::ElementFormat& elements)
    : rows(row_count),
      cols(row_length),
      row_bytes((workloads::row_bits(elements, row_length) + 7) / 8),
      bits(elements.bits),
      format(elements),
      bytes(static_cast<std::size_t>(row_count * row_bytes)) {}

std::int64_t TensorImage::bit_of(std::int64_t element) const {
  return element / cols * row_bytes * 8 + workloads::bits_before(format, element % cols);
}

std::uint32_t TensorImage::get(std::int64_t element) const {
  return get_bits(bytes.data(), bit_of(element), bits);
}

void TensorImage::put(std::int64_t element, std::uint32_t pattern) {
  put_bits(bytes.data(), bit_of(element), bits, pattern);
}

}  // namespace tessera::sim
