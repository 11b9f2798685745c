// Strict YAML: one document of mappings, lists and one-line scalars, nothing clever.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "sim/config/value.h"

namespace tessera::sim::config {

constexpr std::size_t kConfigFileLimit = std::size_t{1} << 20;  // 1 MiB
constexpr std::size_t kPlanFileLimit = std::size_t{64} << 20;   // one entry per operator, tensor

/// Reads a text file of at most `limit` bytes; never more than that enters memory. `name` is what
/// messages call it. Throws ConfigError.
std::shared_ptr<const Source> read_source(const std::string& path, const std::string& name,
                                          std::size_t limit = kConfigFileLimit);
/// The same from standard input.
std::shared_ptr<const Source> read_standard_input();

/// The tree of a whole document, whose top is a mapping.
/// Refused with a position: what yaml-cpp accepts silently or unevenly (duplicate and merge keys,
/// several documents, anchors, aliases, tags, values over several lines), text that is not UTF-8,
/// tabs as indentation, depth over 32.
Value parse_document(const std::shared_ptr<const Source>& source);
/// The tree of the value that starts at byte `column` of the one-line `source` (--set).
Value parse_value(const std::shared_ptr<const Source>& source, std::size_t column);

}  // namespace tessera::sim::config
