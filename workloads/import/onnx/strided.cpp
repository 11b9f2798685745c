#include "workloads/import/onnx/strided.h"

#include <algorithm>

namespace tessera::workloads::onnx {
namespace {

std::int64_t count_of(const Steps& steps) {
  std::int64_t count = 1;
  for (const Dim& step : steps) count *= step.count;
  return count;
}

bool continues(const Dim& outer, const Dim& inner) {
  return outer.stride == inner.count * inner.stride;
}

/// Without steps of one element, neighbours joined.
Steps compact(const Steps& steps) {
  Steps result;
  for (const Dim& step : steps) {
    if (step.count == 1) continue;
    if (!result.empty() && continues(result.back(), step)) {
      result.back() = {result.back().count * step.count, step.stride};
    } else {
      result.push_back(step);
    }
  }
  return result;
}

/// Takes the outer `count` elements' worth of steps off the front of `rest`.
bool take(Steps& rest, std::int64_t count, Steps& out) {
  while (count > 1) {
    if (rest.empty()) return false;
    Dim& front = rest.front();
    if (count % front.count == 0) {
      out.push_back(front);
      count /= front.count;
      rest.erase(rest.begin());
    } else if (front.count % count == 0) {
      const std::int64_t inner = front.count / count;
      out.push_back({count, front.stride * inner});
      front.count = inner;
      count = 1;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

Strided row_major(const Shape& shape) {
  Strided value;
  value.dims.resize(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    value.dims[i] = compact({{shape[i], stride}});
    stride *= shape[i];
  }
  return value;
}

Shape shape_of(const Strided& value) {
  Shape shape;
  for (const Steps& steps : value.dims) shape.push_back(count_of(steps));
  return shape;
}

bool reshape(const Strided& from, const Shape& to, Strided& out) {
  Steps rest = compact(joined(from, 0, from.dims.size()));
  Strided result = from;
  result.dims.assign(to.size(), {});
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (!take(rest, to[i], result.dims[i])) return false;
    result.dims[i] = compact(result.dims[i]);
  }
  out = result;
  return true;
}

Strided transpose(const Strided& from, const std::vector<std::size_t>& order) {
  Strided result = from;
  for (std::size_t i = 0; i < order.size(); ++i) result.dims[i] = from.dims[order[i]];
  return result;
}

Strided untranspose(const Strided& to, const std::vector<std::size_t>& order) {
  Strided result = to;
  for (std::size_t i = 0; i < order.size(); ++i) result.dims[order[i]] = to.dims[i];
  return result;
}

bool slice(const Strided& from, std::size_t axis, std::int64_t start, std::int64_t step,
           std::int64_t count, Strided& out) {
  const Steps& steps = from.dims[axis];
  const bool all = start == 0 && step == 1 && count == count_of(steps);
  if (!all && steps.size() > 1) return false;
  out = from;
  if (all || steps.empty()) return true;
  out.offset += start * steps[0].stride;
  out.dims[axis] = compact({{count, steps[0].stride * step}});
  return true;
}

Strided expand(const Strided& from, const Shape& to) {
  Strided result = from;
  const std::size_t added = to.size() - std::min(to.size(), from.dims.size());
  result.dims.insert(result.dims.begin(), added, {});
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (result.dims[i].empty() && to[i] != 1) result.dims[i] = {{to[i], 0}};
  }
  return result;
}

bool step_together(std::vector<Steps> values, std::vector<Steps>& out) {
  std::vector<Steps> inner_first(values.size());
  for (Steps& steps : values) steps = compact(steps);
  while (!values.front().empty()) {
    std::int64_t count = values.front().back().count;
    for (const Steps& steps : values) {
      if (steps.empty()) return false;
      count = std::min(count, steps.back().count);
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      Dim& inner = values[i].back();
      if (inner.count % count != 0) return false;
      inner_first[i].push_back({count, inner.stride});
      inner = {inner.count / count, inner.stride * count};
      if (inner.count == 1) values[i].pop_back();
    }
  }
  for (const Steps& steps : values) {
    if (!steps.empty()) return false;
  }
  out.assign(values.size(), {});
  for (std::size_t s = inner_first.front().size(); s-- > 0;) {
    const bool join = !out.front().empty() && [&] {
      for (std::size_t i = 0; i < out.size(); ++i) {
        if (!continues(out[i].back(), inner_first[i][s])) return false;
      }
      return true;
    }();
    for (std::size_t i = 0; i < out.size(); ++i) {
      const Dim& step = inner_first[i][s];
      if (join) {
        out[i].back() = {out[i].back().count * step.count, step.stride};
      } else {
        out[i].push_back(step);
      }
    }
  }
  return true;
}

Steps joined(const Strided& value, std::size_t first, std::size_t last) {
  Steps all;
  for (std::size_t i = first; i < last; ++i) {
    all.insert(all.end(), value.dims[i].begin(), value.dims[i].end());
  }
  return all;
}

bool is_contiguous(const Strided& value, std::size_t axis) {
  const Steps& steps = value.dims[axis];
  return steps.empty() || (steps.size() == 1 && steps[0].stride == 1);
}

}  // namespace tessera::workloads::onnx
