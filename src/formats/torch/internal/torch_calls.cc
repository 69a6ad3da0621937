#include "formats/torch/internal/torch_calls.h"

#include <algorithm>

#include "formats/torch/torch_checkpoint.h"

namespace hearth {
namespace {

using Kind = TorchValue::Kind;
using Arguments = std::vector<TorchValue*>;

constexpr std::string_view kPlain[] = {
    "_codecs.encode",
    "builtins.bytearray",
    "builtins.complex",
    "builtins.set",
    "collections.Counter",
    "collections.OrderedDict",
    "torch.Size",
    "torch.Tensor",
    "torch._tensor._rebuild_from_type_v2",
    "torch._utils._rebuild_device_tensor_from_cpu_tensor",
    "torch._utils._rebuild_device_tensor_from_numpy",
    "torch._utils._rebuild_meta_tensor_no_storage",
    "torch._utils._rebuild_nested_tensor",
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
    "torch._utils._rebuild_qtensor",
    "torch._utils._rebuild_sparse_tensor",
    "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_tensor_v3",
    "torch._utils._rebuild_wrapper_subclass",
    "torch.device",
    "torch.nn.parameter.Parameter",
    "torch.per_channel_affine",
    "torch.per_channel_affine_float_qparams",
    "torch.per_channel_symmetric",
    "torch.per_tensor_affine",
    "torch.per_tensor_symmetric",
    "torch.serialization._get_layout",
    "torch.storage.TypedStorage",
    "torch.storage.UntypedStorage",
};

// Words before "Storage" and "Tensor" in the names of typed classes.
constexpr std::string_view kTypeWords[] = {
    "BFloat16", "Bool",     "Byte",     "Char",   "ComplexDouble", "ComplexFloat",
    "Double",   "Float",    "Half",     "Int",    "Long",          "QInt32",
    "QInt8",    "QUInt2x4", "QUInt4x2", "QUInt8", "Short",
};

bool IsTypedClass(std::string_view name, std::string_view ending) {
  if (name.size() <= ending.size() || name.substr(name.size() - ending.size()) != ending)
    return false;
  name.remove_suffix(ending.size());
  return std::find(std::begin(kTypeWords), std::end(kTypeWords), name) != std::end(kTypeWords);
}

// torch.int1 to int7 and uint1 to uint7: types without a size, which appear as words only.
bool IsSubByte(std::string_view name) {
  if (!name.empty() && name[0] == 'u') name.remove_prefix(1);
  return name.size() == 4 && name.substr(0, 3) == "int" && name[3] >= '1' && name[3] <= '7';
}

TorchCallResult Fault(const char* what) {
  TorchCallResult result;
  result.fault = what;
  return result;
}

TorchCallResult Opaque(std::string_view global, const Arguments& arguments) {
  TorchCallResult result;
  result.value.kind = Kind::kOpaque;
  result.value.text = global;
  result.value.items = arguments;
  return result;
}

bool Numbers(const TorchValue& value, std::vector<int64_t>* numbers) {
  if (value.kind != Kind::kTuple && value.kind != Kind::kList) return false;
  for (const TorchValue* item : value.items) {
    if (item->kind != Kind::kInt) return false;
    numbers->push_back(item->integer);
  }
  return true;
}

TorchCallResult AddTensor(TorchTensorCall tensor, TorchPickle* pickle) {
  TorchCallResult result;
  result.value.kind = Kind::kTensor;
  result.value.integer = static_cast<int64_t>(pickle->tensors.size());
  pickle->tensors.push_back(std::move(tensor));
  return result;
}

bool HasTrueValue(const TorchValue& metadata) {
  return std::any_of(metadata.map.begin(), metadata.map.end(),
                     [](const auto& row) { return row.second->integer != 0; });
}

// (storage, offset, size, stride, requires_grad, hooks[, dtype][, metadata])
TorchCallResult RebuildTensor(const Arguments& arguments, bool has_dtype, TorchPickle* pickle) {
  if (arguments.size() < 4) return Fault("too few arguments");
  TorchTensorCall tensor;
  std::string fault = SetTorchTensor({arguments.begin(), arguments.begin() + 4}, &tensor);
  if (!fault.empty()) return Fault("a storage, offset, size or stride that is wrong");
  if (arguments.size() > 4) tensor.requires_grad = arguments[4]->integer != 0;
  if (has_dtype) {
    if (arguments.size() < 7 || arguments[6]->kind != Kind::kGlobal) return Fault("no dtype");
    tensor.dtype = arguments[6]->text;
  }
  size_t metadata = has_dtype ? 7 : 6;
  if (arguments.size() > metadata && HasTrueValue(*arguments[metadata])) {
    tensor.refuse = "conjugate or negative view";
  }
  return AddTensor(std::move(tensor), pickle);
}

// Tensors of other layouts are listed with the reason why they have no plain values.
TorchCallResult RefusedTensor(const char* why, TorchPickle* pickle) {
  TorchTensorCall tensor;
  tensor.refuse = why;
  return AddTensor(std::move(tensor), pickle);
}

TorchCallResult RebuildMeta(const Arguments& arguments, TorchPickle* pickle) {
  TorchTensorCall tensor;
  if (arguments.size() < 3 || arguments[0]->kind != Kind::kGlobal ||
      !Numbers(*arguments[1], &tensor.shape) || !Numbers(*arguments[2], &tensor.stride)) {
    return Fault("arguments that are not dtype, size and stride");
  }
  tensor.dtype = arguments[0]->text;
  return AddTensor(std::move(tensor), pickle);
}

// A parameter is its tensor.
TorchCallResult Parameter(const Arguments& arguments, TorchPickle* pickle) {
  if (arguments.empty()) return RefusedTensor("parameter without data", pickle);
  if (arguments[0]->kind != Kind::kTensor) return Fault("data that is no tensor");
  if (arguments.size() > 1 && arguments[1]->integer != 0) {
    pickle->tensors[static_cast<size_t>(arguments[0]->integer)].requires_grad = true;
  }
  TorchCallResult result;
  result.same = arguments[0];
  return result;
}

// UTF-8 text of code points below 256 becomes one byte each: how protocol 2 writes bytes.
bool EncodeLatin1(std::string_view text, std::string* bytes) {
  for (size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      bytes->push_back(static_cast<char>(c));
    } else if ((c == 0xC2 || c == 0xC3) && i + 1 < text.size()) {
      auto d = static_cast<unsigned char>(text[++i]);
      bytes->push_back(static_cast<char>((c & 3) << 6 | (d & 0x3F)));
    } else {
      return false;
    }
  }
  return true;
}

TorchCallResult Encode(const Arguments& arguments) {
  if (arguments.size() != 2 || arguments[0]->kind != Kind::kString) return Fault("no text");
  const std::string& codec = arguments[1]->text;
  TorchCallResult result;
  result.value.kind = Kind::kBytes;
  if (codec == "latin1" || codec == "latin-1") {
    if (!EncodeLatin1(arguments[0]->text, &result.value.text))
      return Fault("text outside of latin1");
  } else if (codec == "utf-8" || codec == "utf8") {
    result.value.text = arguments[0]->text;
  } else {
    return Fault("a codec that bytes do not need");
  }
  return result;
}

TorchCallResult Container(Kind kind, const Arguments& arguments) {
  TorchCallResult result;
  result.value.kind = kind;
  if (arguments.empty()) return result;
  const TorchValue& from = *arguments[0];
  if (kind == Kind::kDict) {
    result.value.map = from.map;
    for (const TorchValue* pair : from.items) {
      if (pair->items.size() != 2) return Fault("items that are not pairs");
      result.value.map.emplace_back(pair->items[0], pair->items[1]);
    }
  } else {
    result.value.items = from.items;
  }
  return result;
}

}  // namespace

bool IsTorchWeightsGlobal(std::string_view module, std::string_view name) {
  std::string full =
      std::string(module == "__builtin__" ? "builtins" : module) + "." + std::string(name);
  if (std::binary_search(std::begin(kPlain), std::end(kPlain), std::string_view(full))) return true;
  if (module == "torch") {
    return FindTorchDtype(name) != nullptr || IsSubByte(name) || IsTypedClass(name, "Storage") ||
           IsTypedClass(name, "Tensor");
  }
  if (module == "torch.cuda") return IsTypedClass(name, "Storage") || IsTypedClass(name, "Tensor");
  if (module == "torch.sparse" || module == "torch.cuda.sparse")
    return IsTypedClass(name, "Tensor");
  return false;
}

std::string SetTorchTensor(const std::vector<TorchValue*>& state, TorchTensorCall* tensor) {
  if (state[0]->kind != Kind::kStorage) return "no storage";
  if (state[1]->kind != Kind::kInt || state[1]->integer < 0) return "a wrong offset";
  tensor->shape.clear();
  tensor->stride.clear();
  if (!Numbers(*state[2], &tensor->shape)) return "a wrong size";
  if (!Numbers(*state[3], &tensor->stride)) return "a wrong stride";
  tensor->refuse.clear();
  tensor->storage = state[0]->integer;
  tensor->offset = state[1]->integer;
  return "";
}

TorchCallResult CallTorchGlobal(std::string_view global, const std::vector<TorchValue*>& arguments,
                                TorchPickle* pickle) {
  if (global == "torch._utils._rebuild_tensor" || global == "torch._utils._rebuild_tensor_v2") {
    return RebuildTensor(arguments, false, pickle);
  }
  if (global == "torch._utils._rebuild_tensor_v3") return RebuildTensor(arguments, true, pickle);
  if (global == "torch._utils._rebuild_parameter" || global == "torch.nn.parameter.Parameter" ||
      global == "torch._utils._rebuild_parameter_with_state") {
    return Parameter(arguments, pickle);
  }
  if (global == "torch._tensor._rebuild_from_type_v2") {
    if (arguments.size() < 3 || arguments[0]->kind != Kind::kGlobal ||
        arguments[2]->kind != Kind::kTuple || arguments[0]->text == global) {
      return Fault("no function and arguments");
    }
    return CallTorchGlobal(arguments[0]->text, arguments[2]->items, pickle);
  }
  if (global == "torch._utils._rebuild_meta_tensor_no_storage")
    return RebuildMeta(arguments, pickle);
  if (global == "torch._utils._rebuild_sparse_tensor") return RefusedTensor("sparse", pickle);
  if (global == "torch._utils._rebuild_qtensor") return RefusedTensor("quantized", pickle);
  if (global == "torch._utils._rebuild_nested_tensor") return RefusedTensor("nested", pickle);
  if (global == "torch._utils._rebuild_wrapper_subclass" ||
      global == "torch._utils._rebuild_device_tensor_from_numpy" ||
      global == "torch._utils._rebuild_device_tensor_from_cpu_tensor") {
    return RefusedTensor("tensor of a device without plain values", pickle);
  }
  if (global == "_codecs.encode") return Encode(arguments);
  if (global == "collections.OrderedDict" || global == "collections.Counter") {
    return Container(Kind::kDict, arguments);
  }
  if (global == "builtins.set") return Container(Kind::kSet, arguments);
  if (global == "torch.Size") return Container(Kind::kTuple, arguments);
  if (global == "builtins.bytearray" && arguments.size() == 1 &&
      arguments[0]->kind == Kind::kBytes) {
    TorchCallResult result;
    result.value = *arguments[0];
    return result;
  }
  if (global == "torch.Tensor" || (global.substr(0, 6) == "torch." &&
                                   IsTypedClass(global.substr(global.rfind('.') + 1), "Tensor"))) {
    return RefusedTensor("tensor without data", pickle);
  }
  return Opaque(global, arguments);
}

std::string ParseTorchStorageId(const TorchValue& id, TorchStorageId* storage) {
  if (id.kind != Kind::kTuple) return "something that is not a tuple";
  const Arguments& parts = id.items;
  if (parts.size() != 5 && parts.size() != 6) return "a wrong number of parts";
  if (parts[0]->text != "storage") return "a kind that is not a storage";
  if (parts[1]->kind != Kind::kGlobal) return "no storage type";
  storage->type = parts[1]->text.substr(parts[1]->text.rfind('.') + 1);
  if (parts[2]->kind == Kind::kString) {
    storage->key = parts[2]->text;
  } else if (parts[2]->kind == Kind::kInt) {
    storage->key = std::to_string(parts[2]->integer);
  } else {
    return "no key";
  }
  storage->location = parts[3]->text;
  if (parts[4]->kind != Kind::kInt || parts[4]->integer < 0) return "a wrong size";
  storage->elements = static_cast<uint64_t>(parts[4]->integer);
  if (parts.size() == 6 && parts[5]->kind != Kind::kNone) {
    const Arguments& view = parts[5]->items;
    if (view.size() != 3 || view[1]->kind != Kind::kInt || view[2]->kind != Kind::kInt ||
        view[1]->integer < 0 || view[2]->integer < 0) {
      return "a wrong view";
    }
    storage->is_view = true;
    storage->view_key =
        view[0]->kind == Kind::kInt ? std::to_string(view[0]->integer) : view[0]->text;
    storage->view_offset = static_cast<uint64_t>(view[1]->integer);
    storage->view_elements = static_cast<uint64_t>(view[2]->integer);
  }
  return "";
}

}  // namespace hearth
