#include "hub/inspector/weights/tensor_hash.h"

#include <blake3.h>

namespace hearth::inspector {

struct TensorHasher::State {
  blake3_hasher hasher;
};

TensorHasher::TensorHasher() : state_(std::make_unique<State>()) { Reset(); }
TensorHasher::~TensorHasher() = default;
TensorHasher::TensorHasher(TensorHasher&&) noexcept = default;

void TensorHasher::Reset() { blake3_hasher_init(&state_->hasher); }

void TensorHasher::Update(std::string_view bytes) {
  blake3_hasher_update(&state_->hasher, bytes.data(), bytes.size());
}

TensorHash TensorHasher::Finish() const {
  char raw[TensorHash::kBytes];
  blake3_hasher_finalize(&state_->hasher, reinterpret_cast<uint8_t*>(raw), sizeof raw);
  return TensorHash(std::string_view(raw, sizeof raw));
}

}  // namespace hearth::inspector
