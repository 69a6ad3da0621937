#include "storage/xet/shard.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "storage/xet/internal/recorded_shards.h"
#include "storage/xet/internal/test_xorb.h"

namespace hearth::storage {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

std::string Recorded(const char* hex) { return *HexDecode(hex); }

Code FaultOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "accepted";
  return Code::kInternal;
}

Code ParseFault(const std::string& bytes) {
  return FaultOf([&] { ParseShard(bytes); });
}

XetHash Named(uint64_t seed) { return XetHash::FromRaw(internal::SplitMixBytes(seed, 32)); }

ShardFile SmallFile(bool has_verification) {
  ShardFile file;
  file.hash = Named(1);
  file.has_verification = has_verification;
  file.terms.resize(2);
  for (ShardTerm& term : file.terms) {
    term.xorb = Named(2);
    term.unpacked_bytes = 70000;
    term.chunk_start = 3;
    term.chunk_end = 5;
    if (has_verification) term.verification = Named(3);
  }
  return file;
}

TEST(Shard, ReadsAndRewritesWhatTheStockClientSends) {
  std::string bytes = Recorded(internal::kShard180);
  Shard shard = ParseShard(bytes);
  ASSERT_EQ(shard.files.size(), 4u);
  EXPECT_EQ(shard.files[0].hash.Text(),
            "676c13a1c80ba2e3adf650a57037c8af944d7d928a8049b5e7913f02d5ab3a65");
  EXPECT_EQ(shard.files[0].sha256->Hex(),
            "680d4bacda14246b9919daa99be4152a6ae16d0160feacd5aebd55b880c67f4d");
  ASSERT_EQ(shard.files[1].terms.size(), 1u);
  EXPECT_EQ(shard.files[1].terms[0].unpacked_bytes, 278890u);
  EXPECT_EQ(shard.files[1].terms[0].chunk_start, 7u);
  EXPECT_EQ(shard.files[1].terms[0].chunk_end, 12u);
  ASSERT_EQ(shard.xorbs.size(), 1u);
  EXPECT_EQ(shard.xorbs[0].chunks.size(), 12u);
  EXPECT_EQ(shard.xorbs[0].unpacked_bytes, 557780u);
  EXPECT_TRUE(WriteShard(shard) == bytes);
  EXPECT_FALSE(FindShardFooter(bytes));
}

TEST(Shard, OtherSendersDialectsMeanTheSame) {
  Shard old = ParseShard(Recorded(internal::kShard115));
  Shard js = ParseShard(Recorded(internal::kShardJs));
  ASSERT_EQ(old.files.size(), 1u);
  EXPECT_EQ(old.files, js.files);
  EXPECT_EQ(old.files[0].hash.Text(),
            "d33923b68d3a4d21067b29692c5cacbe66204c5434784c725ae006c3841730d6");
  ASSERT_EQ(js.xorbs.size(), 1u);
  EXPECT_EQ(old.xorbs[0].chunks, js.xorbs[0].chunks);
  EXPECT_EQ(old.xorbs[0].stored_bytes, 0u);
  EXPECT_EQ(js.xorbs[0].stored_bytes, 13895u);
}

TEST(Shard, RecordedTermsAndFileHashesHoldAgainstTheStoredXorb) {
  XorbIndex index = internal::RecordedXorb().index;
  Shard shard = ParseShard(Recorded(internal::kShard180));
  CheckShardXorb(shard.xorbs[0], index);
  for (const ShardFile& file : shard.files) {
    MerkleAggregator merkle;
    for (const ShardTerm& term : file.terms) {
      CheckShardTerm(term, index);
      for (uint32_t i = term.chunk_start; i < term.chunk_end; ++i) {
        merkle.Add(index.chunks[i].hash, index.chunks[i].unpacked_bytes);
      }
    }
    EXPECT_EQ(merkle.FinishFile(), file.hash);
  }
}

TEST(Shard, DedupAnswerEqualsOneThatClientsAccepted) {
  XorbIndex index = internal::RecordedXorb().index;
  ShardXorb block = DescribeXorb(index);
  block.stored_bytes = 258855;  // the recorded body; ours depends on the compressor
  ShardFooter footer;
  std::string key = *HexDecode("f47810e5a6febb5fcaa1dd4db83aea16c04760d33d55b1ecd69eef46ee65b9ce");
  std::copy(key.begin(), key.end(), footer.hmac_key.begin());
  footer.created = sys_seconds(seconds(1795249176));
  footer.key_expiry = sys_seconds(seconds(1795335576));
  std::string answer = WriteDedupShard({&block, 1}, footer);
  EXPECT_EQ(HexEncode(answer), internal::kDedupAnswer);

  auto found = FindShardFooter(answer);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->hmac_key, footer.hmac_key);
  EXPECT_EQ(found->created, footer.created);
  EXPECT_EQ(found->key_expiry, footer.key_expiry);
  Shard shard = ParseShard(answer);
  ASSERT_EQ(shard.xorbs.size(), 1u);
  EXPECT_EQ(shard.xorbs[0].chunks[3].hash, ProtectHash(footer.hmac_key, index.chunks[3].hash));
}

TEST(Shard, DedupAnswerWithoutAKeyIsNeverWritten) {
  EXPECT_EQ(FaultOf([] { WriteDedupShard({}, ShardFooter{}); }), Code::kInternal);
}

TEST(Shard, RoundTripsEveryKindOfFile) {
  Shard shard;
  shard.files.push_back(SmallFile(true));
  shard.files.back().sha256 = Sha256(Named(9).raw());
  shard.files.push_back(SmallFile(true));  // sha256 skipped, as for buckets
  shard.files.emplace_back();              // the empty file
  shard.xorbs.push_back({Named(2), 9, 7, {{Named(5), 0, 4, true}, {Named(6), 4, 5, false}}});
  EXPECT_EQ(ParseShard(WriteShard(shard)), shard);
  EXPECT_EQ(ParseShard(WriteShard(Shard{})), Shard{});
}

TEST(Shard, EveryTruncationIsRefusedUpToTheSecondBookend) {
  for (const char* hex : {internal::kShard180, internal::kShardJs, internal::kShard115}) {
    std::string bytes = Recorded(hex);
    size_t end = WriteShard(ParseShard(bytes)).size();
    Shard whole = ParseShard(bytes);
    for (size_t length = 0; length < end; ++length) {
      EXPECT_EQ(ParseFault(bytes.substr(0, length)), Code::kInvalidArgument) << length;
    }
    for (size_t length = end; length <= bytes.size(); ++length) {
      EXPECT_EQ(ParseShard(bytes.substr(0, length)), whole) << length;
    }
  }
}

TEST(Shard, AFlippedByteNeverBreaksTheReader) {
  std::string bytes = Recorded(internal::kDedupAnswer);
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int flip : {0x01, 0x80, 0xff}) {
      std::string bad = bytes;
      bad[at] = static_cast<char>(bad[at] ^ flip);
      FindShardFooter(bad);
      try {
        ParseShard(bad);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::kInvalidArgument) << at;
      }
    }
  }
}

TEST(Shard, CountsAreCheckedBeforeMemoryIsTaken) {
  Shard shard;
  shard.files.push_back(SmallFile(true));
  std::string bytes = WriteShard(shard);
  // The term count lies in the first block, behind the hash and the flags.
  std::string bad = bytes;
  bad.replace(kShardRecordBytes + 36, 4, "\xff\xff\xff\xff");
  EXPECT_EQ(ParseFault(bad), Code::kInvalidArgument);

  shard = Shard{};
  shard.xorbs.push_back({Named(2), 9, 7, {{Named(5), 0, 9, false}}});
  bytes = WriteShard(shard);
  bad = bytes;
  bad.replace(2 * kShardRecordBytes + 36, 4, "\xff\xff\xff\xff");
  EXPECT_EQ(ParseFault(bad), Code::kInvalidArgument);
  bad.replace(2 * kShardRecordBytes + 36, 4, std::string("\x00\x20\x00\x00", 4));
  EXPECT_EQ(ParseFault(bad), Code::kInvalidArgument);
}

TEST(Shard, UnknownVersionsAndFlagsAreRefused) {
  Shard shard;
  shard.files.push_back(SmallFile(false));
  std::string bytes = WriteShard(shard);
  EXPECT_EQ(ParseShard(bytes), shard);
  std::string bad = bytes;
  bad[0] = 'X';
  EXPECT_EQ(ParseFault(bad), Code::kInvalidArgument);
  bad = bytes;
  bad[32] = 3;
  EXPECT_EQ(ParseFault(bad), Code::kInvalidArgument);
  bad = bytes;
  bad[kShardRecordBytes + 32] = 1;
  EXPECT_EQ(ParseFault(bad), Code::kInvalidArgument);
}

TEST(Shard, FooterSizeInTheHeaderIsNotBelieved) {
  Shard shard;
  shard.files.push_back(SmallFile(true));
  std::string bytes = WriteShard(shard);
  bytes.replace(40, 8, "\xff\xff\xff\xff\xff\xff\xff\xff");
  EXPECT_EQ(ParseShard(bytes), shard);
}

TEST(Shard, AMixtureOfVerifiedAndUnverifiedFilesIsRefused) {
  Shard shard;
  shard.files.push_back(SmallFile(true));
  shard.files.push_back(SmallFile(false));
  EXPECT_EQ(ParseFault(WriteShard(shard)), Code::kInvalidArgument);
}

TEST(Shard, TermsWithoutChunksAreRefused) {
  for (uint32_t end : {0u, 3u, 8193u, 0xffffffffu}) {
    Shard shard;
    shard.files.push_back(SmallFile(true));
    shard.files[0].terms[1].chunk_end = end;
    EXPECT_EQ(ParseFault(WriteShard(shard)), Code::kInvalidArgument) << end;
  }
}

TEST(Shard, OversizedInputIsRefusedUnread) {
  EXPECT_EQ(ParseFault(std::string(kShardMaxBytes + 1, '\0')), Code::kTooLarge);
}

TEST(CheckShardTerm, EveryLieIsRefused) {
  XorbIndex index = internal::RecordedXorb().index;
  ShardTerm good = ParseShard(Recorded(internal::kShard180)).files[1].terms[0];
  CheckShardTerm(good, index);
  std::vector<ShardTerm> lies(6, good);
  lies[0].unpacked_bytes += 1;
  lies[1].chunk_end = 13;
  lies[2].chunk_start = 8;
  lies[3].verification = XetHash();
  lies[4].chunk_start = lies[4].chunk_end;
  lies[5].xorb = Named(1);
  for (size_t i = 0; i < lies.size(); ++i) {
    EXPECT_EQ(FaultOf([&] { CheckShardTerm(lies[i], index); }), Code::kInvalidArgument) << i;
  }
}

TEST(CheckShardXorb, EveryLieIsRefused) {
  XorbIndex index = internal::RecordedXorb().index;
  ShardXorb good = DescribeXorb(index);
  good.stored_bytes = 0;  // as most clients send it
  CheckShardXorb(good, index);
  std::vector<ShardXorb> lies(6, good);
  lies[0].hash = Named(1);
  lies[1].unpacked_bytes -= 1;
  lies[2].chunks.pop_back();
  lies[3].chunks[4].hash = Named(1);
  lies[4].chunks[4].unpacked_start += 1;
  lies[5].chunks[4].unpacked_bytes += 1;
  for (size_t i = 0; i < lies.size(); ++i) {
    EXPECT_EQ(FaultOf([&] { CheckShardXorb(lies[i], index); }), Code::kInvalidArgument) << i;
  }
}

}  // namespace
}  // namespace hearth::storage
