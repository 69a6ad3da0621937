#include "tokenizers/segment_encoders/unigram_model.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>

#include "tokenizers/segment_encoders/code_point_table.h"

namespace hearth::tokenizers {
namespace {

// An unknown character costs this much more than the worst token.
constexpr double kUnknownPenalty = 10.0;

// The reference's JSON reader does not round correctly: it turns the digits into a double and
// divides that by a power of ten, so a number of 17 digits is rounded twice and can end one unit
// away from the nearest double, which decides between covers of equal score. Score tables are
// written with the fewest digits that give the double back, so the digits are known again.
double AsTheReferenceReads(double exact) {
  char text[32];
  auto written =
      std::to_chars(text, text + sizeof text, std::fabs(exact), std::chars_format::scientific);
  uint64_t digits = 0;
  int exponent = 0;
  for (const char* at = text; at < written.ptr; ++at) {
    if (*at == '.') continue;
    if (*at == 'e') {
      const char* number = at[1] == '+' ? at + 2 : at + 1;
      std::from_chars(number, written.ptr, exponent);
      exponent -=
          static_cast<int>(std::max<ptrdiff_t>(at - text - 2, 0));  // digits after the point
      break;
    }
    digits = digits * 10 + static_cast<uint64_t>(*at - '0');
  }
  if (std::abs(exponent) > 300) return exact;  // no score is written so
  double power = 0;  // read as text: std::pow does not promise the nearest double
  std::string power_text = "1e" + std::to_string(std::abs(exponent));
  std::from_chars(power_text.data(), power_text.data() + power_text.size(), power);
  double value = static_cast<double>(digits);
  value = exponent >= 0 ? value * power : value / power;
  return std::copysign(value, exact);
}

}  // namespace

std::optional<UnigramModel> UnigramModel::Make(const Json& model) {
  const Json* vocabulary = model.Find("vocab");
  const Json* unknown = model.Find("unk_id");
  if (vocabulary == nullptr || unknown == nullptr) return std::nullopt;
  UnigramModel result;
  if (!result.LoadVocabulary(*vocabulary)) return std::nullopt;
  auto unknown_id = unknown->AsUint();
  if (!unknown_id || *unknown_id >= result.scores_.size()) return std::nullopt;
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

bool UnigramModel::LoadVocabulary(const Json& vocabulary) {
  if (vocabulary.AsArray() == nullptr || vocabulary.size() == 0 ||
      vocabulary.size() >= DoubleArray::kNoValue) {
    return false;
  }
  std::vector<DoubleArray::Entry> entries;
  entries.reserve(vocabulary.size());
  double least = std::numeric_limits<double>::infinity();
  for (const Json& item : *vocabulary.AsArray()) {
    const Json::Array* pair = item.AsArray();
    if (pair == nullptr || pair->size() != 2) return false;
    const std::string* token = (*pair)[0].AsString();
    auto score = (*pair)[1].AsDouble();
    if (token == nullptr || token->empty() || !score || !std::isfinite(*score)) return false;
    entries.emplace_back(*token, static_cast<uint32_t>(entries.size()));
    scores_.push_back(AsTheReferenceReads(*score));
    least = std::min(least, scores_.back());
  }
  tokens_ = DoubleArray(std::move(entries));
  unknown_score_ = least - kUnknownPenalty;
  return true;
}

void UnigramModel::FillNodes(std::string_view piece, Work* work) const {
  const uint8_t* bytes = reinterpret_cast<const uint8_t*>(piece.data());
  const size_t size = piece.size();
  work->nodes.assign(size + 1, {-std::numeric_limits<double>::infinity(), 0, 0});
  Node* nodes = work->nodes.data();
  nodes[0].score = 0;
  for (size_t at = 0, length = 0; at < size; at += length) {
    DecodeUtf8(bytes + at, &length);
    const double here = nodes[at].score;
    bool has_single = false;
    const DoubleArray::Unit* node = tokens_.Root();
    for (size_t end = at; end < size && tokens_.Step(&node, bytes[end]);) {
      ++end;
      if (node->value == DoubleArray::kNoValue) continue;
      double score = scores_[node->value] + here;
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
