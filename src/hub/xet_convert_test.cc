#include "hub/xet_convert.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "hub/internal/scratch_hub_test.h"
#include "hub/xet_fixture.h"

namespace hearth::hub {
namespace {

class XetConvertTest : public ScratchHubTest {
 protected:
  size_t Convert() {
    clock_.Advance(std::chrono::minutes(11));
    return hub_->xet_converter().ConvertDue();
  }
  std::string Content(const Sha256& oid) {
    std::unique_ptr<ByteSource> source = hub_->objects().OpenSource(oid);
    return source->Read(0, source->size_bytes());
  }
  bool IsWhole(const Sha256& oid) { return hub_->blobs().FindSize(oid).has_value(); }
  uint64_t XorbBytes() {
    return static_cast<uint64_t>(hub_->db().ReadValue([](storage::Connection& c) {
      return c.QueryInt("SELECT SUM(body_bytes) FROM xorbs").value_or(0);
    }));
  }
};

TEST_F(XetConvertTest, AnObjectBecomesAXetFileWithTheHashOfItsContent) {
  RepoHandle repo = MakeRepo(alice_, "m");
  std::string bytes = NoiseBytes(3'000'000);
  Sha256 oid = StoreObject(repo, alice_, bytes);
  EXPECT_EQ(Convert(), 1u);
  EXPECT_FALSE(IsWhole(oid));
  ASSERT_TRUE(hub_->xet_index().FileOf(oid));
  EXPECT_EQ(hub_->xet_index().FileOf(oid)->hash, BuildXetFile(*hub_, bytes).hash);
  EXPECT_EQ(hub_->objects().FindIn(repo.record(), oid), bytes.size());
  EXPECT_TRUE(Content(oid) == bytes);
  EXPECT_EQ(Convert(), 0u);
  EXPECT_EQ(hub_->xet_converter().stats().converted, 1u);
  EXPECT_EQ(hub_->xet_converter().stats().read_bytes, bytes.size());
}

TEST_F(XetConvertTest, YoungObjectsAreLeftAlone) {
  RepoHandle repo = MakeRepo(alice_, "m");
  Sha256 old = StoreObject(repo, alice_, NoiseBytes(100'000, 1));
  clock_.Advance(std::chrono::minutes(9));
  Sha256 young = StoreObject(repo, alice_, NoiseBytes(100'000, 2));
  clock_.Advance(std::chrono::minutes(2));
  EXPECT_EQ(hub_->xet_converter().ConvertDue(), 1u);
  EXPECT_FALSE(IsWhole(old));
  EXPECT_TRUE(IsWhole(young));
  EXPECT_EQ(Convert(), 1u);
  EXPECT_FALSE(IsWhole(young));
}

TEST_F(XetConvertTest, SizesAtTheEdgesSurvive) {
  RepoHandle repo = MakeRepo(alice_, "m");
  std::vector<std::pair<Sha256, std::string>> all;
  for (size_t size : {0u, 1u, 8191u, 8192u, 131072u, 131073u, 300000u}) {
    std::string bytes = NoiseBytes(size, size + 1);
    all.emplace_back(StoreObject(repo, alice_, bytes), bytes);
  }
  std::string zeros(500'000, '\0');
  all.emplace_back(StoreObject(repo, alice_, zeros), zeros);
  EXPECT_EQ(Convert(), all.size() - 1);  // the empty one has nothing to convert
  for (const auto& [oid, bytes] : all) {
    EXPECT_TRUE(Content(oid) == bytes) << bytes.size();
    EXPECT_EQ(IsWhole(oid), bytes.empty());
  }
}

TEST_F(XetConvertTest, SmallObjectsShareAXorb) {
  RepoHandle repo = MakeRepo(alice_, "m");
  for (int i = 0; i < 40; ++i) StoreObject(repo, alice_, NoiseBytes(5'000 + i, 100 + i));
  EXPECT_EQ(Convert(), 40u);
  size_t xorbs = 0;
  hub_->xet_index().xorbs().ForEach([&](const storage::XorbForm&, uint64_t) { ++xorbs; });
  EXPECT_EQ(xorbs, 1u);
}

TEST_F(XetConvertTest, AnEditedCopyCostsOnlyItsChange) {
  RepoHandle repo = MakeRepo(alice_, "m");
  std::string first = NoiseBytes(8'000'000);
  StoreObject(repo, alice_, first);
  EXPECT_EQ(Convert(), 1u);
  uint64_t before = XorbBytes();
  std::string second = first;
  second.insert(4'000'000, NoiseBytes(1'000, 99));
  Sha256 oid = StoreObject(repo, alice_, second);
  EXPECT_EQ(Convert(), 1u);
  EXPECT_TRUE(Content(oid) == second);
  EXPECT_LT(XorbBytes() - before, 400'000u);
}

// Whoever reads a file by Xet learns which xorbs it is made of, so nobody else's private ones may
// be among them.
TEST_F(XetConvertTest, OnlyContentWithTheSameReadersSharesXorbs) {
  RepoHandle open = MakeRepo(alice_, "open"), hidden = MakeRepo(alice_, "hidden", true);
  RepoHandle foreign = MakeRepo(bob_, "foreign", true);
  std::string common = NoiseBytes(400'000, 5);
  auto convert = [&](const RepoHandle& repo, uint64_t seed) {
    Sha256 oid = StoreObject(repo, alice_, common + NoiseBytes(200'000, seed));
    EXPECT_EQ(Convert(), 1u);
    XetFile file = *hub_->xet_index().FileOf(oid);
    std::set<storage::XetHash> xorbs;
    for (const auto& [xorb, ranges] : hub_->xet_index().Plan(file, 0, file.size_bytes).xorbs) {
      xorbs.insert(xorb.hash);
    }
    return xorbs;
  };
  std::set<storage::XetHash> secret = convert(hidden, 1);
  std::set<storage::XetHash> shown = convert(open, 2);
  std::set<storage::XetHash> other = convert(foreign, 3);
  std::set<storage::XetHash> again = convert(hidden, 4);
  auto shares = [](const auto& a, const auto& b) {
    return std::any_of(a.begin(), a.end(), [&](const auto& hash) { return b.contains(hash); });
  };
  EXPECT_FALSE(shares(secret, shown));
  EXPECT_FALSE(shares(secret, other));
  EXPECT_TRUE(shares(other, shown));
  EXPECT_TRUE(shares(again, secret));
}

// How a private repository's files come out is decided by what it holds, whoever else has the same.
TEST_F(XetConvertTest, WhatOthersHoldDoesNotShowInThePacking) {
  std::string guess = NoiseBytes(60'000, 7), beside = NoiseBytes(50'000, 8);
  RepoHandle hers = MakeRepo(alice_, "hers", true), control = MakeRepo(bob_, "control", true);
  auto terms = [&](const RepoHandle& repo, const std::string& bytes) {
    Sha256 oid = Sha256Of(bytes);
    storage::XetHash hash = hub_->objects().XetHashesIn(repo.record(), {&oid, 1}).at(oid);
    XetFile file = *hub_->xet_index().FindShown(XetHolder::kRepo, repo.record().id, hash);
    std::vector<std::pair<uint32_t, uint32_t>> chunks;
    for (const storage::XetTerm& term : hub_->xet_index().TermsOf(file)->SegmentAt(0)->terms) {
      chunks.emplace_back(term.chunk_start, term.chunk_end);
    }
    return chunks;
  };
  for (bool she_has_it : {false, true}) {
    RepoHandle repo = she_has_it ? MakeRepo(bob_, "guess", true) : control;
    if (she_has_it) StoreObject(hers, alice_, guess);
    StoreObject(repo, bob_, beside);
    clock_.Advance(std::chrono::seconds(1));
    StoreObject(repo, bob_, guess);
    Convert();
  }
  RepoHandle repo = repos().OpenAsSystem(repos().Find(RepoType::kModel, "Bob", "guess"));
  EXPECT_EQ(terms(repo, guess), terms(control, guess));
  EXPECT_EQ(terms(repo, beside), terms(control, beside));
  EXPECT_EQ(terms(hers, guess).at(0).first, 0u) << "alone in her repository";
  EXPECT_GT(terms(repo, guess).at(0).first, 0u);
}

// A xorb may hold a file that everybody reads beside a secret: who has one of its chunks must not
// learn from the packing of their own files what the others are.
TEST_F(XetConvertTest, APublicFileDoesNotVouchForItsNeighbours) {
  std::string base = NoiseBytes(400'000, 20), secret = NoiseBytes(5'000, 21);
  RepoHandle hers = MakeRepo(alice_, "hers", true), open = MakeRepo(alice_, "open");
  Sha256 base_oid = StoreObject(hers, alice_, base);
  clock_.Advance(std::chrono::seconds(1));
  StoreObject(hers, alice_, secret);
  EXPECT_EQ(Convert(), 2u);
  ASSERT_TRUE(hub_->objects().GrantFromReadable(alice_, open, base_oid));
  auto terms = [&](const RepoHandle& repo, const std::string& bytes) {
    Sha256 oid = Sha256Of(bytes);
    storage::XetHash hash = hub_->objects().XetHashesIn(repo.record(), {&oid, 1}).at(oid);
    XetFile file = *hub_->xet_index().FindShown(XetHolder::kRepo, repo.record().id, hash);
    return hub_->xet_index().TermsOf(file)->SegmentAt(0)->terms;
  };
  auto shape = [](const std::vector<storage::XetTerm>& terms) {
    std::vector<std::pair<uint32_t, uint32_t>> chunks;
    for (const storage::XetTerm& term : terms)
      chunks.emplace_back(term.chunk_start, term.chunk_end);
    return chunks;
  };
  storage::XetHash xorb = terms(hers, secret).at(0).xorb;
  ASSERT_EQ(terms(open, base).at(0).xorb, xorb) << "they lie in one xorb";
  std::string edited = base + NoiseBytes(100'000, 22), wrong = NoiseBytes(5'000, 23);
  RepoHandle right_guess = MakeRepo(bob_, "right", true),
             wrong_guess = MakeRepo(bob_, "wrong", true);
  for (const auto& [repo, guess] :
       {std::pair(right_guess, secret), std::pair(wrong_guess, wrong)}) {
    StoreObject(repo, bob_, edited);
    clock_.Advance(std::chrono::seconds(1));
    StoreObject(repo, bob_, guess);
    EXPECT_EQ(Convert(), 2u);
    EXPECT_EQ(terms(repo, edited).at(0).xorb, xorb) << "what everybody reads is shared";
    EXPECT_NE(terms(repo, guess).at(0).xorb, xorb);
  }
  EXPECT_EQ(shape(terms(right_guess, secret)), shape(terms(wrong_guess, wrong)));
  EXPECT_EQ(shape(terms(right_guess, edited)), shape(terms(wrong_guess, edited)));
}

// Grants that cost no bytes cost none here either, in whatever order copies were made.
TEST_F(XetConvertTest, CopiesCostNoBytes) {
  RepoHandle original = MakeRepo(alice_, "original", true);
  std::vector<Sha256> oids;
  for (uint32_t i = 0; i < 10; ++i) {
    oids.push_back(StoreObject(original, alice_, NoiseBytes(100'000, 30 + i)));
  }
  std::vector<RepoHandle> copies;
  for (size_t number = 0; number < 4; ++number) {
    copies.push_back(MakeRepo(alice_, "copy" + std::to_string(number), true));
    for (size_t i = 0; i < oids.size(); ++i) {
      clock_.Advance(std::chrono::milliseconds(1));
      const Sha256& oid = oids[(i * 3 + number) % oids.size()];
      ASSERT_TRUE(hub_->objects().GrantFromReadable(alice_, copies.back(), oid));
    }
  }
  NewRepo target;
  target.name = "duplicate";
  target.is_private = true;
  copies.push_back(repos().Duplicate(alice_, copies[0], target));
  EXPECT_EQ(Convert(), oids.size() * (copies.size() + 1));
  EXPECT_LT(XorbBytes(), 1'050'000u);
  for (const RepoHandle& copy : copies) {
    EXPECT_EQ(hub_->objects().XetHashesIn(copy.record(), oids).size(), oids.size());
  }
}

// The original is gone before the conversion comes: the copies are still one.
TEST_F(XetConvertTest, CopiesOfWhatIsGoneCostNoBytesTwice) {
  RepoHandle original = MakeRepo(alice_, "original", true);
  Sha256 oid = StoreObject(original, alice_, NoiseBytes(200'000, 40));
  Sha256 other = StoreObject(original, alice_, NoiseBytes(300'000, 41));
  std::vector<RepoHandle> copies;
  for (size_t number = 0; number < 4; ++number) {
    copies.push_back(MakeRepo(alice_, "copy" + std::to_string(number), true));
    ASSERT_TRUE(hub_->objects().GrantFromReadable(alice_, copies.back(), number % 2 ? oid : other));
    clock_.Advance(std::chrono::milliseconds(1));
    ASSERT_TRUE(hub_->objects().GrantFromReadable(alice_, copies.back(), number % 2 ? other : oid));
  }
  hub_->objects().Revoke(original, {oid, other});
  EXPECT_EQ(Convert(), 8u);
  EXPECT_LT(XorbBytes(), 510'000u);
}

// Who copied something learns of no other place where its reader has it: a token may read less.
TEST_F(XetConvertTest, CopiesTakeOverOnlyFromTheirOriginal) {
  std::string guess = NoiseBytes(60'000, 42);
  RepoHandle hidden = MakeRepo(alice_, "hidden", true);
  StoreObject(hidden, alice_, NoiseBytes(50'000, 43));
  clock_.Advance(std::chrono::seconds(1));
  Sha256 oid = StoreObject(hidden, alice_, guess);
  EXPECT_EQ(Convert(), 2u);
  RepoHandle sent = MakeRepo(alice_, "sent", true), copy = MakeRepo(alice_, "copy", true);
  StoreObject(sent, alice_, guess);
  hub_->db().Write([&](storage::Connection& c) {
    hub_->objects().GrantIn(c, copy.record().id, alice_.user_id, oid, guess.size());
    c.Exec("UPDATE repo_objects SET origin = ? WHERE repo_id = ?",
           {sent.record().id, copy.record().id});
  });
  EXPECT_EQ(Convert(), 2u);
  storage::XetHash hash = BuildXetFile(*hub_, guess).hash;
  auto shown = [&](const RepoHandle& repo) {
    return hub_->xet_index().FindShown(XetHolder::kRepo, repo.record().id, hash)->id;
  };
  EXPECT_NE(shown(sent), shown(hidden));
  EXPECT_EQ(shown(copy), shown(sent));
}

// Forms for which no whole object goes away wait while the disk is nearly full.
TEST_F(XetConvertTest, FurtherFormsLeaveTheReserve) {
  RepoHandle hers = MakeRepo(alice_, "hers", true), his = MakeRepo(bob_, "his", true);
  std::string bytes = NoiseBytes(100'000, 44);
  StoreObject(hers, alice_, NoiseBytes(50'000, 45));
  clock_.Advance(std::chrono::seconds(1));
  StoreObject(hers, alice_, bytes);
  EXPECT_EQ(Convert(), 2u);
  StoreObject(his, bob_, NoiseBytes(50'000, 46));
  clock_.Advance(std::chrono::seconds(1));
  Sha256 oid = StoreObject(his, bob_, bytes);
  clock_.Advance(std::chrono::minutes(11));
  auto shown = [&] { return hub_->objects().XetHashesIn(his.record(), {&oid, 1}).size(); };
  hub_.reset();
  HubOptions full{root_, &clock_};
  full.reserve_bytes = uint64_t{1} << 60;
  hub_ = std::make_unique<Hub>(full, /*exclusive=*/true);
  EXPECT_EQ(ErrorOf([&] { hub_->xet_converter().ConvertDue(); }).code(),
            Code::kInsufficientStorage);
  EXPECT_EQ(hub_->xet_converter().stats().converted, 1u) << "what makes room goes on";
  EXPECT_EQ(shown(), 0u);
  Reopen();
  EXPECT_EQ(hub_->xet_converter().ConvertDue(), 1u);
  EXPECT_EQ(shown(), 1u);
}

// What a large file costs when it comes to several private repositories.
TEST_F(XetConvertTest, LargeContentIsStoredOnceForAllWhoHoldIt) {
  std::string large = NoiseBytes(17 << 20, 9);
  RepoHandle first = MakeRepo(alice_, "first", true), second = MakeRepo(bob_, "second", true);
  StoreObject(first, alice_, large);
  EXPECT_EQ(Convert(), 1u);
  uint64_t before = XorbBytes();
  StoreObject(second, bob_, NoiseBytes(5'000, 10));
  Sha256 oid = StoreObject(second, bob_, large);
  EXPECT_EQ(Convert(), 2u);
  EXPECT_LT(XorbBytes() - before, 6'000u);
  EXPECT_EQ(hub_->objects().XetHashesIn(second.record(), {&oid, 1}).size(), 1u);
}

TEST_F(XetConvertTest, ARottenObjectStaysWhole) {
  RepoHandle repo = MakeRepo(alice_, "m");
  std::string bytes = NoiseBytes(200'000);
  Sha256 oid = Sha256Of("other content");
  TempFile file(hub_->blobs().temp_folder());
  file.Append(bytes);
  hub_->objects().Store(repo.record().id, 1, oid, bytes.size(), std::move(file), oid);
  EXPECT_EQ(Convert(), 0u);
  EXPECT_TRUE(IsWhole(oid));
  EXPECT_FALSE(hub_->xet_index().FileOf(oid));
  EXPECT_EQ(hub_->xet_converter().stats().failed, 1u);
  Sha256 good = StoreObject(repo, alice_, NoiseBytes(100'000, 3));
  EXPECT_EQ(Convert(), 1u);  // the bad one does not hold the others up
  EXPECT_FALSE(IsWhole(good));
}

// Each is looked at once, however many private repositories hold it, and none stands in the way.
TEST_F(XetConvertTest, ManyHoldersOfARottenObjectHoldNobodyUp) {
  constexpr int kHolders = 1'200;  // more than are looked up at once
  RepoHandle repo = MakeRepo(alice_, "m", true);
  Sha256 rotten = Sha256Of("other content");
  TempFile file(hub_->blobs().temp_folder());
  file.Append(NoiseBytes(1'000));
  hub_->objects().Store(repo.record().id, 1, rotten, 1'000, std::move(file), rotten);
  hub_->db().Write([&](storage::Connection& c) {
    for (int i = 0; i < kHolders; ++i) {
      c.Exec(
          "INSERT INTO repos (oid, type, owner_id, name, name_lower, creator_id, private, "
          "created_at, modified_at) SELECT oid || ?, type, owner_id, name || ?, name_lower || ?, "
          "creator_id, private, created_at, modified_at FROM repos WHERE id = ?",
          {i, i, i, repo.record().id});
      hub_->objects().GrantIn(c, c.LastInsertId(), 1, rotten, 1'000);
    }
  });
  clock_.Advance(std::chrono::seconds(1));
  Sha256 good = StoreObject(repo, alice_, NoiseBytes(100'000, 3));
  EXPECT_EQ(Convert(), 1u);
  EXPECT_FALSE(IsWhole(good));
  EXPECT_TRUE(IsWhole(rotten));
  EXPECT_EQ(hub_->xet_converter().stats().failed, 1u);
}

TEST_F(XetConvertTest, RememberedAnswersAreForgotten) {
  RepoHandle repo = MakeRepo(alice_, "m");
  StoreObject(repo, alice_, NoiseBytes(100'000));
  uint64_t before = repos().FindById(repo.record().id)->version;
  Convert();
  EXPECT_GT(repos().FindById(repo.record().id)->version, before);
}

// A crash after the Xet file was made known and before the whole object went away.
TEST_F(XetConvertTest, WhatACrashLeftIsTakenAway) {
  RepoHandle repo = MakeRepo(alice_, "m");
  std::string bytes = NoiseBytes(300'000);
  Sha256 oid = StoreObject(repo, alice_, bytes);
  Sha256 plain = StoreObject(repo, alice_, "not converted yet");
  StoreByXet(*hub_, repo.record().id, alice_.user_id, bytes);
  ASSERT_TRUE(IsWhole(oid));
  Reopen();
  hub_->xet_converter().DropLeftovers();
  EXPECT_FALSE(IsWhole(oid));
  EXPECT_TRUE(Content(oid) == bytes);
  EXPECT_TRUE(IsWhole(plain));
}

TEST_F(XetConvertTest, TheServerMayStopAtAnyTime) {
  RepoHandle repo = MakeRepo(alice_, "m");
  std::vector<std::pair<Sha256, std::string>> all;
  for (int i = 0; i < 5; ++i) {
    std::string bytes = NoiseBytes(2'000'000, 50 + i);
    all.emplace_back(StoreObject(repo, alice_, bytes), bytes);
  }
  clock_.Advance(std::chrono::minutes(11));
  for (int round = 0; round < 3; ++round) {
    hub_->StartBackground();
    hub_->StopBackground();
  }
  for (const auto& [oid, bytes] : all) EXPECT_TRUE(Content(oid) == bytes);
  Convert();
  for (const auto& [oid, bytes] : all) {
    EXPECT_FALSE(IsWhole(oid));
    EXPECT_TRUE(Content(oid) == bytes);
  }
}

}  // namespace
}  // namespace hearth::hub
