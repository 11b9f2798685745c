#include "hw_models/dma_requests.h"

#include <algorithm>
#include <limits>

namespace tessera::hw {

RequestCutter::RequestCutter(const StridedRange& range, Bytes request, Bytes burst,
                             RequestSizes sizes)
    : position_{range, {0, 0}, 0},
      request_(std::max(request, burst)),
      burst_(burst),
      sizes_(sizes) {
  // Alignment repeats when the strides are multiples of a request: then one row stands for all.
  const bool uniform =
      position_.range.stride[0] % request_ == 0 && position_.range.stride[1] % request_ == 0;
  if (uniform) {
    requests_left_ = requests_of_row(position_.range.address) * position_.range.count[0] *
                     position_.range.count[1];
    return;
  }
  for (position_.row[1] = 0; position_.row[1] < position_.range.count[1]; ++position_.row[1]) {
    for (position_.row[0] = 0; position_.row[0] < position_.range.count[0]; ++position_.row[0]) {
      requests_left_ += requests_of_row(row_address());
    }
  }
  position_.row[0] = position_.row[1] = 0;
}

std::int64_t RequestCutter::row_address() const {
  return position_.range.address + position_.row[1] * position_.range.stride[1] +
         position_.row[0] * position_.range.stride[0];
}

std::int64_t RequestCutter::requests_of_row(std::int64_t address) const {
  if (sizes_ == RequestSizes::kPartial) {
    return (address + position_.range.row_bytes - 1) / request_ - address / request_ + 1;
  }
  std::int64_t requests = 0;
  for (std::int64_t at = address; at < address + position_.range.row_bytes; ++requests) {
    const Bytes size = fitting_request(at, address + position_.range.row_bytes - at);
    at += std::min(size - at % size, address + position_.range.row_bytes - at);
  }
  return requests;
}

/// The size that holds most of `left` bytes from `address` on, the smallest of equals.
Bytes RequestCutter::fitting_request(std::int64_t address, Bytes left) const {
  Bytes best = burst_;
  const auto holds = [&](Bytes size) { return std::min(size - address % size, left); };
  for (Bytes size = burst_; size <= request_; size *= 2) {
    if (holds(size) > holds(best)) best = size;
  }
  return best;
}

void RequestCutter::take_power_of_two(RequestRun& run) {
  const std::int64_t address = row_address() + position_.at;
  const Bytes left = position_.range.row_bytes - position_.at;
  const Bytes size = fitting_request(address, left);
  const Bytes useful = std::min(size - address % size, left);
  run.useful += useful;
  run.bus += size;
  ++run.requests;
  position_.at += useful;
  if (position_.at == position_.range.row_bytes) next_row();
}

void RequestCutter::next_row() {
  position_.at = 0;
  if (++position_.row[0] < position_.range.count[0]) return;
  position_.row[0] = 0;
  ++position_.row[1];
}

void RequestCutter::take_from_row(RequestRun& run, std::int64_t most) {
  const std::int64_t address = row_address() + position_.at;
  const Bytes in_row = position_.range.row_bytes - position_.at;
  const Bytes reach = (address / request_ + most) * request_ - address;  // of `most` requests
  const Bytes useful = std::min(in_row, reach);
  run.useful += useful;
  run.bus += round_up(address + useful, burst_) - address / burst_ * burst_;
  run.requests += (address + useful - 1) / request_ - address / request_ + 1;
  position_.at += useful;
  if (position_.at == position_.range.row_bytes) next_row();
}

RequestRun RequestCutter::next(std::int64_t most, Bytes most_bytes) {
  RequestRun run;
  run.from = position_;
  run.address = row_address() + position_.at;
  while (run.requests < most && run.requests < requests_left_ && run.bus < most_bytes) {
    if (sizes_ == RequestSizes::kPowersOfTwo) {
      take_power_of_two(run);
      continue;
    }
    const std::int64_t fit = ceil_div(most_bytes - run.bus, request_);
    take_from_row(run, std::min(most - run.requests, fit));
  }
  requests_left_ -= run.requests;
  return run;
}

RequestRun RequestCutter::next_part() {
  RequestRun run;
  run.from = position_;
  run.address = row_address() + position_.at;
  if (sizes_ == RequestSizes::kPowersOfTwo) {
    take_power_of_two(run);
  } else {
    take_from_row(run, requests_left_);
  }
  requests_left_ -= run.requests;
  return run;
}

RequestRun all_requests(const StridedRange& range, Bytes request, Bytes burst, RequestSizes sizes) {
  RequestCutter cutter(range, request, burst, sizes);
  return cutter.next(cutter.requests_left(), std::numeric_limits<Bytes>::max() / 2);
}

}  // namespace tessera::hw
