#include "sim/cli/output.h"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>

#include "sim/cli/options.h"

namespace tessera::sim {
namespace {

constexpr mode_t kFileMode = 0644;

std::string reason() { return std::strerror(errno); }

/// A file that disappears again unless it is renamed to its final path.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& path) : path_(path), name_(path + ".XXXXXX") {
    descriptor_ = mkstemp(name_.data());
    if (descriptor_ < 0) fail();
  }
  ~TemporaryFile() {
    if (descriptor_ >= 0) close(descriptor_);
    if (!name_.empty()) unlink(name_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write_all(const std::string& text) {
    std::size_t done = 0;
    while (done < text.size()) {
      const ssize_t step = ::write(descriptor_, text.data() + done, text.size() - done);
      if (step < 0 && errno == EINTR) continue;
      if (step < 0) fail();
      done += static_cast<std::size_t>(step);
    }
  }

  void commit() {
    const mode_t mask = umask(0);
    umask(mask);
    if (fchmod(descriptor_, kFileMode & ~mask) != 0) fail();
    const int closing = std::exchange(descriptor_, -1);
    if (close(closing) != 0 || rename(name_.c_str(), path_.c_str()) != 0) fail();
    name_.clear();
  }

 private:
  [[noreturn]] void fail() { throw OutputError("cannot write " + path_ + ": " + reason()); }

  std::string path_, name_;
  int descriptor_ = -1;
};

}  // namespace

void prepare_directory(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) throw OutputError("cannot create " + directory + ": " + error.message());
  if (!std::filesystem::is_directory(directory)) {
    throw OutputError("cannot write to " + directory + ": not a directory");
  }
  if (access(directory.c_str(), W_OK | X_OK) != 0) {
    throw OutputError("cannot write to " + directory + ": " + reason());
  }
}

void write_file(const std::string& path, const std::string& text) { write_files({{path, text}}); }

void write_files(const std::vector<OutputFile>& files) {
  std::vector<std::unique_ptr<TemporaryFile>> written;
  for (const OutputFile& file : files) {
    written.push_back(std::make_unique<TemporaryFile>(file.path));
    written.back()->write_all(file.text);
  }
  for (const auto& file : written) file->commit();
}

void write_stdout(const std::string& text) {
  const std::size_t written = std::fwrite(text.data(), 1, text.size(), stdout);
  if (written != text.size() || std::fflush(stdout) != 0) {
    throw OutputError("cannot write to standard output: " + reason());
  }
}

int text_width(int asked) {
  constexpr int kDefault = 100;
  int width = asked > 0 ? asked : kDefault;
  winsize window{};
  if (asked <= 0 && isatty(STDOUT_FILENO) != 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 &&
      window.ws_col > 0) {
    width = window.ws_col;
  }
  return std::clamp(width, kLeastWidth, kMostWidth);
}

bool use_color() {
  const char* const no_color = std::getenv("NO_COLOR");
  const bool refused = no_color != nullptr && no_color[0] != '\0';
  return !refused && isatty(STDOUT_FILENO) != 0;
}

}  // namespace tessera::sim
