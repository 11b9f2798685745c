// A mapping of a config.json, read key by key with defaults.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "workloads/import/hf_config.h"

namespace tessera::workloads {

/// Keys that are null count as absent. Throws HfError for a value of another type. The JSON must
/// outlive the node.
class HfNode {
 public:
  explicit HfNode(const nlohmann::json& json, std::vector<std::string> path = {});

  bool has(const std::string& key) const;
  /// An integer of at least 1.
  std::int64_t count(const std::string& key, std::int64_t fallback) const;
  /// Any integer.
  std::int64_t integer(const std::string& key, std::int64_t fallback) const;
  double number(const std::string& key, double fallback) const;
  bool flag(const std::string& key, bool fallback) const;
  std::string text(const std::string& key, const std::string& fallback) const;
  /// The mapping at `key`; an empty one when absent.
  HfNode node(const std::string& key) const;
  const nlohmann::json& json() const { return json_; }

  [[noreturn]] void fail(const std::string& key, const std::string& reason,
                         const std::string& allowed = {}) const;

 private:
  /// Null when absent.
  const nlohmann::json& at(const std::string& key) const;
  [[noreturn]] void fail_type(const std::string& key, const std::string& wanted) const;

  const nlohmann::json& json_;
  std::vector<std::string> path_;
};

}  // namespace tessera::workloads
