// GGUF files as checkpoints: blocks stay as they are, rows that converters put in another order
// (Llama's rotary halves) go back as whole rows of blocks.
#include <algorithm>
#include <cctype>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "formats/convert/transform.h"
#include "formats/gguf/gguf_file.h"
#include "runtime/checkpoint_sources.h"
#include "runtime/gguf_config.h"
#include "tensor/blocks.h"

namespace hearth::runtime {
namespace {

using convert::Transform;
using tensor::WeightView;

class GgufLoader {
 public:
  GgufLoader(const GgufFile& file, const GgufModel& model, tensor::WeightSet* weights)
      : file_(file), tables_(*model.tables), weights_(weights) {
    const ModelConfig& config = model.config;
    rows_.heads = config.Count({"num_attention_heads", "n_head", "n_heads"}, 0u);
    rows_.kv_heads = config.Count({"num_key_value_heads"}, static_cast<uint32_t>(rows_.heads));
    bool is_opt = tables_.model_type == "opt";
    rows_.skipped_positions =
        is_opt ? 2 : uint64_t{config.Count({"pad_token_id"}, 1u, kMaxPadding)} + 1;
  }

  void Add(const GgufFile::Entry& entry) {
    convert::Named named = convert::NameInGguf(tables_, entry.tensor->name);
    if (named.rule == nullptr || entry.tensor->elements == 0) return;
    std::string_view pattern = named.rule->hf;
    if (pattern.starts_with('!')) pattern.remove_prefix(1);
    Add(convert::WithLayer(pattern, named.layer), View(entry), named.rule->transform);
  }

 private:
  // A padding token past this belongs to no vocabulary of a model with skipped positions.
  static constexpr uint32_t kMaxPadding = 1024;

  WeightView View(const GgufFile::Entry& entry) const {
    WeightView view;
    view.type = GgufBlockType(*entry.tensor);
    view.columns = entry.tensor->dims.empty() ? 1 : entry.tensor->dims.front();
    view.rows = entry.tensor->elements / view.columns;
    view.data = file_.Bytes(entry).data();
    return view;
  }

  void Add(std::string name, const WeightView& view, Transform transform) {
    bool vector = view.rows == 1;
    uint64_t rows = vector ? view.columns : view.rows;
    switch (transform) {
      case Transform::kRotaryQ:
      case Transform::kRotaryK: {
        // The table gives for each row here the checkpoint's; the other way is wanted.
        std::vector<uint64_t> order = convert::CheckpointRows(transform, rows, rows_);
        std::vector<uint64_t> back(order.size());
        for (size_t i = 0; i < order.size(); ++i) back[order[i]] = i;
        return AddReordered(std::move(name), view, std::move(back), weights_);
      }
      case Transform::kSkipPositions: {
        // Positions are counted from the first rows on, which belong to none and stay zero.
        std::vector<uint64_t> order(rows_.skipped_positions, UINT64_MAX);
        for (uint64_t row = 0; row < rows; ++row) order.push_back(row);
        return AddReordered(std::move(name), view, std::move(order), weights_);
      }
      case Transform::kPlusOne: {
        WeightView shape = view;
        shape.type = tensor::BlockType::kF32;
        weights_->AddLazy(std::move(name), shape, [view] { return MinusOne(view); });
        return;
      }
      case Transform::kNone:
      case Transform::kTransposed:  // turned already
      case Transform::kFusedHeads:  // as architectures take them
        break;
    }
    weights_->Add(std::move(name), view);
  }

  static WeightView MinusOne(const WeightView& view) {
    auto floats = std::make_shared<std::vector<float>>(tensor::ToFloats(view));
    for (float& value : *floats) value -= 1;
    return {view.rows, view.columns, tensor::BlockType::kF32,
            reinterpret_cast<const uint8_t*>(floats->data()), floats};
  }

  const GgufFile& file_;
  const convert::Architecture& tables_;
  tensor::WeightSet* weights_;
  convert::RowParameters rows_;
};

bool AllDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return std::isdigit(c) != 0; });
}

}  // namespace

bool IsLaterGgufPart(const std::filesystem::path& path) {
  // "-00002-of-00003" before the ending
  std::string stem = path.stem().string();
  size_t of = stem.rfind("-of-");
  if (of == std::string::npos || !AllDigits(stem.substr(of + 4))) return false;
  size_t dash = of > 0 ? stem.rfind('-', of - 1) : std::string::npos;
  if (dash == std::string::npos) return false;
  std::string number = stem.substr(dash + 1, of - dash - 1);
  size_t first = number.find_first_not_of('0');
  return AllDigits(number) && first != std::string::npos && number.substr(first) != "1";
}

Checkpoint LoadGguf(const std::filesystem::path& path) {
  auto file = std::make_shared<GgufFile>(GgufFile::Open(path, ModelGgufLimits()));
  GgufModel model = ReadGgufModel(*file);
  Checkpoint checkpoint{model.config, {}, path.parent_path(), path, file};
  GgufLoader loader(*file, model, &checkpoint.weights);
  for (const GgufFile::Entry& entry : file->entries()) loader.Add(entry);
  for (const MappedSource* source : file->Sources()) {
    checkpoint.weights.KeepFile(file, {source->path(), source->bytes()});
  }
  return checkpoint;
}

}  // namespace hearth::runtime
