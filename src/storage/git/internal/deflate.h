// zlib streams as git stores them, and SHA-1 over pieces; both reuse one context for many small
// inputs. Not thread-safe.
#pragma once

#include <openssl/evp.h>
#include <zlib.h>

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/hash.h"

namespace hearth::storage::internal {

class Deflater {
 public:
  Deflater() {
    // Level 1, as git's own loose objects: twice the speed for a few percent of size.
    if (deflateInit(&stream_, Z_BEST_SPEED) != Z_OK) throw Error(Code::kInternal, "deflateInit");
  }
  ~Deflater() { deflateEnd(&stream_); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  // Appends one whole zlib stream over `first` + `second` to `out`; StoreNext makes the next one
  // uncompressed.
  void Append(std::string_view first, std::string_view second, std::string& out);
  void StoreNext() { store_next_ = true; }

 private:
  void Feed(std::string_view input, int flush, std::string& out);
  z_stream stream_{};
  bool store_next_ = false;
};

class Sha1Hasher {
 public:
  Sha1Hasher() : context_(EVP_MD_CTX_new()) { Restart(); }
  ~Sha1Hasher() { EVP_MD_CTX_free(context_); }
  Sha1Hasher(const Sha1Hasher&) = delete;
  Sha1Hasher& operator=(const Sha1Hasher&) = delete;

  void Update(std::string_view bytes) { EVP_DigestUpdate(context_, bytes.data(), bytes.size()); }
  // The digest; then ready for the next input.
  GitOid Finish();

 private:
  void Restart();
  EVP_MD_CTX* const context_;
};

}  // namespace hearth::storage::internal
