#include "hub/internal/xet_ahead.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "base/random.h"
#include "hub/internal/scratch_hub_test.h"
#include "hub/xet_upload_fixture.h"

namespace hearth::hub {
namespace {

using storage::XetHash;
using storage::XetTerm;

// Content in order, cut into xorbs of three chunks each.
struct Content {
  explicit Content(uint64_t seed, size_t xorb_count = 3) {
    for (size_t i = 0; i < xorb_count; ++i) {
      std::vector<std::string> pieces;
      for (size_t j = 0; j < 3; ++j) pieces.push_back(NoiseBytes(seed * 100 + i * 3 + j, 9000 + j));
      Add(pieces);
    }
  }
  void Add(const std::vector<std::string>& pieces) {
    storage::XorbBuilder builder;
    for (const std::string& piece : pieces) {
      builder.Add(storage::HashChunk(piece), piece);
      bytes += piece;
    }
    xorbs.push_back(builder.Finish());
    chunks.push_back(pieces);
    const storage::XorbIndex& index = xorbs.back().index;
    terms.push_back(
        {index.hash, index.unpacked_bytes, 0, static_cast<uint32_t>(index.chunks.size())});
  }
  XetHash first_chunk() const { return xorbs[0].index.chunks[0].hash; }

  std::string bytes;
  std::vector<storage::XorbBuilder::Built> xorbs;
  std::vector<std::vector<std::string>> chunks;
  std::vector<XetTerm> terms;
};

class XetAheadTest : public ::testing::Test {
 protected:
  XetAheadTest()
      : root_(std::filesystem::temp_directory_path() / ("hearth-ahead-" + RandomHex())),
        xorbs_(storage::XorbStore::OpenLocal(root_)),
        clock_(FromUnixMillis(1'750'000'000'000)),
        ahead_(*xorbs_, clock_) {}
  ~XetAheadTest() override { std::filesystem::remove_all(root_); }
  static std::string RandomHex() { return HexEncode(RandomBytes(8)); }

  using Arrival = std::unique_ptr<XetAhead::Arrival>;
  static void Feed(XetAhead::Arrival& arrival, const Content& content, size_t number) {
    for (const std::string& piece : content.chunks[number]) {
      arrival.TakeChunk(storage::HashChunk(piece), piece);
    }
  }
  Arrival Begin(const Content& content, size_t number) {
    auto arrival =
        std::make_unique<XetAhead::Arrival>(ahead_, scope_, content.xorbs[number].index.hash);
    Feed(*arrival, content, number);
    return arrival;
  }
  void Finish(const Arrival& arrival, const Content& content, size_t number) {
    xorbs_->PutBuilt(content.xorbs[number]);
    arrival->Finish(content.xorbs[number].index, 0);
  }
  void Send(const Content& content, size_t number) {
    Finish(Begin(content, number), content, number);
  }
  void SendAll(const Content& content) {
    ahead_.NoteAsked(content.first_chunk());
    for (size_t i = 0; i < content.xorbs.size(); ++i) Send(content, i);
  }
  // How many bytes of the file are known, which must then have the right digest.
  uint64_t KnownBytes(const std::vector<XetTerm>& terms, const std::string& bytes) {
    auto [hasher, known] = ahead_.FindLongest(scope_.user_id, terms);
    EXPECT_LE(known, bytes.size());
    EXPECT_EQ(hasher.Finish(), Sha256Of(std::string_view(bytes).substr(0, known)));
    return known;
  }
  uint64_t KnownBytes(const Content& content) { return KnownBytes(content.terms, content.bytes); }

  std::filesystem::path root_;
  std::unique_ptr<storage::XorbStore> xorbs_;
  ManualClock clock_;
  XetAhead ahead_;
  XetScope scope_{XetHolder::kRepo, 1, 1, true, true};
};

TEST_F(XetAheadTest, AFileInOrderIsKnownWhole) {
  Content file(1);
  SendAll(file);
  EXPECT_EQ(KnownBytes(file), file.bytes.size());
}

TEST_F(XetAheadTest, AFileWhoseFirstChunkNobodyAskedForIsNot) {
  Content file(1);
  for (size_t i = 0; i < file.xorbs.size(); ++i) Send(file, i);
  EXPECT_EQ(KnownBytes(file), 0u);
}

TEST_F(XetAheadTest, XorbsThatOverlapAreReadBackInTheirOrder) {
  Content file(1, 5);
  ahead_.NoteAsked(file.first_chunk());
  std::vector<Arrival> arrivals;
  for (size_t i = 0; i < 5; ++i) arrivals.push_back(Begin(file, i));
  // One request reads back two xorbs at most; the others' requests go on.
  for (size_t i : {2, 0, 4, 1, 3}) Finish(arrivals[i], file, i);
  EXPECT_EQ(KnownBytes(file), file.bytes.size());
}

TEST_F(XetAheadTest, SmallFilesInOneXorbAreKnownEach) {
  Content files(1, 0);
  files.Add({NoiseBytes(1, 9000), NoiseBytes(2, 700), NoiseBytes(3, 9000), NoiseBytes(4, 800)});
  const storage::XorbIndex& index = files.xorbs[0].index;
  for (size_t first : {0, 1, 3}) ahead_.NoteAsked(index.chunks[first].hash);
  Send(files, 0);
  auto known = [&](uint32_t start, uint32_t end) {
    std::string bytes;
    for (uint32_t i = start; i < end; ++i) bytes += files.chunks[0][i];
    return KnownBytes({{index.hash, static_cast<uint32_t>(bytes.size()), start, end}}, bytes);
  };
  EXPECT_EQ(known(0, 1), 9000u);
  EXPECT_EQ(known(1, 3), 9700u);
  EXPECT_EQ(known(3, 4), 800u);
  EXPECT_EQ(known(0, 2), 0u) << "no file ends there";
}

TEST_F(XetAheadTest, TermsThatTouchAreOneTrail) {
  Content file(1, 2);
  SendAll(file);
  std::vector<XetTerm> split;
  for (size_t i = 0; i < 2; ++i) {
    for (uint32_t j = 0; j < 3; ++j) {
      split.push_back({file.terms[i].xorb, static_cast<uint32_t>(9000 + j), j, j + 1});
    }
  }
  EXPECT_EQ(KnownBytes(split, file.bytes), file.bytes.size());
}

TEST_F(XetAheadTest, AnotherFileMeanwhileEndsTheGuessing) {
  Content one(1), two(2);
  ahead_.NoteAsked(one.first_chunk());
  ahead_.NoteAsked(two.first_chunk());
  for (size_t i = 0; i < 3; ++i) {
    Send(one, i);
    Send(two, i);
  }
  uint64_t xorb_bytes = one.terms[0].unpacked_bytes;
  EXPECT_EQ(KnownBytes(one), xorb_bytes);
  EXPECT_EQ(KnownBytes(two), xorb_bytes);
  ahead_.EndSession(scope_);
  Content three(3);
  SendAll(three);
  EXPECT_EQ(KnownBytes(three), three.bytes.size());
}

TEST_F(XetAheadTest, ABrokenUploadMayBeginAgain) {
  Content file(1);
  ahead_.NoteAsked(file.first_chunk());
  Send(file, 0);
  Begin(file, 1);  // and the connection breaks
  Send(file, 1);   // sent again
  Send(file, 2);
  EXPECT_EQ(KnownBytes(file), file.bytes.size());

  Content other(2);
  ahead_.NoteAsked(other.first_chunk());
  Begin(other, 0);
  SendAll(other);
  EXPECT_LE(KnownBytes(other), other.bytes.size());
}

TEST_F(XetAheadTest, TheSameFileOnceMoreBeginsAnew) {
  Content file(1);
  ahead_.NoteAsked(file.first_chunk());
  Send(file, 0);
  SendAll(file);
  EXPECT_EQ(KnownBytes(file), file.bytes.size());
}

TEST_F(XetAheadTest, ASessionThatWasGivenUpDoesNotStandInTheWay) {
  Content abandoned(1), file(2);
  ahead_.NoteAsked(abandoned.first_chunk());
  Send(abandoned, 0);
  clock_.Advance(std::chrono::minutes(11));
  SendAll(file);
  EXPECT_EQ(KnownBytes(file), file.bytes.size());
}

TEST_F(XetAheadTest, ASkippedXorbEndsTheLine) {
  Content file(1);
  ahead_.NoteAsked(file.first_chunk());
  Send(file, 0);
  ahead_.Skip(scope_);
  Send(file, 2);
  EXPECT_EQ(KnownBytes(file), file.terms[0].unpacked_bytes);
}

// Whatever the order and whatever breaks: what is known is right (KnownBytes compares digests).
TEST_F(XetAheadTest, NoOrderMakesAWrongDigest) {
  std::mt19937 random(7);
  std::vector<Content> files;
  for (uint64_t seed = 1; seed <= 4; ++seed) files.emplace_back(seed, 1 + seed);
  for (int round = 0; round < 60; ++round) {
    struct InFlight {
      Arrival arrival;
      size_t file, xorb;
    };
    std::vector<InFlight> flying;
    for (int step = 0; step < 30; ++step) {
      switch (random() % 6) {
        case 0:
          ahead_.NoteAsked(files[random() % 4].first_chunk());
          break;
        case 1:
          if (random() % 4 == 0) ahead_.EndSession(scope_);
          if (random() % 4 == 0) ahead_.Skip(scope_);
          break;
        case 2:
        case 3: {
          size_t file = random() % 4, xorb = random() % files[file].xorbs.size();
          flying.push_back({Begin(files[file], xorb), file, xorb});
          break;
        }
        default:
          if (flying.empty()) break;
          size_t which = random() % flying.size();
          InFlight& one = flying[which];
          if (random() % 4 != 0) Finish(one.arrival, files[one.file], one.xorb);
          flying.erase(flying.begin() + static_cast<ptrdiff_t>(which));
      }
    }
    for (const Content& file : files) KnownBytes(file);
    // Files that nobody sent so: pieces in another order.
    std::vector<XetTerm> mixed;
    std::string bytes;
    for (int i = 0; i < 3; ++i) {
      const Content& file = files[random() % 4];
      size_t xorb = random() % file.xorbs.size();
      mixed.push_back(file.terms[xorb]);
      for (const std::string& piece : file.chunks[xorb]) bytes += piece;
    }
    KnownBytes(mixed, bytes);
  }
}

// --- in the hub

class XetAheadHubTest : public ScratchHubTest {
 protected:
  XetAheadHubTest() : repo_(MakeRepo(alice_, "weights", /*is_private=*/true)) {}
  XetScope Mine() { return RepoScope(repo_.record(), alice_.user_id, true); }

  void Receive(const XetUpload& upload) {
    Xet& xet = hub_->xet();
    xet.NoteAsked(upload.xorbs[0].index.chunks[0].hash);
    for (const storage::XorbBuilder::Built& xorb : upload.xorbs) {
      std::unique_ptr<XorbArrival> arrival = xet.Receive(Mine(), xorb.index.hash);
      TempFile body(xet.index().xorbs().temp_folder());
      for (size_t at = 0; at < xorb.body.size(); at += 100'000) {
        arrival->Take(std::string_view(xorb.body).substr(at, 100'000));
      }
      body.Append(xorb.body);
      xet.PutXorb(Mine(), *arrival, std::move(body));
    }
  }
  // How often the check told that it had read on.
  int Register(const XetUpload& upload) {
    int reports = 0;
    hub_->xet().RegisterShard(Mine(), storage::WriteShard(upload.shard),
                              [&](uint64_t, uint64_t) { ++reports; });
    return reports;
  }

  RepoHandle repo_;
};

TEST_F(XetAheadHubTest, WhatWasHashedOnArrivalIsNotReadAgain) {
  XetUpload upload;
  upload.AddFile(NoiseBytes(1, 3'000'000));
  Receive(upload);
  EXPECT_EQ(Register(upload), 0);
  XetUpload unseen;
  unseen.AddFile(NoiseBytes(2, 3'000'000));
  unseen.SendXorbs(hub_->xet(), Mine());
  EXPECT_GT(Register(unseen), 0);
}

TEST_F(XetAheadHubTest, AForeignSha256IsStillALie) {
  XetUpload upload;
  upload.AddFile(NoiseBytes(1, 3'000'000));
  Receive(upload);
  upload.shard.files[0].sha256 = Sha256Of("famous weights");
  EXPECT_EQ(ErrorOf([&] { Register(upload); }).code(), Code::kInvalidArgument);
  EXPECT_FALSE(hub_->xet_index().FileOf(Sha256Of("famous weights")));
}

TEST_F(XetAheadHubTest, ABadBodyIsRefusedAndNotStored) {
  XetUpload upload;
  upload.AddFile(NoiseBytes(1, 300'000));
  const storage::XorbBuilder::Built& xorb = upload.xorbs[0];
  Xet& xet = hub_->xet();
  std::string damaged = xorb.body;
  damaged[damaged.size() / 2] ^= 1;
  for (const std::string& sent : {damaged, xorb.body.substr(0, xorb.body.size() - 1)}) {
    std::unique_ptr<XorbArrival> arrival = xet.Receive(Mine(), xorb.index.hash);
    TempFile body(xet.index().xorbs().temp_folder());
    arrival->Take(sent);
    body.Append(sent);
    EXPECT_EQ(ErrorOf([&] { xet.PutXorb(Mine(), *arrival, std::move(body)); }).code(),
              Code::kInvalidArgument);
    EXPECT_FALSE(xet.index().FindXorb(xorb.index.hash));
  }
}

}  // namespace
}  // namespace hearth::hub
