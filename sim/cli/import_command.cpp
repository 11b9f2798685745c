#include "sim/cli/import_command.h"

#include "sim/cli/import_onnx_command.h"
#include "sim/cli/output.h"
#include "sim/config/config.h"

namespace tessera::sim {
namespace {

void import_hf_command(const CommandLine& line) {
  const std::string text =
      import_hf_model({line.subjects[1], line.vlm, line.part, line.image_size});
  if (line.output.empty()) return write_stdout(text);
  write_files({{line.output, text}});
}

}  // namespace

void import_command(const CommandLine& line) {
  line.subjects[0] == "onnx" ? import_onnx_command(line) : import_hf_command(line);
}

}  // namespace tessera::sim
