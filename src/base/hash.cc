// SHA-256 through OpenSSL's older interface: it is the same code, its state is a plain value that
// is copied without an allocation, and its chaining words can be seen.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "base/error.h"

namespace hearth {

struct Sha256Hasher::State {
  SHA256_CTX context;
};

Sha256Hasher::Sha256Hasher() : state_(std::make_unique<State>()) { SHA256_Init(&state_->context); }
Sha256Hasher::~Sha256Hasher() = default;
Sha256Hasher::Sha256Hasher(Sha256Hasher&&) noexcept = default;
Sha256Hasher& Sha256Hasher::operator=(Sha256Hasher&&) noexcept = default;

void Sha256Hasher::Update(std::string_view bytes) {
  SHA256_Update(&state_->context, bytes.data(), bytes.size());
}

Sha256Hasher Sha256Hasher::Clone() const {
  Sha256Hasher copy;
  *copy.state_ = *state_;
  return copy;
}

Sha256 Sha256Hasher::Finish() {
  unsigned char raw[SHA256_DIGEST_LENGTH];
  SHA256_Final(raw, &state_->context);
  return Sha256(std::string_view(reinterpret_cast<const char*>(raw), sizeof raw));
}

size_t Sha256Hasher::PendingBytes() const { return state_->context.num; }

uint32_t* Sha256Hasher::ChainingWords() {
  static_assert(sizeof(SHA_LONG) == sizeof(uint32_t));
  return state_->context.h;
}

void Sha256Hasher::NoteBlocks(uint64_t blocks) {
  SHA256_CTX& context = state_->context;
  // Counted in bits, in two words.
  uint64_t bits = (uint64_t{context.Nh} << 32 | context.Nl) + blocks * SHA256_CBLOCK * 8;
  context.Nl = static_cast<uint32_t>(bits);
  context.Nh = static_cast<uint32_t>(bits >> 32);
}

Sha256 Sha256Of(std::string_view bytes) {
  // The library's own one-shot function looks its digest up by name, under locks, each time.
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, bytes.data(), bytes.size());
  unsigned char raw[SHA256_DIGEST_LENGTH];
  SHA256_Final(raw, &context);
  return Sha256(std::string_view(reinterpret_cast<const char*>(raw), sizeof raw));
}

GitOid GitBlobOid(std::string_view content) {
  std::string header = "blob " + std::to_string(content.size());
  header += '\0';
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_sha1(), nullptr);
  EVP_DigestUpdate(context, header.data(), header.size());
  EVP_DigestUpdate(context, content.data(), content.size());
  char raw[20];
  unsigned length = 0;
  EVP_DigestFinal_ex(context, reinterpret_cast<unsigned char*>(raw), &length);
  EVP_MD_CTX_free(context);
  return GitOid(std::string_view(raw, 20));
}

std::string HmacSha256(std::string_view key, std::string_view message) {
  char raw[32];
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(),
       reinterpret_cast<unsigned char*>(raw), &length);
  return std::string(raw, 32);
}

}  // namespace hearth
