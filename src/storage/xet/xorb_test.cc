#include "storage/xet/xorb.h"

#include <gtest/gtest.h>
#include <lz4frame.h>

#include "base/error.h"
#include "storage/xet/chunker.h"
#include "storage/xet/internal/test_bytes.h"
#include "storage/xet/internal/test_xorb.h"

namespace hearth::storage {
namespace {

using internal::NormalWeights;
using internal::RecordedXorb;
using internal::SplitMixBytes;
using internal::TextRows;

XorbBuilder::Built SmallXorb() {
  XorbBuilder builder;
  for (const std::string& chunk :
       {std::string("Hello, World!"), std::string(300, 'x'), SplitMixBytes(4, 50)}) {
    builder.Add(HashChunk(chunk), chunk);
  }
  return builder.Finish();
}

XorbIndex Validate(std::string_view body, const XetHash& hash, size_t step = 1 << 20) {
  XorbValidator validator;
  for (size_t at = 0; at < body.size(); at += step) validator.Feed(body.substr(at, step));
  return validator.Finish(hash);
}

Code FaultOf(std::string_view body, const XetHash& hash) {
  try {
    Validate(body, hash);
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "accepted";
  return Code::kInternal;
}

std::string Header(int scheme, uint32_t payload, uint32_t unpacked) {
  std::string out(8, '\0');
  for (int i = 0; i < 3; ++i) out[1 + i] = static_cast<char>(payload >> 8 * i);
  out[4] = static_cast<char>(scheme);
  for (int i = 0; i < 3; ++i) out[5 + i] = static_cast<char>(unpacked >> 8 * i);
  return out;
}

// Footer of the recorded session's xorb as the stock client's local store writes it.
const char* const kRecordedFooter =
    "584554424c4f4201e1764676dbcae1ef1e43995e4460af8a68c7833c5db35ad1c85d25fd15e6a6aa58424c42"
    "485348000c000000cb5097846ecbf499a8706f2e66d49dc9a7f407872ea1f220239f29b4a024f47604e1a5aa"
    "2397fb0b79769b9bacc2333e1ecafe38850ad2bc372aab11291c73218eee7cc00bcbd8bb26bbcbad97a68d85"
    "9230964c7b4a59398669b431fe0a05e2068c57a3e5d39778c200278871ac246836359cb2d44ae4e8bd085ed7"
    "a9ab34a18f56caf5f1b4270de4f2ed18d282efaa978a9d9b4bcebf7d9e4111bff91717b84ea3cbb7bf4383c4"
    "384df47328a45afac9ea1fe531450d654d91824698e61e5ee3db650de81f938616936eb2faaf0ceb80b97408"
    "2f4728efaab4a81c86757814cb5097846ecbf499a8706f2e66d49dc9a7f407872ea1f220239f29b4a024f476"
    "04e1a5aa2397fb0b79769b9bacc2333e1ecafe38850ad2bc372aab11291c73216103d8084d153ec1366fc1db"
    "840926cc50d3e55f2158deafac4fdd5ae4a9ee328f56caf5f1b4270de4f2ed18d282efaa978a9d9b4bcebf7d"
    "9e4111bff91717b84ea3cbb7bf4383c4384df47328a45afac9ea1fe531450d654d91824698e61e5e58424c42"
    "424e44010c000000372500005e4a0000327800007cab00002b1e0100a0a50100c8f30100ff180200263e0200"
    "d9ed02008163030027f30300bdd7000054af0100caba02000cee0200ac6303004af303006a41040027190500"
    "bef00500967d070036f30700d48208000c000000140200008800000000000000000000000000000000000000"
    "3c020000";

TEST(Xorb, SameFilesGiveTheHashThatTheStockClientSent) {
  XorbBuilder::Built built = RecordedXorb();
  EXPECT_EQ(built.index.hash.Text(),
            "efe1cadb764676e18aaf60445e99431ed15ab35d3c83c768aaa6e615fd255dc8");
  EXPECT_EQ(built.index.chunks.size(), 12u);
  EXPECT_EQ(built.index.unpacked_bytes, 557780u);
  EXPECT_LT(built.body.size(), 300000u);
}

TEST(Xorb, FooterEqualsTheStockClients) {
  XorbIndex index = RecordedXorb().index;
  // Record ends depend on the compressor: take those of the recording.
  std::string footer = *HexDecode(kRecordedFooter);
  for (size_t i = 0; i < index.chunks.size(); ++i) {
    std::memcpy(&index.chunks[i].record_end, footer.data() + 448 + 4 * i, 4);
  }
  EXPECT_EQ(HexEncode(WriteXorbFooter(index, 0)), kRecordedFooter);
}

TEST(Xorb, WhatIsBuiltValidatesHoweverItArrives) {
  XorbBuilder::Built built = RecordedXorb();
  for (size_t step : {size_t{1}, size_t{7}, size_t{1000}, size_t{65536}, built.body.size()}) {
    XorbIndex index = Validate(built.body, built.index.hash, step);
    EXPECT_EQ(index.hash, built.index.hash);
    EXPECT_EQ(index.body_bytes, built.body.size());
    ASSERT_EQ(index.chunks.size(), built.index.chunks.size());
    for (size_t i = 0; i < index.chunks.size(); ++i) {
      EXPECT_EQ(index.chunks[i].hash, built.index.chunks[i].hash);
      EXPECT_EQ(index.chunks[i].record_end, built.index.chunks[i].record_end);
      EXPECT_EQ(index.chunks[i].unpacked_bytes, built.index.chunks[i].unpacked_bytes);
    }
  }
}

TEST(Xorb, FooterIsIgnoredAndNotCounted) {
  XorbBuilder::Built built = SmallXorb();
  std::string stored = built.body + WriteXorbFooter(built.index, 7);
  for (size_t step : {1, 3, 8, 1000}) {
    EXPECT_EQ(Validate(stored, built.index.hash, step).body_bytes, built.body.size());
  }
  EXPECT_EQ(Validate(built.body + "XETBLOBgarbage", built.index.hash).chunks.size(), 3u);
  EXPECT_EQ(
      FaultOf(built.body + "XETBLOB" + std::string(kXorbMaxFooterBytes, 'x'), built.index.hash),
      Code::kTooLarge);
}

TEST(Xorb, EveryTruncationIsRefused) {
  XorbBuilder::Built built = SmallXorb();
  for (size_t bytes = 0; bytes < built.body.size(); ++bytes) {
    EXPECT_EQ(FaultOf(built.body.substr(0, bytes), built.index.hash), Code::kInvalidArgument);
  }
}

TEST(Xorb, EveryFlippedByteIsRefusedOrGivesTheSameContent) {
  XorbBuilder::Built built = SmallXorb();
  for (size_t at = 0; at < built.body.size(); ++at) {
    std::string bad = built.body;
    bad[at] = static_cast<char>(bad[at] ^ 0x41);
    try {
      // A changed bit inside an LZ4 frame may decode to the same bytes; then nothing was lost.
      EXPECT_EQ(Validate(bad, built.index.hash).hash, built.index.hash);
    } catch (const Error& error) {
      EXPECT_LT(HttpStatus(error.code()), 500) << at;
    }
  }
}

TEST(Xorb, SchemesRoundTripAtEveryOddLength) {
  for (XorbScheme scheme : {XorbScheme::kNone, XorbScheme::kLz4, XorbScheme::kBg4Lz4}) {
    for (size_t bytes : {1, 2, 3, 4, 5, 4095, 4096, 4097, 65537, 131071, 131072}) {
      std::string chunk = TextRows(6000).substr(0, bytes);
      std::string record;
      PackXorbChunk(chunk, scheme, record);
      XorbChunkHeader header = ParseXorbChunkHeader(record);
      EXPECT_LE(header.payload_bytes, bytes);
      std::string back;
      UnpackXorbChunk(header, std::string_view(record).substr(kXorbHeaderBytes), back);
      EXPECT_TRUE(back == chunk) << bytes;
    }
  }
}

TEST(Xorb, GroupingPutsEveryFourthByteTogether) {
  // Frame with one stored block of "0 4 8|1 5 9|2 6|3 7": the order that the format fixes.
  std::string frame = *HexDecode("04224d186040820a000080");
  frame += "0481592637";
  frame += std::string(4, '\0');
  std::string back;
  UnpackXorbChunk({XorbScheme::kBg4Lz4, static_cast<uint32_t>(frame.size()), 10}, frame, back);
  EXPECT_EQ(back, "0123456789");
}

TEST(Xorb, GroupingIsTheSameAtEveryLength) {
  std::string random = SplitMixBytes(8, 600);
  for (size_t bytes = 1; bytes <= random.size(); ++bytes) {
    std::string content = random.substr(0, bytes);
    std::string grouped;
    for (size_t group = 0; group < 4; ++group) {
      for (size_t at = group; at < bytes; at += 4) grouped += content[at];
    }
    auto size = static_cast<uint32_t>(bytes);
    std::string frame = *HexDecode("04224d18604082");
    frame += static_cast<char>(size & 0xff);
    frame += static_cast<char>(size >> 8);
    frame += std::string("\0\x80", 2) + grouped + std::string(4, '\0');
    std::string back;
    UnpackXorbChunk({XorbScheme::kBg4Lz4, static_cast<uint32_t>(frame.size()), size}, frame, back);
    ASSERT_TRUE(back == content) << bytes;
  }
}

// Chunks of all kinds, lengths and schemes, and more of them than are decoded at a time.
TEST(Xorb, ChunksOfOneCallComeOutEachInItsPlace) {
  std::string content = NormalWeights(5, 100'000) + TextRows(4000) + SplitMixBytes(6, 90'000);
  std::vector<std::string> records;
  size_t at = 0;
  for (size_t bytes : {131'072, 1, 40'000, 70'001, 3, 90'000, 0}) {
    if (bytes == 0) bytes = content.size() - at;
    for (XorbScheme scheme : {XorbScheme::kBg4Lz4, XorbScheme::kNone, XorbScheme::kLz4}) {
      PackXorbChunk(std::string_view(content).substr(at, bytes), scheme, records.emplace_back());
    }
    at += bytes;
  }
  std::string out(3 * content.size(), '\0');
  std::vector<XorbChunkUnpacking> chunks;
  std::string expected;
  for (const std::string& record : records) {
    XorbChunkHeader header = ParseXorbChunkHeader(record);
    std::string_view payload = std::string_view(record).substr(kXorbHeaderBytes);
    chunks.push_back({header, payload, out.data() + expected.size()});
    std::string alone;
    UnpackXorbChunk(header, payload, alone);
    expected += alone;
  }
  UnpackXorbChunks(chunks);
  EXPECT_TRUE(out == expected);
  records[0].back() ^= 1;  // the end mark of a frame
  EXPECT_THROW(UnpackXorbChunks(chunks), Error);
}

std::string FrameOf(std::string_view content, const LZ4F_frameInfo_t& info) {
  LZ4F_preferences_t preferences = {};
  preferences.frameInfo = info;
  std::string frame(LZ4F_compressFrameBound(content.size(), &preferences), '\0');
  frame.resize(
      LZ4F_compressFrame(frame.data(), frame.size(), content.data(), content.size(), &preferences));
  return frame;
}

std::string RecordOf(std::string_view frame, std::string_view content) {
  return Header(1, static_cast<uint32_t>(frame.size()), static_cast<uint32_t>(content.size())) +
         std::string(frame);
}

TEST(Xorb, FramesWithAChecksumAndContentSizeAreRead) {
  std::string text = TextRows(2000);
  LZ4F_frameInfo_t info = {};
  info.blockMode = LZ4F_blockLinked;
  info.contentSize = text.size();
  info.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  EXPECT_EQ(Validate(RecordOf(FrameOf(text, info), text), HashChunk(text)).chunks.size(), 1u);
}

// The library decodes all of them to the announced bytes. Clients do not, and the first sender of a
// xorb decides which form everybody is given.
TEST(Xorb, FramesThatNotEveryClientDecodesAreRefused) {
  std::string text = TextRows(20);
  LZ4F_frameInfo_t dictionary = {}, block_checksums = {};
  dictionary.dictID = 7;
  block_checksums.blockChecksumFlag = LZ4F_blockChecksumEnabled;
  std::string header = *HexDecode("04224d18604082"), end(4, '\0');
  std::string ten = "0123456789", stored_ten = *HexDecode("0a000080") + ten;
  // Five literals, a match of four with offset 0, which the library takes for zeros, and the rest.
  std::string rest = "abcdefghijklmnopqrst", zeros = "01234" + std::string(4, '\0') + rest;
  std::string match =
      *HexDecode("1e00000050") + "01234" + *HexDecode("0000") + *HexDecode("f005") + rest;
  for (const auto& [frame, content] : std::vector<std::pair<std::string, std::string>>{
           {FrameOf(text, dictionary), text},
           {FrameOf(text, block_checksums), text},
           {header + *HexDecode("00000080") + stored_ten + end, ten},
           {header + stored_ten + *HexDecode("00000080") + end, ten},
           {header + *HexDecode("0100000000") + stored_ten + end, ten},
           {header + match + end, zeros},
           {header + stored_ten + match + end, ten + zeros}}) {
    std::string decoded;
    UnpackXorbChunk({XorbScheme::kLz4, static_cast<uint32_t>(frame.size()),
                     static_cast<uint32_t>(content.size())},
                    frame, decoded);
    EXPECT_EQ(decoded, content);
    EXPECT_EQ(FaultOf(RecordOf(frame, content), HashChunk(content)), Code::kInvalidArgument);
  }
  EXPECT_EQ(Validate(RecordOf(header + stored_ten + end, ten), HashChunk(ten)).chunks.size(), 1u);
}

// Two zeros in a row are an offset only where one stands.
TEST(Xorb, ZerosAmongLiteralsAndSmallOffsetsAreTaken) {
  std::string header = *HexDecode("04224d18604082"), end(4, '\0');
  // Five literals, a match of four with offset 1, another at once with offset 9, twenty zeros.
  std::string content = "01234" + std::string(4, '4') + "0123" + std::string(20, '\0');
  std::string block =
      *HexDecode("50") + "01234" + *HexDecode("0100000900f005") + std::string(20, '\0');
  std::string frame = header + *HexDecode("21000000") + block + end;
  EXPECT_EQ(Validate(RecordOf(frame, content), HashChunk(content)).unpacked_bytes, content.size());
}

TEST(Xorb, LiesInTheHeaderAreRefused) {
  std::string data(100, 'a');
  XetHash hash = HashChunk(data);
  std::string record;
  PackXorbChunk(data, XorbScheme::kLz4, record);
  auto payload = static_cast<uint32_t>(record.size() - kXorbHeaderBytes);
  std::string frame = record.substr(kXorbHeaderBytes);
  EXPECT_EQ(Validate(Header(1, payload, 100) + frame, hash).chunks.size(), 1u);
  for (const std::string& body :
       {Header(1, payload, 99) + frame,                     // decodes to more than announced
        Header(1, payload, 101) + frame,                    // to less
        Header(1, payload + 1, 100) + frame + "x",          // bytes after the frame
        Header(1, payload - 1, 100) + frame,                // frame cut short
        Header(3, payload, 100) + frame,                    // unknown scheme
        Header(99, payload, 100) + frame,                   // "auto" is never on the wire
        Header(0, 100, 99) + data,                          // raw, lengths differ
        Header(0, 100, 0) + data, Header(1, 0, 100),        // empty
        Header(1, payload, 131073) + frame,                 // longer than a chunk may be
        Header(1, 262145, 100) + std::string(262145, 'x'),  // payload too long
        std::string("\1", 1) + record.substr(1),            // future version
        std::string("XETBLAB"),                             // not quite a footer
        std::string("XETBLOB"),                             // a footer without chunks
        std::string()}) {
    EXPECT_EQ(FaultOf(body, hash), Code::kInvalidArgument);
  }
}

TEST(Xorb, AnotherNameIsRefused) {
  EXPECT_EQ(FaultOf(SmallXorb().body, HashChunk("other")), Code::kInvalidArgument);
}

TEST(Xorb, LimitsOnChunksAndUnpackedBytesHold) {
  std::string one;
  PackXorbChunk("a", XorbScheme::kNone, one);
  std::string many;
  for (size_t i = 0; i <= kXorbMaxChunks; ++i) many += one;
  EXPECT_EQ(FaultOf(many, XetHash()), Code::kTooLarge);

  // A bomb: 64 MiB and more of zeros in half a megabyte.
  std::string zeros;
  PackXorbChunk(std::string(kXetMaxChunkBytes, '\0'), XorbScheme::kLz4, zeros);
  std::string bomb;
  for (size_t i = 0; i <= kXorbMaxUnpackedBytes / kXetMaxChunkBytes; ++i) bomb += zeros;
  EXPECT_EQ(FaultOf(bomb, XetHash()), Code::kTooLarge);
}

TEST(Xorb, BuilderSaysWhenItIsFull) {
  XorbBuilder builder;
  std::string chunk(kXetMaxChunkBytes, '\0');
  XetHash hash = HashChunk(chunk);
  while (builder.Fits(chunk.size())) builder.Add(hash, chunk);
  EXPECT_EQ(builder.chunks(), kXorbMaxUnpackedBytes / kXetMaxChunkBytes);
  XorbBuilder::Built built = builder.Finish();
  EXPECT_TRUE(builder.empty());
  EXPECT_EQ(Validate(built.body, built.index.hash).unpacked_bytes, kXorbMaxUnpackedBytes);
}

}  // namespace
}  // namespace hearth::storage
