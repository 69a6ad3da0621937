// An object's content as a ByteSource: from its file, or rebuilt from a Xet file a window at a
// time.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "formats/source/source.h"
#include "hub/xet_index.h"

namespace hearth::hub {

class OwnedFdSource : public ByteSource {
 public:
  explicit OwnedFdSource(std::shared_ptr<UniqueFd> file)
      : file_(std::move(file)), source_(file_->get()) {}
  uint64_t size_bytes() override { return source_.size_bytes(); }
  void ReadAt(uint64_t offset, char* out, size_t n) override { source_.ReadAt(offset, out, n); }

 private:
  std::shared_ptr<UniqueFd> file_;
  FdSource source_;
};

// Readers of headers ask for a few bytes at a time, mostly one behind the other: they are served
// from a window that holds some chunks.
class XetSource : public ByteSource {
 public:
  XetSource(const XetIndex& index, const XetFile& file) : index_(index), file_(file) {}
  uint64_t size_bytes() override { return file_.size_bytes; }

  void ReadAt(uint64_t offset, char* out, size_t n) override {
    if (offset > file_.size_bytes || n > file_.size_bytes - offset) {
      throw Error(Code::kInternal, "a read behind the end of " + file_.hash.Text());
    }
    if (n > kWindowBytes) return Fill(offset, out, n);
    if (offset < start_ || offset + n > start_ + window_.size()) {
      std::string fresh(std::min<uint64_t>(kWindowBytes, file_.size_bytes - offset), '\0');
      Fill(offset, fresh.data(), fresh.size());
      start_ = offset;
      window_ = std::move(fresh);
    }
    std::copy_n(window_.data() + (offset - start_), n, out);
  }

 private:
  static constexpr size_t kWindowBytes = 256 << 10;

  void Fill(uint64_t offset, char* out, size_t n) const {
    storage::XetReader reader = index_.Read(file_, offset, offset + n);
    std::string piece;
    while (n > 0) {
      piece.clear();
      bool more = reader.Next(&piece);
      if (piece.size() > n || (!more && piece.size() < n)) {
        throw Error(Code::kInternal, "the Xet file " + file_.hash.Text() + " is damaged");
      }
      out = std::copy(piece.begin(), piece.end(), out);
      n -= piece.size();
    }
  }

  const XetIndex& index_;
  XetFile file_;
  uint64_t start_ = 0;
  std::string window_;
};

}  // namespace hearth::hub
