// Digests and message authentication, over OpenSSL 3.
//
// Digest types are identities: a Sha256 names an LFS object, a GitOid a git object. They are never
// passed as bare strings. Hashers are not thread-safe; digests are plain values.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace hearth {

// A fixed-size digest with its canonical lower-case hex form.
template <size_t N>
class Digest {
 public:
  static constexpr size_t kBytes = N;
  Digest() { bytes_.fill(0); }
  explicit Digest(std::string_view raw) {
    bytes_.fill(0);
    std::memcpy(bytes_.data(), raw.data(), raw.size() < N ? raw.size() : N);
  }
  // Accepts exactly 2N lower-case hex digits; nullopt otherwise.
  static std::optional<Digest> FromHex(std::string_view hex) {
    if (hex.size() != 2 * N || !IsLowerHex(hex)) return std::nullopt;
    return Digest(*HexDecode(hex));
  }
  std::string Hex() const { return HexEncode(raw()); }
  std::string_view raw() const { return {reinterpret_cast<const char*>(bytes_.data()), N}; }
  const unsigned char* data() const { return bytes_.data(); }
  auto operator<=>(const Digest&) const = default;

 private:
  std::array<unsigned char, N> bytes_;
};

using Sha256 = Digest<32>;
using GitOid = Digest<20>;

class Sha256Hasher {
 public:
  Sha256Hasher();
  ~Sha256Hasher();
  Sha256Hasher(Sha256Hasher&&) noexcept;
  Sha256Hasher& operator=(Sha256Hasher&&) noexcept;
  void Update(std::string_view bytes);
  // One that has taken the same bytes; both go on alone. Precondition: Finish was not called.
  Sha256Hasher Clone() const;
  Sha256 Finish();  // at most once

  // For a kernel that computes this digest and another in one pass: it takes whole blocks of 64
  // bytes into the eight chaining words of FIPS 180-4 and then says how many. Precondition for
  // both: PendingBytes() is 0.
  size_t PendingBytes() const;  // 0..63, of the block that is not full
  uint32_t* ChainingWords();
  void NoteBlocks(uint64_t blocks);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Sha256 Sha256Of(std::string_view bytes);
// The id git gives a blob with this content: SHA-1 over "blob <size>\0" + content.
GitOid GitBlobOid(std::string_view content);
// HMAC-SHA-256, 32 raw bytes.
std::string HmacSha256(std::string_view key, std::string_view message);

}  // namespace hearth

template <size_t N>
struct std::hash<hearth::Digest<N>> {
  size_t operator()(const hearth::Digest<N>& digest) const noexcept {
    size_t value;
    std::memcpy(&value, digest.data(), sizeof value);
    return value;
  }
};
