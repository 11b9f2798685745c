#include "workloads/import/hf_node.h"

#include <utility>

namespace tessera::workloads {
namespace {

constexpr std::size_t kShown = 40;  // characters of a value in a message

const nlohmann::json& nothing() {
  static const nlohmann::json null;
  return null;
}

const nlohmann::json& empty_mapping() {
  static const nlohmann::json empty = nlohmann::json::object();
  return empty;
}

}  // namespace

HfNode::HfNode(const nlohmann::json& json, std::vector<std::string> path)
    : json_(json), path_(std::move(path)) {
  if (!json.is_object()) {
    throw HfError(path_, "a mapping is expected", "{\"key\": value}");
  }
}

const nlohmann::json& HfNode::at(const std::string& key) const {
  const auto found = json_.find(key);
  return found == json_.end() ? nothing() : *found;
}

bool HfNode::has(const std::string& key) const { return !at(key).is_null(); }

void HfNode::fail(const std::string& key, const std::string& reason,
                  const std::string& allowed) const {
  std::vector<std::string> path = path_;
  path.push_back(key);
  throw HfError(path, reason, allowed);
}

void HfNode::fail_type(const std::string& key, const std::string& wanted) const {
  const auto replace = nlohmann::json::error_handler_t::replace;
  std::string shown = at(key).dump(-1, ' ', false, replace);
  if (shown.size() > kShown) shown = shown.substr(0, kShown) + "...";
  fail(key, shown + " is not allowed", wanted);
}

std::int64_t HfNode::integer(const std::string& key, std::int64_t fallback) const {
  const nlohmann::json& value = at(key);
  if (value.is_null()) return fallback;
  if (!value.is_number_integer()) fail_type(key, "an integer");
  return value.get<std::int64_t>();
}

std::int64_t HfNode::count(const std::string& key, std::int64_t fallback) const {
  constexpr std::int64_t most = std::int64_t{1} << 31;
  const nlohmann::json& value = at(key);
  if (value.is_null()) return fallback;
  if (!value.is_number_integer() || value < 1 || value > most) {
    fail_type(key, "an integer from 1");
  }
  return value.get<std::int64_t>();
}

double HfNode::number(const std::string& key, double fallback) const {
  const nlohmann::json& value = at(key);
  if (value.is_null()) return fallback;
  if (!value.is_number()) fail_type(key, "a number");
  return value.get<double>();
}

bool HfNode::flag(const std::string& key, bool fallback) const {
  const nlohmann::json& value = at(key);
  if (value.is_null()) return fallback;
  if (!value.is_boolean()) fail_type(key, "true or false");
  return value.get<bool>();
}

std::string HfNode::text(const std::string& key, const std::string& fallback) const {
  const nlohmann::json& value = at(key);
  if (value.is_null()) return fallback;
  if (!value.is_string()) fail_type(key, "a text");
  return value.get<std::string>();
}

HfNode HfNode::node(const std::string& key) const {
  std::vector<std::string> path = path_;
  path.push_back(key);
  return HfNode(has(key) ? at(key) : empty_mapping(), path);
}

}  // namespace tessera::workloads
