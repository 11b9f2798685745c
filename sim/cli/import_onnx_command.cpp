#include "sim/cli/import_onnx_command.h"

#include <cstdlib>
#include <iostream>
#include <map>

#include "sim/cli/output.h"
#include "sim/config/config.h"
#include "sim/report/format.h"
#include "workloads/import/onnx/import_onnx.h"
#include "workloads/import/onnx/read_model.h"

namespace tessera::sim {
namespace {

namespace onnx = workloads::onnx;

constexpr int kTitleWidth = 16;
constexpr std::size_t kLongestTitle = 200;  // as the configuration reader takes it

/// "batch=1" as symbol and size.
std::pair<std::string, std::int64_t> binding_of(const std::string& text) {
  const std::size_t equals = text.rfind('=');
  const std::string digits = equals == std::string::npos ? "" : text.substr(equals + 1);
  const bool number = !digits.empty() && digits.size() <= 10 &&
                      digits.find_first_not_of("0123456789") == std::string::npos;
  if (!number || equals == 0) {
    throw UsageError("--bind '" + text + "': write --bind SYMBOL=SIZE, for example --bind batch=1");
  }
  return {text.substr(0, equals), std::stoll(digits)};
}

onnx::Bindings bindings_of(const CommandLine& line) {
  onnx::Bindings bindings;
  for (const std::string& text : line.binds) {
    const auto binding = binding_of(text);
    if (!bindings.insert(binding).second) {
      throw UsageError("--bind: '" + binding.first + "' is bound twice");
    }
  }
  return bindings;
}

std::string bindings_text(const onnx::Bindings& bindings) {
  std::string text;
  for (const auto& [symbol, size] : bindings) text += ", " + symbol + "=" + std::to_string(size);
  return text;
}

std::string counts_text(const std::string& title, const std::map<std::string, int>& counts) {
  std::string text;
  for (const auto& [what, count] : counts) {
    text += pad_right(text.empty() ? "  " + title : "", kTitleWidth) + std::to_string(count) +
            " x " + what + "\n";
  }
  return text;
}

/// The share of MACs that no operator of the graph performs.
std::string macs_text(const onnx::Import& import) {
  const double all = static_cast<double>(import.macs) + static_cast<double>(import.uncovered_macs);
  const double share = all > 0 ? 100 * static_cast<double>(import.uncovered_macs) / all : 0;
  std::string text = grouped(import.macs) + ", not covered: " + grouped(import.uncovered_macs) +
                     " (" + fixed(share, 2) + " %)";
  if (import.uncountable > 0) {
    text +=
        ", and those of " + std::to_string(import.uncountable) + " operators that are not known";
  }
  return text;
}

std::string summary_text(const onnx::Model& model, const onnx::ImportOptions& options,
                         const onnx::Import& import) {
  std::map<std::string, int> kinds;
  for (const auto& op : import.graph.operators) ++kinds[workloads::to_string(op.kind)];
  std::string text = model.file + ": IR " + std::to_string(model.ir_version) + ", opset " +
                     std::to_string(model.opset) + ", " + std::to_string(import.nodes) + " nodes" +
                     bindings_text(options.bindings) + "\n";
  text += pad_right("  MACs", kTitleWidth) + macs_text(import) + "\n";
  text += counts_text("operators", kinds);
  text += counts_text("put together", import.recognised);
  text += counts_text("no operator", import.absorbed);
  for (const std::string& line : import.assumed)
    text += pad_right("  assumed", kTitleWidth) + line + "\n";
  return text;
}

/// The first lines of the model file: where it comes from.
std::string head_text(const onnx::Model& model, const onnx::ImportOptions& options) {
  const std::string stem = model.name;
  return "# " + stem + " as imported from ONNX (IR " + std::to_string(model.ir_version) +
         ", opset " + std::to_string(model.opset) + bindings_text(options.bindings) + ")\n";
}

}  // namespace

void import_onnx_command(const CommandLine& line) {
  if (line.title.size() > kLongestTitle) throw UsageError("--title: 200 bytes at most");
  const onnx::ImportOptions options{bindings_of(line), line.allow_unknown};
  const onnx::Model model = onnx::read_model(line.subjects.at(1));
  const onnx::Import import = onnx::import_model(model, options);
  const std::string file =
      head_text(model, options) +
      write_graph_yaml(import.graph, line.title.empty() ? model.name : line.title);
  const std::string summary = summary_text(model, options, import);
  if (line.output.empty()) {
    write_stdout(file);
    std::cerr << summary;
    return;
  }
  write_file(line.output, file);
  write_stdout(summary + pad_right("  written", kTitleWidth) + line.output + "\n");
}

}  // namespace tessera::sim
