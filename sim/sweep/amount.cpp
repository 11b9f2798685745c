#include "sim/sweep/amount.h"

#include <charconv>

#include <fmt/format.h>

namespace tessera::sim {

std::optional<Amount> parse_amount(const std::string& text) {
  if (const auto quantity = config::read_quantity(text)) {
    return Amount{quantity->amount, quantity->measure};
  }
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  const bool whole = !text.empty() && stop == end && error == std::errc();
  return whole ? std::optional<Amount>(Amount{number, std::nullopt}) : std::nullopt;
}

std::string amount_text(const Amount& amount) {
  if (amount.measure) return config::measured_text({*amount.measure, amount.value});
  return fmt::format("{}", amount.value);
}

}  // namespace tessera::sim
