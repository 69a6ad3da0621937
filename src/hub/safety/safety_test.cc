#include "hub/safety/safety.h"

#include <fstream>

#include "base/bytes.h"
#include "hub/gc.h"
#include "hub/hub_fixture.h"
#include "hub/internal/siblings.h"
#include "hub/safety/content_scan.h"

namespace hearth::hub {
namespace {

// A pickle that calls os.system("id") when it is loaded.
const std::string kBadPickle = "cos\nsystem\n(S'id'\ntR.";
const std::string kGoodPickle = std::string("\x80\x02]q\x00K\x01a.", 10);

const std::string kEvilYaml = "a: !!python/object/apply:os.system ['id']\n";

class SafetyTest : public HubFixture {
 protected:
  void Open(Quarantine policy) {
    hub_.reset();
    hub_ = std::make_unique<Hub>(
        HubOptions{.data = folder_, .clock = &clock_, .quarantine = policy}, true);
  }
  FileSafety Look(const RepoHandle& repo, const std::string& path) {
    RepoHandle now = Reopen(repo);
    auto git = storage::GitRepository::Open(now.git_folder());
    std::vector<Sibling> files = ListSiblings(git, *now.record().head).files;
    const Sibling* file = FindSibling(files, path);
    SafetyKey key = SafetyKeyOf(*file);
    return hub_->safety().Find(now.record(), std::span(&key, 1), Safety::Detail::kReports)[0];
  }
  std::string StateOf(const RepoHandle& repo, const std::string& path) {
    return std::string(SafetyStateName(Look(repo, path).state));
  }
};

TEST_F(SafetyTest, FilesWaitThenHaveAnAnswerWithEvidence) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "m");
  Commit(repo, {{"README.md", "# hello"}}, {{"bad.pkl", kBadPickle}, {"good.pkl", kGoodPickle}});
  EXPECT_EQ(StateOf(repo, "bad.pkl"), "unknown");
  hub_->safety().ScanNow();
  EXPECT_EQ(StateOf(repo, "README.md"), "safe");
  EXPECT_EQ(StateOf(repo, "good.pkl"), "safe");
  FileSafety bad = Look(repo, "bad.pkl");
  EXPECT_EQ(bad.state, SafetyState::kUnsafe);
  EXPECT_EQ(bad.rules, kSafetyRules);
  const Json& finding = (*bad.report.Find("findings")->AsArray())[0];
  EXPECT_EQ(finding.StringField("path"), std::string(kScannedName));
  EXPECT_NE(finding.StringField("evidence")->find("os.system"), std::string::npos);
  const Json& import = (*bad.report.Find("imports")->AsArray())[0];
  EXPECT_EQ(import.StringField("module"), "os");
  EXPECT_EQ(import.StringField("class"), "dangerous");
}

TEST_F(SafetyTest, AnAnswerDoesNotTellThatAnotherPrivateRepositoryHasTheContent) {
  auto make = [&](const std::string& name, bool is_private) {
    RepoHandle repo = MakeRepo(ada_, RepoType::kModel, name);
    hub_->repos().UpdateSettings(repo, {.is_private = is_private});
    return Reopen(repo);
  };
  auto list = [&](const RepoHandle& repo) {
    RepoHandle now = Reopen(repo);
    auto git = storage::GitRepository::Open(now.git_folder());
    std::vector<SafetyKey> keys;
    for (const Sibling& file : ListSiblings(git, *now.record().head).files)
      keys.push_back(SafetyKeyOf(file));
    hub_->safety().Want(now.record(), keys);
  };
  RepoHandle hers = make("hers", true), his = make("his", true), open = make("open", false);
  auto fill = [&](const RepoHandle& repo) {
    Commit(repo, {{"note.txt", "the password is 1234"}}, {{"bad.pkl", kBadPickle}});
  };
  fill(hers);
  hub_->safety().ScanNow();
  EXPECT_EQ(StateOf(hers, "bad.pkl"), "unsafe");
  TimePoint first = Look(hers, "note.txt").scanned_at;
  clock_.Advance(std::chrono::hours(1));
  fill(his);
  EXPECT_EQ(StateOf(his, "note.txt"), "unknown");
  list(his);
  EXPECT_EQ(StateOf(his, "note.txt"), "queued");
  EXPECT_EQ(StateOf(his, "bad.pkl"), "queued");
  hub_->safety().ScanNow();
  EXPECT_EQ(StateOf(his, "bad.pkl"), "unsafe");
  EXPECT_GT(Look(his, "note.txt").scanned_at, first);
  EXPECT_EQ(Look(hers, "note.txt").scanned_at, first);
  // What is public is judged once for all who bring it afterwards.
  fill(open);
  hub_->safety().ScanNow();
  TimePoint once = Look(open, "note.txt").scanned_at;
  clock_.Advance(std::chrono::hours(1));
  RepoHandle late = make("late", true);
  fill(late);
  hub_->safety().ScanNow();
  EXPECT_EQ(Look(late, "note.txt").scanned_at, once);
  // A repository keeps its answers when it is published, and loses them with its end.
  hub_->repos().UpdateSettings(Reopen(hers), {.is_private = false});
  EXPECT_EQ(Look(hers, "note.txt").scanned_at, first);
  hub_->repos().Delete(Reopen(his));
  hub_->safety().ScanNow();
  EXPECT_EQ(hub_->db().ReadInts("SELECT COUNT(*) FROM safety_scans WHERE kind = 'txt@" +
                                std::to_string(his.record().id) + "'"),
            std::vector<int64_t>{0});
}

TEST_F(SafetyTest, AnswersAboutObjectsThatAreGoneGoButForThoseThatBlock) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "m");
  Commit(repo, {{"README.md", "# hello"}}, {{"bad.pkl", kBadPickle}, {"good.pkl", kGoodPickle}});
  hub_->safety().ScanNow();
  auto rows = [&](const std::string& which) {
    return hub_->db().ReadValue([&](storage::Connection& c) {
      return *c.QueryInt("SELECT COUNT(*) FROM safety_scans WHERE " + which);
    });
  };
  int64_t all = rows("1 = 1");
  hub_->safety().ScanNow();
  EXPECT_EQ(rows("1 = 1"), all);
  hub_->repos().Delete(Reopen(repo));
  hub_->db().Write([](storage::Connection& c) {
    c.Exec("DELETE FROM repo_objects");
    c.Exec("DELETE FROM objects");  // as garbage collection does
  });
  hub_->safety().ScanNow();
  EXPECT_EQ(rows("1 = 1"), all - 1);
  EXPECT_EQ(rows("kind = 'pkl'"), 1);  // the dangerous one
}

TEST_F(SafetyTest, AnswersAboutBlobsGoWithTheLastRepositoryThatHasThem) {
  RepoHandle one = MakeRepo(ada_, RepoType::kModel, "one");
  RepoHandle two = MakeRepo(ada_, RepoType::kModel, "two");
  Commit(one, {{"a.py", "print(1)\n"}, {"both.py", "print(2)\n"}, {"evil.yaml", kEvilYaml}});
  Commit(two, {{"other/both.py", "print(2)\n"}});
  hub_->safety().ScanNow();
  auto rows = [&](const std::string& which) {
    return hub_->db().ReadValue([&](storage::Connection& c) {
      return *c.QueryInt("SELECT COUNT(*) FROM safety_scans WHERE " + which);
    });
  };
  int64_t python = rows("kind = 'py'");
  EXPECT_EQ(python, 2);
  EXPECT_EQ(hub_->safety().DropUnheld(), 0u);
  hub_->repos().Delete(Reopen(one));
  EXPECT_EQ(hub_->safety().DropUnheld([] { return true; }), 0u);
  EXPECT_EQ(rows("kind = 'py'"), python);
  // a.py, and .gitattributes where the hub has written one for it alone.
  EXPECT_GE(RunGc(*hub_, {}).answers, 1u);
  EXPECT_EQ(rows("kind = 'py'"), 1);
  EXPECT_EQ(rows("kind = 'yaml'"), 1);  // judged unsafe: it stays so if it comes back
  EXPECT_EQ(StateOf(two, "other/both.py"), "safe");
  EXPECT_EQ(rows("kind = 'py' AND repo_id = " + std::to_string(two.record().id)), 1);
  hub_->repos().Delete(Reopen(two));
  EXPECT_GE(hub_->safety().DropUnheld(), 1u);
  EXPECT_EQ(rows("kind = 'py'"), 0);
}

// The same content comes back in another repository before anybody has cleared up.
TEST_F(SafetyTest, WhatComesBackHasAHolderAgain) {
  RepoHandle one = MakeRepo(ada_, RepoType::kModel, "one");
  Commit(one, {{"a.py", "print(1)\n"}});
  hub_->safety().ScanNow();
  hub_->repos().Delete(Reopen(one));
  RepoHandle two = MakeRepo(ada_, RepoType::kModel, "two");
  Commit(two, {{"b.py", "print(1)\n"}});
  hub_->safety().ScanNow();
  hub_->safety().DropUnheld();
  EXPECT_EQ(StateOf(two, "b.py"), "safe");
}

// At a start, a repository whose record says that no ref has moved since all were listed is not
// opened: here a ref that was put there behind the hub's back is not seen, and one that moved as
// refs do, but was not listed before the process ended, is.
TEST_F(SafetyTest, AStartOpensOnlyRepositoriesWhoseRefsMayHaveMoved) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "m");
  GitOid main = Commit(repo, {{"README.md", "# hello"}});
  hub_->safety().ScanNow();
  hub_->repos().FlushCounters();  // as a running hub does: no mark is left
  OpenHub();
  auto ref_file = Reopen(repo).git_folder() / "refs" / "heads" / "unseen";
  std::filesystem::create_directories(ref_file.parent_path());
  std::ofstream(ref_file) << main.Hex() << "\n";
  hub_->safety().ScanNow();
  EXPECT_FALSE(hub_->safety().IsListed(repo.record().id, "refs/heads/unseen", main));
  clock_.Advance(std::chrono::seconds(1));
  hub_->commits().CreateBranch(ada_, Reopen(repo), "side", main.Hex(), false, false);
  CommitRequest request;
  request.revision = "side";
  request.summary = "x";
  request.operations.push_back(Upload(repo, "bad.pkl", kBadPickle));
  GitOid side = hub_->commits().Apply(Actor::System(), Reopen(repo), request).oid;
  hub_->repos().FlushCounters();
  OpenHub();  // the queue in memory is gone
  hub_->safety().ScanNow();
  EXPECT_TRUE(hub_->safety().IsListed(repo.record().id, "refs/heads/side", side));
  EXPECT_TRUE(hub_->safety().IsListed(repo.record().id, "refs/heads/unseen", main));
  EXPECT_EQ(hub_->safety().Queue().unsafe, 1u);
}

// A crash between the move of a ref and the change of its repository's record leaves a mark.
TEST_F(SafetyTest, AMoveThatTheRecordDoesNotKnowIsCaughtByItsMark) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "m");
  GitOid main = Commit(repo, {{"README.md", "# hello"}});
  hub_->safety().ScanNow();
  hub_->repos().FlushCounters();
  hub_->repos().MarkIndexStale(Reopen(repo));
  std::ofstream(Reopen(repo).git_folder() / "refs" / "heads" / "half") << main.Hex() << "\n";
  OpenHub();
  hub_->safety().ScanNow();
  EXPECT_TRUE(hub_->safety().IsListed(repo.record().id, "refs/heads/half", main));
}

TEST_F(SafetyTest, TheSameContentIsScannedOnceForAllRepositoriesAndNames) {
  RepoHandle one = MakeRepo(ada_, RepoType::kModel, "one");
  RepoHandle two = MakeRepo(ada_, RepoType::kModel, "two", true);
  Commit(one, {}, {{"a/bad.pkl", kBadPickle}});
  Commit(two, {}, {{"other/name.pkl", kBadPickle}});
  hub_->safety().ScanNow();
  int64_t rows = hub_->db().ReadValue([&](storage::Connection& c) {
    return *c.QueryInt("SELECT COUNT(*) FROM safety_scans WHERE kind = 'pkl'");
  });
  EXPECT_EQ(rows, 1);
  EXPECT_EQ(StateOf(two, "other/name.pkl"), "unsafe");
  EXPECT_EQ(Look(two, "other/name.pkl").report.Dump().find("a/bad.pkl"), std::string::npos);
}

TEST_F(SafetyTest, SecretsAreToldWithoutBeingShown) {
  std::string secret = "hf_";
  for (int i = 0; i < 34; ++i) secret += static_cast<char>((i % 2 ? 'a' : 'A') + (i * 11) % 26);
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "m");
  Commit(repo, {{"train.py", "import os\nkey = '" + secret + "'\n"}});
  hub_->safety().ScanNow();
  FileSafety file = Look(repo, "train.py");
  EXPECT_EQ(file.state, SafetyState::kCaution);
  const Json& found = (*file.report.Find("secrets")->AsArray())[0];
  EXPECT_EQ(found.StringField("kind"), "huggingface-token");
  EXPECT_EQ(found.IntField("line"), 2);
  EXPECT_EQ(file.report.Dump().find(secret.substr(3, 12)), std::string::npos);
}

TEST_F(SafetyTest, TemplatesAndConfigurationsAreJudged) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "m");
  Commit(repo, {{"tokenizer_config.json",
                 R"({"chat_template": "{{ ''.__class__.__mro__[1].__subclasses__() }}"})"},
                {"config.json", R"({"auto_map": {"AutoModel": "modeling.Net"}})"},
                {"plain.json", R"({"hidden_size": 4})"}});
  hub_->safety().ScanNow();
  EXPECT_EQ(StateOf(repo, "tokenizer_config.json"), "unsafe");
  EXPECT_EQ(StateOf(repo, "config.json"), "caution");
  EXPECT_EQ(StateOf(repo, "plain.json"), "safe");
}

TEST_F(SafetyTest, OtherBranchesAreScannedToo) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "m");
  GitOid main = Commit(repo, {{"README.md", "# hello"}});
  hub_->commits().CreateBranch(ada_, repo, "side", main.Hex(), false, false);
  CommitRequest request;
  request.revision = "side";
  request.summary = "x";
  request.operations.push_back(Upload(repo, "bad.pkl", kBadPickle));
  GitOid side = hub_->commits().Apply(Actor::System(), Reopen(repo), request).oid;
  hub_->safety().ScanNow();
  EXPECT_TRUE(hub_->safety().IsListed(repo.record().id, "refs/heads/side", side));
  EXPECT_EQ(hub_->safety().Queue().unsafe, 1u);
}

// As after a kill -9 in the middle: rows that were being scanned, refs that nobody listed.
TEST_F(SafetyTest, AKilledScanStartsAgainAndIsGivenUpInTheEnd) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "m");
  Commit(repo, {{"README.md", "# hello"}}, {{"bad.pkl", kBadPickle}});
  OpenHub();  // the queue in memory is gone
  hub_->safety().ScanNow();
  EXPECT_EQ(StateOf(repo, "bad.pkl"), "unsafe");
  auto set = [&](int tries) {
    hub_->db().Write([&](storage::Connection& c) {
      c.Exec(
          "UPDATE safety_scans SET pending = 2, state = 0, rules = 0, tries = ? WHERE kind = "
          "'pkl'",
          {tries});
    });
  };
  set(1);
  EXPECT_EQ(StateOf(repo, "bad.pkl"), "scanning");
  OpenHub();
  hub_->safety().ScanNow();
  EXPECT_EQ(StateOf(repo, "bad.pkl"), "unsafe");
  set(3);
  OpenHub();
  hub_->safety().ScanNow();
  EXPECT_EQ(StateOf(repo, "bad.pkl"), "error");
  EXPECT_FALSE(Look(repo, "bad.pkl").error.empty());
}

TEST_F(SafetyTest, BetterRulesScanAgainWhileTheOldAnswerStands) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "m");
  Commit(repo, {}, {{"bad.pkl", kBadPickle}});
  hub_->safety().ScanNow();
  hub_->db().Write([](storage::Connection& c) {
    c.Exec("UPDATE safety_scans SET rules = 0, state = 3 WHERE kind = 'pkl'");
  });
  EXPECT_EQ(StateOf(repo, "bad.pkl"), "safe");
  hub_->safety().ScanNow();
  EXPECT_EQ(StateOf(repo, "bad.pkl"), "unsafe");
}

TEST_F(SafetyTest, OnlyThePolicyBlocks) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "m");
  Commit(repo, {{"evil.yaml", "a: !!python/object/apply:os.system ['id']\n"}},
         {{"bad.pkl", kBadPickle}, {"good.pkl", kGoodPickle}});
  hub_->safety().ScanNow();
  EXPECT_FALSE(hub_->safety().Blocks(Sha256Of(kBadPickle)));
  Open(Quarantine::kBlock);
  EXPECT_TRUE(hub_->safety().Blocks(Sha256Of(kBadPickle)));
  EXPECT_FALSE(hub_->safety().Blocks(Sha256Of(kGoodPickle)));
  EXPECT_EQ(hub_->safety().BlockedBlobs().size(), 1u);
  Open(Quarantine::kOff);
  EXPECT_FALSE(hub_->safety().Blocks(Sha256Of(kBadPickle)));
  EXPECT_EQ(StateOf(repo, "bad.pkl"), "unknown");
}

TEST_F(SafetyTest, TheThreadScansWhatIsCommitted) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "m");
  hub_->safety().Start();
  Commit(repo, {}, {{"bad.pkl", kBadPickle}});
  ASSERT_TRUE(hub_->safety().WaitIdle(std::chrono::seconds(30)));
  EXPECT_EQ(StateOf(repo, "bad.pkl"), "unsafe");
  SafetyQueue queue = hub_->safety().Queue();
  EXPECT_EQ(queue.queued + queue.scanning + queue.refs_waiting, 0u);
  EXPECT_FALSE(queue.oldest_queued);
  hub_->safety().Stop();
}

TEST_F(SafetyTest, ADeletedRepositoryLeavesAReasonNotAFault) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "m");
  Commit(repo, {{"a.txt", "text"}});
  SafetyKey key = SafetyKeyOf("a.txt", GitOid(std::string(20, 'x')), std::nullopt, 4);
  hub_->safety().Want(repo.record(), std::span(&key, 1));
  hub_->safety().ScanNow();
  FileSafety file =
      hub_->safety().Find(repo.record(), std::span(&key, 1), Safety::Detail::kReports)[0];
  EXPECT_EQ(file.state, SafetyState::kError);
  EXPECT_EQ(file.error.find(folder_.string()), std::string::npos);
}

}  // namespace
}  // namespace hearth::hub
