// A scratch hub with short ways to make garbage, for the tests of garbage collection and scrub.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hub/gc.h"
#include "hub/internal/scratch_hub_test.h"
#include "hub/xet_upload_fixture.h"

namespace hearth::hub {

// What a killed process looks like from inside.
struct Killed {};

class GcScratchTest : public ScratchHubTest {
 protected:
  GcReport Gc(std::chrono::milliseconds grace = kGcGrace, const GcHooks& hooks = {}) {
    GcOptions options;
    options.grace = grace;
    return RunGc(*hub_, options, hooks);
  }
  GcReport DryGc() {
    GcOptions options;
    options.dry_run = true;
    return RunGc(*hub_, options);
  }
  void PassGrace() { clock_.Advance(kGcGrace + std::chrono::hours(1)); }
  void PassTrash() { clock_.Advance(kGcTrashTime + std::chrono::hours(1)); }

  Sha256 CommitObject(const RepoHandle& repo, const std::string& path, const std::string& bytes,
                      const std::string& revision = "main") {
    Sha256 oid = StoreObject(repo, alice_, bytes);
    CommitFiles(alice_, repo, {CommitLfsFile{path, oid, {}}}, revision);
    return oid;
  }
  // Forgets the history, so that only what main shows now is needed.
  void Squash(const RepoHandle& repo) { hub_->commits().SuperSquash(alice_, repo, "main", ""); }
  void DeleteFile(const RepoHandle& repo, const std::string& path) {
    CommitFiles(alice_, repo, {CommitDelete{path, CommitDelete::Kind::kFile}});
  }
  bool Holds(const RepoHandle& repo, const Sha256& oid) {
    return hub_->objects().FindIn(repo.record(), oid).has_value();
  }
  std::string StoredBytes(const Sha256& oid) {
    if (!hub_->blobs().FindSize(oid)) return "(missing)";
    std::shared_ptr<UniqueFd> fd = hub_->blobs().Open(oid);
    std::string bytes(FileSize(fd->get()), '\0');
    ReadExactAt(fd->get(), 0, bytes.data(), bytes.size());
    return bytes;
  }
  int64_t Count(const std::string& from_where) {
    return hub_->db().ReadValue([&](storage::Connection& c) {
      return c.QueryInt("SELECT COUNT(*) FROM " + from_where).value_or(-1);
    });
  }
  storage::XetHash UploadXet(const XetScope& scope, const std::string& bytes) {
    XetUpload upload;
    storage::XetHash hash = upload.AddFile(bytes).hash;
    upload.Send(hub_->xet(), scope);
    return hash;
  }
  XetScope ScopeOf(const RepoHandle& repo) { return RepoScope(repo.record(), alice_.user_id); }
  // Empty when it cannot be read.
  std::string RebuiltXet(const storage::XetHash& hash) {
    std::optional<XetFile> file = hub_->xet_index().FindFile(hash);
    return file ? Rebuilt(*file) : "";
  }
  std::string Rebuilt(const XetFile& file) {
    storage::XetReader reader = hub_->xet_index().Read(file, 0, file.size_bytes);
    std::string bytes;
    while (reader.Next(&bytes)) {
    }
    return bytes;
  }
  size_t StoredXorbs() {
    size_t count = 0;
    hub_->xet_index().xorbs().ForEach([&](const storage::XorbForm&, uint64_t) { ++count; });
    return count;
  }
  size_t StoredBlobs() {
    size_t count = 0;
    hub_->blobs().ForEach([&](const Sha256&, uint64_t) { ++count; });
    return count;
  }
};

}  // namespace hearth::hub
