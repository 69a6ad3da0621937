// For tests: a hub in a temporary folder with one user, and a short way to commit files.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "base/random.h"
#include "hub/hub.h"

namespace hearth::hub {

class HubFixture : public ::testing::Test {
 protected:
  using Files = std::vector<std::pair<std::string, std::string>>;

  HubFixture() : folder_(std::filesystem::temp_directory_path() / ("hearth-hub-" + NewObjectId())) {
    OpenHub();
    ada_ = MakeUser("ada");
  }
  ~HubFixture() override {
    hub_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  void OpenHub() {
    hub_.reset();
    hub_ = std::make_unique<Hub>(HubOptions{.data = folder_, .clock = &clock_}, true);
  }
  Actor MakeUser(const std::string& name) {
    AccountPtr user = hub_->accounts().CreateUser(name, "", "", false);
    NewToken token;
    token.name = "test";
    token.role = TokenRole::kWrite;
    return hub_->accounts().AuthenticateToken(hub_->accounts().CreateToken(user->id, token).second);
  }
  RepoHandle MakeRepo(const Actor& owner, RepoType type, const std::string& name,
                      bool is_private = false) {
    NewRepo repo;
    repo.type = type;
    repo.name = name;
    repo.is_private = is_private;
    return hub_->repos().Create(owner, repo);
  }
  RepoHandle Reopen(const RepoHandle& repo) {
    return hub_->repos().OpenAsSystem(hub_->repos().FindById(repo.record().id));
  }
  CommitLfsFile Upload(const RepoHandle& repo, const std::string& path, const std::string& bytes) {
    TempFile file(hub_->blobs().temp_folder());
    file.Append(bytes);
    Sha256 id = Sha256Of(bytes);
    hub_->objects().Store(repo.record().id, ada_.user_id, id, bytes.size(), std::move(file), id);
    return {path, id, bytes.size()};
  }
  // Commits to main; `lfs` become large objects. Returns the new head.
  GitOid Commit(const RepoHandle& repo, const Files& files, const Files& lfs = {}) {
    CommitRequest request;
    request.revision = "main";
    request.summary = "files";
    for (const auto& [path, bytes] : files) request.operations.push_back(CommitFile{path, bytes});
    for (const auto& [path, bytes] : lfs) request.operations.push_back(Upload(repo, path, bytes));
    Actor owner = Actor::System();
    return hub_->commits().Apply(owner, Reopen(repo), request).oid;
  }
  // The catalog's thread does all that waits.
  void Index() {
    hub_->catalog().Start();
    ASSERT_TRUE(hub_->catalog().WaitIdle(std::chrono::seconds(60)));
    hub_->catalog().Stop();
  }
  RepoFacts Facts(const RepoHandle& repo, const GitOid& commit) {
    return ComputeFacts(Reopen(repo), hub_->objects(), commit);
  }

  std::filesystem::path folder_;
  ManualClock clock_{FromUnixMillis(1'800'000'000'000)};
  std::unique_ptr<Hub> hub_;
  Actor ada_;
};

}  // namespace hearth::hub
