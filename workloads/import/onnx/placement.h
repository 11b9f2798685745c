// Where results lie: so that the layout operators behind them move nothing.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "workloads/import/onnx/network.h"
#include "workloads/import/onnx/strided.h"

namespace tessera::workloads::onnx {

/// Makes a new tensor of `shape` for the value `name` and returns it.
using MakeTensor = std::function<TensorId(const std::string& name, const Shape& shape)>;
using Accepts = std::function<bool(const Strided&)>;

class Placement {
 public:
  Placement(const Network& network, MakeTensor make_tensor)
      : network_(network), make_tensor_(std::move(make_tensor)) {}

  /// Places the result `name`, whose innermost dimension is `columns`. A Reshape, Transpose or
  /// Concat that alone reads it decides the layout if `accepts` likes what that means here.
  Strided place(const std::string& name, std::size_t columns, const Accepts& accepts);

  /// The tensor of a Concat's result, made at the latest now.
  Strided concatenated(std::size_t node);
  /// Input `input` of Concat `node` was written where it belongs.
  bool in_place(std::size_t node, std::size_t input) const {
    return in_place_.count({node, input}) != 0;
  }

 private:
  struct Step {
    std::size_t node = 0;
    std::string from, to;
  };

  std::vector<Step> chain_behind(const std::string& name) const;
  bool seen_through(const std::vector<Step>& chain, std::size_t length, Strided& value) const;
  bool part_of_concat(const Step& step, Strided& value) const;

  const Network& network_;
  MakeTensor make_tensor_;
  std::map<std::size_t, TensorId> concats_;
  std::set<std::pair<std::size_t, std::size_t>> in_place_;
};

/// Where along its axis input `input` of a Concat begins.
std::int64_t concat_begin(const Network& network, const Node& concat, std::size_t input);

}  // namespace tessera::workloads::onnx
