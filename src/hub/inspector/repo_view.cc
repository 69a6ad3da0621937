#include "hub/inspector/repo_view.h"

#include <algorithm>

#include "base/utf8.h"

namespace hearth::inspector {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

std::string ReplaceInvalid(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    size_t length = Utf8Length(text);
    valid += length == 0 ? kReplacement : text.substr(0, length);
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return valid;
}

}  // namespace

const RepoFile* RepoView::Find(std::string_view path) const {
  const std::vector<RepoFile>& all = files();
  auto found =
      std::lower_bound(all.begin(), all.end(), path,
                       [](const RepoFile& file, std::string_view key) { return file.path < key; });
  return found != all.end() && found->path == path ? &*found : nullptr;
}

std::optional<std::string> RepoView::ReadText(std::string_view path, uint64_t max_bytes) const {
  const RepoFile* file = Find(path);
  if (file == nullptr || file->size_bytes > max_bytes) return std::nullopt;
  std::unique_ptr<ByteSource> source = Open(path);
  if (source->size_bytes() > max_bytes) return std::nullopt;
  return ReplaceInvalid(source->Read(0, static_cast<size_t>(source->size_bytes())));
}

}  // namespace hearth::inspector
