// Dominance among points: every objective is minimised.
#pragma once

#include <cstddef>
#include <vector>

namespace tessera::sim {

using Objectives = std::vector<double>;

/// No worse in any objective and better in one.
bool dominates(const Objectives& a, const Objectives& b);

/// Indices of the points that no other dominates, in ascending order; points with equal objectives
/// are all kept. Exact: points are compared with the front so far, in lexicographic order.
std::vector<std::size_t> pareto_front(const std::vector<Objectives>& points);

/// Volume that `front` dominates below `reference`, exact: by slicing along the last objective
/// (HSO: While et al., IEEE Trans. Evol. Comput. 10(1), 2006). Points not below the reference in
/// every objective add nothing.
double hypervolume(std::vector<Objectives> front, const Objectives& reference);

}  // namespace tessera::sim
