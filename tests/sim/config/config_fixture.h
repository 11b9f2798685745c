// A temporary working directory with a small machine, model and run.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "sim/config/config.h"

namespace tessera::sim {

inline const std::string kArray = "array: {rows: 8, cols: 8}";
inline const std::string kScratchpad = "scratchpad: {capacity: 64 KiB}";
inline const std::string kHardware =
    kArray + "\nbuffers:\n  " + kScratchpad + "\n  accumulators: {capacity: 8 KiB}\n";
inline const std::string kModel =
    "family: decoder\nhidden_size: 64\nnum_hidden_layers: 2\nnum_attention_heads: 4\n"
    "intermediate_size: 128\nvocab_size: 100\nmax_position_embeddings: 32\ntokens: 16\n";
inline const std::string kRun = "hardware: hw\nworkload: {model: m}\n";

inline std::string replaced(std::string text, const std::string& part, const std::string& by) {
  return text.replace(text.find(part), part.size(), by);
}
inline std::string hardware_and(const std::string& more) { return kHardware + more; }
inline std::string run_and(const std::string& more) { return kRun + more; }
inline std::string array_of(const std::string& keys) {
  return replaced(kHardware, kArray, "array: {" + keys + "}");
}
inline std::string buffers_of(const std::string& buffers) {
  return replaced(kHardware, kScratchpad, buffers);
}

/// The working directory while it lives: hw.yaml, m.yaml, case.yaml, and what a test writes.
class ConfigFolder {
 public:
  ConfigFolder() : before_(std::filesystem::current_path()) {
    std::string name = (std::filesystem::temp_directory_path() / "tessera_XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    std::filesystem::current_path(folder_);
    write("hw.yaml", kHardware);
    write("m.yaml", kModel);
    write("case.yaml", kRun);
  }
  ~ConfigFolder() {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(folder_);
  }
  ConfigFolder(const ConfigFolder&) = delete;
  ConfigFolder& operator=(const ConfigFolder&) = delete;

  void write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((folder_ / file).parent_path());
    std::ofstream(folder_ / file, std::ios::binary) << text;
  }
  std::string path() const { return folder_.string(); }

 private:
  std::filesystem::path before_;
  std::filesystem::path folder_;
};

/// What load_run says; empty when it is content.
inline std::string error_of(const std::string& subject, const std::vector<std::string>& sets = {}) {
  try {
    load_run(subject, sets);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

}  // namespace tessera::sim
