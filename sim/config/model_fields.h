// The keys of a model descriptor.
#pragma once

#include <string>

#include "sim/config/fields.h"
#include "workloads/model_descriptor.h"

namespace tessera::sim::config {

const Table<workloads::ModelDescriptor>& model_table();
/// Reads a model mapping (names and `base:` resolved) below `path`. Throws ConfigError.
workloads::ModelDescriptor read_model(const Value& value, const std::string& path);
/// Throws ConfigError at `position` when a tensor or the work of the phase is beyond any machine
/// (and would overflow). REQUIRES: tokens set for text models.
void check_sizes(const workloads::PhaseRequest& phase, const Position& position,
                 const std::string& path);
/// The mapping that read_model reads back.
Json write_model(const workloads::ModelDescriptor& model);

}  // namespace tessera::sim::config
