#include "workloads/import/onnx/read_model.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/stubs/logging.h>
#include <onnx/onnx_pb.h>

namespace tessera::workloads::onnx {
namespace {

namespace pb = ::ONNX_NAMESPACE;

constexpr std::int64_t kMostIntegers = 1 << 16;  // shapes, indices, positions
constexpr std::int64_t kMostReals = 64;          // scales, exponents, epsilons

/// Names go into messages and files: other bytes than printable ASCII become \xNN.
std::string clean(const std::string& name) {
  static const char* const digits = "0123456789abcdef";
  std::string text;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      text += c;
    } else {
      text += std::string("\\x") + digits[byte >> 4] + digits[byte & 15];
    }
  }
  return text;
}

template <class Field>
std::vector<std::string> clean_all(const Field& names) {
  std::vector<std::string> all;
  for (const std::string& name : names) all.push_back(clean(name));
  return all;
}

/// By the numbers of onnx.proto, also those that this library's proto does not know yet.
ElementType element_type(int data_type) {
  switch (data_type) {
    case 1:  // FLOAT
      return {ElementClass::kFloat, 32};
    case 2:  // UINT8
    case 3:  // INT8
      return {ElementClass::kInteger, 8};
    case 4:  // UINT16
    case 5:  // INT16
      return {ElementClass::kInteger, 16};
    case 6:   // INT32
    case 12:  // UINT32
      return {ElementClass::kInteger, 32};
    case 7:   // INT64
    case 13:  // UINT64
      return {ElementClass::kInteger, 64};
    case 9:  // BOOL
      return {ElementClass::kBool, 8};
    case 10:  // FLOAT16
    case 16:  // BFLOAT16
      return {ElementClass::kFloat, 16};
    case 11:  // DOUBLE
      return {ElementClass::kFloat, 64};
    case 17:  // FLOAT8E4M3FN and its relatives
    case 18:
    case 19:
    case 20:
      return {ElementClass::kFloat, 8};
    case 21:  // UINT4
    case 22:  // INT4
      return {ElementClass::kInteger, 4};
    case 23:  // FLOAT4E2M1
      return {ElementClass::kFloat, 4};
    default:
      return {ElementClass::kOther, 0};
  }
}

std::int64_t count_of(const Shape& dims) {
  std::int64_t count = 1;
  for (const std::int64_t dim : dims) {
    if (dim < 0 || (dim > 0 && count > (std::int64_t{1} << 50) / dim)) return -1;
    count *= dim;
  }
  return count;
}

/// Little-endian elements of `raw` as T, each appended to `out`.
template <class T, class Out>
bool append_raw(const std::string& raw, std::int64_t count, std::vector<Out>& out) {
  if (raw.size() != static_cast<std::size_t>(count) * sizeof(T)) return false;
  for (std::int64_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, raw.data() + static_cast<std::size_t>(i) * sizeof(T), sizeof(T));
    out.push_back(static_cast<Out>(value));
  }
  return true;
}

template <class Field, class Out>
bool append_field(const Field& field, std::int64_t count, std::vector<Out>& out) {
  if (field.size() != count) return false;
  for (const auto value : field) out.push_back(static_cast<Out>(value));
  return true;
}

bool read_elements(const pb::TensorProto& proto, std::int64_t count, Constant& out) {
  const bool raw = proto.has_raw_data();
  const std::string& bytes = proto.raw_data();
  switch (proto.data_type()) {
    case pb::TensorProto::INT64:
      return raw ? append_raw<std::int64_t>(bytes, count, out.integers)
                 : append_field(proto.int64_data(), count, out.integers);
    case pb::TensorProto::INT32:
      return raw ? append_raw<std::int32_t>(bytes, count, out.integers)
                 : append_field(proto.int32_data(), count, out.integers);
    case pb::TensorProto::BOOL:
      return raw ? append_raw<std::uint8_t>(bytes, count, out.integers)
                 : append_field(proto.int32_data(), count, out.integers);
    case pb::TensorProto::FLOAT:
      return raw ? append_raw<float>(bytes, count, out.reals)
                 : append_field(proto.float_data(), count, out.reals);
    case pb::TensorProto::DOUBLE:
      return raw ? append_raw<double>(bytes, count, out.reals)
                 : append_field(proto.double_data(), count, out.reals);
    default:
      return false;
  }
}

bool is_external(const pb::TensorProto& proto) {
  return proto.data_location() == pb::TensorProto::EXTERNAL || proto.external_data_size() > 0;
}

Constant constant_of(const pb::TensorProto& proto) {
  Constant constant;
  constant.name = clean(proto.name());
  constant.type = element_type(proto.data_type());
  constant.dims.assign(proto.dims().begin(), proto.dims().end());
  constant.external = is_external(proto);
  const std::int64_t count = count_of(constant.dims);
  const bool real = constant.type.cls == ElementClass::kFloat;
  const bool small = count >= 0 && count <= (real ? kMostReals : kMostIntegers);
  constant.has_elements = small && !constant.external && read_elements(proto, count, constant);
  return constant;
}

ValueInfo value_of(const pb::ValueInfoProto& proto) {
  ValueInfo value;
  value.name = clean(proto.name());
  const pb::TypeProto_Tensor& tensor = proto.type().tensor_type();
  value.type = element_type(tensor.elem_type());
  value.has_shape = proto.type().has_tensor_type() && tensor.has_shape();
  for (const auto& dim : tensor.shape().dim()) {
    value.dims.push_back({dim.has_dim_value() ? dim.dim_value() : -1, clean(dim.dim_param())});
  }
  return value;
}

Attribute attribute_of(const pb::AttributeProto& proto) {
  Attribute attribute;
  attribute.integer = proto.i();
  attribute.real = static_cast<double>(proto.f());
  attribute.text = proto.s();
  attribute.integers.assign(proto.ints().begin(), proto.ints().end());
  attribute.reals.assign(proto.floats().begin(), proto.floats().end());
  if (proto.has_t()) attribute.tensor = constant_of(proto.t());
  attribute.has_graph = proto.has_g() || proto.graphs_size() > 0;
  return attribute;
}

Node node_of(const pb::NodeProto& proto) {
  Node node;
  node.name = clean(proto.name());
  node.type = clean(proto.op_type());
  node.domain = proto.domain() == "ai.onnx" ? "" : clean(proto.domain());
  node.inputs = clean_all(proto.input());
  node.outputs = clean_all(proto.output());
  for (const auto& attribute : proto.attribute()) {
    node.attributes[attribute.name()] = attribute_of(attribute);
  }
  return node;
}

Model model_of(const pb::ModelProto& proto, const std::string& path) {
  Model model;
  model.file = path;
  model.name = std::filesystem::path(path).stem().string();
  model.producer = proto.producer_name();
  model.ir_version = proto.ir_version();
  for (const auto& opset : proto.opset_import()) {
    if (opset.domain().empty() || opset.domain() == "ai.onnx") model.opset = opset.version();
  }
  std::set<std::string> constants;
  for (const auto& tensor : proto.graph().initializer()) {
    model.initializers.push_back(constant_of(tensor));
    constants.insert(clean(tensor.name()));
  }
  for (const auto& input : proto.graph().input()) {
    if (constants.count(clean(input.name())) == 0) model.inputs.push_back(value_of(input));
  }
  for (const auto& output : proto.graph().output()) model.outputs.push_back(value_of(output));
  for (const auto& value : proto.graph().value_info()) model.values.push_back(value_of(value));
  for (const auto& node : proto.graph().node()) model.nodes.push_back(node_of(node));
  return model;
}

/// Protobuf's own messages stay off stderr while this lives.
class QuietProtobuf {
 public:
  QuietProtobuf() : previous_(google::protobuf::SetLogHandler(nullptr)) {}
  ~QuietProtobuf() { google::protobuf::SetLogHandler(previous_); }
  QuietProtobuf(const QuietProtobuf&) = delete;
  QuietProtobuf& operator=(const QuietProtobuf&) = delete;

 private:
  google::protobuf::LogHandler* previous_;
};

/// A parser accepts some random bytes: the message must also have been consumed whole and hold a
/// graph that produces something.
bool parse(std::istream& file, pb::ModelProto& proto) {
  const QuietProtobuf quiet;
  google::protobuf::io::IstreamInputStream bytes(&file);
  google::protobuf::io::CodedInputStream stream(&bytes);
  return proto.ParsePartialFromCodedStream(&stream) && stream.ConsumedEntireMessage() &&
         proto.IsInitialized() && proto.has_graph() && proto.ir_version() > 0;
}

}  // namespace

bool can_read_models() { return true; }

Model read_model(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    throw ImportError(path + ": is a directory, not a file");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) throw ImportError(path + ": cannot be opened");
  pb::ModelProto proto;
  if (!parse(file, proto)) {
    throw ImportError(path + ": is not an ONNX model, or the file is truncated");
  }
  if (proto.graph().node_size() == 0) throw ImportError(path + ": the graph has no nodes");
  return model_of(proto, path);
}

}  // namespace tessera::workloads::onnx
