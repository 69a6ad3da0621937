// GGUF models as a source of checkpoint tensors: names and row orders are turned back, blocks
// become F32.
#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/error.h"
#include "formats/convert/architecture.h"
#include "formats/convert/tensor_source.h"
#include "formats/convert/transform.h"
#include "formats/gguf/gguf_file.h"

namespace hearth::convert {
namespace {

// A tensor of the checkpoint that the GGUF file was made of.
struct Origin {
  const GgufFile::Entry* entry;
  Transform transform = Transform::kNone;
  std::vector<uint64_t> rows;  // for each row in GGUF the row of the checkpoint
};

tensor::Dtype PlainDtype(tensor::BlockType type) {
  switch (type) {
    case tensor::BlockType::kF16:
      return tensor::Dtype::kF16;
    case tensor::BlockType::kBf16:
      return tensor::Dtype::kBf16;
    case tensor::BlockType::kF64:
      return tensor::Dtype::kF64;
    case tensor::BlockType::kI8:
      return tensor::Dtype::kI8;
    case tensor::BlockType::kI16:
      return tensor::Dtype::kI16;
    case tensor::BlockType::kI32:
      return tensor::Dtype::kI32;
    case tensor::BlockType::kI64:
      return tensor::Dtype::kI64;
    default:
      return tensor::Dtype::kF32;
  }
}

class GgufSource : public TensorSource {
 public:
  explicit GgufSource(const std::filesystem::path& path) : file_(GgufFile::Open(path)) {
    const std::string* config = Text("hearth.config");
    if (config != nullptr) config_json_ = *config;
    const Architecture& architecture = FindArchitecture();
    const std::string* prefix = Text("hearth.tensor_prefix");
    std::string before(prefix != nullptr ? std::string_view(*prefix) : architecture.prefix);
    RowParameters rows = Rows(architecture);
    for (const GgufFile::Entry& entry : file_.entries())
      AddTensor(architecture, before, rows, entry);
  }

  const std::vector<SourceTensor>& tensors() const override { return tensors_; }
  std::string config_json() const override { return config_json_; }
  std::vector<std::pair<std::string, std::string>> metadata() const override {
    return {{"format", "pt"}};
  }

  void Read(size_t index, uint64_t offset, std::span<uint8_t> out) override {
    if (index != held_index_) {
      held_ = Restore(index);
      held_index_ = index;
    }
    if (!out.empty()) std::memcpy(out.data(), held_.data() + offset, out.size());
  }

 private:
  const std::string* Text(std::string_view key) const {
    const GgufMetadata* entry = file_.header().Find(key);
    return entry != nullptr ? entry->value.AsString() : nullptr;
  }

  // Throws Error{kUnimplemented} where layers have one each.
  std::optional<uint64_t> Number(const std::string& key) const {
    const GgufMetadata* entry = file_.header().Find(file_.header().architecture + "." + key);
    if (entry == nullptr) return std::nullopt;
    if (entry->value.AsUint()) return entry->value.AsUint();
    throw Error(Code::kUnimplemented, entry->key +
                                          " is no single number: layers that differ "
                                          "cannot become a checkpoint yet");
  }

  const Architecture& FindArchitecture() const;
  RowParameters Rows(const Architecture& architecture) const;
  void AddTensor(const Architecture& architecture, const std::string& prefix,
                 const RowParameters& rows, const GgufFile::Entry& entry);
  std::vector<uint8_t> Restore(size_t index) const;
  std::vector<uint8_t> Plain(const Origin& origin) const;

  GgufFile file_;
  std::string config_json_;
  std::vector<SourceTensor> tensors_;
  std::vector<Origin> origins_;
  // The tensor that was asked for last, whole: reads come in order.
  std::vector<uint8_t> held_;
  size_t held_index_ = SIZE_MAX;
};

const Architecture& GgufSource::FindArchitecture() const {
  if (!config_json_.empty()) {
    Json config = Json::Parse(config_json_);
    const Json* text = config.Find("text_config");
    const Json* type = (text != nullptr && text->is_object() ? *text : config).Find("model_type");
    if (type != nullptr && type->AsString() != nullptr) {
      if (const Architecture* found = FindByModelType(*type->AsString())) return *found;
    }
  }
  const Architecture* found = FindByGguf(file_.header().architecture);
  if (found == nullptr) {
    throw Error(Code::kUnimplemented, "GGUF models of architecture \"" +
                                          file_.header().architecture +
                                          "\" cannot become a checkpoint yet");
  }
  return *found;
}

RowParameters GgufSource::Rows(const Architecture& architecture) const {
  RowParameters rows;
  rows.heads = Number("attention.head_count").value_or(0);
  rows.kv_heads = Number("attention.head_count_kv").value_or(rows.heads);
  uint64_t padding = 1;
  if (!config_json_.empty()) {
    Json config = Json::Parse(config_json_);
    const Json* pad = config.Find("pad_token_id");
    if (pad != nullptr) padding = std::min<uint64_t>(pad->AsUint().value_or(padding), INT32_MAX);
  }
  rows.skipped_positions = architecture.model_type == "opt" ? 2 : padding + 1;
  return rows;
}

void GgufSource::AddTensor(const Architecture& architecture, const std::string& prefix,
                           const RowParameters& rows, const GgufFile::Entry& entry) {
  Named named = NameInGguf(architecture, entry.tensor->name);
  if (named.rule == nullptr) return;
  Origin origin{&entry, named.rule->transform, {}};
  SourceTensor tensor;
  bool outside = named.rule->hf.starts_with('!');
  tensor.name = outside ? std::string(named.rule->hf.substr(1))
                        : prefix + WithLayer(named.rule->hf, named.layer);
  tensor.dtype = PlainDtype(GgufBlockType(*entry.tensor));
  tensor.shape = GgufShape(*entry.tensor);
  if (origin.transform == Transform::kTransposed && tensor.shape.size() == 2) {
    std::swap(tensor.shape[0], tensor.shape[1]);
  } else if (entry.tensor->elements > 0 && !tensor.shape.empty()) {
    if (origin.transform == Transform::kSkipPositions) {
      // Two at most in honest models; what is written stays in proportion to what was read.
      if (rows.skipped_positions > tensor.shape[0]) {
        throw Error(Code::kInvalidArgument, "more positions are to be skipped than there are");
      }
      tensor.shape[0] += rows.skipped_positions;
    }
    origin.rows = CheckpointRows(origin.transform, tensor.shape[0], rows);
  }
  tensors_.push_back(std::move(tensor));
  origins_.push_back(std::move(origin));
}

// The tensor's values as the file orders them, blocks spelt out.
std::vector<uint8_t> GgufSource::Plain(const Origin& origin) const {
  std::span<const uint8_t> bytes = file_.Bytes(*origin.entry);
  const tensor::BlockType type = GgufBlockType(*origin.entry->tensor);
  if (tensor::InfoOf(type).block_elements == 1) return {bytes.begin(), bytes.end()};
  std::vector<float> values(origin.entry->tensor->elements);
  file_.Dequantize(*origin.entry, 0, values);
  std::vector<uint8_t> plain(values.size() * sizeof(float));
  std::memcpy(plain.data(), values.data(), plain.size());
  return plain;
}

void SubtractOne(std::vector<uint8_t>* bytes) {
  for (size_t at = 0; at + sizeof(float) <= bytes->size(); at += sizeof(float)) {
    float value;
    std::memcpy(&value, bytes->data() + at, sizeof value);
    value -= 1.0f;
    std::memcpy(bytes->data() + at, &value, sizeof value);
  }
}

std::vector<uint8_t> GgufSource::Restore(size_t index) const {
  const Origin& origin = origins_[index];
  const SourceTensor& tensor = tensors_[index];
  std::vector<uint8_t> plain = Plain(origin);
  if (origin.transform == Transform::kPlusOne && tensor.dtype == tensor::Dtype::kF32) {
    SubtractOne(&plain);
  }
  std::vector<uint8_t> out;
  if (origin.transform == Transform::kTransposed && tensor.shape.size() == 2) {
    out.resize(plain.size());
    const uint64_t rows = tensor.shape[0], columns = tensor.shape[1];
    const uint64_t size = tensor::DtypeBits(tensor.dtype) / 8;
    for (uint64_t c = 0; c < columns; ++c) {
      for (uint64_t r = 0; r < rows; ++r) {
        std::memcpy(&out[(r * columns + c) * size], &plain[(c * rows + r) * size], size);
      }
    }
    return out;
  }
  if (origin.rows.empty()) return plain;
  // Rows that GGUF does not hold stay zero.
  out.resize(tensor.bytes());
  const uint64_t row_bytes = tensor.bytes() / tensor.shape[0];
  for (uint64_t row = 0; row < origin.rows.size(); ++row) {
    std::memcpy(&out[origin.rows[row] * row_bytes], &plain[row * row_bytes], row_bytes);
  }
  return out;
}

}  // namespace

std::unique_ptr<TensorSource> OpenGgufSource(const std::filesystem::path& path) {
  if (AsciiLower(path.extension().string()) != ".gguf") return nullptr;
  return std::make_unique<GgufSource>(path);
}

}  // namespace hearth::convert
