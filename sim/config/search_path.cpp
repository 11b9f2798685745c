#include "sim/config/search_path.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include <fmt/format.h>

#include "sim/config/config.h"
#include "sim/config/dram_fields.h"

namespace tessera::sim::config {

namespace fs = std::filesystem;

namespace {

fs::path shipped_folder(ConfigKind kind) {
  const fs::path root = TESSERA_SOURCE_DIR;
  return kind == ConfigKind::kModel ? root / "workloads" / "models"
                                    : root / "configs" / folder_name(kind);
}

/// Entries of $TESSERA_CONFIG_PATH, each followed by its folder `kind`.
std::vector<fs::path> entry_folders(const char* kind, bool with_entries) {
  std::vector<fs::path> folders;
  const char* variable = std::getenv("TESSERA_CONFIG_PATH");
  std::string rest = variable ? variable : "";
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    const std::string entry = rest.substr(0, colon);
    rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
    if (entry.empty()) continue;
    if (with_entries) folders.emplace_back(entry);
    folders.push_back(fs::path(entry) / kind);
  }
  return folders;
}

/// Folders of the search path behind ./ .
std::vector<fs::path> shared_folders(ConfigKind kind, bool with_entries) {
  std::vector<fs::path> folders = entry_folders(folder_name(kind), with_entries);
  folders.push_back(shipped_folder(kind));
  return folders;
}

fs::path reference_folder() {
  return fs::path(TESSERA_SOURCE_DIR) / "tests" / "reference" / "data";
}

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error) && !fs::is_directory(path, error);
}

bool is_naming_file(const fs::path& candidate, const Position& from) {
  if (!from.source || from.source->path.empty()) return false;
  std::error_code error;
  return fs::equivalent(candidate, from.source->path, error);
}

[[noreturn]] void not_found(ConfigKind kind, const std::string& word, const Position& from,
                            const std::string& path) {
  if (is_path(word)) {
    const fs::path here = from.source ? fs::path(from.source->directory) : fs::path(".");
    no_file(from, path, word, {here / word, word});
  }
  std::vector<std::string> names;
  for (const auto& [name, file] : known_configs(kind)) names.push_back(name);
  if (kind == ConfigKind::kDram) {
    for (const std::string& name : known_standards()) names.push_back(name);
  }
  fail(from, path, fmt::format("there is no {} called '{}'", to_string(kind), word),
       {suggestion(word, names)});
}

}  // namespace

void no_file(const Position& from, const std::string& path, const std::string& word,
             const std::vector<fs::path>& candidates) {
  for (const fs::path& candidate : candidates) {
    std::error_code error;
    if (!fs::is_directory(candidate, error)) continue;
    fail(from, path, fmt::format("'{}' is a directory, not a file", word));
  }
  fail(from, path, fmt::format("the file '{}' does not exist", word));
}

const char* to_string(ConfigKind kind) {
  switch (kind) {
    case ConfigKind::kHardware:
      return "hardware";
    case ConfigKind::kModel:
      return "model";
    case ConfigKind::kRun:
      return "run";
    case ConfigKind::kDram:
      return "DRAM standard";
    case ConfigKind::kSweep:
      return "sweep";
    case ConfigKind::kSuite:
      return "suite";
  }
  return "?";
}

const char* folder_name(ConfigKind kind) {
  switch (kind) {
    case ConfigKind::kHardware:
      return "hardware";
    case ConfigKind::kModel:
      return "models";
    case ConfigKind::kRun:
      return "runs";
    case ConfigKind::kDram:
      return "dram";
    case ConfigKind::kSweep:
      return "sweeps";
    case ConfigKind::kSuite:
      return "regress";
  }
  return "?";
}

bool is_path(const std::string& word) {
  const auto ends_with = [&](const std::string& ending) {
    return word.size() > ending.size() &&
           word.compare(word.size() - ending.size(), ending.size(), ending) == 0;
  };
  return word == "." || word == ".." || word.find('/') != std::string::npos || ends_with(".yaml") ||
         ends_with(".yml") || ends_with(".json");
}

std::string find_config(ConfigKind kind, const std::string& word, const Position& from,
                        const std::string& path) {
  std::vector<fs::path> candidates;
  const fs::path here = from.source ? fs::path(from.source->directory) : fs::path(".");
  if (is_path(word)) {
    candidates = {here / word, word};
  } else {
    const std::string file = word + ".yaml";
    candidates = {here / file, file};
    for (const fs::path& folder : shared_folders(kind, true)) candidates.push_back(folder / file);
  }
  for (const fs::path& candidate : candidates) {
    if (!is_file(candidate)) continue;
    if (is_path(word) || !is_naming_file(candidate, from)) return candidate.string();
  }
  not_found(kind, word, from, path);
}

std::string display_name(const std::string& path) {
  std::error_code error;
  const fs::path absolute = fs::weakly_canonical(path, error);
  const fs::path relative = absolute.lexically_relative(fs::current_path(error));
  const bool below = !relative.empty() && *relative.begin() != "..";
  return below ? relative.string() : absolute.string();
}

std::vector<std::pair<std::string, std::string>> known_configs(ConfigKind kind) {
  std::map<std::string, std::string> known;
  for (const fs::path& folder : shared_folders(kind, false)) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
      if (entry.path().extension() != ".yaml") continue;
      known.emplace(entry.path().stem().string(), entry.path().string());
    }
  }
  return {known.begin(), known.end()};
}

}  // namespace tessera::sim::config

namespace tessera::sim {

namespace {

/// The first comment line without `#` and without the file's own name in front.
std::string question_of(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  if (line.empty() || line[0] != '#') return "";
  const std::size_t begin = line.find_first_not_of("# ");
  line = begin == std::string::npos ? "" : line.substr(begin);
  const std::string prefix = name + ".yaml: ";
  return line.compare(0, prefix.size(), prefix) == 0 ? line.substr(prefix.size()) : line;
}

}  // namespace

std::vector<std::string> shipped_references() {
  const std::string ending = "_reference.csv";
  std::vector<std::string> files;
  std::error_code error;
  for (const std::filesystem::directory_entry& entry :
       std::filesystem::directory_iterator(config::reference_folder(), error)) {
    const std::string name = entry.path().filename().string();
    const bool fits = name.size() > ending.size() &&
                      name.compare(name.size() - ending.size(), ending.size(), ending) == 0;
    if (fits) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string find_reference(const std::string& word) {
  std::vector<std::filesystem::path> candidates{word};
  if (word.find('/') == std::string::npos) {
    std::vector<std::filesystem::path> folders = config::entry_folders("reference", true);
    folders.push_back(config::reference_folder());
    for (const std::filesystem::path& folder : folders) candidates.push_back(folder / word);
  }
  for (const std::filesystem::path& candidate : candidates) {
    if (config::is_file(candidate)) return candidate.string();
  }
  config::no_file({}, "", word, {candidates.front()});
}

std::vector<ListEntry> list_configs(const std::string& kind) {
  using config::ConfigKind;
  static const std::vector<std::pair<std::string, ConfigKind>> kinds{
      {"hardware", ConfigKind::kHardware},
      {"models", ConfigKind::kModel},
      {"runs", ConfigKind::kRun},
      {"sweeps", ConfigKind::kSweep},
      {"suites", ConfigKind::kSuite}};
  for (const auto& [listed, each] : kinds) {
    if (kind != listed) continue;
    std::vector<ListEntry> entries;
    for (const auto& [name, path] : config::known_configs(each)) {
      entries.push_back({name, path, question_of(path, name)});
    }
    return entries;
  }
  config::fail({}, kind, "is nothing to list", {"allowed: hardware, models, runs, sweeps, suites"});
}

}  // namespace tessera::sim
