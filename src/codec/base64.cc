#include "codec/base64.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace hearth {
namespace {

constexpr char kStandard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char kUrl[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// A quantum of four characters is decoded by four lookups that are already shifted into place,
// or-ed into one word: no shifts and one test for bad input per quantum. 4 x 256 words = 4 KiB,
// which stays in L1.
constexpr uint32_t kBad = 0xFF000000u;
using DecodeTable = std::array<std::array<uint32_t, 256>, 4>;

constexpr DecodeTable MakeDecodeTable(const char* alphabet) {
  DecodeTable table{};
  for (auto& position : table) {
    for (auto& entry : position) entry = kBad;
  }
  for (uint32_t value = 0; value < 64; ++value) {
    auto c = static_cast<unsigned char>(alphabet[value]);
    for (int position = 0; position < 4; ++position) {
      // Output bytes are stored low byte first: byte 0 = bits 23..16 of the quantum, and so on.
      uint32_t quantum = value << (18 - 6 * position);
      table[static_cast<size_t>(position)][c] =
          ((quantum >> 16) & 0xFF) | (quantum & 0xFF00) | ((quantum & 0xFF) << 16);
    }
  }
  return table;
}

constexpr DecodeTable kStandardTable = MakeDecodeTable(kStandard);
constexpr DecodeTable kUrlTable = MakeDecodeTable(kUrl);

// Two output characters per 12 input bits halve the lookups of encoding.
using EncodeTable = std::array<std::array<char, 2>, 4096>;

constexpr EncodeTable MakeEncodeTable(const char* alphabet) {
  EncodeTable table{};
  for (size_t i = 0; i < table.size(); ++i) table[i] = {alphabet[i >> 6], alphabet[i & 63]};
  return table;
}

constexpr EncodeTable kStandardPairs = MakeEncodeTable(kStandard);
constexpr EncodeTable kUrlPairs = MakeEncodeTable(kUrl);

std::string Encode(std::string_view bytes, const EncodeTable& pairs, bool pad) {
  const auto* in = reinterpret_cast<const unsigned char*>(bytes.data());
  size_t full = bytes.size() / 3;
  size_t rest = bytes.size() % 3;
  std::string out;
  out.resize(full * 4 + (rest == 0 ? 0 : pad ? 4 : rest + 1));
  char* to = out.data();
  for (size_t i = 0; i < full; ++i, in += 3, to += 4) {
    uint32_t quantum = (uint32_t{in[0]} << 16) | (uint32_t{in[1]} << 8) | in[2];
    std::memcpy(to, pairs[quantum >> 12].data(), 2);
    std::memcpy(to + 2, pairs[quantum & 0xFFF].data(), 2);
  }
  if (rest == 0) return out;
  uint32_t quantum = (uint32_t{in[0]} << 16) | (rest == 2 ? uint32_t{in[1]} << 8 : 0);
  std::memcpy(to, pairs[quantum >> 12].data(), 2);
  if (rest == 2) to[2] = pairs[quantum & 0xFFF][0];
  if (pad) {
    to[3] = '=';
    if (rest == 1) to[2] = '=';
  }
  return out;
}

uint32_t DecodeQuantum(const unsigned char* in, const DecodeTable& table) {
  return table[0][in[0]] | table[1][in[1]] | table[2][in[2]] | table[3][in[3]];
}

// The last two or three characters, without padding.
bool DecodeRest(const unsigned char* in, size_t count, const DecodeTable& table, char* out) {
  uint32_t word = table[0][in[0]] | table[1][in[1]] | (count == 3 ? table[2][in[2]] : 0);
  if (word & kBad) return false;
  // Bits that belong to no byte must be zero: otherwise two texts would mean the same bytes.
  if (count == 2 && (word & 0xFF00) != 0) return false;
  if (count == 3 && (word & 0xFF0000) != 0) return false;
  out[0] = static_cast<char>(word & 0xFF);
  if (count == 3) out[1] = static_cast<char>((word >> 8) & 0xFF);
  return true;
}

std::optional<std::string> Decode(std::string_view text, const DecodeTable& table) {
  if (!text.empty() && text.size() % 4 == 0 && text.back() == '=') {
    text.remove_suffix(text[text.size() - 2] == '=' ? 2 : 1);
  }
  size_t full = text.size() / 4;
  size_t rest = text.size() % 4;
  if (rest == 1) return std::nullopt;
  size_t rest_bytes = rest == 0 ? 0 : rest - 1;
  const auto* in = reinterpret_cast<const unsigned char*>(text.data());
  std::string out;
  // One spare byte lets every quantum be written as a whole word.
  out.resize(full * 3 + rest_bytes + 1);
  char* to = out.data();
  size_t i = 0;
  uint32_t seen = 0;
  for (; i + 4 <= full; i += 4, in += 16, to += 12) {
    uint32_t a = DecodeQuantum(in, table);
    uint32_t b = DecodeQuantum(in + 4, table);
    uint32_t c = DecodeQuantum(in + 8, table);
    uint32_t d = DecodeQuantum(in + 12, table);
    seen |= a | b | c | d;
    std::memcpy(to, &a, 4);
    std::memcpy(to + 3, &b, 4);
    std::memcpy(to + 6, &c, 4);
    std::memcpy(to + 9, &d, 4);
  }
  for (; i < full; ++i, in += 4, to += 3) {
    uint32_t word = DecodeQuantum(in, table);
    seen |= word;
    std::memcpy(to, &word, 4);
  }
  if (seen & kBad) return std::nullopt;
  if (rest != 0 && !DecodeRest(in, rest, table, to)) return std::nullopt;
  out.resize(full * 3 + rest_bytes);
  return out;
}

}  // namespace

std::string Base64Encode(std::string_view bytes) { return Encode(bytes, kStandardPairs, true); }
std::string Base64UrlEncode(std::string_view bytes) { return Encode(bytes, kUrlPairs, false); }

std::optional<std::string> Base64Decode(std::string_view text) {
  return Decode(text, kStandardTable);
}
std::optional<std::string> Base64UrlDecode(std::string_view text) {
  return Decode(text, kUrlTable);
}

}  // namespace hearth
