// The commands of docs/regression.md, run in the order of the page.
#include <catch2/catch.hpp>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/command_line.h"

using namespace tessera::test;

namespace {

struct Block {
  std::string language;
  std::vector<std::string> lines;
};

std::vector<Block> blocks_of(const std::string& page) {
  std::vector<Block> blocks;
  bool inside = false;
  std::istringstream stream(page);
  for (std::string line; std::getline(stream, line);) {
    if (line.compare(0, 3, "```") == 0) {
      inside = !inside;
      if (inside) blocks.push_back({line.substr(3), {}});
    } else if (inside) {
      blocks.back().lines.push_back(line);
    }
  }
  return blocks;
}

/// The name of the file that a YAML block shows, from its first line "# NAME".
std::string file_name(const Block& block) { return block.lines.at(0).substr(2); }

void write_block(const Block& block, const std::filesystem::path& folder) {
  std::string text;
  for (std::size_t i = 1; i < block.lines.size(); ++i) text += block.lines[i] + "\n";
  write_text(folder / file_name(block), text);
}

const std::string kCode = "# exit code ";

int wanted_code(const std::string& line) {
  const std::size_t at = line.find(kCode);
  return at == std::string::npos ? 0 : std::stoi(line.substr(at + kCode.size()));
}

void run_line(const std::string& line, const std::filesystem::path& folder) {
  const std::string program = std::filesystem::path(TESSERA_PROGRAM).parent_path().string();
  const Ran ran = run_shell("PATH='" + program + "':$PATH; " + line, folder);
  INFO(line << "\n" << ran.out << ran.err);
  CHECK(ran.exit_code == wanted_code(line));
}

/// The commands of a CI file: its `- run:` steps.
std::vector<std::string> steps_of(const Block& block) {
  const std::string key = "- run: ";
  std::vector<std::string> steps;
  for (const std::string& line : block.lines) {
    const std::size_t at = line.find(key);
    if (at != std::string::npos) steps.push_back(line.substr(at + key.size()));
  }
  return steps;
}

}  // namespace

TEST_CASE("every command of the regression guide does what the page says") {
  const TemporaryFolder folder;
  int commands = 0;
  for (const Block& block :
       blocks_of(read_text(std::string(TESSERA_SOURCE_DIR) + "/docs/regression.md"))) {
    std::vector<std::string> lines;
    if (block.language == "sh") lines = block.lines;
    if (block.language == "yaml") {
      lines = steps_of(block);
      if (lines.empty()) write_block(block, folder.path());
    }
    for (const std::string& line : lines) {
      run_line(line, folder.path());
      ++commands;
    }
  }
  CHECK(commands >= 15);
}
