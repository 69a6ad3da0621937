#include "formats/archive/archive_decode.h"

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "formats/archive/internal/decoders.h"
#include "formats/source/source_window.h"

namespace hearth {
namespace {

constexpr size_t kBlockBytes = 256 << 10;
// Results up to here stay in memory; also from where on the ratio counts.
constexpr uint64_t kMemoryBytes = 64 << 20;

// Grows in memory first, then in a file of the system's folder for temporary files.
class Spool {
 public:
  void Append(std::string_view bytes) {
    if (!file_ && memory_.size() + bytes.size() > kMemoryBytes) {
      file_.emplace(std::filesystem::temp_directory_path());
      std::filesystem::remove(file_->path());  // the descriptor keeps it
      file_->Append(memory_);
      std::string().swap(memory_);
    }
    if (file_) {
      file_->Append(bytes);
    } else {
      memory_.append(bytes);
    }
    size_ += bytes.size();
  }
  uint64_t size() const { return size_; }
  std::unique_ptr<ByteSource> Finish();

 private:
  std::string memory_;
  std::optional<TempFile> file_;
  uint64_t size_ = 0;
};

class SpooledSource : public ByteSource {
 public:
  explicit SpooledSource(TempFile file) : file_(std::move(file)) {}
  uint64_t size_bytes() override { return file_.size(); }
  void ReadAt(uint64_t offset, char* out, size_t n) override {
    ReadExactAt(file_.fd(), offset, out, n);
  }

 private:
  TempFile file_;
};

std::unique_ptr<ByteSource> Spool::Finish() {
  if (file_) return std::make_unique<SpooledSource>(std::move(*file_));
  return std::make_unique<OwnedSource>(std::move(memory_));
}

// Formats whose streams may follow each other in one file.
bool MayRepeat(Packing packing) {
  return packing == Packing::kGzip || packing == Packing::kBzip2 || packing == Packing::kZstd ||
         packing == Packing::kLz4;
}

bool LooksLikeZlib(std::string_view first) {
  if (first.size() < 2) return false;
  auto a = static_cast<unsigned char>(first[0]);
  auto b = static_cast<unsigned char>(first[1]);
  return (a & 0x0F) == 8 && (a >> 4) <= 7 && (a * 256 + b) % 31 == 0 && (b & 0x20) == 0;
}

}  // namespace

std::optional<Packing> SniffPacking(std::string_view first) {
  if (first.substr(0, 2) == "\x1f\x8b") return Packing::kGzip;
  if (first.substr(0, 3) == "BZh") return Packing::kBzip2;
  if (first.substr(0, 6) == std::string_view("\xFD"
                                             "7zXZ\0",
                                             6)) {
    return Packing::kXz;
  }
  if (first.substr(0, 3) == std::string_view("\x5D\0\0", 3)) return Packing::kXz;
  if (first.substr(0, 4) == "\x28\xB5\x2F\xFD") return Packing::kZstd;
  if (first.substr(0, 4) == "\x04\x22\x4D\x18") return Packing::kLz4;
  if (LooksLikeZlib(first)) return Packing::kZlib;
  return std::nullopt;
}

Unpacked Unpack(ByteSource& source, Packing packing, const UnpackLimits& limits) {
  Unpacked result;
  if (packing == Packing::kStored) {
    result.source = std::make_unique<WindowSource>(source, 0, source.size_bytes());
    result.used_bytes = source.size_bytes();
    return result;
  }
  std::unique_ptr<StreamDecoder> decoder = MakeDecoder(packing);
  Spool spool;
  std::string input, output(kBlockBytes, '\0');
  std::string_view left;
  uint64_t read = 0;
  uint64_t size = source.size_bytes();
  using State = StreamDecoder::State;
  for (;;) {
    if (left.empty() && read < size) {
      input = source.Read(read, static_cast<size_t>(std::min<uint64_t>(kBlockBytes, size - read)));
      read += input.size();
      left = input;
    }
    size_t made = output.size();
    size_t before = left.size();
    State state = decoder->Decode(&left, output.data(), &made);
    spool.Append({output.data(), made});
    result.used_bytes = read - left.size();
    bool over = spool.size() > limits.max_bytes ||
                (spool.size() > kMemoryBytes &&
                 spool.size() / limits.max_ratio > std::max<uint64_t>(1, result.used_bytes));
    if (over) {
      result.bomb = true;
      result.problem = "unpacks to more than the limits allow";
      break;
    }
    if (state == State::kBroken) {
      result.problem = "the compressed data is damaged";
      break;
    }
    if (state == State::kDone) {
      if (left.empty() && read >= size) break;
      if (!MayRepeat(packing)) break;
      decoder = MakeDecoder(packing);
      continue;
    }
    if (made == 0 && left.empty() && read >= size) {
      // xz says that it is done only when it is asked with nothing left, so the end of it cannot be
      // told from a cut.
      if (packing != Packing::kXz) result.problem = "the compressed data is cut off";
      break;
    }
    if (made == 0 && left.size() == before && before > 0) {
      result.problem = "the compressed data is damaged";
      break;
    }
  }
  result.source = spool.Finish();
  return result;
}

}  // namespace hearth
