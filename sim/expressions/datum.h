// What an expression's values are: numbers that know what they count, or words.
#pragma once

#include <string>
#include <string_view>

namespace tessera::sim::expressions {

/// Exponents of what a number counts: a frequency is cycles^1 seconds^-1, a bandwidth bytes^1
/// seconds^-1, a power joules^1 seconds^-1.
struct Dimension {
  int seconds = 0, bytes = 0, cycles = 0, joules = 0;

  bool operator==(const Dimension& other) const {
    return seconds == other.seconds && bytes == other.bytes && cycles == other.cycles &&
           joules == other.joules;
  }
  bool operator!=(const Dimension& other) const { return !(*this == other); }
  /// Bytes or cycles alone: a bare number may stand for them.
  bool is_count() const { return *this == Dimension{0, 1} || *this == Dimension{0, 0, 1}; }
};

/// A number in base units (s, B, cycles, J and what they make), or a word.
struct Datum {
  double number = 0;
  Dimension dimension;
  bool bare = false;     // made of numbers without units only: may stand for a count
  bool percent = false;  // a number written with %
  bool is_word = false;
  std::string word;
};

Datum number_of(double number, Dimension dimension = {});
Datum word_of(std::string word);

/// "31.2 ms", "1,566,000 B", "12 cycles", "0.827", "'dram'": nine digits, counts in full.
std::string to_text(const Datum& datum);
/// A number and its unit as a configuration takes it: "524288 B", "30000000 fs", "12". Throws
/// std::invalid_argument for what has no such form: a fraction of a byte, bytes squared.
std::string config_text(const Datum& datum);
/// "a time (s)", "bytes", "a number", "a word".
std::string kind_text(const Datum& datum);

/// What a report or a configuration counts under `name`: `_bytes`, `_cycles`, `_s`, ...
Dimension dimension_of(std::string_view name);

}  // namespace tessera::sim::expressions
