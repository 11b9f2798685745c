#include "sim/report/yaml_text.h"

#include <algorithm>
#include <cctype>

namespace tessera::sim {
namespace {

using Json = nlohmann::ordered_json;

bool is_plain(const std::string& text) {
  static const char* const words[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
  if (text.empty() || !std::isalpha(static_cast<unsigned char>(text[0]))) return false;
  if (std::find(std::begin(words), std::end(words), text) != std::end(words)) return false;
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '.' || c == '-' || c == '/';
  });
}

/// A JSON string is a valid double-quoted YAML scalar.
std::string scalar(const Json& json) {
  if (!json.is_string()) return json.dump();
  const std::string& text = json.get_ref<const std::string&>();
  return is_plain(text) ? text : json.dump();
}

bool is_flat(const Json& json) {
  return std::none_of(json.begin(), json.end(),
                      [](const Json& item) { return item.is_structured() && !item.empty(); });
}

std::string flow_style(const Json& json) {
  if (!json.is_structured()) return scalar(json);
  std::string text;
  for (const auto& item : json.items()) {
    text += text.empty() ? "" : ", ";
    text += json.is_object() ? scalar(item.key()) + ": " : "";
    text += flow_style(item.value());
  }
  return json.is_object() ? "{" + text + "}" : "[" + text + "]";
}

void append_block(std::string& yaml, const Json& json, int indent) {
  const std::string margin(indent, ' ');
  for (const auto& item : json.items()) {
    const std::string lead = json.is_object() ? scalar(item.key()) + ":" : "-";
    yaml += margin + lead;
    if (!item.value().is_structured() || is_flat(item.value())) {
      yaml += " " + flow_style(item.value()) + "\n";
    } else {
      yaml += "\n";
      append_block(yaml, item.value(), indent + 2);
    }
  }
}

}  // namespace

std::string yaml_text(const Json& json) {
  if (!json.is_structured() || json.empty()) return flow_style(json) + "\n";
  std::string yaml;
  append_block(yaml, json, 0);
  return yaml;
}

}  // namespace tessera::sim
