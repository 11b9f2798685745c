// Names of operators and patterns that select them.
#pragma once

#include <string>

#include "workloads/graph.h"

namespace tessera::workloads {

/// "vision.L3.MLP_FC2"; without the layer outside the stack.
std::string qualified_name(const Operator& op);

/// `*` matches any characters.
bool matches(const std::string& pattern, const std::string& text);
/// The same for an operator: a pattern without a dot is matched against the bare operator name.
bool matches(const std::string& pattern, const Operator& op);

}  // namespace tessera::workloads
