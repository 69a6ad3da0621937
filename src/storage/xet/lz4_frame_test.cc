#include "storage/xet/internal/lz4_frame.h"

#include <gtest/gtest.h>
#include <lz4frame.h>

#include <random>
#include <string>
#include <vector>

namespace hearth::storage::internal {
namespace {

std::string Encode(std::string_view bytes, const LZ4F_preferences_t& preferences) {
  std::string out(LZ4F_compressFrameBound(bytes.size(), &preferences), '\0');
  size_t written =
      LZ4F_compressFrame(out.data(), out.size(), bytes.data(), bytes.size(), &preferences);
  EXPECT_FALSE(LZ4F_isError(written));
  out.resize(written);
  return out;
}

FrameResult Decode(std::string_view payload, char* out, size_t out_bytes) {
  PlainFrame frame{payload, out, out_bytes};
  DecodePlainFrames({&frame, 1});
  return frame.result;
}

// What the library makes of it: one frame, whole, of exactly this length.
bool LibraryDecodes(std::string_view frame, std::string* out) {
  LZ4F_dctx* context = nullptr;
  LZ4F_createDecompressionContext(&context, LZ4F_VERSION);
  size_t produced = 0, hint = 1;
  while (!frame.empty() && hint != 0) {
    size_t room = out->size() - produced, taken = frame.size();
    hint = LZ4F_decompress(context, out->data() + produced, &room, frame.data(), &taken, nullptr);
    if (LZ4F_isError(hint) || (room == 0 && taken == 0)) break;
    produced += room;
    frame.remove_prefix(taken);
  }
  LZ4F_freeDecompressionContext(context);
  return hint == 0 && frame.empty() && produced == out->size();
}

std::string HalfNoise(std::mt19937& random, size_t size) {
  std::string bytes(size, 'x');
  for (size_t i = 0; i < size; ++i) {
    if (i / 100 % 2 == 0) bytes[i] = static_cast<char>(random());
  }
  return bytes;
}

std::vector<LZ4F_preferences_t> AllPreferences(size_t size) {
  std::vector<LZ4F_preferences_t> all;
  for (LZ4F_blockSizeID_t block : {LZ4F_default, LZ4F_max64KB, LZ4F_max256KB, LZ4F_max4MB}) {
    for (LZ4F_blockMode_t mode : {LZ4F_blockIndependent, LZ4F_blockLinked}) {
      for (int kind = 0; kind < 4; ++kind) {
        LZ4F_preferences_t preferences{};
        preferences.frameInfo.blockSizeID = block;
        preferences.frameInfo.blockMode = mode;
        if (kind == 1) preferences.frameInfo.contentSize = size;
        if (kind == 2) preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
        if (kind == 3) preferences.frameInfo.blockChecksumFlag = LZ4F_blockChecksumEnabled;
        all.push_back(preferences);
      }
    }
  }
  return all;
}

TEST(Lz4FrameTest, DecodesWhatTheLibraryEncodes) {
  std::mt19937 random(1);
  int decoded = 0;
  for (size_t size : {1, 100, 65536, 65537, 131072}) {
    for (const std::string& bytes : {HalfNoise(random, size), std::string(size, 'a')}) {
      for (const LZ4F_preferences_t& preferences : AllPreferences(size)) {
        std::string out(size, '\0');
        FrameResult result = Decode(Encode(bytes, preferences), out.data(), size);
        ASSERT_NE(result, FrameResult::kBad);
        if (result == FrameResult::kOther) continue;
        EXPECT_EQ(out, bytes);
        ++decoded;
      }
    }
  }
  EXPECT_GE(decoded, 80) << "independent blocks without checksums, size announced or not";
}

// More than are decoded at a time, of all kinds and sizes, a damaged one among them.
TEST(Lz4FrameTest, DecodesFramesOfOneCallEachByItself) {
  std::mt19937 random(3);
  std::vector<std::string> contents, payloads;
  for (size_t size : {1, 131'072, 70'000, 300, 65'536, 20'000}) {
    for (const LZ4F_preferences_t& preferences : AllPreferences(size)) {
      contents.push_back(HalfNoise(random, size));
      payloads.push_back(Encode(contents.back(), preferences));
    }
  }
  payloads[17].back() ^= 1;
  std::vector<PlainFrame> frames;
  std::vector<std::string> outs;
  for (const std::string& content : contents) outs.emplace_back(content.size(), '\0');
  for (size_t i = 0; i < payloads.size(); ++i) {
    frames.push_back({payloads[i], outs[i].data(), outs[i].size()});
  }
  DecodePlainFrames(frames);
  int decoded = 0;
  for (size_t i = 0; i < frames.size(); ++i) {
    std::string alone(contents[i].size(), '\0');
    ASSERT_EQ(frames[i].result, Decode(payloads[i], alone.data(), alone.size()));
    if (frames[i].result != FrameResult::kDecoded) continue;
    EXPECT_TRUE(outs[i] == contents[i]);
    ++decoded;
  }
  EXPECT_GE(decoded, 40);
}

TEST(Lz4FrameTest, RefusesALengthThatIsNotItsOwn) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  std::string frame = Encode(std::string(1000, 'a') + "b", preferences);
  std::string out(2000, 'z');
  EXPECT_EQ(Decode(frame, out.data(), 1001), FrameResult::kDecoded);
  EXPECT_EQ(Decode(frame, out.data(), 1002), FrameResult::kBad);
  EXPECT_EQ(Decode(frame, out.data(), 1000), FrameResult::kBad);
  EXPECT_EQ(out.substr(1001), std::string(999, 'z'));
  EXPECT_EQ(Decode(frame + "x", out.data(), 1001), FrameResult::kBad);
}

// On damaged frames too it agrees with the library: what one takes the other takes.
TEST(Lz4FrameTest, AgreesWithTheLibraryOnDamagedFrames) {
  std::mt19937 random(2);
  for (size_t size : {40, 3000, 70'000}) {
    for (const LZ4F_preferences_t& preferences : AllPreferences(size)) {
      std::string frame = Encode(HalfNoise(random, size), preferences);
      for (int round = 0; round < 60; ++round) {
        std::string damaged = frame;
        switch (random() % 3) {
          case 0:
            damaged.resize(random() % damaged.size());
            break;
          case 1:
            damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
            break;
          default:
            damaged[random() % std::min<size_t>(damaged.size(), 24)] = static_cast<char>(random());
        }
        std::string ours(size, '\0'), theirs(size, '\0');
        FrameResult result = Decode(damaged, ours.data(), size);
        if (result == FrameResult::kOther) continue;
        bool taken = LibraryDecodes(damaged, &theirs);
        EXPECT_EQ(result == FrameResult::kDecoded, taken);
        if (taken) EXPECT_EQ(ours, theirs);
      }
    }
  }
}

}  // namespace
}  // namespace hearth::storage::internal
