#include "formats/source/file_writer.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"

namespace hearth {
namespace {

// Large writes need no copy through the buffer; small ones are gathered.
constexpr size_t kBufferBytes = 1 << 20;

void RefuseExisting(const std::filesystem::path& target, IfExists if_exists) {
  if (if_exists == IfExists::kRefuse && std::filesystem::exists(target)) {
    throw Error(Code::kConflict, target.string() + " exists already");
  }
}

// A link, unlike a rename, fails when the name was taken in the meantime. False where the file
// system has no links.
bool LinkInto(const TempFile& file, const std::filesystem::path& target) {
  FsyncFile(file.fd(), file.path().string());
  if (::link(file.path().c_str(), target.c_str()) == 0) {
    FsyncFolder(target.parent_path());
    return true;
  }
  if (errno == EEXIST) throw Error(Code::kConflict, target.string() + " exists already");
  return false;
}

// Temporary files are private; weights are not.
constexpr mode_t kMode = 0644;

}  // namespace

FileWriter::FileWriter(const std::filesystem::path& target, IfExists if_exists)
    : target_(std::filesystem::absolute(target)),
      if_exists_(if_exists),
      file_(target_.parent_path()) {
  RefuseExisting(target_, if_exists_);
  buffer_.reserve(kBufferBytes);
}

void FileWriter::Flush() {
  if (!buffer_.empty()) file_.Append(buffer_);
  buffer_.clear();
}

void FileWriter::Append(std::span<const uint8_t> bytes) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (buffer_.size() + text.size() > kBufferBytes) Flush();
  if (text.size() >= kBufferBytes) {
    file_.Append(text);
  } else {
    buffer_.append(text);
  }
  size_ += text.size();
}

void FileWriter::AppendZeros(uint64_t count) {
  constexpr uint8_t kZeros[4096] = {};
  while (count > 0) {
    uint64_t now = count < sizeof kZeros ? count : sizeof kZeros;
    Append({kZeros, static_cast<size_t>(now)});
    count -= now;
  }
}

void FileWriter::Commit() {
  Flush();
  if (::fchmod(file_.fd(), kMode) != 0) ThrowErrno("set the mode of " + target_.string());
  if (if_exists_ == IfExists::kRefuse) {
    if (LinkInto(file_, target_)) return;
    RefuseExisting(target_, if_exists_);
  }
  file_.CommitTo(target_);
}

}  // namespace hearth
