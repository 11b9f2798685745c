// From a model's config.json, as Hugging Face and LeRobot publish it, to a descriptor. Pure.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "workloads/model_descriptor.h"

namespace tessera::workloads {

/// What is wrong with a config.json: at which key, what is allowed.
class HfError : public std::invalid_argument {
 public:
  HfError(std::vector<std::string> path, const std::string& reason, std::string allowed = {})
      : std::invalid_argument(reason), path_(std::move(path)), allowed_(std::move(allowed)) {}
  /// Keys from the top down; empty: the whole file.
  const std::vector<std::string>& path() const { return path_; }
  const std::string& allowed() const { return allowed_; }

 private:
  std::vector<std::string> path_;
  std::string allowed_;
};

struct HfOptions {
  std::string name;             // of the descriptor
  std::string part;             // "vision", "text": one part of a model of several; empty: all
  std::int64_t image_size = 0;  // runs a vision model at this size; 0: the config's
  nlohmann::json vlm;           // smolvla: config.json of its vlm_model_name; null: a known one
};

/// The model_type values (LeRobot: type) that have a family.
const std::vector<std::string>& hf_model_types();

/// `config` with its family's defaults for the keys it leaves out. Throws HfError.
ModelDescriptor import_hf(const nlohmann::json& config, const HfOptions& options);

}  // namespace tessera::workloads
