// What the inspector reads: the files of one repository at one commit, by name and by ranges. The
// hub, a folder on a disk and a repository behind an address are three views of the same thing; the
// inspector's rules know none of them. Not thread-safe: one view, one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "formats/source/source.h"

namespace hearth::inspector {

struct RepoFile {
  std::string path;  // "onnx/model.onnx", UTF-8, as in git
  uint64_t size_bytes = 0;
  std::string blob = {};              // git's id of the blob; "" outside git
  std::optional<Sha256> sha256 = {};  // known for large objects without reading
};

class RepoView {
 public:
  virtual ~RepoView() = default;

  virtual std::string type() const = 0;    // "model", "dataset", "space"; "" = not said (a folder)
  virtual std::string id() const = 0;      // "ns/name", or the folder's name
  virtual std::string commit() const = 0;  // 40 hex digits; "" outside git
  // All files, sorted by path.
  virtual const std::vector<RepoFile>& files() const = 0;
  // Reads one of files() by ranges. Throws kNotFound.
  virtual std::unique_ptr<ByteSource> Open(std::string_view path) const = 0;

  const RepoFile* Find(std::string_view path) const;  // nullptr when there is none
  // A file as text, invalid UTF-8 replaced; nullopt when there is none or it is larger than
  // `max_bytes`.
  std::optional<std::string> ReadText(std::string_view path, uint64_t max_bytes = 4 << 20) const;
};

// The other repositories that a rule may ask about: base models, linked models, data sets. Only
// what the caller may read exists.
class Neighbours {
 public:
  virtual ~Neighbours() = default;
  // `revision` "" = main. nullptr when it is not here, or not for the caller.
  virtual std::unique_ptr<RepoView> Find(std::string_view type, std::string_view id,
                                         std::string_view revision) const = 0;
};

// A folder as a repository: its regular files (without .git), links to files followed because
// caches of models consist of them. kNotFound when there is no such folder.
std::unique_ptr<RepoView> OpenFolder(const std::string& folder);

}  // namespace hearth::inspector
