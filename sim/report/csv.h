// Cells of a CSV file (RFC 4180).
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace tessera::sim {

/// Quoted when it must be.
std::string csv_cell(const std::string& text);
/// A JSON scalar as a cell: null is empty, a string bare.
std::string scalar_text(const nlohmann::ordered_json& json);

}  // namespace tessera::sim
