#include "hub/inspector/repo_view.h"

#include <algorithm>

#include "text/utf8.h"

namespace hearth::inspector {
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
  return Utf8Lossy(source->Read(0, static_cast<size_t>(source->size_bytes())));
}

}  // namespace hearth::inspector
