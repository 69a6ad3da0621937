#include "hub/xet.h"

#include <gtest/gtest.h>

#include "hub/internal/scratch_hub_test.h"
#include "hub/internal/shard_check.h"
#include "hub/xet_upload_fixture.h"

namespace hearth::hub {
namespace {

using storage::XetHash;

class XetTest : public ScratchHubTest {
 protected:
  XetTest() : repo_(MakeRepo(alice_, "weights", /*is_private=*/true)) {}

  Xet& xet() { return hub_->xet(); }
  XetScope Scope(const RepoHandle& repo, const Actor& actor, bool may_write = true) {
    return RepoScope(repo.record(), actor.user_id, may_write);
  }
  XetScope Mine() { return Scope(repo_, alice_); }
  bool Register(const XetScope& scope, const storage::Shard& shard) {
    return xet().RegisterShard(scope, storage::WriteShard(shard), [](uint64_t, uint64_t) {});
  }
  std::string Rebuild(const XetFile& file) {
    storage::XetReader reader = xet().index().Read(file, 0, file.size_bytes);
    std::string bytes;
    while (reader.Next(&bytes)) {
    }
    return bytes;
  }
  static std::vector<std::string> Chunks(std::string_view bytes) {
    std::vector<std::string> chunks;
    auto add = [&](std::string_view chunk) { chunks.emplace_back(chunk); };
    storage::Chunker chunker;
    chunker.Feed(bytes, add);
    chunker.Finish(add);
    return chunks;
  }
  // What the shard is refused with, and that nothing of it can be seen.
  Error Refusal(const XetUpload& upload) {
    Error error = ErrorOf([&] { Register(Mine(), upload.shard); });
    for (const storage::ShardFile& file : upload.shard.files) {
      EXPECT_FALSE(xet().FindFile(Mine(), file.hash));
      if (file.sha256) EXPECT_FALSE(hub_->objects().FindIn(repo_.record(), *file.sha256));
    }
    return error;
  }

  RepoHandle repo_;
  std::string bytes_ = NoiseBytes(1, 3'000'000) + TextRows(20'000);
};

TEST_F(XetTest, AnUploadedFileIsAnObjectOfTheRepository) {
  XetUpload upload;
  const storage::ShardFile& file = upload.AddFile(bytes_);
  upload.Send(xet(), Mine());

  std::optional<XetFile> found = xet().FindFile(Mine(), file.hash);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->size_bytes, bytes_.size());
  EXPECT_EQ(Rebuild(*found), bytes_);
  EXPECT_EQ(hub_->xet_index().FileOf(*file.sha256)->hash, file.hash);
  Reopen();
  EXPECT_EQ(Rebuild(*xet().FindFile(Mine(), file.hash)), bytes_);
  EXPECT_FALSE(Register(Mine(), upload.shard)) << "the second time nothing is new";
}

TEST_F(XetTest, TheEmptyFileHasTheZeroHashAndNoTerms) {
  XetUpload upload;
  const storage::ShardFile& file = upload.AddFile("");
  EXPECT_TRUE(file.hash.IsZero());
  upload.Send(xet(), Mine());
  std::optional<XetFile> found = xet().FindFile(Mine(), file.hash);
  ASSERT_TRUE(found);
  EXPECT_EQ(Rebuild(*found), "");
}

// Every reader pays for a needless cut.
TEST_F(XetTest, TermsThatTouchBecomeOne) {
  XetUpload upload;
  upload.AddFile(bytes_);
  const storage::XorbIndex index = upload.xorbs[0].index;
  storage::ShardFile& file = upload.shard.files[0];
  file.terms.clear();
  for (uint32_t i = 0; i < index.chunks.size(); ++i) {
    const storage::XorbChunk& chunk = index.chunks[i];
    file.terms.push_back(
        {index.hash, chunk.unpacked_bytes, i, i + 1, storage::HashVerification({&chunk.hash, 1})});
  }
  ASSERT_GT(file.terms.size(), 10u);
  upload.Send(xet(), Mine());
  XetFile stored = *xet().FindFile(Mine(), file.hash);
  EXPECT_EQ(xet().Plan(stored, 0, stored.size_bytes).terms.size(), 1u);
  EXPECT_EQ(Rebuild(stored), bytes_);
}

TEST_F(XetTest, AFileOfManyTermsIsRebuiltFromItsSegments) {
  XetUpload upload;
  upload.AddFile(TextRows(40'000));
  const storage::XorbIndex index = upload.xorbs[0].index;
  ASSERT_GT(index.chunks.size(), 2u);
  storage::Shard& shard = upload.shard;
  storage::ShardFile file = shard.files[0];
  file.terms.clear();
  storage::MerkleAggregator merkle;
  std::vector<std::string> pieces = Chunks(TextRows(40'000));
  std::string whole;
  // One term for each chunk, from the last to the first, the list repeated: more terms than one
  // segment holds.
  for (int round = 0; round < 100; ++round) {
    for (size_t i = index.chunks.size(); i-- > 0;) {
      const storage::XorbChunk& chunk = index.chunks[i];
      auto number = static_cast<uint32_t>(i);
      file.terms.push_back({index.hash, chunk.unpacked_bytes, number, number + 1,
                            storage::HashVerification({&chunk.hash, 1})});
      merkle.Add(chunk.hash, chunk.unpacked_bytes);
      if (round == 0) whole += pieces[i];
    }
  }
  ASSERT_GT(file.terms.size(), 1024u);
  file.hash = merkle.FinishFile();
  std::string content;
  for (int round = 0; round < 100; ++round) content += whole;
  file.sha256 = Sha256Of(content);
  shard.files = {file};
  upload.Send(xet(), Mine());

  XetFile stored = *xet().FindFile(Mine(), file.hash);
  EXPECT_EQ(stored.size_bytes, 100 * whole.size());
  std::string middle;
  storage::XetReader reader =
      xet().index().Read(stored, 57 * whole.size() + 5, 57 * whole.size() + 25);
  while (reader.Next(&middle)) {
  }
  EXPECT_EQ(middle, whole.substr(5, 20));
}

// --- lies

TEST_F(XetTest, AShardWithAForeignSha256IsRefused) {
  XetUpload upload;
  upload.AddFile(bytes_);
  upload.SendXorbs(xet(), Mine());
  upload.shard.files[0].sha256 = Sha256Of("famous weights");
  EXPECT_EQ(Refusal(upload).code(), Code::kInvalidArgument);
  EXPECT_FALSE(hub_->xet_index().FileOf(Sha256Of("famous weights")));
}

TEST_F(XetTest, AShardWhoseXorbWasNotUploadedIsRefused) {
  XetUpload upload;
  upload.AddFile(bytes_);
  EXPECT_EQ(Refusal(upload).code(), Code::kInvalidArgument);
}

TEST_F(XetTest, LiesAboutTermsAreRefused) {
  XetUpload good;
  good.AddFile(bytes_);
  good.SendXorbs(xet(), Mine());
  std::vector<XetUpload> lies(7, good);
  lies[0].shard.files[0].terms[0].verification = storage::HashChunk("guess");
  lies[1].shard.files[0].terms[0].unpacked_bytes -= 1;
  lies[2].shard.files[0].terms[0].chunk_end += 1;
  lies[3].shard.files[0].hash = storage::HashChunk("another name");
  lies[4].shard.files[0].has_verification = false;
  lies[5].shard.xorbs[0].chunks[1].hash = storage::HashChunk("another chunk");
  lies[6].shard.files[0].terms.push_back(lies[6].shard.files[0].terms[0]);
  for (size_t i = 0; i < lies.size(); ++i) {
    EXPECT_EQ(Refusal(lies[i]).code(), Code::kInvalidArgument) << i;
  }
  EXPECT_TRUE(Register(Mine(), good.shard)) << "the truth is still welcome";
}

// A megabyte of terms can name terabytes of content and gigabytes of rows.
TEST_F(XetTest, AShardThatRepeatsItselfCostsNoMoreThanOnce) {
  XetUpload upload;
  upload.AddFile(bytes_);
  upload.SendXorbs(xet(), Mine());
  upload.shard.files.resize(5, upload.shard.files[0]);
  uint64_t total = 0;
  xet().RegisterShard(Mine(), storage::WriteShard(upload.shard),
                      [&](uint64_t, uint64_t of) { total = of; });
  EXPECT_EQ(total, bytes_.size());

  ShardCheck::Sender anything;
  anything.find_xorb = [](const XetHash& hash) {
    return ShardCheck::Sender::Usable{storage::XorbForm(hash)};
  };
  anything.find_file = [&](const XetHash& hash) { return xet().FindFile(Mine(), hash); };
  auto ignore = [](uint64_t, uint64_t) {};
  XetAhead ahead(xet().index().xorbs(), clock_);
  ShardCheck short_of_rows(xet().index(), ahead, anything,
                           {.dedup_chunks = 3, .proved_bytes = 1u << 30});
  size_t rows = 0;
  for (const auto& file : short_of_rows.Run(upload.shard, ignore)) rows += file.chunks.size();
  EXPECT_EQ(rows, 3u);
  ShardCheck short_of_time(xet().index(), ahead, anything,
                           {.dedup_chunks = 3, .proved_bytes = bytes_.size() - 1});
  EXPECT_EQ(ErrorOf([&] { short_of_time.Run(upload.shard, ignore); }).code(), Code::kTooLarge);
}

TEST_F(XetTest, AXorbUnderAnotherNameIsRefusedAndNotStored) {
  XetUpload upload;
  upload.AddFile(bytes_);
  XetHash other = storage::HashChunk("other");
  TempFile body(xet().index().xorbs().temp_folder());
  body.Append(upload.xorbs[0].body);
  EXPECT_EQ(ErrorOf([&] { xet().PutXorb(Mine(), other, std::move(body)); }).code(),
            Code::kInvalidArgument);
  EXPECT_FALSE(xet().HoldsXorb(Mine(), other));
  EXPECT_FALSE(xet().HoldsXorb(Mine(), upload.xorbs[0].index.hash));
}

// --- privacy

TEST_F(XetTest, HashesAloneReadNothing) {
  XetUpload upload;
  XetHash file = upload.AddFile(bytes_).hash;
  upload.Send(xet(), Mine());
  RepoHandle bobs = MakeRepo(bob_, "mine");
  XetScope his = Scope(bobs, bob_);
  EXPECT_FALSE(xet().FindFile(his, file));
  EXPECT_FALSE(xet().HoldsXorb(his, upload.xorbs[0].index.hash));
  EXPECT_FALSE(xet().FindChunk(his, upload.xorbs[0].index.chunks[0].hash));
  // Missing and invisible give the same refusal.
  Error hidden = ErrorOf([&] { Register(his, upload.shard); });
  XetUpload unknown;
  unknown.AddFile("never uploaded");
  Error missing = ErrorOf([&] { Register(his, unknown.shard); });
  EXPECT_EQ(hidden.code(), missing.code());
  auto without_hash = [](const Error& error, const XetUpload& sent) {
    std::string text = error.message();
    std::string hash = sent.xorbs[0].index.hash.Text();
    return text.replace(text.find(hash), hash.size(), "X");
  };
  EXPECT_EQ(without_hash(hidden, upload), without_hash(missing, unknown));
}

TEST_F(XetTest, UploadingKnownBytesDoesNotTellThatTheyWereKnown) {
  XetUpload upload;
  upload.AddFile(bytes_);
  upload.Send(xet(), Mine());
  RepoHandle bobs = MakeRepo(bob_, "mine");
  XetScope his = Scope(bobs, bob_);
  auto put = [&] {
    TempFile body(xet().index().xorbs().temp_folder());
    body.Append(upload.xorbs[0].body);
    return xet().PutXorb(his, upload.xorbs[0].index.hash, std::move(body));
  };
  EXPECT_TRUE(put()) << "as if it were new";
  EXPECT_FALSE(put()) << "he has sent it himself by now";
  EXPECT_TRUE(xet().HoldsXorb(his, upload.xorbs[0].index.hash));
  EXPECT_TRUE(Register(his, upload.shard)) << "as if it were new";
  EXPECT_FALSE(Register(his, upload.shard));
  EXPECT_TRUE(xet().FindFile(his, upload.shard.files[0].hash));
}

// How a content is compressed and packed is its sender's: another sender sees their own.
TEST_F(XetTest, WhoSendsKnownBytesOtherwiseSeesWhatTheySent) {
  std::string text = TextRows(20'000);
  XetUpload first, plain;
  XetHash file = first.AddFile(text).hash;
  first.Send(xet(), Mine());
  plain.AddFile(text);
  plain.PackPlainly();
  ASSERT_NE(plain.xorbs[0].body, first.xorbs[0].body);
  RepoHandle bobs = MakeRepo(bob_, "mine", true);
  XetScope his = Scope(bobs, bob_);
  plain.Send(xet(), his);
  auto bytes_of = [&](const XetScope& scope) {
    storage::Reconstruction plan = xet().Plan(*xet().FindFile(scope, file), 0, text.size());
    EXPECT_EQ(plan.xorbs.size(), 1u);
    return plan.xorbs.begin()->second.at(0).byte_end;
  };
  XetHash xorb = first.xorbs[0].index.hash;
  for (int opened = 0; opened < 2; ++opened) {
    EXPECT_EQ(bytes_of(Mine()), first.xorbs[0].body.size());
    EXPECT_EQ(bytes_of(his), plain.xorbs[0].body.size());
    EXPECT_EQ(xet().HoldsXorb(Mine(), xorb)->body_bytes, first.xorbs[0].body.size());
    EXPECT_EQ(xet().HoldsXorb(his, xorb)->body_bytes, plain.xorbs[0].body.size());
    EXPECT_EQ(Rebuild(*xet().FindFile(Mine(), file)), text);
    EXPECT_EQ(Rebuild(*xet().FindFile(his, file)), text);
    Reopen();
  }
  // Sent again, whatever is sent: what one has seen stays.
  first.Send(xet(), his);
  EXPECT_EQ(bytes_of(his), plain.xorbs[0].body.size());
  EXPECT_EQ(hub_->xet_index().FindXorbs(xorb).size(), 2u);
  // And a third who sends the bytes of either stores nothing.
  RepoHandle third = MakeRepo(bob_, "third", true);
  XetScope alone = Scope(third, bob_);
  alone.whole_user = false;
  plain.Send(xet(), alone);
  EXPECT_EQ(hub_->xet_index().FindXorbs(xorb).size(), 2u);
}

TEST_F(XetTest, WhoPacksKnownContentOtherwiseSeesTheirOwnTerms) {
  XetUpload whole, beside;
  XetHash file = whole.AddFile(bytes_).hash;
  whole.Send(xet(), Mine());
  // The chunks behind others in one xorb.
  storage::XorbBuilder builder;
  std::vector<XetHash> hashes;
  uint32_t bytes = 0;
  builder.Add(storage::HashChunk("before"), "before");
  for (const std::string& chunk : Chunks(bytes_)) {
    hashes.push_back(storage::HashChunk(chunk));
    builder.Add(hashes.back(), chunk);
    bytes += static_cast<uint32_t>(chunk.size());
  }
  beside.xorbs.push_back(builder.Finish());
  storage::ShardFile entry = whole.shard.files[0];
  entry.terms = {{beside.xorbs[0].index.hash, bytes, 1, static_cast<uint32_t>(hashes.size() + 1),
                  storage::HashVerification(hashes)}};
  beside.shard.files = {entry};
  RepoHandle bobs = MakeRepo(bob_, "mine", true);
  XetScope his = Scope(bobs, bob_);
  EXPECT_TRUE(storage::ParseShard(storage::WriteShard(beside.shard)).files.size() == 1);
  beside.Send(xet(), his);
  auto start = [&](const XetScope& scope) {
    return xet().Plan(*xet().FindFile(scope, file), 0, 1).terms.at(0).chunk_start;
  };
  EXPECT_EQ(start(Mine()), 0u);
  EXPECT_EQ(start(his), 1u);
  EXPECT_EQ(Rebuild(*xet().FindFile(his, file)), bytes_);
  // Once one may read the other's, it is no secret, and nothing is kept twice.
  RepoHandle open = MakeRepo(bob_, "open");
  whole.Send(xet(), Scope(open, bob_));
  EXPECT_EQ(start(Scope(open, bob_)), 1u) << "bob's own, which he may read";
}

// Alice's file begins in the middle of a xorb, which bob sends, byte for byte.
TEST_F(XetTest, WhereOthersFilesBeginIsNotTold) {
  XetUpload upload;
  upload.AddFile(bytes_);
  ASSERT_GT(upload.xorbs[0].index.chunks.size(), 2u);
  upload.Send(xet(), Mine());
  const storage::XorbIndex& index = upload.xorbs[0].index;
  RepoHandle bobs = MakeRepo(bob_, "mine", true);
  XetScope his = Scope(bobs, bob_);
  upload.SendXorbs(xet(), his);
  EXPECT_TRUE(xet().HoldsXorb(his, index.hash));
  EXPECT_TRUE(xet().FindChunk(Mine(), index.chunks[0].hash));
  EXPECT_FALSE(xet().FindChunk(his, index.chunks[0].hash)) << "no file of his begins there";
  Register(his, upload.shard);
  EXPECT_TRUE(xet().FindChunk(his, index.chunks[0].hash));
}

// Bob sends by LFS what alice has privately by Xet: nothing says so before his own conversion.
TEST_F(XetTest, AnObjectSentByLfsDoesNotTellThatItIsAXetFile) {
  XetUpload upload;
  const storage::ShardFile& file = upload.AddFile(bytes_);
  upload.Send(xet(), Mine());
  Sha256 oid = *file.sha256;
  RepoHandle other = MakeRepo(bob_, "mine"), second = MakeRepo(bob_, "second");
  XetHash chunk = upload.xorbs[0].index.chunks[0].hash;
  auto sees = [&](const RepoHandle& repo) {
    XetScope scope = Scope(repo, bob_);
    size_t shown = hub_->objects().XetHashesIn(repo.record(), {&oid, 1}).size();
    shown += xet().FindFile(scope, file.hash).has_value();
    shown += xet().HoldsXorb(scope, upload.xorbs[0].index.hash).has_value();
    return shown + xet().FindChunk(scope, chunk).has_value();
  };
  StoreObject(other, bob_, bytes_);
  EXPECT_EQ(sees(other), 0u);
  EXPECT_EQ(sees(second), 0u) << "nor another repository of his";
  clock_.Advance(std::chrono::minutes(9));
  EXPECT_EQ(hub_->xet_converter().ConvertDue(), 0u);
  EXPECT_EQ(sees(other), 0u);
  clock_.Advance(std::chrono::minutes(2));
  uint64_t version = repos().FindById(other.record().id)->version;
  EXPECT_EQ(hub_->xet_converter().ConvertDue(), 1u);
  EXPECT_EQ(hub_->objects().XetHashesIn(other.record(), {&oid, 1}).at(oid), file.hash);
  EXPECT_GT(repos().FindById(other.record().id)->version, version);
  EXPECT_EQ(sees(other), 4u);
  EXPECT_EQ(Rebuild(*xet().FindFile(Scope(other, bob_), file.hash)), bytes_);
  Reopen();
  EXPECT_TRUE(xet().FindFile(Scope(other, bob_), file.hash));
}

// The oldest form of the content has another hash, which only alice knows.
TEST_F(XetTest, EachRepositoryShowsTheFormThatItHas) {
  std::vector<std::string> chunks = Chunks(bytes_);
  XetUpload odd;
  storage::XorbBuilder builder;
  storage::MerkleAggregator merkle;
  std::vector<XetHash> hashes;
  for (const std::string& chunk : chunks) {  // as by a client that cuts otherwise
    for (std::string_view part :
         {std::string_view(chunk).substr(0, 5'000),
          std::string_view(chunk).substr(std::min<size_t>(5'000, chunk.size()))}) {
      if (part.empty()) continue;
      hashes.push_back(storage::HashChunk(part));
      merkle.Add(hashes.back(), part.size());
      builder.Add(hashes.back(), part);
    }
  }
  odd.xorbs.push_back(builder.Finish());
  const storage::XorbIndex& index = odd.xorbs[0].index;
  storage::ShardFile first;
  first.terms = {{index.hash, index.unpacked_bytes, 0, static_cast<uint32_t>(hashes.size()),
                  storage::HashVerification(hashes)}};
  first.hash = merkle.FinishFile();
  first.has_verification = true;
  first.sha256 = Sha256Of(bytes_);
  odd.shard.files = {first};
  odd.Send(xet(), Mine());

  Sha256 oid = Sha256Of(bytes_);
  RepoHandle theirs = MakeRepo(bob_, "theirs"), by_lfs = MakeRepo(bob_, "lfs");
  StoreObject(by_lfs, bob_, bytes_);
  XetUpload usual;
  XetHash second = usual.AddFile(bytes_).hash;
  auto shown = [&](const RepoHandle& repo) {
    auto found = hub_->objects().XetHashesIn(repo.record(), {&oid, 1});
    return found.empty() ? XetHash() : found.at(oid);
  };
  clock_.Advance(std::chrono::minutes(11));
  EXPECT_EQ(hub_->xet_converter().ConvertDue(), 1u);
  EXPECT_EQ(shown(by_lfs), second) << "what the conversion makes of the bytes";
  usual.Send(xet(), Scope(theirs, bob_));
  EXPECT_EQ(shown(theirs), second);
  EXPECT_EQ(shown(repo_), first.hash);
  EXPECT_FALSE(xet().FindFile(Mine(), second));
  EXPECT_FALSE(xet().FindFile(Scope(theirs, bob_), first.hash));
}

TEST_F(XetTest, ACopyShowsTheFormOfItsSource) {
  XetUpload upload;
  const storage::ShardFile& file = upload.AddFile(bytes_);
  upload.Send(xet(), Mine());
  RepoHandle copy = MakeRepo(alice_, "copy");
  ASSERT_TRUE(hub_->objects().GrantFromReadable(alice_, copy, *file.sha256));
  EXPECT_TRUE(xet().FindFile(Scope(copy, alice_), file.hash));
  NewRepo wanted;
  wanted.name = "twin";
  RepoHandle twin = repos().Duplicate(alice_, repo_, wanted);
  EXPECT_TRUE(xet().FindFile(Scope(twin, alice_), file.hash));
  hub_->objects().Revoke(copy, {*file.sha256});
  EXPECT_FALSE(xet().FindFile(Scope(copy, alice_), file.hash));
}

// The first look at a content takes its time; that somebody else's was looked at saves none.
TEST_F(XetTest, WhatOthersProvedIsProvedAgain) {
  XetUpload upload;
  upload.AddFile(bytes_);
  upload.Send(xet(), Mine());
  RepoHandle other = MakeRepo(bob_, "mine");
  upload.SendXorbs(xet(), Scope(other, bob_));
  auto steps = [&](const XetScope& scope) {
    size_t calls = 0;
    xet().RegisterShard(scope, storage::WriteShard(upload.shard),
                        [&](uint64_t, uint64_t) { ++calls; });
    return calls;
  };
  EXPECT_GT(steps(Scope(other, bob_)), 0u);
  EXPECT_EQ(steps(Scope(other, bob_)), 0u);
}

TEST_F(XetTest, ChunksOfPublicFilesAreOfferedToEveryWriter) {
  RepoHandle open = MakeRepo(alice_, "open");
  XetUpload upload;
  upload.AddFile(bytes_);
  upload.Send(xet(), Scope(open, alice_));
  RepoHandle bobs = MakeRepo(bob_, "mine");
  XetHash first = upload.xorbs[0].index.chunks[0].hash;
  std::optional<std::string> answer = xet().FindChunk(Scope(bobs, bob_), first);
  ASSERT_TRUE(answer);
  storage::Shard shard = storage::ParseShard(*answer);
  ASSERT_EQ(shard.xorbs.size(), 1u);
  EXPECT_EQ(shard.xorbs[0].hash, upload.xorbs[0].index.hash);
  auto footer = storage::FindShardFooter(*answer);
  ASSERT_TRUE(footer);
  EXPECT_EQ(shard.xorbs[0].chunks[0].hash, storage::ProtectHash(footer->hmac_key, first))
      << "hashes that prove possession stay here";
  EXPECT_FALSE(xet().MayHaveChunk(storage::HashChunk("no such chunk")));
  hub_->repos().UpdateSettings(open, {.is_private = true});
  EXPECT_FALSE(xet().FindChunk(Scope(bobs, bob_), first)) << "no longer readable";
}

TEST_F(XetTest, AChunkIsAnsweredWithTheWholeFileAsFarAsItMayBeRead) {
  XetUpload upload;
  upload.AddFile(NoiseBytes(1, 300'000));
  upload.AddFile(NoiseBytes(2, 300'000));
  std::string both = NoiseBytes(1, 300'000) + NoiseBytes(2, 300'000);
  storage::ShardFile joined = upload.shard.files[0];
  joined.terms.push_back(upload.shard.files[1].terms[0]);
  joined.sha256 = Sha256Of(both);
  storage::MerkleAggregator merkle;
  for (const storage::XorbBuilder::Built& xorb : upload.xorbs) {
    for (const storage::XorbChunk& chunk : xorb.index.chunks) {
      merkle.Add(chunk.hash, chunk.unpacked_bytes);
    }
  }
  joined.hash = merkle.FinishFile();
  upload.shard.files = {joined};
  upload.Send(xet(), Mine());
  XetHash first = upload.xorbs[0].index.chunks[0].hash;
  storage::Shard mine = storage::ParseShard(xet().FindChunk(Mine(), first).value());
  ASSERT_EQ(mine.xorbs.size(), 2u);
  EXPECT_EQ(mine.xorbs[0].hash, upload.xorbs[0].index.hash) << "the match comes first";
  EXPECT_EQ(mine.xorbs[1].hash, upload.xorbs[1].index.hash);

  // Bob has one half himself; the other is in a file that he may not read.
  XetUpload half;
  half.AddFile(NoiseBytes(1, 300'000));
  XetScope his = Scope(MakeRepo(bob_, "mine"), bob_);
  half.Send(xet(), his);
  storage::Shard bobs = storage::ParseShard(xet().FindChunk(his, first).value());
  ASSERT_EQ(bobs.xorbs.size(), 1u);
  EXPECT_EQ(bobs.xorbs[0].hash, upload.xorbs[0].index.hash);
}

// A published file shares a xorb with private ones when it was deduplicated against them, or sent
// along with them.
TEST_F(XetTest, WhatIsPrivateInTheXorbOfAPublicFileStaysUnknown) {
  XetUpload upload;
  upload.AddFile(bytes_);
  const storage::XorbIndex& xorb = upload.xorbs[0].index;
  ASSERT_GT(xorb.chunks.size(), 12u);
  upload.Send(xet(), Mine());
  // Of chunks 0 to 7 without 3 and 4, so that hidden ones lie between and behind.
  RepoHandle open = MakeRepo(alice_, "open");
  storage::ShardFile part;
  storage::MerkleAggregator merkle;
  std::string content;
  for (auto [from, to] : {std::pair<uint32_t, uint32_t>{0, 3}, {5, 8}}) {
    std::vector<XetHash> hashes;
    uint32_t bytes = 0;
    for (uint32_t i = from; i < to; ++i) {
      hashes.push_back(xorb.chunks[i].hash);
      merkle.Add(xorb.chunks[i].hash, xorb.chunks[i].unpacked_bytes);
      content += bytes_.substr(upload.shard.xorbs[0].chunks[i].unpacked_start,
                               xorb.chunks[i].unpacked_bytes);
      bytes += xorb.chunks[i].unpacked_bytes;
    }
    part.terms.push_back({xorb.hash, bytes, from, to, storage::HashVerification(hashes)});
  }
  part.hash = merkle.FinishFile();
  part.has_verification = true;
  part.sha256 = Sha256Of(content);
  ASSERT_TRUE(Register(Scope(open, alice_), {{part}, {}}));

  XetScope his = Scope(MakeRepo(bob_, "mine"), bob_);
  std::optional<std::string> answer = xet().FindChunk(his, xorb.chunks[0].hash);
  ASSERT_TRUE(answer);
  storage::Shard shard = storage::ParseShard(*answer);
  storage::Blake3Key key = storage::FindShardFooter(*answer)->hmac_key;
  ASSERT_EQ(shard.xorbs.size(), 1u);
  const std::vector<storage::ShardChunk>& said = shard.xorbs[0].chunks;
  ASSERT_EQ(said.size(), xorb.chunks.size());
  size_t true_lengths = 0;
  uint32_t at = 0;
  for (uint32_t i = 0; i < said.size(); ++i) {
    bool is_public = i < 8 && i != 3 && i != 4;
    EXPECT_EQ(said[i].hash == storage::ProtectHash(key, xorb.chunks[i].hash), is_public) << i;
    if (is_public) EXPECT_EQ(said[i].unpacked_bytes, xorb.chunks[i].unpacked_bytes) << i;
    if (!is_public) true_lengths += said[i].unpacked_bytes == xorb.chunks[i].unpacked_bytes;
    EXPECT_EQ(said[i].unpacked_start, at) << "in one row, whatever is hidden";
    at += said[i].unpacked_bytes;
  }
  EXPECT_EQ(at, xorb.unpacked_bytes);
  EXPECT_LT(true_lengths, 3u) << "lengths in a row are a fingerprint";

  // Its owner goes on to see all of it.
  storage::Shard hers = storage::ParseShard(xet().FindChunk(Mine(), xorb.chunks[0].hash).value());
  for (uint32_t i = 0; i < said.size(); ++i) {
    EXPECT_EQ(hers.xorbs[0].chunks[i].hash, storage::ProtectHash(key, xorb.chunks[i].hash));
  }
}

TEST_F(XetTest, APrivateFileInTheXorbOfAPublicOneIsNotFoundByItsChunk) {
  // One xorb, the files one behind the other, as small files of one upload are.
  XetUpload whole;
  std::string one = NoiseBytes(21, 5000), two = NoiseBytes(22, 6000);
  storage::XorbBuilder builder;
  std::vector<storage::ShardFile> files;
  for (const std::string& bytes : {one, two}) {
    XetHash hash = storage::HashChunk(bytes);
    storage::MerkleAggregator merkle;
    merkle.Add(hash, bytes.size());
    uint32_t at = builder.Add(hash, bytes);
    storage::ShardFile file;
    file.has_verification = true;
    file.sha256 = Sha256Of(bytes);
    file.terms.push_back({{},
                          static_cast<uint32_t>(bytes.size()),
                          at,
                          at + 1,
                          storage::HashVerification(std::vector<XetHash>{hash})});
    file.hash = merkle.FinishFile();
    files.push_back(std::move(file));
  }
  whole.xorbs.push_back(builder.Finish());
  for (storage::ShardFile& file : files) file.terms[0].xorb = whole.xorbs[0].index.hash;
  whole.SendXorbs(xet(), Mine());
  Register(Mine(), {{files[1]}, {}});
  Register(Scope(MakeRepo(alice_, "open"), alice_), {{files[0]}, {}});
  XetScope his = Scope(MakeRepo(bob_, "mine"), bob_);
  EXPECT_TRUE(xet().FindChunk(his, storage::HashChunk(one)));
  EXPECT_FALSE(xet().FindChunk(his, storage::HashChunk(two)));
  EXPECT_TRUE(xet().FindChunk(Mine(), storage::HashChunk(two)));

  // Nor can what it is be guessed: right and wrong get one answer, in terms and in descriptions.
  storage::ShardFile wrong = files[1];
  wrong.terms[0].verification = storage::HashChunk("guess");
  Error right_guess = ErrorOf([&] { Register(his, {{files[1]}, {}}); });
  Error wrong_guess = ErrorOf([&] { Register(his, {{wrong}, {}}); });
  EXPECT_EQ(right_guess.code(), Code::kInvalidArgument);
  EXPECT_STREQ(right_guess.what(), wrong_guess.what());
  storage::ShardXorb block = storage::DescribeXorb(whole.xorbs[0].index);
  block.stored_bytes = 0;
  for (const XetHash& guess : {block.chunks[1].hash, storage::HashChunk("guess")}) {
    block.chunks[1].hash = guess;
    EXPECT_NO_THROW(Register(his, {{files[0]}, {block}}));
  }
  EXPECT_TRUE(xet().FindFile(his, files[0].hash));
  EXPECT_FALSE(xet().FindFile(his, files[1].hash));
  whole.SendXorbs(xet(), his);  // who has the bytes may name them
  Register(his, {{files[1]}, {}});
  EXPECT_TRUE(xet().FindFile(his, files[1].hash));
}

TEST_F(XetTest, AFineGrainedTokenDoesNotSeeTheOtherPrivateRepositories) {
  XetUpload upload;
  upload.AddFile(bytes_);
  AccountPtr org = hub_->accounts().CreateOrg("lab", "", bob_.user_id);
  hub_->accounts().SetMember(org->id, alice_.user_id, OrgRole::kRead);
  bob_ = MakeUser("bob");
  NewRepo ours;
  ours.owner = "lab";
  ours.name = "ours";
  ours.is_private = true;
  upload.Send(xet(), Scope(repos().Create(bob_, ours), bob_));
  XetScope hers = Mine();
  XetHash first = upload.xorbs[0].index.chunks[0].hash;
  EXPECT_TRUE(xet().FindChunk(hers, first)) << "a member reads it";
  hers.whole_user = false;
  EXPECT_FALSE(xet().FindChunk(hers, first));
}

TEST_F(XetTest, AScopeEndsWithTheRightBehindIt) {
  XetScope mine = Mine();
  xet().CheckScope(mine);
  XetScope his = Scope(repo_, bob_, /*may_write=*/false);
  EXPECT_EQ(ErrorOf([&] { xet().CheckScope(his); }).code(), Code::kForbidden);
  hub_->repos().UpdateSettings(repo_, {.is_private = false});
  xet().CheckScope(his);
  his.may_write = true;
  EXPECT_EQ(ErrorOf([&] { xet().CheckScope(his); }).code(), Code::kForbidden);
  hub_->accounts().SetDisabled(alice_.user_id, true);
  EXPECT_EQ(ErrorOf([&] { xet().CheckScope(mine); }).code(), Code::kForbidden);
  hub_->repos().Delete(repo_);
  EXPECT_EQ(ErrorOf([&] { xet().CheckScope(Scope(repo_, bob_, false)); }).code(), Code::kForbidden);
}

TEST_F(XetTest, AReadScopeCannotUpload) {
  XetScope reader = Scope(repo_, alice_, /*may_write=*/false);
  XetUpload upload;
  upload.AddFile(bytes_);
  EXPECT_EQ(ErrorOf([&] { upload.SendXorbs(xet(), reader); }).code(), Code::kForbidden);
  EXPECT_EQ(ErrorOf([&] { Register(reader, upload.shard); }).code(), Code::kForbidden);
  EXPECT_EQ(ErrorOf([&] { xet().HoldsXorb(reader, upload.xorbs[0].index.hash); }).code(),
            Code::kForbidden);
}

TEST_F(XetTest, AStoreThatWasReplacedGetsAnotherName) {
  std::string name = xet().store_id();
  Reopen();
  EXPECT_EQ(xet().store_id(), name);
  hub_.reset();
  std::filesystem::remove_all(root_ / "xet");
  Reopen();
  EXPECT_NE(xet().store_id(), name);
}

TEST_F(XetTest, AFileWithoutSha256IsHeldByItsRepositoryOnly) {
  XetUpload upload;
  XetHash file = upload.AddFile(bytes_, /*with_sha256=*/false).hash;
  upload.Send(xet(), Mine());
  EXPECT_TRUE(xet().FindFile(Mine(), file));
  EXPECT_FALSE(xet().FindFile(Scope(MakeRepo(alice_, "another"), alice_), file));
}

}  // namespace
}  // namespace hearth::hub
