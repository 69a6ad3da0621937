// A hub in a scratch folder with two users, for the tests of this component.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "base/random.h"
#include "hub/hub.h"

namespace hearth::hub {

class ScratchHubTest : public ::testing::Test {
 protected:
  ScratchHubTest()
      : root_(std::filesystem::temp_directory_path() / ("hearth-hub-" + HexEncode(RandomBytes(8)))),
        clock_(FromUnixMillis(1'750'000'000'000)) {
    Reopen();
    alice_ = MakeUser("Alice");
    bob_ = MakeUser("bob");
  }
  ~ScratchHubTest() override {
    hub_.reset();
    std::filesystem::remove_all(root_);
  }

  // What a new process would see.
  void Reopen() {
    hub_.reset();
    hub_ = std::make_unique<Hub>(HubOptions{root_, &clock_}, /*exclusive=*/true);
  }

  Actor MakeUser(const std::string& name, TokenRole role = TokenRole::kWrite) {
    AccountPtr user = hub_->accounts().FindByName(name);
    if (!user) user = hub_->accounts().CreateUser(name, "correct horse battery", "", false);
    NewToken token;
    token.name = "t" + HexEncode(RandomBytes(4));
    token.role = role;
    return hub_->accounts().AuthenticateToken(hub_->accounts().CreateToken(user->id, token).second);
  }

  RepoHandle MakeRepo(const Actor& owner, const std::string& name, bool is_private = false,
                      RepoType type = RepoType::kModel) {
    NewRepo repo;
    repo.type = type;
    repo.name = name;
    repo.is_private = is_private;
    return repos().Create(owner, repo);
  }

  Sha256 StoreObject(const RepoHandle& repo, const Actor& pusher, const std::string& bytes) {
    Sha256 oid = Sha256Of(bytes);
    TempFile file(hub_->blobs().temp_folder());
    file.Append(bytes);
    hub_->objects().Store(repo.record().id, pusher.user_id, oid, bytes.size(), std::move(file),
                          oid);
    return oid;
  }

  CommitResult CommitFiles(const Actor& actor, const RepoHandle& repo,
                           std::vector<CommitOperation> operations,
                           const std::string& revision = "main") {
    CommitRequest request;
    request.revision = revision;
    request.summary = "change";
    request.operations = std::move(operations);
    return hub_->commits().Apply(actor, repo, request);
  }

  static storage::GitRepository Git(const RepoHandle& repo) {
    return storage::GitRepository::Open(repo.git_folder());
  }
  static std::string TextAt(const RepoHandle& repo, const std::string& revision,
                            const std::string& path) {
    storage::GitRepository git = Git(repo);
    std::optional<GitOid> commit = git.FindCommit(revision);
    std::optional<storage::TreeEntry> entry = commit ? git.FindEntry(*commit, path) : std::nullopt;
    return entry ? git.ReadBlob(entry->oid) : "(missing)";
  }

  // The error that `action` throws; a failure of the test when it throws none.
  template <typename F>
  static Error ErrorOf(F action) {
    try {
      action();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return Error(Code::kInternal, "nothing was thrown");
  }

  Repos& repos() { return hub_->repos(); }

  std::filesystem::path root_;
  ManualClock clock_;
  std::unique_ptr<Hub> hub_;
  Actor alice_, bob_;
};

}  // namespace hearth::hub
