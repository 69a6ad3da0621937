#include "tokenizers/vocab.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <numeric>

#include "base/error.h"

namespace hearth::tokenizers {
// Folded 64x64 multiplication over 8-byte words.
uint64_t HashToken(std::string_view text) {
  auto fold = [](uint64_t a, uint64_t b) {
    auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  };
  uint64_t hash = 0x9E3779B97F4A7C15u ^ text.size();
  const char* at = text.data();
  size_t left = text.size();
  for (; left > 8; at += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    hash = fold(hash ^ word, 0xD6E8FEB86659FD93u);
  }
  uint64_t tail = 0;
  if (left > 0) std::memcpy(&tail, at, left);
  return fold(hash ^ tail, 0xA0761D6478BD642Fu);
}

namespace {

// A dense index by id may take this many places per token; beyond, ids are searched.
constexpr uint64_t kDensePlacesPerToken = 4;

}  // namespace

Vocab::Vocab(const std::vector<Entry>& entries) {
  size_t bytes = 0;
  for (const Entry& entry : entries) bytes += entry.first.size();
  if (bytes > std::numeric_limits<uint32_t>::max() ||
      entries.size() >= std::numeric_limits<uint32_t>::max() / 4) {
    throw Error(Code::kTooLarge, "the vocabulary has more than 4 GiB of text");
  }
  text_.reserve(bytes);
  offsets_.reserve(entries.size() + 1);
  ids_.reserve(entries.size());
  offsets_.push_back(0);
  slots_.resize(std::bit_ceil(std::max<size_t>(entries.size() * 2, 2)));
  for (const auto& [token, id] : entries) Insert(token, id);
  IndexIds();
}

size_t Vocab::FindSlot(std::string_view token, uint32_t tag) const {
  size_t mask = slots_.size() - 1;
  size_t slot = tag & mask;
  while (slots_[slot].entry != 0) {
    if (slots_[slot].tag == tag && TokenAt(slots_[slot].entry - 1) == token) break;
    slot = (slot + 1) & mask;
  }
  return slot;
}

void Vocab::Insert(std::string_view token, uint32_t id) {
  auto tag = static_cast<uint32_t>(HashToken(token) >> 32);
  Slot& slot = slots_[FindSlot(token, tag)];
  if (slot.entry != 0) {
    ids_[slot.entry - 1] = id;
    return;
  }
  text_ += token;
  offsets_.push_back(static_cast<uint32_t>(text_.size()));
  ids_.push_back(id);
  slot = {tag, static_cast<uint32_t>(ids_.size())};
  longest_token_bytes_ = std::max(longest_token_bytes_, token.size());
}

void Vocab::IndexIds() {
  by_id_.resize(ids_.size());
  std::iota(by_id_.begin(), by_id_.end(), 0u);
  std::stable_sort(by_id_.begin(), by_id_.end(),
                   [&](uint32_t a, uint32_t b) { return ids_[a] < ids_[b]; });
  if (ids_.empty()) return;
  uint64_t places = uint64_t{ids_[by_id_.back()]} + 1;
  if (places > kDensePlacesPerToken * ids_.size()) return;
  dense_.assign(places, 0);
  for (uint32_t entry : by_id_) dense_[ids_[entry]] = entry + 1;
}

std::optional<uint32_t> Vocab::FindId(std::string_view token) const {
  if (token.size() > longest_token_bytes_) return std::nullopt;
  auto tag = static_cast<uint32_t>(HashToken(token) >> 32);
  uint32_t entry = slots_[FindSlot(token, tag)].entry;
  if (entry == 0) return std::nullopt;
  return ids_[entry - 1];
}

std::optional<std::string_view> Vocab::FindToken(uint32_t id) const {
  if (!dense_.empty()) {
    if (id >= dense_.size() || dense_[id] == 0) return std::nullopt;
    return TokenAt(dense_[id] - 1);
  }
  auto after =
      std::upper_bound(by_id_.begin(), by_id_.end(), id,
                       [&](uint32_t value, uint32_t entry) { return value < ids_[entry]; });
  if (after == by_id_.begin() || ids_[*(after - 1)] != id) return std::nullopt;
  return TokenAt(*(after - 1));
}

void Vocab::ForEachId(const std::function<void(std::string_view, uint32_t)>& visit) const {
  for (size_t i = 0; i < by_id_.size(); ++i) {
    uint32_t id = ids_[by_id_[i]];
    if (i + 1 < by_id_.size() && ids_[by_id_[i + 1]] == id) continue;
    visit(TokenAt(by_id_[i]), id);
  }
}

void Vocab::ForEachToken(const std::function<void(std::string_view, uint32_t)>& visit) const {
  for (uint32_t entry : by_id_) visit(TokenAt(entry), ids_[entry]);
}

Vocab ParseVocab(const Json& object) {
  const Json::Object* members = object.AsObject();
  if (members == nullptr) throw Error(Code::kInvalidArgument, "\"vocab\" must be an object");
  std::vector<Vocab::Entry> entries;
  entries.reserve(members->size());
  for (const auto& [token, value] : *members) {
    std::optional<uint64_t> id = value.is_int() ? value.AsUint() : std::nullopt;
    if (!id || *id > std::numeric_limits<uint32_t>::max()) {
      throw Error(Code::kInvalidArgument,
                  "the id of the token \"" + token + "\" is not an unsigned 32-bit integer");
    }
    entries.emplace_back(token, static_cast<uint32_t>(*id));
  }
  return Vocab(entries);
}

Json VocabToJson(const Vocab& vocab) {
  Json::Object members;
  members.reserve(vocab.size());
  vocab.ForEachId([&](std::string_view token, uint32_t id) { members.emplace_back(token, id); });
  return Json(std::move(members));
}

}  // namespace hearth::tokenizers
