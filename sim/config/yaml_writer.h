// A JSON tree as YAML that people can edit.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace tessera::sim::config {

/// Block style; mappings and lists that fit on one line in flow style.
std::string yaml_text(const nlohmann::ordered_json& tree);

}  // namespace tessera::sim::config
