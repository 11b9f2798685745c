#include "sim/report/format.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace tessera::sim {
namespace {

constexpr int kGap = 2;  // columns between table columns

bool is_code_point_start(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

/// Decimals that show about `digits` significant digits of `value`.
int decimals_for(double value, int digits) {
  const double magnitude = std::abs(value);
  if (magnitude == 0) return 0;
  const int before = std::max(1, static_cast<int>(std::floor(std::log10(magnitude))) + 1);
  return std::max(0, digits - before);
}

Scale scale(double largest, double divisor, const std::string& unit) {
  return {divisor, unit,
          decimals_for(largest / divisor, 4) > 3 ? 3 : decimals_for(largest / divisor, 4)};
}

int column_width(const Column& column) {
  int width = display_width(column.header);
  for (const auto& cell : column.cells) width = std::max(width, display_width(cell));
  return width;
}

int table_width(const std::vector<Column>& columns) {
  int width = 1;
  for (const auto& column : columns) width += column_width(column) + kGap;
  return width - kGap;
}

void drop_columns(std::vector<Column>& columns, int width) {
  while (table_width(columns) > width) {
    const auto last =
        std::max_element(columns.begin(), columns.end(),
                         [](const Column& a, const Column& b) { return a.priority < b.priority; });
    if (last == columns.end() || last->priority == 0) return;
    columns.erase(last);
  }
}

void clip_column(Column& column, int width) {
  for (auto& cell : column.cells) cell = clip(cell, width);
}

std::string row_text(const std::vector<Column>& columns, const std::vector<int>& widths, int row) {
  std::string line = " ";
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const std::string& cell = row < 0 ? columns[c].header : columns[c].cells[row];
    if (c > 0) line += repeated(" ", kGap);
    line +=
        columns[c].align == Align::kLeft ? pad_right(cell, widths[c]) : pad_left(cell, widths[c]);
  }
  return line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
}

}  // namespace

std::string grouped(std::int64_t value) {
  std::string digits = std::to_string(value);
  const int first = value < 0 ? 1 : 0;
  for (int at = static_cast<int>(digits.size()) - 3; at > first; at -= 3) digits.insert(at, ",");
  return digits;
}

std::string fixed(double value, int decimals) {
  const std::string text = fmt::format("{:.{}f}", value, decimals);
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string whole = text.substr(0, point);
  const int first = value < 0 ? 1 : 0;
  for (int at = static_cast<int>(whole.size()) - 3; at > first; at -= 3) whole.insert(at, ",");
  return whole + text.substr(point);
}

std::string percent(double share, int decimals) { return fixed(100 * share, decimals) + " %"; }

std::string signed_percent(double share) { return fmt::format("{:+.1f} %", 100 * share); }

std::string significant(double value, int digits) {
  return fixed(value, decimals_for(value, digits));
}

std::string Scale::text(double value) const { return fixed(value / divisor, decimals); }

std::string Scale::with_unit(double value) const { return text(value) + " " + unit; }

Scale time_scale(double largest_seconds) {
  if (largest_seconds >= 1.0) return scale(largest_seconds, 1.0, "s");
  if (largest_seconds >= 1e-3) return scale(largest_seconds, 1e-3, "ms");
  return scale(largest_seconds, 1e-6, "us");
}

Scale byte_scale(double largest_bytes) {
  return largest_bytes >= 1e6 ? scale(largest_bytes, 1e6, "MB") : scale(largest_bytes, 1e3, "kB");
}

Scale energy_scale(double largest_joules) {
  if (largest_joules >= 1.0) return scale(largest_joules, 1.0, "J");
  if (largest_joules >= 1e-3) return scale(largest_joules, 1e-3, "mJ");
  return scale(largest_joules, 1e-6, "uJ");
}

Scale cycle_scale(double largest_cycles) {
  if (largest_cycles >= 1e6) return {1e6, "M cycles", 3};
  if (largest_cycles >= 1e4) return {1e3, "k cycles", 3};
  return {1, "cycles", 0};
}

namespace {

/// The largest binary unit of which `capacity` is a whole number.
struct CapacityUnit {
  explicit CapacityUnit(std::int64_t capacity) {
    const char* const units[] = {"B", "KiB", "MiB", "GiB"};
    int unit = 0;
    while (unit < 3 && capacity >= divisor * 1024 && capacity % (divisor * 1024) == 0) {
      divisor *= 1024;
      ++unit;
    }
    name = units[unit];
  }
  std::int64_t divisor = 1;
  const char* name;
};

}  // namespace

std::string capacity_text(std::int64_t capacity) {
  const CapacityUnit unit(capacity);
  return fmt::format("{} {}", grouped(capacity / unit.divisor), unit.name);
}

std::string of_capacity(std::int64_t bytes, std::int64_t capacity) {
  const CapacityUnit unit(capacity);
  const std::int64_t divisor = unit.divisor;
  const double used = static_cast<double>(bytes) / divisor;
  const std::string text = bytes % divisor == 0 ? grouped(bytes / divisor) : significant(used, 3);
  return fmt::format("{} of {} {}", text, grouped(capacity / divisor), unit.name);
}

int display_width(const std::string& text) {
  int width = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      i = std::min(text.find('m', i), text.size());
    } else if (is_code_point_start(text[i])) {
      ++width;
    }
  }
  return width;
}

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

std::string pad_left(const std::string& text, int width) {
  return repeated(" ", width - display_width(text)) + text;
}

std::string pad_right(const std::string& text, int width) {
  return text + repeated(" ", width - display_width(text));
}

std::string clip(const std::string& text, int width) {
  if (display_width(text) <= width) return text;
  int columns = 0;
  std::size_t end = 0;
  while (end < text.size()) {
    if (is_code_point_start(text[end]) && ++columns == width) break;
    ++end;
  }
  return text.substr(0, end) + "…";
}

std::string bar(double share, int cells) {
  const char* const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double bounded = std::min(1.0, std::max(0.0, share));
  int units = static_cast<int>(std::lround(bounded * cells * 8));
  if (units == 0 && share > 0) units = 1;  // something is not nothing
  return repeated("█", units / 8) + eighths[units % 8];
}

std::string flow(const std::string& label, const std::vector<std::string>& parts, int width) {
  const int indent = display_width(label);
  std::string text, line = label;
  bool empty = true;
  for (const auto& raw : parts) {
    const std::string part = clip(raw, width - indent);
    if (!empty && display_width(line) + 3 + display_width(part) > width) {
      text += line + "\n";
      line = repeated(" ", indent);
      empty = true;
    }
    line += (empty ? "" : "   ") + part;
    empty = false;
  }
  return text + line + "\n";
}

std::string wrap(const std::string& text, int indent, int width) {
  std::string wrapped, rest = text;
  while (display_width(rest) > width) {
    std::size_t end = 0, at = 0;
    for (int column = 0; at < rest.size() && column <= width; ++at) {
      if (rest[at] == ' ' && static_cast<int>(at) > indent) end = at;
      if (is_code_point_start(rest[at])) ++column;
    }
    if (end == 0) break;  // one long word
    wrapped += rest.substr(0, rest.find_last_not_of(' ', end) + 1) + "\n";
    const std::size_t next = rest.find_first_not_of(' ', end);
    rest = repeated(" ", indent) + (next == std::string::npos ? "" : rest.substr(next));
  }
  return wrapped + clip(rest, width) + "\n";
}

std::string table(std::vector<Column> columns, int width) {
  drop_columns(columns, width);
  const int excess = table_width(columns) - width;
  if (excess > 0) clip_column(columns[0], std::max(8, column_width(columns[0]) - excess));
  std::vector<int> widths;
  for (const auto& column : columns) widths.push_back(column_width(column));
  std::string text = row_text(columns, widths, -1);
  const int rows = static_cast<int>(columns[0].cells.size());
  for (int row = 0; row < rows; ++row) text += row_text(columns, widths, row);
  return text;
}

}  // namespace tessera::sim
