// Where configurations are found by name.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "sim/config/value.h"

namespace tessera::sim::config {

enum class ConfigKind { kHardware, kModel, kRun, kDram, kSweep, kSuite };

/// "hardware", "model", "run", "DRAM standard", "sweep", "suite".
const char* to_string(ConfigKind kind);
/// "hardware", "models", "runs", "dram", "sweeps", "regress".
const char* folder_name(ConfigKind kind);

/// A word with a slash or the ending .yaml is a path, any other a name.
bool is_path(const std::string& word);

/// The file that `word` means where `from` mentions it (its position is where errors point; empty
/// for the command line). Paths: relative to the naming file, then to ./ . Names: beside the naming
/// file (never that file itself), ./, the entries of $TESSERA_CONFIG_PATH and their hardware/,
/// models/, runs/, dram/, sweeps/ or regress/, the shipped folder. Throws ConfigError.
std::string find_config(ConfigKind kind, const std::string& word, const Position& from,
                        const std::string& path);
/// None of `candidates`, which `word` may mean, is a file: a directory, or nothing.
[[noreturn]] void no_file(const Position& from, const std::string& path, const std::string& word,
                          const std::vector<std::filesystem::path>& candidates);
/// A file as messages call it: relative to the working directory when it is below it.
std::string display_name(const std::string& path);
/// Names in $TESSERA_CONFIG_PATH's folders and the shipped one, with their files; sorted, distinct.
std::vector<std::pair<std::string, std::string>> known_configs(ConfigKind kind);

}  // namespace tessera::sim::config
