#include "formats/onnx/onnx_model.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/bytes.h"
#include "base/error.h"
#include "formats/internal/protobuf_reader.h"

namespace hearth {
namespace {

constexpr size_t kMaxRank = 1000;
constexpr std::string_view kOwnDomains[] = {"",
                                            "ai.onnx",
                                            "ai.onnx.ml",
                                            "ai.onnx.training",
                                            "ai.onnx.preview",
                                            "ai.onnx.preview.training",
                                            "com.microsoft",
                                            "com.microsoft.nchwc",
                                            "com.microsoft.experimental",
                                            "com.ms.internal.nhwc",
                                            "org.pytorch.aten"};

std::string DtypeName(uint64_t type) {
  static constexpr std::string_view kNames[] = {"",
                                                "float32",
                                                "uint8",
                                                "int8",
                                                "uint16",
                                                "int16",
                                                "int32",
                                                "int64",
                                                "string",
                                                "bool",
                                                "float16",
                                                "float64",
                                                "uint32",
                                                "uint64",
                                                "complex64",
                                                "complex128",
                                                "bfloat16",
                                                "float8_e4m3fn",
                                                "float8_e4m3fnuz",
                                                "float8_e5m2",
                                                "float8_e5m2fnuz",
                                                "uint4",
                                                "int4",
                                                "float4_e2m1",
                                                "float8_e8m0",
                                                "uint2",
                                                "int2",
                                                "float6_e2m3",
                                                "float6_e3m2"};
  if (type < std::size(kNames)) return std::string(kNames[type]);
  return "type_" + std::to_string(type);
}

// A relative path without steps upwards; also no Windows drive or share.
bool StaysBeside(std::string_view path) {
  if (path.empty() || path[0] == '/' || path[0] == '\\' ||
      path.find('\0') != std::string_view::npos)
    return false;
  if (path.find(':') != std::string_view::npos) return false;
  std::string plain(path);
  std::replace(plain.begin(), plain.end(), '\\', '/');
  for (std::string_view part : Split(plain, '/')) {
    if (part == "..") return false;
  }
  return true;
}

class Reader {
 public:
  Reader(ByteSource& source, const OnnxLimits& limits) : source_(source), limits_(limits) {}

  OnnxModel Run() {
    ProtobufReader reader(source_, 0, source_.size_bytes());
    ProtobufField field;
    while (reader.Next(&field)) ModelField(reader, field);
    Finish();
    return std::move(model_);
  }

 private:
  template <typename T>
  void CheckCount(const std::vector<T>& list, uint64_t limit) {
    if (list.size() >= limit)
      throw Error(Code::kTooLarge, "the ONNX model has a list that is too long");
  }

  void ModelField(ProtobufReader& reader, const ProtobufField& field) {
    auto text = [&] { return reader.Text(field, limits_.max_text_bytes); };
    switch (field.number) {
      case 1:
        model_.ir_version = static_cast<int64_t>(field.value);
        return;
      case 2:
        model_.producer = text();
        return;
      case 3:
        model_.producer_version = text();
        return;
      case 4:
        model_.domain = text();
        return;
      case 5:
        model_.model_version = static_cast<int64_t>(field.value);
        return;
      case 6:
        model_.doc = text();
        return;
      case 7:
        return Graph(field, "", 0);
      case 8:
        return Opset(field);
      case 14: {
        CheckCount(model_.metadata, limits_.max_values);
        model_.metadata.push_back(Pair(field));
        return;
      }
      case 20:
        return Training(field);
      case 25:
        return Function(field);
      default:
        return;
    }
  }

  ProtobufReader Inside(const ProtobufField& field) {
    if (field.wire != 2)
      throw Error(Code::kInvalidArgument, "invalid ONNX model: a message is not one");
    return ProtobufReader(source_, field.begin, field.begin + field.bytes);
  }

  // StringStringEntryProto
  std::pair<std::string, std::string> Pair(const ProtobufField& message) {
    ProtobufReader reader = Inside(message);
    ProtobufField field;
    std::pair<std::string, std::string> pair;
    while (reader.Next(&field)) {
      if (field.number == 1) pair.first = reader.Text(field, limits_.max_text_bytes);
      if (field.number == 2) pair.second = reader.Text(field, limits_.max_text_bytes);
    }
    return pair;
  }

  void Opset(const ProtobufField& message) {
    ProtobufReader reader = Inside(message);
    ProtobufField field;
    CheckCount(model_.opsets, limits_.max_values);
    std::pair<std::string, int64_t> opset;
    while (reader.Next(&field)) {
      if (field.number == 1) opset.first = reader.Text(field, limits_.max_text_bytes);
      if (field.number == 2) opset.second = static_cast<int64_t>(field.value);
    }
    model_.opsets.push_back(std::move(opset));
  }

  void Training(const ProtobufField& message) {
    ProtobufReader reader = Inside(message);
    ProtobufField field;
    while (reader.Next(&field)) {
      if (field.number != 1 && field.number != 2) continue;
      ++model_.training_graphs;
      Graph(field, field.number == 1 ? "training initialization" : "training", 1);
    }
  }

  void Function(const ProtobufField& message) {
    ProtobufReader reader = Inside(message);
    ProtobufField field;
    CheckCount(model_.functions, limits_.max_values);
    OnnxFunction function;
    while (reader.Next(&field)) {
      if (field.number == 1) function.name = reader.Text(field, limits_.max_text_bytes);
      if (field.number == 10) function.domain = reader.Text(field, limits_.max_text_bytes);
      if (field.number == 7) {
        ++function.nodes;
        Node(field, "function", 1);
      }
    }
    own_functions_.insert(function.domain);
    model_.functions.push_back(std::move(function));
  }

  void Graph(const ProtobufField& message, const std::string& path, int depth) {
    if (depth > limits_.max_depth) throw Error(Code::kTooLarge, "the ONNX model nests too deep");
    ProtobufReader reader = Inside(message);
    ProtobufField field;
    bool main = depth == 0;
    while (reader.Next(&field)) {
      switch (field.number) {
        case 1:
          Node(field, path, depth);
          break;
        case 2:
          if (main) model_.graph_name = reader.Text(field, limits_.max_text_bytes);
          break;
        case 5:
          Tensor(field, path);
          break;
        case 15:
          Sparse(field, path);
          break;
        case 11:
          if (main) Value(field, &model_.inputs);
          break;
        case 12:
          if (main) Value(field, &model_.outputs);
          break;
        default:
          break;
      }
    }
  }

  void Node(const ProtobufField& message, const std::string& path, int depth) {
    if (++nodes_ > limits_.max_nodes)
      throw Error(Code::kTooLarge, "the ONNX model has too many nodes");
    ProtobufReader reader = Inside(message);
    ProtobufField field;
    std::string type, domain, name;
    while (reader.Next(&field)) {
      if (field.number == 3) name = reader.Text(field, limits_.max_text_bytes);
      if (field.number == 4) type = reader.Text(field, limits_.max_text_bytes);
      if (field.number == 7) domain = reader.Text(field, limits_.max_text_bytes);
      if (field.number == 5) Attribute(field, path.empty() ? type : path + "/" + type, depth);
    }
    bool own = domain.empty() || domain == "ai.onnx";
    if (operators_.size() < limits_.max_values) ++operators_[own ? type : domain + "::" + type];
    if (domains_.size() < limits_.max_values) domains_.insert(domain);
  }

  void Attribute(const ProtobufField& message, const std::string& path, int depth) {
    ProtobufReader reader = Inside(message);
    ProtobufField field;
    while (reader.Next(&field)) {
      if (field.number == 6 || field.number == 11) Graph(field, path, depth + 1);
      if (field.number == 5 || field.number == 10) CheckExternal(field);
      if (field.number == 22 || field.number == 23) CheckSparse(field);
    }
  }

  // Values and indices.
  void CheckSparse(const ProtobufField& message) {
    ProtobufReader reader = Inside(message);
    ProtobufField field;
    while (reader.Next(&field)) {
      if (field.number == 1 || field.number == 2) CheckExternal(field);
    }
  }

  // Constants in attributes are not listed, but their data may lie outside as well.
  void CheckExternal(const ProtobufField& message) {
    ProtobufReader reader = Inside(message);
    ProtobufField field;
    while (reader.Next(&field)) {
      if (field.number != 13) continue;
      auto [key, value] = Pair(field);
      if (key == "location") CheckLocation(value);
    }
  }

  void CheckLocation(const std::string& location) {
    if (StaysBeside(location)) return;
    if (limits_.refuse_escapes) {
      throw Error(Code::kForbidden, "the ONNX model wants data from \"" + location.substr(0, 200) +
                                        "\", which is not beside it");
    }
    if (model_.escapes.size() < 100) model_.escapes.push_back(location.substr(0, 1000));
  }

  void Sparse(const ProtobufField& message, const std::string& path) {
    ProtobufReader reader = Inside(message);
    ProtobufField field;
    while (reader.Next(&field)) {
      if (field.number == 1) Tensor(field, path.empty() ? "sparse" : path + "/sparse");
      if (field.number == 2) CheckExternal(field);
    }
  }

  void Tensor(const ProtobufField& message, const std::string& path) {
    CheckCount(model_.initializers, limits_.max_tensors);
    ProtobufReader reader = Inside(message);
    ProtobufField field;
    OnnxTensor tensor;
    tensor.graph = path;
    uint64_t type = 0;
    std::vector<std::string> locations;  // readers differ in which of several counts
    while (reader.Next(&field)) {
      switch (field.number) {
        case 1:
          reader.Integers(field, kMaxRank, &tensor.shape);
          break;
        case 2:
          type = field.value;
          break;
        case 8:
          tensor.name = reader.Text(field, limits_.max_text_bytes);
          break;
        case 9:
          tensor.data_offset = field.begin;
          tensor.data_bytes = field.bytes;
          break;
        case 4:
        case 5:
        case 7:
        case 10:
        case 11:
          tensor.data_bytes += field.wire == 2 ? field.bytes : 4;
          break;
        case 13:
          if (auto [key, value] = External(field, &tensor); key == "location") {
            locations.push_back(value);
          }
          break;
        case 14:
          tensor.external = tensor.external || field.value == 1;
          break;
        default:
          break;
      }
    }
    tensor.dtype = DtypeName(type);
    tensor.elements = 1;
    for (int64_t dim : tensor.shape) {
      if (dim < 0 ||
          __builtin_mul_overflow(tensor.elements, static_cast<uint64_t>(dim), &tensor.elements)) {
        throw Error(Code::kInvalidArgument, "invalid ONNX model: tensor \"" +
                                                tensor.name.substr(0, 200) +
                                                "\" has an impossible size");
      }
    }
    for (const std::string& location : locations) CheckLocation(location);
    if (tensor.external && locations.empty()) CheckLocation(tensor.location);
    if (__builtin_add_overflow(model_.parameters, tensor.elements, &model_.parameters)) {
      throw Error(Code::kInvalidArgument, "invalid ONNX model: it has an impossible size");
    }
    model_.initializers.push_back(std::move(tensor));
  }

  std::pair<std::string, std::string> External(const ProtobufField& message, OnnxTensor* tensor) {
    auto [key, value] = Pair(message);
    tensor->external = true;
    if (key == "location") tensor->location = value;
    if (key == "offset") tensor->external_offset = ParseUint(value).value_or(0);
    if (key == "length") tensor->external_bytes = ParseUint(value).value_or(0);
    return {std::move(key), std::move(value)};
  }

  void Value(const ProtobufField& message, std::vector<OnnxValue>* list) {
    CheckCount(*list, limits_.max_values);
    ProtobufReader reader = Inside(message);
    ProtobufField field;
    OnnxValue value;
    while (reader.Next(&field)) {
      if (field.number == 1) value.name = reader.Text(field, limits_.max_text_bytes);
      if (field.number == 2) Type(field, &value);
    }
    list->push_back(std::move(value));
  }

  void Type(const ProtobufField& message, OnnxValue* value) {
    ProtobufReader reader = Inside(message);
    ProtobufField field;
    while (reader.Next(&field)) {
      if (field.number == 4) value->dtype = "sequence";
      if (field.number == 5) value->dtype = "map";
      if (field.number == 9) value->dtype = "optional";
      if (field.number != 1 && field.number != 8) continue;
      ProtobufReader tensor = Inside(field);
      ProtobufField part;
      while (tensor.Next(&part)) {
        if (part.number == 1) value->dtype = DtypeName(part.value);
        if (part.number == 2) Shape(part, value);
      }
    }
  }

  void Shape(const ProtobufField& message, OnnxValue* value) {
    ProtobufReader reader = Inside(message);
    ProtobufField field;
    while (reader.Next(&field)) {
      if (field.number != 1 || value->shape.size() >= kMaxRank) continue;
      ProtobufReader dim = Inside(field);
      ProtobufField part;
      std::string text = "?";
      while (dim.Next(&part)) {
        if (part.number == 1) text = std::to_string(static_cast<int64_t>(part.value));
        if (part.number == 2) text = dim.Text(part, limits_.max_text_bytes);
      }
      value->shape.push_back(std::move(text));
    }
  }

  void Finish() {
    std::set<std::string> initialized;
    for (const OnnxTensor& tensor : model_.initializers) {
      if (tensor.graph.empty()) initialized.insert(tensor.name);
    }
    std::erase_if(model_.inputs,
                  [&](const OnnxValue& input) { return initialized.count(input.name) > 0; });
    model_.operators.assign(operators_.begin(), operators_.end());
    std::stable_sort(model_.operators.begin(), model_.operators.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    for (const std::string& domain : domains_) {
      bool own = std::find(std::begin(kOwnDomains), std::end(kOwnDomains), domain) !=
                 std::end(kOwnDomains);
      if (!own && own_functions_.count(domain) == 0) model_.domains.push_back(domain);
    }
  }

  ByteSource& source_;
  const OnnxLimits& limits_;
  OnnxModel model_;
  uint64_t nodes_ = 0;
  std::map<std::string, uint64_t> operators_;
  std::set<std::string> domains_;
  std::set<std::string> own_functions_;  // domains that the model itself defines
};

}  // namespace

OnnxModel ReadOnnx(ByteSource& source, const OnnxLimits& limits) {
  OnnxModel model = Reader(source, limits).Run();
  if (model.ir_version <= 0 || model.ir_version > 1000) {
    throw Error(Code::kInvalidArgument, "invalid ONNX model: it has no version");
  }
  return model;
}

bool LooksLikeOnnx(std::string_view first) {
  // Field 1 (version) as a small number, then a text field or the graph.
  if (first.size() < 4 || first[0] != 0x08) return false;
  auto version = static_cast<unsigned char>(first[1]);
  auto next = static_cast<unsigned char>(first[2]);
  return version >= 1 && version <= 64 &&
         (next == 0x12 || next == 0x1A || next == 0x22 || next == 0x28 || next == 0x32 ||
          next == 0x3A || next == 0x42);
}

}  // namespace hearth
