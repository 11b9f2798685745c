#include "sim/sweep/axis_values.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sim/sweep/amount.h"

namespace tessera::sim {
namespace {

using config::fail;
using config::Value;
using config::ValueKind;

bool given(const Value& value) { return value.kind != ValueKind::kNull; }

/// A value in one line, as tables show it.
std::string label_of(const Value& value) {
  if (value.is_scalar()) return value.text;
  std::string text;
  for (const Value& item : value.items) text += (text.empty() ? "" : ", ") + label_of(item);
  for (const config::MapEntry& entry : value.entries) {
    text += (text.empty() ? "" : ", ") + entry.key + ": " + label_of(entry.value);
  }
  return (value.is_map() ? "{" : "[") + text + (value.is_map() ? "}" : "]");
}

std::optional<double> number_of(const Value& value) {
  if (!value.is_scalar() || value.quoted) return std::nullopt;
  const std::optional<Amount> amount = parse_amount(value.text);
  return amount ? std::optional<double>(amount->value) : std::nullopt;
}

AxisValue listed(const Value& value, std::size_t keys) {
  AxisValue made;
  made.label = label_of(value);
  const bool each_its_own =
      keys > 1 && value.kind == ValueKind::kList && value.items.size() == keys;
  made.values = each_its_own ? value.items : std::vector<Value>(keys, value);
  if (!each_its_own) made.number = number_of(value);
  return made;
}

std::vector<AxisValue> of_list(const Value& list, std::size_t keys, const std::string& path) {
  if (list.kind != ValueKind::kList) {
    config::not_allowed(list, path + ".values", "a list: [a, b]");
  }
  if (list.items.empty()) fail(list.position, path + ".values", "the list is empty");
  std::vector<AxisValue> values;
  for (const Value& item : list.items) {
    AxisValue value = listed(item, keys);
    for (const AxisValue& known : values) {
      if (known.label == value.label) {
        fail(item.position, path + ".values", value.label + " is listed twice");
      }
    }
    values.push_back(std::move(value));
  }
  return values;
}

Amount amount_of(const Value& value, const std::string& path, const std::string& wanted) {
  const std::string& text = config::scalar_text(value, path, wanted);
  const std::optional<Amount> amount = value.quoted ? std::nullopt : parse_amount(text);
  if (!amount) fail(value.position, path, fmt::format("{} is not {}", text, wanted));
  return *amount;
}

/// A range in base units.
struct Range {
  Amount from, to;
  double step = 0;  // linear; 0: not given
};

Range range_of(const AxisText& text, const config::Position& position, const std::string& path) {
  if (!given(text.from) || !given(text.to)) {
    fail(position, path, "gives neither values nor from and to");
  }
  const std::string wanted = "a number or a quantity, such as 512 KiB";
  Range range{amount_of(text.from, path + ".from", wanted),
              amount_of(text.to, path + ".to", wanted), 0};
  if (range.from.measure != range.to.measure) {
    fail(text.to.position, path + ".to",
         fmt::format("{} and {} are of different kinds", text.from.text, text.to.text));
  }
  if (range.to.value < range.from.value) {
    fail(text.to.position, path + ".to",
         fmt::format("{} is below from, {}", text.to.text, text.from.text));
  }
  if (text.scale != AxisScale::kLinear && range.from.value <= 0) {
    fail(text.from.position, path + ".from", "a logarithmic range starts above 0");
  }
  if (!given(text.step)) return range;
  const Amount step = amount_of(text.step, path + ".step", wanted);
  if (text.scale != AxisScale::kLinear || text.points > 0) {
    fail(text.step.position, path + ".step", "goes with scale: linear and without points");
  }
  if (step.measure != range.from.measure || step.value <= 0) {
    fail(text.step.position, path + ".step",
         fmt::format("{} is not allowed (above 0, of the kind of {})", text.step.text,
                     text.from.text));
  }
  range.step = step.value;
  return range;
}

/// `points` numbers evenly spaced on the scale, the ends among them.
std::vector<double> spaced(const Range& range, const AxisText& text) {
  const bool linear = text.scale == AxisScale::kLinear;
  const double low = linear ? range.from.value : std::log2(range.from.value);
  const double high = linear ? range.to.value : std::log2(range.to.value);
  std::vector<double> numbers;
  for (std::int64_t i = 0; i < text.points; ++i) {
    const double at = text.points == 1 ? low
                                       : low + (high - low) * static_cast<double>(i) /
                                                   static_cast<double>(text.points - 1);
    numbers.push_back(linear ? at : std::exp2(at));
  }
  numbers.front() = range.from.value;
  if (text.points > 1) numbers.back() = range.to.value;
  return numbers;
}

std::vector<double> stepped(const Range& range, const AxisText& text,
                            const config::Position& position, const std::string& path) {
  const double factor = text.scale == AxisScale::kLog2    ? 2
                        : text.scale == AxisScale::kLog10 ? 10
                                                          : 1;
  if (factor == 1 && range.step == 0) {
    fail(position, path, "a linear range needs step or points");
  }
  const double end = range.to.value * (1 + 1e-12);
  std::vector<double> numbers;
  for (double number = range.from.value; number <= end && numbers.size() <= kMostAxisValues;) {
    numbers.push_back(number);
    number = factor == 1 ? range.from.value + static_cast<double>(numbers.size()) * range.step
                         : number * factor;
  }
  if (numbers.size() > kMostAxisValues) {
    fail(position, path, fmt::format("has more than {} values", kMostAxisValues));
  }
  return numbers;
}

std::vector<AxisValue> of_range(const AxisText& text, std::size_t keys,
                                const config::Position& position, const std::string& path) {
  const Range range = range_of(text, position, path);
  const std::vector<double> numbers =
      text.points > 0 ? spaced(range, text) : stepped(range, text, position, path);
  // Counts stay counts: a range between whole numbers takes whole numbers.
  const bool whole = !range.from.measure && range.from.value == std::floor(range.from.value) &&
                     range.to.value == std::floor(range.to.value) &&
                     range.step == std::floor(range.step);
  std::vector<AxisValue> values;
  for (const double number : numbers) {
    const double rounded = whole ? std::round(number) : number;
    const std::string written = amount_text({rounded, range.from.measure});
    if (!values.empty() && values.back().label == written) continue;
    values.push_back(listed(config::make_scalar(written, text.from.position), keys));
  }
  return values;
}

double factor_of(const Value& value, const std::string& path) {
  const std::string wanted = "a factor such as 1/8, 0.5 or 3";
  const std::string& text = config::scalar_text(value, path, wanted);
  const std::size_t slash = text.find('/');
  const auto part = [&](const std::string& word) {
    const std::optional<Amount> amount = parse_amount(word);
    if (!amount || amount->measure || amount->value <= 0) {
      fail(value.position, path, fmt::format("{} is not {}", text, wanted));
    }
    return amount->value;
  };
  if (slash == std::string::npos) return part(text);
  return part(text.substr(0, slash)) / part(text.substr(slash + 1));
}

}  // namespace

std::vector<AxisValue> axis_values(const AxisText& text, std::size_t keys,
                                   const config::Position& position, const std::string& path) {
  if (!given(text.values)) return of_range(text, keys, position, path);
  for (const Value* other : {&text.from, &text.to, &text.step}) {
    if (given(*other)) fail(other->position, path, "a range does not go with values");
  }
  return of_list(text.values, keys, path);
}

std::vector<AxisValue> axis_factors(const AxisText& text, const std::string& path) {
  if (!given(text.values)) {
    fail(text.times_position, path + ".times", "needs values: the factors, such as [1/8, 1/4]");
  }
  std::vector<AxisValue> factors = of_list(text.values, 1, path);
  for (AxisValue& factor : factors) {
    factor.number = factor_of(factor.values.front(), path + ".values");
  }
  return factors;
}

}  // namespace tessera::sim
