#include "formats/archive/internal/spool.h"

#include <filesystem>

#include "formats/source/source_window.h"

namespace hearth {
namespace {

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

}  // namespace

void Spool::Append(std::string_view bytes) {
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

std::unique_ptr<ByteSource> Spool::Finish() {
  if (file_) return std::make_unique<SpooledSource>(std::move(*file_));
  return std::make_unique<OwnedSource>(std::move(memory_));
}

}  // namespace hearth
