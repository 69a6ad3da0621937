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

void UnigramModel::FillNodes(std::string_view piece, Work* work) const {
  const uint8_t* bytes = reinterpret_cast<const uint8_t*>(piece.data());
  const size_t size = piece.size();
  work->nodes.assign(size + 1, {-std::numeric_limits<double>::infinity(), 0, 0});
  Node* nodes = work->nodes.data();
  const double* const scores = pieces_.scores().data();
  nodes[0].score = 0;
  for (size_t at = 0, length = 0; at < size; at += length) {
    DecodeUtf8(bytes + at, &length);
    const double here = nodes[at].score;
    bool has_single = false;
    const DoubleArray::Unit* node = tokens_.Root();
    for (size_t end = at; end < size && tokens_.Step(&node, bytes[end]);) {
      ++end;
      if (node->value == DoubleArray::kNoValue) continue;
      double score = scores[node->value] + here;
      if (score > nodes[end].score) {
        nodes[end] = {score, static_cast<uint32_t>(at), node->value};
      }
      has_single |= end == at + length;
    }
    if (has_single) continue;
    double score = unknown_score_ + here;
    Node& next = nodes[at + length];
    if (score > next.score) next = {score, static_cast<uint32_t>(at), unknown_id_};
  }
}

void UnigramModel::Encode(std::string_view piece, Work* work, std::vector<uint32_t>* ids) const {
  if (piece.empty()) return;
  FillNodes(piece, work);
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
