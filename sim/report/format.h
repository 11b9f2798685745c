// Numbers, bars and columns as text. Widths are display columns: every code point takes one,
// colour escapes none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tessera::sim {

/// "126,230,269"
std::string grouped(std::int64_t value);
/// "1,566.25" with `decimals` digits behind the point.
std::string fixed(double value, int decimals);
/// "82.7 %"
std::string percent(double share, int decimals = 1);
/// "+12.3 %"
std::string signed_percent(double share);
/// About `digits` significant digits, never fewer than all before the point.
std::string significant(double value, int digits = 4);

/// A unit that suits the largest value of a group, so that the group compares at a glance.
struct Scale {
  double divisor = 1;
  std::string unit;
  int decimals = 0;
  std::string text(double value) const;       // "126.2"
  std::string with_unit(double value) const;  // "126.2 ms"
};
Scale time_scale(double largest_seconds);
Scale byte_scale(double largest_bytes);  // kB, MB: decimal, for traffic
Scale energy_scale(double largest_joules);
Scale cycle_scale(double largest_cycles);  // "cycles", "k cycles", "M cycles"
/// "512 KiB": the largest binary unit that stays whole.
std::string capacity_text(std::int64_t capacity);
/// "392 of 512 KiB": both in the largest binary unit that keeps the capacity whole.
std::string of_capacity(std::int64_t bytes, std::int64_t capacity);

int display_width(const std::string& text);
std::string pad_left(const std::string& text, int width);
std::string pad_right(const std::string& text, int width);
/// At most `width` columns; a cut is marked with an ellipsis.
std::string clip(const std::string& text, int width);
/// Blocks of an eighth: `share` of `cells` columns.
std::string bar(double share, int cells);
/// `text` repeated `times` times.
std::string repeated(const std::string& text, int times);

/// Puts `parts` behind `label`, three spaces apart, on as many lines as `width` asks for; further
/// lines are indented to the label's width.
std::string flow(const std::string& label, const std::vector<std::string>& parts, int width);

/// `text` broken at spaces into lines of at most `width` columns; further lines are indented.
std::string wrap(const std::string& text, int indent, int width);

enum class Align { kLeft, kRight };
struct Column {
  std::string header;
  Align align = Align::kRight;
  int priority = 0;                // 0: never dropped; else the largest number goes first
  std::vector<std::string> cells;  // one per row
};
/// Header line and rows, each with a leading space; drops columns and clips the first one until
/// `width` is kept. Needs REQUIRES: columns of equal length.
std::string table(std::vector<Column> columns, int width);

}  // namespace tessera::sim
