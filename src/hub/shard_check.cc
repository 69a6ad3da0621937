#include "hub/internal/shard_check.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/error.h"
#include "hub/internal/xet_coverage.h"

namespace hearth::hub {
namespace {

using storage::XetHash;

// Of one file, as for LFS.
constexpr uint64_t kMaxFileBytes = 500'000'000'000;
// Of one shard: a short list of terms may repeat a xorb of 8192 tiny chunks without end. 500 GB in
// chunks of the usual size are 8 million.
constexpr uint64_t kMaxChunksPerShard = 64'000'000;
// They become rows of one transaction, which holds up every other writer. Clients send some
// hundred.
constexpr size_t kMaxFilesPerShard = 200'000;

[[noreturn]] void NotUploaded(const std::string& what) {
  throw Error(Code::kInvalidArgument,
              "the shard names " + what +
                  ", which was not uploaded. A client that remembers an older upload should clear "
                  "its Xet cache");
}

[[noreturn]] void Lie(const XetHash& file, const std::string& what) {
  throw Error(Code::kInvalidArgument, "the shard's file " + file.Text() + ": " + what);
}

// Terms that touch become one: every reader of the file pays for each of them, and a sender may
// have cut it into single chunks.
void AppendTerm(const storage::XetTerm& term, std::vector<storage::XetTerm>* terms) {
  bool touches = !terms->empty() && terms->back().xorb == term.xorb &&
                 terms->back().chunk_end == term.chunk_start;
  if (!touches) {
    terms->push_back(term);
    return;
  }
  // Both lie in one xorb, so the sum is at most its 64 MiB.
  terms->back().unpacked_bytes += term.unpacked_bytes;
  terms->back().chunk_end = term.chunk_end;
}

}  // namespace

ShardCheck::Named ShardCheck::Find(const XetHash& xorb) {
  auto [usable, is_new] = usable_.try_emplace(xorb);
  if (is_new) usable->second = sender_.find_xorb(xorb);
  const std::optional<Sender::Usable>& known = usable->second;
  storage::XorbIndexPtr index = known ? index_.xorbs().FindIndex(known->form) : nullptr;
  if (!index) NotUploaded("the xorb " + xorb.Text());
  bool all = known->chunks.empty();
  if (!all && known->chunks.size() != index->chunks.size()) NotUploaded("the xorb " + xorb.Text());
  return {known->form, std::move(index), all ? nullptr : &known->chunks};
}

XetIndex::NewFile ShardCheck::CheckFile(const storage::ShardFile& file) {
  if (!file.has_verification && !file.terms.empty()) Lie(file.hash, "no verification hashes");
  XetIndex::NewFile result{file.hash, 0, {}, file.sha256, {}};
  // The stock client hashes only what it sends, so an empty file comes with zeros.
  if (file.terms.empty() && file.sha256 == Sha256()) result.sha256 = Sha256Of("");
  result.terms.reserve(file.terms.size());
  storage::MerkleAggregator merkle;
  for (const storage::ShardTerm& term : file.terms) {
    const auto [form, index, known] = Find(term.xorb);
    // Before anything is compared: a right guess of others' chunks gets the same answer as a wrong
    // one.
    for (size_t i = term.chunk_start; known && i < std::min<size_t>(term.chunk_end, known->size());
         ++i) {
      if (!(*known)[i]) NotUploaded("a chunk of the xorb " + term.xorb.Text());
    }
    storage::CheckShardTerm(term, *index);
    chunks_walked_ += term.chunk_end - term.chunk_start;
    if (chunks_walked_ > kMaxChunksPerShard) {
      throw Error(Code::kTooLarge, "the shard's files have too many chunks");
    }
    for (uint32_t i = term.chunk_start; i < term.chunk_end; ++i) {
      const storage::XorbChunk& chunk = index->chunks[i];
      bool asked_for = merkle.leaves() == 0 || MayBeAskedFor(chunk.hash);
      if (asked_for && dedup_chunks_ < limits_.dedup_chunks) {
        result.chunks.emplace_back(chunk.hash, form);
        ++dedup_chunks_;
      }
      merkle.Add(chunk.hash, chunk.unpacked_bytes);
    }
    AppendTerm({term.xorb, term.unpacked_bytes, term.chunk_start, term.chunk_end, form.number},
               &result.terms);
    if (merkle.total_bytes() > kMaxFileBytes) {
      throw Error(Code::kTooLarge, "files above 500 GB are not possible");
    }
  }
  result.size_bytes = merkle.total_bytes();
  if (merkle.FinishFile() != file.hash) Lie(file.hash, "its chunks have another file hash");
  return result;
}

void ShardCheck::PlanProofs(const std::vector<XetIndex::NewFile>& files) {
  std::set<std::pair<XetHash, Sha256>> planned;
  for (const XetIndex::NewFile& file : files) {
    if (!file.sha256 || !planned.emplace(file.hash, *file.sha256).second) continue;
    to_prove_.push_back(&file);
    total_bytes_ += file.size_bytes;
    if (total_bytes_ > limits_.proved_bytes) {
      throw Error(Code::kTooLarge, "the shard's files are too large together: send fewer at once");
    }
  }
}

void ShardCheck::ProveContent(const XetIndex::NewFile& file, const Progress& progress) {
  std::optional<XetFile> known = sender_.find_file(file.hash);
  if (known && index_.IsProved(known->id, *file.sha256)) {
    verified_bytes_ += file.size_bytes;
    return;
  }
  auto [hasher, done_bytes] = ahead_.FindLongest(sender_.user_id, file.terms);
  verified_bytes_ += done_bytes;
  storage::XetReader reader(index_.xorbs(), storage::MakeTermSource(file.terms), done_bytes,
                            file.size_bytes);
  std::string piece;
  while (reader.Next(&piece)) {
    hasher.Update(piece);
    verified_bytes_ += piece.size();
    piece.clear();
    progress(verified_bytes_, total_bytes_);
  }
  Sha256 actual = hasher.Finish();
  if (actual != *file.sha256) {
    Lie(file.hash, "its content has the SHA-256 " + actual.Hex() + ", not " + file.sha256->Hex());
  }
}

std::vector<XetIndex::NewFile> ShardCheck::Run(const storage::Shard& shard,
                                               const Progress& progress) {
  for (const storage::ShardXorb& block : shard.xorbs) {
    Named named = Find(block.hash);
    storage::CheckShardXorb(block, *named.index, named.chunks);
  }
  if (shard.files.size() > kMaxFilesPerShard) {
    throw Error(Code::kTooLarge, "a shard may name 200,000 files: send more shards");
  }
  std::vector<XetIndex::NewFile> files;
  files.reserve(shard.files.size());
  for (const storage::ShardFile& file : shard.files) files.push_back(CheckFile(file));
  PlanProofs(files);
  for (const XetIndex::NewFile* file : to_prove_) ProveContent(*file, progress);
  return files;
}

}  // namespace hearth::hub
