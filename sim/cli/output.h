// Results on standard output and in files.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "sim/report/writers.h"

namespace tessera::sim {

/// A result cannot be written; names the path and the system's reason.
class OutputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Creates `directory` and its parents where missing and checks that files can be made there.
void prepare_directory(const std::string& directory);

/// Writes a temporary file beside `path`, then renames it: readers see the old file or the new one,
/// never a part, and nothing stays behind on an error.
void write_file(const std::string& path, const std::string& text);

struct OutputFile {
  std::string path, text;
};

/// As write_file, all or none as far as the system allows: every text is on the disk before the
/// first file appears under its path.
void write_files(const std::vector<OutputFile>& files);

/// REQUIRES: SIGPIPE ignored. Throws OutputError when the reader went away or the disk is full.
void write_stdout(const std::string& text);

/// `asked` columns, or those of the terminal on standard output, else 100; within 80 .. 160.
int text_width(int asked);

/// A terminal on standard output and no NO_COLOR.
bool use_color();

}  // namespace tessera::sim
