#include "sim/config/yaml_writer.h"

#include <cctype>

namespace tessera::sim::config {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kFlowColumns = 160;

/// Words that YAML reads as they stand and as text.
std::string word(const std::string& text) {
  bool plain =
      !text.empty() && std::isalnum(static_cast<unsigned char>(text[0])) && text.back() != ' ';
  for (const char c : text) {
    const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0;
    plain = plain && (letter || c == '_' || c == '.' || c == '/' || c == '-' || c == ' ');
  }
  return plain && text != "null" ? text : Json(text).dump();
}

std::string flow(const Json& tree) {
  if (tree.is_string()) return word(tree.get<std::string>());
  if (!tree.is_structured()) return tree.dump();
  std::string text;
  for (const auto& [key, value] : tree.items()) {
    if (!text.empty()) text += ", ";
    text += tree.is_object() ? word(key) + ": " + flow(value) : flow(value);
  }
  return tree.is_object() ? "{" + text + "}" : "[" + text + "]";
}

void write(const Json& tree, std::size_t indent, std::string& out) {
  for (const auto& [key, value] : tree.items()) {
    const std::string head =
        std::string(indent, ' ') + (tree.is_object() ? word(key) + ":" : std::string("-"));
    const std::string line = flow(value);
    const bool fits = head.size() + 1 + line.size() <= kFlowColumns;
    const bool section = tree.is_object() && indent == 0 && value.is_object() && !value.empty();
    if (!section && (fits || !value.is_structured())) {
      out += head + " " + line + "\n";
    } else {
      out += head + "\n";
      write(value, indent + 2, out);
    }
  }
}

}  // namespace

std::string yaml_text(const Json& tree) {
  std::string out;
  write(tree, 0, out);
  return out;
}

}  // namespace tessera::sim::config
