#include <utility>

#include "hub/internal/xet_packer.h"

namespace hearth::hub {

using storage::XetHash;

namespace {

// Remembered chunks take about 80 bytes each.
constexpr size_t kMaxPlaces = 500'000;
// Those of others come in between.
constexpr size_t kMaxHits = 64;

}  // namespace

XetPacker::XetPacker(XetIndex& index, const SweepLock& sweep_lock, Coverage coverage)
    : index_(index),
      sweep_lock_(sweep_lock),
      coverage_(std::move(coverage)),
      sink_([this](std::string_view chunk) { Take(chunk); }),
      xorbs_(1) {}

void XetPacker::Feed(std::string_view bytes) {
  draft_.size_bytes += bytes.size();
  chunker_.Feed(bytes, sink_);
}

void XetPacker::End(const Sha256& oid) {
  chunker_.Finish(sink_);
  draft_.hash = std::exchange(merkle_, {}).FinishFile();
  draft_.oid = oid;
  waiting_.push_back(std::exchange(draft_, {}));
}

void XetPacker::Abandon() {
  chunker_ = {};
  merkle_ = {};
  draft_ = {};
}

void XetPacker::Take(std::string_view chunk) {
  XetHash hash = storage::HashChunk(chunk);
  bool eligible = merkle_.leaves() == 0 || MayBeAskedFor(hash);
  merkle_.Add(hash, chunk.size());
  const Place* stored = FindStored(hash, eligible);
  Place place = stored ? *stored : Pack(hash, chunk);
  if (eligible) draft_.eligible.emplace_back(hash, place.xorb);
  auto bytes = static_cast<uint32_t>(chunk.size());
  if (!draft_.pieces.empty()) {
    Piece& last = draft_.pieces.back();
    if (last.xorb == place.xorb && last.end == place.position) {
      last.end += 1;
      last.bytes += bytes;
      return;
    }
  }
  draft_.pieces.push_back({place.xorb, place.position, place.position + 1, bytes});
}

const XetPacker::Place* XetPacker::FindStored(const XetHash& hash, bool eligible) {
  if (auto found = places_.find(hash); found != places_.end()) return &found->second;
  if (!eligible) return nullptr;
  for (const StoredXorb& xorb : index_.FindChunk(hash, kMaxHits)) {
    auto form = forms_.find(xorb.hash);
    if (form != forms_.end() && form->second != xorb.form) continue;
    storage::XorbIndexPtr index = index_.xorbs().FindIndex(xorb.Form());
    if (!index) continue;
    XetCoverage known = coverage_(xorb, *index);
    if (!known.MayAskFor(*index, hash) || !index_.RenewLease(xorb.id, 0)) continue;
    auto number = static_cast<uint32_t>(xorbs_.size());
    xorbs_.push_back(xorb.Form());
    forms_.emplace(xorb.hash, xorb.form);
    for (uint32_t i = 0; i < index->chunks.size(); ++i) {
      if (known.chunks[i]) Remember(index->chunks[i].hash, {number, i});
    }
    if (auto found = places_.find(hash); found != places_.end()) return &found->second;
  }
  return nullptr;
}

XetPacker::Place XetPacker::Pack(const XetHash& hash, std::string_view chunk) {
  if (!builder_.Fits(chunk.size())) Flush();
  Place place{open_, builder_.Add(hash, chunk)};
  Remember(hash, place);
  return place;
}

void XetPacker::Remember(const XetHash& hash, Place place) {
  if (places_.size() >= kMaxPlaces) places_.clear();
  places_.try_emplace(hash, place);
}

void XetPacker::Flush() {
  if (builder_.empty()) return;
  storage::XorbBuilder::Built built = builder_.Finish();
  // Between the file and the row that vouches for it the collector must not come.
  SweepLock::Guard guard = sweep_lock_.Shared();
  storage::XorbStore::Put stored = index_.xorbs().PutBuilt(built);
  if (stored.inserted) stored_bytes_ += built.body.size();
  index_.AddXorb(*stored.index, 0, stored.form);
  xorbs_[open_] = stored.Form();
  forms_.emplace(stored.index->hash, stored.form);
  open_ = static_cast<uint32_t>(xorbs_.size());
  xorbs_.emplace_back();
}

bool XetPacker::IsComplete(const Draft& draft) const {
  for (const Piece& piece : draft.pieces) {
    if (piece.xorb == open_) return false;
  }
  return true;
}

XetIndex::NewFile XetPacker::Resolve(const Draft& draft) const {
  XetIndex::NewFile file;
  file.hash = draft.hash;
  file.size_bytes = draft.size_bytes;
  file.sha256 = draft.oid;
  for (const Piece& piece : draft.pieces) {
    const storage::XorbForm& xorb = xorbs_[piece.xorb];
    file.terms.push_back({xorb.hash, piece.bytes, piece.start, piece.end, xorb.number});
  }
  for (const auto& [chunk, xorb] : draft.eligible) file.chunks.emplace_back(chunk, xorbs_[xorb]);
  return file;
}

std::vector<XetIndex::NewFile> XetPacker::TakeComplete() {
  std::vector<XetIndex::NewFile> complete;
  std::vector<Draft> left;
  for (Draft& draft : waiting_) {
    if (IsComplete(draft)) {
      complete.push_back(Resolve(draft));
    } else {
      left.push_back(std::move(draft));
    }
  }
  waiting_ = std::move(left);
  return complete;
}

}  // namespace hearth::hub
