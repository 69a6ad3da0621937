#include "base/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/error.h"

namespace hearth {
namespace {

// Fetched once: EVP_sha256() is looked up again, under locks, by each use, which for a short input
// costs more than the digest.
const EVP_MD* FetchedSha256() {
  static const EVP_MD* const digest = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  return digest;
}

}  // namespace

struct Sha256Hasher::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() { EVP_DigestInit_ex2(context, FetchedSha256(), nullptr); }
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256Hasher::Sha256Hasher() : state_(std::make_unique<State>()) {}
Sha256Hasher::~Sha256Hasher() = default;
Sha256Hasher::Sha256Hasher(Sha256Hasher&&) noexcept = default;
Sha256Hasher& Sha256Hasher::operator=(Sha256Hasher&&) noexcept = default;

void Sha256Hasher::Update(std::string_view bytes) {
  EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
}

Sha256Hasher Sha256Hasher::Clone() const {
  Sha256Hasher copy;
  EVP_MD_CTX_copy_ex(copy.state_->context, state_->context);
  return copy;
}

Sha256 Sha256Hasher::Finish() {
  char raw[32];
  unsigned length = 0;
  EVP_DigestFinal_ex(state_->context, reinterpret_cast<unsigned char*>(raw), &length);
  return Sha256(std::string_view(raw, 32));
}

Sha256 Sha256Of(std::string_view bytes) {
  struct Reused {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    ~Reused() { EVP_MD_CTX_free(context); }
  };
  thread_local Reused reused;
  unsigned char raw[32];
  EVP_DigestInit_ex2(reused.context, FetchedSha256(), nullptr);
  EVP_DigestUpdate(reused.context, bytes.data(), bytes.size());
  EVP_DigestFinal_ex(reused.context, raw, nullptr);
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
