#include "sim/config/fields.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tessera::sim::config {

void check_map(const Value& value, const std::string& path, const std::vector<std::string>& keys) {
  if (value.is_map()) return;
  const std::string wanted =
      keys.empty() ? "a mapping" : fmt::format("a mapping with the keys {}", fmt::join(keys, ", "));
  if (value.kind == ValueKind::kNull) {
    fail(value.position, path, fmt::format("the value is missing ({})", wanted));
  }
  not_allowed(value, path, wanted);
}

void unknown_key(const MapEntry& entry, const std::string& path,
                 const std::vector<std::string>& keys, const std::vector<DocRow>& rows) {
  std::string hint;
  if (nearest(entry.key, keys).empty()) {
    for (const DocRow& row : rows) {  // the right key one level too high?
      const std::size_t dot = row.path.rfind('.');
      if (dot != std::string::npos && row.path.substr(dot + 1) == entry.key && hint.empty()) {
        hint = fmt::format("did you mean '{}{}'?", path.empty() ? "" : path + ".", row.path);
      }
    }
  }
  if (hint.empty()) hint = suggestion(entry.key, keys);
  fail(entry.key_position, join_path(path, entry.key), "unknown key", {hint});
}

void check_name(const MapEntry& entry, const std::string& path) {
  const std::string& name = entry.key;
  bool good = name.size() <= 40 && name[0] >= 'a' && name[0] <= 'z';
  for (const char c : name) {
    good = good && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_');
  }
  if (good) return;
  fail(entry.key_position, path, "not a name (lower-case letters, digits and _, 40 at most)");
}

std::string default_text(const Json& value) {
  if (value.is_null()) return "none";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array()) {
    std::vector<std::string> items;
    for (const Json& item : value) items.push_back(default_text(item));
    return fmt::format("[{}]", fmt::join(items, ", "));
  }
  if (value.is_object()) {
    std::vector<std::string> items;
    for (const auto& [key, item] : value.items()) items.push_back(key + ": " + default_text(item));
    return fmt::format("{{{}}}", fmt::join(items, ", "));
  }
  return value.dump();
}

}  // namespace tessera::sim::config
