#include "tokenizers/vocab.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "tokenizers/internal/page_memory.h"
#include "tokenizers/internal/same_bytes.h"

namespace hearth::tokenizers {
namespace {

// A dense index by id may take this many places per token; beyond, ids are searched.
constexpr uint64_t kDensePlacesPerToken = 4;
// How many tokens ahead the memory of a slot is asked for: enough to hide it, few enough to stay.
constexpr size_t kAhead = 12;

uint64_t Load(const char* at, size_t bytes) {
  uint64_t word = 0;
  std::memcpy(&word, at, bytes);
  return word;
}

// The last 1 to 8 bytes, without a call of memcpy for each size.
uint64_t LoadTail(const char* at, size_t bytes) {
  if (bytes >= 4) {
    return Load(at, 4) | Load(at + bytes - 4, 4) << (8 * (bytes - 4));
  }
  uint64_t low = static_cast<unsigned char>(at[0]);
  uint64_t middle = static_cast<unsigned char>(at[bytes / 2]);
  uint64_t high = static_cast<unsigned char>(at[bytes - 1]);
  return low | middle << (8 * (bytes / 2)) | high << (8 * (bytes - 1));
}

}  // namespace

// Folded 64x64 multiplication over 8-byte words.
uint64_t HashToken(std::string_view text) {
  auto fold = [](uint64_t a, uint64_t b) {
    auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  };
  uint64_t hash = 0x9E3779B97F4A7C15u ^ text.size();
  const char* at = text.data();
  size_t left = text.size();
  for (; left > 8; at += 8, left -= 8) hash = fold(hash ^ Load(at, 8), 0xD6E8FEB86659FD93u);
  uint64_t tail = left > 0 ? LoadTail(at, left) : 0;
  return fold(hash ^ tail, 0xA0761D6478BD642Fu);
}

struct VocabBuilder::Storage {
  internal::PageVector<char> text;
  internal::PageVector<uint32_t> offsets{0};
  internal::PageVector<uint32_t> ids;  // empty while each id is its position
  internal::PageVector<Vocab::Slot> slots;
  internal::PageVector<uint32_t> places;
  bool sparse = false;
};

VocabBuilder::VocabBuilder() : storage_(std::make_shared<Storage>()) {}
VocabBuilder::VocabBuilder(VocabBuilder&&) noexcept = default;
VocabBuilder& VocabBuilder::operator=(VocabBuilder&&) noexcept = default;
VocabBuilder::~VocabBuilder() = default;

void VocabBuilder::Reserve(size_t tokens, size_t text_bytes) {
  storage_->text.reserve(text_bytes);
  storage_->offsets.reserve(tokens + 1);
  tags_.reserve(tokens);
}

size_t VocabBuilder::size() const { return tags_.size(); }

void VocabBuilder::WriteIds() {
  auto& ids = storage_->ids;
  if (!ids.empty()) return;
  ids.reserve(tags_.capacity());
  ids.resize(tags_.size());
  std::iota(ids.begin(), ids.end(), 0u);
}

void VocabBuilder::Add(std::string_view token, uint32_t id) {
  internal::PageVector<char>& text = storage_->text;
  if (text.size() + token.size() > std::numeric_limits<uint32_t>::max() ||
      tags_.size() >= std::numeric_limits<uint32_t>::max() / 4) {
    too_large_ = true;
    return;
  }
  text.insert(text.end(), token.begin(), token.end());
  storage_->offsets.push_back(static_cast<uint32_t>(text.size()));
  if (id != tags_.size() && storage_->ids.empty()) WriteIds();
  if (id != tags_.size() || !storage_->ids.empty()) storage_->ids.push_back(id);
  tags_.push_back(static_cast<uint32_t>(HashToken(token) >> 32));
  longest_ = std::max(longest_, static_cast<uint32_t>(token.size()));
}

TokenTexts VocabBuilder::texts() const {
  return TokenTexts({storage_->text.data(), storage_->text.size()}, storage_->offsets, storage_);
}

Vocab VocabBuilder::Build() {
  if (too_large_) {
    throw Error(Code::kTooLarge, "the vocabulary has more than 4 GiB of text");
  }
  std::vector<bool> again;
  if (!Index(&again)) return BuildDistinct(again);
  IndexIds();
  return Vocab(
      {texts(), storage_->ids, storage_->slots, storage_->places, storage_->sparse, longest_},
      storage_);
}

bool VocabBuilder::Index(std::vector<bool>* again) {
  TokenTexts texts = this->texts();
  size_t count = size();
  auto& slots = storage_->slots;
  slots.assign(std::bit_ceil(count + count / 3 + 2), 0);
  const size_t mask = slots.size() - 1;
  const uint32_t entry_mask = Vocab::EntryMask(count);
  for (size_t i = 0; i < count; ++i) {
    if (i + kAhead < count) __builtin_prefetch(&slots[tags_[i + kAhead] & mask]);
    uint32_t tag = tags_[i];
    size_t at = tag & mask;
    auto is_other = [&](Vocab::Slot slot) {
      return ((slot ^ tag) & ~entry_mask) != 0 ||
             !internal::SameText(texts[(slot & entry_mask) - 1], texts[i]);
    };
    while (slots[at] != 0 && is_other(slots[at])) at = (at + 1) & mask;
    if (slots[at] == 0) {
      slots[at] = (tag & ~entry_mask) | static_cast<uint32_t>(i + 1);
      continue;
    }
    WriteIds();
    storage_->ids[(slots[at] & entry_mask) - 1] = storage_->ids[i];
    again->resize(count);
    (*again)[i] = true;
  }
  return again->empty();
}

Vocab VocabBuilder::BuildDistinct(const std::vector<bool>& again) {
  VocabBuilder distinct;
  distinct.Reserve(size(), storage_->text.size());
  TokenTexts all = texts();
  for (size_t i = 0; i < all.size(); ++i) {
    if (!again[i]) distinct.Add(all[i], storage_->ids[i]);
  }
  return distinct.Build();
}

void VocabBuilder::IndexIds() {
  auto& ids = storage_->ids;
  if (ids.empty()) return;
  uint64_t places = uint64_t{*std::max_element(ids.begin(), ids.end())} + 1;
  storage_->sparse = places > kDensePlacesPerToken * ids.size();
  if (storage_->sparse) {
    storage_->places.resize(ids.size());
    std::iota(storage_->places.begin(), storage_->places.end(), 0u);
    std::stable_sort(storage_->places.begin(), storage_->places.end(),
                     [&](uint32_t a, uint32_t b) { return ids[a] < ids[b]; });
    return;
  }
  storage_->places.assign(places, 0);
  for (size_t i = 0; i < ids.size(); ++i) {
    storage_->places[ids[i]] = static_cast<uint32_t>(i + 1);
  }
}

Vocab::Vocab(const std::vector<Entry>& entries) {
  VocabBuilder builder;
  size_t bytes = 0;
  for (const Entry& entry : entries) bytes += entry.first.size();
  builder.Reserve(entries.size(), bytes);
  for (const auto& [token, id] : entries) builder.Add(token, id);
  *this = builder.Build();
}

Vocab Vocab::FromTables(Tables tables, std::shared_ptr<const void> owner) {
  size_t count = tables.texts.size();
  bool positions = tables.ids.empty() && tables.places.empty() && !tables.sparse;
  bool fits = std::has_single_bit(tables.slots.size()) && tables.slots.size() > count &&
              (positions || tables.ids.size() == count) &&
              (!tables.sparse || tables.places.size() == count);
  if (!fits) throw Error(Code::kInvalidArgument, "the tables of a vocabulary do not fit together");
  return Vocab(std::move(tables), std::move(owner));
}

std::optional<uint32_t> Vocab::FindPosition(std::string_view token, uint64_t hash) const {
  auto tag = static_cast<uint32_t>(hash >> 32);
  size_t mask = tables_.slots.size() - 1;
  // Bounded, for slots that a file says are all taken.
  for (size_t at = SlotOf(hash), probes = 0; probes <= mask; at = (at + 1) & mask, ++probes) {
    const Slot slot = tables_.slots[at];
    const uint32_t position = (slot & entry_mask_) - 1;
    if (slot == 0 || position >= size()) return std::nullopt;
    if (HasTag(slot, tag) && internal::SameText(tables_.texts[position], token)) return position;
  }
  return std::nullopt;
}

std::optional<uint32_t> Vocab::FindId(std::string_view token) const {
  if (token.size() > tables_.longest_token_bytes) return std::nullopt;
  std::optional<uint32_t> position = FindPosition(token, HashToken(token));
  if (!position) return std::nullopt;
  return IdAt(*position);
}

std::optional<std::string_view> Vocab::FindToken(uint32_t id) const {
  std::span<const uint32_t> places = tables_.places;
  if (tables_.ids.empty()) {
    if (id >= size()) return std::nullopt;
    return tables_.texts[id];
  }
  if (!tables_.sparse) {
    if (id >= places.size() || places[id] == 0 || places[id] > size()) return std::nullopt;
    return tables_.texts[places[id] - 1];
  }
  auto id_of = [&](uint32_t position) {
    return position < size() ? IdAt(position) : std::numeric_limits<uint32_t>::max();
  };
  auto after =
      std::upper_bound(places.begin(), places.end(), id,
                       [&](uint32_t value, uint32_t position) { return value < id_of(position); });
  if (after == places.begin() || *(after - 1) >= size() || id_of(*(after - 1)) != id) {
    return std::nullopt;
  }
  return tables_.texts[*(after - 1)];
}

std::vector<uint32_t> Vocab::PositionsById() const {
  std::vector<uint32_t> positions(size());
  std::iota(positions.begin(), positions.end(), 0u);
  std::span<const uint32_t> ids = tables_.ids;
  if (!std::is_sorted(ids.begin(), ids.end())) {
    std::stable_sort(positions.begin(), positions.end(),
                     [&](uint32_t a, uint32_t b) { return ids[a] < ids[b]; });
  }
  return positions;
}

void Vocab::ForEachId(const std::function<void(std::string_view, uint32_t)>& visit) const {
  std::vector<uint32_t> positions = PositionsById();
  for (size_t i = 0; i < positions.size(); ++i) {
    uint32_t id = IdAt(positions[i]);
    if (i + 1 < positions.size() && IdAt(positions[i + 1]) == id) continue;
    visit(tables_.texts[positions[i]], id);
  }
}

void Vocab::ForEachToken(const std::function<void(std::string_view, uint32_t)>& visit) const {
  for (uint32_t position : PositionsById()) visit(tables_.texts[position], IdAt(position));
}

Vocab ParseVocab(const Json& object) {
  const Json::Object* members = object.AsObject();
  if (members == nullptr) throw Error(Code::kInvalidArgument, "\"vocab\" must be an object");
  VocabBuilder builder;
  builder.Reserve(members->size(), members->size() * 8);
  for (const auto& [token, value] : *members) {
    std::optional<uint64_t> id = value.is_int() ? value.AsUint() : std::nullopt;
    if (!id || *id > std::numeric_limits<uint32_t>::max()) {
      throw Error(Code::kInvalidArgument,
                  "the id of the token \"" + token + "\" is not an unsigned 32-bit integer");
    }
    builder.Add(token, static_cast<uint32_t>(*id));
  }
  return builder.Build();
}

Json VocabToJson(const Vocab& vocab) {
  Json::Object members;
  members.reserve(vocab.size());
  vocab.ForEachId([&](std::string_view token, uint32_t id) { members.emplace_back(token, id); });
  return Json(std::move(members));
}

}  // namespace hearth::tokenizers
