#include <set>

#include "base/error.h"
#include "formats/torch/internal/torch_layout.h"

namespace hearth {
namespace {

using Kind = TorchValue::Kind;

constexpr size_t kMaxValues = 10'000;
constexpr size_t kMaxNameBytes = 4096;

class Namer {
 public:
  explicit Namer(const TorchCheckpoint::Limits& limits) : limits_(limits) {}

  TorchNames Run(const TorchValue& root) {
    names_.values = Visit(root, "", 0);
    return std::move(names_);
  }

 private:
  static std::string KeyText(const TorchValue& key) {
    switch (key.kind) {
      case Kind::kString:
      case Kind::kBytes:
        return key.text;
      case Kind::kInt:
      case Kind::kBool:
        return std::to_string(key.integer);
      case Kind::kFloat:
        return Json(key.real).Dump();
      case Kind::kNone:
        return "None";
      default:
        return "?";
    }
  }

  Json Visit(const TorchValue& value, const std::string& name, size_t depth) {
    if (depth > limits_.max_depth) {
      throw Error(Code::kTooLarge,
                  "the checkpoint nests too deep at \"" + name.substr(0, 200) + "\"");
    }
    // Shared containers are visited once for every way to them; the count keeps that finite.
    if (++visits_ > 20 * limits_.max_tensors) {
      throw Error(Code::kTooLarge, "the checkpoint has too many values");
    }
    switch (value.kind) {
      case Kind::kTensor:
        return Tensor(value, name);
      case Kind::kDict:
        return Dict(value, name, depth);
      case Kind::kTuple:
      case Kind::kList:
      case Kind::kSet:
        return List(value, name, depth);
      default:
        return Keep() ? Scalar(value) : Json();
    }
  }

  Json Tensor(const TorchValue& value, std::string name) {
    if (names_.tensors.size() >= limits_.max_tensors) {
      throw Error(Code::kTooLarge, "the checkpoint has too many tensors");
    }
    // Different paths may join to one name.
    std::string unique = name;
    for (int i = 2; !used_.insert(unique).second; ++i) unique = name + "#" + std::to_string(i);
    names_.tensors.emplace_back(unique, value.integer);
    return Keep() ? Json::Obj({{"$tensor", unique}}) : Json();
  }

  Json Dict(const TorchValue& value, const std::string& name, size_t depth) {
    Json object = Json::Obj();
    for (const auto& [key, item] : value.map) {
      std::string text = KeyText(*key);
      if (text.size() + name.size() > kMaxNameBytes) {
        throw Error(Code::kTooLarge, "the checkpoint has a name of more than 4096 bytes");
      }
      Json json = Visit(*item, name.empty() ? text : name + "." + text, depth + 1);
      if (kept_ < kMaxValues) object.Set(std::move(text), std::move(json));
    }
    return object;
  }

  Json List(const TorchValue& value, const std::string& name, size_t depth) {
    Json list = Json::Arr();
    for (size_t i = 0; i < value.items.size(); ++i) {
      std::string text = std::to_string(i);
      Json json = Visit(*value.items[i], name.empty() ? text : name + "." + text, depth + 1);
      if (kept_ < kMaxValues) list.Push(std::move(json));
    }
    return list;
  }

  bool Keep() { return kept_++ < kMaxValues; }

  static Json Scalar(const TorchValue& value) {
    switch (value.kind) {
      case Kind::kBool:
        return Json(value.integer != 0);
      case Kind::kInt:
        return Json(value.integer);
      case Kind::kFloat:
        return Json(value.real);
      case Kind::kString:
        return Json(value.text.substr(0, 1000));
      case Kind::kBytes:
        return Json::Obj({{"$bytes", value.text.size()}});
      case Kind::kBigInt:
        return Json::Obj({{"$integer_bytes", value.text.size()}});
      case Kind::kGlobal:
        return Json(value.text);
      case Kind::kOpaque:
        return Json::Obj({{"$object", value.text}});
      case Kind::kStorage:
        return Json::Obj({{"$storage", value.integer}});
      default:
        return Json();
    }
  }

  const TorchCheckpoint::Limits& limits_;
  TorchNames names_;
  std::set<std::string> used_;
  uint64_t visits_ = 0;
  size_t kept_ = 0;
};

}  // namespace

TorchNames NameTorchTensors(const TorchValue& root, const TorchCheckpoint::Limits& limits) {
  return Namer(limits).Run(root);
}

}  // namespace hearth
