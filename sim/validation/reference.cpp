#include "sim/validation/reference.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tessera::sim {
namespace {

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), std::istream_iterator<std::string>()};
}

std::pair<std::string, std::string> key_and_value(const std::string& item) {
  const std::size_t equals = item.find('=');
  if (equals == std::string::npos) return {item, ""};
  return {trimmed(item.substr(0, equals)), trimmed(item.substr(equals + 1))};
}

bool is_digits(const std::string& text) {
  return !text.empty() && text.size() <= 15 &&
         text.find_first_not_of("0123456789") == std::string::npos;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// Columns that tell a kind of file from the others, and what its columns are called.
struct FileLayout {
  ReferenceKind kind;
  const char* name;
  const char* engine;  // column of the engine's name
  const char* rows;    // empty: not given
  const char* cols;
  const char* dataflow;
  const char* cycles;  // empty: no figure in cycles
  const char* notes;
  std::vector<const char*> also;  // further columns that it must have
};

const std::vector<FileLayout>& layouts() {
  static const std::vector<FileLayout> all{
      {ReferenceKind::kRtl,
       "RTL",
       "engine",
       "rows",
       "cols",
       "dataflow",
       "total_cycles",
       "notes",
       {}},
      {ReferenceKind::kScaleSim,
       "SCALE-Sim",
       "tool",
       "array_rows",
       "array_cols",
       "dataflow",
       "compute_cycles",
       "",
       {}},
      {ReferenceKind::kOnnxim, "ONNXim", "tool", "", "", "", "total_cycles", "notes", {"config"}},
      {ReferenceKind::kDram,
       "DRAM",
       "tool",
       "",
       "",
       "",
       "",
       "notes",
       {"standard", "pattern", "mapping", "sustained_fraction"}}};
  return all;
}

std::vector<std::string> needed_columns(const FileLayout& layout) {
  std::vector<std::string> needed;
  for (const char* name : {layout.engine, layout.rows, layout.cols, layout.dataflow}) {
    if (*name != '\0') needed.emplace_back(name);
  }
  if (*layout.cycles != '\0') needed.insert(needed.end(), {"M", "K", "N", layout.cycles});
  needed.insert(needed.end(), layout.also.begin(), layout.also.end());
  return needed;
}

const FileLayout& layout_of(const CsvTable& table) {
  std::string known;
  for (const FileLayout& layout : layouts()) {
    const auto needed = needed_columns(layout);
    const bool fits = std::all_of(needed.begin(), needed.end(),
                                  [&](const std::string& name) { return table.column(name) >= 0; });
    if (fits) return layout;
    known += fmt::format("\n  {}: {}", layout.name, fmt::join(needed, ","));
  }
  fail_reference(
      table.file, 1,
      "the header is of no known kind of reference; it needs the columns of one of" + known);
}

/// Cells of one row by column name.
class RowReader {
 public:
  RowReader(const CsvTable& table, const CsvRow& row) : table_(table), row_(row) {}

  /// Empty where the layout has no such column or the file leaves it out.
  std::string text(const char* column) const {
    const int index = *column == '\0' ? -1 : table_.column(column);
    return index < 0 ? "" : trimmed(row_.cells[static_cast<std::size_t>(index)]);
  }
  std::int64_t count(const char* column, std::int64_t most) const {
    if (*column == '\0') return 0;
    const std::string cell = text(column);
    const std::int64_t value = is_digits(cell) ? std::stoll(cell) : 0;
    if (value >= 1 && value <= most) return value;
    fail_reference(table_.file, row_.line,
                   fmt::format("{}: '{}' is not allowed (1 .. {})", column, cell, most));
  }
  /// `otherwise` where the file has no such column.
  int count_or(const char* column, int most, int otherwise) const {
    return table_.column(column) < 0 ? otherwise : static_cast<int>(count(column, most));
  }
  /// A decimal from `least`, or 0 where the cell is empty or missing and that is allowed.
  double number(const char* column, double least, bool may_lack) const {
    const std::string cell = text(column);
    if (cell.empty() && may_lack) return 0;
    char* end = nullptr;
    const double value = std::strtod(cell.c_str(), &end);
    if (!cell.empty() && *end == '\0' && std::isfinite(value) && value >= least) return value;
    fail_reference(
        table_.file, row_.line,
        fmt::format("{}: '{}' is not allowed (a number from {:g})", column, cell, least));
  }

 private:
  const CsvTable& table_;
  const CsvRow& row_;
};

DramReference read_memory(const RowReader& cells) {
  constexpr int kMostChannels = 256, kMostOutstanding = 4096;
  constexpr double kLeastFraction = 1e-6;
  DramReference out;
  out.standard = lower(cells.text("standard"));
  out.pattern = cells.text("pattern");
  out.mapping = cells.text("mapping");
  out.channels = cells.count_or("channels", kMostChannels, out.channels);
  out.queue_depth = cells.count_or("queue_depth", kMostOutstanding, out.queue_depth);
  out.peak_gbps = cells.number("peak_gbps", 0, true);
  out.fraction = cells.number("sustained_fraction", kLeastFraction, false);
  out.mean_read_ns = cells.number("avg_read_latency_ns", 0, true);
  out.p99_read_ns = cells.number("p99_ns", 0, true);
  return out;
}

ReferenceCase read_case(const CsvTable& table, const CsvRow& row, const FileLayout& layout) {
  constexpr std::int64_t kMostSide = 4096, kMostSize = 1 << 20, kMostCycles = 1'000'000'000'000;
  const RowReader cells(table, row);
  ReferenceCase out;
  out.kind = layout.kind;
  out.file = table.file;
  out.line = row.line;
  out.engine = cells.text(layout.engine);
  if (out.engine.empty()) {
    fail_reference(table.file, row.line, fmt::format("{}: the name is missing", layout.engine));
  }
  if (layout.kind != ReferenceKind::kRtl) out.engine = lower(out.engine);
  out.rows = static_cast<int>(cells.count(layout.rows, kMostSide));
  out.cols = static_cast<int>(cells.count(layout.cols, kMostSide));
  out.dataflow = cells.text(layout.dataflow);
  out.dtype = lower(cells.text("dtype"));
  out.notes = Notes(cells.text(layout.notes));
  if (layout.kind == ReferenceKind::kDram) out.memory = read_memory(cells);
  if (*layout.cycles == '\0') return out;
  out.shape = {cells.count("M", kMostSize), cells.count("K", kMostSize),
               cells.count("N", kMostSize)};
  out.cycles = cells.count(layout.cycles, kMostCycles);
  return out;
}

}  // namespace

Notes::Notes(const std::string& text) : text_(text) {
  std::istringstream stream(text);
  for (std::string item; std::getline(stream, item, ';');) {
    const std::vector<std::string> words = words_of(item);
    const bool several = std::all_of(words.begin(), words.end(), [](const std::string& word) {
      return word.find('=') != std::string::npos && word.front() != '=';
    });
    if (words.empty()) continue;
    if (!several) {
      items_.push_back(key_and_value(trimmed(item)));
      continue;
    }
    for (const std::string& word : words) items_.push_back(key_and_value(word));
  }
}

bool Notes::has(const std::string& key) const {
  return std::any_of(items_.begin(), items_.end(), [&](const auto& i) { return i.first == key; });
}

std::string Notes::value(const std::string& key) const {
  for (const auto& [name, value] : items_) {
    if (name == key) return value;
  }
  return "";
}

std::int64_t Notes::integer(const std::string& key, std::int64_t otherwise) const {
  const std::string text = value(key);
  return is_digits(text) ? std::stoll(text) : otherwise;
}

std::vector<ReferenceCase> parse_reference(const std::string& text, const std::string& file) {
  const CsvTable table = parse_csv(text, file);
  const FileLayout& layout = layout_of(table);
  std::vector<ReferenceCase> cases;
  for (const CsvRow& row : table.rows) cases.push_back(read_case(table, row, layout));
  return cases;
}

std::vector<ReferenceCase> read_reference(const std::string& path) {
  constexpr std::uintmax_t kLimit = 64U << 20;
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (error || !file) fail_reference(path, 1, "the file cannot be read");
  if (size > kLimit) fail_reference(path, 1, "the file is larger than 64 MiB");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return parse_reference(text, path);
}

}  // namespace tessera::sim
