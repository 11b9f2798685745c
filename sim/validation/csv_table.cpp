#include "sim/validation/csv_table.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace tessera::sim {
namespace {

/// Reads one row after the other.
class CsvReader {
 public:
  CsvReader(const std::string& text, const std::string& file) : text_(text), file_(file) {}

  bool at_end() const { return at_ == text_.size(); }

  CsvRow row() {
    CsvRow row{line_, {}};
    do {
      row.cells.push_back(cell());
    } while (take(','));
    take('\r');
    if (!take('\n') && !at_end()) fail_reference(file_, line_, "text behind a closing quote");
    return row;
  }

 private:
  bool take(char c) {
    if (at_end() || text_[at_] != c) return false;
    if (c == '\n') ++line_;
    ++at_;
    return true;
  }

  std::string cell() {
    if (take('"')) return quoted();
    const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    std::string cell = text_.substr(at_, end - at_);
    at_ = end;
    if (cell.find('"') != std::string::npos) {
      fail_reference(file_, line_, "a quote inside a cell: quote the whole cell");
    }
    return cell;
  }

  std::string quoted() {
    const int begin = line_;
    std::string cell;
    while (!at_end()) {
      if (take('"')) {
        if (!take('"')) return cell;
        cell += '"';
        continue;
      }
      const char c = text_[at_];
      take(c);
      cell += c;
    }
    fail_reference(file_, begin, "a quote is not closed");
  }

  const std::string& text_;
  const std::string& file_;
  std::size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

void fail_reference(const std::string& file, int line, const std::string& message) {
  throw ReferenceError(fmt::format("{}:{}: error: {}", file, line, message));
}

int CsvTable::column(const std::string& name) const {
  const auto found = std::find(header.begin(), header.end(), name);
  return found == header.end() ? -1 : static_cast<int>(found - header.begin());
}

CsvTable parse_csv(const std::string& text, const std::string& file) {
  CsvTable table;
  table.file = file;
  CsvReader reader(text, file);
  while (!reader.at_end()) {
    CsvRow row = reader.row();
    if (row.cells.size() == 1 && row.cells[0].empty()) continue;
    if (table.header.empty()) {
      table.header = std::move(row.cells);
      continue;
    }
    if (row.cells.size() != table.header.size()) {
      fail_reference(file, row.line,
                     fmt::format("{} cells, but the header has {} columns", row.cells.size(),
                                 table.header.size()));
    }
    table.rows.push_back(std::move(row));
  }
  if (table.header.empty()) fail_reference(file, 1, "the file is empty");
  return table;
}

}  // namespace tessera::sim
