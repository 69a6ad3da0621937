#include "tokenizers/segment_encoders/unigram_model.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "tokenizers/segment_encoders/code_point_table.h"

namespace hearth::tokenizers {
namespace {

// An unknown character costs this much more than the worst token.
constexpr double kUnknownPenalty = 10.0;
// Places of a long piece whose nodes are kept at once: they fit the second-level cache.
constexpr size_t kWindow = 4096;
constexpr UnigramModel::Node kUnreached = {-std::numeric_limits<double>::infinity(), 0, 0};

}  // namespace

std::optional<UnigramModel> UnigramModel::Make(const Json& model, const ScoredPieces& pieces,
                                               const KeptTables& kept) {
  const Json* unknown = model.Find("unk_id");
  UnigramModel result(pieces);
  if (unknown == nullptr || !result.LoadVocabulary(kept)) return std::nullopt;
  auto unknown_id = unknown->AsUint();
  if (!unknown_id || *unknown_id >= pieces.size()) return std::nullopt;
  result.unknown_id_ = static_cast<uint32_t>(*unknown_id);
  const Json* fallback = model.Find("byte_fallback");
  if (fallback != nullptr && !fallback->is_bool()) return std::nullopt;
  if (fallback != nullptr && *fallback->AsBool()) {
    for (int byte = 0; byte < 256; ++byte) {
      char name[8];
      std::snprintf(name, sizeof name, "<0x%02X>", byte);
      result.byte_ids_.push_back(result.tokens_.Find(name));
    }
  }
  return result;
}

bool UnigramModel::LoadVocabulary(const KeptTables& kept) {
  if (pieces_.size() == 0 || pieces_.size() >= DoubleArray::kNoValue) return false;
  double least = std::numeric_limits<double>::infinity();
  bool finite = true;
  for (double score : pieces_.scores()) {
    finite &= std::isfinite(score);
    least = std::min(least, score);
  }
  if (!finite) return false;
  unknown_score_ = least - kUnknownPenalty;
  if (TakeTrie(kept)) return true;
  std::vector<DoubleArray::Entry> entries;
  entries.reserve(pieces_.size());
  for (uint32_t id = 0; id < pieces_.size(); ++id) {
    if (pieces_.text(id).empty()) return false;
    entries.emplace_back(pieces_.text(id), id);
  }
  tokens_ = DoubleArray(std::move(entries));
  return true;
}

bool UnigramModel::TakeTrie(const KeptTables& kept) {
  auto units = kept.FindArray<DoubleArray::Unit>(EncoderTable::kTokenTrie);
  if (!units) return false;
  // kNoValue plus one is zero: what is left are places of scores.
  uint32_t largest = 0;
  for (const DoubleArray::Unit& unit : *units) largest = std::max(largest, unit.value + 1);
  if (largest > pieces_.size()) return false;
  auto trie = DoubleArray::FromUnits(*units, kept.owner());
  if (!trie) return false;
  tokens_ = *std::move(trie);
  return true;
}

// Follows all tokens that begin at a place; node_at(end) is the node of where one ends. Returns the
// bytes of the character there.
template <typename At>
size_t UnigramModel::LeaveFrom(std::string_view piece, size_t place, At&& node_at) const {
  const uint8_t* bytes = reinterpret_cast<const uint8_t*>(piece.data());
  const double* const scores = pieces_.scores().data();
  const double here = node_at(place).score;
  size_t length = 0;
  DecodeUtf8(bytes + place, &length);
  bool has_single = false;
  const DoubleArray::Unit* unit = tokens_.Root();
  for (size_t end = place; end < piece.size() && tokens_.Step(&unit, bytes[end]);) {
    ++end;
    if (unit->value == DoubleArray::kNoValue) continue;
    double score = scores[unit->value] + here;
    Node& node = node_at(end);
    if (score > node.score) node = {score, static_cast<uint32_t>(place), unit->value};
    has_single |= end == place + length;
  }
  if (has_single) return length;
  double score = unknown_score_ + here;
  Node& next = node_at(place + length);
  if (score > next.score) next = {score, static_cast<uint32_t>(place), unknown_id_};
  return length;
}

void UnigramModel::Encode(std::string_view piece, Work* work, std::vector<uint32_t>* ids) const {
  if (piece.empty()) return;
  if (piece.size() > kWindow) return EncodeLong(piece, work, ids);
  work->nodes.assign(piece.size() + 1, kUnreached);
  Node* nodes = work->nodes.data();
  nodes[0].score = 0;
  for (size_t at = 0; at < piece.size();) {
    at += LeaveFrom(piece, at, [nodes](size_t place) -> Node& { return nodes[place]; });
  }
  AddIds(piece, work, ids);
}

// Nodes from some place on, as far as tokens come.
class UnigramModel::NodeWindow {
 public:
  explicit NodeWindow(std::vector<Node>* nodes) : store_(*nodes) {
    store_.assign(kWindow + kTokenRoom, kUnreached);
    nodes_ = store_.data();
    ready_ = store_.size();
    nodes_[0].score = 0;
  }

  Node& At(size_t place) {
    if (place >= ready_) [[unlikely]]
      Grow(place);
    return nodes_[place];
  }

  // Forgets the nodes before a place that all others come from; it is the first from now on.
  void Drop(size_t place, size_t room) {
    if (place == 0) return;
    store_.erase(store_.begin(), store_.begin() + static_cast<std::ptrdiff_t>(place));
    for (Node& node : store_) node.start -= static_cast<uint32_t>(place);
    Grow(room + kTokenRoom);
  }

 private:
  static constexpr size_t kTokenRoom = 128;  // longer tokens are rare

  [[gnu::noinline]] void Grow(size_t place) {
    store_.resize(std::max(store_.size(), place + 1), kUnreached);
    nodes_ = store_.data();
    ready_ = store_.size();
  }

  std::vector<Node>& store_;
  Node* nodes_;
  size_t ready_;
};

void UnigramModel::EncodeLong(std::string_view piece, Work* work,
                              std::vector<uint32_t>* ids) const {
  NodeWindow nodes(&work->nodes);
  size_t at = 0, stop = kWindow;
  while (true) {
    for (stop = std::min(stop, piece.size()); at < stop;) {
      at += LeaveFrom(piece, at, [&nodes](size_t place) -> Node& { return nodes.At(place); });
    }
    if (at == piece.size()) return AddIds(piece, work, ids);
    size_t shared = SharedPlace(at, work);
    AddIds(piece.substr(0, shared), work, ids);
    piece.remove_prefix(shared);
    at -= shared;
    stop = at + std::max(at, kWindow);  // what is not shared is walked again: so, in all, twice
    nodes.Drop(shared, stop);
  }
}

// The last place that is on the best covers of all places from `place` on which are reached, and so
// on the best cover of the piece. No unknown token ends there, for the next one would belong to it.
size_t UnigramModel::SharedPlace(size_t place, Work* work) const {
  const std::vector<Node>& nodes = work->nodes;
  std::vector<uint32_t>& heads = work->ends;  // rising, each once
  heads.clear();
  for (size_t i = place; i < nodes.size(); ++i) {
    if (nodes[i].score != kUnreached.score) heads.push_back(static_cast<uint32_t>(i));
  }
  while (heads.size() > 1) {
    uint32_t start = nodes[heads.back()].start;
    heads.pop_back();
    auto above = std::lower_bound(heads.begin(), heads.end(), start);
    if (above == heads.end() || *above != start) heads.insert(above, start);
  }
  uint32_t shared = heads.front();
  while (shared > 0 && nodes[shared].id == unknown_id_) shared = nodes[shared].start;
  return shared;
}

// The ids of the best cover of a piece whose nodes are there.
void UnigramModel::AddIds(std::string_view piece, Work* work, std::vector<uint32_t>* ids) const {
  const std::vector<Node>& nodes = work->nodes;
  std::vector<uint32_t>& ends = work->ends;
  ends.clear();
  for (uint32_t end = static_cast<uint32_t>(piece.size()); end > 0; end = nodes[end].start) {
    ends.push_back(end);
  }
  for (size_t i = ends.size(); i-- > 0;) {
    const Node& node = nodes[ends[i]];
    if (node.id != unknown_id_) {
      ids->push_back(node.id);
      continue;
    }
    uint32_t begin = node.start;  // neighbouring unknowns are one token
    while (i > 0 && nodes[ends[i - 1]].id == unknown_id_) --i;
    AddUnknown(piece.substr(begin, ends[i] - begin), ids);
  }
}

void UnigramModel::AddUnknown(std::string_view run, std::vector<uint32_t>* ids) const {
  uint32_t id = tokens_.Find(run);
  if (id != DoubleArray::kNoValue) return ids->push_back(id);
  auto has_byte = [this](char byte) {
    return byte_ids_[static_cast<uint8_t>(byte)] != DoubleArray::kNoValue;
  };
  if (byte_ids_.empty() || !std::all_of(run.begin(), run.end(), has_byte)) {
    return ids->push_back(unknown_id_);
  }
  for (char byte : run) ids->push_back(byte_ids_[static_cast<uint8_t>(byte)]);
}

}  // namespace hearth::tokenizers
