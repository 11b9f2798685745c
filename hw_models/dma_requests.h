// How a DMA command is cut into requests. Pure.
#pragma once

#include <algorithm>

#include "hw_models/tile_program.h"

namespace tessera::hw {

/// A place in the walk over a strided range.
struct RequestPosition {
  StridedRange range;
  std::int64_t row[2] = {0, 0};
  Bytes at = 0;  // bytes of the row behind us
};

/// Consecutive requests that go out together.
struct RequestRun {
  RequestPosition from;
  std::int64_t address = 0;  // of the first useful byte
  Bytes useful = 0;
  Bytes bus = 0;  // whole DRAM bursts
  std::int64_t requests = 0;
};

/// Walks the rows of a strided range and cuts each at multiples of
/// `request` bytes: requests are naturally aligned, so a row of 64 bytes that begins at 32 mod 64
/// takes two of 64. Each takes whole DRAM bursts of `burst` bytes; a request is never smaller than
/// a burst.
class RequestCutter {
 public:
  RequestCutter() = default;
  RequestCutter(const StridedRange& range, Bytes request, Bytes burst,
                RequestSizes sizes = RequestSizes::kPartial);
  /// Goes on for `requests` requests from a place of another walk.
  RequestCutter(const RequestPosition& from, std::int64_t requests, Bytes request, Bytes burst,
                RequestSizes sizes)
      : position_(from),
        request_(std::max(request, burst)),
        burst_(burst),
        sizes_(sizes),
        requests_left_(requests) {}
  bool done() const { return requests_left_ == 0; }
  std::int64_t requests_left() const { return requests_left_; }
  /// The next requests that lie side by side: in one row, unless each takes a whole power of two.
  RequestRun next_part();
  /// The next requests, `most` at the most and no more once they move `most_bytes`. REQUIRES: not
  /// done.
  RequestRun next(std::int64_t most, Bytes most_bytes);

 private:
  std::int64_t requests_of_row(std::int64_t address) const;
  void take_from_row(RequestRun& run, std::int64_t most);
  void take_power_of_two(RequestRun& run);
  Bytes fitting_request(std::int64_t address, Bytes left) const;
  void next_row();
  std::int64_t row_address() const;

  RequestPosition position_;
  Bytes request_ = 1, burst_ = 1;
  RequestSizes sizes_ = RequestSizes::kPartial;
  std::int64_t requests_left_ = 0;
};

/// Requests and bus bytes of a whole command.
RequestRun all_requests(const StridedRange& range, Bytes request, Bytes burst,
                        RequestSizes sizes = RequestSizes::kPartial);

}  // namespace tessera::hw
