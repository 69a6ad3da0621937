#include "net/internal/chunk_decoder.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace hearth::net {
namespace {

struct Decoded {
  std::string body, rest;
};

// Feeds `input` in pieces of `piece` bytes; nullopt when it is malformed or not finished.
std::optional<Decoded> Decode(std::string_view input, size_t piece) {
  ChunkDecoder decoder;
  Decoded out;
  size_t at = 0;
  while (at < input.size()) {
    std::string_view part = input.substr(at, piece);
    ChunkDecoder::Step step = decoder.Next(part);
    at += step.consumed;
    if (step.status == ChunkDecoder::Status::kBad) return std::nullopt;
    if (step.status == ChunkDecoder::Status::kData) out.body += step.data;
    if (step.status == ChunkDecoder::Status::kDone) {
      out.rest = input.substr(at);
      return out;
    }
  }
  return std::nullopt;
}

TEST(ChunkDecoder, DecodesInAnyPieces) {
  std::string input =
      "5\r\nhello\r\n1;ext=\"a\"\r\n \r\n00a\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nNEXT";
  for (size_t piece = 1; piece <= input.size(); ++piece) {
    auto decoded = Decode(input, piece);
    ASSERT_TRUE(decoded) << piece;
    EXPECT_EQ(decoded->body, "hello 0123456789");
    EXPECT_EQ(decoded->rest, "NEXT");
  }
}

TEST(ChunkDecoder, RefusesMalformedFraming) {
  for (const char* bad : {
           "\r\n",
           "g\r\n",
           "-1\r\n",
           "+1\r\na\r\n",
           " 1\r\na\r\n",
           "1 \r\na\r\n",
           "0x1\r\na\r\n",
           "1\na\r\n0\r\n\r\n",
           "1\r\na\n0\r\n\r\n",
           "1\r\nab\r\n0\r\n\r\n",
           "1\r\na0\r\n\r\n",
           "1\rXa\r\n0\r\n\r\n",
           "1;a\nb\r\na\r\n0\r\n\r\n",
           "ffffffffffffffff\r\na",
           "10000000000000000\r\na",
           "0\r\n X: folded\r\n\r\n",
           "0\r\n: x\r\n\r\n",
           "0\r\nA: b\n\r\n",
           "0\r\n\rX",
           "1;\x01\r\na\r\n0\r\n\r\n",
       }) {
    EXPECT_FALSE(Decode(bad, 1)) << bad;
    EXPECT_FALSE(Decode(bad, 1000)) << bad;
  }
}

TEST(ChunkDecoder, BoundsExtensionsAndTrailers) {
  EXPECT_FALSE(Decode("1;" + std::string(20000, 'a') + "\r\na\r\n0\r\n\r\n", 4096));
  EXPECT_FALSE(Decode("0\r\nA: " + std::string(20000, 'a') + "\r\n\r\n", 4096));
  std::string many = "0\r\n";
  for (int i = 0; i < 20000; ++i) many += "a\r\n";
  EXPECT_FALSE(Decode(many + "\r\n", 4096));
}

TEST(ChunkDecoder, TruncationIsNotTheEnd) {
  std::string input = "3\r\nabc\r\n0\r\n\r\n";
  for (size_t size = 0; size < input.size(); ++size) {
    EXPECT_FALSE(Decode(std::string_view(input).substr(0, size), 100)) << size;
  }
}

}  // namespace
}  // namespace hearth::net
