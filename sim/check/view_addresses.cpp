#include "sim/check/view_addresses.h"

#include <algorithm>

namespace tessera::sim {

ViewAddresses::ViewAddresses(const workloads::MatrixView& view, const workloads::Tensor& tensor,
                             const TensorAllocation& allocation)
    : view_(view),
      row_length_(workloads::row_length(tensor)),
      address_(allocation.address),
      pitch_(allocation.pitch),
      format_(tensor.format) {}

std::int64_t ViewAddresses::bit_address(const ElementPlace& place) const {
  const std::int64_t element = view_.offset +
                               place.matrix / view_.batch[1].count * view_.batch[0].stride +
                               place.matrix % view_.batch[1].count * view_.batch[1].stride +
                               place.row / view_.rows * view_.group.stride +
                               place.row % view_.rows * view_.row_stride + place.col;
  return (address_ + element / row_length_ * pitch_) * 8 +
         workloads::bits_before(format_, element % row_length_);
}

void ViewAddresses::sort_rows() const {
  if (!sorted_.empty()) return;
  for (std::int64_t matrix = 0; matrix < matrices(); ++matrix) {
    for (std::int64_t row = 0; row < rows(); ++row) {
      sorted_.push_back({bit_address({matrix, row, 0}), matrix * rows() + row});
    }
  }
  std::sort(sorted_.begin(), sorted_.end());
}

bool ViewAddresses::distinct() const {
  const auto repeats = [](std::int64_t count, std::int64_t stride) {
    return count > 1 && stride == 0;
  };
  return !repeats(view_.batch[0].count, view_.batch[0].stride) &&
         !repeats(view_.batch[1].count, view_.batch[1].stride) &&
         !repeats(view_.group.count, view_.group.stride) && !repeats(view_.rows, view_.row_stride);
}

std::optional<ElementPlace> ViewAddresses::find(std::int64_t bit) const {
  sort_rows();
  auto it = std::upper_bound(sorted_.begin(), sorted_.end(), Row{bit, INT64_MAX});
  if (it == sorted_.begin()) return std::nullopt;
  --it;
  while (it != sorted_.begin() && std::prev(it)->bit == it->bit) --it;
  const std::int64_t inside = bit - it->bit;
  const std::int64_t group = workloads::row_bits(format_, format_.group);
  const std::int64_t groups = group > 0 ? inside / group : 0;
  const std::int64_t in_group = inside - groups * group;
  const bool in_scale = group > 0 && in_group >= std::int64_t{format_.group} * bits();
  const std::int64_t col = groups * format_.group + in_group / bits();
  if (in_group % bits() != 0 || in_scale || col >= cols()) return std::nullopt;
  return ElementPlace{it->index / rows(), it->index % rows(), col};
}

std::vector<std::pair<std::int64_t, std::int64_t>> ViewAddresses::row_bytes() const {
  std::vector<std::pair<std::int64_t, std::int64_t>> bytes;
  for (std::int64_t matrix = 0; matrix < matrices(); ++matrix) {
    for (std::int64_t row = 0; row < rows(); ++row) {
      const std::int64_t bit = bit_address({matrix, row, 0});
      const std::int64_t begin = bit / 8,
                         end = hw::ceil_div(bit + workloads::row_bits(format_, cols()), 8);
      if (!bytes.empty() && bytes.back().second == begin) {
        bytes.back().second = end;
      } else {
        bytes.emplace_back(begin, end);
      }
    }
  }
  return bytes;
}

}  // namespace tessera::sim
