#include "formats/parquet/internal/parquet_values.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace hearth::parquet {
namespace {

[[noreturn]] void Cut() { throw Error(Code::kInvalidArgument, "a page ends before its values do"); }

class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  bool empty() const { return at_ >= bytes_.size(); }
  size_t used() const { return at_; }
  std::string_view Take(uint64_t count) {
    if (count > bytes_.size() - at_) Cut();
    std::string_view taken = bytes_.substr(at_, static_cast<size_t>(count));
    at_ += static_cast<size_t>(count);
    return taken;
  }
  uint64_t Fixed(size_t width) {
    uint64_t value = 0;
    std::memcpy(&value, Take(width).data(), width);
    return value;
  }
  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      uint8_t byte = static_cast<uint8_t>(Take(1)[0]);
      value |= static_cast<uint64_t>(byte & 127) << shift;
      if (byte < 128) return value;
    }
    Cut();
  }
  int64_t Zigzag() {
    uint64_t value = Varint();
    return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
  }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
};

// Bits from the least significant on. Widths up to 64.
uint64_t Bits(std::string_view bytes, uint64_t at, int width) {
  uint64_t value = 0;
  for (int done = 0; done < width;) {
    uint64_t byte = at / 8;
    if (byte >= bytes.size()) Cut();
    int shift = static_cast<int>(at % 8), take = std::min(8 - shift, width - done);
    uint64_t part = (static_cast<uint8_t>(bytes[byte]) >> shift) & ((1u << take) - 1);
    value |= part << done;
    done += take;
    at += static_cast<uint64_t>(take);
  }
  return value;
}

size_t Width(Physical type, size_t fixed_bytes) {
  switch (type) {
    case Physical::kInt32:
    case Physical::kFloat:
      return 4;
    case Physical::kInt64:
    case Physical::kDouble:
      return 8;
    case Physical::kInt96:
      return 12;
    default:
      return fixed_bytes;
  }
}

}  // namespace

bool IsText(Physical type) {
  return type == Physical::kByteArray || type == Physical::kFixed || type == Physical::kInt96;
}

std::vector<uint32_t> ReadHybrid(std::string_view bytes, int width, size_t count) {
  if (width < 0 || width > 32)
    throw Error(Code::kInvalidArgument, "numbers of more than 32 bits in a run");
  std::vector<uint32_t> values;
  Bytes reader(bytes);
  while (values.size() < count) {
    uint64_t head = width == 0 && reader.empty() ? (count << 1) : reader.Varint();
    if ((head & 1) == 0) {
      uint64_t run = std::min<uint64_t>(head >> 1, count - values.size());
      uint32_t value = static_cast<uint32_t>(
          width == 0 ? 0 : reader.Fixed(static_cast<size_t>((width + 7) / 8)));
      if (run == 0) throw Error(Code::kInvalidArgument, "an empty run");
      values.insert(values.end(), static_cast<size_t>(run), value);
      continue;
    }
    uint64_t groups = head >> 1;
    if (groups == 0 || groups > (1u << 28))
      throw Error(Code::kInvalidArgument, "a run of an impossible length");
    // The last group may be cut short.
    uint64_t have =
        std::min<uint64_t>(groups * static_cast<uint64_t>(width), bytes.size() - reader.used());
    std::string_view packed = reader.Take(have);
    uint64_t run = std::min<uint64_t>(groups * 8, count - values.size());
    for (uint64_t i = 0; i < run; ++i)
      values.push_back(
          static_cast<uint32_t>(Bits(packed, i * static_cast<uint64_t>(width), width)));
  }
  return values;
}

PageValues ReadPlain(std::string_view bytes, Physical type, size_t fixed_bytes, size_t count) {
  PageValues values;
  if (type == Physical::kBoolean) {
    for (size_t i = 0; i < count; ++i) values.bits.push_back(Bits(bytes, i, 1));
    return values;
  }
  Bytes reader(bytes);
  for (size_t i = 0; i < count; ++i) {
    if (type == Physical::kByteArray)
      values.texts.emplace_back(reader.Take(reader.Fixed(4)));
    else if (IsText(type))
      values.texts.emplace_back(reader.Take(Width(type, fixed_bytes)));
    else
      values.bits.push_back(reader.Fixed(Width(type, fixed_bytes)));
  }
  return values;
}

std::vector<int64_t> ReadDelta(std::string_view bytes, size_t count, size_t* used) {
  Bytes reader(bytes);
  uint64_t block = reader.Varint(), miniblocks = reader.Varint(), total = reader.Varint();
  int64_t value = reader.Zigzag();
  if (block == 0 || block > (1u << 20) || miniblocks == 0 || miniblocks > 512 ||
      block % miniblocks != 0 || (block / miniblocks) % 8 != 0)
    throw Error(Code::kInvalidArgument, "blocks of an impossible size");
  uint64_t per = block / miniblocks;
  std::vector<int64_t> values;
  if (total > 0) values.push_back(value);
  count = static_cast<size_t>(std::min<uint64_t>(count, total));
  // All of it must be passed over to know where it ends, even when fewer values are wanted.
  uint64_t seen = 1;
  while (seen < total) {
    int64_t least = reader.Zigzag();
    std::string_view widths = reader.Take(miniblocks);
    for (uint64_t m = 0; m < miniblocks && seen < total; ++m) {
      int width = static_cast<uint8_t>(widths[m]);
      if (width > 64) throw Error(Code::kInvalidArgument, "differences of more than 64 bits");
      std::string_view packed = reader.Take(per * static_cast<uint64_t>(width) / 8);
      for (uint64_t i = 0; i < per && seen < total; ++i, ++seen) {
        if (values.size() >= count) continue;
        // Differences wrap around.
        value = static_cast<int64_t>(static_cast<uint64_t>(value) + static_cast<uint64_t>(least) +
                                     Bits(packed, i * static_cast<uint64_t>(width), width));
        values.push_back(value);
      }
      if (per == 0) break;
    }
  }
  *used = reader.used();
  return values;
}

std::vector<std::string> ReadDeltaLengths(std::string_view bytes, size_t count) {
  size_t used = 0;
  std::vector<int64_t> lengths = ReadDelta(bytes, count, &used);
  Bytes reader(bytes.substr(used));
  std::vector<std::string> texts;
  for (int64_t length : lengths) {
    if (length < 0) Cut();
    texts.emplace_back(reader.Take(static_cast<uint64_t>(length)));
  }
  return texts;
}

std::vector<std::string> ReadDeltaPrefixes(std::string_view bytes, size_t count) {
  size_t used = 0;
  std::vector<int64_t> prefixes = ReadDelta(bytes, count, &used);
  std::vector<std::string> texts = ReadDeltaLengths(bytes.substr(used), count);
  if (texts.size() != prefixes.size()) Cut();
  uint64_t total = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    uint64_t shared = static_cast<uint64_t>(prefixes[i]);
    if (shared > 0) {
      if (i == 0 || prefixes[i] < 0 || shared > texts[i - 1].size()) Cut();
      texts[i].insert(0, texts[i - 1], 0, static_cast<size_t>(shared));
    }
    total += texts[i].size();
    if (total > (256u << 20))
      throw Error(Code::kTooLarge, "texts of more than 256 MiB in one page");
  }
  return texts;
}

PageValues ReadByteStreamSplit(std::string_view bytes, Physical type, size_t fixed_bytes,
                               size_t count) {
  size_t width = Width(type, fixed_bytes);
  if (type == Physical::kByteArray || type == Physical::kBoolean || width == 0)
    throw Error(Code::kInvalidArgument, "a split into streams of values without a width");
  size_t stride = bytes.size() / width;
  if (stride < count) Cut();
  PageValues values;
  for (size_t i = 0; i < count; ++i) {
    std::string value(width, '\0');
    for (size_t b = 0; b < width; ++b) value[b] = bytes[b * stride + i];
    if (IsText(type)) {
      values.texts.push_back(std::move(value));
    } else {
      uint64_t bits = 0;
      std::memcpy(&bits, value.data(), width);
      values.bits.push_back(bits);
    }
  }
  return values;
}

}  // namespace hearth::parquet
