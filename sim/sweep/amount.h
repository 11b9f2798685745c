// Numbers of axes: plain, or quantities with a unit.
#pragma once

#include <optional>
#include <string>

#include "sim/config/codecs.h"

namespace tessera::sim {

struct Amount {
  double value = 0;                        // in base units: B, Hz, B/s, fs, cycles, ...
  std::optional<config::Measure> measure;  // nothing: a plain number
};

/// Nothing where `text` is neither.
std::optional<Amount> parse_amount(const std::string& text);
/// "512 KiB": in the largest unit that is short, rounded to whole base units; plain numbers as they
/// are.
std::string amount_text(const Amount& amount);

}  // namespace tessera::sim
