// The keys of a model of family graph: operators and tensors as an importer wrote them.
#pragma once

#include <string>

#include "sim/config/fields.h"
#include "workloads/model_descriptor.h"

namespace tessera::sim::config {

/// Keys of the whole model file, for schema and reference page.
const Table<workloads::ModelDescriptor>& graph_model_table();
bool is_graph_model(const Value& value);
/// Reads a mapping with `family: graph`. Throws ConfigError.
workloads::ModelDescriptor read_graph_model(const Value& value, const std::string& path);

}  // namespace tessera::sim::config
