// The error table as text, Markdown and JSON.
#pragma once

#include <string>

#include "sim/report/writers.h"
#include "sim/validation/validate.h"

namespace tessera::sim {

/// `options.all`: every figure as well.
std::string validation_text(const Validation& validation, const TextOptions& options);
/// docs/validation.md.
std::string validation_markdown(const Validation& validation, bool all);
/// Schema tessera-validation/1; `cases` only with `all`.
nlohmann::ordered_json validation_json(const Validation& validation, bool all);

}  // namespace tessera::sim
