#include "hub/inspector/provenance/weight_diff.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

#include "base/error.h"

namespace hearth::inspector {
namespace {

using convert::Transform;

// Values at a time: two buffers of fp32 in the second-level cache.
constexpr uint64_t kPieceValues = 64u << 10;

struct Sums {
  double differences = 0, from = 0, to = 0, product = 0;
  float max_abs = 0;
  uint64_t changed = 0, values = 0;

  void Add(std::span<const float> a, std::span<const float> b) {
    for (size_t i = 0; i < a.size(); ++i) {
      float difference = b[i] - a[i];
      double x = a[i], y = b[i];
      differences += static_cast<double>(difference) * difference;
      from += x * x;
      to += y * y;
      product += x * y;
      max_abs = std::max(max_abs, std::abs(difference));
      changed += a[i] != b[i] ? 1 : 0;
    }
    values += a.size();
  }
};

// The files of one side, each opened when it is first read.
class OpenFiles {
 public:
  explicit OpenFiles(const DiffSide& side) : side_(side), files_(side.weights.set->files.size()) {
    size_t at = 0, file = SIZE_MAX;
    for (size_t owner : side.weights.headers->file_of) {
      at = owner == file ? at + 1 : 0;
      file = owner;
      place_.push_back(at);
    }
  }
  // The file of a tensor, and its place in it.
  std::pair<TensorFile*, size_t> Of(size_t tensor) {
    size_t owner = side_.weights.headers->file_of[tensor];
    if (files_[owner] == nullptr) {
      const std::string& path = side_.weights.set->files[owner];
      files_[owner] = OpenTensorFile(side_.view->Open(path), path);
      if (place_[tensor] >= files_[owner]->tensors().size())
        throw Error(Code::kConflict, path + " changed while it was read");
    }
    return {files_[owner].get(), place_[tensor]};
  }

 private:
  const DiffSide& side_;
  std::vector<std::unique_ptr<TensorFile>> files_;
  std::vector<size_t> place_;
};

class Comparer {
 public:
  Comparer(const DiffSide& from, const DiffSide& to, const TensorPairs& pairs,
           const ScanHooks& hooks, const DiffLimits& limits)
      : from_(from),
        to_(to),
        pairs_(pairs),
        hooks_(hooks),
        limits_(limits),
        from_files_(from),
        to_files_(to) {}

  WeightDistance Run() {
    std::vector<TensorPair> ordered = pairs_.pairs;
    std::sort(ordered.begin(), ordered.end(),
              [](const TensorPair& a, const TensorPair& b) { return a.to < b.to; });
    WeightDistance result;
    double differences = 0, squares = 0;
    for (const TensorPair& pair : ordered) {
      if (result.compared >= limits_.max_tensors) break;
      TensorDistance distance = Compare(pair);
      (distance.skipped.empty() ? result.compared : result.skipped) += 1;
      result.equal += distance.equal ? 1 : 0;
      // Tensors that digests prove equal are not read, so what is equal counts in neither sum.
      if (!distance.equal) {
        differences += distance.difference_squares;
        squares += distance.from_squares;
      }
      result.tensors.push_back(std::move(distance));
    }
    result.relative = squares > 0 ? std::sqrt(differences / squares) : 0;
    return result;
  }

 private:
  TensorDistance Compare(const TensorPair& pair) {
    const TensorInfo& from = from_.weights.headers->tensors[pair.from];
    const TensorInfo& to = to_.weights.headers->tensors[pair.to];
    TensorDistance distance;
    distance.name = to.name;
    if (from.name != to.name) distance.from_name = from.name;
    distance.dtype = to.dtype, distance.from_dtype = from.dtype;
    distance.elements = to.elements;
    if (KnownEqual(from, to)) {
      distance.equal = true;
      return distance;
    }
    if (from.shape != to.shape) {
      distance.skipped = "the shapes differ";
      return distance;
    }
    if (pair.transform != Transform::kNone && pair.transform != Transform::kRotaryQ &&
        pair.transform != Transform::kRotaryK && pair.transform != Transform::kPlusOne) {
      distance.skipped = "the two formats store it turned";
      return distance;
    }
    try {
      Fill(pair, &distance);
    } catch (const Error& error) {
      if (error.code() == Code::kUnavailable || error.code() == Code::kInternal) throw;
      distance.skipped = error.message();
    }
    return distance;
  }

  bool KnownEqual(const TensorInfo& from, const TensorInfo& to) const {
    auto a = from_.weights.hashes.find(from.name);
    auto b = to_.weights.hashes.find(to.name);
    return a != from_.weights.hashes.end() && b != to_.weights.hashes.end() &&
           a->second == b->second && from.dtype == to.dtype && from.bytes == to.bytes;
  }

  void Fill(const TensorPair& pair, TensorDistance* distance) {
    auto [from, from_at] = from_files_.Of(pair.from);
    auto [to, to_at] = to_files_.Of(pair.to);
    if (!from->HasValues(from_at) || !to->HasValues(to_at)) {
      distance->skipped = "its values are not read";
      return;
    }
    const TensorInfo& info = to_.weights.headers->tensors[pair.to];
    uint64_t columns = info.shape.empty() ? 1 : info.shape.back();
    uint64_t rows = columns == 0 ? 0 : info.elements / columns;
    std::vector<uint64_t> order = convert::CheckpointRows(pair.transform, rows, pairs_.rows);
    Sums sums;
    if (order.empty()) {
      Stream({from, from_at}, {to, to_at}, info.elements, pair, &sums);
    } else {
      Rows({from, from_at}, {to, to_at}, order, columns, pair, &sums);
    }
    Finish(sums, distance);
  }

  using Place = std::pair<TensorFile*, size_t>;

  void Progress(uint64_t values) {
    if (hooks_.stop != nullptr && hooks_.stop->load())
      throw Error(Code::kUnavailable, "The comparison was stopped.");
    if (hooks_.progress) hooks_.progress(values);
  }

  void Stream(Place from, Place to, uint64_t elements, const TensorPair& pair, Sums* sums) {
    uint64_t end = std::min(elements, limits_.max_values / 256 * 256);
    for (uint64_t at = 0; at < end; at += kPieceValues) {
      size_t count = std::min(kPieceValues, end - at);
      a_.resize(count), b_.resize(count);
      ReadValues(*from.first, from.second, at, a_);
      ReadValues(*to.first, to.second, at, b_);
      if (pair.transform == Transform::kPlusOne)
        for (float& value : pair.gguf_is_from ? a_ : b_) value -= 1;
      sums->Add(a_, b_);
      Progress(count);
    }
  }

  // Row `r` of the GGUF side is row order[r] of the checkpoint.
  void Rows(Place from, Place to, const std::vector<uint64_t>& order, uint64_t columns,
            const TensorPair& pair, Sums* sums) {
    a_.resize(columns), b_.resize(columns);
    for (uint64_t row = 0; row < order.size() && sums->values < limits_.max_values; ++row) {
      uint64_t from_row = pair.gguf_is_from ? row : order[row];
      uint64_t to_row = pair.gguf_is_from ? order[row] : row;
      ReadValues(*from.first, from.second, from_row * columns, a_);
      ReadValues(*to.first, to.second, to_row * columns, b_);
      sums->Add(a_, b_);
      Progress(columns);
    }
  }

  static void Finish(const Sums& sums, TensorDistance* distance) {
    distance->difference_squares = sums.differences;
    distance->from_squares = sums.from;
    distance->relative =
        sums.from > 0 ? std::sqrt(sums.differences / sums.from) : (sums.differences > 0 ? 1 : 0);
    double norms = std::sqrt(sums.from) * std::sqrt(sums.to);
    distance->cosine = norms > 0 ? sums.product / norms : (sums.differences > 0 ? 0 : 1);
    distance->max_abs = sums.max_abs;
    distance->changed =
        sums.values == 0 ? 0 : static_cast<double>(sums.changed) / static_cast<double>(sums.values);
    distance->equal = sums.changed == 0 && distance->dtype == distance->from_dtype;
  }

  const DiffSide& from_;
  const DiffSide& to_;
  const TensorPairs& pairs_;
  const ScanHooks& hooks_;
  const DiffLimits& limits_;
  OpenFiles from_files_, to_files_;
  std::vector<float> a_, b_;
};

// --- heat

struct Heat {
  std::vector<std::string> modules;  // in the order in which layers name them
  size_t layers = 0;
  std::vector<std::vector<std::optional<double>>> cells;  // [module][layer]
};
constexpr size_t kMaxHeatLayers = 4096;

Heat HeatOf(const WeightDistance& distance) {
  Heat heat;
  std::map<std::string, size_t> places;
  for (const TensorDistance& tensor : distance.tensors) {
    TensorPlace place = PlaceOf(tensor.name);
    if (!tensor.skipped.empty() || static_cast<uint64_t>(place.layer) >= kMaxHeatLayers) continue;
    auto [found, fresh] = places.emplace(place.module, heat.modules.size());
    if (fresh) {
      heat.modules.push_back(place.module);
      heat.cells.emplace_back();
    }
    std::vector<std::optional<double>>& row = heat.cells[found->second];
    auto layer = static_cast<size_t>(place.layer);
    if (row.size() <= layer) row.resize(layer + 1);
    row[layer] = tensor.relative;
    heat.layers = std::max(heat.layers, layer + 1);
  }
  for (auto& row : heat.cells) row.resize(heat.layers);
  return heat;
}

Json TensorJson(const TensorDistance& tensor) {
  Json json = Json::Obj({{"name", tensor.name}, {"dtype", tensor.dtype}});
  if (!tensor.from_name.empty()) json.Set("from_name", tensor.from_name);
  if (tensor.from_dtype != tensor.dtype) json.Set("from_dtype", tensor.from_dtype);
  json.Set("elements", tensor.elements);
  if (!tensor.skipped.empty()) return json.Set("skipped", tensor.skipped);
  json.Set("equal", tensor.equal);
  if (tensor.equal) return json;
  json.Set("relative", tensor.relative).Set("cosine", tensor.cosine);
  return json.Set("max_abs", tensor.max_abs).Set("changed", tensor.changed);
}

}  // namespace

WeightDistance MeasureDistance(const DiffSide& from, const DiffSide& to, const TensorPairs& pairs,
                               const ScanHooks& hooks, const DiffLimits& limits) {
  return Comparer(from, to, pairs, hooks, limits).Run();
}

Json ToJson(const WeightDistance& distance) {
  Json tensors = Json::Arr(), cells = Json::Arr();
  for (const TensorDistance& tensor : distance.tensors) tensors.Push(TensorJson(tensor));
  Heat heat = HeatOf(distance);
  for (const auto& row : heat.cells) {
    Json values = Json::Arr();
    for (const std::optional<double>& cell : row) values.Push(Json(cell));
    cells.Push(std::move(values));
  }
  return Json::Obj({{"relative", distance.relative},
                    {"compared", distance.compared},
                    {"equal", distance.equal},
                    {"skipped", distance.skipped},
                    {"heat", Json::Obj({{"modules", Json(heat.modules)},
                                        {"layers", heat.layers},
                                        {"cells", std::move(cells)}})},
                    {"tensors", std::move(tensors)}});
}

std::string HeatStrip(const WeightDistance& distance, size_t width) {
  // Powers of ten from "equal" to "another model".
  static constexpr const char* kShades[] = {"·", "░", "▒", "▓", "█"};
  auto shade = [](const std::optional<double>& cell) {
    if (!cell) return " ";
    if (*cell == 0) return kShades[0];
    return *cell < 1e-3   ? kShades[1]
           : *cell < 1e-2 ? kShades[2]
           : *cell < 1e-1 ? kShades[3]
                          : kShades[4];
  };
  Heat heat = HeatOf(distance);
  size_t label = 4;
  for (const std::string& module : heat.modules)
    label = std::max(label, std::min<size_t>(32, module.size()));
  size_t room = width > label + 10 ? width - label - 10 : 10;
  std::string text;
  for (size_t m = 0; m < heat.modules.size(); ++m) {
    std::string name = heat.modules[m].substr(0, label);
    name.resize(label + 2, ' ');
    text += name;
    // Fewer columns than layers: each shows the farthest of its layers.
    size_t columns = std::min(room, heat.layers);
    double worst = 0;
    for (size_t column = 0; column < columns; ++column) {
      std::optional<double> cell;
      for (size_t l = column * heat.layers / columns; l < (column + 1) * heat.layers / columns;
           ++l) {
        const std::optional<double>& one = heat.cells[m][l];
        if (one && (!cell || *one > *cell)) cell = one;
      }
      worst = std::max(worst, cell.value_or(0));
      text += shade(cell);
    }
    char number[32];
    std::snprintf(number, sizeof number, "  %.2g", worst);
    text += std::string(number) + "\n";
  }
  return text;
}

}  // namespace hearth::inspector
