// Runs the program as its users do: a command line in a folder of its own.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace tessera::test {

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// A new, empty folder that disappears with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tessera_cli_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

struct Ran {
  int exit_code = -1;  // 128 + signal when a signal ended it
  std::string out, err;
};

/// Runs `command` with /bin/sh inside `folder`. Standard input is empty and standard output
/// captured unless the command redirects them itself.
inline Ran run_shell(const std::string& command, const std::filesystem::path& folder) {
  const TemporaryFolder captured;
  const std::string out = (captured / "out").string(), err = (captured / "err").string();
  const std::string line = "cd '" + folder.string() + "' && { " + command + "\n} </dev/null >'" +
                           out + "' 2>'" + err + "'";
  const int status = std::system(line.c_str());
  Ran ran;
  ran.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  ran.out = read_text(out);
  ran.err = read_text(err);
  return ran;
}

/// `program ARGUMENTS`, as a shell reads it.
inline Ran run_program(const std::string& program, const std::string& arguments,
                       const std::filesystem::path& folder = "/") {
  return run_shell("'" + program + "' " + arguments, folder);
}

/// The program under test.
inline Ran run_tessera(const std::string& arguments, const std::filesystem::path& folder = "/") {
  return run_program(TESSERA_PROGRAM, arguments, folder);
}

}  // namespace tessera::test
