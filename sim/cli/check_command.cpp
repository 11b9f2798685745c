#include "sim/cli/check_command.h"

#include <nlohmann/json.hpp>

#include "sim/check/check.h"
#include "sim/cli/output.h"
#include "sim/config/config.h"
#include "sim/lowering/lowering.h"
#include "sim/pipeline.h"
#include "sim/report/format.h"

namespace tessera::sim {
namespace {

CheckOptions options_of(const CommandLine& line) {
  CheckOptions options;
  options.max_macs = line.max_macs;
  options.orders = line.orders;
  for (const Numbers numbers : {Numbers::kInteger, Numbers::kBf16, Numbers::kFp16}) {
    if (line.numbers == to_string(numbers)) options.numbers = numbers;
  }
  return options;
}

std::string values_text(const CheckResult& result) {
  if (!result.values_checked) return "not checked: " + result.why_not;
  return grouped(result.values) + " results equal the reference's in program order and in " +
         std::to_string(result.orders - 1) + " other legal orders";
}

std::string verdict_text(const std::string& name, const CheckResult& result) {
  std::string kinds;
  for (std::size_t i = 0; i < result.commands_of.size(); ++i) {
    kinds += (i == 0 ? "" : ", ") + grouped(result.commands_of[i]) + " " +
             hw::to_string(static_cast<hw::CommandKind>(i));
  }
  std::string text = name + ": " + (result.passed() ? "passed" : "FAILED") + "\n";
  text += "  commands  " + grouped(result.commands) + " (" + kinds + ")\n";
  text += "  hazards   " + grouped(result.pairs) + " conflicting accesses looked at\n";
  text += "  MACs      " + grouped(result.macs) + "\n";
  if (result.passed() || !result.values_checked)
    text += "  values    " + values_text(result) + "\n";
  for (const std::string& note : result.notes) text += "  note      " + note + "\n";
  if (result.passed()) return text;
  text += "\n" + grouped(result.faults.total()) + " faults";
  const auto& first = result.faults.first();
  if (static_cast<std::int64_t>(first.size()) < result.faults.total()) {
    text += ", the first " + std::to_string(first.size());
  }
  text += ":\n";
  for (const Fault& fault : first) {
    text += "  " + pad_right(to_string(fault.kind), 11) + fault.text + "\n";
  }
  return text;
}

nlohmann::ordered_json verdict_json(const std::string& name, const CheckResult& result) {
  nlohmann::ordered_json json;
  json["run"] = name;
  json["passed"] = result.passed();
  json["commands"] = result.commands;
  json["conflicts"] = result.pairs;
  json["macs"] = result.macs;
  json["values"] = {{"checked", result.values_checked},
                    {"why_not", result.why_not},
                    {"compared", result.values},
                    {"orders", result.orders}};
  json["notes"] = result.notes;
  json["faults"]["total"] = result.faults.total();
  for (int i = 0; i < kFaultKinds; ++i) {
    const auto kind = static_cast<FaultKind>(i);
    json["faults"]["by_kind"][to_string(kind)] = result.faults.of(kind);
  }
  json["faults"]["first"] = nlohmann::ordered_json::array();
  for (const Fault& fault : result.faults.first()) {
    nlohmann::ordered_json entry{{"kind", to_string(fault.kind)}, {"text", fault.text}};
    entry["command"] = fault.command >= 0 ? nlohmann::ordered_json(fault.command) : nullptr;
    entry["other"] = fault.other >= 0 ? nlohmann::ordered_json(fault.other) : nullptr;
    json["faults"]["first"].push_back(entry);
  }
  return json;
}

}  // namespace

bool check_command(const CommandLine& line) {
  const PreparedRun run = prepare(load_run(line.subjects[0], line.sets));
  const auto program = lower(run.graph, run.plan, run.config.hardware);
  const CheckResult result =
      check_program(run.graph, run.plan, run.config.hardware, *program, options_of(line));
  write_stdout(line.format == "json" ? verdict_json(run.config.name, result).dump(2) + "\n"
                                     : verdict_text(run.config.name, result));
  return result.passed();
}

}  // namespace tessera::sim
