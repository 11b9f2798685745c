#include "sim/config/codecs.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tessera::sim::config {

namespace {

using Int128 = __int128;

struct Unit {
  std::string name;
  std::int64_t factor;  // in base units
};

/// One kind of quantity. Units go from small to large; values print in the largest that is short.
struct Dimension {
  std::string what;
  std::vector<Unit> units;
  std::vector<std::pair<std::string, std::string>> confusions;  // unit -> the one meant
};

const Dimension kBytesDimension{
    "bytes",
    {{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}},
    {{"KB", "KiB"}, {"kB", "KiB"}, {"MB", "MiB"}, {"GB", "GiB"}, {"K", "KiB"}, {"M", "MiB"}}};
const Dimension kFrequencyDimension{
    "frequency",
    {{"Hz", 1}, {"kHz", 1'000}, {"MHz", 1'000'000}, {"GHz", 1'000'000'000}},
    {{"KHz", "kHz"}, {"Mhz", "MHz"}, {"Ghz", "GHz"}, {"hz", "Hz"}}};
const Dimension kBandwidthDimension{
    "bandwidth",
    {{"B/s", 1}, {"KB/s", 1'000}, {"MB/s", 1'000'000}, {"GB/s", 1'000'000'000}, {"GiB/s", 1 << 30}},
    {{"Gb/s", "GB/s"}, {"GB", "GB/s"}, {"GBps", "GB/s"}}};
const Dimension kDurationDimension{"time",
                                   {{"fs", 1},
                                    {"ps", 1'000},
                                    {"ns", 1'000'000},
                                    {"us", 1'000'000'000},
                                    {"ms", 1'000'000'000'000},
                                    {"s", 1'000'000'000'000'000}},
                                   {{"sec", "s"}, {"µs", "us"}}};
const Dimension kCyclesDimension{
    "cycles", {{"cycles", 1}}, {{"cycle", "cycles"}, {"clk", "cycles"}}};
const Dimension kEnergyDimension{
    "energy",
    {{"fJ", 1}, {"pJ", 1'000}, {"nJ", 1'000'000}, {"uJ", 1'000'000'000}},
    {{"pj", "pJ"}, {"PJ", "pJ"}, {"nj", "nJ"}, {"µJ", "uJ"}}};
const Dimension kPowerDimension{"power",
                                {{"uW", 1}, {"mW", 1'000}, {"W", 1'000'000}},
                                {{"mw", "mW"}, {"MW", "mW"}, {"w", "W"}, {"µW", "uW"}}};

std::vector<std::string> unit_names(const Dimension& dimension) {
  std::vector<std::string> names;
  for (const Unit& unit : dimension.units) names.push_back(unit.name);
  return names;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Value of `digits`, or nullopt beyond 18 digits.
std::optional<std::int64_t> small_integer(std::string_view digits) {
  if (digits.size() > 18) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

/// A decimal number as an integer and a power of ten; exact.
struct Decimal {
  bool negative = false;
  std::int64_t digits = 0;
  int fraction_digits = 0;
  std::size_t length = 0;  // characters of the text that it takes
};

/// Reads [-]digits[.digits] at the start of `text`; nullopt when there is none or it is too long.
std::optional<Decimal> leading_decimal(std::string_view text) {
  Decimal decimal;
  std::size_t i = 0;
  if (i < text.size() && text[i] == '-') {
    decimal.negative = true;
    ++i;
  }
  std::string digits;
  while (i < text.size() && is_digit(text[i])) digits += text[i++];
  if (digits.empty()) return std::nullopt;
  if (i + 1 < text.size() && text[i] == '.' && is_digit(text[i + 1])) {
    ++i;
    while (i < text.size() && is_digit(text[i])) {
      digits += text[i++];
      ++decimal.fraction_digits;
    }
  }
  const std::optional<std::int64_t> value = small_integer(digits);
  if (!value) return std::nullopt;
  decimal.digits = *value;
  decimal.length = i;
  return decimal;
}

bool has_leading_zero(std::string_view text) {
  if (!text.empty() && text[0] == '-') text.remove_prefix(1);
  return text.size() > 1 && text[0] == '0' && is_digit(text[1]);
}

void check_leading_zero(const Value& value, const std::string& path) {
  if (!has_leading_zero(value.text)) return;
  fail(value.position, path, value.text + " is not allowed: a number has no leading zeros");
}

void check_unquoted(const Value& value, const std::string& path, const std::string& allowed) {
  if (!value.quoted) return;
  fail(value.position, path,
       fmt::format("{} is quoted text, not a number ({})", shown(value), allowed),
       {"write it without quotes"});
}

std::int64_t parse_integer(const Value& value, const std::string& path, std::int64_t low,
                           std::int64_t high) {
  const std::string allowed = fmt::format("{} .. {}", low, high);
  const std::string& text = scalar_text(value, path, allowed);
  check_unquoted(value, path, allowed);
  check_leading_zero(value, path);
  std::int64_t parsed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  const bool whole = end == text.data() + text.size();
  if (!whole || error == std::errc::invalid_argument) {
    fail(value.position, path, fmt::format("{} is not a whole number ({})", shown(value), allowed));
  }
  if (error != std::errc() || parsed < low || parsed > high) not_allowed(value, path, allowed);
  return parsed;
}

double parse_number(const Value& value, const std::string& path, const std::string& allowed) {
  const std::string& text = scalar_text(value, path, allowed);
  check_unquoted(value, path, allowed);
  check_leading_zero(value, path);
  double parsed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  const bool whole = end == text.data() + text.size();
  const bool digit = is_digit(text[0]) || (text.size() > 1 && text[0] == '-' && is_digit(text[1]));
  if (!whole || !digit || error == std::errc::invalid_argument) {
    fail(value.position, path, fmt::format("{} is not a number ({})", shown(value), allowed));
  }
  if (error != std::errc() || !std::isfinite(parsed)) not_allowed(value, path, allowed);
  return parsed;
}

Json number_schema(const char* lower, double low, double high) {
  return {{"type", "number"}, {lower, low}, {"maximum", high}};
}

/// digits * 10^-fraction_digits * factor when that is whole; fails otherwise.
std::int64_t whole_quantity(const Value& value, const std::string& path, const Decimal& decimal,
                            const Unit& unit, const Unit& base) {
  Int128 amount = static_cast<Int128>(decimal.digits) * unit.factor;
  for (int i = 0; i < decimal.fraction_digits; ++i) {
    if (amount % 10 != 0) {
      fail(value.position, path,
           fmt::format("{} is not a whole number of {}", shown(value), base.name));
    }
    amount /= 10;
  }
  if (amount > std::numeric_limits<std::int64_t>::max()) {
    fail(value.position, path, shown(value) + " is too large");
  }
  return static_cast<std::int64_t>(decimal.negative ? -amount : amount);
}

[[noreturn]] void wrong_unit(const Value& value, const std::string& path,
                             const Dimension& dimension, const std::string& number,
                             const std::string& unit) {
  const std::string units = fmt::format("{}", fmt::join(unit_names(dimension), ", "));
  if (unit.empty()) {
    const bool single = dimension.units.size() == 1;
    fail(value.position, path, fmt::format("{} has no unit", shown(value)),
         {single ? fmt::format("did you mean '{} {}'?", number, units)
                 : fmt::format("allowed: a number with one of {}", units)});
  }
  std::string meant;
  for (const auto& [wrong, right] : dimension.confusions) {
    if (wrong == unit) meant = right;
  }
  fail(value.position, path, fmt::format("'{}' is not a unit of {}", unit, dimension.what),
       {meant.empty() ? fmt::format("allowed: {}", units)
                      : fmt::format("did you mean '{} {}'? (allowed: {})", number, meant, units)});
}

std::int64_t parse_quantity(const Value& value, const std::string& path,
                            const Dimension& dimension) {
  const std::string allowed =
      fmt::format("a number with a unit: {}", fmt::join(unit_names(dimension), ", "));
  const std::string& text = scalar_text(value, path, allowed);
  check_leading_zero(value, path);
  const std::optional<Decimal> decimal = leading_decimal(text);
  if (!decimal) {
    fail(value.position, path, fmt::format("{} is not a quantity ({})", shown(value), allowed));
  }
  std::size_t begin = decimal->length;
  while (begin < text.size() && text[begin] == ' ') ++begin;
  const std::string unit_name = text.substr(begin);
  for (const Unit& unit : dimension.units) {
    const bool singular = unit.name == "cycles" && unit_name == "cycle" && decimal->digits == 1;
    if (unit.name == unit_name || singular) {
      return whole_quantity(value, path, *decimal, unit, dimension.units.front());
    }
  }
  wrong_unit(value, path, dimension, text.substr(0, decimal->length), unit_name);
}

/// 25600000000 in GB/s is "25.6": exact, without trailing zeros.
std::string scaled(std::int64_t amount, std::int64_t factor) {
  std::string text = fmt::format("{}", amount / factor);
  std::int64_t rest = amount % factor;
  if (rest != 0) text += '.';
  while (rest != 0) {
    const Int128 tenfold = static_cast<Int128>(rest) * 10;
    text += static_cast<char>('0' + static_cast<int>(tenfold / factor));
    rest = static_cast<std::int64_t>(tenfold % factor);
  }
  return text;
}

std::string quantity_text(std::int64_t amount, const Dimension& dimension) {
  const Unit* best = &dimension.units.front();
  for (const Unit& unit : dimension.units) {
    const bool decimal = dimension.what != "bytes" && unit.name != "GiB/s";
    const bool fits = decimal ? amount >= unit.factor : amount % unit.factor == 0;
    if (amount != 0 && fits && unit.name != "GiB/s") best = &unit;
  }
  const bool singular = best->name == "cycles" && amount == 1;
  return fmt::format("{} {}", scaled(amount, best->factor), singular ? "cycle" : best->name);
}

Codec<std::int64_t> quantity(const Dimension& dimension, std::int64_t low, std::int64_t high) {
  const std::string allowed =
      fmt::format("{} .. {}", quantity_text(low, dimension), quantity_text(high, dimension));
  Codec<std::int64_t> codec;
  codec.parse = [=, &dimension](const Value& value, const std::string& path) {
    const std::int64_t amount = parse_quantity(value, path, dimension);
    if (amount < low || amount > high) not_allowed(value, path, allowed);
    return amount;
  };
  codec.print = [&dimension](std::int64_t amount) {
    return Json(quantity_text(amount, dimension));
  };
  std::string units = fmt::format("{}", fmt::join(unit_names(dimension), "|"));
  if (dimension.what == "cycles") units = "cycles?";
  codec.schema = {{"type", "string"}, {"pattern", "^[0-9]+([.][0-9]+)? ?(" + units + ")$"}};
  codec.allowed = fmt::format("{}, {}", dimension.what, allowed);
  return codec;
}

}  // namespace

const std::string& scalar_text(const Value& value, const std::string& path,
                               const std::string& allowed) {
  if (value.kind == ValueKind::kNull || (value.is_scalar() && value.text.empty())) {
    fail(value.position, path, fmt::format("the value is missing ({})", allowed));
  }
  if (!value.is_scalar()) not_allowed(value, path, allowed);
  return value.text;
}

void not_allowed(const Value& value, const std::string& path, const std::string& allowed,
                 const std::string& hint) {
  fail(value.position, path, fmt::format("{} is not allowed ({})", shown(value), allowed), {hint});
}

void not_built(const Position& position, const std::string& path, const std::string& what,
               const std::vector<std::string>& built) {
  fail(position, path, what + " is not built yet",
       {built.empty() ? "" : fmt::format("allowed: {}", fmt::join(built, ", "))});
}

std::size_t parse_choice(const Value& value, const std::string& path,
                         const std::vector<std::string>& names,
                         const std::vector<std::string>& unbuilt) {
  const std::string allowed = fmt::format("{}", fmt::join(names, ", "));
  const std::string& word = scalar_text(value, path, allowed);
  const auto found = std::find(names.begin(), names.end(), word);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  if (std::find(unbuilt.begin(), unbuilt.end(), word) != unbuilt.end()) {
    not_built(value.position, path, word, names);
  }
  const std::string near = nearest(word, names);
  not_allowed(value, path, allowed, near.empty() ? "" : fmt::format("did you mean '{}'?", near));
}

Codec<std::int64_t> integer(std::int64_t low, std::int64_t high) {
  Codec<std::int64_t> codec;
  codec.parse = [=](const Value& value, const std::string& path) {
    return parse_integer(value, path, low, high);
  };
  codec.print = [](std::int64_t value) { return Json(value); };
  codec.schema = {{"type", "integer"}, {"minimum", low}, {"maximum", high}};
  codec.allowed = fmt::format("{} .. {}", low, high);
  return codec;
}

Codec<std::int64_t> optional_integer(std::int64_t low, std::int64_t high) {
  Codec<std::int64_t> codec = integer(low, high);
  codec.print = [](std::int64_t value) { return value == 0 ? Json() : Json(value); };
  return codec;
}

Codec<double> number_above(double low, double high) {
  const std::string allowed = fmt::format("above {}, at most {}", low, high);
  Codec<double> codec;
  codec.parse = [=](const Value& value, const std::string& path) {
    const double parsed = parse_number(value, path, allowed);
    if (parsed <= low || parsed > high) not_allowed(value, path, allowed);
    return parsed;
  };
  codec.print = [](double value) { return Json(value); };
  codec.schema = number_schema("exclusiveMinimum", low, high);
  codec.allowed = allowed;
  return codec;
}

Codec<double> number_from(double low, double high) {
  const std::string allowed = fmt::format("{} .. {}", low, high);
  Codec<double> codec;
  codec.parse = [=](const Value& value, const std::string& path) {
    const double parsed = parse_number(value, path, allowed);
    if (parsed < low || parsed > high) not_allowed(value, path, allowed);
    return parsed;
  };
  codec.print = [](double value) { return Json(value); };
  codec.schema = number_schema("minimum", low, high);
  codec.allowed = allowed;
  return codec;
}

Codec<double> share(bool positive) {
  const std::string allowed = positive ? "above 0 %, at most 100 %" : "0 % .. 100 %";
  Codec<double> codec;
  codec.parse = [=](const Value& value, const std::string& path) {
    Value number = value;
    const std::string& text = scalar_text(value, path, allowed);
    const bool percent = text.back() == '%';
    if (percent) {
      number.quoted = false;
      number.text = text.substr(0, text.find_last_not_of(" %") + 1);
      if (number.text.empty()) not_allowed(value, path, allowed);
    }
    const double parsed = parse_number(number, path, allowed) / (percent ? 100 : 1);
    if (parsed < 0 || (positive && parsed == 0) || parsed > 1) not_allowed(value, path, allowed);
    return parsed;
  };
  codec.print = [](double value) { return Json(value); };
  codec.schema = {
      {"anyOf", Json::array({Json{{"type", "number"}, {"minimum", 0}, {"maximum", 1}},
                             Json{{"type", "string"}, {"pattern", "^[0-9]+([.][0-9]+)? ?%$"}}})}};
  codec.allowed = "share, " + allowed;
  return codec;
}

Codec<bool> boolean() {
  Codec<bool> codec = choice<bool>({{"true", true}, {"false", false}});
  codec.parse = [parse = codec.parse](const Value& value, const std::string& path) {
    if (value.quoted) not_allowed(value, path, "true, false", "write it without quotes");
    return parse(value, path);
  };
  codec.print = [](bool value) { return Json(value); };
  codec.schema = {{"type", "boolean"}};
  return codec;
}

Codec<std::string> text(const std::string& what) {
  Codec<std::string> codec;
  codec.parse = [=](const Value& value, const std::string& path) {
    const std::string& word = scalar_text(value, path, what);
    if (word.size() > 200) fail(value.position, path, "is longer than 200 characters");
    return word;
  };
  codec.print = [](const std::string& word) { return word.empty() ? Json() : Json(word); };
  codec.schema = {{"type", "string"}};
  codec.allowed = what;
  return codec;
}

Codec<std::int64_t> bytes(std::int64_t low, std::int64_t high, bool power_of_two) {
  Codec<std::int64_t> codec = quantity(kBytesDimension, low, high);
  if (!power_of_two) return codec;
  codec.allowed += ", a power of two";
  codec.parse = [parse = codec.parse](const Value& value, const std::string& path) {
    const std::int64_t amount = parse(value, path);
    if ((amount & (amount - 1)) != 0) not_allowed(value, path, "a power of two");
    return amount;
  };
  return codec;
}

Codec<std::int64_t> frequency() { return quantity(kFrequencyDimension, 1'000, 100'000'000'000); }
Codec<std::int64_t> bandwidth() {
  return quantity(kBandwidthDimension, 1'000'000, 100'000'000'000'000);
}
Codec<std::int64_t> duration(std::int64_t low_fs, std::int64_t high_fs) {
  return quantity(kDurationDimension, low_fs, high_fs);
}
Codec<std::int64_t> cycles(std::int64_t high) { return quantity(kCyclesDimension, 0, high); }
Codec<std::int64_t> energy(std::int64_t low_fj, std::int64_t high_fj) {
  return quantity(kEnergyDimension, low_fj, high_fj);
}
Codec<std::int64_t> power(std::int64_t high_uw) { return quantity(kPowerDimension, 0, high_uw); }

std::string bytes_text(std::int64_t bytes) { return quantity_text(bytes, kBytesDimension); }

namespace {

/// What whole runs take.
const Dimension kRunEnergyDimension{"energy",
                                    {{"fJ", 1},
                                     {"pJ", 1'000},
                                     {"nJ", 1'000'000},
                                     {"uJ", 1'000'000'000},
                                     {"mJ", 1'000'000'000'000},
                                     {"J", 1'000'000'000'000'000}},
                                    {{"mj", "mJ"}, {"j", "J"}}};

const std::vector<std::pair<Measure, const Dimension*>>& measures() {
  static const std::vector<std::pair<Measure, const Dimension*>> all{
      {Measure::kBytes, &kBytesDimension},         {Measure::kFrequency, &kFrequencyDimension},
      {Measure::kBandwidth, &kBandwidthDimension}, {Measure::kTime, &kDurationDimension},
      {Measure::kCycles, &kCyclesDimension},       {Measure::kEnergy, &kRunEnergyDimension},
      {Measure::kPower, &kPowerDimension}};
  return all;
}

double amount_of(const Decimal& decimal, const Unit& unit) {
  const Int128 amount = static_cast<Int128>(decimal.digits) * unit.factor;
  Int128 divisor = 1;
  for (int i = 0; i < decimal.fraction_digits; ++i) divisor *= 10;
  const double magnitude = amount % divisor == 0
                               ? static_cast<double>(amount / divisor)
                               : static_cast<double>(amount) / static_cast<double>(divisor);
  return decimal.negative ? -magnitude : magnitude;
}

}  // namespace

std::optional<Measured> read_quantity(std::string_view text) {
  const std::optional<Decimal> decimal = leading_decimal(text);
  if (!decimal || has_leading_zero(text)) return std::nullopt;
  text.remove_prefix(decimal->length);
  while (!text.empty() && text[0] == ' ') text.remove_prefix(1);
  for (const auto& [measure, dimension] : measures()) {
    for (const Unit& unit : dimension->units) {
      const bool singular = unit.name == "cycles" && text == "cycle";
      if (unit.name == text || singular) return Measured{measure, amount_of(*decimal, unit)};
    }
  }
  return std::nullopt;
}

std::string unit_hint(std::string_view word) {
  std::vector<std::string> names;
  for (const auto& [measure, dimension] : measures()) {
    for (const auto& [wrong, right] : dimension->confusions) {
      if (wrong == word) return fmt::format("did you mean '{}'?", right);
    }
    for (const std::string& name : unit_names(*dimension)) names.push_back(name);
  }
  return suggestion(word, names);
}

}  // namespace tessera::sim::config
