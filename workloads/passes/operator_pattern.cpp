#include "workloads/passes/operator_pattern.h"

namespace tessera::workloads {
namespace {

bool glob(const char* pattern, const char* text) {
  if (*pattern == '\0') return *text == '\0';
  if (*pattern == '*') {
    return glob(pattern + 1, text) || (*text != '\0' && glob(pattern, text + 1));
  }
  return *pattern == *text && glob(pattern + 1, text + 1);
}

}  // namespace

std::string qualified_name(const Operator& op) {
  std::string name = op.phase;
  if (op.layer >= 0) name += ".L" + std::to_string(op.layer);
  return name + "." + op.name;
}

bool matches(const std::string& pattern, const std::string& text) {
  return glob(pattern.c_str(), text.c_str());
}

bool matches(const std::string& pattern, const Operator& op) {
  const bool bare = pattern.find('.') == std::string::npos;
  return matches(pattern, bare ? op.name : qualified_name(op));
}

}  // namespace tessera::workloads
