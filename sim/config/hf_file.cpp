#include "sim/config/hf_file.h"

#include <cctype>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "sim/config/config.h"
#include "sim/config/model_fields.h"
#include "sim/config/search_path.h"
#include "sim/config/yaml_reader.h"
#include "sim/config/yaml_writer.h"

namespace tessera::sim::config {

namespace {

using workloads::HfError;
using workloads::HfOptions;
using workloads::ModelDescriptor;

/// Where the text writes the key at the end of `path`: each key behind the one above it.
Position position_of_key(const std::shared_ptr<const Source>& source,
                         const std::vector<std::string>& path) {
  std::size_t at = 0;
  for (const std::string& key : path) {
    const std::size_t found = source->text.find(nlohmann::json(key).dump(), at);
    if (found == std::string::npos) break;  // the key is missing: where it would stand
    at = found;
  }
  return at_byte(source, at);
}

nlohmann::json parse_json(const std::shared_ptr<const Source>& source) {
  try {
    return nlohmann::json::parse(source->text);
  } catch (const nlohmann::json::parse_error& error) {
    const std::size_t byte = error.byte > 0 ? error.byte - 1 : 0;
    fail(at_byte(source, byte), "", "is not JSON from here on");
  }
}

Value value_of(const Json& json, const Position& position) {
  if (json.is_object()) {
    Value map = make_map(position);
    for (const auto& [key, value] : json.items()) map.set(key, position, value_of(value, position));
    return map;
  }
  const bool is_text = json.is_string();
  Value scalar = make_scalar(is_text ? json.get<std::string>() : json.dump(), position);
  return scalar;
}

}  // namespace

bool is_hf_config(const Source& source) {
  const nlohmann::json json = nlohmann::json::parse(source.text, nullptr, false);
  if (json.is_discarded()) {
    const std::size_t first = source.text.find_first_not_of(" \t\r\n");
    return first != std::string::npos && source.text[first] == '{';
  }
  return json.is_object() && !json.contains("family");
}

ModelDescriptor import_hf_text(const std::shared_ptr<const Source>& source,
                               const HfOptions& options) {
  const nlohmann::json json = parse_json(source);
  try {
    return workloads::import_hf(json, options);
  } catch (const HfError& error) {
    std::vector<std::string> hints;
    if (!error.allowed().empty()) hints.push_back("allowed: " + error.allowed());
    fail(position_of_key(source, error.path()), fmt::format("{}", fmt::join(error.path(), ".")),
         error.what(), hints);
  }
}

Value model_tree(const ModelDescriptor& model, const std::shared_ptr<const Source>& source) {
  return value_of(write_model(model), {source, 0, 0});
}

}  // namespace tessera::sim::config

namespace tessera::sim {

namespace {

std::shared_ptr<const config::Source> hf_source(const std::string& file) {
  if (file == "-") return config::read_standard_input();
  std::error_code error;
  if (!std::filesystem::exists(file, error)) config::no_file({}, "", file, {file});
  return config::read_source(file, config::display_name(file));
}

/// Lower-case letters, digits and _: "config.json" is called after its folder.
std::string descriptor_name(const std::string& file) {
  const std::filesystem::path path = std::filesystem::absolute(file);
  const std::string stem = path.stem().string();
  const std::string folder = path.parent_path().filename().string();
  std::string name;
  for (const char c : stem == "config" && !folder.empty() && file != "-" ? folder : stem) {
    const auto letter = static_cast<unsigned char>(c);
    name += std::isalnum(letter) != 0 ? static_cast<char>(std::tolower(letter)) : '_';
  }
  return file == "-" ? "imported" : name;
}

}  // namespace

std::string import_hf_model(const HfImport& request) {
  workloads::HfOptions options;
  options.name = descriptor_name(request.file);
  options.part = request.part;
  options.image_size = request.image_size;
  if (!request.vlm.empty()) options.vlm = config::parse_json(hf_source(request.vlm));
  const auto source = hf_source(request.file);
  const workloads::ModelDescriptor model = config::import_hf_text(source, options);
  const config::Value tree = config::model_tree(model, source);
  config::read_model(tree, "");  // what no descriptor may say
  return fmt::format("# {}: imported from {} by `tessera import hf`, {} parameters\n", model.title,
                     source->name, workloads::parameter_count(model)) +
         config::yaml_text(config::write_model(model));
}

}  // namespace tessera::sim
