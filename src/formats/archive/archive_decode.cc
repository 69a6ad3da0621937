#include "formats/archive/archive_decode.h"

#include "base/bytes.h"
#include "base/error.h"
#include "formats/archive/internal/decoders.h"
#include "formats/archive/internal/spool.h"
#include "formats/source/source_window.h"

namespace hearth {
namespace {

constexpr size_t kBlockBytes = 256 << 10;
// Formats whose streams may follow each other in one file.
bool MayRepeat(Packing packing) {
  return packing == Packing::kGzip || packing == Packing::kBzip2 || packing == Packing::kZstd ||
         packing == Packing::kLz4;
}

bool LooksLikeZlib(std::string_view first) {
  if (first.size() < 2) return false;
  auto a = static_cast<unsigned char>(first[0]);
  auto b = static_cast<unsigned char>(first[1]);
  return (a & 0x0F) == 8 && (a >> 4) <= 7 && (a * 256 + b) % 31 == 0 && (b & 0x20) == 0;
}

// LZMA without a container has no mark: a byte of properties, the size of the dictionary, the size
// of the result, and a zero. liblzma, which sniffs as well, takes only dictionaries of 2^n or
// 2^n + 2^(n-1) bytes and sizes below 2^38.
bool LooksLikeLzmaAlone(std::string_view first) {
  constexpr size_t kHeaderBytes = 13;
  if (first.size() <= kHeaderBytes || first[kHeaderBytes] != '\0') return false;
  auto properties = static_cast<unsigned char>(first[0]);
  if (properties >= 9 * 5 * 5) return false;
  uint32_t dictionary = Little32(first.data() + 1);
  uint32_t lowest = dictionary & (~dictionary + 1);
  uint32_t rest = dictionary - lowest;
  bool round = dictionary == UINT32_MAX ||
               (dictionary != 0 && (rest == 0 || (rest == lowest << 1 && rest != 0)));
  uint64_t size = Little64(first.data() + 5);
  return round && (size == UINT64_MAX || size < uint64_t{1} << 38);
}

}  // namespace

std::optional<Packing> SniffPacking(std::string_view first) {
  if (first.substr(0, 2) == "\x1f\x8b") return Packing::kGzip;
  if (first.substr(0, 3) == "BZh") return Packing::kBzip2;
  if (first.substr(0, 6) == std::string_view("\xFD"
                                             "7zXZ\0",
                                             6)) {
    return Packing::kXz;
  }
  if (first.substr(0, 3) == std::string_view("\x5D\0\0", 3)) return Packing::kXz;
  if (first.substr(0, 4) == "\x28\xB5\x2F\xFD") return Packing::kZstd;
  if (first.substr(0, 4) == "\x04\x22\x4D\x18") return Packing::kLz4;
  if (LooksLikeZlib(first)) return Packing::kZlib;
  if (LooksLikeLzmaAlone(first)) return Packing::kXz;
  return std::nullopt;
}

Unpacked Unpack(ByteSource& source, Packing packing, const UnpackLimits& limits) {
  Unpacked result;
  if (packing == Packing::kStored) {
    result.source = std::make_unique<WindowSource>(source, 0, source.size_bytes());
    result.used_bytes = source.size_bytes();
    return result;
  }
  std::unique_ptr<StreamDecoder> decoder = MakeDecoder(packing);
  Spool spool;
  std::string input, output(kBlockBytes, '\0');
  std::string_view left;
  uint64_t read = 0;
  uint64_t size = source.size_bytes();
  using State = StreamDecoder::State;
  for (;;) {
    if (left.empty() && read < size) {
      input = source.Read(read, static_cast<size_t>(std::min<uint64_t>(kBlockBytes, size - read)));
      read += input.size();
      left = input;
    }
    size_t made = output.size();
    size_t before = left.size();
    State state = decoder->Decode(&left, output.data(), &made);
    spool.Append({output.data(), made});
    result.used_bytes = read - left.size();
    bool over = spool.size() > limits.max_bytes ||
                (spool.size() > Spool::kMemoryBytes &&
                 spool.size() / limits.max_ratio > std::max<uint64_t>(1, result.used_bytes));
    if (over) {
      result.bomb = true;
      result.problem = "unpacks to more than the limits allow";
      break;
    }
    if (state == State::kBroken) {
      result.problem = "the compressed data is damaged";
      break;
    }
    if (state == State::kDone) {
      if (left.empty() && read >= size) break;
      if (!MayRepeat(packing)) break;
      decoder = MakeDecoder(packing);
      continue;
    }
    if (made == 0 && left.empty() && read >= size) {
      // xz says that it is done only when it is asked with nothing left, so the end of it cannot be
      // told from a cut.
      if (packing != Packing::kXz) result.problem = "the compressed data is cut off";
      break;
    }
    if (made == 0 && left.size() == before && before > 0) {
      result.problem = "the compressed data is damaged";
      break;
    }
  }
  result.source = spool.Finish();
  return result;
}

}  // namespace hearth
