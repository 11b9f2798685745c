// An ONNX model as plain values: what the mapping needs, without protobuf and without weights.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace tessera::workloads::onnx {

/// The file cannot be imported; one message, the file's name in front.
class ImportError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

using Shape = std::vector<std::int64_t>;

enum class ElementClass { kInteger, kFloat, kBool, kOther };

/// One dimension as written: a size, a symbol, or neither.
struct Dimension {
  std::int64_t size = -1;  // -1: not a number
  std::string symbol;      // empty: none
};

struct ElementType {
  ElementClass cls = ElementClass::kFloat;
  int bits = 32;
};

/// An input, output or annotated value of the graph.
struct ValueInfo {
  std::string name;
  ElementType type;
  bool has_shape = false;
  std::vector<Dimension> dims;
};

/// A constant: an initializer, or the tensor of an attribute. Only small ones keep their elements.
struct Constant {
  std::string name;
  ElementType type;
  Shape dims;
  bool external = false;      // lies in another file, which is never opened
  bool has_elements = false;  // `integers` or `reals` hold all of them
  std::vector<std::int64_t> integers;
  std::vector<double> reals;
};

struct Attribute {
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<std::int64_t> integers;
  std::vector<double> reals;
  Constant tensor;
  bool has_graph = false;  // a body of a control-flow operator
};

struct Node {
  std::string name;                 // may be empty
  std::string type;                 // "MatMul"
  std::string domain;               // empty for the standard's own
  std::vector<std::string> inputs;  // empty name: left out
  std::vector<std::string> outputs;
  std::map<std::string, Attribute> attributes;
};

struct Model {
  std::string file;  // as messages call it
  std::string name;  // stem of the file
  std::string producer;
  std::int64_t ir_version = 0;
  std::int64_t opset = 0;         // of the standard domain
  std::vector<ValueInfo> inputs;  // without initializers
  std::vector<ValueInfo> outputs;
  std::vector<ValueInfo> values;  // annotations in between
  std::vector<Constant> initializers;
  std::vector<Node> nodes;  // in topological order
};

/// "MatMul '/layer/0/MatMul'": what messages call a node.
std::string shown(const Node& node);
bool has_attribute(const Node& node, const std::string& key);
std::int64_t integer_of(const Node& node, const std::string& key, std::int64_t fallback);
std::vector<std::int64_t> integers_of(const Node& node, const std::string& key);
std::string text_of(const Node& node, const std::string& key, const std::string& fallback);
/// Input `index`, or empty when it is left out.
const std::string& input_of(const Node& node, std::size_t index);

}  // namespace tessera::workloads::onnx
