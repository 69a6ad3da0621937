#include "storage/git/internal/deflate.h"

#include <algorithm>
#include <limits>

namespace hearth::storage::internal {

void Deflater::Feed(std::string_view input, int flush, std::string& out) {
  // zlib counts input in 32 bits.
  constexpr size_t kMaxPiece = std::numeric_limits<uInt>::max() / 2;
  do {
    std::string_view piece = input.substr(0, kMaxPiece);
    input.remove_prefix(piece.size());
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    stream_.avail_in = static_cast<uInt>(piece.size());
    int piece_flush = input.empty() ? flush : Z_NO_FLUSH;
    for (;;) {
      size_t used = out.size();
      size_t room = std::clamp<size_t>(stream_.avail_in / 2, 256, 1 << 20);
      out.resize(used + room);
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + used);
      stream_.avail_out = static_cast<uInt>(room);
      int result = deflate(&stream_, piece_flush);
      out.resize(out.size() - stream_.avail_out);
      if (result == Z_STREAM_END || result == Z_BUF_ERROR) break;
      if (result != Z_OK) throw Error(Code::kInternal, "deflate failed");
      if (piece_flush == Z_NO_FLUSH && stream_.avail_in == 0 && stream_.avail_out > 0) break;
    }
  } while (!input.empty());
}

void Deflater::Append(std::string_view first, std::string_view second, std::string& out) {
  deflateReset(&stream_);
  deflateParams(&stream_, store_next_ ? Z_NO_COMPRESSION : Z_BEST_SPEED, Z_DEFAULT_STRATEGY);
  store_next_ = false;
  if (!first.empty()) Feed(first, Z_NO_FLUSH, out);
  Feed(second, Z_FINISH, out);
}

void Sha1Hasher::Restart() {
  static const EVP_MD* const sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  if (context_ == nullptr || EVP_DigestInit_ex2(context_, sha1, nullptr) != 1) {
    throw Error(Code::kInternal, "SHA-1 is not available");
  }
}

GitOid Sha1Hasher::Finish() {
  char digest[GitOid::kBytes];
  EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(digest), nullptr);
  Restart();
  return GitOid(std::string_view(digest, sizeof digest));
}

}  // namespace hearth::storage::internal
