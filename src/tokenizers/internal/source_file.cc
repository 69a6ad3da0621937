#include "tokenizers/internal/source_file.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"

namespace hearth::tokenizers::internal {
namespace {

constexpr uint64_t kMaxBytes = uint64_t{1} << 30;

Sha256 IdentityOf(const struct stat& status) {
  return Sha256Of(fmt::format("{} {} {} {}.{} {}.{}", status.st_dev, status.st_ino, status.st_size,
                              status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec,
                              status.st_ctim.tv_nsec));
}

std::chrono::nanoseconds SinceEpoch(const timespec& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

std::optional<Sha256> FindSourceIdentity(const std::filesystem::path& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return IdentityOf(status);
}

SourceFile ReadSource(const std::filesystem::path& path, const ReadText& read) {
  UniqueFd fd = OpenForRead(path);
  struct stat status;
  timespec now;
  if (fstat(fd.get(), &status) != 0) ThrowErrno("stat " + path.string());
  clock_gettime(CLOCK_REALTIME, &now);
  SourceFile source;
  if (read) {
    std::string text = read(path);
    source.bytes.assign(text.begin(), text.end());
  } else {
    auto size = static_cast<uint64_t>(status.st_size);
    if (size > kMaxBytes) throw Error(Code::kTooLarge, path.string() + " is larger than 1 GiB");
    source.bytes.resize(size);
    ReadExactAt(fd.get(), 0, source.bytes.data(), size);
  }
  source.identity = IdentityOf(status);
  source.unchanged_for =
      SinceEpoch(now) - std::max(SinceEpoch(status.st_mtim), SinceEpoch(status.st_ctim));
  return source;
}

}  // namespace hearth::tokenizers::internal
