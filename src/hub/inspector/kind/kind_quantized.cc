// Quantised models: weights in blocks or small integers with scales, by whatever method.
#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/bytes.h"
#include "hub/inspector/kind/kind_rule.h"

namespace hearth::inspector {
namespace {

enum class Bits { kFull, kSmallFloat, kSmallInt, kPackedInt, kBlock };

// Of the types of safetensors, PyTorch and ONNX, and of GGUF's blocks.
Bits BitsOf(const WeightFile& file, const InspectedTensor& tensor) {
  std::string type = AsciiLower(tensor.dtype);
  if (file.format == WeightFormat::kGguf) {
    bool full = type == "f32" || type == "f16" || type == "bf16" || type == "f64" ||
                (type.starts_with("i") && ParseUint(type.substr(1)));
    // type_N: nobody knows what that is.
    return full || type.starts_with("type_") ? Bits::kFull : Bits::kBlock;
  }
  if (type.starts_with("f8") || type.starts_with("float8") || type.starts_with("f4") ||
      type.starts_with("float4"))
    return Bits::kSmallFloat;
  if (type == "i8" || type == "u8" || type == "int8" || type == "uint8" || type == "int4" ||
      type == "uint4" || type == "qint8" || type == "quint8")
    return Bits::kSmallInt;
  if (type == "i32" || type == "u32" || type == "int32") return Bits::kPackedInt;
  return Bits::kFull;
}

// How the names of a method's tensors end, and the type that the first one has.
struct Method {
  std::string_view name;
  std::string_view packed;      // ending of the packed weights
  std::string_view companions;  // endings, separated by '|': one must be there too
  Bits bits;
};
constexpr Method kMethods[] = {
    {"gptq or awq", ".qweight", ".qzeros|.g_idx|.scales", Bits::kPackedInt},
    {"compressed-tensors", ".weight_packed", ".weight_scale", Bits::kPackedInt},
    {"compressed-tensors", ".weight_packed", ".weight_scale", Bits::kSmallInt},
    {"hqq", ".W_q", ".scale|.meta|.zero", Bits::kSmallInt},
    {"hqq", ".W_q", ".scale|.meta|.zero", Bits::kPackedInt},
    {"bitsandbytes", ".weight",
     ".weight.absmax|.weight.quant_map|.quant_state.bitsandbytes__nf4|"
     ".quant_state.bitsandbytes__fp4|.SCB",
     Bits::kSmallInt},
    {"mxfp4", "_blocks", "_scales", Bits::kSmallInt},
    {"mlx", ".weight", ".scales|.biases", Bits::kPackedInt},
    {"aqlm", ".codes", ".codebooks", Bits::kSmallInt},
    {"int8", ".weight", ".weight_scale|.weight_scales|.weight_scale_inv", Bits::kSmallInt},
    {"bitnet", ".weight", ".weight_scale", Bits::kSmallInt},
};

struct Elements {
  uint64_t all = 0;
  uint64_t small = 0;  // of fewer than 16 bits, or packed
  std::string first;   // a tensor of them
  std::string type;
};

Elements CountFile(const WeightFile& file) {
  Elements count;
  for (const InspectedTensor& tensor : file.tensors) {
    Bits bits = BitsOf(file, tensor);
    // Single integers are positions and counters; blocks of GGUF are never that.
    bool counts = bits != Bits::kPackedInt && tensor.shape.size() >= 1;
    count.all += tensor.elements;
    if (bits == Bits::kFull || !counts) continue;
    if (count.small == 0) {
      count.first = tensor.name;
      count.type = tensor.dtype;
    }
    count.small += tensor.elements;
  }
  return count;
}

bool IsMostlySmall(const Elements& count) {
  return count.small > 0 && 2 * count.small >= count.all;
}

class QuantizedRule {
 public:
  QuantizedRule(const Survey& survey, Classification* result) : survey_(survey), result_(result) {}

  void Run() {
    ReadDeclared();
    bool proved = false;
    for (const WeightFile& file : survey_.weights()) proved = Prove(file) || proved;
    if (!proved) Declare();
  }

 private:
  // What the configuration or the card says, with its place.
  void ReadDeclared() {
    const Json* config = survey_.config().Find("quantization_config");
    if (config == nullptr) config = survey_.config().Find("compression_config");
    if (config != nullptr && config->is_object()) {
      method_ = CardText(*config, "quant_method");
      bool bnb = method_.empty() && (config->Find("load_in_4bit") || config->Find("load_in_8bit"));
      if (bnb) method_ = "bitsandbytes";
      for (const char* key : {"bits", "group_size", "fmt", "format", "bnb_4bit_quant_type"}) {
        const Json* value = config->Find(key);
        if (value != nullptr && (value->is_number() || value->is_string())) facts_.Set(key, *value);
      }
      said_.push_back(At("config.json", "/quantization_config/quant_method",
                         "quantization_config names " + (method_.empty() ? "a method" : method_)));
    } else if (const Json* mlx = survey_.config().Find("quantization");
               mlx != nullptr && mlx->Find("bits") != nullptr) {
      method_ = "mlx";
      facts_.Set("bits", *mlx->Find("bits"));
      if (const Json* group = mlx->Find("group_size")) facts_.Set("group_size", *group);
      said_.push_back(At("config.json", "/quantization/bits", "quantization of MLX"));
    }
    for (const char* name : {"quantize_config.json", "quant_config.json", "hf_quant_config.json"}) {
      if (survey_.Has(name)) said_.push_back(At(name, "", "settings of a quantising tool"));
    }
    if (survey_.Relation() == "quantized")
      said_.push_back(OnCard(survey_, "base_model_relation", "the card calls it quantized"));
    if (!method_.empty()) facts_.Set("method", method_);
  }

  bool Prove(const WeightFile& file) {
    if (!file.verified) return false;
    // What lies beside weights in full precision does not make the repository.
    if (IsExport(file.format) && HasFullNative()) return false;
    if (file.format == WeightFormat::kGguf) return ProveGguf(file);
    if (file.format == WeightFormat::kOnnx) return ProveOnnx(file);
    return ProveNames(file) || ProveTypes(file);
  }

  // Weights of a trainer that are in full precision, or that cannot be read.
  bool HasFullNative() const {
    return std::any_of(survey_.weights().begin(), survey_.weights().end(),
                       [](const WeightFile& file) {
                         if (IsExport(file.format)) return false;
                         bool seen = file.verified && !file.tensors.empty();
                         return !seen || (CountFile(file).small == 0 && !HasPacked(file));
                       });
  }

  static bool HasPacked(const WeightFile& file) {
    return std::any_of(file.tensors.begin(), file.tensors.end(), [](const InspectedTensor& tensor) {
      return tensor.name.ends_with(".qweight") || tensor.name.ends_with(".weight_packed");
    });
  }

  KindFinding& Proved(Evidence evidence) {
    KindFinding& kind = result_->Add("quantized", Level::kProved, std::move(evidence));
    for (const auto& [key, value] : *facts_.AsObject()) {
      if (kind.facts.Find(key) == nullptr) kind.facts.Set(key, value);
    }
    for (const Evidence& said : std::exchange(said_, {})) kind.evidence.push_back(said);
    return kind;
  }

  bool ProveGguf(const WeightFile& file) {
    Elements count = CountFile(file);
    if (!IsMostlySmall(count)) return false;
    KindFinding& kind = Proved(At(file.path, "tensor " + count.first,
                                  "blocks of type " + count.type + " hold most weights"));
    if (kind.facts.Find("method") == nullptr) kind.facts.Set("method", "gguf");
    const Json* type = file.Fact("quantization");
    if (type == nullptr) return true;
    // A repository may hold a dozen of them.
    if (kind.facts.Find("types") == nullptr) kind.facts.Set("types", Json::Arr());
    Json* types = kind.facts.Find("types");
    if (types->size() < 40 && std::find(types->AsArray()->begin(), types->AsArray()->end(),
                                        *type) == types->AsArray()->end())
      types->Push(*type);
    return true;
  }

  bool ProveOnnx(const WeightFile& file) {
    const Json* operators = file.Fact("operators");
    std::string op;
    for (const char* name : {"MatMulNBits", "DequantizeLinear", "MatMulInteger", "QLinearMatMul",
                             "QLinearConv", "ConvInteger", "DynamicQuantizeMatMul"}) {
      if (operators != nullptr && operators->Find(name) != nullptr) op = name;
    }
    Elements count = CountFile(file);
    if (op.empty() || 4 * count.small < count.all || count.small == 0) return false;
    Proved(At(file.path, "operator " + op, "weights of type " + count.type + " with their scales"));
    return true;
  }

  // The tensors that a method writes, by names and types: packed weights, and their own companions.
  bool ProveNames(const WeightFile& file) {
    // A companion may lie in another shard.
    if (names_.empty()) {
      for (const WeightFile& each : survey_.weights()) {
        for (const InspectedTensor& tensor : each.tensors) names_.insert(tensor.name);
      }
    }
    for (const Method& method : kMethods) {
      for (const InspectedTensor& tensor : file.tensors) {
        if (!tensor.name.ends_with(method.packed) || BitsOf(file, tensor) != method.bits) continue;
        std::string stem = tensor.name.substr(0, tensor.name.size() - method.packed.size());
        std::vector<std::string_view> endings = Split(method.companions, '|');
        bool whole = std::any_of(endings.begin(), endings.end(), [&](std::string_view ending) {
          return names_.contains(stem + std::string(ending));
        });
        if (!whole) continue;
        KindFinding& kind = Proved(At(file.path, "tensor " + tensor.name,
                                      "packed weights (" + tensor.dtype + ") with their scales"));
        if (kind.facts.Find("method") == nullptr) kind.facts.Set("method", method.name);
        return true;
      }
    }
    return false;
  }

  // Eight bits and fewer hold most weights, whatever their names.
  bool ProveTypes(const WeightFile& file) {
    Elements count = CountFile(file);
    if (!IsMostlySmall(count)) return false;
    bool scales = std::any_of(file.tensors.begin(), file.tensors.end(), [](const auto& tensor) {
      return AsciiLower(tensor.name).find("scale") != std::string::npos;
    });
    std::string type = AsciiLower(count.type);
    bool small_float =
        type.starts_with("f8") || type.starts_with("float8") || type.starts_with("f4");
    if (!scales && !small_float) return false;
    KindFinding& kind = Proved(
        At(file.path, "tensor " + count.first, "type " + count.type + " holds most weights"));
    if (kind.facts.Find("method") == nullptr && small_float) kind.facts.Set("method", "fp8");
    return true;
  }

  // Nothing was seen in the bytes: is what is said possible?
  void Declare() {
    if (said_.empty()) {
      NameOnly();
      return;
    }
    bool refuted = survey_.AllVerified() && AllFull();
    if (!refuted) {
      for (const Evidence& said : said_) {
        KindFinding& kind = result_->Add("quantized", Level::kDeclared, said);
        kind.facts = facts_;
      }
      return;
    }
    Alarm& alarm = result_->Warn("quantization", Level::kProved,
                                 "It is said to be quantized; all weights are in full precision.");
    alarm.evidence = said_;
    alarm.evidence.push_back(FullEvidence());
  }

  // Matrices of 32-bit integers may be packed in a way that no rule knows.
  static bool MayBePacked(const WeightFile& file) {
    return std::any_of(
        file.tensors.begin(), file.tensors.end(), [&](const InspectedTensor& tensor) {
          return BitsOf(file, tensor) == Bits::kPackedInt && tensor.shape.size() >= 2;
        });
  }

  bool AllFull() const {
    return std::all_of(
        survey_.weights().begin(), survey_.weights().end(), [](const WeightFile& file) {
          return file.tensors.size() > 0 && CountFile(file).small == 0 && !MayBePacked(file);
        });
  }

  Evidence FullEvidence() const {
    const WeightFile& file = survey_.weights()[0];
    return At(file.path, "tensor " + file.tensors[0].name, "type " + file.tensors[0].dtype);
  }

  void NameOnly() {
    std::string name = survey_.LowerName();
    if (name.find("unquantized") != std::string::npos) return;
    for (std::string_view hint : {"-gguf", "-awq", "-gptq", "-4bit", "-8bit", "-int4", "-int8",
                                  "-bnb", "-exl2", "-fp8", "-nf4"}) {
      if (name.find(hint) == std::string::npos) continue;
      if (!survey_.AllVerified() || !AllFull()) return;
      // A GGUF in F16 keeps what its name says.
      bool gguf = hint == "-gguf" && survey_.weights()[0].format == WeightFormat::kGguf;
      if (gguf) return;
      Alarm& alarm = result_->Warn("name_quantized", Level::kProved,
                                   "The name ends with \"" + std::string(hint.substr(1)) +
                                       "\", but all weights are in full precision.");
      alarm.evidence = {FullEvidence()};
      return;
    }
  }

  const Survey& survey_;
  Classification* result_;
  std::string method_;
  Json facts_ = Json::Obj();
  std::vector<Evidence> said_;
  std::unordered_set<std::string_view> names_;  // of all tensors
};

}  // namespace

void FindQuantized(const Survey& survey, Classification* result) {
  if (survey.type() == "space" || survey.type() == "dataset") return;
  QuantizedRule(survey, result).Run();
}

}  // namespace hearth::inspector
