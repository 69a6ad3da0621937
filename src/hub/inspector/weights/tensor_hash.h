// The identity of a tensor's bytes: BLAKE3 (https://github.com/BLAKE3-team/BLAKE3-specs) of them as
// they lie in the file. Equal digests are equal bytes; names, shapes and types are not in it. The
// digest is a plain value, the hasher belongs to one thread.
#pragma once

#include <memory>
#include <string_view>

#include "base/hash.h"

namespace hearth::inspector {

struct TensorHash {
  static constexpr size_t kBytes = 32;
  Digest<kBytes> digest;

  TensorHash() = default;
  // Exactly 32 bytes; fewer are filled up with zeros.
  explicit TensorHash(std::string_view raw) : digest(raw) {}
  std::string_view raw() const { return digest.raw(); }
  std::string Hex() const { return digest.Hex(); }
  auto operator<=>(const TensorHash&) const = default;
};

class TensorHasher {
 public:
  TensorHasher();
  ~TensorHasher();
  TensorHasher(TensorHasher&&) noexcept;
  void Update(std::string_view bytes);
  // What was taken since the last Reset, or since construction.
  TensorHash Finish() const;
  void Reset();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hearth::inspector

template <>
struct std::hash<hearth::inspector::TensorHash> {
  size_t operator()(const hearth::inspector::TensorHash& hash) const noexcept {
    return std::hash<hearth::Digest<32>>()(hash.digest);
  }
};
