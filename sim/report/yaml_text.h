// JSON values as YAML: enough for maps, lists and scalars without anchors or tags.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace tessera::sim {

/// Block style; innermost maps and lists of scalars in flow style. Strings that YAML could take for
/// something else are quoted.
std::string yaml_text(const nlohmann::ordered_json& json);

}  // namespace tessera::sim
