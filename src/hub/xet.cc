#include "hub/xet.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/random.h"
#include "hub/internal/disk_reserve.h"
#include "hub/internal/shard_check.h"
#include "hub/internal/xet_ahead.h"
#include "hub/internal/xet_coverage.h"

namespace hearth::hub {
namespace {

using storage::XetHash;

// Clients keep a dedup answer until it expires and then upload without asking: shorter than the
// grace of garbage collection, which begins with the answer.
constexpr std::chrono::hours kDedupAnswerLifetime{24 * 14};
// Those that the caller may not know come in between.
constexpr size_t kMaxXorbsPerChunk = 256;
// Of those that the caller may know of: each costs reading the terms of files, and the first has it
// nearly always.
constexpr size_t kMaxLooks = 16;
// In a dedup answer: 0.8 MB, the description of about 1 GB.
constexpr size_t kMaxAnswerChunks = 16 << 10;
constexpr size_t kMaxCompanions = 32;
// That are looked at for the chunks of one xorb which a caller may read; more cost only
// deduplication.
constexpr size_t kMaxReadableFiles = 64;
// The same for a shard that names the xorb: more, as what was told while some of them could not be
// read should stay usable.
constexpr size_t kMaxNamedFiles = 1024;

[[noreturn]] void NoAccess() {
  throw Error(Code::kForbidden,
              "This Xet token gives no access (any more): ask the hub for a new one");
}

// Kept twice, in the database and beside the xorbs: when either was wiped or comes from elsewhere,
// the store is another one. Who restores a backup removes the file.
std::string LoadOrMakeStoreId(storage::Database& db, const std::filesystem::path& file) {
  std::optional<std::string> known = db.ReadValue([](storage::Connection& c) {
    return c.QueryOne("SELECT value FROM meta WHERE key = 'xet_store_id'", {},
                      [](const storage::Row& row) { return row.Str(0); });
  });
  if (known && std::filesystem::exists(file) && ReadFile(file, 64) == *known) return *known;
  std::string made = NewObjectId();
  WriteFileDurably(file, made);
  db.Write([&](storage::Connection& c) {
    c.Exec(
        "INSERT INTO meta (key, value) VALUES ('xet_store_id', ?) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        {made});
  });
  return made;
}

}  // namespace

struct Xet::Impl {
  Parts parts;
  BucketGate bucket_gate;
  std::string store_id;
  storage::Blake3Key dedup_key;
  XetAhead ahead;

  Impl(const Parts& p, std::string_view secret)
      : parts(p),
        store_id(LoadOrMakeStoreId(p.db, p.store_id_file)),
        ahead(p.index.xorbs(), p.clock) {
    std::string key = HmacSha256(secret, "xet-dedup " + store_id);
    std::copy(key.begin(), key.end(), dedup_key.begin());
  }

  std::optional<Actor> ActorOf(const XetScope& scope) const;
  bool TokenStands(const XetScope& scope) const;
  void CheckRoom() const;
  bool MayUseBucket(int64_t bucket_id, int64_t user_id, bool write) const {
    return bucket_gate && bucket_gate(bucket_id, user_id, write);
  }
  bool HasSent(const XetScope& scope, int64_t xorb_id) const {
    return scope.user_id != 0 && parts.index.HasUploaded(xorb_id, scope.user_id);
  }
  bool IsVisible(const XetScope& scope, const StoredXorb& xorb) const;
  // Files with parts of the xorb that the scope's user may read, the oldest `most` of them.
  std::vector<XetFile> ReadableFiles(const XetScope& scope, int64_t xorb_id, size_t most) const;
  // Of a xorb that is visible in the scope (the caller has asked), its lease renewed, chunks that
  // the user may not read made unknowable. With `wanted`, nullopt when none of the user's files
  // lets one ask for it.
  struct Description {
    storage::ShardXorb block;
    std::optional<XetFile> newest;  // of the files that the user may read
  };
  std::optional<Description> Describe(const XetScope& scope, const StoredXorb& xorb,
                                      const XetHash* wanted) const;
  // Other xorbs of the file, in its order, from a little before this one on.
  std::vector<storage::XorbForm> Companions(const XetFile& file,
                                            const storage::XorbForm& xorb) const;
  bool HolderUses(const XetScope& scope, int64_t xorb_id) const;
  bool MayRead(const Actor& actor, XetHolder kind, int64_t id) const;
  bool OthersShow(const XetScope& scope, int64_t xorb_id) const;
  using PutBody = std::function<storage::XorbStore::Put(storage::XorbStore::KnownForm)>;
  bool Store(const XetScope& scope, const XetHash& hash, const PutBody& put);
  // The form that the scope knows best: what its repository or bucket has, what its user has sent,
  // what its user may read. `sound`: of those whose bodies are stored and not in quarantine.
  std::optional<StoredXorb> FindVisible(const XetScope& scope, const XetHash& hash,
                                        bool sound = false) const;
  // The same of those that are stored, for a shard: its lease renewed, and the chunks that its user
  // has sent, or may read in some file.
  std::optional<ShardCheck::Sender::Usable> FindUsable(const XetScope& scope,
                                                       const XetHash& hash) const;
  // A file with this hash that some repository or bucket shows to the scope's user.
  std::optional<XetFile> FindReadable(const XetScope& scope, const XetHash& hash) const;
  void Commit(const XetScope& scope, const std::vector<XetIndex::NewFile>& files);
};

Xet::Xet(const Parts& parts, std::string_view secret)
    : index_(parts.index), impl_(std::make_unique<Impl>(parts, secret)) {}
Xet::~Xet() = default;

void Xet::SetBucketGate(BucketGate gate) { impl_->bucket_gate = std::move(gate); }
const std::string& Xet::store_id() const { return impl_->store_id; }

// --- rights

// The person, not the token: what the token could do is written in the scope.
std::optional<Actor> Xet::Impl::ActorOf(const XetScope& scope) const {
  if (scope.user_id == 0) return Actor{};
  return parts.accounts.ActorOf(scope.user_id);
}

// From memory.
bool Xet::Impl::TokenStands(const XetScope& scope) const {
  if (scope.token_id == 0) return true;
  Actor holder;
  holder.via = Actor::Via::kToken;
  holder.user_id = scope.user_id;
  holder.token_id = scope.token_id;
  std::optional<TokenInfo> token = parts.accounts.TokenOf(holder);
  return token && (!token->expires_at || *token->expires_at > parts.clock.Now());
}

void Xet::CheckScope(const XetScope& scope) const {
  if (!impl_->TokenStands(scope)) NoAccess();
  if (scope.holder == XetHolder::kBucket) {
    if (!impl_->MayUseBucket(scope.holder_id, scope.user_id, scope.may_write)) NoAccess();
    return;
  }
  std::optional<Actor> actor = impl_->ActorOf(scope);
  Right needed = scope.may_write ? Right::kWrite : Right::kReadContent;
  if (!actor || !impl_->parts.repos.May(*actor, scope.holder_id, needed)) NoAccess();
}

// The repository or bucket of the scope has a file with a part of the xorb.
bool Xet::Impl::HolderUses(const XetScope& scope, int64_t xorb_id) const {
  return parts.db.ReadValue([&](storage::Connection& c) {
    if (c.QueryInt("SELECT 1 FROM xet_file_xorbs x JOIN xet_holders h ON h.file_id = x.file_id "
                   "WHERE x.xorb_id = ? AND h.kind = ? AND h.holder_id = ? LIMIT 1",
                   {xorb_id, static_cast<int>(scope.holder), scope.holder_id})) {
      return true;
    }
    std::string_view sql =
        scope.holder == XetHolder::kRepo
            ? "SELECT 1 FROM xet_file_xorbs x JOIN shown_files s ON s.file_id = x.file_id "
              "WHERE x.xorb_id = ? AND s.repo_id = ? LIMIT 1"
            : "SELECT 1 FROM xet_file_xorbs x JOIN bucket_files b ON b.file_id = x.file_id "
              "WHERE x.xorb_id = ? AND b.bucket_id = ? LIMIT 1";
    return c.QueryInt(sql, {xorb_id, scope.holder_id}).has_value();
  });
}

bool Xet::Impl::MayRead(const Actor& actor, XetHolder kind, int64_t id) const {
  return kind == XetHolder::kRepo ? parts.repos.May(actor, id, Right::kReadContent)
                                  : MayUseBucket(id, actor.user_id, false);
}

// Somebody else's repository or bucket has one, and the scope's user may read it there.
bool Xet::Impl::OthersShow(const XetScope& scope, int64_t xorb_id) const {
  std::optional<Actor> actor = scope.whole_user ? ActorOf(scope) : Actor{};
  if (!actor) return false;
  std::vector<int64_t> repos;
  std::vector<int64_t> buckets;
  parts.db.Read([&](storage::Connection& c) {
    repos = c.QueryInts(
        "SELECT DISTINCT s.repo_id FROM xet_file_xorbs x "
        "JOIN shown_files s ON s.file_id = x.file_id WHERE x.xorb_id = ?",
        {xorb_id});
    buckets = c.QueryInts(
        "SELECT DISTINCT b.bucket_id FROM xet_file_xorbs x "
        "JOIN bucket_files b ON b.file_id = x.file_id WHERE x.xorb_id = ?",
        {xorb_id});
  });
  auto reads = [&](XetHolder kind) {
    return [&, kind](int64_t id) { return MayRead(*actor, kind, id); };
  };
  return std::any_of(repos.begin(), repos.end(), reads(XetHolder::kRepo)) ||
         std::any_of(buckets.begin(), buckets.end(), reads(XetHolder::kBucket));
}

bool Xet::Impl::IsVisible(const XetScope& scope, const StoredXorb& xorb) const {
  return HasSent(scope, xorb.id) || HolderUses(scope, xorb.id) || OthersShow(scope, xorb.id);
}

std::optional<StoredXorb> Xet::Impl::FindVisible(const XetScope& scope, const XetHash& hash,
                                                 bool sound) const {
  std::vector<StoredXorb> forms = parts.index.FindXorbs(hash);
  if (sound) {
    std::erase_if(forms, [&](const StoredXorb& form) {
      return parts.index.xorbs().FindIndex(form.Form()) == nullptr;
    });
  }
  auto first = [&](auto knows) -> std::optional<StoredXorb> {
    auto found = std::find_if(forms.begin(), forms.end(), knows);
    return found == forms.end() ? std::nullopt : std::optional(*found);
  };
  auto held = first([&](const StoredXorb& form) { return HolderUses(scope, form.id); });
  if (held) return held;
  auto sent = first([&](const StoredXorb& form) { return HasSent(scope, form.id); });
  if (sent) return sent;
  return first([&](const StoredXorb& form) { return OthersShow(scope, form.id); });
}

std::optional<XetFile> Xet::Impl::FindReadable(const XetScope& scope, const XetHash& hash) const {
  if (hash.IsZero()) return std::nullopt;  // the empty file, which everybody has
  std::optional<Actor> actor = scope.whole_user ? ActorOf(scope) : Actor{};
  if (!actor) return std::nullopt;
  for (const XetIndex::Place& place : parts.index.FindPlaces(hash)) {
    if (MayRead(*actor, place.kind, place.holder_id)) return place.file;
  }
  return std::nullopt;
}

static void RequireWrite(const XetScope& scope) {
  if (!scope.may_write) {
    throw Error(Code::kForbidden, "This Xet token may only read: uploads need a write token");
  }
}

// --- upload

bool Xet::Impl::Store(const XetScope& scope, const XetHash& hash, const PutBody& put) {
  RequireWrite(scope);
  SweepLock::Guard guard = parts.sweep_lock.Shared();
  std::optional<StoredXorb> known = FindVisible(scope, hash);
  storage::XorbStore::Put stored =
      put(known ? storage::XorbStore::KnownForm(known->form) : std::nullopt);
  parts.index.AddXorb(*stored.index, scope.user_id, stored.form);
  return !known;
}

bool Xet::PutXorb(const XetScope& scope, const XetHash& hash, TempFile body) {
  return impl_->Store(scope, hash, [&](storage::XorbStore::KnownForm known) {
    return index_.xorbs().PutUploaded(std::move(body), hash, known);
  });
}

struct XorbArrival::Impl {
  // Buckets' files are not named by SHA-256.
  Impl(XetAhead& ahead, const XetScope& scope, const XetHash& xorb)
      : hash(xorb),
        content(scope.holder == XetHolder::kRepo
                    ? std::make_unique<XetAhead::Arrival>(ahead, scope, xorb)
                    : nullptr),
        validator(content.get()) {}

  XetHash hash;
  std::unique_ptr<XetAhead::Arrival> content;
  storage::XorbValidator validator;
  std::optional<Error> fault;
};

XorbArrival::XorbArrival(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
XorbArrival::~XorbArrival() = default;

void XorbArrival::Take(std::string_view bytes) {
  if (impl_->fault) return;
  try {
    impl_->validator.Feed(bytes);
  } catch (const Error& error) {
    impl_->fault = error;
  }
}

void Xet::Impl::CheckRoom() const {
  if (!HasRoom(parts.index.xorbs().temp_folder(), parts.reserve_bytes)) {
    throw Error(Code::kInsufficientStorage, "The server's disk is nearly full: uploads must wait");
  }
}

std::unique_ptr<XorbArrival> Xet::Receive(const XetScope& scope, const XetHash& hash) {
  impl_->CheckRoom();
  return std::unique_ptr<XorbArrival>(
      new XorbArrival(std::make_unique<XorbArrival::Impl>(impl_->ahead, scope, hash)));
}

bool Xet::PutXorb(const XetScope& scope, XorbArrival& arrival, TempFile body) {
  XorbArrival::Impl& seen = *arrival.impl_;
  if (seen.fault) throw *seen.fault;
  storage::XorbIndex index = seen.validator.Finish(seen.hash);
  storage::XorbStore::Put stored;
  bool is_new = impl_->Store(scope, seen.hash, [&](storage::XorbStore::KnownForm known) {
    stored = index_.xorbs().PutChecked(std::move(body), std::move(index), known);
    return stored;
  });
  if (seen.content) seen.content->Finish(*stored.index, stored.form);
  return is_new;
}

std::optional<StoredXorb> Xet::HoldsXorb(const XetScope& scope, const XetHash& hash) {
  RequireWrite(scope);
  std::optional<StoredXorb> xorb = impl_->FindVisible(scope, hash, true);
  if (!xorb || !index_.RenewLease(xorb->id, scope.user_id)) return std::nullopt;
  impl_->ahead.Skip(scope);
  return xorb;
}

std::optional<ShardCheck::Sender::Usable> Xet::Impl::FindUsable(const XetScope& scope,
                                                                const XetHash& hash) const {
  std::optional<StoredXorb> xorb = FindVisible(scope, hash, true);
  if (!xorb) return std::nullopt;
  bool all = HasSent(scope, xorb->id);
  if (!parts.index.RenewLease(xorb->id, scope.user_id)) return std::nullopt;
  if (all) return ShardCheck::Sender::Usable{xorb->Form()};
  storage::XorbIndexPtr index = parts.index.xorbs().FindIndex(xorb->Form());
  if (!index) return std::nullopt;
  std::vector<XetFile> files = ReadableFiles(scope, xorb->id, kMaxNamedFiles);
  XetCoverage known = CoverageOf(parts.index, files, *xorb, index->chunks.size(), false);
  return ShardCheck::Sender::Usable{xorb->Form(), std::move(known.chunks)};
}

bool Xet::RegisterShard(const XetScope& scope, std::string_view bytes, const Progress& progress) {
  RequireWrite(scope);
  storage::Shard shard = storage::ParseShard(bytes);
  ShardCheck::Sender sender;
  sender.user_id = scope.user_id;
  sender.find_xorb = [&](const XetHash& hash) { return impl_->FindUsable(scope, hash); };
  sender.find_file = [&](const XetHash& hash) { return FindFile(scope, hash); };
  ShardCheck check(index_, impl_->ahead, sender);
  std::vector<XetIndex::NewFile> files = check.Run(shard, progress);
  // As with xorbs: that somebody else has the file is not told.
  bool is_new = std::any_of(files.begin(), files.end(), [&](const XetIndex::NewFile& file) {
    return !FindFile(scope, file.hash);
  });
  impl_->Commit(scope, files);
  impl_->ahead.EndSession(scope);
  return is_new;
}

void Xet::Impl::Commit(const XetScope& scope, const std::vector<XetIndex::NewFile>& files) {
  std::vector<std::optional<XetFile>> readable;
  readable.reserve(files.size());
  for (const XetIndex::NewFile& file : files) readable.push_back(FindReadable(scope, file.hash));
  bool is_news = false;
  parts.db.Write([&](storage::Connection& c) {
    is_news = false;
    for (size_t i = 0; i < files.size(); ++i) {
      const XetIndex::NewFile& file = files[i];
      bool is_object = file.sha256 && scope.holder == XetHolder::kRepo;
      bool was_held = false;
      if (is_object) {
        was_held = parts.objects.IsGrantedIn(c, scope.holder_id, *file.sha256);
        parts.objects.GrantIn(c, scope.holder_id, scope.user_id, *file.sha256, file.size_bytes);
      } else if (file.sha256) {
        parts.objects.AddIn(c, *file.sha256, file.size_bytes);
      }
      std::optional<XetFile> known =
          parts.index.FindFileOf(c, scope.holder, scope.holder_id, file.hash);
      XetFile stored = parts.index.AddFile(c, file, known ? known : readable[i]);
      if (is_object) {
        bool is_new = parts.index.Show(c, scope.holder_id, *file.sha256, stored.id);
        is_news = is_news || (is_new && was_held);
      } else {
        parts.index.AddHolder(c, scope.holder, scope.holder_id, stored.id, scope.user_id);
      }
    }
  });
  // Remembered answers about a file that the repository had otherwise do not know of its Xet form.
  if (is_news) parts.repos.Touch(scope.holder_id, [](RepoRecord&) {});
  for (const XetIndex::NewFile& file : files) parts.index.RememberChunks(file);
}

// --- deduplication and reading

std::vector<XetFile> Xet::Impl::ReadableFiles(const XetScope& scope, int64_t xorb_id,
                                              size_t most) const {
  std::optional<Actor> actor = scope.whole_user ? ActorOf(scope) : Actor{};
  std::map<std::pair<XetHolder, int64_t>, bool> readable;
  auto may_read = [&](XetHolder kind, int64_t id) {
    auto [known, is_new] = readable.try_emplace({kind, id}, false);
    if (!is_new) return known->second;
    known->second =
        (kind == scope.holder && id == scope.holder_id) || (actor && MayRead(*actor, kind, id));
    return known->second;
  };
  struct Use {
    int64_t file_id;
    XetHolder kind;
    int64_t holder_id;
  };
  std::vector<Use> uses;
  parts.db.Read([&](storage::Connection& c) {
    c.Query(
        "SELECT x.file_id, 0, s.repo_id FROM xet_file_xorbs x "
        "JOIN shown_files s ON s.file_id = x.file_id WHERE x.xorb_id = ? UNION "
        "SELECT x.file_id, 1, b.bucket_id FROM xet_file_xorbs x "
        "JOIN bucket_files b ON b.file_id = x.file_id WHERE x.xorb_id = ? UNION "
        "SELECT x.file_id, h.kind, h.holder_id FROM xet_file_xorbs x "
        "JOIN xet_holders h ON h.file_id = x.file_id "
        "WHERE x.xorb_id = ? AND h.kind = ? AND h.holder_id = ? ORDER BY 1",
        {xorb_id, xorb_id, xorb_id, static_cast<int>(scope.holder), scope.holder_id},
        [&](const storage::Row& row) {
          uses.push_back({row.Int(0), static_cast<XetHolder>(row.Int(1)), row.Int(2)});
        });
  });
  std::set<int64_t> chosen;
  std::vector<XetFile> files;
  for (const Use& use : uses) {
    if (files.size() == most) break;
    if (chosen.contains(use.file_id) || !may_read(use.kind, use.holder_id)) continue;
    chosen.insert(use.file_id);
    if (std::optional<XetFile> file = parts.index.FindFileById(use.file_id)) files.push_back(*file);
  }
  return files;
}

// A xorb may hold parts of a file that the caller reads beside parts of others: those stay in their
// places, since terms count them, with hashes that nothing has and their bytes shared out evenly.
static void HideChunks(const std::vector<bool>& readable, storage::ShardXorb& block) {
  std::vector<storage::ShardChunk>& chunks = block.chunks;
  for (size_t begin = 0; begin < chunks.size();) {
    size_t end = begin;
    while (end < chunks.size() && !readable[end]) ++end;
    uint32_t at = chunks[begin].unpacked_start;
    uint32_t stop = end < chunks.size() ? chunks[end].unpacked_start : block.unpacked_bytes;
    for (size_t i = begin; i < end; ++i) {
      uint32_t bytes = (stop - at) / static_cast<uint32_t>(end - i);
      chunks[i] = {XetHash::FromRaw(RandomBytes(XetHash::kBytes)), at, bytes, false};
      at += bytes;
    }
    begin = end + 1;
  }
}

std::optional<Xet::Impl::Description> Xet::Impl::Describe(const XetScope& scope,
                                                          const StoredXorb& xorb,
                                                          const XetHash* wanted) const {
  storage::XorbIndexPtr index = parts.index.xorbs().FindIndex(xorb.Form());
  if (!index) return std::nullopt;
  std::vector<XetFile> files = ReadableFiles(scope, xorb.id, kMaxReadableFiles);
  // What the index of chunks has is entered by all files of the store: one that the user may not
  // read must not make a chunk be found.
  XetCoverage coverage = CoverageOf(parts.index, files, xorb, index->chunks.size());
  if (wanted != nullptr && !coverage.MayAskFor(*index, *wanted)) return std::nullopt;
  if (!parts.index.RenewLease(xorb.id, scope.user_id)) return std::nullopt;
  Description description{storage::DescribeXorb(*index), std::nullopt};
  if (!HasSent(scope, xorb.id)) HideChunks(coverage.chunks, description.block);
  if (!files.empty()) description.newest = files.back();
  return description;
}

std::vector<storage::XorbForm> Xet::Impl::Companions(const XetFile& file,
                                                     const storage::XorbForm& xorb) const {
  // An edit may have moved what the client is going to ask for.
  constexpr size_t kBefore = 8;
  std::vector<storage::XorbForm> found;
  std::set<storage::XorbForm> seen{xorb};
  bool passed = false;
  std::shared_ptr<const storage::TermSource> terms = parts.index.TermsOf(file);
  for (uint64_t at = 0; at < file.size_bytes && found.size() < kMaxCompanions;) {
    auto segment = terms->SegmentAt(at);
    for (const storage::XetTerm& term : segment->terms) {
      passed = passed || term.Form() == xorb;
      if (!seen.insert(term.Form()).second) continue;
      if (!passed && found.size() == kBefore) found.erase(found.begin());
      if (found.size() < kMaxCompanions) found.push_back(term.Form());
    }
    at = segment->EndOffset();
  }
  return found;
}

void Xet::NoteAsked(const XetHash& chunk) { impl_->ahead.NoteAsked(chunk); }

std::optional<std::string> Xet::FindChunk(const XetScope& scope, const XetHash& chunk) {
  size_t looks = kMaxLooks;
  for (const StoredXorb& xorb : index_.FindChunk(chunk, kMaxXorbsPerChunk)) {
    if (!impl_->IsVisible(scope, xorb)) continue;
    if (looks-- == 0) break;
    std::optional<Impl::Description> match = impl_->Describe(scope, xorb, &chunk);
    if (!match) continue;
    size_t chunks = match->block.chunks.size();
    std::vector<storage::ShardXorb> blocks{std::move(match->block)};
    for (const storage::XorbForm& form : impl_->Companions(*match->newest, xorb.Form())) {
      if (chunks >= kMaxAnswerChunks) break;
      std::optional<StoredXorb> companion = index_.FindXorb(form);
      if (!companion || !impl_->IsVisible(scope, *companion)) continue;
      std::optional<Impl::Description> other = impl_->Describe(scope, *companion, nullptr);
      if (!other || chunks + other->block.chunks.size() > kMaxAnswerChunks) continue;
      chunks += other->block.chunks.size();
      blocks.push_back(std::move(other->block));
    }
    storage::ShardFooter footer;
    footer.hmac_key = impl_->dedup_key;
    footer.created = std::chrono::floor<std::chrono::seconds>(impl_->parts.clock.Now());
    footer.key_expiry = footer.created + kDedupAnswerLifetime;
    return storage::WriteDedupShard(blocks, footer);
  }
  return std::nullopt;
}

std::optional<XetFile> Xet::FindFile(const XetScope& scope, const XetHash& hash) const {
  return index_.FindFileOf(scope.holder, scope.holder_id, hash);
}

}  // namespace hearth::hub
