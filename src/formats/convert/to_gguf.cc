#include "formats/convert/to_gguf.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "formats/convert/architecture.h"
#include "formats/convert/tokenizer_keys.h"
#include "formats/convert/transform.h"
#include "formats/gguf/gguf_file.h"
#include "formats/gguf/gguf_writer.h"
#include "tensor/blocks.h"

namespace hearth::convert {
namespace {

constexpr uint64_t kMaxConfigBytes = 16u << 20;
// Values that are converted at a time: large enough for the disk and the threads, small beside a
// model.
constexpr uint64_t kPieceElements = 4u << 20;

// Far above any model; config.json may say anything.
constexpr uint64_t kMaxHeadDim = 1u << 16;

// A tensor of the output and where it comes from.
struct Planned {
  GgufItem item;
  size_t source = 0;
  Transform transform = Transform::kNone;
  std::vector<uint64_t> rows;  // order of the source's rows; empty = as they are
  std::vector<float> made;     // contents of a tensor that no source has
  std::optional<uint64_t> layer;
  size_t order = 0;
};

Json ReadConfig(TensorSource& source, const std::filesystem::path& folder) {
  std::string text = source.config_json();
  if (text.empty()) text = ReadFile(folder / "config.json", kMaxConfigBytes);
  return Json::Parse(text);
}

// The part of a multi-modal configuration that speaks of the language model.
const Json& TextConfig(const Json& config) {
  const Json* text = config.Find("text_config");
  return text != nullptr && text->is_object() ? *text : config;
}

const Architecture& ArchitectureOf(const Json& config) {
  const Json* type = config.Find("model_type");
  const std::string* name = type != nullptr ? type->AsString() : nullptr;
  if (name == nullptr) throw Error(Code::kInvalidArgument, "config.json names no model_type");
  const Architecture* found = FindByModelType(*name);
  if (found == nullptr) {
    throw Error(Code::kUnimplemented, "models of type \"" + *name + "\" cannot become GGUF yet");
  }
  return *found;
}

// GGUF says of all layers at once what they are. Throws Error.
void CheckLayers(const Json& config) {
  std::vector<GgufMetadata> unused;
  KeyWriter keys(config, "", &unused);
  for (const char* field : {"num_attention_heads", "num_key_value_heads", "intermediate_size"}) {
    const Json* value = config.Find(field);
    if (value == nullptr || !value->is_array()) continue;
    throw Error(Code::kUnimplemented, std::string("config.json: ") + field +
                                          " is a list: layers that differ cannot become GGUF yet");
  }
  const Json* types = config.Find("layer_types");
  const Json::Array* list = types != nullptr ? types->AsArray() : nullptr;
  auto layers = keys.Count({"num_hidden_layers"});
  if (list == nullptr || !layers || list->size() == *layers) return;
  throw Error(Code::kInvalidArgument,
              "config.json: layer_types has " + std::to_string(list->size()) +
                  " entries for num_hidden_layers " + std::to_string(*layers));
}

class Conversion {
 public:
  Conversion(TensorSource& source, const std::filesystem::path& folder, const Recipe& recipe,
             const Job& job)
      : source_(source),
        recipe_(recipe),
        job_(job),
        whole_config_(ReadConfig(source, folder)),
        config_(TextConfig(whole_config_)),
        architecture_(ArchitectureOf(config_)) {
    CheckLayers(config_);
    AddGeneralKeys(folder);
    Plan();
    KeyWriter keys(config_, architecture_.gguf, &metadata_);
    architecture_.add_keys(keys);
    AddCommonKeys(keys);
    AddRopeFactors(keys);
    AddPooling(folder, keys);
    AddTokenizerKeys(folder, config_, &metadata_);
    metadata_.push_back(GgufString("hearth.config", whole_config_.Dump()));
    metadata_.push_back(GgufString("hearth.tensor_prefix", prefix_));
  }

  void Write(const std::filesystem::path& target);

 private:
  void AddGeneralKeys(const std::filesystem::path& folder);
  void AddRopeFactors(KeyWriter& keys);
  void AddMade(const char* name, std::vector<float> values);
  static void AddPooling(const std::filesystem::path& folder, KeyWriter& keys);
  void Plan();
  void ChooseTypes();
  RowParameters Rows() const;
  void WriteTensor(const Planned& planned, GgufWriter* writer);
  void WriteWhole(const Planned& planned, GgufWriter* writer);
  void Emit(const Planned& planned, std::vector<float> values, GgufWriter* writer);
  void ReadRows(const Planned& planned, uint64_t first, uint64_t count, std::vector<uint8_t>* out);
  void Report(const Planned& planned, uint64_t bytes);

  TensorSource& source_;
  const Recipe& recipe_;
  const Job& job_;
  Json whole_config_;
  const Json& config_;
  const Architecture& architecture_;
  std::string prefix_;
  std::vector<GgufMetadata> metadata_;
  std::vector<Planned> planned_;
  uint64_t done_ = 0;
  uint64_t total_ = 0;
};

void Conversion::AddGeneralKeys(const std::filesystem::path& folder) {
  metadata_.push_back(GgufString("general.architecture", std::string(architecture_.gguf)));
  metadata_.push_back(GgufString("general.type", "model"));
  std::string name = std::filesystem::absolute(folder).lexically_normal().filename().string();
  if (!name.empty()) metadata_.push_back(GgufString("general.name", name));
  metadata_.push_back(GgufUint32("general.file_type", recipe_.file_type));
  metadata_.push_back(GgufUint32("general.quantization_version", 2));
}

RowParameters Conversion::Rows() const {
  std::vector<GgufMetadata> unused;
  KeyWriter keys(config_, "", &unused);
  RowParameters rows;
  rows.heads = keys.Count({"num_attention_heads", "n_head", "n_heads"}).value_or(0);
  rows.kv_heads = keys.Count({"num_key_value_heads"}).value_or(rows.heads);
  // RoBERTa counts positions from its padding token; OPT always from 2.
  rows.skipped_positions =
      architecture_.model_type == "opt" ? 2 : keys.Count({"pad_token_id"}).value_or(1) + 1;
  return rows;
}

void Conversion::Plan() {
  const RowParameters rows = Rows();
  const std::vector<SourceTensor>& tensors = source_.tensors();
  for (size_t i = 0; i < tensors.size(); ++i) {
    Named named = NameInCheckpoint(architecture_, tensors[i].name);
    if (named.had_prefix) prefix_ = architecture_.prefix;
    if (named.rule == nullptr) continue;
    Planned planned;
    planned.source = i;
    planned.transform = named.rule->transform;
    planned.layer = named.layer;
    planned.order = static_cast<size_t>(named.rule - architecture_.rules.data());
    planned.item.name = WithLayer(named.rule->gguf, named.layer);
    planned.item.shape = tensors[i].shape;
    if (planned.transform == Transform::kTransposed) {
      if (planned.item.shape.size() != 2) {
        throw Error(Code::kInvalidArgument, tensors[i].name + " is no matrix");
      }
      std::swap(planned.item.shape[0], planned.item.shape[1]);
    } else if (tensors[i].elements() > 0 && !planned.item.shape.empty()) {
      planned.rows = CheckpointRows(planned.transform, planned.item.shape[0], rows);
      if (!planned.rows.empty()) planned.item.shape[0] = planned.rows.size();
    }
    total_ += tensors[i].bytes();
    planned_.push_back(std::move(planned));
  }
  // Tensors without a layer first, then layer by layer, each in the order of the rules.
  std::stable_sort(planned_.begin(), planned_.end(), [](const Planned& a, const Planned& b) {
    auto place = [](const Planned& p) { return std::pair(p.layer ? *p.layer + 1 : 0, p.order); };
    return place(a) < place(b);
  });
  ChooseTypes();
}

void Conversion::ChooseTypes() {
  RecipeModel model;
  RowParameters rows = Rows();
  for (const Planned& planned : planned_) {
    if (planned.layer) model.layers = std::max(model.layers, *planned.layer + 1);
    model.has_output = model.has_output || planned.item.name == "output.weight";
  }
  model.wide_grouped = model.layers == 80 && rows.kv_heads < rows.heads;
  if (rows.kv_heads > 0) model.heads_per_key = rows.heads / rows.kv_heads;
  for (Planned& planned : planned_) {
    planned.item.type =
        TypeFor(recipe_, model, {planned.item.name, planned.layer, planned.item.shape});
  }
}

void Conversion::AddMade(const char* name, std::vector<float> values) {
  Planned made;
  made.item.name = name;
  made.item.shape = {values.size()};
  made.made = std::move(values);
  planned_.insert(planned_.begin(), std::move(made));
}

std::vector<float> Numbers(const Json* list) {
  std::vector<float> numbers;
  if (list == nullptr || list->AsArray() == nullptr) return numbers;
  for (const Json& item : *list->AsArray()) {
    numbers.push_back(static_cast<float>(item.AsDouble().value_or(1.0)));
  }
  return numbers;
}

// Llama 3.1 and long-context Phi-3 divide each rotary frequency by a factor of its own, which GGUF
// stores as a tensor.
void Conversion::AddRopeFactors(KeyWriter& keys) {
  const Json* type = keys.Rope("rope_type");
  if (type == nullptr) type = keys.Rope("type");
  const std::string* name = type != nullptr ? type->AsString() : nullptr;
  if (name == nullptr) return;
  auto real = [&](const char* field, double otherwise) {
    const Json* value = keys.Rope(field);
    return value != nullptr ? value->AsDouble().value_or(otherwise) : otherwise;
  };
  if (*name == "longrope" || *name == "su") {
    for (auto [field, tensor] : {std::pair{"long_factor", "rope_factors_long.weight"},
                                 {"short_factor", "rope_factors_short.weight"}}) {
      std::vector<float> factors = Numbers(keys.Rope(field));
      if (!factors.empty()) AddMade(tensor, std::move(factors));
    }
    double original = real("original_max_position_embeddings", 0);
    double now = keys.Real({"max_position_embeddings"}).value_or(original);
    if (original > 1 && now > original) {
      keys.PutReal("rope.scaling.attn_factor",
                   std::sqrt(1 + std::log(now / original) / std::log(original)));
    }
    return;
  }
  if (*name != "llama3") return;
  const RowParameters rows = Rows();
  uint64_t size = keys.Count({"hidden_size"}).value_or(0);
  uint64_t dim = keys.Count({"head_dim"}).value_or(rows.heads > 0 ? size / rows.heads : 0);
  if (dim > kMaxHeadDim) {
    throw Error(Code::kInvalidArgument, "heads of " + std::to_string(dim) + " dimensions");
  }
  const double base = real("rope_theta", 10000), factor = real("factor", 8);
  const double low = real("low_freq_factor", 1), high = real("high_freq_factor", 4);
  const double original = real("original_max_position_embeddings", 8192);
  std::vector<float> factors;
  for (uint64_t i = 0; i < dim; i += 2) {
    double wave = 2 * M_PI * std::pow(base, static_cast<double>(i) / static_cast<double>(dim));
    if (wave < original / high) {
      factors.push_back(1);
    } else if (wave > original / low) {
      factors.push_back(static_cast<float>(factor));
    } else {
      double smooth = (original / wave - low) / (high - low);
      factors.push_back(static_cast<float>(1 / ((1 - smooth) / factor + smooth)));
    }
  }
  if (!factors.empty()) AddMade("rope_freqs.weight", std::move(factors));
}

// sentence-transformers says in a file of its own how token states become one vector.
void Conversion::AddPooling(const std::filesystem::path& folder, KeyWriter& keys) {
  std::filesystem::path path = folder / "1_Pooling" / "config.json";
  if (!std::filesystem::exists(path)) return;
  Json pooling = Json::Parse(ReadFile(path, kMaxConfigBytes));
  auto mode = [&](const char* field) {
    const Json* value = pooling.Find(field);
    return value != nullptr && value->AsBool().value_or(false);
  };
  if (mode("pooling_mode_mean_tokens")) keys.PutCount("pooling_type", 1);
  if (mode("pooling_mode_cls_token")) keys.PutCount("pooling_type", 2);
  if (mode("pooling_mode_lasttoken")) keys.PutCount("pooling_type", 3);
}

void Conversion::Report(const Planned& planned, uint64_t bytes) {
  StopIfCancelled(job_);
  done_ += bytes;
  if (job_.progress) job_.progress(planned.item.name, done_, total_);
}

// Rows [first, first + count) of the output, as the source stores them.
void Conversion::ReadRows(const Planned& planned, uint64_t first, uint64_t count,
                          std::vector<uint8_t>* out) {
  const SourceTensor& tensor = source_.tensors()[planned.source];
  const uint64_t rows = tensor.shape.empty() ? 1 : tensor.shape[0];
  const uint64_t row_bytes = rows == 0 ? 0 : tensor.bytes() / rows;
  out->resize(count * row_bytes);
  if (planned.rows.empty()) return source_.Read(planned.source, first * row_bytes, *out);
  for (uint64_t i = 0; i < count; ++i) {
    source_.Read(planned.source, planned.rows[first + i] * row_bytes,
                 std::span(*out).subspan(i * row_bytes, row_bytes));
  }
}

void Conversion::Emit(const Planned& planned, std::vector<float> values, GgufWriter* writer) {
  const tensor::BlockType type = planned.item.type;
  if (planned.transform == Transform::kPlusOne) {
    for (float& value : values) value += 1.0f;
  }
  std::vector<uint8_t> out(tensor::BlockBytes(type, values.size()));
  const tensor::BlockTypeInfo& info = tensor::InfoOf(type);
  try {
    InParallel(job_, values.size(), 256, [&](uint64_t begin, uint64_t end) {
      tensor::Quantize(type, std::span(values).subspan(begin, end - begin),
                       std::span(out).subspan(begin / info.block_elements * info.block_bytes,
                                              tensor::BlockBytes(type, end - begin)));
    });
  } catch (const Error& error) {
    throw Error(error.code(), "tensor \"" + planned.item.name + "\": " + error.message());
  }
  writer->Append(out);
}

std::vector<float> Floats(const SourceTensor& tensor, const std::vector<uint8_t>& bytes) {
  std::vector<float> values(bytes.size() * 8 / tensor::DtypeBits(tensor.dtype));
  tensor::ToFloat(tensor.dtype, bytes.data(), values.size(), values.data());
  return values;
}

void Conversion::WriteWhole(const Planned& planned, GgufWriter* writer) {
  const SourceTensor& tensor = source_.tensors()[planned.source];
  std::vector<uint8_t> bytes(tensor.bytes());
  source_.Read(planned.source, 0, bytes);
  std::vector<float> values = Floats(tensor, bytes);
  std::vector<float> turned(values.size());
  const uint64_t rows = tensor.shape[0], columns = tensor.shape[1];
  constexpr uint64_t kTile = 32;  // a tile of both matrices stays in the first cache
  for (uint64_t r0 = 0; r0 < rows; r0 += kTile) {
    for (uint64_t c0 = 0; c0 < columns; c0 += kTile) {
      for (uint64_t r = r0; r < std::min(rows, r0 + kTile); ++r) {
        for (uint64_t c = c0; c < std::min(columns, c0 + kTile); ++c) {
          turned[c * rows + r] = values[r * columns + c];
        }
      }
    }
  }
  Emit(planned, std::move(turned), writer);
  Report(planned, bytes.size());
}

bool SameEncoding(tensor::Dtype dtype, tensor::BlockType type) {
  return (dtype == tensor::Dtype::kF32 && type == tensor::BlockType::kF32) ||
         (dtype == tensor::Dtype::kF16 && type == tensor::BlockType::kF16) ||
         (dtype == tensor::Dtype::kBf16 && type == tensor::BlockType::kBf16);
}

void Conversion::WriteTensor(const Planned& planned, GgufWriter* writer) {
  if (!planned.made.empty()) return Emit(planned, planned.made, writer);
  if (planned.transform == Transform::kTransposed) return WriteWhole(planned, writer);
  const SourceTensor& tensor = source_.tensors()[planned.source];
  const uint64_t rows = planned.item.shape.empty() ? 1 : planned.item.shape[0];
  const uint64_t source_rows = tensor.shape.empty() ? 1 : tensor.shape[0];
  const uint64_t row_elements = source_rows == 0 ? 1 : tensor.elements() / source_rows;
  const uint64_t step = std::max<uint64_t>(1, kPieceElements / std::max<uint64_t>(1, row_elements));
  const bool copied =
      SameEncoding(tensor.dtype, planned.item.type) && planned.transform != Transform::kPlusOne;
  std::vector<uint8_t> bytes;
  for (uint64_t first = 0; first < rows; first += step) {
    ReadRows(planned, first, std::min(step, rows - first), &bytes);
    if (copied) {
      writer->Append(bytes);
    } else {
      Emit(planned, Floats(tensor, bytes), writer);
    }
    Report(planned, bytes.size());
  }
}

void Conversion::Write(const std::filesystem::path& target) {
  // Which file each tensor goes to.
  std::vector<std::vector<const Planned*>> parts(1);
  uint64_t part_bytes = 0;
  for (const Planned& planned : planned_) {
    uint64_t bytes = GgufBytes(planned.item);
    if (job_.max_shard_bytes > 0 && !parts.back().empty() &&
        part_bytes + bytes > job_.max_shard_bytes) {
      parts.emplace_back();
      part_bytes = 0;
    }
    parts.back().push_back(&planned);
    part_bytes += bytes;
  }
  std::string stem = target.stem().string();
  std::vector<std::unique_ptr<GgufWriter>> writers;
  for (size_t part = 0; part < parts.size(); ++part) {
    std::vector<GgufMetadata> metadata = part == 0 ? metadata_ : std::vector<GgufMetadata>();
    std::filesystem::path path = target;
    if (parts.size() > 1) {
      metadata.push_back(GgufTyped("split.no", "uint16", Json(uint64_t{part})));
      metadata.push_back(GgufTyped("split.count", "uint16", Json(uint64_t{parts.size()})));
      metadata.push_back(
          GgufTyped("split.tensors.count", "int32", Json(uint64_t{planned_.size()})));
      path = target.parent_path() / GgufPartName(stem, part, parts.size());
    }
    std::vector<GgufItem> items;
    for (const Planned* planned : parts[part]) items.push_back(planned->item);
    writers.push_back(
        std::make_unique<GgufWriter>(path, job_.if_exists, std::move(items), metadata));
    for (const Planned* planned : parts[part]) WriteTensor(*planned, writers.back().get());
  }
  StopIfCancelled(job_);
  for (auto& writer : writers) writer->Commit();
}

}  // namespace

void ConvertToGguf(TensorSource& source, const std::filesystem::path& folder, const Recipe& recipe,
                   const std::filesystem::path& target, const Job& job) {
  Conversion(source, folder, recipe, job).Write(target);
}

}  // namespace hearth::convert
