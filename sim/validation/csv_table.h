// A CSV file (RFC 4180) as cells with line numbers.
#pragma once

#include <string>
#include <vector>

#include "sim/config/config.h"

namespace tessera::sim {

/// What is wrong with a file of reference figures, ready to print: "file:line: error: ...".
class ReferenceError : public ConfigError {
 public:
  using ConfigError::ConfigError;
};

/// Throws ReferenceError "file:line: error: message".
[[noreturn]] void fail_reference(const std::string& file, int line, const std::string& message);

struct CsvRow {
  int line = 0;  // 1-based, where the row begins
  std::vector<std::string> cells;
};

struct CsvTable {
  std::string file;  // as messages call it
  std::vector<std::string> header;
  std::vector<CsvRow> rows;  // each with as many cells as the header

  /// Column of `name`, or -1.
  int column(const std::string& name) const;
};

/// A header row and rows of as many cells. Cells may be quoted (commas, line ends and "" inside);
/// empty lines are skipped. Throws ReferenceError.
CsvTable parse_csv(const std::string& text, const std::string& file);

}  // namespace tessera::sim
