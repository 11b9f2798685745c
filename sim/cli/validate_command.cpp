#include "sim/cli/validate_command.h"

#include <algorithm>

#include "sim/cli/output.h"
#include "sim/config/config.h"
#include "sim/config/search_path.h"
#include "sim/mapper/pins.h"
#include "sim/validation/validate.h"
#include "sim/validation/validation_writers.h"

namespace tessera::sim {
namespace {

constexpr int kTargetsHold = 0, kTargetMissed = 1;

HardwareOverride override_of(const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == word.size()) {
    throw UsageError("--hardware '" + word +
                     "': 'validate' takes ENGINE=NAME, for example 'gemmini16_*=my_gemmini'");
  }
  return {word.substr(0, equals), word.substr(equals + 1)};
}

std::vector<ReferenceCase> read_cases(const std::vector<std::string>& words) {
  std::vector<std::string> paths = words.empty() ? shipped_references() : words;
  std::vector<ReferenceCase> cases;
  for (const std::string& word : paths) {
    const std::string path = words.empty() ? word : find_reference(word);
    for (ReferenceCase& each : read_reference(path)) {
      each.file = config::display_name(path);
      cases.push_back(std::move(each));
    }
  }
  return cases;
}

bool runs_on_a_machine(const ReferenceCase& reference) {
  return reference.kind != ReferenceKind::kDram;
}

/// A pattern that matches nothing is a mistake, not an empty table.
void require_match(const std::vector<ReferenceCase>& cases, const std::string& option,
                   const std::string& pattern) {
  std::vector<std::string> names;
  for (const ReferenceCase& each : cases) {
    if (option == "--hardware" && !runs_on_a_machine(each)) continue;
    if (matches(pattern, each.engine)) return;
    if (std::find(names.begin(), names.end(), each.engine) == names.end()) {
      names.push_back(each.engine);
    }
  }
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
  throw UsageError(option + " '" + pattern + "' matches no engine; there are " + known);
}

ValidateRequest validate_request(const CommandLine& line) {
  ValidateRequest request;
  for (const std::string& word : line.hardware) request.overrides.push_back(override_of(word));
  if (!line.engine.empty()) request.engine = line.engine;
  request.cases = read_cases(line.references);
  require_match(request.cases, "--engine", request.engine);
  for (const HardwareOverride& each : request.overrides) {
    require_match(request.cases, "--hardware", each.pattern);
    load_hardware(each.hardware);  // a name that is none ends here
  }
  return request;
}

}  // namespace

int validate_command(const CommandLine& line) {
  const Validation validation = validate(validate_request(line));
  if (line.format == "json") {
    write_stdout(validation_json(validation, line.all).dump(2) + "\n");
  } else if (line.format == "markdown") {
    write_stdout(validation_markdown(validation, line.all));
  } else {
    write_stdout(validation_text(validation, {text_width(line.width), line.all, use_color()}));
  }
  return validation.holds() ? kTargetsHold : kTargetMissed;
}

}  // namespace tessera::sim
