// Lines of operators.csv and totals.csv, computed from a graph.
#pragma once

#include <map>
#include <ostream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/workloads/reference_rows.h"
#include "workloads/graph.h"

namespace tessera::workloads {

/// Batch and sequence of one graph of the reference.
using Case = std::pair<std::int64_t, std::int64_t>;

inline Case case_of(const Row& row) {
  return {std::stoll(row.at("batch")), std::stoll(row.at("seq"))};
}

/// One line of operators.csv, computed from a graph.
struct Line {
  std::string name;
  std::string kind;
  std::int64_t m = 0, k = 0, n = 0, count = 0;
  std::int64_t macs = 0, weights = 0, in = 0, out = 0;
};

inline bool operator==(const Line& a, const Line& b) {
  return std::tie(a.name, a.kind, a.m, a.k, a.n, a.count, a.macs, a.weights, a.in, a.out) ==
         std::tie(b.name, b.kind, b.m, b.k, b.n, b.count, b.macs, b.weights, b.in, b.out);
}

inline std::ostream& operator<<(std::ostream& stream, const Line& line) {
  return stream << line.name << ' ' << line.kind << " (" << line.m << ',' << line.k << ',' << line.n
                << ") x " << line.count << " macs " << line.macs << " weights " << line.weights
                << " in " << line.in << " out " << line.out;
}

inline Line line_of(const Row& row) {
  const auto number = [&](const char* column) { return std::stoll(row.at(column)); };
  return {row.at("operator"), row.at("kind"),     number("M"),    number("K"),
          number("N"),        number("count"),    number("macs"), number("weight_elems"),
          number("in_elems"), number("out_elems")};
}

inline std::int64_t csv_count(const Operator& op) {
  return op.kind == OperatorKind::kBatchedGemm ? op.instances : 1;
}

/// Operators of one phase of `graph` in order of first appearance, layers summed.
inline std::vector<Line> lines_of(const Graph& graph, const std::vector<Operator>& operators) {
  std::vector<Line> lines;
  std::map<std::string, std::size_t> position;
  for (const Operator& op : operators) {
    const auto [found, is_new] = position.emplace(op.name, lines.size());
    if (is_new) {
      lines.push_back({op.name, csv_kind(op), op.m, op.k, op.n, 0, 0, 0, 0, 0});
    }
    Line& line = lines[found->second];
    line.count += csv_count(op);
    line.macs += mac_count(op);
    line.weights += weight_elements(op, graph.tensors);
    line.in += input_elements(op, graph.tensors);
    line.out += output_elements(op);
  }
  return lines;
}

/// Sums over a graph under the column names of totals.csv, in MACs and elements.
inline std::map<std::string, std::int64_t> totals_of(const Graph& graph,
                                                     const std::vector<Operator>& operators) {
  std::map<std::string, std::int64_t> totals;
  for (const Operator& op : operators) {
    const std::string kind = csv_kind(op);
    totals["gmacs"] += mac_count(op);
    totals["gemm_gmacs"] += kind == "gemm" ? mac_count(op) : 0;
    totals["attn_gmacs"] += kind == "bmm" ? mac_count(op) : 0;
    totals["gemm_weight_melems"] += kind == "gemm" ? weight_elements(op, graph.tensors) : 0;
    for (const char* counted : {"softmax", "act", "norm", "rope", "eltwise"}) {
      totals[std::string(counted) + "_melems"] += kind == counted ? output_elements(op) : 0;
    }
    totals["unfused_in_melems"] += input_elements(op, graph.tensors);
    totals["unfused_out_melems"] += output_elements(op);
  }
  return totals;
}

inline std::vector<Line> lines_of(const Graph& graph) { return lines_of(graph, graph.operators); }
inline std::map<std::string, std::int64_t> totals_of(const Graph& graph) {
  return totals_of(graph, graph.operators);
}

}  // namespace tessera::workloads
